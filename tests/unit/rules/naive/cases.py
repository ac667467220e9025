"""One case: some rules, one story, told to the rules' room and to the reference."""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from linecontrol.calendar import WorkCalendar, line_calendars
from linecontrol.config import AlarmsConfig, Config, RuleConfig
from linecontrol.model import AnyEvent, FlagChanged, Noted, Operation, Severity
from linecontrol.rules import RulesRoom
from tests.unit.rules.naive.hours import AUTUMN, BAKU, DAY, HOUR, SPRING, WARSAW, S, Shift, Zone
from tests.unit.rules.naive.plant import Layout
from tests.unit.rules.naive.reference import Reference, Said, rounded, subjects
from tests.unit.rules.naive.rules import Dice
from tests.unit.rules.naive.stories import (
    CHANGES,
    LINES,
    LONG,
    MONDAY,
    NIGHT,
    NIGHTS,
    SHIFTS,
    STARTS,
    config_of,
    layout_of,
    story,
)

Told = Sequence[AnyEvent | Operation]


CALM = AlarmsConfig.model_validate({"flood": {"enter": 1000}, "chatter": {"transitions": 20, "window": "1ms"}})
"""Neither floods nor chatter are seen."""
CROWDS = tuple(
    AlarmsConfig.model_validate({"flood": flood, "chatter": chatter})
    for flood, chatter in (
        ({"enter": 3, "leave": 2, "window": "60s"}, {"window": "120s", "calm": "60s", "shelve": "30s"}),
        ({"enter": 2, "leave": 1, "window": "30s", "show": "warning"}, {"calm": "100s"}),
        ({"enter": 4, "leave": 4, "window": "120s"}, {"transitions": 4, "calm": "20s", "shelve": "80s"}),
        ({"enter": 1000}, {"transitions": 20, "window": "1ms"}),
    )
)
"""Few flags are many; or only groups count."""


class Scale(Struct, frozen=True):
    """How long a step is, over how many a story runs, when it may begin, which kinds of subjects its rules are about.

    ``looks`` are the moments after the beginning of a step at which the reference looks, ``halves`` those at which it
    looks at what changes between two steps; each once more a nanosecond later.
    """

    config: Config
    calendars: dict[str, WorkCalendar]
    shifts: dict[str, dict[str, Shift]]
    step: int
    steps: int
    looks: tuple[int, ...]
    halves: tuple[int, ...]
    starts: tuple[int, ...]
    kinds: tuple[str, ...]
    zone: Zone = BAKU
    alarms: tuple[AlarmsConfig, ...] = (CALM,)
    """What may be set about many flags at once. If there is a choice, rules have groups and severities."""

    @property
    def days(self) -> int:
        """Days that a story may touch."""
        return self.step * self.steps // DAY + 2


def _scale(shifts: dict[str, dict[str, Shift]], step: int, steps: int, looks: tuple[int, ...], halves: tuple[int, ...],
           starts: tuple[int, ...], kinds: tuple[str, ...], zone: Zone = BAKU) -> Scale:  # fmt: skip
    config = config_of(shifts, zone)
    return Scale(config, line_calendars(config), shifts, step, steps, looks, halves, starts, kinds, zone)


KINDS = ("target", "commitment", "kit", "line", "connection")


def short() -> Scale:
    """Steps of ten seconds, shifts of minutes."""
    return _scale(SHIFTS, 10 * S, 60, (0,), (5 * S,), STARTS, ("station",) * 5 + KINDS)


def night() -> Scale:
    """Steps of ten seconds, shifts of minutes near midnight and where clocks change."""
    return _scale(NIGHT, 10 * S, 60, (0,), (5 * S,), CHANGES, ("station",) * 5 + KINDS, WARSAW)


def long() -> Scale:
    """Steps of an hour over days; five minutes after each look, what was unknown has been so for long."""
    starts = tuple(MONDAY + hours * HOUR for hours in (5, 7, 21, 100))
    return _scale(LONG, HOUR, 110, (0, 300 * S), (1_800 * S, 2_100 * S), starts, KINDS)


def nights() -> Scale:
    """Steps of an hour over days at which clocks change."""
    starts = tuple(change - hours * HOUR for change in (SPRING, AUTUMN) for hours in (2, 7, 60, 100))
    return _scale(NIGHTS, HOUR, 110, (0, 300 * S), (1_800 * S, 2_100 * S), starts, KINDS, WARSAW)


def crowd() -> Scale:
    """The short one, with many flags at once."""
    return replace(short(), alarms=CROWDS)


ALL = (short, crowd, night, long, nights)
"""All scales."""


class Case(Struct, frozen=True):
    """Rules and what is told, from ``start`` to ``end``."""

    scale: Scale
    rules: dict[str, RuleConfig]
    told: Told
    start: int
    end: int
    alarms: AlarmsConfig = CALM

    @property
    def layout(self) -> Layout:
        """The plant as the reference knows it."""
        return layout_of(self.scale.shifts, self.start, self.scale.days, self.scale.zone)


def case(scale: Scale, chance: Random, rules: int = 10) -> Case:
    """A random case; with many flags at once if the scale has a choice of what is done about them."""
    dice = Dice(chance, scale.step // S)
    start = chance.choice(scale.starts)
    layout = layout_of(scale.shifts, start, scale.days, scale.zone)
    rolled = {f"r{place}": _rule(dice, layout, chance.choice(scale.kinds)) for place in range(rules)}
    if len(scale.alarms) == 1:
        return tell(scale, chance, rolled, start)
    severities, groups = list(Severity), [None, None, "a", "b"]
    rolled |= {f"l{place}": RuleConfig.model_validate(dice.lively()) for place in range(rules // 2)}
    crowded = {
        name: rule
        if rule.only_notes
        else rule.model_copy(update={"group": chance.choice(groups), "severity": chance.choice(severities)})
        for name, rule in rolled.items()
    }
    return replace(tell(scale, chance, crowded, start), alarms=chance.choice(scale.alarms))


def _rule(dice: Dice, layout: Layout, each: str) -> RuleConfig:
    """A random rule; some have params, whose values may differ from subject to subject."""
    written = dice.rule(each)
    rule = RuleConfig.model_validate(written)
    names = [subject.place.partition(" ")[2] for subject in subjects(layout, rule)]
    if not names or dice.chance.random() < 0.7:
        return rule
    values: dict[str, str] | str = dice.length(6)
    if len(names) > 1 and dice.chance.random() < 0.7:
        values = {dice.chance.choice(names): dice.length(6), "*": dice.length(6)}
    return RuleConfig.model_validate(dice.with_param(written, "patience", values))


def tell(scale: Scale, chance: Random, rules: dict[str, RuleConfig], start: int) -> Case:
    """The rules with another random story."""
    layout = layout_of(scale.shifts, start, scale.days, scale.zone)
    flags = [f"{name}/{subject.place.partition(' ')[2]}" for name, rule in rules.items()
             for subject in subjects(layout, rule)]  # fmt: skip
    if len(scale.alarms) > 1:
        flags += [f"chattering/{flag}" for flag in flags if flag[0] == "l"]
        flags += [f"flood/{line}" for line in (*LINES, "PLANT") for _ in range(4)]
    told = story(chance, start + scale.step, scale.steps - 1, scale.step, flags)
    return Case(scale, rules, told, start, start + scale.steps * scale.step)


def moment(item: AnyEvent | Operation, now: int) -> int:
    """When something is taken in."""
    return max(item.at_ns, now)


def by_reference(case: Case) -> list[Said]:
    """What the reference says."""
    reference = Reference(case.layout, case.rules, case.start, case.alarms)
    waiting = list(case.told)
    reference.pass_time(case.start)
    while waiting and waiting[0].at_ns <= case.start:
        reference.take(waiting.pop(0))
    reference.pass_time(case.start + 1)
    for step in range(1, case.scale.steps + 1):
        for look in case.scale.looks + case.scale.halves:
            at = case.start + step * case.scale.step + look
            while waiting and waiting[0].at_ns <= at:
                reference.take(waiting.pop(0))
            reference.pass_time(at, between=look in case.scale.halves)
            reference.pass_time(at + 1, between=look in case.scale.halves)
    return reference.said


def room_of(case: Case, rules: dict[str, RuleConfig] | None = None) -> RulesRoom:
    """A room for the case's rules, or for others."""
    config = case.scale.config.model_copy(
        update={"rules": case.rules if rules is None else rules, "alarms": case.alarms}
    )
    return RulesRoom(config, case.scale.calendars)


Again = Callable[[RulesRoom, list[AnyEvent]], RulesRoom]
"""Another room to go on with, or the same; it may add to what was said."""


def by_room(case: Case, room: RulesRoom, chance: Random, again: Again | None = None) -> list[Said]:
    """What the room says, ticked now and then; ``again`` may give another room to go on with at any point."""
    said: list[AnyEvent] = list(room.tick(case.start))
    now = case.start
    for item in case.told:
        if item.at_ns > now and chance.random() < 0.5:
            said += room.tick(chance.randrange(now, item.at_ns))
        now = max(now, item.at_ns)
        if again is not None:
            room = again(room, said)
        said += room.operate(item) if isinstance(item, Operation) else room.see(item)
    if again is not None:
        room = again(room, said)
    said += room.tick(case.end + case.scale.halves[-1] + 1)
    return [_said(event) for event in said if isinstance(event, Noted) or _is_compared(event)]


def _said(event: FlagChanged | Noted) -> Said:
    if isinstance(event, Noted):
        return event.flag, event.transition, event.at_ns, "", None, None, ""
    value, limit = rounded(event.value), rounded(event.limit)
    note = _muted(event) or event.suppressed_by
    return event.flag, event.transition, event.at_ns, event.state.value, value, limit, note


def _is_compared(event: AnyEvent) -> TypeGuard[FlagChanged]:
    """All but other texts about chatter."""
    return isinstance(event, FlagChanged) and not (event.rule == "chattering" and event.transition == "changed")


def _muted(event: FlagChanged) -> str:
    """How many flags the flag of a flood says that it mutes."""
    if event.rule != "flood" or event.transition not in ("raised", "changed", "cleared"):
        return ""
    return str(re.findall(r"\d+ muted", event.text)[0])


def by_flag(said: list[Said]) -> dict[str, list[Said]]:
    """What was said of each flag, in order."""
    found: dict[str, list[Said]] = {}
    for each in said:
        found.setdefault(each[0], []).append(each)
    return found
