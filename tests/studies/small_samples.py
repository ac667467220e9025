"""Random lines of twelve stations, records of few units of them, and how often a method finds the bottleneck.

Four families of lines: *mixed* (stations near-balanced at 2.0 to 2.35 h), *unbalanced* (1.5 to 2.35 h), *breakdowns*
(mixed, and stops of 0.75 to 3 h that take 1 to 6 % of the time) and *classic* (one station 25 % slower than the
others, 3 to 5 places between stations, coefficient of variation .35). But for classic: coefficient of variation .12,
0, 0, 1 or 2 places between stations, and four products whose times at each station differ by up to 10 % from the
station's mean. The truth is the station with the largest share of the critical path over ``truths``
times 260,000 units.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.bottleneck.active import active_periods, settled
from linecontrol.bottleneck.arrow import arrows, fractions
from linecontrol.bottleneck.chances import chances
from linecontrol.bottleneck.verdict import suspects_of
from linecontrol.flowline import Layout, LineLog, Passage, run
from linecontrol.flowline.walk import path_shares

Floats = NDArray[np.float64]

FAMILIES = ("mixed", "unbalanced", "breakdowns", "classic")
WINDOWS = (16, 64, 200, 700)
PLANS = ("no plan", "plan")
_STATIONS = 12
_PRODUCTS = 4
_WARM = 60
_TRUTH = (1_300, 200)


class Line(Struct, frozen=True):
    """A line: mean times [station], products' factors [product, station], stops as (chance in a cycle, mean length)."""

    layout: Layout
    means: Floats
    factors: Floats
    cv: float
    stops: tuple[Floats, Floats] | None

    def times(self, rng: np.random.Generator, units: int, replications: int) -> tuple[Floats, NDArray[np.int64]]:
        """Own times [unit, station, replication] and the units' products."""
        products = rng.integers(0, _PRODUCTS, units)
        sigma = np.sqrt(np.log1p(self.cv**2))
        shape = (units, len(self.means), replications)
        times = rng.lognormal(-(sigma**2) / 2, sigma, shape) * (self.means * self.factors[products])[:, :, None]
        if self.stops is not None:
            chance, length = self.stops
            stopped = rng.random(shape) < chance[None, :, None]
            times = times + stopped * rng.exponential(1.0, shape) * length[None, :, None]
        return times, products


def line(rng: np.random.Generator, family: str) -> Line:
    """A random line of a family."""
    places = tuple(int(each) for each in rng.choice([0, 0, 1, 2], _STATIONS - 1))
    factors = 1 + rng.uniform(-0.1, 0.1, (_PRODUCTS, _STATIONS))
    means = rng.uniform(1.5 if family == "unbalanced" else 2.0, 2.35, _STATIONS)
    stops = None
    if family == "classic":
        places = tuple(int(each) for each in rng.integers(3, 6, _STATIONS - 1))
        factors = np.ones((_PRODUCTS, _STATIONS))
        means = np.full(_STATIONS, 2.0)
        means[rng.integers(_STATIONS)] *= 1.25
    if family == "breakdowns":
        part, length = rng.uniform(0.01, 0.06, _STATIONS), rng.uniform(0.75, 3.0, _STATIONS)
        stops = (part * means / length, length)
    return Line(Layout.chain(places), means, factors, 0.35 if family == "classic" else 0.12, stops)


def elasticity(rng: np.random.Generator, its: Line, truths: int) -> Floats:
    """The true elasticity of the throughput [station]."""
    shares = [path_shares(run(its.times(rng, *_TRUTH)[0], its.layout), skip=50).own.mean(axis=1) for _ in range(truths)]
    return np.asarray(np.mean(shares, axis=0))


def record(rng: np.random.Generator, its: Line, units: int, plan: str) -> LineLog:
    """What so many units of a running line leave on record.

    A plan is wrong: by N(.02, .05) as a whole and N(0, .07) at each station.
    """
    times, products = its.times(rng, units + _WARM, 1)
    done = run(times, its.layout)
    complete, departure = done.complete[:, :, 0], done.departure[:, :, 0]
    start = complete - times[:, :, 0]
    stations = range(_STATIONS)
    passages = [
        [
            Passage(unit - _WARM, at, float(start[unit, at]), float(complete[unit, at]), float(departure[unit, at]))
            for unit in range(_WARM, _WARM + units)
        ]
        for at in stations
    ]
    planned: list[dict[str, float]] = [{} for _ in stations]
    if plan == "plan":
        wrong = 1 + rng.normal(0.02, 0.05) + rng.normal(0, 0.07, _STATIONS)
        table = its.means * its.factors / wrong
        planned = [{str(product): float(table[product, at]) for product in range(_PRODUCTS)} for at in stations]
    return LineLog(
        its.layout,
        [f"s{at + 1}" for at in stations],
        [str(unit) for unit in range(units)],
        [str(product) for product in products[_WARM:]],
        passages,
        planned,
        float(start[_WARM, 0]),
        float(departure[-1, -1]),
    )


@cache
def known_lines(family: str, lines: int, seed: int, truths: int) -> list[tuple[Line, Floats]]:
    """So many random lines of a family, and the true elasticities of each."""
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    drawn = [line(rng, family) for _ in range(lines)]
    return [(its, elasticity(rng, its, truths)) for its in drawn]


class Score(Struct, frozen=True):
    """Of one record: what was found right. ``efficiency`` is the chosen station's elasticity by the largest one."""

    hit: bool
    efficiency: float
    held: bool
    size: int
    arrow: bool
    active: bool


def scores(
    family: str, units: int, plan: str, *, lines: int, seed: int, records: int = 3, truths: int = 1
) -> Iterator[Score]:
    """Scores of ``records`` records of each of ``lines`` random lines, the same ones for all windows and plans."""
    rng = np.random.default_rng([seed, FAMILIES.index(family), units])
    for its, truth in known_lines(family, lines, seed, truths):
        best = int(truth.argmax())
        for number in range(records):
            log = record(rng, its, units, plan)
            suspects = suspects_of(chances(log, seed=number).probability)
            parts = fractions(log)
            shares = settled(active_periods(log), now=log.end).share
            yield Score(
                hit=suspects[0] == best,
                efficiency=float(truth[suspects[0]] / truth[best]),
                held=best in suspects,
                size=len(suspects),
                arrow=arrows(parts.blocked, parts.starved).primary == best,
                active=int(np.argmax(shares)) == best,
            )
