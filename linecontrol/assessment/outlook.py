"""The forecasts of a line's targets, commitments and kits, as events."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from linecontrol.assessment.bottleneck import seed_of
from linecontrol.assessment.prospect import Counts, Prospects, calendar_ns
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.flowline import LineLog
from linecontrol.model import AnyEvent, CommitmentForecast, FanPoint, KitForecast, TargetForecast
from linecontrol.target.future import TooManyUnits
from linecontrol.target.kit import Kits
from linecontrol.target.outlook import GoalOutlook, Outlook, foresee
from linecontrol.target.plan import Plan, Plans
from linecontrol.target.room import TargetMemory

REPLICATIONS = 1000
"""Futures that are simulated: the standard error of a probability is .016 at the most."""
_NS = 1_000_000_000


class Forecasts:
    """Foresees the rest of the year of one plant's lines."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar], plans: Plans) -> None:
        """``calendars`` holds each line's working time."""
        self._config, self._calendars, self._plans = config, calendars, plans
        self._prospects = Prospects(config, calendars)
        self._kits = Kits(config, calendars, plans)

    def of(self, line: str, log: LineLog, counts: Counts, at_ns: int) -> list[AnyEvent]:
        """How its targets, commitments and kits may end; nothing where none is due in the year to come.

        Nothing either where the line makes too many units to forecast them one by one.
        """
        prospect = self._prospects.of(line, log, at_ns, counts)
        if not (prospect.goals or prospect.pledges) or not prospect.days or prospect.days[-1][1] <= log.end:
            return []
        try:
            outlook = foresee(prospect, replications=REPLICATIONS, seed=seed_of(line, log))
        except TooManyUnits:
            return []
        told = _Told(self._calendars[line], log, at_ns)
        plans = {plan.name: plan for plan in self._plans.all()}
        said: list[AnyEvent] = [told.target(line, plans[name], goal, outlook) for name, goal in outlook.goals.items()]
        for name, pledge in outlook.pledges.items():
            promised = self._config.commitments[name]
            finish = pledge.finish
            said.append(
                CommitmentForecast(
                    at_ns=at_ns,
                    commitment=name,
                    family=promised.family,
                    market=promised.market,
                    due_ns=self._calendars[line].day_start(promised.due + timedelta(days=1)),
                    probability=pledge.probability,
                    finish_low_ns=told.when(finish.low),
                    finish_likely_ns=told.when(finish.likely),
                    finish_high_ns=told.when(finish.high),
                )
            )
        for name, supply in outlook.supplies.items():
            said.append(KitForecast(at_ns=at_ns, kit=name, runs_out_ns=told.when(supply.runs_out), short=supply.short))
        return said

    def counts(self, target: TargetMemory | None, at_ns: int) -> Counts:
        """What was counted by then."""
        done = {} if target is None else target.done
        served = {} if target is None else {name: its.done for name, its in target.served.items()}
        used = {} if target is None else target.used
        return Counts(
            done={plan.name: plan.opening + done.get(plan.name, 0) for plan in self._plans.all()},
            served=served,
            stock={kit: self._kits.say(kit, used, at_ns).stock for kit in self._config.kits},
        )


class _Told:
    """Working seconds of a record as moments on the wall."""

    def __init__(self, calendar: WorkCalendar, log: LineLog, at_ns: int) -> None:
        self._calendar, self._end, self._at_ns = calendar, log.end, at_ns

    def when(self, working: float | None) -> int | None:
        """The moment on the wall."""
        return None if working is None else calendar_ns(self._calendar, self._at_ns, working - self._end)

    def target(self, line: str, plan: Plan, goal: GoalOutlook, outlook: Outlook) -> TargetForecast:
        """How a target may end."""
        return TargetForecast(
            at_ns=self._at_ns,
            target=goal.name,
            line=line,
            family=plan.target.family,
            year=plan.target.year,
            units=goal.units,
            done=goal.done,
            probability=goal.probability,
            units_low=goal.low,
            units_likely=goal.likely,
            units_high=goal.high,
            finish_low_ns=self.when(goal.finish.low),
            finish_likely_ns=self.when(goal.finish.likely),
            finish_high_ns=self.when(goal.finish.high),
            takt_achieved_s=goal.takt_achieved,
            takt_required_s=goal.takt_required,
            prior_share=goal.prior_share,
            hours_needed=goal.hours_needed / 3600,
            hours_left=goal.hours_left / 3600,
            kits_limit=goal.kits_limit,
            evidence=outlook.evidence,
            replications=outlook.replications,
            seed=outlook.seed,
            fan=self._fan(goal, plan.target.year),
        )

    def _fan(self, goal: GoalOutlook, year: int) -> list[FanPoint]:
        """At the beginnings of the weeks to come and at the year's end: the same moments in every forecast."""
        calendar = self._calendar
        day = calendar.day_of(self._at_ns)
        day += timedelta(days=7 - day.weekday())
        moments = []
        while day.year == year:
            moments.append(calendar.day_start(day))
            day += timedelta(days=7)
        moments.append(calendar.day_start(date(year + 1, 1, 1)))
        at = [self._end + calendar.working_ns(self._at_ns, moment) / _NS for moment in moments]
        marks = [mark.at for mark in goal.fan]
        bands = [np.interp(at, marks, [getattr(mark, name) for mark in goal.fan]) for name in ("low", "likely", "high")]
        return [FanPoint(moment, *map(float, band)) for moment, *band in zip(moments, *bands, strict=True)]
