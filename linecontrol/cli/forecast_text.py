"""An outlook in sentences."""

from collections.abc import Callable, Iterator, Sequence

from linecontrol.target.outlook import EVIDENCE_DAYS, EVIDENCE_UNITS, Finish, GoalOutlook, Outlook

Day = Callable[[float], str]
"""A moment of working time as people write its day."""


def sentences(outlook: Outlook, day: Day, stations: Sequence[str]) -> Iterator[str]:
    """What the outlook says, one sentence each; ``stations`` are titles."""
    if outlook.days < EVIDENCE_DAYS or outlook.evidence < EVIDENCE_UNITS:
        yield f"Provisional: {outlook.days} working days and {outlook.evidence} units seen so far."
    if not outlook.goals and not outlook.pledges:
        yield "Nothing to foresee: the line has no target this year and no commitment that falls due in it."
    for goal in outlook.goals.values():
        yield from _goal(goal, day, stations)
    for pledge in outlook.pledges.values():
        yield f"{pledge.name}: will be met with {pledge.probability:.0%}; {_finish(pledge.finish, day)}."
    for supply in outlook.supplies.values():
        if supply.runs_out is not None:
            yield f"{supply.name}: units wait for it from about {day(supply.runs_out)} on."
        if supply.short:
            yield f"{supply.name}: {supply.short} more are needed than are in stock and announced."


def _goal(goal: GoalOutlook, day: Day, stations: Sequence[str]) -> Iterator[str]:
    end = day(goal.fan[-1].at - 1)
    yield (
        f"{goal.name}: {goal.low:.0f} to {goal.high:.0f} units by {end}, most likely {goal.likely:.0f}; "
        f"{goal.units} will be met with {goal.probability:.0%} ({goal.done} done, {_finish(goal.finish, day)})."
    )
    if goal.takt_achieved is not None and goal.takt_required is not None:
        yield (
            f"{goal.name}: a unit every {goal.takt_achieved / 3600:.2f} working hours lately, "
            f"every {goal.takt_required / 3600:.2f} needed from now on."
        )
    yield f"{goal.name}: {goal.prior_share:.0%} of the uncertainty is what so far only the plan tells."
    if goal.overload:
        yield (
            f"{goal.name}: overload is certain: {stations[goal.station]} needs at least "
            f"{goal.hours_needed / 3600:.0f} working hours, {goal.hours_left / 3600:.0f} are left."
        )
    if goal.kits_limit is not None and goal.kits_limit < goal.units:
        yield f"{goal.name}: kits in stock and announced are enough for {goal.kits_limit} units."


def _finish(finish: Finish, day: Day) -> str:
    if finish.likely is None:
        return "no end in sight"
    low, high = (None if each is None else day(each) for each in (finish.low, finish.high))
    between = f"between {low} and {high}" if high else f"not before {low}"
    return f"last unit about {day(finish.likely)}, {between}"
