"""The contract that a driver fulfils, and all that a driver may import of linecontrol.

A driver package offers a :class:`Driver` under the entry point group ``linecontrol.drivers`` and, if its devices
can be simulated, a :class:`PlcServer` under ``linecontrol.servers``, both by the name that config uses in
``connections: NAME: driver:``. A :class:`Probe` for commissioning goes under ``linecontrol.probes`` by the schemes of
the addresses that it takes, and a command of its own (a Typer app) under ``linecontrol.commands``.

A driver instance is one connection, used once: ``connect``, then iterate ``readings`` (and perhaps ``write``),
then ``close``. It never retries, never reconnects and never sleeps on an error: it raises ``ConnectionLost`` (a
new instance may do better) or ``DeviceRefused`` (the device said no), and the gateway decides what happens next.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Self

from msgspec import Struct
from pydantic import AfterValidator, BaseModel, ConfigDict

from linecontrol.clock import Clock
from linecontrol.credentials import in_credentials, is_credential
from linecontrol.duration import Duration
from linecontrol.errors import ConnectionLost, DeviceRefused
from linecontrol.model.reading import Quality, Reading, Value
from linecontrol.model.traffic import Traffic

__all__ = [
    "Clock",
    "ConnectionLost",
    "ConnectionSettings",
    "CredentialFile",
    "DeviceRefused",
    "Driver",
    "Duration",
    "Finding",
    "PlcServer",
    "Probe",
    "Quality",
    "Reading",
    "Settings",
    "Tag",
    "TagSettings",
    "Traffic",
    "Value",
    "Write",
    "is_credential",
]


CredentialFile = Annotated[Path, AfterValidator(in_credentials)]
"""Config type: a file with a secret or a certificate, relative to systemd's credentials folder or absolute."""


class Settings(BaseModel):
    """Base of a driver's own config types: unknown keys are errors, values can't change, fields are documented."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ConnectionSettings(Settings):
    """Base of what a driver is told under ``connections: NAME:`` (besides ``driver``)."""

    def endpoint(self) -> tuple[str, int]:
        """Host and port that will be contacted.

        Raises:
            NotImplementedError: the connection is not over a network.
        """
        raise NotImplementedError

    def interval(self) -> int:
        """Longest time in nanoseconds from a value's change to its being looked at, as configured; 0 if none."""
        return 0

    def on_loopback(self, port: int) -> Self:
        """The same connection, but to a simulated device at 127.0.0.1 and ``port``.

        Raises:
            NotImplementedError: the driver's devices can't be simulated.
        """
        raise NotImplementedError

    def warnings(self) -> list[str]:
        """What is unsafe about the connection as configured, a sentence each; it is shown for as long as it holds."""
        return []


class TagSettings(Settings):
    """Base of what a driver is told of one signal (besides ``connection``)."""

    def places(self) -> frozenset[str]:
        """Names of the places in the device that the tag occupies; two tags must not share one."""
        raise NotImplementedError

    def value_type(self) -> type[bool] | type[int] | type[float] | type[str]:
        """Python type of the values that readings of the tag carry."""
        raise NotImplementedError

    def interval(self) -> int | None:
        """Longest time in nanoseconds from a value's change to its being looked at; ``None``: the connection's."""
        return None

    def counter_bits(self) -> int | None:
        """Width in bits after which an unsigned counter in this tag rolls over; ``None`` if it can't tell."""
        return None

    def only_commands(self) -> str:
        """Why only commands can have these settings; empty if signals can too."""
        return ""


class Tag(Struct, frozen=True):
    """A signal's address at a device. ``writable`` tags are commands: never read cyclically, only written."""

    signal: str
    settings: TagSettings
    writable: bool = False


class Write(Struct, frozen=True):
    """A value that a client wrote to a simulated device."""

    signal: str
    value: Value


class Driver(ABC):
    """One connection to one device, used once."""

    connection_settings: ClassVar[type[ConnectionSettings]]
    """Type of the driver's part of a connection in config."""
    tag_settings: ClassVar[type[TagSettings]]
    """Type of the driver's part of a signal in config."""

    def __init__(self, name: str, settings: ConnectionSettings, tags: Sequence[Tag], clock: Clock) -> None:
        """Do no I/O. ``clock`` stamps what the device doesn't, and paces polling."""
        self.name = name
        self.settings = settings
        self.tags = tuple(tags)
        self.clock = clock
        self.traffic = Traffic()
        """What this connection has carried; the driver counts, others read."""

    @abstractmethod
    async def connect(self) -> None:
        """Make the connection and prove that it works. May be cancelled at any await.

        Raises:
            ConnectionLost: it can't be made now.
            DeviceRefused: the device refuses us (credentials, certificate, identity).
        """

    @abstractmethod
    def readings(self) -> AsyncGenerator[list[Reading], None]:
        """Yield batches until the connection ends; the first batches hold the present value of every tag.

        A tag that the device doesn't know or can't serve is a ``BAD`` reading with ``value`` None and the
        protocol's status, never an exception, and doesn't hinder the others. Batches are never empty, in the order of
        source times, and don't part what the device shows of one instant.

        Where values of a tag were, or may have been, lost, its next reading (the present value) is ``UNCERTAIN``:
        what depends on having seen every value is then marked as not seen.

        Raises:
            ConnectionLost: the connection ended.
        """

    @abstractmethod
    async def read(self, signals: Sequence[str]) -> list[Reading]:
        """Read signals (writable ones too) once, now, from the device itself; one reading each, in order.

        Raises:
            ConnectionLost: the connection ended.
        """

    @abstractmethod
    async def write(self, values: Mapping[str, Value]) -> None:
        """Write each value once. Never repeated by the driver, not even after a lost answer.

        Raises:
            ConnectionLost: no answer came; whether the device has the value is unknown.
            DeviceRefused: the device refused; the message names signal and status.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give everything back, within 2 seconds, whatever state the connection is in. Never raises."""


class PlcServer(ABC):
    """A device that behaves as config says: the simulator's end of the protocol."""

    def __init__(self, name: str, settings: ConnectionSettings, tags: Sequence[Tag], clock: Clock) -> None:
        """Do no I/O. Serves at ``settings.endpoint()``, which the simulator has put on loopback."""
        self.name = name
        self.settings = settings
        self.tags = tuple(tags)
        self.clock = clock

    @abstractmethod
    async def start(self) -> None:
        """Listen. Tags hold 0, False or "" until they are published.

        Raises:
            OSError: the port is taken.
        """

    @abstractmethod
    async def publish(self, readings: Sequence[Reading]) -> None:
        """Make these the present values, with their source times where the protocol carries any."""

    @abstractmethod
    def writes(self) -> list[Write]:
        """What clients wrote to writable tags since the last call, in order."""

    @abstractmethod
    async def close(self) -> None:
        """Stop listening and drop all clients. Never raises."""


class Finding(Struct, frozen=True, kw_only=True):
    """Something that a probe found at a device.

    ``path`` is where it is (names from the device down), ``tag`` the settings with which a signal would read it
    (empty for a mere folder), ``kind`` its type and ``value`` what it shows now, both as people read them, ``unit`` the
    engineering unit where the device tells one. ``note`` says what else an engineer should know.
    """

    path: tuple[str, ...]
    tag: Mapping[str, object] = {}
    kind: str = ""
    value: str = ""
    unit: str = ""
    note: str = ""


class Probe(ABC):
    """Looks around in a device for commissioning: reads only, gently, and never writes."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        """Do no I/O. ``options`` are ``KEY=VALUE`` pairs of the command line.

        Raises:
            ValueError: the address or an option is wrong; the text says what is right.
        """
        self.url, self.options = url, options

    @abstractmethod
    def connection(self) -> Mapping[str, object]:
        """The settings under ``connections: NAME:``, ``driver`` included, with which the gateway would connect."""

    @abstractmethod
    def look(self, progress: Callable[[float, str], None]) -> AsyncGenerator[Finding, None]:
        """What there is, in the device's order. ``progress`` is told the share that is done, 0 to 1, and where it is.

        Raises:
            ConnectionLost: the device can't be reached, or went away.
            DeviceRefused: the device refuses us.
        """
