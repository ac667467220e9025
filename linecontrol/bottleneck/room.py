"""The room of the bottleneck: largest effective cycle time.

A station's effective cycle time is what it needs per unit by its own doing: work, own breakdowns and setup, but no
waiting for others (blocked, starved, idle) and nothing unobserved. The suspects are the stations whose mean may be
the largest. Limits: that station need not be the one whose improvement yields most units. On lines with small
buffers and nearly equal stations, neighbours that jam each other can matter more than the slowest; only the
critical path through the recorded cycles tells that. ``estimate`` and ``probability`` know nothing of lines, so
that another measure of a station can take the place of its effective cycle time.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct, field

from linecontrol.bottleneck.estimate import estimate
from linecontrol.bottleneck.probability import largest
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.errors import SnapshotError
from linecontrol.line.standards import Standards
from linecontrol.model import (
    AnyEvent,
    BottleneckUpdated,
    CycleCompleted,
    StationState,
    Suspect,
    Timing,
    UnitCompleted,
)

WINDOW = 60
"""Measured cycles per station that are kept."""
COVERAGE = 0.8
"""The suspects hold the true one with at least this probability (by this method)."""
_EVERY_CYCLES = 10
_NOT_OWN = (StationState.BLOCKED, StationState.STARVED, StationState.IDLE, StationState.UNOBSERVED)


class LineMemory(Struct):
    """Effective cycle times in working seconds by station, cycles since the last verdict, and that verdict."""

    cycles: dict[str, list[float]]
    since: int = 0
    said: list[Suspect] = field(default_factory=list)


class BottleneckRoom:
    """Names the suspects of each line when a unit is completed, or after ten cycles, if they changed."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` tell on which day which planned times hold."""
        self._config = config
        self._standards = {name: Standards(line, calendars[name]) for name, line in config.lines.items()}
        self._shares = {name: _mix(config, name) for name in config.lines}
        self._lines = {
            name: LineMemory({station: [] for station in line.stations}) for name, line in config.lines.items()
        }

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """Take up measured cycles; the verdict follows on a completed unit."""
        if isinstance(event, CycleCompleted):
            line = self._lines[event.line]
            if event.timing is Timing.MEASURED and event.active_s is not None:
                own_s = event.active_s - sum(event.lost_s.get(state, 0.0) for state in _NOT_OWN)
                if own_s > 0:
                    cycles = line.cycles[event.station]
                    cycles.append(own_s)
                    del cycles[:-WINDOW]
            line.since += 1
            return self._verdict(event.line, event.at_ns) if line.since >= _EVERY_CYCLES else ()
        if isinstance(event, UnitCompleted):
            return self._verdict(event.line, event.at_ns)
        return ()

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """Time alone changes nothing here."""
        return ()

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode(self._lines)

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned, with the same config.

        Raises:
            SnapshotError: it doesn't fit.
        """
        try:
            lines = msgspec.msgpack.decode(memory, type=dict[str, LineMemory])
        except msgspec.DecodeError as error:
            msg = f"the memory of the bottleneck can't be read: {error}"
            raise SnapshotError(msg) from error
        fits = {name: list(line.stations) for name, line in self._config.lines.items()}
        if {name: list(line.cycles) for name, line in lines.items()} != fits:
            msg = "the memory of the bottleneck is of other lines or stations"
            raise SnapshotError(msg)
        self._lines = lines

    def _verdict(self, name: str, at_ns: int) -> list[AnyEvent]:
        line = self._lines[name]
        line.since = 0
        judged = {
            station: its
            for station, cycles in line.cycles.items()
            if (its := estimate(cycles, self._planned_s(name, station, at_ns))) is not None
        }
        chances = largest(list(judged.values()))
        ranked = sorted(zip(judged, chances, strict=True), key=lambda each: -each[1])
        suspects: list[Suspect] = []
        covered = 0.0
        for station, chance in ranked:
            if covered >= COVERAGE:
                break
            suspects.append(Suspect(station, chance, judged[station].mean_s))
            covered += chance
        if not suspects or suspects == line.said:
            return []
        line.said = suspects
        units = min(len(line.cycles[suspect.station]) for suspect in suspects)
        return [BottleneckUpdated(at_ns=at_ns, line=name, suspects=suspects, units=units)]

    def _planned_s(self, line: str, station: str, at_ns: int) -> float | None:
        """Mean planned time of the planned mix at a station; ``None`` where none is planned."""
        total = weight = 0.0
        for product, share in self._shares[line].items():
            planned_ns = self._standards[line].planned_ns(station, product, at_ns)
            if planned_ns is not None and planned_ns > 0:
                total += share * planned_ns / 1e9
                weight += share
        return total / weight if weight else None


def _mix(config: Config, line: str) -> dict[str, float]:
    """Weight of each product on a line: its share of its family, families by their target (1 unit without one)."""
    weights: dict[str, float] = {}
    for family in config.lines[line].families:
        products = {name: product.share for name, product in config.products.items() if product.family == family}
        targets = [each.units for each in config.targets.values() if (each.line, each.family) == (line, family)]
        for name, share in products.items():
            weights[name] = share / sum(products.values()) * (max(targets) if targets else 1)
    return weights
