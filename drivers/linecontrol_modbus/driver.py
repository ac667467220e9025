"""The driver: rounds of block reads, each batch holding what changed."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar, NamedTuple, cast

from typing_extensions import override

from linecontrol.driver import (
    Clock,
    ConnectionLost,
    ConnectionSettings,
    DeviceRefused,
    Driver,
    Quality,
    Reading,
    Tag,
    TagSettings,
    Value,
)
from linecontrol_modbus.layout import layout
from linecontrol_modbus.link import Link, Refused
from linecontrol_modbus.plan import Block, Span, plan, split
from linecontrol_modbus.settings import ModbusConnection, ModbusTag

NS = 1_000_000_000
ILLEGAL_ADDRESS = 2
GATEWAY_TROUBLE = (10, 11)
REST_NS = 5 * NS
"""A missing address or a silent unit is asked again only after so long, in rounds' time."""


class Answer(NamedTuple):
    """What the device said to the read of a block at ``at_ns``: ``data``, or the exception ``code``."""

    block: Block
    data: Sequence[int] | None
    code: int
    at_ns: int


class Sample(NamedTuple):
    """A value, how far to trust it, and the exception code if there is none."""

    value: Value
    quality: Quality
    status: int


class ModbusDriver(Driver):
    """One connection to a Modbus TCP device or gateway; writes and reads take turns on it."""

    connection_settings: ClassVar[type[ConnectionSettings]] = ModbusConnection
    tag_settings: ClassVar[type[TagSettings]] = ModbusTag

    def __init__(self, name: str, settings: ConnectionSettings, tags: Sequence[Tag], clock: Clock) -> None:
        """Do no I/O.

        Raises:
            ValueError: a tag can't be served as config has it; the message names the signal.
        """
        super().__init__(name, settings, tags, clock)
        self._settings = cast("ModbusConnection", settings)
        self._points = layout(self._settings, tags)
        self._blocks = self._plan(point.span for point in self._points.values() if not point.writable)
        self._link: Link | None = None
        self._round = 0
        self._rests: dict[Block | int, tuple[int, int]] = {}
        self._data: dict[Block, Sequence[int] | None] = {}
        self._samples: dict[str, Sample] = {}
        self._sequence = 0

    @override
    async def connect(self) -> None:
        if self._link is not None:
            msg = f"{self._link.where}: a driver is used once"
            raise ConnectionLost(msg)
        self._link = Link(self.name, *self._settings.endpoint(), self._settings.timeout / NS)
        await self._link.connect()
        for block in self._blocks[:1]:
            with suppress(Refused):  # an exception proves as well that the device speaks Modbus
                await self._read(block)

    @override
    async def readings(self) -> AsyncGenerator[list[Reading], None]:
        due_ns = self.clock.now_ns()
        poll_ns = self._settings.poll
        while True:
            if batch := self._changes(await self._poll()):
                yield batch
            now_ns = self.clock.now_ns()
            due_ns = min(max(due_ns + poll_ns, now_ns), now_ns + poll_ns)
            await self.clock.sleep((due_ns - now_ns) / NS)

    @override
    async def read(self, signals: Sequence[str]) -> list[Reading]:
        blocks = self._plan(self._points[signal].span for signal in dict.fromkeys(signals))
        found = {}
        for block in blocks:
            for answer in await self._fetch(block):
                for span in answer.block.spans:
                    found[span.signal] = self._reading(span.signal, self._sample(span, answer), answer.at_ns)
        return [found[signal] for signal in signals]

    @override
    async def write(self, values: Mapping[str, Value]) -> None:
        link = self._connected()
        requests = [(signal, self._encode(signal, value)) for signal, value in values.items()]
        for signal, places in requests:
            span = self._points[signal].span
            try:
                await link.write(span.unit, span.table, span.address, places)
            except Refused as refused:
                msg = f"{link.where}: {signal} at {Block.of([span])}: refused, {refused}"
                raise DeviceRefused(msg) from refused
            except ConnectionLost as lost:
                msg = f"{lost} (writing {signal} at {Block.of([span])})"
                raise ConnectionLost(msg) from lost

    @override
    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()

    def _connected(self) -> Link:
        if self._link is None:
            msg = f"{self.name}: not connected"
            raise ConnectionLost(msg)
        self._link.check()
        return self._link

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

    async def _read(self, block: Block) -> Sequence[int]:
        try:
            return await self._connected().read(block.unit, block.table, block.address, block.count)
        except ConnectionLost as lost:
            msg = f"{lost} (reading {block})"
            raise ConnectionLost(msg) from lost

    async def _fetch(self, block: Block) -> list[Answer]:
        """Answers for a block: one, or several if the device doesn't know all of its addresses."""
        try:
            return [Answer(block, await self._read(block), 0, self.clock.now_ns())]
        except Refused as refused:
            if refused.code == ILLEGAL_ADDRESS and (parts := split(block)):
                return [answer for part in parts for answer in await self._fetch(part)]
            return [Answer(block, None, refused.code, self.clock.now_ns())]

    async def _poll(self) -> list[Answer]:
        """One round. Blocks that had to be split stay split; what is missing or silent rests for a while."""
        self._connected()
        self._round += 1
        until = self._round + max(1, REST_NS // self._settings.poll)
        answers: list[Answer] = []
        for block in self._blocks:
            code = self._resting(block.unit) or self._resting(block)
            if code:
                answers.append(Answer(block, None, code, self.clock.now_ns()))
                continue
            for answer in await self._fetch(block):
                if answer.code in GATEWAY_TROUBLE:
                    self._rests[block.unit] = (answer.code, until)
                elif answer.code == ILLEGAL_ADDRESS:
                    self._rests[answer.block] = (answer.code, until)
                answers.append(answer)
        self._blocks = [answer.block for answer in answers]
        return answers

    def _resting(self, what: Block | int) -> int:
        """Exception code for which a block or a unit isn't asked in this round; 0 if it is."""
        code, until = self._rests.get(what, (0, 0))
        return code if self._round < until else 0

    def _changes(self, answers: list[Answer]) -> list[Reading]:
        batch = []
        for answer in answers:
            if answer.data is not None and self._data.get(answer.block) == answer.data:
                continue
            self._data[answer.block] = answer.data
            for span in answer.block.spans:
                sample = self._sample(span, answer)
                if self._samples.get(span.signal) != sample:
                    self._samples[span.signal] = sample
                    batch.append(self._reading(span.signal, sample, answer.at_ns))
        return batch

    def _sample(self, span: Span, answer: Answer) -> Sample:
        if answer.data is None:
            return Sample(None, Quality.BAD, answer.code)
        start = span.address - answer.block.address
        value = self._points[span.signal].codec.decode(answer.data[start : start + span.count])
        return Sample(value, Quality.BAD if value is None else Quality.GOOD, 0)

    def _reading(self, signal: str, sample: Sample, at_ns: int) -> Reading:
        self._sequence += 1
        return Reading(signal, sample.value, sample.quality, at_ns, at_ns, sample.status, self._sequence)
