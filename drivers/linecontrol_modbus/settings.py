"""What config says of a Modbus device or bus."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from linecontrol.driver import ConnectionSettings, CredentialFile, Duration
from linecontrol_modbus.tag import ModbusIdentity, ModbusTag, Order, Table, Unit, WordType

__all__ = ["ModbusConnection", "ModbusTag", "Order", "Table", "Transport", "WordType"]

_TLS_PORT, _PORT = 802, 502


class Transport(StrEnum):
    """What carries the requests."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu_over_tcp"
    SERIAL = "serial"
    TLS = "tls"


class ModbusConnection(ConnectionSettings):
    """A Modbus device, a gateway with several devices behind it, or a serial bus."""

    transport: Transport = Transport.TCP
    """``tcp``; ``rtu_over_tcp`` (a serial bus behind a plain serial server); ``serial``; ``tls`` (Modbus/TCP Security).
    """
    host: str = ""
    """Name or address of the device; not for ``serial``."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """TCP port; 802 for ``tls`` and else 502 if left out."""
    device: str = ""
    """Serial port, such as ``/dev/serial/by-id/usb-...``; only for ``serial``."""
    baudrate: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 19_200
    """Bits per second; ``serial`` only."""
    parity: Literal["even", "odd", "none"] = "even"
    """Parity; ``serial`` only."""
    stopbits: Literal[1, 2] = 1
    """Stop bits; ``serial`` only."""
    ca: CredentialFile | None = None
    """File with the certificates (PEM) by which the device's is judged; ``tls`` only."""
    certificate: CredentialFile | None = None
    """File with our certificate (PEM); ``tls`` only."""
    key: CredentialFile | None = None
    """File with the private key (PEM) of ``certificate``; ``tls`` only."""
    unit: Unit = 1
    """Unit id of the tags that don't name one."""
    poll: Annotated[Duration, Field(gt=0)] = 500_000_000
    """Time from one round of reads to the next, for tags that don't say otherwise."""
    timeout: Annotated[Duration, Field(gt=0)] = 1_000_000_000
    """How long to wait for an answer, in real time. Longer than that of a gateway."""
    delay: Annotated[Duration, Field(ge=0)] = 0
    """How long to leave the device alone after an answer before the next request, in real time."""
    in_flight: Annotated[int, Field(ge=1, le=8)] = 1
    """So many requests at once, if the device can; ``tcp`` and ``tls`` only."""
    gap: Annotated[int, Field(ge=0, le=124)] = 8
    """So many registers (or 16 times as many bits) that nobody asked for are read to save a request."""
    max_registers: Annotated[int, Field(ge=1, le=125)] = 125
    """Most registers that the device gives in one answer."""
    max_bits: Annotated[int, Field(ge=1, le=2000)] = 2000
    """Most bits that the device gives in one answer."""
    base: Literal[0, 1] = 0
    """Number of the first place in each table as config counts them: 0 as on the wire, 1 as in some manuals."""

    identity: tuple[ModbusIdentity, ...] = ()
    """Places by which the device, or each device behind the gateway, is known; if one differs, nothing is believed."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if problem := self._problem():
            raise ValueError(problem)
        return self

    def _problem(self) -> str | None:
        given = self.model_fields_set
        serial, tls = self.transport is Transport.SERIAL, self.transport is Transport.TLS
        if serial and not self.device:
            return "transport serial needs device, the serial port"
        if not serial and not self.host:
            return f"transport {self.transport.value} needs host, the name or address of the device"
        if serial and (wrong := sorted(given & {"host", "port"})):
            return f"transport serial is no network: leave out {', '.join(wrong)}"
        if not serial and (wrong := sorted(given & {"device", "baudrate", "parity", "stopbits"})):
            return f"transport {self.transport.value} is no serial port: leave out {', '.join(wrong)}"
        if tls and self.ca is None:
            return "transport tls needs ca, the file with the certificates by which the device's is judged"
        if not tls and (wrong := sorted(given & {"ca", "certificate", "key"})):
            return f"transport {self.transport.value} knows no certificates: leave out {', '.join(wrong)}"
        if (self.certificate is None) != (self.key is None):
            return "certificate and key belong together: give both or none"
        if self.in_flight > 1 and not self.framed:
            return f"transport {self.transport.value} can carry one request at a time: leave out in_flight"
        return None

    @property
    def framed(self) -> bool:
        """Whether requests carry transaction ids."""
        return self.transport in (Transport.TCP, Transport.TLS)

    @property
    def place(self) -> str:
        """Where the device is, as messages say it."""
        return self.device if self.transport is Transport.SERIAL else f"{self.host}:{self.endpoint()[1]}"

    @override
    def endpoint(self) -> tuple[str, int]:
        """Host and port that will be contacted.

        Raises:
            NotImplementedError: it is a serial port.
        """
        if self.transport is Transport.SERIAL:
            raise NotImplementedError
        return self.host, self.port or (_TLS_PORT if self.transport is Transport.TLS else _PORT)

    @override
    def interval(self) -> int:
        """Longest time in nanoseconds from a value's change to its being looked at."""
        return self.poll

    @override
    def on_loopback(self, port: int) -> Self:
        """The same connection, but to a simulated device at 127.0.0.1: no TLS, no serial port, one request at once."""
        kept = {"unit", "poll", "timeout", "delay", "gap", "max_registers", "max_bits", "base", "identity"}
        defaults = {key: field.default for key, field in type(self).model_fields.items() if key not in kept}
        carried = Transport.RTU_OVER_TCP if self.transport is Transport.RTU_OVER_TCP else Transport.TCP
        return self.model_copy(update={**defaults, "transport": carried, "host": "127.0.0.1", "port": port})

    @override
    def warnings(self) -> list[str]:
        """What is unsafe: plain Modbus is normal in plants, but TLS is chosen by those who mean more."""
        if self.transport is Transport.TLS and self.certificate is None:
            return [f"{self.place} can't tell who we are: give certificate and key, so that it may refuse others"]
        return []
