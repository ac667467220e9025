"""What a rule does besides raising its flag: notes, and values of commands and setpoints."""

from types import SimpleNamespace
from typing import Any

import pytest

from linecontrol.model import AndonCalled, Operation, StateChanged, StationState
from linecontrol.rules import problems

S = 10**9
MONDAY = 1_767_585_600 * S


def state(at_s: float, what: str) -> StateChanged:
    return StateChanged(
        at_ns=MONDAY + int(at_s * S), line="line", station="second", state=StationState(what),
        previous=StationState.IDLE, since_ns=MONDAY, previous_s=0.0, shift="day",
    )  # fmt: skip


def wrong(lab: SimpleNamespace, rule: dict[str, Any]) -> list[tuple[str, str]]:
    config = lab.plant({"r": {"each": "station", "when": "state == 'down'", "message": "m", **rule}})
    return [(problem.field, problem.text) for problem in problems(config)]


def test_a_rule_that_only_notes_tells_what_happened_and_raises_no_flag(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "state == 'down'", "message": "{station} is down.", "actions": ["note"]}
    room = lab.room_of(lab.plant({"r": rule, "both": {**rule, "actions": ["flag", "note"]}}))
    said = [*room.see(state(0, "down")), *room.see(state(9, "working")), *room.see(state(90, "down"))]
    assert [(event.flag, event.transition, event.text) for event in said] == [
        (f"{name}/line/second", transition, "Second station is down.")
        for name, transition in (
            ("r", "noted"), ("both", "raised"), ("both", "noted"), ("both", "cleared"),
            ("r", "noted"), ("both", "raised"), ("both", "noted"),
        )
    ]  # fmt: skip
    assert "r/line/second" not in room.flags
    assert not room.operate(Operation("shelve", "r/line/second", "ali", "why", MONDAY + 30 * S))


def test_nothing_is_noted_while_the_flag_is_put_aside(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "state == 'down'", "suppress": "andon", "message": "m", "actions": ["note"]}
    room = lab.room_of(lab.plant({"r": rule}))
    andon = AndonCalled(at_ns=MONDAY, line="line", station="second", active=True)
    assert [*room.see(state(0, "working")), *room.see(andon), *room.see(state(1, "down"))] == []


@pytest.mark.parametrize("field", ["severity", "ack", "latch", "realarm", "shelve_max", "group"])
def test_what_belongs_to_flags_has_no_meaning_for_a_note(lab: SimpleNamespace, field: str) -> None:
    values = {"severity": "info", "ack": "required", "latch": True, "realarm": "1h", "shelve_max": "1h", "group": "g"}
    found = dict(wrong(lab, {"actions": ["note"], field: values[field]}))
    assert "raises no flag" in found[field]


@pytest.mark.parametrize(
    ("rule", "field", "said"),
    [
        ({"realarm": "1h"}, "realarm", "add ack: required"),
        ({"actions": ["flag", "flag"]}, "actions.1", "is there twice"),
        ({"actions": [{"setpoint": "speed", "value": "slow"}]}, "actions.0.value", "there is no param 'slow'"),
        ({"actions": [{"setpoint": "speed", "value": "slow"}], "params": {"slow": "1min"}}, "actions.0.value",
         "a setpoint is a number; the param 'slow' is '1min'"),
        ({"actions": [{"command": "andon", "value": "rde"}]}, "actions.0.value",
         "'rde' is neither a colour (off, green, yellow, red) nor a param, did you mean 'red'"),
        ({"actions": [{"command": "hold", "value": "long"}], "params": {"long": 5}}, "actions.0.value",
         "hold needs a duration"),
        ({"actions": [{"command": "hold", "value": "long"}], "params": {"long": {"*/first": "1h", "*": "1s"}}},
         "actions.0.value", "a lease must be 10 s or longer"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_actions(lab: SimpleNamespace, rule: dict[str, Any], field: str, said: str) -> None:
    ((where, text),) = wrong(lab, rule)
    assert where == field
    assert said in text


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.9, None), (2, "control: allow: lists speed of line/first from 0.5 to 1, not 2"),
     ("fast", "control: allow: lists speed of line/third from 0.5 to 1, not 1.5")],
)  # fmt: skip
def test_numbers_are_held_against_their_range_when_they_are_read(
    lab: SimpleNamespace, value: Any, said: str | None
) -> None:
    allow = [{"stations": ["line/*"], "setpoints": {"speed": {"min": 0.5, "max": 1}}}]
    rule = {"each": "station", "when": "state == 'down'", "message": "m",
            "actions": [{"setpoint": "speed", "value": value}],
            "params": {"fast": {"*/third": 1.5, "*": 1}}}  # fmt: skip
    rule = rule if value == "fast" else {**rule, "params": {}}
    found = [problem.text for problem in problems(lab.plant({"r": rule}, control={"allow": allow}))]
    assert found == ([said] if said else [])
