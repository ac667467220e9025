"""The driver: block reads when they are due, each batch holding what changed, and writes in between."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import ClassVar, cast

from typing_extensions import override

from linecontrol.driver import (
    Clock,
    ConnectionLost,
    ConnectionSettings,
    DeviceRefused,
    Driver,
    Reading,
    Tag,
    TagSettings,
    Value,
)
from linecontrol_modbus.layout import identity, layout
from linecontrol_modbus.link import Link
from linecontrol_modbus.pdu import UNSURE, Refused, Silent
from linecontrol_modbus.plan import Block, Span, plan
from linecontrol_modbus.poller import Poller
from linecontrol_modbus.schedule import Schedule
from linecontrol_modbus.settings import ModbusConnection
from linecontrol_modbus.show import UNANSWERED, Show, Stranger
from linecontrol_modbus.tag import ModbusTag
from linecontrol_modbus.turns import Rank

NS = 1_000_000_000


class ModbusDriver(Driver):
    """One connection to a Modbus device, gateway or bus; writes and reads take turns on it."""

    connection_settings: ClassVar[type[ConnectionSettings]] = ModbusConnection
    tag_settings: ClassVar[type[TagSettings]] = ModbusTag

    def __init__(self, name: str, settings: ConnectionSettings, tags: Sequence[Tag], clock: Clock) -> None:
        """Do no I/O.

        Raises:
            ValueError: a tag can't be served as config has it; the message names the signal.
        """
        super().__init__(name, settings, tags, clock)
        self._settings = cast("ModbusConnection", settings)
        known = identity(self._settings)
        self._points = layout(self._settings, [*tags, *known.values()])
        cyclic = [point for point in self._points.values() if not point.writable]
        periods = sorted({point.poll_ns for point in cyclic})
        self._schedule = Schedule(
            (period, self._plan(point.span for point in cyclic if point.poll_ns == period)) for period in periods
        )
        self._known = [self._points[name].span for name in known]
        expected = dict(zip(known, (place.equals for place in self._settings.identity), strict=True))
        self._show = Show(self._points, self.traffic, expected)
        self._link: Link | None = None
        self._poller: Poller | None = None
        self._writing = asyncio.Lock()

    @override
    async def connect(self) -> None:
        if self._link is not None:
            msg = f"{self._link.where}: a driver is used once"
            raise ConnectionLost(msg)
        planned = [(block.unit, block.request) for job in self._schedule.jobs for block in job.blocks]
        self._link = Link(self.name, self._settings, self.traffic, planned)
        await self._link.connect()
        self._poller = Poller(self._link, self._schedule, self._show, self.clock, self.traffic)
        await self._poller.prove(self._settings.timeout)
        try:
            for block in self._plan(self._known):
                for answer in await self._poller.fetch(block, Rank.NOW):
                    self._show.identify(answer)
        except Stranger as stranger:
            msg = f"{self._link.where}: {stranger}"
            raise DeviceRefused(msg) from stranger

    @override
    async def readings(self) -> AsyncGenerator[list[Reading], None]:
        link, poller = self._connected()
        self._schedule.start(self.clock.now_ns())
        while True:
            link.check()
            if batch := await poller.round():
                yield batch
            now_ns = self.clock.now_ns()
            wait_ns = self._schedule.wake_ns(now_ns + self._settings.poll) - now_ns
            await self.clock.sleep(max(wait_ns, 0) / NS)

    @override
    async def read(self, signals: Sequence[str]) -> list[Reading]:
        link, poller = self._connected()
        found: dict[str, Reading] = {}
        silent: set[int] = set()
        for block in self._plan(self._points[signal].span for signal in dict.fromkeys(signals)):
            if block.unit in silent:
                found |= self._show.readings(poller.unanswered(block))
                continue
            for answer in await poller.fetch(block, Rank.NOW):
                if answer.status == UNANSWERED:
                    silent.add(block.unit)
                found |= self._show.readings(answer)
        if found and not self._schedule.jobs and all(reading.status == UNANSWERED for reading in found.values()):
            link.end(f"no answer within {self._settings.timeout / NS:g} s")  # no cyclic read would notice
        return [found[signal] for signal in signals]

    @override
    async def write(self, values: Mapping[str, Value]) -> None:
        link, _ = self._connected()
        link.check()
        requests = [(signal, self._encode(signal, value)) for signal, value in values.items()]
        async with self._writing:
            for signal, places in requests:
                await self._write(link, signal, places)

    @override
    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()

    async def _write(self, link: Link, signal: str, places: list[int]) -> None:
        span = self._points[signal].span
        place = f"{signal} at {Block.of([span])}"
        try:
            await link.write(span.unit, span.table, span.address, places)
        except (Refused, Silent) as error:
            if isinstance(error, Refused) and error.code not in UNSURE:
                msg = f"{link.where}: {place}: refused, {error}"
                raise DeviceRefused(msg) from error
            msg = f"{link.where}: {error} (writing {place}); whether the device has the value is unknown"
            raise ConnectionLost(msg) from error
        except ConnectionLost as lost:
            msg = f"{lost} (writing {place})"
            raise ConnectionLost(msg) from lost

    def _connected(self) -> tuple[Link, Poller]:
        if self._link is None or self._poller is None:
            msg = f"{self.name}: not connected"
            raise ConnectionLost(msg)
        return self._link, self._poller

    def _plan(self, spans: Iterable[Span]) -> list[Block]:
        settings = self._settings
        return plan(spans, settings.gap, settings.max_registers, settings.max_bits)

    def _encode(self, signal: str, value: Value) -> list[int]:
        point = self._points.get(signal)
        if point is None or not point.writable:
            msg = f"{self.name}: {signal} is no command that can be written"
            raise DeviceRefused(msg)
        try:
            return point.codec.encode(value)
        except ValueError as error:
            msg = f"{self.name}: {signal}: {error}"
            raise DeviceRefused(msg) from error
