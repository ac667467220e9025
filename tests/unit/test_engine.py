"""Laws of the engine: the same input gives the same bytes, however time is cut and wherever it is resumed."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.config import Config, RuleConfig
from linecontrol.config.rules_data import rules_text
from linecontrol.engine import Engine
from linecontrol.errors import ConfigError, SnapshotError
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
    Operation,
    Quality,
    Reading,
    RulesChanged,
    RulesGiven,
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


# --- other rules ----------------------------------------------------------------------------------------------

ANDON = {"each": "station", "message": "{station} calls", "when": "andon"}
LIGHT = {"command": "andon", "value": "red", "on_clear": "off"}


def with_rules(**rules: Any) -> str:
    """The plant's rules, but for those that are given; ``None``: without one."""
    changed = {name: RuleConfig.model_validate(rule) for name, rule in rules.items() if rule is not None}
    kept = {name: rule for name, rule in PLANT.rules.items() if name not in rules}
    return rules_text(PLANT.model_copy(update={"rules": kept | changed}))


SETS = [
    rules_text(PLANT),
    with_rules(late=None),
    with_rules(late=None, later={**ANDON, "was": "late", "when": "running.active > 1.1 * running.planned"}),
    with_rules(link=None, found=None, call={**ANDON, "actions": ["flag", LIGHT]}),
    with_rules(late={**ANDON, "when": "running.active > 0.2 * running.planned", "actions": ["flag", LIGHT]}),
]


def given_rules(steps: Sequence[Step], reloads: Sequence[tuple[int, int]]) -> list[Step]:
    """The steps with other rules that come in with them."""
    mixed = [(now_ns, list(observations)) for now_ns, observations in steps]
    for place, which in reloads:
        now_ns, observations = mixed[place % len(mixed)]
        observations.insert(which % (len(observations) + 1), RulesGiven(SETS[which % len(SETS)], now_ns, "eva"))
    return mixed


RELOADS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), max_size=6)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(steps=stories(), reloads=RELOADS, cut=st.integers(0, 40))
def test_other_rules_are_replayed_byte_for_byte_from_any_snapshot(
    steps: list[Step], reloads: list[tuple[int, int]], cut: int
) -> None:
    steps = given_rules(steps, reloads)
    live, expected = Engine(PLANT), list[AnyEvent]()
    for now_ns, observations in steps:
        for each in observations:
            if isinstance(each, RulesGiven):
                live.expect(live.prepare(each.text))
        expected += live.step(observations, now_ns)
    journal = msgspec.msgpack.encode(steps)
    replayed = msgspec.msgpack.decode(journal, type=list[tuple[int, list[Observation]]])
    whole = Engine(PLANT)
    assert encoded(run(whole, replayed)) == encoded(expected)
    assert whole.rules == live.rules
    first, resumed = Engine(PLANT), Engine(PLANT)
    told = run(first, replayed[:cut])
    assert resumed.restore(first.snapshot()) == []
    assert encoded(told + run(resumed, replayed[cut:])) == encoded(expected)
    assert resumed.snapshot() == live.snapshot()


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(steps=stories(), reloads=RELOADS)
def test_the_same_rules_again_change_nothing(steps: list[Step], reloads: list[tuple[int, int]]) -> None:
    plain, again = Engine(PLANT), Engine(PLANT)
    same = [(place, which * len(SETS)) for place, which in reloads]
    assert encoded(run(again, given_rules(steps, same))) == encoded(run(plain, steps))
    assert again.snapshot() == plain.snapshot()


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(steps=stories(), reloads=RELOADS)
def test_without_rules_nothing_stands_and_nothing_is_written(steps: list[Step], reloads: list[tuple[int, int]]) -> None:
    engine = Engine(PLANT)
    events = run(engine, given_rules(steps, reloads))
    at_ns = steps[-1][0] + HOUR
    none = rules_text(PLANT.model_copy(update={"rules": {}}))
    events += engine.step([RulesGiven(none, at_ns, "eva")], at_ns)
    for minutes in range(1, 10):
        events += engine.tick(at_ns + minutes * MINUTE)
    states = {event.flag: event.state for event in events if isinstance(event, FlagChanged)}
    assert set(states.values()) <= {"normal"}
    lights = {event.station: event.value for event in events if isinstance(event, CommandIssued)}
    assert set(lights.values()) <= {0}


def calling() -> Engine:
    """An engine at eight: somebody calls from station c, and its light was written."""
    engine = Engine(PLANT)
    run(engine, _told([(60, "a", False)]))
    engine.step([RulesGiven(SETS[3], MONDAY_8, "eva")], MONDAY_8)
    events = engine.step([Reading("l/c/andon_call", True, Quality.GOOD, MONDAY_8, MONDAY_8)], MONDAY_8)
    (command,) = [event for event in events if isinstance(event, CommandIssued)]
    engine.step([CommandOutcome(command.command, CommandResult.VERIFIED, MONDAY_8)], MONDAY_8)
    return engine


def test_the_flag_of_a_removed_rule_clears_and_its_light_goes_out() -> None:
    engine, at_ns = calling(), MONDAY_8 + MINUTE
    engine.tick(at_ns)
    cleared, command, changed = engine.step([RulesGiven(SETS[0], at_ns, "eva")], at_ns)
    assert isinstance(cleared, FlagChanged)
    assert (cleared.flag, cleared.transition, cleared.reason) == ("call/l/c", "cleared", "the rule was removed")
    assert isinstance(command, CommandIssued)
    assert (command.name, command.value) == ("andon", 0)
    assert isinstance(changed, RulesChanged)
    assert (changed.by, changed.removed, changed.added, changed.kept) == ("eva", ["call"], ["link", "found"], 0)
    assert "call/l/c" not in engine.flags()
    assert engine.step([Operation("ack", "call/l/c", "eva", "", at_ns)], at_ns) == []


@pytest.mark.parametrize(
    ("actions", "written"),
    [
        (["flag"], [0]),
        (["flag", {**LIGHT, "value": "green"}], [1]),
        (["flag", LIGHT], []),
        (["flag", {**LIGHT, "on_clear": "green"}], []),
    ],
)
def test_commands_of_raised_flags_follow_the_rules_that_count(actions: list[Any], written: list[int]) -> None:
    engine, at_ns = calling(), MONDAY_8 + MINUTE
    engine.tick(at_ns)
    rules = with_rules(link=None, found=None, call={**ANDON, "actions": actions, "severity": "info"})
    events = engine.step([RulesGiven(rules, at_ns)], at_ns)
    assert [event.value for event in events if isinstance(event, CommandIssued)] == written
    assert not [event for event in events if isinstance(event, FlagChanged)]


def test_a_renamed_rule_keeps_its_light_on() -> None:
    engine, at_ns = calling(), MONDAY_8 + MINUTE
    engine.tick(at_ns)
    rules = with_rules(link=None, found=None, cord={**ANDON, "was": "call", "actions": ["flag", LIGHT]})
    left, came, changed = engine.step([RulesGiven(rules, at_ns)], at_ns)
    assert isinstance(left, FlagChanged)
    assert isinstance(came, FlagChanged)
    assert isinstance(changed, RulesChanged)
    assert (left.flag, came.flag, changed.renamed, changed.kept) == ("call/l/c", "cord/l/c", [("call", "cord")], 1)
    at_ns += MINUTE
    events = engine.step([Reading("l/c/andon_call", False, Quality.GOOD, at_ns, at_ns)], at_ns)
    assert [event.value for event in events if isinstance(event, CommandIssued)] == [0]


def test_rules_that_the_plant_can_not_have_are_passed_over() -> None:
    engine, at_ns = calling(), MONDAY_8 + MINUTE
    engine.tick(at_ns)
    before = engine.snapshot()
    wrong = with_rules(late={**ANDON, "when": "nonsense"})
    assert engine.step([RulesGiven(wrong, at_ns), RulesGiven("{}", at_ns)], at_ns) == []
    assert engine.snapshot() == before
    with pytest.raises(ConfigError):
        engine.prepare(wrong)
    with pytest.raises(ConfigError, match="another version"):
        engine.prepare("{}")
