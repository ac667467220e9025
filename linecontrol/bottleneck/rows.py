"""One row after the other: what its cells say, and what in them can't be."""

from collections.abc import Collection
from itertools import pairwise
from typing import cast

from linecontrol.bottleneck.cells import Clock
from linecontrol.bottleneck.columns import STOPS, WAITS
from linecontrol.bottleneck.complaint import NOTE, WARNING, Complaint, Row
from linecontrol.bottleneck.missing import COMPLETE, START

_Times = tuple[float | None, float | None, float | None]
_TIMES = (START, COMPLETE, "departure")
_STATES = (*STOPS, *WAITS, "blocked")
_NOTHING: dict[str, float] = {}
_KEPT = 1000


class RowReader:
    """Collects passages by station, both numbered as they came, and what is known of units and plans.

    ``refused`` are units of which a row was left out.
    """

    def __init__(
        self, at: dict[str, int], width: int, clock: Clock, *, known: Collection[str], off_shift: bool
    ) -> None:
        """``at`` are the places of ``width`` columns. Only ``known`` stations count, if any are.

        ``off_shift``: there may be time outside of working time.
        """
        self.complaints: list[Complaint] = []
        self.stations: dict[str, int] = {}
        self.units: dict[str, int] = {}
        self.products: list[str | None] = []
        self.passages: list[list[Row]] = []
        self.count = 0
        self.refused: set[str] = set()
        self._clock = clock
        self._known = known
        self._off_shift = off_shift
        self._width = width
        self._needed = max(at[name] for name in ("unit", "station", "start"))
        places = [at.get(name, -1) for name in ("unit", "station", "start", "complete", "departure")]
        self._unit, self._station, self._start, self._complete, self._departure = places
        self._product_at, self._planned_at = at.get("product", -1), at.get("planned", -1)
        self._cause_at = at.get("waited_for", -1)
        self._states_at = [(name, at[name]) for name in _STATES if name in at]
        self._product_lines: list[int] = []
        self._planned: dict[tuple[int, str], dict[float, list[int]]] = {}
        self._durations: dict[str, float] = {}

    def add(self, line: int, cells: list[str]) -> None:
        """One row more, if it can be true."""
        self.count += 1
        if len(cells) <= self._needed:
            self._refuse(line, f"only {len(cells)} cells", "cells")
            return
        if any(map(str.strip, cells[self._width :])):
            text = f"{len(cells)} cells, but {self._width} columns; if numbers have decimal commas, separate cells by ;"
            self._refuse(line, text, "cells")
            return
        cells[self._width :] = [""]  # of columns that there aren't
        cells += [""] * (self._width + 1 - len(cells))
        unit, station = cells[self._unit].strip(), cells[self._station].strip()
        times = self._times(line, cells, unit, station)
        if times is None:
            self.refused.add(unit)
            return
        row = self._passage(line, unit, station, times)
        if product := cells[self._product_at].strip():
            self._product(row, product)
        if planned := cells[self._planned_at].strip():
            self._plan(row, planned)
        if self._states_at:
            self._states(row, cells)
        if cause := cells[self._cause_at].strip():
            row.before = {cause: 0.0}

    def planned_times(self, order: list[str]) -> list[dict[str, float]]:
        """Planned times by product, of the stations in ``order``; where they differ the mean."""
        times: list[dict[str, float]] = [{} for _ in order]
        names = list(self.stations)
        for (station, product), found in self._planned.items():
            rows = sum(count for _, count in found.values())
            mean = sum(planned * count for planned, (_, count) in found.items()) / rows
            if names[station] not in order:
                continue
            times[order.index(names[station])][product] = mean
            if len(found) > 1:
                (low, (first, _)), *_, (high, (last, _)) = sorted(found.items())
                which = f" of {product}" if product else ""
                text = f"planned{which} at {names[station]} is {high:g} here and {low:g} in line {first}"
                self.complaints.append(Complaint(last, f"{text}: the mean counts", "planned", NOTE))
        return times

    def _times(self, line: int, cells: list[str], unit: str, station: str) -> _Times | None:
        """Start, completion and departure; ``None`` if the row can't be true."""
        texts = (cells[self._start].strip(), cells[self._complete].strip(), cells[self._departure].strip())
        if not (unit and station and (texts[0] or texts[1])):
            name = "unit" if not unit else "station" if not station else "start"
            self._refuse(line, f"{name} is empty", "empty")
            return None
        name = "start"
        try:
            start = self._clock.read(texts[0]) if texts[0] else None
            name = "complete"
            complete = self._clock.read(texts[1]) if texts[1] else None
            name = "departure"
            departure = self._clock.read(texts[2]) if texts[2] else None
        except ValueError as error:
            self._refuse(line, f"{name}: {error}", "unreadable")
            return None
        known = [
            (name, time) for name, time in zip(_TIMES, (start, complete, departure), strict=True) if time is not None
        ]
        for (earlier, before), (later, time) in pairwise(known):
            if time < before:
                self._backwards(line, later, time, earlier, before)
                return None
        if self._known and station not in self._known:
            text = f"station {station!r} is not in the given order {', '.join(self._known)}"
            self._refuse(line, text, "station")
            return None
        return start, complete, departure

    def _passage(self, line: int, unit: str, station: str, times: _Times) -> Row:
        u = self.units.setdefault(unit, len(self.units))
        if u == len(self.products):
            self.products.append(None)
            self._product_lines.append(line)
        s = self.stations.setdefault(station, len(self.stations))
        if s == len(self.passages):
            self.passages.append([])
        start, complete, departure = (None if time is None else self._clock.working(time) for time in times)
        missing = START if start is None else COMPLETE if complete is None and departure is not None else ""
        complete = departure if complete is None else complete
        start = cast("float", complete if start is None else start)
        row = Row(u, s, start, complete, departure, _NOTHING, _NOTHING, _NOTHING, line, missing)
        if self._off_shift and not missing and start == complete and times[0] != times[1]:
            text = "the whole cycle lies outside of working time: it counts as 0"
            self.complaints.append(Complaint(line, text, "off_shift", WARNING))
        self.passages[s].append(row)
        return row

    def _product(self, row: Row, product: str) -> None:
        known = self.products[row.unit]
        if known is None:
            self.products[row.unit], self._product_lines[row.unit] = product, row.line
        elif known != product:
            text = f"product {product!r}, but {known!r} for the same unit in line {self._product_lines[row.unit]}"
            self.complaints.append(Complaint(row.line, f"{text}: the first one counts", "product", WARNING))

    def _plan(self, row: Row, text: str) -> None:
        planned = self._duration(row, "planned", text)
        if planned == 0:
            self.complaints.append(Complaint(row.line, "planned is 0: left out", "planned", WARNING))
        elif planned is not None:
            key = row.station, self.products[row.unit] or ""
            self._planned.setdefault(key, {}).setdefault(planned, [row.line, 0])[1] += 1

    def _states(self, row: Row, cells: list[str]) -> None:
        found: dict[str, float] = {}
        for name, place in self._states_at:
            if (text := cells[place].strip()) and (value := self._duration(row, name, text)):
                found[name] = value
        blocked = found.pop("blocked", 0.0)
        if row.complete is not None and not row.missing:
            if row.departure is None and blocked:
                row.departure = row.complete + blocked
            if sum(found.values()) > (row.complete - row.start) * 1.001 + self._clock.grain:
                message = f"{' and '.join(found)} take longer than from start to complete: left out"
                self.complaints.append(Complaint(row.line, message, "states", WARNING))
                return
        if stops := {name: found[name] for name in STOPS if name in found}:
            row.stops = stops
        if waits := {name: found[name] for name in WAITS if name in found}:
            row.waits = waits

    def _duration(self, row: Row, name: str, text: str) -> float | None:
        value = self._durations.get(text)
        if value is None:
            try:
                value = self._clock.duration(text)
            except ValueError as error:
                self.complaints.append(Complaint(row.line, f"{name}: {error}: left out", "unreadable", WARNING))
                return None
            if len(self._durations) < _KEPT:
                self._durations[text] = value
        return value

    def _backwards(self, line: int, name: str, time: float, before: str, earlier: float) -> None:
        text = f"{name} {self._clock.text(time)} is before {before} {self._clock.text(earlier)}"
        self._refuse(line, text, "backwards")

    def _refuse(self, line: int, text: str, kind: str) -> None:
        self.complaints.append(Complaint(line, text, kind))
