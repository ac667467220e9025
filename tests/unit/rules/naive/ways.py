"""Ways to run a case that must not make a difference to what is said of its flags."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from linecontrol.config import RuleConfig
from linecontrol.model import AnyEvent, Operation
from linecontrol.rules import RulesRoom
from tests.unit.rules.naive.cases import Again, Case, by_room, case, room_of
from tests.unit.rules.naive.hours import BAKU, DAY
from tests.unit.rules.naive.reference import Said

Way = Callable[[Case, Random], list[Said]]


def plain(of: Case, chance: Random) -> list[Said]:
    """Without anything but time that is looked at now and then."""
    return by_room(of, room_of(of), chance)


def stopped(of: Case, chance: Random) -> list[Said]:
    """Stopped and started again here and there."""
    return by_room(of, room_of(of), chance, stopping([room_of(of), room_of(of)], chance))


def stopping(rooms: list[RulesRoom], chance: Random) -> Again:
    """Goes on here and there with one of the rooms that remembers what the one before did."""

    def again(room: RulesRoom, said: list[AnyEvent]) -> RulesRoom:
        if chance.random() < 0.85:
            return room
        other = rooms[0] if room is rooms[1] else rooms[1]
        other.remember(room.memory())
        assert other.memory() == room.memory()
        return other

    return again


def joined(of: Case, chance: Random) -> list[Said]:
    """With other rules that come, go and change while it runs, before, after and between the case's own.

    Where there may be many flags at once, others would matter; there the same rules come in.
    """
    alone = len(of.scale.alarms) > 1
    others = {} if alone else {f"q{name}": rule for name, rule in case(of.scale, chance).rules.items()}

    def rules() -> dict[str, RuleConfig]:
        some = {name: rule for name, rule in others.items() if chance.random() < 0.5}
        return of.rules | some if chance.random() < 0.5 else some | of.rules

    def again(room: RulesRoom, said: list[AnyEvent]) -> RulesRoom:
        if chance.random() < 0.95:
            return room
        other = room_of(of, rules())
        if chance.random() < 0.5:
            other.remember(room.memory())
        else:
            succession = other.succeed(room, room.now_ns)
            said += [*succession.until, *succession.since]
        return other

    said = by_room(of, room_of(of, rules()), chance, again)
    return [each for each in said if not each[0].startswith("q")]


def reversed_(of: Case, chance: Random) -> list[Said]:
    """With the rules in another order, which matters only where there may be many flags at once."""
    if len(of.scale.alarms) > 1:
        return plain(of, chance)
    return by_room(of, room_of(of, dict(reversed(of.rules.items()))), chance)


def later(of: Case, chance: Random) -> list[Said]:
    """Some weeks later, where clocks don't change."""
    weeks = chance.randint(1, 30) * 7 * DAY if of.scale.zone is BAKU else 0
    told = [_shifted(item, weeks) for item in of.told]
    moved = msgspec.structs.replace(of, told=told, start=of.start + weeks, end=of.end + weeks)
    return [(each[0], each[1], each[2] - weeks, *each[3:]) for each in plain(moved, chance)]


def _shifted(item: AnyEvent | Operation, by: int) -> AnyEvent | Operation:
    moments: dict[str, Any] = {
        name: getattr(item, name) + by
        for name in ("at_ns", "since_ns", "start_ns", "runs_out_ns", "until_ns", "due_ns")
        if getattr(item, name, None) is not None
    }
    return msgspec.structs.replace(item, **moments)


WAYS: tuple[Way, ...] = (plain, stopped, joined, reversed_, later)
