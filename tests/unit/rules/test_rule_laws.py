"""What must not matter to rules: where the gateway stopped, other rules, their order, the batches, the week, hashes."""

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from linecontrol.config import AlarmsConfig, RuleConfig
from linecontrol.model import AnyEvent, Operation, Sampled, Severity
from linecontrol.rules import RulesRoom
from tests.unit.rules.naive.cases import Case, by_flag, by_room, case, long, room_of, short
from tests.unit.rules.naive.hours import DAY
from tests.unit.rules.naive.reference import Said

SCALES = {"short": cache(short), "long": cache(long)}
CASES = 20
"""Cases of ten rules for each law."""


def cases(salt: int) -> Iterator[tuple[Case, Random]]:
    """Random cases of both scales, other ones for each law."""
    for seed in range(salt * 1_000, salt * 1_000 + CASES):
        chance = Random(seed)
        yield case(SCALES["short" if seed % 4 else "long"](), chance), chance


def said(of: Case, seed: int = 0) -> dict[str, list[Said]]:
    return by_flag(by_room(of, room_of(of), Random(seed)))


def with_rules(of: Case, rules: dict[str, RuleConfig]) -> Case:
    return msgspec.structs.replace(of, rules=rules)


def only(rules: dict[str, RuleConfig], flags: dict[str, list[Said]]) -> dict[str, list[Said]]:
    return {flag: its for flag, its in flags.items() if flag.partition("/")[0] in rules}


def test_stopped_and_started_again_anywhere() -> None:
    for of, chance in cases(1):
        rooms = [room_of(of), room_of(of)]

        def again(room: RulesRoom, chance: Random = chance, rooms: list[RulesRoom] = rooms) -> RulesRoom:
            if chance.random() < 0.85:
                return room
            other = rooms[0] if room is rooms[1] else rooms[1]
            other.remember(room.memory())
            assert other.memory() == room.memory()
            return other

        assert by_flag(by_room(of, rooms[0], Random(0), again)) == said(of)


def test_the_order_of_rules() -> None:
    for of, _ in cases(2):
        assert said(of) == said(with_rules(of, dict(reversed(of.rules.items()))))


def test_when_time_is_looked_at() -> None:
    for of, _ in cases(3):
        assert said(of, 1) == said(of, 2)


def test_other_rules() -> None:
    for of, chance in cases(4):
        more = {f"q{name}": rule for name, rule in case(of.scale, chance).rules.items()}
        assert only(of.rules, said(with_rules(of, more | of.rules))) == said(of)


def test_other_rules_that_change_while_it_runs() -> None:
    for of, chance in cases(5):
        one, other = ({f"{name}{key}": rule for key, rule in case(of.scale, chance).rules.items()} for name in "pq")
        rooms = [room_of(of, one | of.rules), room_of(of, of.rules | other)]
        left = [chance.randrange(len(of.told) + 1)]

        def again(room: RulesRoom, left: list[int] = left, rooms: list[RulesRoom] = rooms) -> RulesRoom:
            left[0] -= 1
            if left[0] == 0:
                rooms[1].remember(room.memory())
                return rooms[1]
            return room

        assert only(of.rules, by_flag(by_room(of, rooms[0], Random(0), again))) == said(of)


def test_the_week() -> None:
    for of, chance in cases(6):
        weeks = chance.randint(1, 30) * 7 * DAY
        later = msgspec.structs.replace(
            of, told=[shifted(item, weeks) for item in of.told], start=of.start + weeks, end=of.end + weeks
        )
        back = {
            flag: [(flag, transition, at - weeks, *rest) for _, transition, at, *rest in its]
            for flag, its in said(later).items()
        }
        assert back == said(of)


def shifted(item: AnyEvent | Operation, by: int) -> AnyEvent | Operation:
    """The same, later."""
    moments: dict[str, Any] = {
        name: getattr(item, name) + by
        for name in ("at_ns", "since_ns", "start_ns", "runs_out_ns", "until_ns", "due_ns")
        if getattr(item, name, None) is not None
    }
    return msgspec.structs.replace(item, **moments)


def test_what_is_unknown_raises_nothing_and_clears_nothing() -> None:
    raised = 0
    for of, _ in cases(7):
        rules = {name: rule for name, rule in of.rules.items()
                 if rule.each == "station" and rule.on_unknown == "hold" and " then " not in rule.when}  # fmt: skip
        unknown = {"only": ["line/second"], "params": {}, "hold_for": 0}
        held = {
            f"{kind}{name}": rule.model_copy(update=unknown | changed)
            for name, rule in rules.items()
            if not rule.params
            for kind, changed in (
                ("and", {"when": f"({rule.when}) and tag.temp > 0"}),
                ("clear", {"clear_when": "tag.temp > 0 and observed"}),
            )
        }
        told = [item for item in of.told if not (isinstance(item, Sampled) and item.name == "temp")]
        for flag, its in said(msgspec.structs.replace(of, rules=held, told=told)).items():
            transitions = {transition for _, transition, *_ in its}
            raised += "raised" in transitions
            assert not ("raised" in transitions and flag.startswith("and"))
            assert "cleared" not in transitions
    assert raised > 10


@pytest.mark.parametrize("name", sorted(SCALES))
def test_the_same_rules_read_again_say_nothing(name: str) -> None:
    for seed in range(20):
        of = case(SCALES[name](), Random(seed))
        room, other = room_of(of), room_of(of)
        by_room(of, room, Random(seed))
        other.remember(room.memory())
        assert not other.tick(of.end + of.scale.halves[-1] + 1)


def test_hash_seeds() -> None:
    command = [sys.executable, "-m", "tests.unit.rules.naive.digest", "20"]
    root = Path(__file__).parents[3]
    said_by = {
        subprocess.run(command, cwd=root, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(said_by) == 1


# --- many flags at once ----------------------------------------------------------------------------------------------

CROWD = AlarmsConfig.model_validate(
    {
        "flood": {"enter": 3, "leave": 2, "window": "60s"},
        "chatter": {"transitions": 3, "window": "120s", "calm": "60s", "shelve": "30s"},
    }
)
CALM = AlarmsConfig.model_validate({"flood": {"enter": 1000}, "chatter": {"transitions": 20, "window": "1ms"}})
PROCESS = ("raised", "cleared", "acknowledged", "realarmed", "blind", "sighted")


def crowded(of: Case, chance: Random, alarms: AlarmsConfig = CROWD) -> Case:
    """The case with groups and severities, in a plant where few flags are many."""
    rules = {
        name: rule.model_copy(
            update={"group": chance.choice([None, "a", "b"]), "severity": chance.choice(list(Severity))}
        )
        for name, rule in of.rules.items()
    }
    config = of.scale.config.model_copy(update={"alarms": alarms})
    return msgspec.structs.replace(of, rules=rules, scale=msgspec.structs.replace(of.scale, config=config))


def test_what_is_told_of_many_flags_changes_nothing_in_their_lives() -> None:
    suppressed = 0
    for of, chance in cases(8):
        alone, among = said(of), said(crowded(of, chance))
        suppressed += sum("suppressed_by_design" in step for its in among.values() for step in its)
        assert lives(only(of.rules, among)) == lives(alone)
    assert suppressed > 50


def lives(flags: dict[str, list[Said]]) -> dict[str, list[tuple[str, int]]]:
    """What a flag does, without what is told of it."""
    found = {flag: [(step, at) for _, step, at, *_ in its if step in PROCESS] for flag, its in flags.items()}
    return {flag: its for flag, its in found.items() if its}


def test_many_flags_stopped_and_started_again_anywhere() -> None:
    for of, chance in cases(9):
        many = crowded(of, chance)
        rooms = [room_of(many), room_of(many)]

        def again(room: RulesRoom, chance: Random = chance, rooms: list[RulesRoom] = rooms) -> RulesRoom:
            if chance.random() < 0.85:
                return room
            other = rooms[0] if room is rooms[1] else rooms[1]
            other.remember(room.memory())
            return other

        assert by_flag(by_room(many, rooms[0], Random(0), again)) == said(many, 1)


def test_what_is_raised_after_the_first_of_its_group_waits() -> None:
    waited = 0
    for of, chance in cases(10):
        told = [item for item in of.told if not isinstance(item, Operation)]
        many = msgspec.structs.replace(crowded(of, chance, CALM), told=told)
        wanting: dict[str, bool] = {}
        for flag, step, _, state, *_ in by_room(many, room_of(many), Random(0)):
            group = group_of(many, flag)
            before = [other for other, wants in wanting.items() if wants and group_of(many, other) == group]
            wanting[flag] = state in ("acknowledged", "unacknowledged")
            if group is not None and step == "raised" and before:
                waited += 1
                assert state == "suppressed_by_design", before
    assert waited > 10


def group_of(of: Case, flag: str) -> tuple[str, str] | None:
    """The line and the group of a flag; all but stations and lines are left out."""
    name, _, subject = flag.partition("/")
    rule = of.rules[name]
    if rule.group is None or rule.each not in ("station", "line"):
        return None
    return subject.partition("/")[0], rule.group
