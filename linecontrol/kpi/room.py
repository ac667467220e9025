"""The room of figures: tells each line's part what concerns it."""

from collections.abc import Mapping, Sequence

import msgspec

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.errors import SnapshotError
from linecontrol.kpi.line import LineFigures, LineMemory
from linecontrol.model import AnyEvent, CycleCompleted, StateChanged, StateHeld, UnitCompleted
from linecontrol.snapshot import recalled


class KpiRoom:
    """ISO 22400-2 figures per station and line, per shift and day, as :class:`ShiftKpi` events.

    Said when a period ends, every 15 minutes of a running shift (``end_ns`` is then the moment of the update), and
    again, at the next tick, when late events changed a period that ended less than 24 hours ago.
    """

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` holds each line's working time."""
        self._lines = {name: LineFigures(name, line, calendars[name]) for name, line in config.lines.items()}

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """Take up what a station or line did; says nothing by itself."""
        if isinstance(event, StateChanged):
            self._lines[event.line].changed(event)
        elif isinstance(event, StateHeld):
            self._lines[event.line].held(event)
        elif isinstance(event, CycleCompleted):
            self._lines[event.line].cycle(event)
        elif isinstance(event, UnitCompleted):
            self._lines[event.line].unit(event)
        return ()

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """The figures of what ended by ``at_ns``, each stamped with the moment at which it ended."""
        return [said for line in self._lines.values() for said in line.tick(at_ns)]

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode({name: line.memory for name, line in self._lines.items()})

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned, with the same config.

        Raises:
            SnapshotError: it doesn't fit.
        """
        lines: dict[str, LineMemory] = recalled(memory, dict[str, LineMemory], "the memory of the figures")
        fits = {name: list(line.memory.pieces) for name, line in self._lines.items()}
        if {name: list(line.pieces) for name, line in lines.items()} != fits:
            msg = "the memory of the figures is of other lines or stations"
            raise SnapshotError(msg)
        for name, line in lines.items():
            self._lines[name].remember(line)
