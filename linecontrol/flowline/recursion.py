"""What a line does with given times: the max-plus recursion, exact, for many replications at once.

A unit starts at a station once it has arrived on all ways and a workplace is free, works, and departs once there is a
place behind it (blocking after service)::

    S_i(j) = max(D_p(j) of all p before i, F_i(j, servers_i), at an entry also R_j and F_last(j, limit))
    C_i(j) = S_i(j) + t_i(j)
    D_i(j) = max(C_i(j), F_f(j, room_i)),  f following i

``F_i(j, n)`` is when fewer than ``n`` of the units before ``j`` had still to depart from ``i``: ``D_i(j - n)``, and
behind twins the ``n``-th largest of all ``D_i`` before. On a paced line see `linecontrol.flowline.paced`.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from msgspec import Struct
from typing_extensions import override

from linecontrol.flowline import paced
from linecontrol.flowline.given import Floats, Given, Stage, Stages
from linecontrol.flowline.layout import Layout

_CHUNK_BYTES = 1 << 26


class Run(Struct, frozen=True):
    """Completions and departures [unit, station, replication]; the times and waits they follow from."""

    layout: Layout
    times: Floats
    complete: Floats
    departure: Floats
    waits: Floats | None = None
    beats: paced.Beats | None = None

    @property
    def leaves(self) -> Floats:
        """When each unit leaves the line [unit, replication]."""
        return self.departure[:, self.layout.last]

    @property
    def start(self) -> Floats:
        """When each unit starts at each station [unit, station, replication]."""
        begin = self.complete - self.times
        return begin if self.waits is None else np.asarray(begin - self.waits)


def run(
    times: Floats,
    layout: Layout,
    *,
    release: Floats | None = None,
    waits: Floats | None = None,
    start_waits: Floats | None = None,
    stage: Stages | None = None,
) -> Run:
    """All completions and departures from time 0 on.

    ``times`` [unit, station, replication] are the stations' own times. ``release`` [unit, 1 or replication] holds a
    unit back until then, ``waits`` [unit, station, 1 or replication] lengthen a cycle and ``start_waits`` (likewise)
    delay its start by something from outside.

    The line is empty at first, or goes on from its present state: ``stage`` [unit, station] (`Stage`) tells how far
    the units that are in it have come. They are the first ones, the foremost first; where one is ``STARTED``, its
    time is the time left (0: done, but still there), where it has ``LEFT``, the time is ignored and all is over at 0.
    """
    units, stations, replications = times.shape
    if stations != layout.stations:
        raise ValueError(f"times of {stations} stations, but the layout has {layout.stations}")
    given = Given(release, waits, start_waits, stage)
    if layout.paced:
        beats = paced.beats(times, layout, units, replications, given)
        complete, departure = paced.passages(times, beats, given)
        return Run(layout, times, complete, departure, waits, beats)
    complete, departure = np.empty_like(times), np.empty_like(times)
    line = _Line(layout, [departure[:, i] for i in range(stations)], units, given)
    for j in range(units):
        line.advance(j, times[j], complete[j])
    return Run(layout, times, complete, departure, waits)


def leaves(
    times: Iterable[Floats],
    layout: Layout,
    units: int,
    replications: int,
    *,
    release: Floats | None = None,
    waits: Floats | None = None,
    start_waits: Floats | None = None,
    stage: Stages | None = None,
) -> Floats:
    """When each unit leaves the line [unit, replication]: as `run`, but remembers no more than it needs.

    ``times`` gives for each of the ``units`` its times [station, replication], so that they can be drawn one unit
    after the other and all of them never exist at once.
    """
    given = Given(release, waits, start_waits, stage)
    if layout.paced:
        beats = paced.beats(times, layout, units, replications, given)
        return beats.end[beats.number[:, layout.last]]
    out = np.empty((units, replications))
    depths = _depths(layout, units)
    rows = [np.empty((depths[i], replications)) for i in range(layout.stations - 1)]
    line = _Line(layout, [*rows, out], units, given)
    complete = np.empty((layout.stations, replications))
    for j, its in zip(range(units), times, strict=True):
        line.advance(j, its, complete)
    return out


def chunks(units: int, stations: int, replications: int) -> Iterator[slice]:
    """Replications in parts whose times [unit, station, replication] take less than 64 MB each (or are but one)."""
    size = max(1, (_CHUNK_BYTES - 1) // (8 * units * stations))
    for first in range(0, replications, size):
        yield slice(first, min(first + size, replications))


class _Line:
    """A line while units pass it, one after the other."""

    def __init__(self, layout: Layout, rows: list[Floats], units: int, given: Given) -> None:
        """``rows`` are each station's memory of departures [depth, replication]."""
        depths = _depths(layout, units)
        self._gone = [
            _Sorted(rows[i], depths[i]) if layout.servers[i] > 1 else _InOrder(rows[i]) for i in range(layout.stations)
        ]
        self._before = [layout.before(i) for i in range(layout.stations)]
        self._room = [layout.room(i) for i in range(layout.stations)]
        self._layout, self._given = layout, given
        self._start = np.empty(rows[0].shape[1])
        self._zero = np.zeros(rows[0].shape[1])

    def advance(self, unit: int, times: Floats, complete: Floats) -> None:
        """The next unit passes with these times [station, replication]; its completions are written down."""
        layout, given, gone = self._layout, self._given, self._gone
        stages = given.stages(unit)
        departures: list[Floats] = []
        for i, following in enumerate(layout.following):
            row = gone[i].row
            departures.append(row)
            if stages is not None and stages[i] == Stage.LEFT:
                complete[i] = row[:] = 0.0
                gone[i].add(row)
                continue
            if stages is not None and stages[i] == Stage.STARTED:
                start = self._zero
            else:
                start = self._earliest(unit, i, departures, entered=stages is not None)
            np.add(start, times[i], out=complete[i])
            if given.waits is not None:
                np.add(complete[i], given.waits[unit, i], out=complete[i])
            place = gone[following].left(self._room[i]) if following >= 0 else None
            if place is None:
                row[:] = complete[i]
            else:
                np.maximum(complete[i], place, out=row)
            gone[i].add(row)

    def _earliest(self, unit: int, station: int, departures: list[Floats], *, entered: bool) -> Floats:
        """When it starts: arrived on all ways, a workplace free, let in, nothing from outside missing."""
        needed: list[Floats | None] = [departures[upstream] for upstream in self._before[station]]
        needed.append(self._gone[station].left(self._layout.servers[station]))
        if not self._before[station] and not entered:
            if self._given.release is not None:
                needed += [self._zero, self._given.release[unit]]
            if self._layout.limit is not None:
                needed.append(self._gone[self._layout.last].left(self._layout.limit))
        known = [each for each in needed if each is not None]
        start = known[0] if known else self._zero
        for other in known[1:]:
            start = np.maximum(start, other, out=self._start)
        if self._given.start_waits is not None:
            start = np.add(start, self._given.start_waits[unit, station], out=self._start)
        return start


def _depths(layout: Layout, units: int) -> list[int]:
    """How many departures from each station are needed to know whether another unit may follow."""
    depths = list(layout.servers)
    for station, following in enumerate(layout.following[:-1]):
        depths[following] = max(depths[following], layout.room(station))
    depths[-1] = max(depths[-1], min(layout.limit or 0, units))
    return depths


class _InOrder:
    """The latest departures from a station that units leave in their order: a ring [depth, replication]."""

    def __init__(self, rows: Floats) -> None:
        self._rows = rows
        self._count = 0

    @property
    def row(self) -> Floats:
        """Where the next departure is to be written."""
        row: Floats = self._rows[self._count % len(self._rows)]
        return row

    def add(self, row: Floats) -> None:
        """It has been written."""
        self._count += 1

    def left(self, units: int) -> Floats | None:
        """When fewer than so many units had still to depart; ``None`` if there have not been so many."""
        return self._rows[(self._count - units) % len(self._rows)] if units <= self._count else None


class _Sorted(_InOrder):
    """The latest departures from twins, whatever the order of the units."""

    def __init__(self, rows: Floats, depth: int) -> None:
        super().__init__(rows)
        self._latest = np.full((depth, rows.shape[1]), -np.inf)

    @override
    def add(self, row: Floats) -> None:
        """The earliest is forgotten, and the new one takes its place among the others."""
        super().add(row)
        latest = self._latest
        np.maximum(latest[0], row, out=latest[0])
        for k in range(len(latest) - 1):
            low = np.minimum(latest[k], latest[k + 1])
            np.maximum(latest[k], latest[k + 1], out=latest[k + 1])
            latest[k] = low

    @override
    def left(self, units: int) -> Floats | None:
        """When fewer than so many units had still to depart; ``None`` if there have not been so many."""
        return self._latest[-units] if units <= self._count else None
