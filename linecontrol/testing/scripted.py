"""A driver without a device: what happens in its lives is written down beforehand, or told while it runs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct, field
from typing_extensions import override

from linecontrol.clock import Clock
from linecontrol.driver import ConnectionSettings, Driver, Quality, Reading, Tag, TagSettings, Value
from linecontrol.errors import ConnectionLost

Step = list[Reading] | BaseException
"""What ``readings`` does next: yield a batch, or raise."""


class Life(Struct, kw_only=True):
    """What happens in one life of a connection."""

    connect: BaseException | None = None
    """Raised by ``connect``."""
    steps: Sequence[Step] = ()
    """What ``readings`` yields and raises; then it waits for :meth:`ScriptedDriver.tell`."""
    shows: dict[str, Value] = field(default_factory=dict)
    """What ``read`` answers; written values are added."""
    write: BaseException | None = None
    """Raised by ``write`` after the device has the values: the answer is lost, not the write."""
    refuse: BaseException | None = None
    """Raised by ``write`` instead of writing."""
    read: BaseException | None = None
    """Raised by ``read``."""
    close: BaseException | None = None
    """Raised by ``close``."""
    hang: frozenset[str] = frozenset()
    """Names of the methods that never end."""


class ScriptedDriver(Driver):
    """One life. ``written`` are the values that reached the device, in order."""

    connection_settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    tag_settings: ClassVar[type[TagSettings]] = TagSettings

    def __init__(self, name: str, tags: Sequence[Tag], clock: Clock, life: Life) -> None:
        """``life`` is what happens; do no I/O, ever."""
        super().__init__(name, ConnectionSettings(), tags, clock)
        self.life = life
        self.written: list[dict[str, Value]] = []
        self.connected, self.closed = asyncio.Event(), asyncio.Event()
        self._steps: asyncio.Queue[Step] = asyncio.Queue()
        for step in life.steps:
            self._steps.put_nowait(step)

    def tell(self, step: Step) -> None:
        """Add a step to the script."""
        self._steps.put_nowait(step)

    @override
    async def connect(self) -> None:
        await self._play("connect", self.life.connect)
        self.connected.set()

    @override
    async def readings(self) -> AsyncGenerator[list[Reading], None]:
        while True:
            step = await self._steps.get()
            if isinstance(step, BaseException):
                raise step
            yield step

    @override
    async def read(self, signals: Sequence[str]) -> list[Reading]:
        await self._play("read", self.life.read)
        now_ns = self.clock.now_ns()
        shown = [self.life.shows.get(signal) for signal in signals]
        qualities = [Quality.BAD if value is None else Quality.GOOD for value in shown]
        return [Reading(*each, now_ns, now_ns) for each in zip(signals, shown, qualities, strict=True)]

    @override
    async def write(self, values: Mapping[str, Value]) -> None:
        await self._play("refuse", self.life.refuse)
        self.written.append(dict(values))
        self.life.shows.update(values)
        await self._play("write", self.life.write)

    @override
    async def close(self) -> None:
        self.closed.set()
        await self._play("close", self.life.close)

    async def _play(self, method: str, error: BaseException | None) -> None:
        if method in self.life.hang:
            await asyncio.Event().wait()
        if error is not None:
            raise error


class Script:
    """Lives in their order. Called, it makes the driver of the next one; after the last it can't be reached."""

    def __init__(self, clock: Clock, *lives: Life, name: str = "plc", tags: Sequence[Tag] = ()) -> None:
        """``drivers`` are those that were made."""
        self.drivers: list[ScriptedDriver] = []
        self._lives = iter(lives)
        self._make: Callable[[Life], ScriptedDriver] = lambda life: ScriptedDriver(name, tags, clock, life)

    def __call__(self) -> ScriptedDriver:
        """A driver that has not been used."""
        driver = self._make(next(self._lives, Life(connect=ConnectionLost("nobody there"))))
        self.drivers.append(driver)
        return driver
