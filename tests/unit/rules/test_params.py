"""Params: one rule, a value for each subject; and what an unknown condition is taken for."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from linecontrol.config import RuleConfig
from linecontrol.model import CycleCompleted, StateChanged, StationState, Timing
from linecontrol.rules import problems
from linecontrol.trial import explain

S = 10**9
MONDAY = 1_767_585_600 * S
STATIONS = ("first", "second", "third")


def state(at_s: float, what: str, station: str = "second") -> StateChanged:
    return StateChanged(
        at_ns=MONDAY + int(at_s * S), line="line", station=station, state=StationState(what),
        previous=StationState.IDLE, since_ns=MONDAY, previous_s=0.0, shift="day",
    )  # fmt: skip


def done(at_s: float, active_s: float, station: str) -> CycleCompleted:
    return CycleCompleted(
        at_ns=MONDAY + int(at_s * S), line="line", station=station, unit="U1", unit_inferred=False, product="mtz",
        start_ns=None, active_s=active_s, planned_s=100.0, lost_s={}, timing=Timing.MEASURED, good=True, shift="day",
    )  # fmt: skip


def told(lab: SimpleNamespace, rule: dict[str, Any], events: list[Any], until_s: float) -> Any:
    config = lab.plant({"r": {"each": "station", "message": "m", **rule}})
    flags = lab.play(lab.room_of(config), events, MONDAY + int(until_s * S))
    return [(flag.station, flag.transition, (flag.at_ns - MONDAY) / S) for flag in flags]


def texts(lab: SimpleNamespace, rule: dict[str, Any]) -> list[tuple[str, str]]:
    config = lab.plant({"r": {"each": "station", "message": "m", **rule}})
    return [(problem.field, problem.text) for problem in problems(config)]


def test_the_first_pattern_that_fits_counts(lab: SimpleNamespace) -> None:
    rule = {
        "when": "state == 'down' and state_for > limit",
        "params": {"limit": {"line/first": "10s", "line/*t*": "20s", "*": "30s"}},
    }
    assert told(lab, rule, [state(0, "down", station) for station in STATIONS], 60) == [
        ("first", "raised", pytest.approx(10.0)),
        ("third", "raised", pytest.approx(20.0)),
        ("second", "raised", pytest.approx(30.0)),
    ]


def test_delays_windows_messages_and_texts_take_params(lab: SimpleNamespace) -> None:
    rule = {
        "when": "mean(cycle.active, last n cycles) > slack * 100 s and state != pause",
        "for": "patience",
        "off_delay": "patience",
        "message": "{n} of {slack}, {pause}, {patience}",
        "params": {
            "n": {"line/second": 1, "*": 2},
            "slack": "150%",
            "pause": "setup",
            "patience": {"*/second": "7s", "*": "1 min"},
        },
    }
    events: list[Any] = [state(0, "working", station) for station in STATIONS]
    events += [done(at, 200.0, station) for at in (10, 20) for station in ("second", "third")]
    events += [state(30, "setup")]
    config = lab.plant({"r": {"each": "station", **rule}})
    flags = lab.play(lab.room_of(config), sorted(events, key=lambda event: event.at_ns), MONDAY + 100 * S)
    assert [(flag.station, flag.transition, (flag.at_ns - MONDAY) / S, flag.text) for flag in flags] == [
        ("second", "raised", 17.0, "1 of 150 %, setup, 7s"),
        ("second", "cleared", 37.0, "1 of 150 %, setup, 7s"),
        ("third", "raised", 80.0, "2 of 150 %, setup, 60s"),
    ]


def test_windows_of_different_params_are_different_windows(lab: SimpleNamespace) -> None:
    """Two rules of the same text at the same station, each with its own limit."""
    when = "count(cycle.active > limit, last 2 cycles) >= 2"
    rules = {
        name: {"each": "station", "message": "m", "when": when, "params": {"limit": limit}}
        for name, limit in (("low", "10s"), ("high", "1h"))
    }
    room = lab.room_of(lab.plant(rules))
    flags = lab.play(room, [done(1, 20.0, "second"), done(2, 20.0, "second")], MONDAY + 20 * S)
    assert [flag.flag for flag in flags] == ["low/line/second"]
    assert "count(cycle.active > 1h, last 2 cycles)" in {part.text for part in explain(room, "high/line/second")}


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"params": {"limit": {"line/first": "5s"}}}, "params.limit", "no value for line/second, line/third; add"),
        ({"params": {"limit": {"*": "5s", "line/first": "9s"}}}, "params.limit.line/first",
         "'line/first' is never used: '*' above it fits line/first first; put the narrower one above"),
        ({"params": {"limit": {"line/frist": "9s", "*": "5s"}}}, "params.limit.line/frist",
         "fits no station, did you mean 'line/first'"),
        ({"params": {"limit": {"line/first": "9s", "*": "5s"}}, "only": ["*/second"]}, "params.limit.line/first",
         "'line/first' is never used: the rule is not watched for line/first, which only: leaves out"),
        ({"when": "state_for > limit and upstream.state == 'down'",
          "params": {"limit": {"line/first": "9s", "*": "5s"}}}, "params.limit.line/first",
         "not watched for line/first, which has no upstream neighbour"),
        ({"params": {"limit": {"line": "9s", "*": "5s"}}}, "params.limit.line", "did you mean 'line/*'?"),
        ({"params": {"limit": {"line/first": "9s", "*": 5}}}, "params.limit.*",
         "'line/first' has a duration, '*' a number: 5"),
        ({"params": {"limit": "9s", "lmit": 3}}, "params.lmit", "nothing uses the param 'lmit'"),
        ({"params": {"limit": "9s", "state": "x"}}, "params.state", "has a meaning in conditions already"),
        ({"params": {"limit": "9s"}, "for": "limt"}, "for", "no param 'limt', did you mean 'limit'"),
        ({"params": {"limit": "9s", "n": 3}, "off_delay": "n"}, "off_delay", "a delay is a duration such as 20min"),
        ({"params": {"limit": "fast"}}, "when", "cannot compare a duration with a text"),
        ({"params": {"limit": 5}}, "when", "cannot compare a duration with a number: write a unit"),
        ({"when": "count(cycle.active > limit, last n cycles) > 1",
          "params": {"limit": "9s", "n": {"*/first": 5, "*": 5000}}}, "when",
         "a whole number from 1 to 1000 is expected here, not 5000 (for line/second)"),
        ({}, "when", "unknown name limit"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_params(lab: SimpleNamespace, change: dict[str, Any], field: str, said: str) -> None:
    ((where, text),) = texts(lab, {"when": "state_for > limit", **change})
    assert where == field
    assert said in text


@pytest.mark.parametrize("value", [True, None, [1], float("nan"), float("inf"), "a\nb", "x" * 201])
def test_what_is_no_value(value: object) -> None:
    with pytest.raises(ValidationError, match=r"no value of a param|at least 1"):
        RuleConfig.model_validate({"each": "station", "when": "n > 1", "message": "m", "params": {"n": value}})


def test_only_subjects_that_are_watched_need_a_value(lab: SimpleNamespace) -> None:
    rule = {"when": "upstream.state == 'down' and state_for > limit", "params": {"limit": {"*/[st]*": "5s"}}}
    assert texts(lab, rule) == []


@given(st.text(max_size=30).filter(str.isprintable))
def test_a_text_stays_a_text(lab: SimpleNamespace, text: str) -> None:
    """Whatever stands in a param, it is never code, and only what looks like one is a share or a duration."""
    rule = {"each": "station", "when": "unit == name", "message": "{name}", "params": {"name": text}}
    found = problems(lab.plant({"r": rule}))
    assert {problem.text for problem in found} <= {
        "cannot compare a text with a number", "cannot compare a text with a duration"
    }  # fmt: skip
    if not found:
        room = lab.room_of(lab.plant({"r": rule}))
        watch = room.watched("r/line/first")
        assert watch.rule.message.fill(watch.about.titles, watch.facts) == text


# --- unknown ----------------------------------------------------------------------------------------------------

GONE = [state(0, "down"), state(10, "unobserved"), state(400, "working")]


@pytest.mark.parametrize(
    ("on_unknown", "said"),
    [
        ("hold", [("raised", 0.0), ("blind", 310.0), ("sighted", 400.0), ("cleared", 400.0)]),
        ("clear", [("raised", 0.0), ("cleared", 10.0)]),
        ("raise", [("raised", 0.0), ("cleared", 400.0)]),
    ],
)
def test_unknown_leaves_it_clears_or_raises(lab: SimpleNamespace, on_unknown: str, said: list[Any]) -> None:
    rule = {"only": ["*/second"], "when": "state == 'down'", "on_unknown": on_unknown}
    assert [each[1:] for each in told(lab, rule, GONE, 500)] == said


def test_delays_run_while_it_counts_as_wrong(lab: SimpleNamespace) -> None:
    rule = {"only": ["*/second"], "when": "state == 'down'", "for": "30s", "off_delay": "20s"}
    events = [state(0, "working"), state(10, "unobserved"), state(100, "working")]
    assert told(lab, {**rule, "on_unknown": "raise"}, events, 200) == [
        ("second", "raised", 40.0),
        ("second", "cleared", 120.0),
    ]
    events = [state(0, "down"), state(20, "unobserved"), state(25, "down"), state(60, "unobserved")]
    assert told(lab, {**rule, "on_unknown": "clear"}, events, 200) == [
        ("second", "raised", 55.0),
        ("second", "cleared", 80.0),
    ]


def test_what_was_never_seen_is_unknown_too(lab: SimpleNamespace) -> None:
    room = lab.room_of(
        lab.plant({"r": {"each": "connection", "when": "not up", "on_unknown": "raise", "message": "m"}})
    )
    assert [event.transition for event in room.tick(MONDAY)] == ["raised"]


def test_a_sequence_ends_when_it_can_not_be_seen(lab: SimpleNamespace) -> None:
    events = [state(0, "setup"), state(10, "down"), state(20, "unobserved")]
    rule = {"only": ["*/second"], "when": "state == 'setup' then state == 'down' within 1 min", "on_unknown": "clear"}
    assert told(lab, rule, events, 60) == [("second", "raised", 10.0), ("second", "cleared", 20.0)]
