"""How probably each of several uncertain means is the largest: numerical integration on a fixed grid."""

from collections.abc import Sequence
from math import erf, sqrt

from linecontrol.bottleneck.estimate import Estimate

_CELLS = 400
_REACH = 6.0


def largest(estimates: Sequence[Estimate]) -> list[float]:
    """Probability of each to be the largest; they add up to 1. Nothing is drawn at random."""
    if not estimates:
        return []
    low = max(each.mean_s - _REACH * each.sd_s for each in estimates)
    high = max(each.mean_s + _REACH * each.sd_s for each in estimates)
    points = [low + (high - low) * step / _CELLS for step in range(_CELLS + 1)]
    below = [[_below(each, point) for point in points] for each in estimates]
    others = [_all_others(list(column)) for column in zip(*below, strict=True)]
    raw = [
        row[0] * others[0][index]
        + sum((row[k + 1] - row[k]) * (others[k][index] + others[k + 1][index]) / 2 for k in range(_CELLS))
        for index, row in enumerate(below)
    ]
    return [each / sum(raw) for each in raw]


def _below(one: Estimate, point_s: float) -> float:
    return 0.5 * (1.0 + erf((point_s - one.mean_s) / (one.sd_s * sqrt(2.0))))


def _all_others(column: list[float]) -> list[float]:
    """For each place the product of all other places."""
    before, product = [], 1.0
    for value in column:
        before.append(product)
        product *= value
    product = 1.0
    for index in range(len(column) - 1, -1, -1):
        before[index] *= product
        product *= column[index]
    return before
