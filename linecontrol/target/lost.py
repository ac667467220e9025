"""Working time that is lost to what comes from outside the line: day by day, as it was and as it may be."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline.path import Path

Floats = NDArray[np.float64]

EXPERIENCE = np.array([0.0] * 8 + [0.01, 0.01, 0.02, 0.02, 0.03, 0.03, 0.05, 0.05, 0.08, 0.10, 0.15, 0.25])
"""Parts of 20 working days lost, as is usual: 4 % in the mean."""

_MEAN_DAYS = 20.0
"""The usual mean weighs as much as that of so many days; the days of experience are scaled to what is known of it."""
_MEAN_SPREAD = 0.7
"""Its coefficient of variation before anything was seen."""
_DAY_WORTH = 0.75
"""Days are less independent than they are taken for: each is worth that part of an independent one."""
_SEEN_PART = 0.5
_BAD = 0.5
"""A day that loses more than this part is a bad one: rare, and counted apart."""
_BAD_DAYS = np.array([0.6, 0.8, 1.0, 1.0])
"""What is lost on bad days."""
_BAD_RATE, _BAD_SHAPE = 0.006, 0.4
"""Bad days per day: mean and shape of the gamma distribution of what plants have."""


def lost_parts(path: Path, days: list[tuple[float, float]]) -> Floats:
    """Part of each past working day that waits from outside took on the critical path; days seen by half at least."""
    starts = np.array([start for start, _ in days])
    ends = np.array([end for _, end in days])
    seen = np.clip(np.minimum(ends, path.end) - np.maximum(starts, path.begin), 0.0, None)
    lost = np.zeros(len(days))
    for charge in path.charges:
        if charge.outside:
            first = int(np.searchsorted(ends, charge.start, side="right"))
            last = int(np.searchsorted(starts, charge.end, side="left"))
            overlap = np.minimum(ends[first:last], charge.end) - np.maximum(starts[first:last], charge.start)
            lost[first:last] += charge.weight * np.maximum(overlap, 0.0)
    counted = seen > _SEEN_PART * (ends - starts)
    return np.asarray(np.clip(lost[counted] / seen[counted], 0.0, 1.0))


class Hours(Struct, frozen=True):
    """Working time to come, and how much of it is left to produce in, by replication.

    ``edges`` [day + 1] are the limits of the days in working time, the first one is now; ``productive`` [day + 1,
    replication] is the time that is not lost until then.
    """

    edges: Floats
    productive: Floats

    @property
    def loss(self) -> Floats:
        """Part of the time that is lost [replication]."""
        return np.asarray(1 - self.productive[-1] / (self.edges[-1] - self.edges[0]))

    def working(self, productive: Floats) -> Floats:
        """Working time at which so much productive time [any, replication] has passed; infinite beyond the days."""
        out = np.empty_like(productive)
        for r in range(productive.shape[1]):
            out[:, r] = np.interp(productive[:, r], self.productive[:, r], self.edges, right=np.inf)
        return out

    def at(self, working: Floats) -> Floats:
        """Productive time [time, replication] that will have passed at some working times; infinite beyond the days."""
        columns = [np.interp(working, self.edges, its, right=np.inf) for its in self.productive.T]
        return np.array(columns).T.reshape(len(working), self.productive.shape[1])


def hours_ahead(
    parts: Floats, days: list[tuple[float, float]], now: float, rng: np.random.Generator, replications: int
) -> Hours:
    """Bayesian bootstrap: each replication weighs the days seen and those of experience anew and draws from them.

    How often bad days come, of which few weeks hold one, is drawn from a gamma distribution.
    """
    coming = [(max(start, now), end) for start, end in days if end > now]
    if not coming:
        raise ValueError("no working day lies ahead: the days must reach beyond the end of the log")
    edges = np.array([coming[0][0], *(end for _, end in coming)])
    usual, bad = parts[parts <= _BAD], parts[parts > _BAD]
    seen = len(usual)
    mean = (_MEAN_DAYS * EXPERIENCE.mean() + usual.sum()) / (_MEAN_DAYS + seen)
    shape = (1 + seen / _MEAN_DAYS) / _MEAN_SPREAD**2
    means = mean * rng.gamma(shape, 1 / shape, replications)
    weights = rng.standard_gamma(_DAY_WORTH, (seen + len(EXPERIENCE), replications))
    reached = np.cumsum(weights, axis=0)
    marks = rng.random((len(coming), replications)) * reached[-1]
    lost = np.empty_like(marks)
    for r in range(replications):
        pool = np.concatenate([usual, EXPERIENCE * (means[r] / EXPERIENCE.mean())])
        lost[:, r] = pool[np.searchsorted(reached[:, r], marks[:, r])]
    rate = rng.gamma(_BAD_SHAPE + len(bad), 1 / (_BAD_SHAPE / _BAD_RATE + len(parts)), replications)
    happens = rng.random(lost.shape) < rate
    lost[happens] = rng.choice(np.concatenate([bad, _BAD_DAYS]), int(happens.sum()))
    lengths = np.diff(edges)[:, None]
    productive = np.zeros((len(edges), replications))
    np.cumsum(lengths * (1 - np.minimum(lost, 1.0)), axis=0, out=productive[1:])
    return Hours(edges, productive)
