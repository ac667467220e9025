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
    the last ``skip`` units are left out: with them the line fills and empties. Needs half as much memory again as
    the run: see `linecontrol.flowline.chunks`.
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
    tie = _TIE * float(run.leaves.max())
    visited = _path(run, tie)
    there = visited < run.times.size
    at = np.where(there, visited, 0)
    unit, cell = np.divmod(at, stations * replications)
    complete, departure, worked = (each.ravel().take(at) for each in (run.complete, run.departure, run.times))
    waited = np.zeros(at.shape)
    if run.waits is not None:
        station, lane = np.divmod(cell, replications)
        waited = run.waits[unit, station, lane if run.waits.shape[2] > 1 else 0]
    start = complete - worked - waited
    blocked = departure > complete + tie
    begun = ~blocked & (start <= tie)
    over = np.zeros_like(begun)
    over[1:] = np.logical_or.accumulate(begun, axis=0)[:-1]
    since = np.zeros(at.shape)
    since[:-1] = np.where(there[1:] & ~begun[:-1], departure[1:], 0.0)
    held = np.maximum(start, 0.0) - since
    outside = np.where(held > tie, held, 0.0) + np.where(start < -tie, 0.0, waited)
    counted = there & ~blocked & ~over & (unit >= skip) & (unit < units - skip)

    def charged(times: Floats) -> Floats:
        total = np.bincount(cell[counted], times[counted], stations * replications)
        return np.asarray(total.reshape(stations, replications), dtype=np.float64)

    return charged(np.minimum(worked, complete)), charged(outside)


def _path(run: Run, tie: float) -> Ints:
    """Flat indices of the departures on the path, the last one first [step, replication]; beyond all: none any more."""
    units, stations, replications = run.times.shape
    origin = _origins(run, tie)
    at = np.arange(replications) + ((units - 1) * stations + run.layout.last) * replications
    path = []
    while (at < run.times.size).any():
        path.append(at)
        at = origin.take(at)
    return np.stack(path)


def _origins(run: Run, tie: float) -> Ints:
    """For each departure, flat, the flat index of the one that it waited for; one beyond all stands for none."""
    layout, departure = run.layout, run.departure
    size = run.times.size
    origin = np.empty(size + 1, dtype=int)
    origin[size] = size
    own = origin[:size].reshape(run.times.shape)
    for station, following in enumerate(layout.following):
        latest, own[:, station] = _freed(run, station, layout.servers[station])
        needed = [(departure[:, upstream], _flat(run, upstream)) for upstream in layout.before(station)]
        if not needed and layout.limit is not None:
            needed = [_freed(run, layout.last, layout.limit)]
        for time, its in needed:
            later = time > latest + tie
            np.copyto(own[:, station], its, where=later)
            latest = np.maximum(latest, time)
        if following >= 0:
            blocked = departure[:, station] > run.complete[:, station] + tie
            np.copyto(own[:, station], _freed(run, following, layout.room(station))[1], where=blocked)
    return origin


def _flat(run: Run, station: int) -> Ints:
    """Flat indices of departures from the station [unit, replication]."""
    units, stations, replications = run.times.shape
    return np.asarray((np.arange(units)[:, None] * stations + station) * replications + np.arange(replications))


def _freed(run: Run, station: int, places: int) -> tuple[Floats, Ints]:
    """When fewer than so many of the units before each had still to depart from the station, and with which."""
    departure, flat = run.departure[:, station], _flat(run, station)
    if run.layout.servers[station] > 1:
        return _freed_by_twins(departure, flat, places, run.times.size)
    freed, by = np.zeros(departure.shape), np.full(departure.shape, run.times.size)
    freed[places:], by[places:] = departure[:-places], flat[:-places]
    return freed, by


def _freed_by_twins(departure: Floats, flat: Ints, places: int, none: int) -> tuple[Floats, Ints]:
    latest, whose = np.zeros((places, departure.shape[1])), np.full((places, departure.shape[1]), none)
    freed, by = np.empty(departure.shape), np.empty(departure.shape, dtype=int)
    for unit, its in enumerate(departure):
        freed[unit], by[unit] = latest[0], whose[0]
        later = its >= latest[0]
        latest[0], whose[0] = np.where(later, its, latest[0]), np.where(later, flat[unit], whose[0])
        order = np.argsort(latest, axis=0, kind="stable")
        latest, whose = np.take_along_axis(latest, order, 0), np.take_along_axis(whose, order, 0)
    return freed, by


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
