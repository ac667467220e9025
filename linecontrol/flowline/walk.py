"""Which stations a line's last departure waited for: the critical path of many replications at once.

The share of the critical path that is spent at a station is the elasticity of the throughput with respect to that
station's times (Ho, Eyler & Chien 1979): "1 % off its times gives so many % more units".
"""

import numpy as np
from numpy.typing import NDArray

from linecontrol.flowline.recursion import NEVER, Floats, Run

_TIE = 1e-9


def critical_shares(run: Run, *, skip: int = 0) -> Floats:
    """Share of the critical path at each station [station, replication], each replication's sum is 1.

    What units before number ``skip`` and the last ``skip`` ones spent is left out: the line filling and emptying.
    """
    if run.layout.paced:
        return _paced(run, skip)
    units, stations, replications = run.times.shape
    lanes = np.arange(replications)
    charge = np.zeros((stations, replications))
    i = np.full(replications, run.layout.last)
    j = np.full(replications, units - 1)
    alive = np.ones(replications, dtype=bool)
    walk = _Step(run)
    while alive.any():
        lane, at, unit = lanes[alive], i[alive], j[alive]
        blocked, next_at, next_unit = walk.leave(lane, at, unit)
        own = ~blocked
        counted = own & (unit >= skip) & (unit < units - skip)
        charge[at[counted], lane[counted]] += run.times[unit[counted], at[counted], lane[counted]]
        started_at, started_unit = walk.start(lane[own], at[own], unit[own])
        next_at[own], next_unit[own] = started_at, started_unit
        i[alive], j[alive] = next_at, next_unit
        alive[alive] = next_unit >= skip
    total = charge.sum(axis=0)
    return charge / np.where(total > 0, total, 1.0)


class _Step:
    """One step back along the path, for several lanes at once."""

    def __init__(self, run: Run) -> None:
        layout = run.layout
        self._run = run
        self._following = np.array(layout.following)
        self._room = np.array([layout.room(i) if layout.following[i] >= 0 else 0 for i in range(layout.stations)])
        self._before = [layout.before(i) for i in range(layout.stations)]
        width = max(1, *(len(each) for each in self._before))
        self._upstream = np.full((layout.stations, width), NEVER)
        for station, each in enumerate(self._before):
            self._upstream[station, : len(each)] = each

    def leave(
        self, lane: NDArray[np.int_], at: NDArray[np.int_], unit: NDArray[np.int_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int_], NDArray[np.int_]]:
        """Whether a departure waited for a place, and whose departure freed it."""
        run = self._run
        blocked = run.departure[unit, at, lane] > run.complete[unit, at, lane] + _TIE
        freed = unit - self._room[at]
        for station, units in run.freed_leave.items():
            here = at == station
            freed[here] = units[unit[here], lane[here]]
        return blocked, np.where(blocked, self._following[at], at), np.where(blocked, freed, unit)

    def start(
        self, lane: NDArray[np.int_], at: NDArray[np.int_], unit: NDArray[np.int_]
    ) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """Whose departure a start waited for; unit ``NEVER`` where it waited for nothing."""
        run = self._run
        previous = unit - 1
        for station, units in run.freed_start.items():
            here = at == station
            previous[here] = units[unit[here], lane[here]]
        best_at, best_unit = at.copy(), previous
        best = np.where(previous >= 0, run.departure[np.maximum(previous, 0), at, lane], 0.0)
        for column in range(self._upstream.shape[1]):
            upstream = self._upstream[at, column]
            arrival = np.where(upstream >= 0, run.departure[unit, np.maximum(upstream, 0), lane], -1.0)
            later = arrival > best + _TIE
            best = np.where(later, arrival, best)
            best_at = np.where(later, upstream, best_at)
            best_unit = np.where(later, unit, best_unit)
        limit = run.layout.limit
        if limit is not None:
            leaver = unit - limit
            freed = np.where(
                (self._upstream[at, 0] < 0) & (leaver >= 0),
                run.departure[np.maximum(leaver, 0), run.layout.last, lane],
                -1.0,
            )
            later = freed > best + _TIE
            best_at = np.where(later, run.layout.last, best_at)
            best_unit = np.where(later, leaver, best_unit)
        return best_at, best_unit


def _paced(run: Run, skip: int) -> Floats:
    """Each beat is charged to the station that was the slowest in it; ties in equal parts."""
    units, stations, replications = run.times.shape
    beats = np.zeros((units + stations, stations, replications))
    for i in range(stations):
        beats[i : i + units, i] = run.times[:, i]
    beats = beats[skip : units - skip] if skip else beats
    longest = beats.max(axis=1, keepdims=True)
    slowest = (beats >= longest - _TIE) & (longest > 0)
    charge = np.asarray((longest * slowest / np.maximum(slowest.sum(axis=1, keepdims=True), 1)).sum(axis=0))
    return np.asarray(charge / charge.sum(axis=0))
