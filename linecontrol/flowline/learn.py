"""What a record teaches about the stations' times: their mean ratios to the plan, and the scatter around them.

A cycle takes planned time x mean ratio of the station x residual. Ratios have a posterior (`linecontrol.flowline.
ratios`); residuals are those that were measured, at the station itself and at the others, with some from experience,
so that rare long cycles are neither forgotten nor smoothed. A cycle that is running has lasted longer than its
elapsed time: without that, cycles that finish first would make every young record too fast.
"""

from statistics import NormalDist

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from linecontrol.flowline.log import LineLog
from linecontrol.flowline.practice import AGES, Practice, practise
from linecontrol.flowline.ratios import (
    PRIOR,
    STATION_SDS,
    UNPLANNED_SD,
    Prior,
    common,
    scatter,
    station,
    station_sd_weights,
)
from linecontrol.flowline.standards import Standards, own_time, standards

Floats = NDArray[np.float64]

RESIDUALS = 1 << 12
"""Residuals per station from which is drawn, ascending and equally likely."""

_OTHERS = 60.0
"""A station's own residuals weigh as much as those of all stations after so many cycles."""
_FEW = 8
_ALIKE = 80.0
"""A station's own mean excess weighs as much as that of all stations after so many cycles."""
_TAIL = 3.0
"""Exponent of the Pareto tail beyond the longest residual."""
_LEAST = 0.02
_ROUNDS = 3
_SMALLEST_RATIO = 0.05


def _experience() -> Floats:
    """60 residuals of manual work with rare stops: lognormal of cv .15, three of them with a stop; mean 1."""
    normal = NormalDist()
    usual = np.exp(0.15 * np.array([normal.inv_cdf((k + 0.5) / 60) for k in range(60)]))
    usual[[9, 29, 49]] += [0.35, 0.7, 1.1]
    return np.sort(usual / usual.mean())


EXPERIENCE = _experience()


class Posterior(Struct, frozen=True):
    """What is known of a line's times.

    ``count`` [station] cycles (running ones as far as they count) with the mean ratio ``mean``; ``error`` [station]
    is the standard deviation of single ratios, known with ``freedom`` degrees of freedom. ``residuals`` [station,
    RESIDUALS] ascend, their mean is 1. All of it is without what ``practice`` does: cycles until now took ``longer``
    times as long in the mean, ``age`` [kind, station] is that of the next ones.
    """

    standards: Standards
    prior: Prior
    count: Floats
    mean: Floats
    error: Floats
    freedom: float
    residuals: Floats
    practice: Practice
    longer: float
    age: Floats

    @property
    def ratios(self) -> Floats:
        """Expected mean ratio of each station."""
        return _expected(self.count, self.mean, self.error, self.standards.planned, self.prior)

    @property
    def weight(self) -> Floats:
        """How much of each station's ratio is measured; the rest is the plan's prior."""
        sd = np.where(self.standards.planned, self.prior.station_sd, UNPLANNED_SD)
        return sd**2 / (sd**2 + self.error**2 / np.maximum(self.count, 1e-12))

    def draw(self, rng: np.random.Generator, replications: int, curve: NDArray[np.intp] | None = None) -> Floats:
        """Mean ratios as they may be [station, replication], if ``curve`` [replication] is what practice does."""
        planned, count, mean = self.standards.planned, self.count, self.mean
        error = self.error[:, None] * np.sqrt(self.freedom / rng.chisquare(self.freedom, replications))
        seen = np.where(planned, count, 0.0)
        sd = rng.choice(STATION_SDS, replications, p=station_sd_weights(seen, mean, self.error, self.prior))
        if curve is not None:
            mean = mean[:, None] * self.practice.shift[:, curve]
        centre, centre_sd = common(seen, mean, error, sd, self.prior)
        centre = centre + centre_sd * rng.standard_normal(replications)
        centre = np.where(planned[:, None], centre, 1.0)
        _, likely, its_sd = station(count, mean, error, np.where(planned[:, None], sd, UNPLANNED_SD), centre)
        return np.maximum(likely + its_sd * rng.standard_normal(likely.shape), _SMALLEST_RATIO)

    def residual(self, rng: np.random.Generator, replications: int) -> Floats:
        """One residual for each station and replication [station, replication]."""
        stations = len(self.residuals)
        index = rng.integers(0, RESIDUALS, (stations, replications), dtype=np.uint16)
        offset = np.arange(stations, dtype=np.int64)[:, None] * RESIDUALS
        return np.asarray(self.residuals.ravel().take(index + offset))

    def times(self, rng: np.random.Generator, ratios: Floats, planned: Floats) -> Floats:
        """Own times [unit, station, replication] for ``planned`` ones [unit, station]; ``ratios`` as from `draw`."""
        out = np.empty((len(planned), *ratios.shape))
        for unit, its in enumerate(planned):
            np.multiply(self.residual(rng, ratios.shape[1]), ratios, out=out[unit])
            out[unit] *= its[:, None]
        return out

    def left(
        self, rng: np.random.Generator, ratios: Floats, planned: Floats | float, at: int, elapsed: float
    ) -> Floats:
        """Time left [replication] of a cycle that runs at station ``at`` since ``elapsed``.

        ``ratios`` [replication] are that station's, ``planned`` (one or one for each replication) its planned time.
        """
        residuals = self.residuals[at]
        scale = ratios * planned
        first = np.searchsorted(residuals, elapsed / scale, side="right")
        drawn = rng.random(len(ratios))
        index = np.minimum(first + (drawn * (RESIDUALS - first)).astype(np.int64), RESIDUALS - 1)
        beyond = elapsed * np.maximum(1 - drawn, 1e-9) ** (-1 / _TAIL)
        total = np.where(first < RESIDUALS, residuals[index] * scale, beyond)
        return np.maximum(total - elapsed, 0.0)


class _Cycles(Struct, frozen=True):
    """A station's cycles: their age [kind, cycle], which are over, and their ratios, till now of those that run.

    Those that nobody saw from start to completion are left out.
    """

    age: Floats
    over: NDArray[np.bool_]
    ratio: Floats

    @classmethod
    def of(cls, log: LineLog, its: Standards, at: int) -> "_Cycles":
        """Those of the station ``at``."""
        age, over, ratio = [], [], []
        for each, passage in enumerate(log.passages[at]):
            own = own_time(passage)
            if own is None and passage.complete is not None:
                continue
            age.append((float(each), max(passage.start - log.begin, 0.0) / max(its.usual)))
            over.append(own is not None)
            elapsed = max(log.end - passage.start - sum(passage.waits.values()), 0.0) if own is None else own
            ratio.append(elapsed / its.of(at, log.products[passage.unit]))
        return cls(np.array(age).reshape(-1, AGES).T, np.array(over, dtype=bool), np.array(ratio))


def learn(log: LineLog, prior: Prior = PRIOR) -> Posterior:
    """The posterior after what the log holds.

    Raises:
        ValueError: there is neither a plan nor a completed cycle at any station.
    """
    its = standards(log)
    cycles = [_Cycles.of(log, its, at) for at in range(len(log.passages))]
    practice = Practice.none(len(cycles))
    if prior.practice:
        practice = practise([(each.age[:, each.over], each.ratio[each.over]) for each in cycles], its.planned, prior)
    longer = [practice.expected(each.age) for each in cycles]
    level = [each.ratio / factor for each, factor in zip(cycles, longer, strict=True)]
    done = [ratio[each.over] for ratio, each in zip(level, cycles, strict=True)]
    running = [ratio[~each.over] for ratio, each in zip(level, cycles, strict=True)]
    count = np.array([float(len(each)) for each in done])
    mean, error, freedom = _measured(done, prior)
    total, centre = count, mean
    for _ in range(_ROUNDS):
        ratios = _expected(total, centre, error, its.planned, prior)
        pool = np.sort(np.concatenate([EXPERIENCE, *(each / ratio for each, ratio in zip(done, ratios, strict=True))]))
        total, centre = _with_running(count, mean, running, ratios, pool / pool.mean())
    ratios = _expected(total, centre, error, its.planned, prior)
    residuals = _residuals([each / ratio for each, ratio in zip(done, ratios, strict=True)])
    age = np.array([[len(its) for its in log.passages], [(log.end - log.begin) / max(its.usual)] * len(cycles)])
    mean_longer = float(np.mean([each.mean() for each in longer if len(each)] or [1.0]))
    return Posterior(its, prior, total, centre, error, freedom, residuals, practice, mean_longer, age)


def _measured(done: list[Floats], prior: Prior) -> tuple[Floats, Floats, float]:
    """Each station's mean ratio, the standard deviation of single ratios and its degrees of freedom.

    The mean of what is longer than ``prior.long`` usual cycles is drawn towards that of all stations.
    """
    count = np.array([float(len(each)) for each in done])
    seen = np.concatenate([EXPERIENCE * prior.optimism, *done])
    usual = np.array([np.median(each) if len(each) >= _FEW else np.median(seen) for each in done])
    bases = [np.minimum(each, prior.long * middle) for each, middle in zip(done, usual, strict=True)]
    excess = [each - base for each, base in zip(done, bases, strict=True)]
    known = np.maximum(EXPERIENCE - prior.long, 0.0) * prior.optimism
    excesses = np.concatenate([known, *excess])
    total = np.array([each.sum() for each in excess])
    shrunk = (total + _ALIKE * excesses.mean()) / (count + _ALIKE)
    base = np.array([each.mean() if len(each) else 0.0 for each in bases])
    mean = np.where(count > 0, base + shrunk, 0.0)
    squares = np.array([((each - each.mean()) ** 2).sum() if len(each) else 0.0 for each in bases])
    pooled, freedom = scatter(squares, count, replace(prior, scatter=float(np.sqrt(prior.scatter**2 - known.var()))))
    variance = (prior.shared * pooled**2 + squares) / (prior.shared + np.maximum(count - 1, 0))
    return mean, prior.caution * np.sqrt(variance + excesses.var() * count / (count + _ALIKE)), freedom


def _expected(count: Floats, mean: Floats, error: Floats, planned: NDArray[np.bool_], prior: Prior) -> Floats:
    """Expected mean ratio of each station."""
    centre, _ = common(np.where(planned, count, 0.0), mean, error, prior.station_sd, prior)
    sd = np.where(planned, prior.station_sd, UNPLANNED_SD)
    _, likely, _ = station(count, mean, error, sd, np.where(planned, centre, 1.0))
    return np.maximum(likely, _SMALLEST_RATIO)


def _with_running(
    count: Floats, mean: Floats, running: list[Floats], ratios: Floats, residuals: Floats
) -> tuple[Floats, Floats]:
    """Counts and means with each running cycle as a measurement that is worth the chance that it were over by now.

    Its value is the one with which the mean is the fixed point of expectation and maximisation.
    """
    total, centre = count.copy(), mean.copy()
    for at, elapsed in enumerate(running):
        for each in elapsed:
            first = int(np.searchsorted(residuals, each / ratios[at], side="right"))
            worth = first / len(residuals)
            if worth < _LEAST:
                continue
            ahead = residuals[first:].mean() if first < len(residuals) else each / ratios[at] * _TAIL / (_TAIL - 1)
            value = ratios[at] * (1 + (ahead - 1) / worth)
            centre[at] = (centre[at] * total[at] + value * worth) / (total[at] + worth)
            total[at] += worth
    return total, centre


def _residuals(own: list[Floats]) -> Floats:
    """Ascending residuals [station, RESIDUALS]: the station's own, those of all, and the experience."""
    values = np.concatenate([EXPERIENCE, *own])
    order = np.argsort(values, kind="stable")
    shared = np.full(len(values), 1 / len(values))
    out = np.empty((len(own), RESIDUALS))
    marks = (np.arange(RESIDUALS) + 0.5) / RESIDUALS
    first = len(EXPERIENCE)
    for at, its in enumerate(own):
        weights = shared * (_OTHERS / (_OTHERS + len(its)))
        weights[first : first + len(its)] += 1 / (_OTHERS + len(its))
        first += len(its)
        reached = np.cumsum(weights[order])
        drawn = values[order][np.searchsorted(reached / reached[-1], marks)]
        out[at] = drawn / drawn.mean()
    return out
