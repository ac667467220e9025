"""Rules in the place of others: under which names flags go on, and how those end that nobody watches any more."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy

from msgspec import Struct

from linecontrol.config import Config, RuleConfig, Subject
from linecontrol.model import AnyEvent, RulesChanged
from linecontrol.rules.alarm import CHATTERING, RESERVED, Alarm, Step, depart, event_of, stands
from linecontrol.rules.system_flag import SystemFlag
from linecontrol.rules.watch import Told, Watch

REMOVED = "the rule was removed"
NARROWED = "the rule is about this no longer"
UNWATCHED = "what it was about is watched no longer"


class Succession(Struct, frozen=True):
    """What it brings that rules take the place of others, in this order.

    ``until`` then: what time brought about, and flags that end. ``renamed``: flags that stand, under their former and
    their present names. ``since`` then: what the new rules say at once. ``kept`` flags that stand go on.
    """

    until: Sequence[AnyEvent]
    renamed: Sequence[AnyEvent]
    since: Sequence[AnyEvent]
    kept: int


def is_same(rule: RuleConfig, former: RuleConfig | None) -> bool:
    """Whether a rule is what it was, whatever it was called."""
    if former is None:
        return False
    its = vars(former)  # a model's own comparison takes ten times as long
    return all(value == its[name] for name, value in vars(rule).items() if name != "was")


def change(old: Config, new: Config, *, by: str, at_ns: int, kept: int) -> RulesChanged:
    """How the rules of a config differ from those before."""
    then, now = old.rules, new.rules
    renamed = [(rule.was, name) for name, rule in now.items() if rule.was in then and name not in then and rule.was]
    gone, come = {was for was, _ in renamed}, {name for _, name in renamed}
    return RulesChanged(
        at_ns=at_ns,
        by=by,
        added=[name for name in now if name not in then and name not in come],
        changed=[name for name, rule in now.items() if name in then and not is_same(rule, then[name])],
        removed=[name for name in then if name not in now and name not in gone],
        renamed=renamed,
        settings=old.alarms != new.alarms,
        kept=kept,
    )


def present_names(watches: Iterable[Watch], former: Collection[str]) -> dict[str, str]:
    """The present names of flags that a rule of another name (``was:``) had among the ``former`` ones."""
    names: dict[str, str] = {}
    for watch in watches:
        its = f"{watch.rule.config.was}/{watch.about.name}"
        if watch.rule.config.was and its in former and watch.flag not in former:
            names |= {its: watch.flag, f"{CHATTERING}/{its}": f"{CHATTERING}/{watch.flag}"}
    return names


def standing(watches: Iterable[Watch], systems: Iterable[SystemFlag]) -> list[Watch | SystemFlag]:
    """Those whose flags stand."""
    return [
        *(watch for watch in watches if not watch.rule.config.only_notes and stands(watch.alarm)),
        *(system for system in systems if stands(system.alarm)),
    ]


def ends(its: Watch | SystemFlag, rules: Collection[str], at_ns: int) -> list[Told]:
    """A flag ends, as no rule of ``rules`` watches for it; its alarm is used up."""
    rule = its.flag.partition("/")[0]
    reason = UNWATCHED if rule in RESERVED else NARROWED if rule in rules else REMOVED
    return its.tell(depart(its.alarm, "cleared", at_ns, reason))


def lost(flag: str, alarm: Alarm, rules: Mapping[str, RuleConfig], at_ns: int) -> list[Told]:
    """A flag ends whose subject the plant has no longer; nothing if it didn't stand, or its rule isn't known."""
    name, _, subject = flag.partition("/")
    rule = rules.get(name)
    if rule is None or rule.only_notes or not stands(alarm):
        return []
    line, _, station = subject.partition("/")
    placed = rule.each in (Subject.STATION, Subject.LINE)
    steps = depart(alarm, "cleared", at_ns, UNWATCHED)
    return [
        event_of(
            alarm,
            step,
            flag,
            rule=name,
            line=line if placed else "",
            station=station,
            severity=rule.severity,
        )
        for step in steps
    ]


def leaves(its: Watch | SystemFlag, names: Mapping[str, str], at_ns: int) -> list[Told]:
    """A flag is known by its former name no longer; its alarm is left as it is."""
    alarm, its.alarm = its.alarm, copy(its.alarm)
    told = its.tell(depart(its.alarm, "renamed", at_ns, f"called {names[its.flag]} now"))
    its.alarm = alarm
    return told


def comes(its: Watch | SystemFlag, at_ns: int, transition: str = "renamed") -> list[Told]:
    """A flag as it stands, with who put it aside and why: it is known by its present name from now on."""
    gate = its.alarm.service or its.alarm.shelf
    return its.tell([Step(transition, at_ns, gate.by if gate else "", gate.reason if gate else "")])
