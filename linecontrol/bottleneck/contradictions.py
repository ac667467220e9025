"""Rows that contradict each other: what can't have happened on a line as it is said to be."""

from collections.abc import Callable, Container, Sequence
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise
from math import inf

from linecontrol.bottleneck.complaint import NOTE, WARNING, Complaint, Row
from linecontrol.bottleneck.missing import COMPLETE
from linecontrol.flowline import Layout

_ODD = 0.05
_FEW = 3
"""Overlaps in fewer rows, or in a smaller part of them, are errors; more of them are twins."""

Text = Callable[[float], str]


class Checker:
    """Goes through the rows of one table. Rows that stay are in ``rows``, station by station in order of starts.

    A unit may overtake others, skip stations or come back; it can't be at two places at once.
    """

    def __init__(
        self,
        rows: list[list[Row]],
        stations: Sequence[str],
        units: Sequence[str],
        *,
        resolution: float,
        text: Text,
        refused: Container[str],
    ) -> None:
        """``text`` writes a duration for people. ``refused`` units have lost rows already, so they miss some."""
        self.rows = rows
        self.complaints: list[Complaint] = []
        self._stations = stations
        self._units = units
        self._eps = resolution
        self._text = text
        self._refused = refused
        self._gone: set[tuple[int, int]] = set()
        for each in rows:
            each.sort(key=Row.order)

    def duplicates(self) -> None:
        """Rows that say the same as another one."""
        for station, rows in enumerate(self.rows):
            first: dict[tuple[float, int], Row] = {}
            kept: list[Row] = []
            for row in rows:
                other = first.setdefault((row.start, row.unit), row)
                if other is row or (other.complete, other.departure) != (row.complete, row.departure):
                    kept.append(row)
                else:
                    self._leave_out(row, "duplicate", f"says the same as line {other.line}")
            self.rows[station] = kept

    def unfinished(self) -> None:
        """Cycles without an end although their unit went on: they ended before that."""
        starts: dict[int, list[Row]] = {}
        for row in sorted(chain(*self.rows), key=Row.order):
            starts.setdefault(row.unit, []).append(row)
        for its in starts.values():
            for row, later in pairwise(its):
                if row.complete is None and later.start > row.start + self._eps and later.station != row.station:
                    row.complete, row.missing = later.start, COMPLETE

    def servers(self, station: int) -> int:
        """How many equal workplaces the station must have for its overlaps to be few."""
        rows = self.rows[station]
        for servers in range(1, len(rows) + 1):
            odd = _overlaps(rows, servers, self._eps)
            if odd < _FEW or odd < _ODD * len(rows):
                return servers
        return 1

    def together(self, station: int, servers: int) -> None:
        """More units at a station than it has workplaces; a departure that is later than the next start.

        Of rows that can't all be true the one that ends last is left out: that loses the fewest.
        """
        there: list[tuple[float, int, Row]] = []
        gone: set[int] = set()
        for row in self.rows[station]:
            while there and there[0][0] <= row.start + self._eps:
                heappop(there)
            if len(there) >= servers and (done := _done(there, row.start + self._eps)):
                self._early(done[2], row.start, f"the next unit starts there in line {row.line}")
                there.remove(done)
                heapify(there)
            heappush(there, (_end(row), row.line, row))
            if len(there) > servers:
                last = max(there)
                there.remove(last)
                heapify(there)
                gone.add(last[2].line)
                self._crowded(last[2], row if last[2] is not row else there[0][2], servers)
        self.rows[station] = [row for row in self.rows[station] if row.line not in gone]

    def _crowded(self, row: Row, other: Row, servers: int) -> None:
        here = self._stations[row.station]
        if row.complete is None:
            self._leave_out(row, "unfinished", f"has no completion, but line {other.line} starts there")
            return
        if row.start >= other.start:
            text = f"{self._unit(row)} starts at {here} while {self._unit(other)} of line {other.line} is there"
        else:
            text = f"{self._unit(row)} is at {here} while {self._unit(other)} of line {other.line} starts there"
        advice = f"if several units can be there at once, say --servers {here}={servers + 1}"
        self._leave_out(row, "together", f"{text}; {advice}")

    def flow(self, layout: Layout) -> None:
        """Units at two places at once, in the wrong order, gone too early, or never seen at a station."""
        by_unit: list[dict[int, Row]] = [{} for _ in self.rows]
        for station, rows in enumerate(self.rows):
            kept: list[Row] = []
            for row in rows:
                if row.unit in by_unit[station]:
                    first = by_unit[station][row.unit].line
                    text = f"{self._unit(row)} was at {self._stations[station]} before, in line {first}: rework"
                    self.complaints.append(Complaint(row.line, text, "order", NOTE))
                elif not self._follows(row, [by_unit[upstream].get(row.unit) for upstream in layout.before(station)]):
                    continue
                else:
                    by_unit[station][row.unit] = row
                kept.append(row)
            self.rows[station] = kept
        for station in range(layout.stations):
            for upstream in layout.before(station):
                self._skipped(layout, by_unit, station, upstream)

    def _follows(self, row: Row, before: list[Row | None]) -> bool:
        """Whether the row can be true if those at the stations before are."""
        for prior in before:
            if prior is None or (prior.complete is not None and prior.complete <= row.start + self._eps):
                if prior is not None and prior.departure is not None and prior.departure > row.start + self._eps:
                    self._early(prior, row.start, f"it starts at {self._stations[row.station]} in line {row.line}")
                continue
            here, there = self._stations[row.station], self._stations[prior.station]
            if row.start < prior.start - self._eps and _end(row) <= prior.start + self._eps:
                text = f"{self._unit(row)} was at {here} before {there} (line {prior.line}), against the line's order"
                self.complaints.append(Complaint(row.line, text, "order", WARNING))
                continue
            text = f"{self._unit(row)} starts at {here} while it is at {there} in line {prior.line}"
            advice = f"if {there} and {here} build the unit's parts side by side, say --feeder"
            self._leave_out(row, "two_places", f"{text}; {advice}")
            return False
        return True

    def _skipped(self, layout: Layout, by_unit: list[dict[int, Row]], station: int, upstream: int) -> None:
        """Units that were at one of two neighbours and not at the other, and were not there before or after the log."""
        here, there = by_unit[station], by_unit[upstream]
        both = [there[unit].start for unit in here if unit in there]
        first_here = min((here[unit].start for unit in here if unit in there), default=inf)
        last_there = max(both, default=-inf)
        for unit, row in here.items():
            if unit not in there and row.start > first_here and not self._lost(upstream, unit):
                earlier = f"no row at {self._stations[upstream]}, from where it should come"
                self.complaints.append(Complaint(row.line, f"{self._unit(row)} has {earlier}", "skipped", WARNING))
        for unit, row in there.items():
            if unit not in here and row.start < last_there and not self._lost(station, unit):
                if row.complete is None or layout.following[upstream] != station:
                    continue
                later = f"no row at {self._stations[station]}, where later units went on"
                self.complaints.append(Complaint(row.line, f"{self._unit(row)} has {later}", "skipped", WARNING))

    def _lost(self, station: int, unit: int) -> bool:
        return (station, unit) in self._gone or self._units[unit] in self._refused

    def _early(self, row: Row, start: float, why: str) -> None:
        late = self._text((row.departure or start) - start)
        text = f"{self._unit(row)} departs {late} after {why}: departure taken as that start"
        self.complaints.append(Complaint(row.line, text, "early", WARNING))
        row.departure = start

    def _leave_out(self, row: Row, kind: str, text: str) -> None:
        self._gone.add((row.station, row.unit))
        self.complaints.append(Complaint(row.line, text, kind))

    def _unit(self, row: Row) -> str:
        return f"unit {self._units[row.unit]}"


def _end(row: Row) -> float:
    if row.complete is None:
        return inf
    return row.complete if row.departure is None else row.departure


def _done(there: list[tuple[float, int, Row]], at: float) -> tuple[float, int, Row] | None:
    """A unit whose work is done by then."""
    return next((each for each in there if each[2].complete is not None and each[2].complete <= at), None)


def _overlaps(rows: list[Row], servers: int, eps: float) -> int:
    """How many rows must go so that never more than so many are worked on at once."""
    there: list[float] = []
    odd = 0
    for row in rows:
        if row.complete is None or row.missing:
            continue
        while there and there[0] <= row.start + eps:
            heappop(there)
        heappush(there, row.complete)
        if len(there) > servers:
            odd += 1
            there.remove(max(there))
            heapify(there)
    return odd
