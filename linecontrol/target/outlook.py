"""The honest forecast of the rest of the year: what may become of targets, commitments and kits, and how surely.

The line goes on from its live state (`linecontrol.target.future`). Each replication draws anew what is not known: the
stations' mean ratios to the plan (`linecontrol.flowline.learn`), the hours that are lost from outside
(`linecontrol.target.lost`), the products to come, every cycle.
"""

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from linecontrol.flowline.learn import Posterior, learn
from linecontrol.flowline.live import Live, live
from linecontrol.flowline.log import LineLog
from linecontrol.flowline.path import critical_path
from linecontrol.flowline.ratios import FORECAST
from linecontrol.flowline.standstill import with_standstills
from linecontrol.target.credit import Output, nth, served
from linecontrol.target.future import Future, Simulator, mix_of
from linecontrol.target.hindsight import Past
from linecontrol.target.load import hours_needed
from linecontrol.target.lost import EXPERIENCE, hours_ahead, lost_parts
from linecontrol.target.prospect import Goal, Pledge, Prospect, Supply
from linecontrol.target.supply import available, limit

Floats = NDArray[np.float64]

EVIDENCE_DAYS, EVIDENCE_UNITS = 40, 100
"""With fewer working days or units seen, no probability leaves ``CAUTIOUS``."""
CAUTIOUS = (0.02, 0.98)
LOW, LIKELY, HIGH = 0.1, 0.5, 0.9
_MARKS = 30
_RECENT = 20
_SPARE = 1.1


class Finish(Struct, frozen=True):
    """10, 50 and 90 % quantiles of a moment in working time; ``None`` beyond the days that the prospect has."""

    low: float | None
    likely: float | None
    high: float | None


class Mark(Struct, frozen=True):
    """10, 50 and 90 % quantiles of the units done by ``at``."""

    at: float
    low: float
    likely: float
    high: float


class GoalOutlook(Struct, frozen=True):
    """How a target may end.

    ``totals`` are the units at its end [replication], those done included; ``low``, ``likely`` and ``high`` their
    quantiles. ``prior_share`` is the part of their variance that comes from what only the plan and experience tell.
    ``hours_needed`` is what the station ``station`` that needs most needs at the least (98 % sure) for all targets of
    the line that end by then, ``hours_left`` the working time till the end; ``overload``: more is needed than left.
    Takts are working time per unit: over the last 20 units (or as many as there are), and from now on.
    """

    name: str
    units: int
    done: int
    probability: float
    low: float
    likely: float
    high: float
    finish: Finish
    fan: list[Mark]
    prior_share: float
    takt_achieved: float | None
    takt_required: float | None
    hours_needed: float
    hours_left: float
    overload: bool
    station: int
    kits_limit: int | None
    totals: NDArray[np.int_]


class PledgeOutlook(Struct, frozen=True):
    """How a commitment may end: ``finish`` is when its last unit leaves."""

    name: str
    probability: float
    finish: Finish


class SupplyOutlook(Struct, frozen=True):
    """When the first unit waits for a kit (``None``: in most futures none does); how many the targets lack."""

    name: str
    runs_out: float | None
    short: int


class Outlook(Struct, frozen=True):
    """The forecast; ``days`` and ``evidence`` are the working days and the units it has seen."""

    goals: dict[str, GoalOutlook]
    pledges: dict[str, PledgeOutlook]
    supplies: dict[str, SupplyOutlook]
    days: int
    evidence: int
    replications: int
    seed: int


def foresee(prospect: Prospect, *, replications: int = 1000, seed: int = 0) -> Outlook:
    """The rest of the year in so many futures; the same prospect and seed give the same outlook.

    Raises:
        TooManyUnits: the line makes too many to be forecast one by one (a ``ValueError``).
        ValueError: no working day lies ahead, or neither a plan nor a cycle tells any station's times.
    """
    return _Foresight(prospect, replications, seed).outlook()


class _Foresight:
    def __init__(self, prospect: Prospect, replications: int, seed: int) -> None:
        log = with_standstills(prospect.log, learn(prospect.log, replace(FORECAST, practice=False)))
        prospect = replace(prospect, log=log)
        self._prospect, self._replications, self._seed = prospect, replications, seed
        self._log, self._now = log, log.end
        rng = np.random.default_rng(seed)
        self._posterior: Posterior = learn(self._log, FORECAST)
        self._state: Live = live(self._log)
        path = critical_path(self._log)
        self._parts = lost_parts(path, prospect.days)
        curve = self._posterior.practice.draw(rng, replications)
        self._ratios = self._posterior.draw(rng, replications, curve)
        self._hours = hours_ahead(self._parts, prospect.days, self._now, rng, replications)
        left = exits(self._log, frozenset())
        past = Past.of(path, self._posterior, left)
        simulator = Simulator(prospect, self._posterior, self._state, self._ratios, self._hours, curve, past)
        self._mix = mix_of(prospect)
        self._future: Future = simulator.run(rng, *self._reach())
        self._evidence = len(left)

    def outlook(self) -> Outlook:
        prospect = self._prospect
        finishes = served(self._output, prospect.pledges)
        return Outlook(
            goals={goal.name: self._goal(goal) for goal in prospect.goals},
            pledges={pledge.name: self._pledge(pledge, finishes.get(pledge.name)) for pledge in prospect.pledges},
            supplies={supply.name: self._supply(supply) for supply in prospect.supplies},
            days=len(self._parts),
            evidence=self._evidence,
            replications=self._replications,
            seed=self._seed,
        )

    @property
    def _output(self) -> Output:
        return self._future.output

    def _reach(self) -> tuple[float, int]:
        """Until when units are needed, and how many at the least, so that most futures tell when targets are met."""
        prospect, last = self._prospect, float(self._hours.edges[-1])
        ends = [*(goal.end for goal in prospect.goals), *(pledge.due for pledge in prospect.pledges)]
        total = sum(self._mix.values())
        wanted = [0.0]
        for goal in prospect.goals:
            share = sum(share for name, share in self._mix.items() if not goal.products or name in goal.products)
            wanted.append(goal.left * total / share * _SPARE if share else 0.0)
        return min(max(ends, default=last), last), int(max(wanted))

    def _goal(self, goal: Goal) -> GoalOutlook:
        totals = goal.done + self._output.count(goal.products, goal.end)
        low, likely, high = np.quantile(totals, [LOW, LIKELY, HIGH])
        needed, station = hours_needed(goal, self._prospect, self._posterior, self._state, self._ratios)
        left = max(min(goal.end, float(self._hours.edges[-1])) - self._now, 0.0)
        achieved = exits(self._log, goal.products)[-_RECENT - 1 :]
        return GoalOutlook(
            name=goal.name,
            units=goal.units,
            done=goal.done,
            probability=self._probability(totals >= goal.units, settled=goal.left == 0 or goal.end <= self._now),
            low=float(low),
            likely=float(likely),
            high=float(high),
            finish=_finish(nth(self._output.leaves, self._output.of(goal.products), max(goal.left, 1))),
            fan=self._fan(goal),
            prior_share=self._prior_share(totals),
            takt_achieved=(achieved[-1] - achieved[0]) / (len(achieved) - 1) if len(achieved) > 1 else None,
            takt_required=left / goal.left if goal.left else None,
            hours_needed=needed,
            hours_left=left,
            overload=needed > left,
            station=station,
            kits_limit=limit(goal, self._prospect.supplies, list(self._mix), self._within(goal.products)),
            totals=totals,
        )

    def _fan(self, goal: Goal) -> list[Mark]:
        marks = np.linspace(self._now, max(goal.end, self._now), _MARKS)
        counted = np.where(self._output.of(goal.products), self._output.leaves, np.inf)
        counts = np.array([goal.done + (counted <= at).sum(axis=0) for at in marks])
        quantiles = np.quantile(counts, [LOW, LIKELY, HIGH], axis=1).T
        return [Mark(float(at), *map(float, each)) for at, each in zip(marks, quantiles, strict=True)]

    def _pledge(self, pledge: Pledge, finish: Floats | None) -> PledgeOutlook:
        if finish is None:
            return PledgeOutlook(pledge.name, 1.0, Finish(self._now, self._now, self._now))
        met = self._probability(finish <= pledge.due, settled=pledge.due <= self._now)
        return PledgeOutlook(pledge.name, met, _finish(finish))

    def _supply(self, supply: Supply) -> SupplyOutlook:
        mix = sum(self._mix.values())
        need, end = 0.0, self._now
        for goal in self._prospect.goals:
            of_goal = {name: share for name, share in self._mix.items() if not goal.products or name in goal.products}
            its = sum(share for name, share in of_goal.items() if name in supply.products)
            if its and mix:
                to_start = max(goal.left - self._within(goal.products), 0)
                need, end = need + to_start * its / sum(of_goal.values()), max(end, goal.end)
        there = available(supply, max(int(np.ceil(need - 1e-9)), 0), self._now)
        runs_out = float(np.quantile(self._future.starved[supply.name], 0.5, method="inverted_cdf"))
        return SupplyOutlook(
            supply.name, runs_out if np.isfinite(runs_out) else None, int((there >= end).sum()) if need else 0
        )

    def _within(self, products: frozenset[str]) -> int:
        """Units of some products that are in the line."""
        its = [self._log.products[unit] or "" for unit in self._state.units]
        return sum(not products or product in products for product in its)

    def _probability(self, met: NDArray[np.bool_], *, settled: bool) -> float:
        """Part of the futures in which something is met, kept off 0 and 1 unless it is settled."""
        if settled:
            return float(met[0])
        half = 0.5 / len(met)
        low, high = half, 1 - half
        if len(self._parts) < EVIDENCE_DAYS or self._evidence < EVIDENCE_UNITS:
            low, high = CAUTIOUS
        return float(np.clip(met.mean(), low, high))

    def _prior_share(self, totals: NDArray[np.int_]) -> float:
        """Part of the variance that a linear fit gives to what is not known, as far as that isn't measured yet."""
        if totals.std() == 0:
            return 0.0
        unknown = np.vstack([np.log(self._ratios), self._hours.loss])
        unknown = unknown - unknown.mean(axis=1, keepdims=True)
        varies = totals - totals.mean()
        slopes, *_ = np.linalg.lstsq(unknown.T, varies, rcond=None)
        parts = slopes * (unknown @ (slopes @ unknown)) / (varies @ varies)
        days = len(EXPERIENCE)
        prior = np.append(1 - self._posterior.weight, days / (days + len(self._parts)))
        return float(np.clip(parts @ prior, 0.0, 1.0))


def exits(log: LineLog, products: frozenset[str]) -> list[float]:
    """When units of some products (all if empty) left the line, in order."""
    passages = log.passages[log.layout.last]
    return sorted(
        each.complete
        for each in passages
        if each.complete is not None and (not products or log.products[each.unit] in products)
    )


def _finish(times: Floats) -> Finish:
    quantiles = np.quantile(times, [LOW, LIKELY, HIGH], method="inverted_cdf")
    return Finish(*(float(each) if np.isfinite(each) else None for each in quantiles))
