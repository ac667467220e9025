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

from linecontrol.bottleneck.verdict import judge
from linecontrol.bottleneck.whatif import Times, gains
from linecontrol.flowline import Layout, LineLog, Passage, Run, critical_shares, run
from linecontrol.target.outlook import GoalOutlook, foresee
from linecontrol.target.prospect import Goal, Prospect

Floats = NDArray[np.float64]
Facts = dict[str, object]
HERE = Path(__file__).parent / "pictures"
PLANT = 15
"""Seed of the plant whose suspects are shown."""
YEAR, TARGET = 7, 660
"""Seed of the year whose forecasts are shown, and the units that it should have built."""
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


def record(told: Run, models: NDArray[np.int64], planned: Floats, until: float, lost: Floats | None = None) -> LineLog:
    """What a gateway has recorded of the line by then; ``planned`` [station, model] are the plan's hours.

    ``lost`` are the hours that each day lost; the run knows nothing of them.
    """
    names = [f"model {model + 1}" for model in range(MODELS)]
    shape = told.complete.shape[:2]
    run_times = [each[:, :, 0] for each in (told.start, told.complete, told.departure)]
    start, complete, departure = (each if lost is None else working(each, lost) for each in run_times)
    waits = (complete - start) - (run_times[1] - run_times[0])

    def known(at: float) -> float | None:
        return float(at) if at <= until else None

    def passage(unit: int, i: int) -> Passage:
        its = Passage(unit, i, float(start[unit, i]), known(complete[unit, i]), known(departure[unit, i]))
        if waits[unit, i] > _TINY and its.complete is not None:
            its.waits["operator"] = float(waits[unit, i])
        return its

    return LineLog(
        layout=LINE,
        stations=[str(i + 1) for i in range(STATIONS)],
        units=[str(unit + 1) for unit in range(shape[0])],
        products=[names[model] for model in models],
        passages=[[passage(unit, i) for unit in range(shape[0]) if start[unit, i] < until] for i in range(STATIONS)],
        planned=[dict(zip(names, its.tolist(), strict=True)) for its in planned],
        begin=0.0,
        end=until,
    )


def working(times: Floats, lost: Floats) -> Floats:
    """Working time at which so many hours could be worked, if each day loses its last hours."""
    before = np.concatenate([[0.0], np.cumsum(DAY - lost)])
    day = np.minimum(np.searchsorted(before, times, side="right") - 1, len(lost))
    return np.asarray(DAY * day + times - before[day])


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
_TINY = 1e-9


def _lost(rng: np.random.Generator, days: int) -> Floats:
    """Hours lost by a day: little on most of them, much on a few."""
    return np.asarray(np.minimum(rng.exponential(0.3, days) + (rng.random(days) < 0.06) * rng.uniform(1, 7, days), DAY))


class Year:
    """A year of the line: its stations need more or less than planned, and nobody knows how much."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        ratios = rng.normal(rng.normal(_PLAN_ERROR, _PLAN_SPREAD), _STATION_SPREAD, STATIONS)
        self._models = rng.integers(0, MODELS, MOST)
        times = (PLANNED * MODEL_FACTORS[self._models])[:, :, None] * cycles(rng, ratios, SPREAD, MOST, 1)
        self._run = run(times, LINE)
        self._lost = np.minimum(rng.lognormal(0, 0.3) * _lost(rng, DAYS), DAY)
        self._leaves = working(self._run.leaves[:, 0], self._lost)

    def done(self, day: int) -> int:
        """Units built by the end of a day."""
        return int((self._leaves <= DAY * day).sum())

    def forecast(self, day: int, target: int) -> GoalOutlook:
        """What the gateway says of the target at the end of a day."""
        log = record(self._run, self._models, PLANNED * MODEL_FACTORS.T, DAY * day, self._lost)
        days = [(DAY * k, DAY * (k + 1)) for k in range(DAYS)]
        goal = Goal("year", target, self.done(day), DAY * DAYS)
        mix = {f"model {model + 1}": 1.0 for model in range(MODELS)}
        return foresee(Prospect(log, days, [goal], mix=mix), replications=400, seed=1).goals["year"]


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
    sizes = (16, 64, 200, 700)
    times, models = mixed(np.random.default_rng(PLANT), UNITS, 1)
    told = run(times, LINE)
    figure, (row,) = _figure(1, 4, 9.0, 2.7, sharey=True)
    numbers, neck = np.arange(1, STATIONS + 1), int(truth().argmax())
    facts: Facts = {}
    for axes, size in zip(row, sizes, strict=True):
        end = float(told.leaves[size - 1, 0])
        said = judge(record(told, models[:, 0], np.full((STATIONS, MODELS), PLANNED), end), seed=9)
        chances = np.array(said.probability)
        axes.bar(numbers, 100 * chances, color=[INK if i in said.suspects else QUIET for i in range(STATIONS)])
        axes.annotate("true", (neck + 1, 100 * chances[neck] + 2), ha="center", color=RED, fontsize=9)
        axes.set_title(f"{size} units")
        axes.set_xticks(numbers[::2])
        axes.set_xlabel("station")
        facts[str(size)] = {str(i + 1): round(float(chances[i]), 2) for i in said.suspects}
    row[0].set_ylim(0, 100)
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
    told, target = Year(YEAR), TARGET
    days = np.arange(0, DAYS, 5)
    said = [told.forecast(int(day), target) for day in days]
    low, likely, high, chances = (
        np.array([getattr(each, name) for each in said]) for name in ("low", "likely", "high", "probability")
    )
    figure, (upper, lower) = _figure(2, 1, 9.0, 4.6, height_ratios=[2, 1], sharex=True)
    axes, below, came = upper[0], lower[0], told.done(DAYS)
    axes.fill_between(days, low, high, color=BLUE, alpha=0.25, linewidth=0, label="8 of 10 simulated ends")
    axes.plot(days, likely, color=BLUE, label="likely")
    axes.axhline(target, color=RED, linestyle="--", linewidth=1.5, label=f"target {target}")
    axes.scatter([DAYS], [came], s=50, color=INK, zorder=3, clip_on=False, label=f"what came: {came}")
    axes.set_ylabel("units of the year")
    axes.legend(frameon=False, ncols=2, loc="lower right")
    below.plot(days, 100 * chances, color=RED)
    below.set_ylim(-3, 103)
    below.set_ylabel("met with, %")
    below.set_xlabel("said on working day")
    shown = {
        f"day {day}": _round([low[k], likely[k], high[k], 100 * chances[k], 100 * said[k].prior_share], 0)
        for k, day in enumerate(days)
        if day in (0, 5, 20, 40, 125)
    }
    return figure, {**shown, "came": came}


def intervals() -> tuple[Figure, Facts]:
    """Forty years, each forecast on day 40, and how they ended."""
    figure, ((axes,),) = _figure(1, 1, 9.0, 4.6)
    years = [Year(seed) for seed in range(100, 140)]
    said = [each.forecast(40, TARGET) for each in years]
    came = [each.done(DAYS) for each in years]
    held = [bool(each.low <= its <= each.high) for each, its in zip(said, came, strict=True)]
    for row, k in enumerate(np.argsort(came, kind="stable")):
        axes.plot([said[k].low, said[k].high], [row, row], color=BLUE, alpha=0.35, linewidth=5, solid_capstyle="butt")
        axes.scatter([came[k]], [row], s=22, color=INK if held[k] else RED, zorder=2)
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
