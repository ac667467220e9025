"""Which blocks to read so that a round takes the fewest requests. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

from typing_extensions import override

from linecontrol_modbus.pdu import read_request
from linecontrol_modbus.tag import Table

BITS_PER_REGISTER = 16


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Places of one tag: never read in two parts, for the halves could be of different moments."""

    unit: int
    table: Table
    address: int
    count: int
    signal: str

    @property
    def end(self) -> int:
        """First place that is no longer its own."""
        return self.address + self.count


@dataclass(frozen=True, eq=False)
class Block:
    """Places of one table that are read by one request: all of ``spans``, which are in order."""

    spans: tuple[Span, ...]
    unit: int
    table: Table
    address: int
    count: int

    @classmethod
    def of(cls, spans: Sequence[Span]) -> "Block":
        """The smallest block that holds ``spans`` (of one unit and table, in order)."""
        first = spans[0]
        count = max(span.end for span in spans) - first.address
        return cls(tuple(spans), first.unit, first.table, first.address, count)

    @cached_property
    def request(self) -> bytes:
        """PDU that reads it."""
        return read_request(self.table, self.address, self.count)

    @override
    def __str__(self) -> str:
        last = f"..{self.address + self.count - 1}" if self.count > 1 else ""
        return f"unit {self.unit} {self.table.value} {self.address}{last}"


def plan(spans: Iterable[Span], gap: int, max_registers: int, max_bits: int) -> list[Block]:
    """The fewest blocks that hold each span once, as long as spans don't overlap.

    ``gap`` is how many registers (or 16 times as many bits) that belong to no span are read along. No span may be
    larger than the most that the device gives in one answer.
    """
    blocks = []
    for (_, table), group in groupby(sorted(spans), key=lambda span: (span.unit, span.table)):
        most, hole = (max_bits, gap * BITS_PER_REGISTER) if table.of_bits else (max_registers, gap)
        run: list[Span] = []
        end = 0
        for span in group:
            if run and (span.address - end > hole or max(end, span.end) - run[0].address > most):
                blocks.append(Block.of(run))
                run = []
            end = max(end, span.end) if run else span.end
            run.append(span)
        blocks.append(Block.of(run))
    return blocks


def split(block: Block) -> tuple[Block, Block] | None:
    """Two parts of a block that the device won't give whole: apart at the widest hole, or else in the middle.

    ``None`` if all of its spans begin at one place.
    """
    spans = block.spans
    holes = {}
    end = spans[0].end
    for index, (before, after) in enumerate(pairwise(spans), start=1):
        if after.address > before.address:
            holes[index] = max(after.address - end, 0)
        end = max(end, after.end)
    if not holes:
        return None
    at = min(holes, key=lambda index: (-holes[index], abs(2 * index - len(spans)), index))
    return Block.of(spans[:at]), Block.of(spans[at:])
