"""Is the forecast honest? Simulated years, foreseen from some days of each, against what came of them.

The years come from a plant that is told event by event and shares no code with the forecast. Beside it: the same
simulation without what isn't known of its parameters (plug-in), and a bootstrap of the daily output (run rate).
Prints one JSON line; ``forecast_report.py`` makes the table and the picture in docs/explanations of it.
"""

import argparse
import heapq
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from linecontrol.flowline import Layout, LineLog, Passage
from linecontrol.flowline.learn import learn
from linecontrol.flowline.live import live
from linecontrol.flowline.path import critical_path
from linecontrol.flowline.ratios import FORECAST
from linecontrol.target.future import Simulator
from linecontrol.target.hindsight import Past
from linecontrol.target.lost import hours_ahead, lost_parts
from linecontrol.target.outlook import foresee
from linecontrol.target.prospect import Goal, Prospect

Floats = NDArray[np.float64]

DAYS, HOURS, STATIONS = 250, 7.5, 14
FILLED = 120.0
"""Hours that the line has worked when the year, and with it the record, begins."""
FAMILIES = ["a", "b", "c", "d"]
SEEN = (15, 40, 125)
METHODS = ("forecast", "plug-in", "run rate")
CELLS = ("usual", "other", "silent", "drift", "learning", "rare", "broad")
MIX = [0.4, 0.3, 0.2, 0.1]


class Year(Struct):
    """What happened: [unit, station] in working hours; nothing of it is known before it happened.

    ``stops`` of the whole line are ``(begin, hours)``, ``told`` those that are recorded as waits.
    """

    buffers: tuple[int, ...]
    planned: Floats
    products: list[int]
    start: Floats
    complete: Floats
    departure: Floats
    stops: list[tuple[float, float]]
    told: list[tuple[float, float]]

    @property
    def total(self) -> int:
        """Units of the year."""
        return self.done(DAYS * HOURS)

    def done(self, now: float) -> int:
        """Units that have left since the year began."""
        return int(((self.departure[:, -1] > 0) & (self.departure[:, -1] <= now)).sum())


def make_year(rng: np.random.Generator, cell: str) -> Year:
    """A year of a line of 14 stations and four families: plan errors, scatter, stops, and hours that are lost.

    ``other``: gamma scatter of differing size, difficult units at all stations, rare very long stops, many lost
    hours. ``silent``: lost hours are not in the record, cycles are just longer. ``drift``: 8 % faster by and by.
    ``learning``: cycles are longer in the first weeks. ``rare``: few lost hours, but whole lost days. ``broad``: 6 to
    20 stations with up to 3 places, scatter and stops of any kind, lost hours and days of which some are recorded and
    some not, a learning curve.
    """
    broad = cell == "broad"
    stations = int(rng.integers(6, 21)) if broad else STATIONS
    units = 1100
    products = rng.choice(4, units, p=MIX).tolist()
    planned = rng.uniform(1.9, 2.25, stations)[None, :] * rng.uniform(0.9, 1.1, (4, stations))
    ratios = 1 + rng.normal(0.02, 0.05) + rng.normal(0, 0.07, stations)
    shape = (units, stations)
    if cell == "other":
        scatter = _gamma(rng, shape) * rng.lognormal(-0.0018, 0.06, (units, 1))
        stops = (rng.random(shape) < 0.008) * rng.uniform(1, 8, shape)
    elif broad:
        scatter = _gamma(rng, shape) if rng.random() < 0.5 else _lognormal(rng, shape, rng.uniform(0.08, 0.3))
        mean = rng.uniform(0.3, 1.5)
        lasts = rng.exponential(mean, shape) if rng.random() < 0.7 else np.minimum(mean * rng.pareto(2.0, shape), 20.0)
        stops = (rng.random(shape) < rng.uniform(0.01, 0.05)) * lasts
    else:
        scatter = _lognormal(rng, shape, 0.15)
        stops = (rng.random(shape) < 0.03) * (0.25 + rng.exponential(1.0, shape))
    times = planned[products] * ratios * scatter + stops
    size = rng.uniform(0.0 if broad else 0.1, 0.3) if broad or cell == "learning" else 0.0
    weeks = rng.uniform(1.0, 4.0)
    if cell == "drift":
        times *= 1 - 0.08 * np.minimum(np.arange(units) / 700, 1)[:, None]
    lost = _lost(rng, cell)
    buffers = tuple(rng.integers(0, 4 if broad else 3, stations - 1).tolist())
    begun = [(day * HOURS + rng.random() * (HOURS - its), its) for day, its in enumerate(lost.tolist()) if its > 0]
    recorded = rng.random() if broad else float(cell != "silent")
    told = [each for each in begun if rng.random() < recorded]

    def pace(now: float) -> float:
        return 1 + size * math.exp(-max(now - FILLED, 0.0) / (5 * HOURS * weeks))

    start, complete, departure = (_with_stops(each - FILLED, begun) for each in tell(times, buffers, pace))
    return Year(buffers, planned, products, start, complete, departure, begun, told)


def _gamma(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Scatter of 8 to 30 % by station, mean 1."""
    cv = rng.uniform(0.08, 0.3, shape[1])
    return np.asarray(rng.gamma(1 / cv**2, cv**2, shape))


def _lognormal(rng: np.random.Generator, shape: tuple[int, int], cv: float) -> Floats:
    return np.asarray(rng.lognormal(-0.5 * np.log(1 + cv**2), np.sqrt(np.log(1 + cv**2)), shape))


def _lost(rng: np.random.Generator, cell: str) -> Floats:
    """Hours lost on each day."""
    if cell == "other":
        return np.where(rng.random(DAYS) < 0.4, rng.uniform(0, 2.5, DAYS), 0.0)
    chance, mean, days = 0.3, 1.0, 0.0
    if cell == "rare":
        chance, days = 0.05, 0.02
    elif cell == "broad":
        chance, mean, days = rng.uniform(0.05, 0.35), rng.uniform(0.4, 1.8), rng.uniform(0.0, 0.015)
    hours = np.where(rng.random(DAYS) < chance, np.minimum(rng.exponential(mean, DAYS), 6.0), 0.0)
    return np.asarray(np.where(rng.random(DAYS) < days, HOURS, hours))


def tell(
    times: Floats, buffers: tuple[int, ...], pace: Callable[[float], float] = lambda now: 1.0
) -> tuple[Floats, Floats, Floats]:
    """Starts, completions, departures [unit, station] of a line, told event by event.

    What starts at a time takes ``pace`` times as long.
    """
    units, stations = times.shape
    needs = times.tolist()
    start, complete, departure = (np.full(times.shape, np.inf) for _ in range(3))
    at = [-1] * stations
    done = [False] * stations
    shelf: list[list[int]] = [[] for _ in range(stations)]
    events: list[tuple[float, int]] = []
    fresh = 0

    def begin(now: float, station: int, unit: int) -> None:
        at[station], done[station] = unit, False
        start[unit, station] = now
        heapq.heappush(events, (now + needs[unit][station] * pace(now), station))

    def leave(now: float, station: int) -> int:
        unit, at[station] = at[station], -1
        departure[unit, station] = now
        return unit

    def settle(now: float, station: int) -> None:
        """Let units move at a station that has changed, and then at its neighbours."""
        nonlocal fresh
        if at[station] >= 0 and done[station]:
            if station == stations - 1:
                leave(now, station)
            elif at[station + 1] < 0:
                begin(now, station + 1, leave(now, station))
            elif len(shelf[station]) < buffers[station]:
                shelf[station].append(leave(now, station))
        if at[station] < 0:
            if station == 0:
                if fresh < units:
                    begin(now, 0, fresh)
                    fresh += 1
            elif shelf[station - 1]:
                begin(now, station, shelf[station - 1].pop(0))
                settle(now, station - 1)
            else:
                settle(now, station - 1)

    settle(0.0, 0)
    while events:
        now, station = heapq.heappop(events)
        complete[at[station], station] = now
        done[station] = True
        settle(now, station)
    return start, complete, departure


def _with_stops(times: Floats, stops: list[tuple[float, float]]) -> Floats:
    """The line stood still for so long from then on: all that had not happened by then happens later."""
    begins = np.array([begin for begin, _ in stops])
    gone = np.concatenate([[0.0], np.cumsum([its for _, its in stops])])
    worked = begins - gone[:-1]
    return np.asarray(times + gone[np.searchsorted(worked, times, side="left")])


def record(year: Year, now: float) -> LineLog:
    """What the gateway knows by then."""
    stations = year.planned.shape[1]
    names = [f"s{i}" for i in range(stations)]
    passages: list[list[Passage]] = []
    for i in range(stations):
        its = []
        for unit in np.flatnonzero((year.start[:, i] >= 0) & (year.start[:, i] <= now)).tolist():
            start = float(year.start[unit, i])
            complete, departure = (
                float(each) if each <= now else None for each in (year.complete[unit, i], year.departure[unit, i])
            )
            until = now if complete is None else complete
            stopped = sum(max(0.0, min(until, b + s) - max(start, b)) for b, s in _near(year.told, start, until))
            waits = {"power": stopped} if stopped else {}
            its.append(Passage(unit, i, start, complete, departure, waits=waits))
        passages.append(its)
    known = 1 + max(each.unit for each in passages[0])
    products: list[str | None] = [FAMILIES[each] for each in year.products[:known]]
    planned = [{FAMILIES[f]: float(year.planned[f, i]) for f in range(4)} for i in range(stations)]
    layout = Layout.chain(year.buffers)
    return LineLog(layout, names, [str(u) for u in range(known)], products, passages, planned, 0.0, now)


def _near(stops: list[tuple[float, float]], start: float, end: float) -> list[tuple[float, float]]:
    """Stops that may overlap; none lasts a day."""
    low = np.searchsorted([begin for begin, _ in stops], start - HOURS)
    high = np.searchsorted([begin for begin, _ in stops], end)
    return stops[low:high]


def prospect_of(year: Year, day: int) -> Prospect:
    """The year seen from the end of a day."""
    days = [(each * HOURS, (each + 1) * HOURS) for each in range(DAYS)]
    log = record(year, day * HOURS)
    mix = dict(zip(FAMILIES, MIX, strict=True))
    return Prospect(log, days, [Goal("year", 10_000, year.done(day * HOURS), DAYS * HOURS)], mix=mix)


def plug_in(prospect: Prospect, replications: int, rng: np.random.Generator) -> Floats:
    """The same simulation with measured means as if they were true."""
    log = prospect.log
    posterior = learn(log, replace(FORECAST, practice=False))
    parts = lost_parts(critical_path(log), prospect.days)
    means = np.where(posterior.count > 0, posterior.mean, 1.0)
    hours = hours_ahead(parts, prospect.days, log.end, rng, replications)
    ratios = np.repeat(means[:, None], replications, axis=1)
    simulator = Simulator(
        prospect, posterior, live(log), ratios, hours, np.zeros(replications, dtype=np.intp), Past(0, 0.0)
    )
    future = simulator.run(rng, DAYS * HOURS)
    return np.asarray(prospect.goals[0].done + future.output.count(frozenset(), DAYS * HOURS), dtype=float)


def run_rate(year: Year, day: int, replications: int, rng: np.random.Generator) -> Floats:
    """Days to come are days as they were."""
    leaves = year.departure[:, -1]
    counts = np.histogram(leaves, bins=np.arange(day + 1) * HOURS)[0]
    return np.asarray(counts.sum() + rng.choice(counts, (DAYS - day, replications)).sum(axis=0), dtype=float)


def crps(samples: Floats, truth: float) -> float:
    """Continuous ranked probability score of an ensemble."""
    ordered = np.sort(samples)
    n = len(ordered)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float(np.abs(ordered - truth).mean() - (weights @ ordered) / n**2)


def brier(probability: float, *, happened: bool) -> float:
    """Squared error of a probability."""
    return (probability - happened) ** 2


def pit(samples: Floats, truth: float, rng: np.random.Generator) -> float:
    """Where the truth lies among the samples, ties spread evenly."""
    return float((samples < truth).mean() + rng.random() * (samples == truth).mean())


def study(
    years: int, cell: str, seed: int, replications: int, seen: tuple[int, ...], tell_me: Callable[[str], None]
) -> list[dict[str, object]]:
    """One row for each day: scores of the methods over the years; the target is the years' median."""
    made = [make_year(np.random.default_rng([seed, k, CELLS.index(cell)]), cell) for k in range(years)]
    totals = np.array([year.total for year in made], dtype=float)
    target = float(np.median(totals))
    tell_me(f"{cell}: {years} years, median {target:.0f} units, sd {totals.std():.1f}")
    rows: list[dict[str, object]] = []
    for day in seen:
        begun = time.perf_counter()
        samples = [_sampled(year, day, [seed, k, day], replications) for k, year in enumerate(made)]
        for m, method in enumerate(METHODS):
            its = [each[m] for each in samples]
            rows.append(
                {"day": day, "method": method, **_scores(its, totals, target, [seed, day, m], cautious=day < 40)}
            )
            tell_me(f"day {day} {method}: {rows[-1]} ({time.perf_counter() - begun:.0f} s)")
    return rows


def _sampled(year: Year, day: int, seed: list[int], replications: int) -> list[Floats]:
    prospect = prospect_of(year, day)
    rng = np.random.default_rng(seed)
    outlook = foresee(prospect, replications=replications, seed=int(rng.integers(1 << 30)))
    totals = np.asarray(outlook.goals["year"].totals, dtype=float)
    return [totals, plug_in(prospect, replications // 2, rng), run_rate(year, day, replications, rng)]


def _scores(
    samples: list[Floats], totals: Floats, target: float, seed: list[int], *, cautious: bool
) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    low = np.array([np.quantile(each, 0.1) for each in samples])
    high = np.array([np.quantile(each, 0.9) for each in samples])
    met = [float((each >= target).mean()) for each in samples]
    if cautious:
        met = [min(max(each, 0.02), 0.98) for each in met]
    places = np.array([pit(each, truth, rng) for each, truth in zip(samples, totals, strict=True)])
    bins = np.histogram(places, bins=10, range=(0, 1))[0]
    expected = len(totals) / 10
    return {
        "coverage": float(((low <= totals) & (totals <= high)).mean()),
        "crps": float(np.mean([crps(each, truth) for each, truth in zip(samples, totals, strict=True)])),
        "brier": float(np.mean([brier(p, happened=truth >= target) for p, truth in zip(met, totals, strict=True)])),
        "width": float((high - low).mean()),
        "bias": float(np.mean([np.median(each) - truth for each, truth in zip(samples, totals, strict=True)])),
        "pit_chi2": float(((bins - expected) ** 2 / expected).sum()),
        "pit": bins.tolist(),
    }


def main() -> None:
    """Run the study and print its rows as one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=600)
    parser.add_argument("--cell", choices=CELLS, default="usual")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--days", type=int, nargs="*", default=SEEN)
    parser.add_argument("--out", type=Path, help="write the JSON there as well")
    given = parser.parse_args()
    rows = study(
        given.years,
        given.cell,
        given.seed,
        given.replications,
        tuple(given.days),
        lambda text: print(text, file=sys.stderr, flush=True),
    )
    line = json.dumps(
        {
            "benchmark": "forecast_years",
            "cell": given.cell,
            "years": given.years,
            "seed": given.seed,
            "replications": given.replications,
            "rows": rows,
        }
    )
    print(line)
    if given.out:
        given.out.write_text(line + "\n")


if __name__ == "__main__":
    main()
