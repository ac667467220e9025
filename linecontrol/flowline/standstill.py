"""Standstills of the whole line that nobody recorded: nothing happens anywhere, though much should have.

A cut of power or a meeting stops all cycles at once, and without a signal of it each of them just looks longer. Taken
for each station's own and independent time it would be charged to the line once per station. But it leaves a gap
without any event, and how probable that gap was without a standstill, the running cycles' own times tell.
"""

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from linecontrol.flowline.learn import Posterior
from linecontrol.flowline.log import UNOBSERVED, LineLog, Passage

Floats = NDArray[np.float64]

STANDSTILL = "standstill"
"""The cause of a wait that was not recorded but follows from the gap."""

_SHORTEST = 0.1
"""Gaps shorter than that part of a usual cycle are not looked at."""
_GRID = 16
_SPREAD = 0.3
_HEAVINESS = 1.5
"""Standstills are Pareto distributed (Lomax): exponent, and scale in usual cycles."""
_USUAL_RATE, _USUAL_CYCLES = 0.02, 50.0
"""Standstills per usual cycle's time before anything was seen, and how much time that is worth."""
_ROUNDS = 4


def with_standstills(log: LineLog, posterior: Posterior) -> LineLog:
    """The log, with a wait ``STANDSTILL`` in each cycle that ran while the line stood still, as long as is expected.

    Stops that are recorded as waits explain a gap as well.
    """
    cycle = float((np.array(posterior.standards.usual) * posterior.ratios).mean())
    begins, ends = _gaps(log, _SHORTEST * cycle)
    if not len(begins):
        return log
    lost = _expected(_survival(log, posterior, begins, ends), ends - begins, cycle, log.end - log.begin)
    reached = np.concatenate([[0.0], np.cumsum(lost)])
    passages = [
        [
            _longer(each, float(reached[last] - reached[first]))
            for each, first, last in zip(its, *_within(log, its, begins, ends), strict=True)
        ]
        for its in log.passages
    ]
    return replace(log, passages=passages)


def _gaps(log: LineLog, shortest: float) -> tuple[Floats, Floats]:
    """Begins and ends of the times in which nothing was recorded anywhere, the one until now included."""
    times = {log.begin, log.end}
    for its in log.passages:
        for each in its:
            times.update(time for time in (each.start, each.complete, each.departure) if time is not None)
    known = np.array(sorted(time for time in times if log.begin <= time <= log.end))
    long = np.flatnonzero(np.diff(known) > shortest)
    return known[long], known[long + 1]


def _within(
    log: LineLog, passages: list[Passage], begins: Floats, ends: Floats
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first gap and the one after the last in which each passage was running."""
    starts = np.array([each.start for each in passages])
    completes = np.array([log.end if each.complete is None else each.complete for each in passages])
    return np.searchsorted(begins, starts, side="left"), np.searchsorted(ends, completes, side="right")


def _survival(log: LineLog, posterior: Posterior, begins: Floats, ends: Floats) -> Floats:
    """Probability [gap, time] that no running cycle completes by then, at ``_GRID`` + 2 times.

    They divide the gap evenly, the last one is a step beyond its end.
    """
    log_survival = np.zeros((len(begins), _GRID + 2))
    steps = np.arange(_GRID + 2) / _GRID
    ratios = posterior.ratios
    for at, its in enumerate(log.passages):
        if not its:
            continue
        first, last = _within(log, its, begins, ends)
        count = np.maximum(last - first, 0)
        which = np.repeat(np.arange(len(its)), count)
        gap = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + first[which]
        start = np.array([each.start for each in its])[which]
        unseen = np.array([UNOBSERVED in each.waits for each in its])[which]
        waits = np.array([sum(each.waits.values()) for each in its])[which]
        scale = np.array([posterior.standards.of(at, log.products[each.unit]) for each in its])[which] * ratios[at]
        before = begins[gap] - start
        length = ends[gap] - begins[gap]
        until = np.maximum(before + length - waits, 0.0)
        since = np.minimum(before, until)
        elapsed = since[:, None] + (until - since)[:, None] * steps
        tail = np.log(_beyond(posterior.residuals[at], elapsed / scale[:, None]))
        np.add.at(log_survival, gap, np.where(unseen[:, None], 0.0, tail - tail[:, :1]))
    return np.exp(log_survival)


def _beyond(residuals: Floats, value: Floats) -> Floats:
    """Probability of a longer residual: as measured, with a Pareto tail of exponent 3 beyond the longest."""
    part = 1 - np.searchsorted(residuals, value, side="right") / len(residuals)
    tail = (residuals[-1] / np.maximum(value, residuals[-1])) ** 3 / len(residuals)
    return np.asarray(np.maximum(part, tail))


def _expected(survival: Floats, length: Floats, cycle: float, time: float) -> Floats:
    """How long the line stood still in each gap [gap]; how often lines do is learnt from all gaps."""
    density = -np.diff(survival, axis=1) * _GRID / length[:, None]
    natural = np.maximum(density[:, -1], 1e-12 / length)
    middle = (np.arange(_GRID) + 0.5) / _GRID
    worked = middle * length[:, None]
    stood = length[:, None] - worked
    scale = _SPREAD * cycle
    lomax = _HEAVINESS / scale * (1 + stood / scale) ** (-_HEAVINESS - 1)
    joint = worked * density[:, :-1] * lomax * (length[:, None] / _GRID)
    odds = joint.sum(axis=1) / natural
    rate = _USUAL_RATE / cycle
    for _ in range(_ROUNDS):
        chances = rate * odds / (1 + rate * odds)
        rate = (_USUAL_RATE * _USUAL_CYCLES + chances.sum()) / (_USUAL_CYCLES * cycle + time)
    mean = (joint * stood).sum(axis=1) / np.maximum(joint.sum(axis=1), 1e-300)
    return np.asarray(mean * rate * odds / (1 + rate * odds))


def _longer(passage: Passage, wait: float) -> Passage:
    return (
        replace(passage, waits=passage.waits | {STANDSTILL: wait})
        if wait > 0 and UNOBSERVED not in passage.waits
        else passage
    )
