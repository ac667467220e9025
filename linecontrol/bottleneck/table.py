"""A table of what units did at stations, as exports have it, to a ``LineLog``; what is wrong in it by line.

One row is one unit's stay at one station. ``docs/how-to/judge-your-own-history.md`` describes the columns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from itertools import chain, islice

from msgspec import Struct
from msgspec.structs import replace

from linecontrol.bottleneck.cells import ZONED, Clock, usual_kind
from linecontrol.bottleneck.columns import Columns, find_columns, nearest
from linecontrol.bottleneck.complaint import NOTE, WARNING, Complaint, Row, span_text
from linecontrol.bottleneck.contradictions import Checker
from linecontrol.bottleneck.flow import find_orders, main_order, make_layout, measure_waits, strangers
from linecontrol.bottleneck.lines import Cells, split_lines
from linecontrol.bottleneck.missing import fill
from linecontrol.bottleneck.rows import RowReader
from linecontrol.calendar import WorkCalendar
from linecontrol.errors import LogUnusable
from linecontrol.flowline import LineLog, Passage

_SAMPLE = 1000
_SELDOM = 0.05
"""A station with a smaller part of the rows that the others have is none."""
_FEW = 20
_FAR = 2.0
"""Times are far from the others if they are so many times as long away as most of those are apart."""
_FINE = 50
"""A grain of times is taken as their resolution if the median cycle has so many grains or more."""
_NOTHING: dict[str, float] = {}


class Line(Struct, frozen=True):
    """What is known of the line that a table comes from; all of it may be left out.

    ``stations`` in the order of the flow, ``feeders`` as chains of stations of which the last one is where they join,
    ``servers`` how many equal workplaces a station has. ``zone`` is that of dates without one; if it isn't known they
    are as local as the ``calendar``. Only what that says is working time counts. ``resolution`` of times: seconds with
    dates, otherwise in the unit of the numbers.
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
    line = line or Line()
    complaints: list[Complaint] = []
    rows, comma = split_lines(lines, complaints)
    header_line, header = next(rows, (0, []))
    if not header:
        raise LogUnusable("the table is empty: its first line must name the columns")
    columns = find_columns(header)
    if columns.missing:
        found = ", ".join(repr(cell.strip()) for cell in header[:20])
        need = " and ".join(repr(name) for name in columns.missing)
        raise LogUnusable(f"line {header_line}: no column {need}; the columns are {found}")
    complaints += [Complaint(header_line, text, "column", NOTE) for text in columns.remarks]
    clock, rows = _clock(rows, columns, comma, line)
    known = dict.fromkeys((*line.stations, *(name for chain in line.feeders for name in chain)))
    reader = RowReader(
        columns.at, len(header), clock, known=known if line.stations else (), off_shift=line.calendar is not None
    )
    for number, cells in rows:
        reader.add(number, cells)
    complaints += reader.complaints
    reader.complaints = complaints
    if not reader.passages:
        first = "".join(f"; line {each.line}: {each.text}" for each in sorted(complaints)[:3])
        raise LogUnusable(f"none of {reader.count} rows can be used{first}")
    whole = _Whole(line, reader, clock)
    log = whole.log()
    return Table(log, sorted(complaints), whole.notes, clock, reader.count)


def _clock(rows: Iterator[Cells], columns: Columns, comma: bool, line: Line) -> tuple[Clock, Iterator[Cells]]:
    """How times are written, from the first rows; all rows."""
    sample = list(islice(rows, _SAMPLE))
    places = columns.at["start"], columns.at["complete"]
    cells = (cells[at].strip() for _, cells in sample for at in places if at < len(cells))
    kind = usual_kind(cells, comma)
    if kind is None:
        if not sample:
            raise LogUnusable("the table has a line that names the columns, and no rows")
        number, first = next(
            ((n, cells[at]) for n, cells in sample for at in places if cells[at : at + 1] > [""]), (0, "")
        )
        shown = f", such as {first.strip()!r} in line {number}" if number else ""
        raise LogUnusable(
            f"no time can be read in the columns 'start' and 'complete'{shown}; write times as 2026-03-02 08:15:00 "
            "or as numbers such as 12.5"
        )
    if kind == ZONED and line.calendar is not None and line.zone is None:
        raise LogUnusable("dates have a time zone, shifts are in local time: say where with --timezone Asia/Baku")
    return Clock(kind, comma=comma, zone=line.zone, calendar=line.calendar), chain(sample, rows)


class _Whole:
    """All rows together; ``notes`` tell what was found in them."""

    def __init__(self, line: Line, reader: RowReader, clock: Clock) -> None:
        self.line = line
        self.reader = reader
        self.clock = clock
        self.names = list(reader.stations)
        self.rows = reader.passages
        self.notes: list[str] = []

    def log(self) -> LineLog:
        """The rows that can be true together, in the order of the flow."""
        line, clock = self.line, self.clock
        self._known_stations()
        self._far()
        if not line.stations:
            self._slips()
        main = self._main()
        layout, order = make_layout(main, line.feeders, limit=line.limit, paced=line.paced)
        rows = [self.rows[self.reader.stations[name]] for name in order]
        for place, each in enumerate(rows):
            for row in each:
                row.station = place
        resolution = self._resolution()
        checker = Checker(
            rows,
            order,
            list(self.reader.units),
            resolution=resolution,
            text=partial(span_text, dates=clock.dates),
            refused=self.reader.refused,
        )
        checker.duplicates()
        checker.unfinished()
        servers = self._servers(checker, order)
        layout = replace(layout, servers=tuple(servers))
        self.reader.complaints += fill(rows, layout, resolution, partial(span_text, dates=clock.dates))
        for station in range(layout.stations):
            checker.together(station, servers[station])
        checker.flow(layout)
        self.reader.complaints += checker.complaints
        measure_waits(rows, layout)
        begin = min(row.start for each in rows for row in each)
        end = max(_latest(row) for each in rows for row in each)
        planned = self.reader.planned_times(order)
        products = list(self.reader.products)
        if any(planned):
            products = [product or "" for product in products]
        passages: list[list[Passage]] = [[*its] for its in rows]
        units = list(self.reader.units)
        return LineLog(layout, order, units, products, passages, planned, begin, end, resolution)

    def _far(self) -> None:
        """Leave out rows with a time that lies far from nearly all the others: a slip, such as a wrong year."""
        starts = sorted(row.start for each in self.rows for row in each)
        if len(starts) < _FEW:
            return
        low, high = starts[len(starts) // 20], starts[-1 - len(starts) // 20]
        least, most = low - _FAR * (high - low), high + _FAR * (high - low)
        units = list(self.reader.units)
        for station, rows in enumerate(self.rows):
            kept = []
            for row in rows:
                known = (("start", row.start), ("complete", row.complete), ("departure", row.departure))
                far = [(name, time) for name, time in known if time is not None and not least <= time <= most]
                if not far:
                    kept.append(row)
                    continue
                name, time = far[0]
                span = span_text(max(low - time, time - high), dates=self.clock.dates)
                text = f"{name} lies {span} {'before' if time < low else 'after'} nearly all the others: a slip"
                self.reader.complaints.append(Complaint(row.line, text, "far"))
                self.reader.refused.add(units[row.unit])
            self.rows[station] = kept

    def _slips(self) -> None:
        """Leave out stations with hardly any row: their names are slips of the pen."""
        usual = sorted(map(len, self.rows))[len(self.rows) // 2]
        feeders = {name for feeder in self.line.feeders for name in feeder}
        counts = zip(self.names, self.rows, strict=True)
        seldom = [name for name, rows in counts if len(rows) < _SELDOM * usual]
        gone = [name for name in seldom if name not in feeders and name not in self.line.servers]
        self.names = [name for name in self.names if name not in gone]
        units = list(self.reader.units)
        for name in gone:
            rows = self.rows[self.reader.stations[name]]
            text = f"station {name!r} has {len(rows)} rows, others about {usual}{nearest(name, self.names)}"
            for row in rows:
                self.reader.complaints.append(Complaint(row.line, f"{text}; if it is one, say --stations", "station"))
                self.reader.refused.add(units[row.unit])

    def _resolution(self) -> float:
        if self.line.resolution is not None:
            return self.line.resolution
        rows = [row for each in self.rows for row in each]
        tiny = max(1e-9, 1e-12 * max(abs(_latest(row)) for row in rows))
        cycles = sorted(row.complete - row.start for row in rows if row.complete is not None)
        if cycles and 0 < self.clock.grain * _FINE <= cycles[len(cycles) // 2] and self.clock.grain > tiny:
            self.notes.append(
                f"times are told to the {span_text(self.clock.grain, dates=True)}: what differs less is one time"
            )
            return self.clock.grain
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

    def _known_stations(self) -> None:
        line, names = self.line, self.names
        for name in (*line.stations, *(name for feeder in line.feeders for name in feeder), *line.servers):
            if name not in self.names:
                raise LogUnusable(
                    f"no row for station {name!r}{nearest(name, names)}; the table has {', '.join(names)}"
                )

    def _main(self) -> list[str]:
        """The stations that are not in a feeder, in the order of the flow."""
        names = self.names
        fed = {name for feeder in self.line.feeders for name in feeder[:-1]}
        if self.line.stations:
            return [name for name in self.line.stations if name not in fed]
        rows = [self.rows[self.reader.stations[name]] for name in names]
        orders = find_orders(rows, len(self.reader.units))
        order = main_order(orders, names, [station for station, name in enumerate(names) if name not in fed])
        main = [names[station] for station in order]
        if len(main) > 1:
            self.notes.append(f"the order of the stations was found from the flow: {', '.join(main)}")
        for a, b in strangers(orders, order):
            text = (
                f"no unit passes both {names[a]} and {names[b]}: if they do the same work, give them one name and "
                f"say --servers; if one follows the other, say --stations"
            )
            self.reader.complaints.append(Complaint(min(row.line for row in rows[b]), text, "alone", WARNING))
        return main


def _latest(row: Row) -> float:
    return row.departure if row.departure is not None else row.complete if row.complete is not None else row.start
