"""What futures say of the past: would a line that goes on as they do have built what was built?

Futures follow from the stations' times one by one. What those don't tell (units that enter by a timetable, days on
which all are slow, operators who help each other out) shows in the output alone: if it differs by more than chance
explains, the pace of the futures is taken for wrong by about as much.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline.learn import Posterior
from linecontrol.flowline.path import Path

Floats = NDArray[np.float64]

_WRONG = 0.05
"""Probability that the stations' times don't tell the pace."""
_WRONG_BY = 0.06
"""Standard deviation of the pace's logarithm if they don't."""
_FEWEST = 10


class Past(Struct, frozen=True):
    """``units`` were built in ``time``: productive, and as if practice had been what it will be in the end."""

    units: int
    time: float

    @classmethod
    def of(cls, path: Path, posterior: Posterior, exits: list[float]) -> "Past":
        """What a log tells, once the line was filled: as many units as it has stations are left out."""
        exits = exits[min(len(posterior.count), len(exits) // 3) :]
        if len(exits) <= _FEWEST:
            return cls(0, 0.0)
        first, last = exits[0], exits[-1]
        lost = sum(
            each.weight * max(min(each.end, last) - max(each.start, first), 0.0)
            for each in path.charges
            if each.outside
        )
        return cls(len(exits) - 1, (last - first - lost) / posterior.longer)

    def pace(self, rng: np.random.Generator, productive: Floats) -> Floats:
        """How much faster than simulated the line may be [replication]; units leave at ``productive`` times.

        Chance is told by two equally long times within the same future.
        """
        replications = productive.shape[1]
        finite = np.where(np.isfinite(productive), productive, 0.0)
        window = min(self.time, float(finite.max(axis=0, initial=0.0).min()) / 2)
        first = (productive <= window).sum(axis=0)
        second = (productive <= 2 * window).sum(axis=0) - first
        if not self.units or second.mean() < _FEWEST:
            return np.ones(replications)
        chance = (second - first).var() / 2 / second.mean() ** 2 * window / self.time
        differs = np.log(self.units / self.time * window / second.mean())
        kept = _WRONG_BY**2 / (_WRONG_BY**2 + chance)
        odds = np.log(_WRONG / (1 - _WRONG)) + 0.5 * (np.log(1 - kept) + differs**2 / chance * kept)
        wrong = rng.random(replications) < 1 / (1 + np.exp(-odds))
        drawn = kept * differs + np.sqrt(kept * chance) * rng.standard_normal(replications)
        return np.asarray(np.exp(np.where(wrong, drawn, 0.0)))
