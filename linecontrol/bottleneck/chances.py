"""How probably each station is the bottleneck: what the record teaches, drawn and simulated many times.

Each draw is a line whose stations' mean times agree with the record. It is simulated twice, and the share of the
critical path at each station is the draw's elasticity of the throughput. How far two runs of the same draw differ
tells how much of the scatter is the simulation's own, and that part is taken out.
"""

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.bottleneck.sample import Sample, spread
from linecontrol.bottleneck.window import REPLAYED, last_units
from linecontrol.flowline import LineLog, run
from linecontrol.flowline.learn import Posterior, learn
from linecontrol.flowline.ratios import PRIOR, Prior
from linecontrol.flowline.walk import path_shares

Floats = NDArray[np.float64]

DRAWS = 120
UNITS = 360
"""Units of one simulated run; the line fills and empties besides."""
_EDGE = 3
"""Units per station that are left out at both ends of a run."""
_WITHOUT_PLAN = Prior(optimism=1.0, optimism_sd=0.3, station_sd=0.10)


class Chances(Struct, frozen=True):
    """``probability`` [station] to be the bottleneck, and the expected ``elasticity`` [station], together 1."""

    probability: list[float]
    elasticity: list[float]


def chances(log: LineLog, *, seed: int, draws: int = DRAWS, units: int = UNITS) -> Chances:
    """Draw, simulate, count.

    Raises:
        ValueError: there is neither a plan nor a completed cycle at any station.
    """
    planned = any(any(its.values()) for its in log.planned)
    known = log if planned else compared(log)
    posterior = learn(known, PRIOR if planned else _WITHOUT_PLAN)
    rng = np.random.default_rng(seed)
    elasticity = simulated(log, posterior, rng, draws, units)
    probability = leading(elasticity, rng)
    mean = elasticity.mean(axis=(1, 2))
    return Chances([float(each) for each in probability], [float(each) for each in mean / mean.sum()])


def simulated(log: LineLog, posterior: Posterior, rng: np.random.Generator, draws: int, units: int) -> Floats:
    """Shares of the critical path [station, draw, 2]."""
    layout = log.layout
    edge = _EDGE * layout.stations
    total = units + 2 * edge
    ratios = np.repeat(posterior.draw(rng, draws), 2, axis=1)
    came = [log.products[passage.unit] for passage in log.passages[layout.last]] or [None]
    first = rng.integers(0, len(came))
    products = [came[(first + place) % len(came)] for place in range(total)]
    times = posterior.times(rng, ratios, posterior.standards.table(products))
    gaps, waits = _outside(log, rng, total, 2 * draws)
    shares = path_shares(run(times, layout, waits=waits, start_waits=gaps), skip=edge).own
    return np.asarray(shares.reshape(layout.stations, draws, 2))


def _outside(
    log: LineLog, rng: np.random.Generator, units: int, replications: int
) -> tuple[Floats | None, Floats | None]:
    """Delays of starts and lengthenings of cycles from outside, as units of the record met them."""
    sample = Sample.of(last_units(log, REPLAYED))
    tables = sample.seen_gaps, sample.seen_waits
    if not any(table.any() for table in tables):
        return None, None
    drawn = rng.integers(0, sample.units, (units, replications))
    gaps, waits = (spread(table, drawn) if table.any() else None for table in tables)
    return gaps, waits


def leading(elasticity: Floats, rng: np.random.Generator) -> Floats:
    """In which share of draws each station has the largest elasticity [station].

    What the two runs of a draw [station, draw, 2] differ is the simulation's own scatter: it is taken out of the
    draws, and put on their mean, which so many runs know no better.
    """
    of_draw = elasticity.mean(axis=2)
    draws = of_draw.shape[1]
    centre = of_draw.mean(axis=1, keepdims=True)
    noise = (elasticity[..., 0] - elasticity[..., 1]).var(axis=1, keepdims=True) / 4
    spread = of_draw.var(axis=1, keepdims=True)
    keep = np.sqrt(np.clip(1 - noise / np.maximum(spread, 1e-18), 0.0, 1.0))
    unsure = np.sqrt(noise / draws) * rng.standard_normal((len(of_draw), draws))
    cleaned = centre + keep * (of_draw - centre) + unsure
    counted = np.bincount(cleaned.argmax(axis=0), minlength=len(cleaned)) + 1 / len(cleaned)
    return np.asarray(counted / counted.sum())


def compared(log: LineLog) -> LineLog:
    """The log with the mean of all stations, by product, in place of a plan: stations are drawn towards each other."""
    means = [float(np.mean(own)) if own else 0.0 for own in _owns(log)]
    known = [mean for mean in means if mean > 0]
    if not known:
        return log
    level = float(np.mean(known))
    factors: dict[str, list[float]] = {}
    for mean, its in zip(means, log.passages, strict=True):
        for passage in its if mean > 0 else ():
            if (own := passage.measured) is not None:
                factors.setdefault(log.products[passage.unit] or "", []).append(own / mean)
    plan = {product: level * (sum(its) + 3.0) / (len(its) + 3.0) for product, its in factors.items()}
    return msgspec.structs.replace(log, planned=[plan for _ in log.passages])


def _owns(log: LineLog) -> list[list[float]]:
    return [[own for passage in its if (own := passage.measured) is not None] for its in log.passages]
