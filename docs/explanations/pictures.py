"""Draws the pictures of bottleneck-and-forecast.md from a simulated year: python docs/explanations/pictures.py.

The line is made up: twelve stations by hand, four models that differ by 10 % at each station, planned evenly. Each
run draws the same pictures, and prints the figures that the page names as one JSON line.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from linecontrol.bottleneck.whatif import Times, gains
from linecontrol.flowline import Layout, LineLog, Passage, Run, critical_shares, run
from linecontrol.flowline.learn import learn

Floats = NDArray[np.float64]
Facts = dict[str, object]
HERE = Path(__file__).parent / "pictures"
PLANT = 15
"""Seed of the plant whose suspects are shown."""
YEAR = 7
"""Seed of the year whose forecasts are shown."""
INK, SOFT, QUIET, RED, BLUE, GREEN = "#10171f", "#52606e", "#c5ced6", "#c22f0a", "#0b66b0", "#00734f"

PLACES = (2, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0)
"""For units between the stations of the line."""
LINE = Layout.chain(PLACES)
STATIONS, MODELS, UNITS = 12, 4, 700
"""Units of one year."""
PLANNED = 2.2
"""Hours that the plan gives each station for a unit."""
SPREAD = 0.12
"""Standard deviation of a cycle, relative to its mean."""
_DRAW = np.random.default_rng(1)
MEANS = _DRAW.uniform(2.0, 2.35, STATIONS)
"""Hours that the stations need for a unit, in the mean."""
_DRAW.choice([0, 0, 1, 2], STATIONS - 1)
_FACTORS = _DRAW.uniform(0.9, 1.1, (MODELS, STATIONS))
MODEL_FACTORS = _FACTORS / _FACTORS.mean(axis=0)
"""How much more or less a model needs at each station."""


def cycles(rng: np.random.Generator, means: Floats, spread: float, units: int, replications: int) -> Floats:
    """Lognormal own times [unit, station, replication]."""
    width = np.sqrt(np.log1p(spread**2))
    shape = (units, len(means), replications)
    return np.asarray(means[None, :, None] * np.exp(rng.normal(-(width**2) / 2, width, shape)))


def mixed(rng: np.random.Generator, units: int, replications: int) -> tuple[Floats, NDArray[np.int64]]:
    """Own times on the line [unit, station, replication], and each unit's model [unit, replication]."""
    models = rng.integers(0, MODELS, (units, replications))
    return cycles(rng, MEANS, SPREAD, units, replications) * MODEL_FACTORS[models].transpose(0, 2, 1), models


def truth() -> Floats:
    """Each station's share of the critical path in the long run."""
    times, _ = mixed(np.random.default_rng(2), 8000, 6)
    return np.asarray(critical_shares(run(times, LINE), skip=200).mean(axis=1))


def record(told: Run, models: NDArray[np.int64], planned: Floats, until: float) -> LineLog:
    """What a gateway has recorded of the line by then; ``planned`` [station, model] are the plan's hours."""
    names = [f"model {model + 1}" for model in range(MODELS)]
    start, complete, departure = told.start[:, :, 0], told.complete[:, :, 0], told.departure[:, :, 0]

    def known(at: float) -> float | None:
        return float(at) if at <= until else None

    return LineLog(
        layout=LINE,
        stations=[str(i + 1) for i in range(STATIONS)],
        units=[str(unit + 1) for unit in range(len(models))],
        products=[names[model] for model in models],
        passages=[
            [
                Passage(unit, i, float(start[unit, i]), known(complete[unit, i]), known(departure[unit, i]))
                for unit in range(len(models))
                if start[unit, i] < until
            ]
            for i in range(STATIONS)
        ],
        planned=[dict(zip(names, its.tolist(), strict=True)) for its in planned],
        begin=0.0,
        end=until,
    )


def a_year(seed: int, units: int = UNITS) -> LineLog:
    """The record of so many units."""
    times, models = mixed(np.random.default_rng(seed), units, 1)
    told = run(times, LINE)
    return record(told, models[:, 0], np.full((STATIONS, MODELS), PLANNED), float(told.leaves[-1, 0]))


# --- years of which nobody knows the end ------------------------------------------------------------------------

DAYS, DAY = 250, 7.5
"""Working days of a year, and the hours of one."""
MOST = 900
"""Units that are begun at the most."""
_PLAN_ERROR, _PLAN_SPREAD, _STATION_SPREAD = 1.06, 0.07, 0.08
"""Plans are missed by 6 % in the mean, one plan more than another, and one station more than another."""
_PRIOR_DAYS = 20


def _lost(rng: np.random.Generator, days: int) -> Floats:
    """Hours lost by a day: little on most of them, much on a few."""
    return np.asarray(np.minimum(rng.exponential(0.3, days) + (rng.random(days) < 0.06) * rng.uniform(1, 7, days), DAY))


class Year:
    """A year of the line: its stations need more or less than planned, and nobody knows how much."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        ratios = rng.normal(rng.normal(_PLAN_ERROR, _PLAN_SPREAD), _STATION_SPREAD, STATIONS)
        self._seed = seed
        self._models = rng.integers(0, MODELS, MOST)
        self._planned = PLANNED * MODEL_FACTORS[self._models]
        self._times = self._planned[:, :, None] * cycles(rng, ratios, SPREAD, MOST, 1)
        self._run = run(self._times, LINE)
        self._lost = np.minimum(rng.lognormal(0, 0.3) * _lost(rng, DAYS), DAY)
        self._hours = np.concatenate([[0.0], np.cumsum(DAY - self._lost)])

    @property
    def total(self) -> int:
        """Units built in the end."""
        return int((self._run.leaves[:, 0] <= self._hours[-1]).sum())

    def forecast(self, day: int, replications: int = 400) -> Floats:
        """Units of the year [replication], from what is known at the end of a day.

        What is over is as it was. Every cycle to come is drawn, its station's mean from those that agree with what
        was measured; every day to come loses what one of the days before lost.
        """
        rng = np.random.default_rng([self._seed, day])
        hour = float(self._hours[day])
        posterior = learn(record(self._run, self._models, PLANNED * MODEL_FACTORS.T, hour))
        ratios = posterior.draw(rng, replications)
        times = posterior.times(rng, ratios, self._planned)
        start, complete = self._run.start[:, :, 0], self._run.complete[:, :, 0]
        for unit, i in np.argwhere((start < hour) & (complete > hour)):
            elapsed = hour - float(start[unit, i])
            times[unit, i] = elapsed + posterior.left(rng, ratios[i], float(self._planned[unit, i]), int(i), elapsed)
        leaves = run(np.where((complete <= hour)[:, :, None], self._times, times), LINE).leaves
        days = np.concatenate([self._lost[:day], _lost(np.random.default_rng(8), _PRIOR_DAYS)])
        chances = rng.dirichlet(np.ones(len(days)), replications)
        lost = np.array([rng.choice(days, DAYS - day, p=each).sum() for each in chances])
        return np.asarray((leaves <= hour + DAY * (DAYS - day) - lost).sum(axis=0), dtype=np.float64)


# --- pictures -------------------------------------------------------------------------------------------------


def slowest() -> tuple[Figure, Facts]:
    """Why the slowest station need not be the bottleneck."""
    figure, ((times_a, times_b), (shares_a, shares_b)) = _figure(2, 2, 9.0, 4.6, width_ratios=[1, 2.4])
    four = np.array([2.5, 2.4, 2.4, 2.5])
    told = run(cycles(np.random.default_rng(3), four, 0.3, 20_000, 6), Layout.chain((0, 0, 0)))
    for means, shares, upper, lower, title in (
        (four, critical_shares(told, skip=200).mean(axis=1), times_a, shares_a, "Four stations, no places between"),
        (MEANS, truth(), times_b, shares_b, "Twelve stations, a few places (□) between them"),
    ):
        numbers = np.arange(1, len(means) + 1)
        slow = means > means.max() - 0.005
        neck = shares > 0.97 * shares.max()
        upper.scatter(numbers, means, s=60, c=[INK if each else QUIET for each in slow], zorder=2)
        upper.set_ylim(means.min() - 0.04, means.max() + 0.06)
        upper.annotate("slowest", (numbers[slow][0], means.max() + 0.03), ha="center", color=INK, fontsize=9)
        lower.bar(numbers, 100 * shares, color=[RED if each else QUIET for each in neck])
        lower.set_ylim(0, 118 * shares.max())
        lower.text(numbers[neck].mean(), 103 * shares.max(), "bottleneck", ha="center", color=RED, fontsize=9)
        upper.set_title(title)
        for axes in (upper, lower):
            axes.set_xticks(numbers)
            axes.set_xlim(0.4, len(means) + 0.6)
        lower.set_xlabel("station")
    times_a.set_ylabel("hours per unit")
    shares_a.set_ylabel("share of the\ncritical path, %")
    for number, its in enumerate(PLACES, 1):
        at = [number + 0.5 + 0.26 * (k - (its - 1) / 2) for k in range(its)]
        times_b.scatter(at, [MEANS.min() - 0.02] * its, marker="s", s=16, facecolors="none", edgecolors=SOFT)
    facts: Facts = {"hours": _round(MEANS, 2), "shares": _round(truth(), 3), "bottleneck": int(truth().argmax()) + 1}
    return figure, facts


def names() -> tuple[Figure, Facts]:
    """Whom the records of several plants would name that have the same line."""
    sizes, plants, warm = (16, 64, 200, 700), 400, 24
    figure, (row,) = _figure(1, 4, 9.0, 2.7, sharey=True)
    neck = int(truth().argmax())
    hits = []
    for axes, units in zip(row, sizes, strict=True):
        times, _ = mixed(np.random.default_rng(4), units + 2 * warm, plants)
        named = critical_shares(run(times, LINE), skip=warm).argmax(axis=0)
        parts = np.bincount(named, minlength=STATIONS) / plants
        hits.append(float(parts[neck]))
        numbers = np.arange(1, STATIONS + 1)
        axes.bar(numbers, 100 * parts, color=[RED if i == neck else QUIET for i in range(STATIONS)])
        axes.set_title(f"{units} units")
        axes.set_xticks(numbers[::2])
        axes.set_xlabel("station named")
    row[0].set_ylabel("% of plants")
    return figure, {"named rightly": dict(zip(map(str, sizes), _round(hits, 2), strict=True))}


def suspects() -> tuple[Figure, Facts]:
    """How probably each station is the bottleneck, by the record of one plant."""
    sizes, plays, units, warm = (16, 64, 200, 700), 400, 400, 40
    times, models = mixed(np.random.default_rng(PLANT), UNITS, 1)
    told, models = run(times, LINE), models[:, 0]
    figure, (row,) = _figure(1, 4, 9.0, 2.7, sharey=True)
    numbers, neck = np.arange(1, STATIONS + 1), int(truth().argmax())
    facts: Facts = {}
    for axes, size in zip(row, sizes, strict=True):
        log = record(told, models, np.full((STATIONS, MODELS), PLANNED), float(told.leaves[size - 1, 0]))
        rng = np.random.default_rng(9)
        posterior = learn(log)
        drawn = posterior.times(rng, posterior.draw(rng, plays), np.full((units, STATIONS), PLANNED))
        found = critical_shares(run(drawn, LINE), skip=warm).argmax(axis=0)
        chances = np.bincount(found, minlength=STATIONS) / plays
        order = np.argsort(-chances)
        held = order[: int(np.searchsorted(np.cumsum(chances[order]), 0.8)) + 1]
        axes.bar(numbers, 100 * chances, color=[INK if i in held else QUIET for i in range(STATIONS)])
        axes.annotate("true", (neck + 1, 100 * chances[neck] + 2), ha="center", color=RED, fontsize=9)
        axes.set_title(f"{size} units")
        axes.set_xticks(numbers[::2])
        axes.set_xlabel("station")
        facts[str(size)] = {str(i + 1): round(float(chances[i]), 2) for i in held}
    row[0].set_ylim(0, 70)
    row[0].set_ylabel("probability, %")
    return figure, facts


def ten_percent() -> tuple[Figure, Facts]:
    """What 10 % off a station's times gives, against ten times what 1 % gives."""
    log = a_year(5)
    times = np.array([[passage.own for passage in its] for its in log.passages]).T[:, :, None]
    shares = critical_shares(run(np.asarray(times, dtype=np.float64), LINE))[:, 0]
    found = gains(log, [Times(i, 0.9) for i in range(STATIONS)], seed=6)
    figure, ((axes,),) = _figure(1, 1, 9.0, 3.2)
    numbers = np.arange(1, STATIONS + 1)
    axes.bar(numbers, 0.1 * shares * UNITS, color=QUIET, label="10 times what 1 % gives")
    likely, low, high = (
        np.array([getattr(each, name) for each in found]) * UNITS for name in ("likely", "low", "high")
    )
    axes.errorbar(
        numbers, likely, yerr=np.array([likely - low, high - likely]), fmt="o", color=BLUE, capsize=3,
        label="the year replayed with 10 % off, and its 80 % interval",
    )  # fmt: skip
    axes.set_xticks(numbers)
    axes.set_xlabel("station")
    axes.set_ylabel("units a year")
    axes.legend(frameon=False, loc="upper left")
    best = int(likely.argmax())
    return figure, {
        "best": best + 1,
        "share": round(float(shares[best]), 3),
        "ten times": round(float(70 * shares[best]), 1),
        "replayed": _round([likely[best], low[best], high[best]], 1),
    }


def year() -> tuple[Figure, Facts]:
    """One year, forecast on every fifth day."""
    told, target = Year(YEAR), 660
    days = np.arange(0, DAYS + 1, 5)
    drawn = [told.forecast(int(day)) for day in days]
    low, likely, high = np.quantile(np.array(drawn), (0.1, 0.5, 0.9), axis=1)
    figure, (upper, lower) = _figure(2, 1, 9.0, 4.6, height_ratios=[2, 1], sharex=True)
    chances = np.array([np.mean(each >= target) for each in drawn])
    axes, below = upper[0], lower[0]
    axes.fill_between(days, low, high, color=BLUE, alpha=0.25, linewidth=0, label="8 of 10 simulated ends")
    axes.plot(days, likely, color=BLUE, label="likely")
    axes.axhline(target, color=RED, linestyle="--", linewidth=1.5, label=f"target {target}")
    axes.scatter([DAYS], [told.total], s=50, color=INK, zorder=3, clip_on=False, label=f"what came: {told.total}")
    axes.set_ylabel("units of the year")
    axes.legend(frameon=False, ncols=2, loc="lower right")
    below.plot(days, 100 * chances, color=RED)
    below.set_ylim(-3, 103)
    below.set_ylabel("met with, %")
    below.set_xlabel("said on working day")
    shown = {
        f"day {day}": _round([low[k], likely[k], high[k], 100 * chances[k]], 0)
        for k, day in enumerate(days)
        if day in (0, 5, 40, 125)
    }
    return figure, {**shown, "came": told.total}


def intervals() -> tuple[Figure, Facts]:
    """Forty years, each forecast on day 40, and how they ended."""
    figure, ((axes,),) = _figure(1, 1, 9.0, 4.6)
    years = [Year(seed) for seed in range(100, 140)]
    said = [np.quantile(each.forecast(40), (0.1, 0.9)) for each in years]
    held = [bool(low <= each.total <= high) for each, (low, high) in zip(years, said, strict=True)]
    for row, k in enumerate(np.argsort([each.total for each in years])):
        axes.plot(said[k], [row, row], color=BLUE, alpha=0.35, linewidth=5, solid_capstyle="butt")
        axes.scatter([years[k].total], [row], s=22, color=INK if held[k] else RED, zorder=2)
    axes.set_yticks([])
    axes.set_ylabel(f"{len(years)} years")
    axes.set_xlabel("units of the year: bars as said on day 40, dots as it came (red: outside)")
    return figure, {"held": sum(held), "of": len(held)}


# --- drawing --------------------------------------------------------------------------------------------------


def _figure(
    rows: int,
    columns: int,
    width: float,
    height: float,
    *,
    sharex: bool = False,
    sharey: bool = False,
    width_ratios: list[float] | None = None,
    height_ratios: list[float] | None = None,
) -> tuple[Figure, list[list[Axes]]]:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    grid = figure.subplots(
        rows,
        columns,
        squeeze=False,
        sharex=sharex,
        sharey=sharey,
        width_ratios=width_ratios,
        height_ratios=height_ratios,
    )
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, [list(row) for row in grid]


def _round(values: object, digits: int) -> list[float]:
    return [round(float(value), digits) for value in np.asarray(values)]


PICTURES: dict[str, Callable[[], tuple[Figure, Facts]]] = {
    "slowest": slowest,
    "names": names,
    "suspects": suspects,
    "ten-percent": ten_percent,
    "year": year,
    "intervals": intervals,
}


def _style() -> None:
    mpl.rc("svg", fonttype="none", hashsalt="linecontrol")
    mpl.rc("font", family="sans-serif", size=10)
    mpl.rc("axes", titlesize=11, labelcolor=SOFT, edgecolor=SOFT)
    mpl.rc("xtick", color=SOFT)
    mpl.rc("ytick", color=SOFT)
    mpl.rc("text", color=INK)


def main() -> None:
    """Draw all of them."""
    _style()
    facts = {}
    for name, draw in PICTURES.items():
        figure, facts[name] = draw()
        figure.savefig(HERE / f"{name}.svg", metadata={"Date": None, "Creator": None})
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
