"""The rules' room against a naive reference that keeps all history, looks at every step and has no timers.

A case is ten random rules or more and a random story. Every transition of every flag must be the same, at the same
nanosecond, in whichever way the room is run: stopped and started again, among other rules that come and go, with the
rules in another order, weeks later.
"""

from collections import Counter
from functools import cache
from random import Random
from typing import Any

import pytest

from linecontrol.model.state import TRANSITIONS
from tests.unit.rules.naive.cases import (
    ALL,
    Case,
    Scale,
    by_flag,
    by_reference,
    by_room,
    case,
    room_of,
)
from tests.unit.rules.naive.ways import WAYS

SCALES = {each.__name__: cache(each) for each in ALL}
BATCHES = {"short": 4, "crowd": 3, "night": 2, "long": 2, "nights": 1}
CASES = [(name, batch) for name, batches in BATCHES.items() for batch in range(batches)]
EACH = 18
"""Cases of ten rules in each test: 12 tests, 2,160 rules."""


def scale_of(name: str) -> Scale:
    return SCALES[name]()


def differences(of: Case, name: str, seed: int) -> list[str]:
    """What the room says otherwise than the reference, in words."""
    way = WAYS[seed % len(WAYS)]
    wanted, got = by_flag(by_reference(of)), by_flag(way(of, Random(seed)))
    return [
        f"{name} {seed} {way.__name__}: {flag}: {rule_of(of, flag)}\n"
        f"  wanted {wanted.get(flag)}\n  got    {got.get(flag)}"
        for flag in sorted({*wanted, *got})
        if wanted.get(flag) != got.get(flag)
    ]


def rule_of(of: Case, flag: str) -> dict[str, Any]:
    """The rule behind a flag, as written; of the gateway's own flags what is set about them."""
    rule = of.rules.get(flag.partition("/")[0])
    return of.alarms.model_dump() if rule is None else rule.model_dump(exclude_defaults=True)


@pytest.mark.parametrize(("name", "batch"), CASES)
def test_every_transition_is_as_the_reference_has_it(name: str, batch: int) -> None:
    scale = scale_of(name)
    for seed in range(batch * EACH, (batch + 1) * EACH):
        found = differences(case(scale, Random(seed)), name, seed)
        assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "seed"),
    [("night", 1_003_880), ("short", 1_005_550), ("crowd", 1_005_925), ("short", 1_005_981), ("crowd", 1_007_926)],
)
def test_what_once_differed(name: str, seed: int) -> None:
    assert not differences(case(scale_of(name), Random(seed)), name, seed)


def test_stories_tell_of_everything() -> None:
    seen: Counter[str] = Counter()
    for name in SCALES:
        for seed in range(25):
            of = case(scale_of(name), Random(seed))
            assert any(hours.worked(of.end) > hours.worked(of.start) for hours in of.layout.hours.values())
            seen.update(transition for _, transition, *_ in by_room(of, room_of(of), Random(seed)))
    assert set(seen) == {*TRANSITIONS, "noted"} - {"renamed"}  # which takes other rules
    assert min(seen.values()) > 3


@pytest.mark.study
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("batch", range(20))
def test_a_hundred_thousand_rules(batch: int) -> None:
    for number in range(500):
        name, _ = CASES[number % len(CASES)]
        seed = 1_000_000 + 500 * batch + number
        found = differences(case(scale_of(name), Random(seed)), name, seed)
        assert not found, "\n".join(found)
