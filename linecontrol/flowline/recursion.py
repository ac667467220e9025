"""What a line does with given times: the max-plus recursion, exact, for many replications at once.

``S_i(j) = max(D_p(j) of all p before i, D_i(j-1), R_j, D_last(j-limit))``, ``C = S + wait + t``,
``D_i(j) = max(C_i(j), D_f(j - room))`` with ``f`` the station that follows (blocking after service). With ``c``
twins the c-th largest earlier departure stands for ``D_i(j-1)``. Units keep their order.
"""

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline.layout import Layout

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

NEVER = -1
"""As the number of a unit: there was none."""


class Run(Struct, frozen=True):
    """Completions and departures [unit, station, replication]; the times they follow from.

    ``freed_start`` and ``freed_leave`` name, for stations whose next place twins free, the unit that freed it.
    """

    layout: Layout
    times: Floats
    complete: Floats
    departure: Floats
    freed_start: dict[int, Ints]
    freed_leave: dict[int, Ints]

    @property
    def leaves(self) -> Floats:
        """When each unit leaves the line [unit, replication]."""
        out: Floats = self.departure[:, self.layout.last, :]
        return out


class _Latest:
    """The ``depth`` latest departures from a station with twins, ascending, and whose they were."""

    def __init__(self, depth: int, replications: int) -> None:
        self.times = np.zeros((depth, replications))
        self.units = np.full((depth, replications), NEVER, dtype=np.int32)

    def add(self, times: Floats, unit: int) -> None:
        """One more departure; the earliest is forgotten."""
        later = times > self.times[0]
        self.times[0] = np.where(later, times, self.times[0])
        self.units[0] = np.where(later, unit, self.units[0])
        order = np.argsort(self.times, axis=0, kind="stable")
        self.times = np.take_along_axis(self.times, order, axis=0)
        self.units = np.take_along_axis(self.units, order, axis=0)


def run(
    times: Floats,
    layout: Layout,
    *,
    release: Floats | None = None,
    waits: Floats | None = None,
    start_waits: Floats | None = None,
) -> Run:
    """All completions and departures of an at first empty line, from time 0 on.

    ``times`` [unit, station, replication] are the stations' own times. ``release`` [unit, 1 or replication] holds a
    unit back until then, ``waits`` [unit, station, 1 or replication] lengthen a cycle and ``start_waits`` delay its
    start by something from outside. To go on from a line's present state, units that are in it come first with time
    0 at the stations that they have passed and the time left at the one where they are.
    """
    if layout.paced:
        return _paced(times, layout)
    units, stations, replications = times.shape
    complete, departure = np.empty_like(times), np.empty_like(times)
    start = np.empty(replications)
    zero = np.zeros(replications)
    before = [layout.before(station) for station in range(stations)]
    latest = _latest(layout, replications)
    freed_start = {i: np.full((units, replications), NEVER, dtype=np.int32) for i in latest}
    freed_leave = {
        i: np.full((units, replications), NEVER, dtype=np.int32)
        for i in range(stations)
        if layout.following[i] in latest
    }
    for j in range(units):
        for i in range(stations):
            _free_at(departure, latest, freed_start, i, j, zero, start, layout.servers[i])
            for upstream in before[i]:
                np.maximum(start, departure[j, upstream], out=start)
            if not before[i]:
                if release is not None:
                    np.maximum(start, release[j], out=start)
                if layout.limit is not None and j >= layout.limit:
                    np.maximum(start, _nth_leave(departure[:j, layout.last], layout), out=start)
            if start_waits is not None:
                np.add(start, start_waits[j, i], out=start)
            np.add(start, times[j, i], out=complete[j, i])
            if waits is not None:
                np.add(complete[j, i], waits[j, i], out=complete[j, i])
            following = layout.following[i]
            if following < 0:
                departure[j, i] = complete[j, i]
            else:
                room = layout.room(i)
                if following in latest:
                    np.maximum(complete[j, i], latest[following].times[-room], out=departure[j, i])
                    freed_leave[i][j] = latest[following].units[-room]
                elif j >= room:
                    np.maximum(complete[j, i], departure[j - room, following], out=departure[j, i])
                else:
                    departure[j, i] = complete[j, i]
        for i, its in latest.items():
            its.add(departure[j, i], j)
    return Run(layout, times, complete, departure, freed_start, freed_leave)


def _latest(layout: Layout, replications: int) -> dict[int, _Latest]:
    depth: dict[int, int] = {}
    for station, servers in enumerate(layout.servers):
        if servers > 1:
            rooms = [layout.room(upstream) for upstream in layout.before(station)]
            depth[station] = max([servers, *rooms])
    return {station: _Latest(its, replications) for station, its in depth.items()}


def _free_at(
    departure: Floats,
    latest: dict[int, _Latest],
    freed: dict[int, Ints],
    station: int,
    unit: int,
    zero: Floats,
    out: Floats,
    servers: int,
) -> None:
    """When a workplace of the station is free for the unit."""
    if station in latest:
        out[:] = latest[station].times[-servers]
        freed[station][unit] = latest[station].units[-servers]
    else:
        out[:] = departure[unit - 1, station] if unit else zero


def _nth_leave(leaves: Floats, layout: Layout) -> Floats:
    """When so many of the units before have left that another may come in."""
    limit = layout.limit or 0
    if layout.servers[layout.last] == 1:
        out: Floats = leaves[len(leaves) - limit]
        return out
    return np.asarray(np.partition(leaves, len(leaves) - limit, axis=0)[len(leaves) - limit])


def _paced(times: Floats, layout: Layout) -> Run:
    """All units move on when the slowest of them is done: unit j is at station i in beat i + j."""
    units, stations, replications = times.shape
    beats = np.zeros((units + stations, replications))
    for i in range(stations):
        np.maximum(beats[i : i + units], times[:, i], out=beats[i : i + units])
    ends = np.cumsum(beats, axis=0)
    starts = ends - beats
    departure, complete = np.empty_like(times), np.empty_like(times)
    for i in range(stations):
        departure[:, i] = ends[i : i + units]
        complete[:, i] = starts[i : i + units] + times[:, i]
    empty: dict[int, Any] = {}
    return Run(layout, times, complete, departure, empty, empty)
