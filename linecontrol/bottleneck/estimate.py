"""How long a station needs per unit: what was measured, tempered by the plan while little was."""

from collections.abc import Sequence
from math import sqrt

from msgspec import Struct

PRIOR_CYCLES = 10
"""The plan weighs as much as this many measured cycles."""
_PRIOR_SPREAD = 0.22
_FEWEST_WITHOUT_PLAN = 5


class Estimate(Struct, frozen=True):
    """Mean effective cycle time in working seconds and the standard deviation of that mean (normal)."""

    mean_s: float
    sd_s: float


def estimate(cycles_s: Sequence[float], planned_s: float | None) -> Estimate | None:
    """Posterior of the mean (normal-inverse-gamma; its Student distribution as a normal of equal variance).

    Without a planned time, ``None`` until five cycles have been measured.
    """
    count = len(cycles_s)
    mean_s = sum(cycles_s) / count if count else 0.0
    squares = sum((each - mean_s) ** 2 for each in cycles_s)
    weight = PRIOR_CYCLES if planned_s is not None else 0
    if planned_s is None and count < _FEWEST_WITHOUT_PLAN:
        return None
    prior_s = mean_s if planned_s is None else planned_s
    total = weight + count
    centre_s = (weight * prior_s + count * mean_s) / total
    squares += weight * (_PRIOR_SPREAD * prior_s) ** 2 + weight * count / total * (mean_s - prior_s) ** 2
    freedom = total if weight else count - 1
    variance = squares / freedom / total * freedom / (freedom - 2)
    return Estimate(centre_s, max(sqrt(variance), 1e-6 * centre_s))
