"""Mean ratios of own to planned times: what is known of them from the plan alone, and after so many cycles.

Plans are optimistic as a whole: ratios of a line's stations scatter around a common ``G ~ N(optimism, optimism_sd²)``,
each station's mean as ``m_i ~ N(G, station_sd²)``, single cycles around it with the standard deviation ``scatter``.
"""

from math import inf

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Prior(Struct, frozen=True):
    """What is known before anything was measured; the scatter is worth ``scatter_weight`` measured cycles.

    A station's own scatter weighs as much as that of all after ``shared`` cycles. What is longer than ``long`` usual
    cycles is a rare stop, of which a station's own record says little: its mean is drawn towards that of all stations.
    Errors are ``caution`` times as large as if cycles were independent. ``practice`` tells whether times may become
    shorter as a line learns (`linecontrol.flowline.practice`).
    """

    optimism: float = 1.06
    optimism_sd: float = 0.07
    station_sd: float = 0.08
    scatter: float = 0.22
    scatter_weight: float = 20.0
    shared: float = 20.0
    long: float = inf
    caution: float = 1.0
    practice: bool = False


PRIOR = Prior()
FORECAST = Prior(optimism=1.03, shared=60.0, long=1.5, caution=1.05, practice=True)
"""Which of them makes intervals of forecasts that hold what they say: see docs/explanations/forecast-study.md."""

STATION_SDS = np.array([0.03, 0.05, 0.08, 0.12, 0.18, 0.27])
"""How far the stations of a plan may be apart; which it is, the stations tell."""
_STATION_SD_SPREAD = 0.5
UNPLANNED_SD = 0.5
"""Of a station's mean ratio where the standard is a mean of what was measured, not a plan."""


def scatter(squares: Floats, count: Floats, prior: Prior = PRIOR) -> tuple[float, float]:
    """Standard deviation of single cycles, pooled over stations, and its degrees of freedom.

    ``squares`` [station] are sums of squared deviations from each station's mean over ``count`` [station] cycles.
    """
    freedom = prior.scatter_weight + float(np.maximum(count - 1, 0).sum())
    total = prior.scatter_weight * prior.scatter**2 + float(squares.sum())
    return float(np.sqrt(total / freedom)), freedom


def common(
    count: Floats, mean: Floats, error: Floats, station_sd: Floats | float, prior: Prior = PRIOR
) -> tuple[Floats, Floats]:
    """Mean and standard deviation of ``G`` given stations' ``mean`` ratios [station] over ``count`` cycles.

    ``error`` [station, or with replications behind] is the standard deviation of single cycles.
    """
    precision = _precision(count, error, station_sd)
    total = 1 / prior.optimism_sd**2 + precision.sum(axis=0)
    shaped = mean.reshape(mean.shape + (1,) * (precision.ndim - mean.ndim))
    centre = (prior.optimism / prior.optimism_sd**2 + (precision * shaped).sum(axis=0)) / total
    return centre, 1 / np.sqrt(total)


def station(
    count: Floats, mean: Floats, error: Floats, station_sd: Floats | float, centre: Floats | float
) -> tuple[Floats, Floats, Floats]:
    """Weight of the measurement, mean and standard deviation of each ``m_i`` given ``G = centre``."""
    weight = station_sd**2 * _precision(count, error, station_sd)
    shaped = mean.reshape(mean.shape + (1,) * (weight.ndim - mean.ndim))
    return weight, weight * shaped + (1 - weight) * centre, np.sqrt(1 - weight) * station_sd


def station_sd_prior(prior: Prior) -> Floats:
    """Logarithm of the prior of each of ``STATION_SDS`` but for a constant: lognormal around ``prior.station_sd``."""
    return np.asarray(-0.5 * (np.log(STATION_SDS / prior.station_sd) / _STATION_SD_SPREAD) ** 2)


def station_sd_weights(count: Floats, mean: Floats, error: Floats, prior: Prior = PRIOR) -> Floats:
    """Probability of each of ``STATION_SDS`` given the stations' means: their marginal likelihood times a prior."""
    measured = count > 0
    log = station_sd_prior(prior)
    if measured.any():
        distance = mean[measured] - prior.optimism
        noise = error[measured] ** 2 / count[measured]
        for k, sd in enumerate(STATION_SDS):
            covariance = np.diag(sd**2 + noise) + prior.optimism_sd**2
            _, determinant = np.linalg.slogdet(covariance)
            log[k] -= 0.5 * (determinant + distance @ np.linalg.solve(covariance, distance))
    weights = np.exp(log - log.max())
    return np.asarray(weights / weights.sum())


def _precision(count: Floats, error: Floats, station_sd: Floats | float) -> Floats:
    """Of a station's measured mean as a measurement of ``G``; 0 where nothing was measured."""
    shaped = count.reshape(count.shape + (1,) * (error.ndim - count.ndim))
    return np.where(shaped > 0, 1 / (station_sd**2 + error**2 / np.maximum(shaped, 1e-12)), 0.0)
