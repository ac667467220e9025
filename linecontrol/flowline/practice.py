"""What practice does to cycle times: in the first weeks of a line or a model they are longer, then they settle.

A cycle takes ``1 + size x exp(-age / units)`` times what it will take in the end. Its age is how many came before it
at the station, or how many could have since the record began: people learn by doing, but also from each other. Sizes,
paces and kinds of age are weighed by what the record says of them; early in a year several are possible, and with
them differs what the stations' times will settle at. Slow ones stand for a drift that nobody expects.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline.ratios import STATION_SDS, UNPLANNED_SD, Prior, station_sd_prior

Floats = NDArray[np.float64]

UNITS = np.array([8.0, 16.0, 32.0, 64.0, 128.0, 256.0])
"""Age at which ``1/e`` of the excess is left."""
AGES = 2
"""Kinds of age."""
SIZES = np.arange(-0.10, 0.501, 0.03)
_NONE = 0.35
"""Probability that nothing changes."""
_MEAN = np.array([0.16, 0.16, 0.16, 0.14, 0.02, 0.0])
_SD = np.array([0.12, 0.12, 0.12, 0.12, 0.04, 0.035])
"""What is known of the sizes, by pace."""
_SHORT, _LONG = 0.5, 1.5
"""Ratios beyond so many of what is usual at their station count as that much."""
_FEWEST = 0.05
_ROUNDS = 3


class Practice(Struct, frozen=True):
    """Possible curves [curve] with their ``weight``; ``kind`` is that of the age they follow.

    If one of them is true, the measured mean ratio of a station, from which practice has been taken out as it is
    expected, is ``shift`` [station, curve] times too small.
    """

    size: Floats
    units: Floats
    kind: NDArray[np.intp]
    weight: Floats
    shift: Floats

    @classmethod
    def none(cls, stations: int) -> "Practice":
        """Nothing changes."""
        return cls(np.zeros(1), np.ones(1), np.zeros(1, dtype=np.intp), np.ones(1), np.ones((stations, 1)))

    def draw(self, rng: np.random.Generator, replications: int) -> NDArray[np.intp]:
        """Curves as they may be [replication]."""
        return np.asarray(rng.choice(len(self.weight), replications, p=self.weight))

    def excess(self, curve: NDArray[np.intp], age: Floats) -> Floats:
        """By how much some cycles take longer than in the end [cycle, replication]; ``age`` is [kind, cycle]."""
        return np.asarray(self.size[curve] * np.exp(-age[self.kind[curve]].T / self.units[curve]))

    def expected(self, age: Floats) -> Floats:
        """Expected factor of cycles of this ``age`` [kind, cycle]."""
        out = np.ones(age.shape[1])
        for kind, units in {*zip(self.kind.tolist(), self.units.tolist(), strict=True)}:
            its = (self.kind == kind) & (self.units == units)
            out += (self.weight[its] @ self.size[its]) * np.exp(-age[kind] / units)
        return out


def practise(done: list[tuple[Floats, Floats]], planned: NDArray[np.bool_], prior: Prior) -> Practice:
    """What the stations' cycles tell: their ages [kind, cycle] and ratios of own to planned time, by station."""
    size, units, kind = (each.ravel() for each in np.meshgrid(SIZES, UNITS, np.arange(AGES), indexing="ij"))
    size, units, kind = np.append(0.0, size), np.append(UNITS[0], units), np.append(0, kind)
    log_weight = np.append(np.log(_NONE), np.repeat(_log_prior(), AGES))
    factors = [1 + size[:, None] * np.exp(-age[kind] / units[:, None]) for age, _ in done]
    ratios = [ratio for _, ratio in done]
    count = np.array([len(each) for each in ratios])
    weight = np.exp(log_weight - log_weight.max())
    for _ in range(_ROUNDS):
        weight /= weight.sum()
        curve = [weight @ its for its in factors]
        logs = [np.log(_clipped(ratio, its)) for ratio, its in zip(ratios, curve, strict=True)]
        scatter = _scatter(logs, [np.log(its) for its in curve], prior)
        told = log_weight + _likelihood(logs, factors, scatter, planned, prior) if count.any() else log_weight
        weight = np.exp(told - told.max())
    weight = np.where(weight > 1e-6 * weight.max(), weight, 0.0)
    weight /= weight.sum()
    shift = np.ones((len(done), len(size)))
    for at, its in enumerate(factors):
        if count[at]:
            shift[at] = ((weight @ its) / its).mean(axis=1)
    kept = weight > 0
    return Practice(size[kept], units[kept], kind[kept], weight[kept], shift[:, kept])


def _log_prior() -> Floats:
    """Of each size at each pace and age [size, pace]."""
    its = np.exp(-0.5 * ((SIZES[:, None] - _MEAN) / _SD) ** 2)
    return np.asarray(np.log((1 - _NONE) / len(UNITS) / AGES * its / its.sum(axis=0)))


def _clipped(ratio: Floats, curve: Floats) -> Floats:
    """Ratios without what is far off the expected curve."""
    if not len(ratio):
        return ratio
    level = ratio / curve
    middle = float(np.median(level))
    return np.maximum(curve * np.clip(level, _SHORT * middle, _LONG * middle), _FEWEST)


def _scatter(logs: list[Floats], curve: list[Floats], prior: Prior) -> Floats:
    """Standard deviation of single cycles around the curve [station], drawn towards that of all stations."""
    flat = [each - its for each, its in zip(logs, curve, strict=True)]
    squares = np.array([((each - each.mean()) ** 2).sum() if len(each) else 0.0 for each in flat])
    count = np.array([max(len(each) - 1, 0) for each in flat])
    pooled = (prior.scatter_weight * prior.scatter**2 + squares.sum()) / (prior.scatter_weight + count.sum())
    return np.asarray(np.sqrt((prior.shared * pooled + squares) / (prior.shared + count)))


def _likelihood(
    logs: list[Floats], factors: list[Floats], scatter: Floats, planned: NDArray[np.bool_], prior: Prior
) -> Floats:
    """Logarithm of the probability of all cycles under each curve, stations' means integrated out."""
    curves = len(factors[0])
    seen = [at for at, each in enumerate(logs) if len(each)]
    within = np.zeros(curves)
    means = np.empty((len(seen), curves))
    for row, at in enumerate(seen):
        rest = logs[at] - np.log(factors[at])
        means[row] = rest.mean(axis=1)
        within -= 0.5 * ((rest - means[row][:, None]) ** 2).sum(axis=1) / scatter[at] ** 2
    noise = np.array([scatter[at] ** 2 / len(logs[at]) for at in seen])
    its = planned[seen]
    distance = means - np.where(its, np.log(prior.optimism) - 0.5 * scatter[seen] ** 2, 0.0)[:, None]
    between = []
    for sd in STATION_SDS:
        spread = np.where(its, sd, UNPLANNED_SD)
        covariance = np.diag(spread**2 + noise) + np.outer(its, its) * prior.optimism_sd**2
        _, determinant = np.linalg.slogdet(covariance)
        between.append(-0.5 * (determinant + (distance * np.linalg.solve(covariance, distance)).sum(axis=0)))
    return np.asarray(within + np.logaddexp.reduce(np.array(between) + station_sd_prior(prior)[:, None], axis=0))
