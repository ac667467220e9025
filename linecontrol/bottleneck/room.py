"""The room of the bottleneck: it records who was where, from when to when.

It says nothing of its own. The verdict over the record takes longer than a turn of the engine may, and is made beside
it (see ``assessment``).
"""

from collections.abc import Mapping, Sequence

import msgspec

from linecontrol.bottleneck.extract import LineRecords
from linecontrol.bottleneck.memory import RecordMemory
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.errors import SnapshotError
from linecontrol.flowline import LineLog
from linecontrol.model import AnyEvent, CycleCompleted, CycleEnded, CycleStarted, KitStockChanged, StateChanged
from linecontrol.snapshot import recalled


class BottleneckRoom:
    """Keeps a record of each line: the last 800 units that left it, and those that are in it."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` holds each line's working time."""
        self._config = config
        self._records = {name: LineRecords(config, name, calendars[name]) for name in config.lines}
        self._lines = {name: its.record() for name, its in self._records.items()}

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """Take up what happened at a station, and which kits are there."""
        if isinstance(event, CycleStarted | CycleEnded | CycleCompleted | StateChanged):
            self._lines[event.line].see(event)
        elif isinstance(event, KitStockChanged):
            for record in self._lines.values():
                record.see(event)
        return ()

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """Time alone changes nothing here."""
        return ()

    def copy(self) -> dict[str, RecordMemory]:
        """All records, untouched by what happens later."""
        return {name: record.memory.copy() for name, record in self._lines.items()}

    def log(self, line: str, at_ns: int) -> LineLog:
        """The record of a line as it stands at ``at_ns``."""
        return self._records[line].log(self._lines[line].memory.copy(), at_ns)

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode({name: record.memory for name, record in self._lines.items()})

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned, with the same stations.

        Raises:
            SnapshotError: it doesn't fit.
        """
        lines: dict[str, RecordMemory] = recalled(memory, dict[str, RecordMemory], "the memory of the bottleneck")
        fits = {name: list(line.stations) for name, line in self._config.lines.items()}
        if {name: line.names for name, line in lines.items()} != fits:
            msg = "the memory of the bottleneck is of other lines or stations"
            raise SnapshotError(msg)
        for name, record in self._lines.items():
            record.remember(lines[name])
