"""The ledgers of the annual targets."""

from datetime import timedelta

from linecontrol.model import LedgerUpdated, UnitCompleted
from linecontrol.target.pace import Output
from linecontrol.target.plan import Plan, Plans
from linecontrol.target.year import standing

_NS = 1_000_000_000


class Ledgers:
    """Counts units towards their annual target, by the local year of their completion."""

    def __init__(self, plans: Plans) -> None:
        """Targets of a family in several years are counted apart."""
        self._plans = plans

    def credit(self, event: UnitCompleted, done: dict[str, int]) -> Plan | None:
        """Count a unit in ``done`` (by target). Returns its target, ``None`` if it counts for none."""
        for plan in self._plans.all():
            target, year = plan.target, plan.year
            if (target.line, target.family) == (
                event.line,
                event.family,
            ) and year.start_ns <= event.at_ns < year.end_ns:
                if event.at_ns < plan.from_ns:  # before the opening day: in its units already
                    return None
                done[plan.name] = done.get(plan.name, 0) + 1
                return plan
        return None

    def say(self, plan: Plan, done: dict[str, int], output: Output, at_ns: int) -> LedgerUpdated:
        """Where a target stands at ``at_ns``."""
        target, calendar = plan.target, plan.calendar
        total = plan.opening + done.get(plan.name, 0)
        stand = standing(plan.year, calendar, target.units, total, at_ns)
        day = calendar.day_of(at_ns)
        start_ns, end_ns = calendar.day_start(day), calendar.day_start(day + timedelta(days=1))
        return LedgerUpdated(
            at_ns=at_ns,
            target=plan.name,
            line=target.line,
            family=target.family,
            year=target.year,
            units=target.units,
            done=total,
            today=output.between(target.line, target.family, start_ns, end_ns),
            due=stand.due,
            ahead_units=stand.ahead_units,
            ahead_days=stand.ahead_days,
            left=stand.left,
            working_left_s=stand.working_left_ns / _NS,
            takt_required_s=None if stand.takt_required_ns is None else stand.takt_required_ns / _NS,
            takt_planned_s=None if plan.takt_planned_ns is None else plan.takt_planned_ns / _NS,
        )
