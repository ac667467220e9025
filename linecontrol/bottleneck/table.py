"""A table of what units did at stations, as exports have it, to a ``LineLog``; what is wrong in it by line.

One row is one unit's stay at one station. ``docs/how-to/judge-your-own-history.md`` describes the columns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from itertools import chain, islice

from msgspec import Struct, field
from msgspec.structs import replace

from linecontrol.bottleneck.cells import Clock, usual_kind
from linecontrol.bottleneck.columns import STOPS, WAITS, Columns, find_columns, nearest
from linecontrol.bottleneck.complaint import NOTE, WARNING, Complaint, Row, span_text
from linecontrol.bottleneck.contradictions import Checker
from linecontrol.bottleneck.flow import find_orders, main_order, make_layout, measure_waits, strangers
from linecontrol.bottleneck.lines import Cells, split_lines
from linecontrol.calendar import WorkCalendar
from linecontrol.errors import LogUnusable
from linecontrol.flowline import LineLog

_SAMPLE = 1000
_FINE = 50
"""A grain of times is taken as their resolution if the median cycle has so many grains or more."""
_NOTHING: dict[str, float] = {}


class Line(Struct, frozen=True):
    """What is known of the line that a table comes from; all of it may be left out.

    ``stations`` in the order of the flow, ``feeders`` as chains of stations of which the last one is where they join,
    ``servers`` how many equal workplaces a station has. ``zone`` is that of dates without one. Only what ``calendar``
    says is working time counts. ``resolution`` of times: seconds with dates, otherwise in the unit of the numbers.
    """

    stations: Sequence[str] = ()
    feeders: Sequence[Sequence[str]] = ()
    servers: Mapping[str, int] = {}
    limit: int | None = None
    paced: bool = False
    resolution: float | None = None
    zone: tzinfo | None = None
    calendar: WorkCalendar | None = None


class Table(Struct):
    """What was read. ``rows`` counts those with something in them, left out or not; ``notes`` tell what was found."""

    log: LineLog
    complaints: list[Complaint]
    notes: list[str]
    clock: Clock
    rows: int

    @property
    def span(self) -> tuple[str, str]:
        """The first and the last time that was read, as people write them."""
        if not self.clock.dates:
            return self.clock.text(self.log.begin), self.clock.text(self.log.end)
        return self.clock.text(self.clock.first), self.clock.text(self.clock.last)


def read_table(lines: Iterable[str], line: Line | None = None) -> Table:
    """Read a table, line by line; a row that can't be true is left out, with a complaint.

    The layout has no places between stations yet: a table doesn't tell them.

    Raises:
        LogUnusable: a column that is needed is missing, no row is left, or the order of stations can't be found.
    """
    return _Reader(line or Line()).read(lines)


class _Reader(Struct):
    line: Line
    complaints: list[Complaint] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stations: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    products: list[str | None] = field(default_factory=list)
    product_lines: list[int] = field(default_factory=list)
    planned: dict[tuple[int, str], dict[float, list[int]]] = field(default_factory=dict)
    passages: list[list[Row]] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)

    def read(self, lines: Iterable[str]) -> Table:
        rows, comma = split_lines(lines, self.complaints)
        header_line, header = next(rows, (0, []))
        if not header:
            raise LogUnusable("the table is empty: its first line must name the columns")
        columns = find_columns(header)
        if columns.missing:
            found = ", ".join(repr(cell.strip()) for cell in header[:20])
            need = " and ".join(repr(name) for name in columns.missing)
            raise LogUnusable(f"line {header_line}: no column {need}; the columns are {found}")
        self.complaints += [Complaint(header_line, text, "column", NOTE) for text in columns.remarks]
        clock, rows = self._clock(rows, columns, comma)
        count = 0
        for number, cells in rows:
            count += 1
            self._row(number, cells, columns.at, clock)
        if not self.stations:
            self._nothing_left(count)
        log = self._log(clock)
        self.complaints.sort()
        return Table(log, self.complaints, self.notes, clock, count)

    def _clock(self, rows: Iterator[Cells], columns: Columns, comma: bool) -> tuple[Clock, Iterator[Cells]]:
        """How times are written, from the first rows; all rows."""
        sample = list(islice(rows, _SAMPLE))
        places = columns.at["start"], columns.at["complete"]
        cells = (cells[at].strip() for _, cells in sample for at in places if at < len(cells))
        kind = usual_kind(cells, comma)
        if kind is None:
            raise LogUnusable(
                "no time can be read in the columns 'start' and 'complete'; write times as 2026-03-02 08:15:00 or as "
                "numbers such as 12.5"
            )
        clock = Clock(kind, comma=comma, zone=self.line.zone, calendar=self.line.calendar)
        return clock, chain(sample, rows)

    # --- one row ----------------------------------------------------------------------------------------------

    def _row(self, number: int, cells: list[str], at: dict[str, int], clock: Clock) -> None:
        say = self._say
        if len(cells) <= max(at[name] for name in ("unit", "station", "start")):
            say(number, f"only {len(cells)} cells", "cells")
            return
        unit, station = cells[at["unit"]].strip(), cells[at["station"]].strip()
        texts = [_cell(cells, at, name) for name in ("start", "complete", "departure")]
        for name, text in (("unit", unit), ("station", station), ("start", texts[0])):
            if not text:
                say(number, f"{name} is empty", "empty")
                return
        times: list[float | None] = []
        for name, text in zip(("start", "complete", "departure"), texts, strict=True):
            try:
                times.append(clock.read(text) if text else None)
            except ValueError as error:
                say(number, f"{name}: {error}", "unreadable")
                return
        start, complete, departure = times
        if start is None or (complete is None and departure is not None):
            say(number, "complete is empty, but there is a departure", "empty")
            return
        for name, earlier, later in (("complete", start, complete), ("departure", complete, departure)):
            if earlier is not None and later is not None and later < earlier:
                before = "start" if name == "complete" else "complete"
                text = f"{name} {clock.text(later)} is before {before} {clock.text(earlier)}"
                say(number, text, "backwards")
                return
        if self.line.stations and station not in self._known():
            known = ", ".join(self.line.stations)
            say(number, f"station {station!r} is not in the given order {known}", "station")
            return
        row = self._passage(number, unit, station, (start, complete, departure), clock)
        self._product(row, _cell(cells, at, "product"))
        self._planned(row, _cell(cells, at, "planned"), clock)
        if at.keys() & _STATES:
            self._states(row, cells, at, clock)
        if cause := _cell(cells, at, "waited_for"):
            row.before = {cause: 0.0}

    def _known(self) -> set[str]:
        return {*self.line.stations, *(name for feeder in self.line.feeders for name in feeder)}

    def _passage(
        self,
        number: int,
        unit: str,
        station: str,
        times: tuple[float, float | None, float | None],
        clock: Clock,
    ) -> Row:
        u = self.units.setdefault(unit, len(self.units))
        if u == len(self.products):
            self.products.append(None)
            self.product_lines.append(number)
        s = self.stations.setdefault(station, len(self.stations))
        if s == len(self.passages):
            self.passages.append([])
        start, complete, departure = (None if time is None else clock.working(time) for time in times)
        row = Row(u, s, start or 0.0, complete, departure, _NOTHING, _NOTHING, _NOTHING, number)
        if self.line.calendar is not None and start == complete and times[0] != times[1]:
            text = "the whole cycle lies outside of working time: it counts as 0"
            self.complaints.append(Complaint(number, text, "off_shift", WARNING))
        self.passages[s].append(row)
        return row

    def _product(self, row: Row, product: str) -> None:
        if not product:
            return
        known = self.products[row.unit]
        if known is None:
            self.products[row.unit], self.product_lines[row.unit] = product, row.line
        elif known != product:
            text = f"product {product!r}, but {known!r} for the same unit in line {self.product_lines[row.unit]}"
            self.complaints.append(Complaint(row.line, f"{text}: the first one counts", "product", WARNING))

    def _planned(self, row: Row, text: str, clock: Clock) -> None:
        if not text:
            return
        planned = self._duration(row, "planned", text, clock)
        if planned == 0:
            self.complaints.append(Complaint(row.line, "planned is 0: left out", "planned", WARNING))
        elif planned is not None:
            key = row.station, self.products[row.unit] or ""
            self.planned.setdefault(key, {}).setdefault(planned, [row.line, 0])[1] += 1

    def _states(self, row: Row, cells: list[str], at: dict[str, int], clock: Clock) -> None:
        found: dict[str, float] = {}
        for name in _STATES:
            if (text := _cell(cells, at, name)) and (value := self._duration(row, name, text, clock)):
                found[name] = value
        blocked = found.pop("blocked", 0.0)
        if row.complete is not None:
            if row.departure is None and blocked:
                row.departure = row.complete + blocked
            if sum(found.values()) > (row.complete - row.start) * 1.001 + clock.grain:
                text = " and ".join(found)
                message = f"{text} together are longer than from start to complete: left out"
                self.complaints.append(Complaint(row.line, message, "states", WARNING))
                return
        if stops := {name: found[name] for name in STOPS if name in found}:
            row.stops = stops
        if waits := {name: found[name] for name in WAITS if name in found}:
            row.waits = waits

    def _duration(self, row: Row, name: str, text: str, clock: Clock) -> float | None:
        value = self.durations.get(text)
        if value is None:
            try:
                value = clock.duration(text)
            except ValueError as error:
                self.complaints.append(Complaint(row.line, f"{name}: {error}: left out", "unreadable", WARNING))
                return None
            if len(self.durations) < _SAMPLE:
                self.durations[text] = value
        return value

    def _say(self, line: int, text: str, kind: str) -> None:
        self.complaints.append(Complaint(line, text, kind))

    def _nothing_left(self, count: int) -> None:
        first = "".join(f"; line {each.line}: {each.text}" for each in sorted(self.complaints)[:3])
        raise LogUnusable(f"none of {count} rows can be used{first}")

    # --- all rows ---------------------------------------------------------------------------------------------

    def _log(self, clock: Clock) -> LineLog:
        line, names = self.line, list(self.stations)
        self._known_stations(names)
        main = self._main(names)
        layout, order = make_layout(main, line.feeders, limit=line.limit, paced=line.paced)
        rows = [self.passages[self.stations[name]] for name in order]
        for place, each in enumerate(rows):
            for row in each:
                row.station = place
        resolution = self._resolution(clock)
        text = partial(span_text, dates=clock.dates)
        checker = Checker(rows, order, list(self.units), resolution=resolution, text=text)
        checker.duplicates()
        checker.unfinished()
        servers = self._servers(checker, order)
        layout = replace(layout, servers=tuple(servers))
        for station in range(layout.stations):
            checker.together(station, servers[station])
        checker.flow(layout)
        self.complaints += checker.complaints
        measure_waits(rows, layout)
        begin = min(row.start for each in rows for row in each)
        end = max(_latest(row) for each in rows for row in each)
        planned = self._planned_times(names, order)
        products = [product or "" for product in self.products] if any(planned) else self.products
        return LineLog(layout, order, list(self.units), products, rows, planned, begin, end, resolution)  # type: ignore[arg-type]  # rows are passages

    def _resolution(self, clock: Clock) -> float:
        if self.line.resolution is not None:
            return self.line.resolution
        rows = [row for each in self.passages for row in each]
        tiny = max(1e-9, 1e-12 * max(abs(_latest(row)) for row in rows))
        cycles = sorted(row.complete - row.start for row in rows if row.complete is not None)
        if cycles and 0 < clock.grain * _FINE <= cycles[len(cycles) // 2] and clock.grain > tiny:
            self.notes.append(
                f"times are told to the {span_text(clock.grain, dates=True)}: what differs less is one time"
            )
            return clock.grain
        return tiny

    def _servers(self, checker: Checker, order: list[str]) -> list[int]:
        servers = []
        for station, name in enumerate(order):
            told = self.line.servers.get(name)
            servers.append(told or checker.servers(station))
            if told is None and servers[-1] > 1:
                self.notes.append(
                    f"{name} often has {servers[-1]} units at once: taken as {servers[-1]} equal workplaces "
                    f"(to have the overlaps listed instead, say --servers {name}=1)"
                )
        return servers

    def _known_stations(self, names: list[str]) -> None:
        line = self.line
        for name in (*line.stations, *(name for feeder in line.feeders for name in feeder), *line.servers):
            if name not in self.stations:
                raise LogUnusable(
                    f"no row for station {name!r}{nearest(name, names)}; the table has {', '.join(names)}"
                )

    def _main(self, names: list[str]) -> list[str]:
        """The stations that are not in a feeder, in the order of the flow."""
        fed = {name for feeder in self.line.feeders for name in feeder[:-1]}
        if self.line.stations:
            return [name for name in self.line.stations if name not in fed]
        orders = find_orders(self.passages, len(self.units))
        order = main_order(orders, names, [station for station, name in enumerate(names) if name not in fed])
        main = [names[station] for station in order]
        if len(main) > 1:
            self.notes.append(f"the order of the stations was found from the flow: {', '.join(main)}")
        for a, b in strangers(orders, order):
            text = (
                f"no unit passes both {names[a]} and {names[b]}: if they do the same work, give them one name and "
                f"say --servers; if one follows the other, say --stations"
            )
            self.complaints.append(Complaint(min(row.line for row in self.passages[b]), text, "alone", WARNING))
        return main

    def _planned_times(self, names: list[str], order: list[str]) -> list[dict[str, float]]:
        times: list[dict[str, float]] = [{} for _ in order]
        for (station, product), found in self.planned.items():
            times[order.index(names[station])][product] = sum(
                planned * count for planned, (_, count) in found.items()
            ) / sum(count for _, count in found.values())
            if len(found) > 1:
                (low, (first, _)), *_, (high, (last, _)) = sorted(found.items())
                which = f" of {product}" if product else ""
                text = (
                    f"planned{which} at {names[station]} is {high:g} here and {low:g} in line {first}: the mean counts"
                )
                self.complaints.append(Complaint(last, text, "planned", NOTE))
        return times


_STATES = ("down", "setup", "blocked", "starved", "idle", "unobserved")


def _cell(cells: list[str], at: dict[str, int], name: str) -> str:
    place = at.get(name)
    return "" if place is None or place >= len(cells) else cells[place].strip()


def _latest(row: Row) -> float:
    return row.departure if row.departure is not None else row.complete if row.complete is not None else row.start
