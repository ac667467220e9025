"""Which stations a line's last departure waited for: the critical path of many replications at once.

The share of the critical path that is spent at a station is the elasticity of the throughput with respect to that
station's times (Ho, Eyler & Chien 1979): "1 % off its times gives so many % more units".
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline.given import Floats
from linecontrol.flowline.recursion import Run

_TIE = 1e-11
"""What differs by no more than this part of the whole time is simultaneous."""

Ints = NDArray[np.int_]


class Shares(Struct, frozen=True):
    """What the critical path consists of: ``own`` and ``outside`` together are 1 in each replication.

    ``own`` [station, replication] is spent at a station by its own doing, ``outside`` likewise while it waited for
    something from outside the line (a release, ``waits``, ``start_waits``). ``length`` [replication] is the time that
    the path covers.
    """

    own: Floats
    outside: Floats
    length: Floats


def critical_shares(run: Run, *, skip: int = 0) -> Floats:
    """The `Shares.own` of `path_shares` [station, replication]: each station's elasticity."""
    return path_shares(run, skip=skip).own


def path_shares(run: Run, *, skip: int = 0) -> Shares:
    """Backward from the last departure to time 0, from each departure to the one that it had to wait for.

    Of simultaneous ones (deterministic times) the place behind counts before the station's own last departure, and
    that before an arrival. On a paced line a beat is charged to its slowest stations in equal parts. The first and
    the last ``skip`` units are left out: with them the line fills and empties. Needs about twice the memory of the
    run: see `linecontrol.flowline.chunks`.
    """
    units = len(run.times)
    if not 0 <= 2 * skip < units:
        raise ValueError(f"skip {skip} of {units} units at both ends: none would be left")
    own, outside = _paced(run, skip) if run.layout.paced else _walk(run, skip)
    length = own.sum(axis=0) + outside.sum(axis=0)
    positive = np.where(length > 0, length, 1.0)
    return Shares(own / positive, outside / positive, length)


def _walk(run: Run, skip: int) -> tuple[Floats, Floats]:
    """Time charged to stations, and while they waited for something from outside [station, replication]."""
    units, stations, replications = run.times.shape
    links = _Links(run)
    nowhere = run.times.size
    at = np.arange(replications) + ((units - 1) * stations + run.layout.last) * replications
    path = []
    while (at < nowhere).any():
        path.append(at)
        at = links.origin.take(at)
    visited = np.concatenate(path)
    unit = visited // (stations * replications)
    visited = visited[(visited < nowhere) & (unit >= skip) & (unit < units - skip)]
    cell = visited % (stations * replications)

    def charged(times: Floats) -> Floats:
        total = np.bincount(cell, times.ravel().take(visited), stations * replications)
        return np.asarray(total.reshape(stations, replications), dtype=np.float64)

    return charged(links.own), charged(links.outside)


class _Links:
    """For each departure [unit, station, replication] which one it waited for, and what was done in between.

    ``origin`` is the flat index of that departure, ``own`` the station's time and ``outside`` the waiting in between.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tie = _TIE * float(run.leaves.max())
        shape = run.times.shape
        origin = np.empty(shape, dtype=int)
        self.own, self.outside = np.empty(shape), np.zeros(shape)
        for station in range(run.layout.stations):
            self._link(station, origin)
        self.origin = np.append(origin.ravel(), run.times.size)

    def _link(self, station: int, origin: Ints) -> None:
        run, layout = self._run, self._run.layout
        waits = 0.0 if run.waits is None else run.waits[:, station]
        start = run.complete[:, station] - run.times[:, station] - waits
        needed = [self._freed(station, layout.servers[station])]
        needed += [(run.departure[:, upstream], self._flat(upstream)) for upstream in layout.before(station)]
        if len(needed) == 1 and layout.limit is not None:
            needed.append(self._freed(layout.last, layout.limit))
        latest, its = needed[0]
        for time, link in needed[1:]:
            later = time > latest + self._tie
            latest, its = np.where(later, time, latest), np.where(later, link, its)
        begun = start <= self._tie
        its = np.where(begun, run.times.size, its)
        held = np.where(begun, np.maximum(start, 0.0), start - latest)
        outside = np.where(held > self._tie, held, 0.0) + np.where(start < 0, 0.0, waits)
        own = np.minimum(run.times[:, station], run.complete[:, station])
        if layout.following[station] >= 0:
            _, freed = self._freed(layout.following[station], layout.room(station))
            blocked = run.departure[:, station] > run.complete[:, station] + self._tie
            its = np.where(blocked, freed, its)
            own, outside = np.where(blocked, 0.0, own), np.where(blocked, 0.0, outside)
        origin[:, station], self.own[:, station], self.outside[:, station] = its, own, outside

    def _flat(self, station: int, unit: Ints | None = None) -> Ints:
        """Flat indices of departures from the station: of each unit, or of these units [unit, replication]."""
        units, stations, replications = self._run.times.shape
        if unit is None:
            unit = np.arange(units)[:, None]
        flat = (unit * stations + station) * replications + np.arange(replications)
        return np.where(unit < 0, self._run.times.size, flat)

    def _freed(self, station: int, places: int) -> tuple[Floats, Ints]:
        """When fewer than so many of the units before each had still to depart from the station, and with which."""
        departure = self._run.departure[:, station]
        if self._run.layout.servers[station] == 1:
            freed = np.full(departure.shape, 0.0)
            freed[places:] = departure[:-places]
            return freed, self._flat(station, np.arange(-places, len(departure) - places)[:, None])
        return self._freed_by_twins(station, departure, places)

    def _freed_by_twins(self, station: int, departure: Floats, places: int) -> tuple[Floats, Ints]:
        replications = departure.shape[1]
        latest = np.zeros((places, replications))
        whose = np.full((places, replications), -1)
        freed, by = np.empty(departure.shape), np.empty(departure.shape, dtype=int)
        for unit, its in enumerate(departure):
            freed[unit], by[unit] = latest[0], whose[0]
            later = its >= latest[0]
            latest[0], whose[0] = np.where(later, its, latest[0]), np.where(later, unit, whose[0])
            order = np.argsort(latest, axis=0, kind="stable")
            latest, whose = np.take_along_axis(latest, order, 0), np.take_along_axis(whose, order, 0)
        return freed, self._flat(station, by)


def _paced(run: Run, skip: int) -> tuple[Floats, Floats]:
    """Each beat's time, and the waiting for a release before it, by station."""
    its = run.beats
    if its is None:
        raise ValueError("the run of a paced line without its beats: take it from run()")
    tie = _TIE * float(run.leaves.max())
    units = len(run.times)
    counted = np.zeros((len(its.end), 1))
    counted[its.number[skip].min() : its.number[units - skip].min() if skip else None] = 1.0
    duration = run.complete - its.begin[its.number]
    last = (its.end[its.number] - run.complete <= tie) & (duration > tie)
    together = np.zeros(its.end.shape)
    np.add.at(together, its.number, last)
    part = last * counted[its.number] / np.maximum(together, 1.0)[its.number]
    worked = np.minimum(run.times, duration)
    own, outside = (part * worked).sum(axis=0), (part * (duration - worked)).sum(axis=0)
    ended = np.concatenate([np.zeros_like(its.end[:1]), its.end[:-1]])
    outside[its.number[0].argmin()] += ((its.begin - ended) * counted).sum(axis=0)
    return own, outside
