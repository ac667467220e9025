"""What the tags show: readings of what has changed since the last time."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from linecontrol.driver import Quality, Reading, Traffic, Value
from linecontrol_modbus.decode import Decoder
from linecontrol_modbus.layout import Point
from linecontrol_modbus.plan import Block

UNANSWERED = 257
"""Status of a signal whose unit didn't answer in time; exception codes are below."""

NEVER_SHOWN: tuple[Value, int] = (None, -1)


class Answer(NamedTuple):
    """What the device said to the read of a block at ``at_ns``: ``data``, or why there is none."""

    block: Block
    data: bytes | None
    status: int
    at_ns: int


class Stranger(Exception):
    """A device is not the one that config means."""


class Show:
    """Present values of all tags of one life of a connection."""

    def __init__(self, points: Mapping[str, Point], traffic: Traffic, identity: Mapping[str, Value]) -> None:
        """``traffic.refused`` is kept; ``identity``: points that are no signals, and what they always show."""
        self._points = points
        self._identity = identity
        self._traffic = traffic
        self._decoders: dict[Block, Decoder] = {}
        self._data: dict[Block, bytes | None] = {}
        self._shown: dict[str, tuple[Value, int]] = {}
        self._sequence = 0

    def changes(self, answer: Answer) -> list[Reading]:
        """Readings of what is new in an answer to a cyclic read.

        Raises:
            Stranger: it is from another device.
        """
        block, data, status, at_ns = answer
        if data is not None and self._data.get(block) == data:
            return []
        self._data[block] = data
        values = self._values(block, data)
        self.identify(answer, values)
        shown = self._shown
        batch = []
        for span, value in zip(block.spans, values, strict=True):
            signal = span.signal
            was = shown.get(signal, NEVER_SHOWN)
            if was != (value, status) and signal not in self._identity:
                shown[signal] = (value, status)
                self._count_refused(was[1], status)
                batch.append(self._reading(signal, value, status, at_ns))
        return batch

    def identify(self, answer: Answer, values: Sequence[Value] | None = None) -> None:
        """Look whether the device is the right one, as far as the answer tells.

        Raises:
            Stranger: it isn't.
        """
        if answer.data is None or not self._identity:
            return
        found = self._decoder(answer.block)(answer.data) if values is None else values
        for span, value in zip(answer.block.spans, found, strict=True):
            if span.signal in self._identity and value != (expected := self._identity[span.signal]):
                place = f"unit {span.unit} {span.table.value} {span.address}"
                msg = f"{place} shows {value!r}, not {expected!r}: another device is there; check address and unit"
                raise Stranger(msg)

    def readings(self, answer: Answer) -> dict[str, Reading]:
        """Readings of all that is in an answer to a read on demand."""
        block, data, status, at_ns = answer
        values: Sequence[Value] = [None] * len(block.spans) if data is None else self._decoder(block)(data)
        return {
            span.signal: self._reading(span.signal, value, status, at_ns)
            for span, value in zip(block.spans, values, strict=True)
        }

    def _values(self, block: Block, data: bytes | None) -> Sequence[Value]:
        if data is None:
            return [None] * len(block.spans)
        if (decoder := self._decoders.get(block)) is None:
            decoder = self._decoders[block] = self._decoder(block)
        return decoder(data)

    def _decoder(self, block: Block) -> Decoder:
        return Decoder(block, [self._points[span.signal].codec for span in block.spans])

    def _reading(self, signal: str, value: Value, status: int, at_ns: int) -> Reading:
        self._sequence += 1
        quality = Quality.BAD if value is None else Quality.GOOD
        return Reading(signal, value, quality, at_ns, at_ns, status, self._sequence)

    def _count_refused(self, was: int, status: int) -> None:
        self._traffic.refused += (0 < status < UNANSWERED) - (0 < was < UNANSWERED)
