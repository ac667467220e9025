"""Rules looked at over a plant's whole history, at every instant of a coarse grid and one nanosecond after each."""

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from linecontrol.config import RuleConfig
from linecontrol.duration import duration_ns
from linecontrol.model import AnyEvent, Operation, Sampled
from linecontrol.rules.parser import parse_condition
from linecontrol.rules.tree import Absent, Age, Infix, Length, Name, Node, Prefix, Sequence
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

Said = tuple[str, str, int, str, float | None, float | None]
"""Flag, transition, moment, state, and both sides of the comparison that the condition is about."""
Step = tuple[str, str, float | None, float | None]
"""Transition, state, both sides."""


class Steps:
    """A sequence of conditions: which one is waited for, and until when (working time)."""

    def __init__(self, conditions: list[Worth], within: list[int], unless: Worth | None) -> None:
        self._conditions = conditions
        self._within = within
        self._unless = unless
        self._before = [False] * len(conditions)
        self._reached = 0
        self._until = 0

    def complete(self, worked: int) -> bool:
        """A look: whether all conditions became true one after the other and the last one still is."""
        now = [condition() is True for condition in self._conditions]
        began = [each and not before for each, before in zip(now, self._before, strict=True)]
        self._before = now
        broken = self._unless is not None and self._unless() is True
        if self._reached == len(now):
            if now[-1]:
                return True
            self._reached = 0
        if broken or (self._reached and worked > self._until):
            self._reached = 0
        if self._reached and began[self._reached]:
            self._reached += 1
        elif began[0] and self._reached <= 1 and not broken:
            self._reached = 1
        else:
            return False
        if self._reached == len(now):
            return True
        self._until = worked + self._within[self._reached - 1]
        return False


class Watched:
    """A rule and one subject of it."""

    def __init__(self, name: str, rule: RuleConfig, subject: Subject, plant: Plant) -> None:
        self.name = name
        self.reader = Reader(plant, subject)
        self._plant, self._subject = plant, subject
        self._unknown = {"hold": None, "clear": False, "raise": True}[rule.on_unknown]
        values = values_of(rule, subject)
        when, clear, suppress = trees_of(rule, values)
        self.concerned = {each for node in (when, clear, suppress) if node for each in concerns(node, subject)}
        trees = [node for node in (when, clear, suppress) if node is not None]
        self.timed, self.fine = any(map(moves_with_time, trees)), any(map(is_fine, trees))
        self._clear = None if clear is None else self.reader.worth(clear)
        self._suppress = None if suppress is None else self.reader.worth(suppress)
        self._sides = [self.reader.worth(side) for side in comparison(when) or ()]
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
            complete = steps.complete(self._plant.hours(self._subject.place).worked(self._plant.now))
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

    def look(self) -> list[Step]:
        """Look at what suppresses it, then at its condition; once more if that turned it."""
        said = [] if self._suppress is None else self._told(self.flag.gate(self._suppress()))
        steps = self.flag.feel(self._signal(), self._plant.now)
        return said + self._followed(steps) if steps else said

    def pass_time(self) -> list[Step]:
        """What time alone brings about."""
        return self._followed(self.flag.pass_time(self._plant.now))

    def operate(self, wish: Operation) -> list[Step]:
        """What a person does."""
        return self._followed(self.flag.operate(wish, self._plant.now))

    def _followed(self, steps: list[str]) -> list[Step]:
        said = self._told(steps) if steps else []
        return said + self.look() if {"raised", "cleared"} & set(steps) else said

    def _told(self, steps: list[str]) -> list[Step]:
        left, right = [side() for side in self._sides] if steps and self._sides else (None, None)
        return [(step, self.flag.state, left, right) for step in steps]


class Reference:
    """All rules of a config over one plant."""

    def __init__(self, layout: Layout, rules: Mapping[str, RuleConfig], start: int) -> None:
        self._plant = Plant(layout)
        self._plant.move(start)
        self.watched = {
            f"{name}/{subject.place.partition(' ')[2]}": Watched(name, rule, subject, self._plant)
            for name, rule in rules.items()
            for subject in subjects(layout, rule)
        }
        self.said: list[Said] = []
        self._begun = False

    def take(self, item: AnyEvent | Operation) -> None:
        """An event or a person's wish, at its moment or now if that is later."""
        if isinstance(item, Operation):
            self._plant.move(max(self._plant.now, item.at_ns))
            if item.flag in self.watched:
                self._hear(item.flag, lambda watched: watched.operate(item))
            return
        plant, place = self._plant, places_of(item)[-1]
        before, seen = plant.facts(item), plant.is_seen(place)
        places = plant.take(item)
        for watched in self.watched.values():
            watched.reader.note(item, places)
        if before is not None and plant.facts(item) == before:
            places.remove(place)
        sighted = plant.is_seen(place) is not seen
        for flag, watched in self.watched.items():
            if watched.hears(item, places) or (sighted and (place, Sight, "") in watched.concerned):
                self._hear(flag, Watched.look)

    def pass_time(self, now: int, *, between: bool = False) -> None:
        """The end of an instant: conditions that time changes, then delays that end.

        ``between`` two steps only those are looked at that may change there; just after, those that time moves.
        """
        self._plant.move(now)
        after = self._begun and now % S
        its = {
            flag: watched
            for flag, watched in self.watched.items()
            if watched.fine or not between
            if watched.timed or not after
        }
        for flag, watched in its.items():
            if watched.timed or not self._begun:
                self._hear(flag, Watched.look)
        self._begun = True
        for flag in its:
            self._hear(flag, Watched.pass_time)

    def _hear(self, flag: str, what: Callable[[Watched], list[Step]]) -> None:
        now = self._plant.now
        for step, state, left, right in what(self.watched[flag]):
            self.said.append((flag, step, now, state, rounded(left), rounded(right)))


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
