"""Rules looked at over a plant's whole history, at every instant of a coarse grid and one nanosecond after each."""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from linecontrol.config import AlarmsConfig, Plain, RuleConfig
from linecontrol.duration import duration_ns
from linecontrol.model import AnyEvent, Operation, Sampled
from linecontrol.rules.parser import parse_condition
from linecontrol.rules.tree import Absent, Age, Infix, Length, Name, Node, Prefix, Sequence
from tests.unit.rules.naive.crowd import Crowd, Say
from tests.unit.rules.naive.hours import S
from tests.unit.rules.naive.life import Flag, Ways
from tests.unit.rules.naive.plant import Layout, Plant, Sight, places_of
from tests.unit.rules.naive.worth import (
    OPERATIONS,
    Reader,
    Subject,
    Worth,
    concerns,
    is_fine,
    moves_with_time,
    negated,
    walk,
)

Said = tuple[str, str, int, str, float | None, float | None, str]
"""Flag, transition, moment, state, both sides of the comparison that its condition is about, what suppresses it.

Of a flood's own flag the last one is how many it mutes; of a note there are only the first three.
"""


class Steps:
    """A sequence of conditions: which one is waited for, and until when (working time)."""

    def __init__(self, conditions: list[Worth], within: list[int], unless: Worth | None) -> None:
        self._conditions = conditions
        self._within = within
        self._unless = unless
        self._before = [False] * len(conditions)
        self._reached = 0
        self._until = 0
        self._holds = False

    def complete(self, worked: int) -> bool:
        """A look: whether all conditions became true one after the other and the last one still is."""
        now = [condition() is True for condition in self._conditions]
        began = [each and not before for each, before in zip(now, self._before, strict=True)]
        self._before = now
        broken = self._unless is not None and self._unless() is True
        self._holds = self._holds and now[-1]
        if broken or (self._reached and worked > self._until):
            self._reached = 0
        if self._reached and began[self._reached]:
            self._reached += 1
        elif began[0] and self._reached <= 1 and not broken:
            self._reached = 1
        else:
            return self._holds
        if self._reached == len(now):
            self._holds, self._reached = True, 1 if began[0] else 0
        self._until = worked + self._within[max(self._reached, 1) - 1]
        return self._holds


class Watched:
    """A rule and one subject of it."""

    def __init__(self, name: str, rule: RuleConfig, subject: Subject, plant: Plant) -> None:
        self.name = f"{name}/{subject.place.partition(' ')[2]}"
        self.subject, self.line = subject, plant.line(subject.place)
        self.group, self.severity, self._design = rule.group, rule.severity.value, rule.suppress
        self.reader = Reader(plant, subject)
        self._plant = plant
        self._unknown = {"hold": None, "clear": False, "raise": True}[rule.on_unknown]
        values = values_of(rule, subject)
        when, clear, suppress = trees_of(rule, values)
        self.concerned = {each for node in (when, clear, suppress) if node for each in concerns(node, subject)}
        trees = [node for node in (when, clear, suppress) if node is not None]
        self.timed, self.fine = any(map(moves_with_time, trees)), any(map(is_fine, trees))
        self._clear = None if clear is None else self.reader.worth(clear)
        self._suppress = None if suppress is None else self.reader.worth(suppress)
        self._sides = [self.reader.worth(side) for side in comparison(when) or ()]
        self.is_note, self._notes = rule.actions == [Plain.NOTE], Plain.NOTE in rule.actions
        self.is_sequence = isinstance(when, Sequence)
        self._signal = self._sequence(when) if isinstance(when, Sequence) else self._condition(when)
        hold_for, off_delay = (
            duration_ns(str(values[each])) if isinstance(each, str) else each
            for each in (rule.hold_for, rule.off_delay)
        )
        self.flag = Flag(Ways(hold_for, off_delay, rule.ack == "required", rule.latch, rule.realarm, rule.shelve_max))

    def _condition(self, node: Node) -> Worth:
        when = self.reader.worth(node)

        def signal() -> bool | None:
            if not self.flag.raised:
                return self._unknown if when() is None else when()
            return self._over(negated(when()))

        return signal

    def _over(self, not_when: bool | None) -> bool | None:
        """Whether a raised flag is to be cleared."""
        over = not_when if self._clear is None else OPERATIONS["and"](self._clear(), not_when)
        if over is None and self._unknown is not None:
            return not self._unknown
        return over

    def _sequence(self, node: Sequence) -> Worth:
        conditions = [self.reader.worth(each) for each in (node.first, *(step.condition for step in node.steps))]
        unless = None if node.unless is None else self.reader.worth(node.unless)
        steps = Steps(conditions, [round(step.within * S) for step in node.steps], unless)

        def signal() -> bool | None:
            complete = steps.complete(self._plant.hours(self.subject.place).worked(self._plant.now))
            if not self.flag.raised:
                return complete
            if complete:
                return False
            return self._over(negated(conditions[-1]()) if self._clear is None else True)

        return signal

    def hears(self, event: AnyEvent, places: list[str]) -> bool:
        """Whether an event moves one of its names."""
        tag = f"tag.{event.name}" if isinstance(event, Sampled) else ""
        return any((place, type(event), tag) in self.concerned for place in places)

    def joins(self, crowd: Crowd, say: Say) -> None:
        """What is told of it from now on."""
        self._crowd, self._say = crowd, say

    def look(self) -> None:
        """Look at what suppresses it, then at its condition; once more if that turned it."""
        self.gate()
        self.feel()

    def gate(self) -> None:
        """Look at what suppresses it."""
        if self._suppress is not None:
            self._follow(self.flag.gate(self._suppress()))

    def feel(self) -> None:
        """Look at its condition; once more at all if that turned it."""
        self._follow(self.flag.feel(self._signal(), self._plant.now))

    def pass_time(self) -> None:
        """What time alone brings about."""
        self._follow(self.flag.pass_time(self._plant.now))

    def operate(self, wish: Operation) -> None:
        """What a person does."""
        self._follow(self.flag.operate(wish, self._plant.now), by_hand=True)

    def _follow(self, steps: list[str], *, by_hand: bool = False) -> None:
        if steps and self.is_note:
            self.tell(steps)
        elif steps:
            self._crowd.tell(self, steps, by_hand=by_hand)
        if {"raised", "cleared"} & set(steps):
            self.look()

    def tell(self, steps: Iterable[str]) -> None:
        """Say these transitions."""
        flag, suppressor = self.flag, ""
        if flag.state == "suppressed_by_design":
            suppressor = f"first out: {flag.behind}" if flag.behind else f"flood/{self.line or 'PLANT'}"
            suppressor = (self._design or "") if flag.suppressed else suppressor
        for step in steps:
            left, right = [side() for side in self._sides] if self._sides else (None, None)
            if not self.is_note:
                self._say(self.name, step, flag, suppressor, left, right)
            if step == "raised" and self._notes and flag.state in ("acknowledged", "unacknowledged"):
                self._say(self.name, "noted", flag, "")


class Reference:
    """All rules of a config over one plant."""

    def __init__(
        self, layout: Layout, rules: Mapping[str, RuleConfig], start: int, alarms: AlarmsConfig | None = None
    ) -> None:
        self._plant = Plant(layout)
        watched = [
            Watched(name, rule, subject, self._plant)
            for name, rule in rules.items()
            for subject in subjects(layout, rule)
        ]
        self.watched = {each.name: each for each in watched}
        self._crowd = Crowd(alarms or AlarmsConfig(), [each for each in watched if not each.is_note], self._say)
        for each in watched:
            each.joins(self._crowd, self._say)
        self._move(start)
        self.said: list[Said] = []
        self._begun = False

    def take(self, item: AnyEvent | Operation) -> None:
        """An event or a person's wish, at its moment or now if that is later."""
        self._move(max(self._plant.now, item.at_ns))
        if isinstance(item, Operation):
            watched = self.watched.get(item.flag)
            if watched is None:
                self._crowd.operate(item)
            elif not watched.is_note:
                watched.operate(item)
        else:
            for group in self._moved(item):
                for watched in group:
                    watched.gate()
                for watched in group:
                    watched.feel()
        self._crowd.settle()

    def _moved(self, event: AnyEvent) -> list[list[Watched]]:
        """Take in an event; whom it moves: those about the place itself first, then others place by place."""
        plant, place = self._plant, places_of(event)[-1]
        before, seen = plant.facts(event), plant.is_seen(place)
        places = plant.take(event)
        for watched in self.watched.values():
            watched.reader.note(event, places)
        came = {(place, Sight, "")} if plant.is_seen(place) is not seen else set()
        if before is not None and plant.facts(event) == before and not came:
            places.remove(place)
        moved: list[list[Watched]] = []
        for each in places:
            groups: dict[str, list[Watched]] = {each: []}
            for watched in self.watched.values():
                if watched.hears(event, [each]) or came & watched.concerned:
                    key = watched.name if watched.is_sequence else watched.subject.place
                    groups.setdefault(key, []).append(watched)
            moved += groups.values()
        return moved

    def _move(self, now: int) -> None:
        self._plant.move(now)
        self._crowd.now = now

    def pass_time(self, now: int, *, between: bool = False) -> None:
        """The end of an instant: conditions that time changes, then delays that end.

        ``between`` two steps only those are looked at that may change there; just after, those that time moves.
        """
        self._move(now)
        after = self._begun and now % S
        its = [
            watched for watched in self.watched.values() if watched.fine or not between if watched.timed or not after
        ]
        for watched in its:
            if watched.timed or not self._begun:
                watched.look()
        self._begun = True
        for watched in its:
            watched.pass_time()
        self._crowd.settle()
        self._crowd.pass_time()

    def _say(
        self, name: str, step: str, flag: Flag, note: str, left: float | None = None, right: float | None = None
    ) -> None:
        state = "" if step == "noted" else flag.state
        self.said.append((name, step, self._plant.now, state, rounded(left), rounded(right), note))


def rounded(value: float | None) -> float | None:
    """To nine digits: means may differ in the last ones."""
    return None if value is None else float(f"{value:.9g}")


def subjects(layout: Layout, rule: RuleConfig) -> list[Subject]:
    """The subjects for which a rule is watched: they match, and have the neighbours and tags that it names."""
    found = []
    for subject in _all(layout, rule.each.value):
        name = subject.place.partition(" ")[2]
        if rule.only and not any(fnmatchcase(name, pattern) for pattern in rule.only):
            continue
        named = [node.path for node in _names(rule)] if subject.kind == "station" else []
        if any(path.startswith("upstream.") for path in named) and subject.upstream is None:
            continue
        if any(path.startswith("downstream.") for path in named) and subject.downstream is None:
            continue
        if all(path.removeprefix("tag.") in layout.tags.get(name, ()) for path in named if path.startswith("tag.")):
            found.append(subject)
    return found


def comparison(node: Node) -> tuple[Node, Node] | None:
    """Both sides of the first comparison of magnitudes without which the condition can't be true."""
    match node:
        case Infix(op="<" | "<=" | ">" | ">=", left=left, right=right):
            return left, right
        case Infix(op="and", left=left, right=right):
            return comparison(left) or comparison(right)
        case Prefix(op="()", item=item):
            return comparison(item)
        case Absent(limit=limit):
            return Name(at=0, path="since_cycle"), limit
        case Age(seconds=float(seconds)):
            return Age(at=0, item=node.item, seconds=None), Length(at=0, value=seconds)
        case _:
            return None


def _names(rule: RuleConfig) -> list[Name]:
    values = {name: next(iter(param.values())) for name, param in rule.params.items()}
    return [node for tree in trees_of(rule, values) if tree for node in walk(tree) if isinstance(node, Name)]


def values_of(rule: RuleConfig, subject: Subject) -> dict[str, float | str]:
    """The params' values for a subject: of each param the first that fits."""
    name = subject.place.partition(" ")[2]
    return {
        param: next(value for pattern, value in values.items() if fnmatchcase(name, pattern))
        for param, values in rule.params.items()
    }


def trees_of(rule: RuleConfig, values: Mapping[str, float | str]) -> tuple[Node, Node | None, Node | None]:
    """``when``, ``clear_when`` and ``suppress``, with values written in the places of params."""

    def tree(text: str) -> Node:
        for name, value in values.items():
            text = re.sub(rf"\b{name}\b", str(value), text)
        return parse_condition(text)

    clear, suppress = rule.clear_when, rule.suppress
    return tree(rule.when), None if clear is None else tree(clear), None if suppress is None else tree(suppress)


def _all(layout: Layout, kind: str) -> list[Subject]:
    if kind == "station":
        return [
            Subject(
                kind,
                f"station {line}/{station}",
                f"station {line}/{stations[place - 1]}" if place else None,
                f"station {line}/{stations[place + 1]}" if place + 1 < len(stations) else None,
            )
            for line, stations in layout.lines.items()
            for place, station in enumerate(stations)
        ]
    names: Mapping[str, Iterable[str]] = {
        "line": layout.lines,
        "target": layout.targets,
        "commitment": layout.commitments,
        "kit": layout.kits,
        "connection": layout.connections,
    }
    return [Subject(kind, f"{kind} {name}") for name in names[kind]]
