"""Laws of the engine: the same input gives the same bytes, however time is cut and wherever it is resumed."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.config import Config
from linecontrol.engine import Engine
from linecontrol.errors import SnapshotError
from linecontrol.model import (
    AnyEvent,
    BottleneckUpdated,
    CommandClosed,
    CommandIssued,
    CommandOutcome,
    CommandResult,
    Findings,
    FlagChanged,
    LinkChange,
    Observation,
    Quality,
    Reading,
    Suspect,
)
from tests.unit.line.plant import HOUR, MINUTE, MONDAY_8, config

Step = tuple[int, list[Observation]]


def plant() -> Config:
    signals = {"a": ["part_present", "product"], "b": ["part_present"], "c": ["part_present", "andon_call"]}
    stations: dict[str, dict[str, Any]] = {
        name: {"cycle_by": "part_present", "signals": roles, "commands": {"andon": {}}}
        for name, roles in signals.items()
    }
    return config(
        stations,
        {
            "rules": {
                "late": {
                    "each": "station",
                    "when": "running.active > 1.1 * running.planned",
                    "for": "1m",
                    "message": "{station} is late",
                    "actions": ["flag", {"command": "andon", "value": "yellow", "on_clear": "off"}],
                },
                "link": {"each": "connection", "when": "not up", "message": "link lost"},
                "found": {"each": "station", "when": "bottleneck >= 60%", "message": "{station} holds the line back"},
            },
            "control": {"allow": [{"stations": ["l/*"], "commands": ["andon"]}]},
        },
    )


PLANT = plant()


def stories() -> st.SearchStrategy[list[Step]]:
    """Parts come and go, the link drops now and then, within some days."""
    move = st.tuples(st.integers(1, 200), st.sampled_from("abc"), st.booleans())
    return st.lists(move, min_size=1, max_size=40).map(_told)


def _told(moves: Sequence[tuple[int, str, bool]]) -> list[Step]:
    at_ns = MONDAY_8 - HOUR
    first: list[Observation] = [LinkChange("plc", up=True, at_ns=at_ns)]
    first += [Reading(f"l/{name}/part_present", False, Quality.GOOD, at_ns, at_ns) for name in "abc"]
    first.append(Reading("l/a/product", 1, Quality.GOOD, at_ns, at_ns))
    steps: list[Step] = [(at_ns, first)]
    for minutes, name, present in moves:
        at_ns += minutes * MINUTE
        observations: list[Observation] = [
            Reading(f"l/{name}/part_present", present, Quality.GOOD, at_ns, at_ns)
            if minutes % 17
            else LinkChange("plc", up=present, at_ns=at_ns, reason="test")
        ]
        steps.append((at_ns, observations))
    return steps


def run(engine: Engine, steps: Sequence[Step]) -> list[AnyEvent]:
    return [event for now_ns, observations in steps for event in engine.step(observations, now_ns)]


def encoded(events: Sequence[AnyEvent]) -> bytes:
    return msgspec.msgpack.encode(events)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(steps=stories(), extra=st.lists(st.integers(0, 4000), max_size=20))
def test_ticks_between_steps_change_nothing(steps: list[Step], extra: list[int]) -> None:
    end = steps[-1][0] + 10 * HOUR
    plain = Engine(PLANT)
    expected = run(plain, steps) + plain.tick(end)
    ticked, found = Engine(PLANT), []
    moments = sorted(steps[0][0] + minutes * MINUTE for minutes in extra)
    for now_ns, observations in steps:
        while moments and moments[0] <= now_ns:
            moment = moments.pop(0)
            if moment > steps[0][0]:
                found += ticked.tick(moment)
        found += ticked.step(observations, now_ns)
    found += [event for moment in moments if moment < end for event in ticked.tick(moment)]
    found += ticked.tick(end)
    assert encoded(found) == encoded(expected)
    assert ticked.snapshot() == plain.snapshot()


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(steps=stories(), cut=st.integers(0, 40))
def test_a_snapshot_goes_on_exactly_where_it_was_taken(steps: list[Step], cut: int) -> None:
    cut = min(cut, len(steps))
    whole = Engine(PLANT)
    run(whole, steps[:cut])
    resumed = Engine(PLANT)
    assert resumed.restore(whole.snapshot()) == []
    end = steps[-1][0] + 30 * HOUR
    assert encoded(run(resumed, steps[cut:]) + resumed.tick(end)) == encoded(run(whole, steps[cut:]) + whole.tick(end))


def test_a_late_running_cycle_is_flagged_before_it_ends_and_lights_the_andon() -> None:
    engine = Engine(PLANT)
    run(engine, _told([(59, "a", False), (2, "a", True)]))
    late_ns = MONDAY_8 + MINUTE + 2 * HOUR * 11 // 10 + MINUTE
    now_ns = late_ns + 12_000_000_000
    events = engine.tick(now_ns)
    raised = next(event for event in events if isinstance(event, FlagChanged))
    assert (raised.rule, raised.station) == ("late", "a")
    assert late_ns <= raised.at_ns <= late_ns + 10_000_000_000
    command = next(event for event in events if isinstance(event, CommandIssued))
    assert (command.name, command.value) == ("andon", 2)
    outcome = CommandOutcome(command.command, CommandResult.VERIFIED, now_ns)
    closed = engine.step([outcome], now_ns)
    assert [event.result for event in closed if isinstance(event, CommandClosed)] == [CommandResult.VERIFIED]


def test_a_snapshot_of_another_kind_is_refused() -> None:
    with pytest.raises(SnapshotError, match="can't be read"):
        Engine(PLANT).restore(b"nonsense")


def test_a_changed_rule_starts_only_what_it_must_afresh() -> None:
    engine = Engine(PLANT)
    run(engine, _told([(61, "a", True)]))
    changed = PLANT.model_copy(update={"rules": {}})
    resumed = Engine(changed)
    resumed.restore(engine.snapshot())
    assert b"part_present" in resumed.snapshot()


# --- findings -------------------------------------------------------------------------------------------------


def findings(at_ns: int, station: str, probability: float) -> Findings:
    suspects = [Suspect(station, probability, 7200.0)]
    return Findings(at_ns, [BottleneckUpdated(at_ns=at_ns, line="l", suspects=suspects, units=30)])


def with_findings(steps: Sequence[Step], found: Sequence[tuple[str, float]]) -> list[Step]:
    """What an assessment found comes in with the readings, dated some time before."""
    mixed: list[Step] = []
    for number, (now_ns, observations) in enumerate(steps):
        extra: list[Observation] = [findings(now_ns - MINUTE, *found[number])] if number < len(found) else []
        mixed.append((now_ns, [*extra, *observations]))
    return mixed


FOUND = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=40)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(steps=stories(), found=FOUND, cut=st.integers(0, 40))
def test_findings_are_journaled_and_told_and_replayed_byte_for_byte(
    steps: list[Step], found: list[tuple[str, float]], cut: int
) -> None:
    steps = with_findings(steps, found)
    whole, resumed = Engine(PLANT), Engine(PLANT)
    expected = run(whole, steps[:cut])
    resumed.restore(whole.snapshot())
    journal = msgspec.msgpack.encode([(now_ns, observations) for now_ns, observations in steps[cut:]])
    replayed = msgspec.msgpack.decode(journal, type=list[tuple[int, list[Observation]]])
    rest = run(whole, steps[cut:])
    assert encoded(run(resumed, replayed)) == encoded(rest)
    told = [event for event in [*expected, *rest] if isinstance(event, BottleneckUpdated)]
    assert told == [
        event for _, batch in steps for each in batch if isinstance(each, Findings) for event in each.events
    ]


def test_what_was_found_raises_flags() -> None:
    engine = Engine(PLANT)
    run(engine, _told([(59, "a", True)]))
    now_ns = MONDAY_8 + HOUR
    told = engine.step([findings(now_ns, "b", 0.7)], now_ns)
    assert [(event.rule, event.station) for event in told if isinstance(event, FlagChanged)] == [("found", "b")]


def test_a_question_is_what_was_known_when_it_was_asked() -> None:
    engine = Engine(PLANT)
    run(engine, _told([(61, "a", True), (100, "a", False), (9, "b", True)]))
    before, question = engine.snapshot(), engine.question(MONDAY_8 + 5 * HOUR)
    assert engine.snapshot() == before
    asked = msgspec.msgpack.encode(question)
    run(engine, [(MONDAY_8 + 6 * HOUR, [Reading("l/b/part_present", False, Quality.GOOD, MONDAY_8 + 5 * HOUR, 0)])])
    assert msgspec.msgpack.encode(question) == asked
    assert engine.question(MONDAY_8 + 5 * HOUR) != question
    assert [len(station.finished) for station in question.records["l"].stations] == [1, 0, 0]
