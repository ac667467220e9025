"""What must not matter to rules: where the gateway stopped, other rules, their order, the batches, the week, hashes."""

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import msgspec
import pytest

from linecontrol.config import RuleConfig
from linecontrol.model import Sampled
from tests.unit.rules.naive.cases import ALL, CALM, Case, by_flag, by_room, case, room_of
from tests.unit.rules.naive.reference import Said
from tests.unit.rules.naive.ways import WAYS, Way

SCALES = {each.__name__: cache(each) for each in ALL}
CASES = 20
"""Cases of ten rules for each law."""


def cases(salt: int) -> Iterator[tuple[Case, Random]]:
    """Random cases of two scales, other ones for each law."""
    for seed in range(salt * 1_000, salt * 1_000 + CASES):
        chance = Random(seed)
        yield case(SCALES["short" if seed % 4 else "long"](), chance), chance


def said(of: Case, seed: int = 0) -> dict[str, list[Said]]:
    return by_flag(by_room(of, room_of(of), Random(seed)))


def only(rules: dict[str, RuleConfig], flags: dict[str, list[Said]]) -> dict[str, list[Said]]:
    return {flag: its for flag, its in flags.items() if flag.partition("/")[0] in rules}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_ways_that_make_no_difference(way: Way) -> None:
    for of, chance in cases(WAYS.index(way)):
        assert by_flag(way(of, chance)) == said(of)


def test_when_time_is_looked_at() -> None:
    for of, _ in cases(6):
        assert said(of, 1) == said(of, 2)


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
    assert len(digests(4, ["0", "4711"])) == 1


@pytest.mark.study
@pytest.mark.timeout(3_600)
def test_many_hash_seeds() -> None:
    assert len(digests(50, [str(seed) for seed in range(10)])) == 1


def digests(cases: int, seeds: list[str]) -> set[bytes]:
    """What processes with different hash seeds make of the same cases, so many of each scale."""
    command = [sys.executable, "-m", "tests.unit.rules.naive.digest", str(cases)]
    root = Path(__file__).parents[3]
    return {
        subprocess.run(command, cwd=root, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in seeds
    }


# --- many flags at once ----------------------------------------------------------------------------------------------

PROCESS = ("raised", "cleared", "acknowledged", "realarmed", "blind", "sighted")


def test_what_is_told_of_many_flags_changes_nothing_in_their_lives() -> None:
    suppressed = 0
    for seed in range(8_000, 8_000 + CASES):
        of = case(SCALES["crowd"](), Random(seed))
        calm = {
            name: rule.model_copy(update={"group": None}) if rule.group else rule for name, rule in of.rules.items()
        }
        alone, among = said(msgspec.structs.replace(of, rules=calm, alarms=CALM)), said(of)
        suppressed += sum("suppressed_by_design" in step for its in among.values() for step in its)
        assert lives(only(of.rules, among)) == lives(alone)
    assert suppressed > 50


def lives(flags: dict[str, list[Said]]) -> dict[str, list[tuple[str, int]]]:
    """What a flag does, without what is told of it."""
    found = {flag: [(step, at) for _, step, at, *_ in its if step in PROCESS] for flag, its in flags.items()}
    return {flag: its for flag, its in found.items() if its}
