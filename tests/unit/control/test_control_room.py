"""Flags into commands: allow-list, one at a time, spacing, leases, the strongest wish, every command closed."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.config import Command, Config
from linecontrol.control import ControlRoom
from linecontrol.errors import SnapshotError
from linecontrol.model import (
    AlarmState,
    AnyEvent,
    CommandClosed,
    CommandIssued,
    CommandOutcome,
    CommandResult,
    FlagChanged,
    ReleaseProposed,
    Severity,
)

S = 10**9


def andon(colour: str, **more: object) -> dict[str, object]:
    return {"command": "andon", "value": colour, **more}


RULES: dict[str, tuple[str, list[dict[str, object]]]] = {
    "slow": ("warning", [andon("yellow", on_clear="off")]),
    "note": ("info", [andon("green", on_clear="off")]),
    "down": ("critical", [andon("red", on_clear="off")]),
    "keep": ("warning", [andon("yellow")]),
    "stop": ("critical", [{"command": "hold", "value": "20s"}]),
    "brake": ("warning", [{"setpoint": "speed", "value": 0.8, "on_clear": 1.0}]),
    "crawl": ("critical", [{"setpoint": "speed", "value": "low"}]),
    "race": ("info", [{"setpoint": "speed", "value": 9}]),
    "chosen": ("warning", [{"command": "andon", "value": "colour"}, {"command": "hold", "value": "lease"}]),
}
PARAMS = {
    "crawl": {"low": {"line/a": "50%", "*": 0.6}},
    "chosen": {"colour": {"line/a": "green", "*": "red"}, "lease": "1min"},
}
SPEED: dict[str, Any] = {"stations": ["line/*"], "setpoints": {"speed": {"min": 0.5, "max": 1.0}}}


def config(
    allow: Sequence[Mapping[str, object]] = ({"stations": ["line/*"], "commands": ["andon", "hold"]}, SPEED),
) -> Config:
    writable: dict[str, object] = {"commands": {"andon": {}, "hold": {}}, "setpoints": {"speed": {}}}
    station = {"title": "t", "cycle_by": "state", "signals": {}, **writable}
    return Config.model_validate(
        {
            "plant": {"site": "s", "area": "a", "timezone": "UTC"},
            "calendar": {"shifts": {"day": {"days": ["mon"], "start": "08:00", "end": "17:00"}}},
            "families": {"f": {"title": "F"}},
            "products": {"p": {"title": "P", "family": "f", "code": 1}},
            "connections": {},
            "lines": {
                "line": {
                    "title": "Line",
                    "shifts": ["day"],
                    "families": ["f"],
                    "stations": {"a": station, "b": station, "mute": {**station, "commands": {}, "setpoints": {}}},
                    "standards": [{"start": "2026-01-01", "times": {"a": {"p": "1h"}}}],
                }
            },
            "rules": {
                name: {"each": "station", "when": "true", "message": "m", "severity": severity,
                       "actions": ["flag", *actions], "params": PARAMS.get(name, {})}
                for name, (severity, actions) in RULES.items()
            },
            "control": {"allow": list(allow), "expire_after": "10s", "spacing": "1s"},
        }
    )  # fmt: skip


def flag(at_s: float, rule: str, transition: str = "raised", station: str = "a") -> FlagChanged:
    state = AlarmState.NORMAL if transition == "cleared" else AlarmState.ACKNOWLEDGED
    return FlagChanged(
        at_ns=int(at_s * S), flag=f"{rule}/line/{station}", rule=rule, line="line", station=station,
        transition=transition, state=state, severity=Severity(RULES[rule][0]), raised_ns=0, text="m",
    )  # fmt: skip


def ended(at_s: float, command: str, result: str = "verified") -> CommandOutcome:
    return CommandOutcome(command, result, int(at_s * S))


def issued(events: Sequence[AnyEvent]) -> list[tuple[str, object]]:
    return [(event.command, event.value) for event in events if isinstance(event, CommandIssued)]


def test_a_flag_writes_and_its_end_takes_back() -> None:
    room = ControlRoom(config())
    (command,) = room.see(flag(1, "slow"))
    assert command == CommandIssued(
        at_ns=S, command="line/a/andon/1", line="line", station="a", name="andon", value=2, expires_ns=11 * S,
        reason="slow/line/a",
    )  # fmt: skip
    (closed,) = room.outcome(ended(2, "line/a/andon/1"))
    assert isinstance(closed, CommandClosed)
    assert (closed.result, closed.issued_ns, closed.at_ns) == (CommandResult.VERIFIED, S, 2 * S)
    assert issued(room.see(flag(5, "slow", "cleared"))) == [("line/a/andon/2", 0)]


def test_the_most_severe_wins_and_the_last_one_out_turns_off_the_light() -> None:
    room = ControlRoom(config())
    assert issued(room.see(flag(1, "slow"))) == [("line/a/andon/1", 2)]
    room.outcome(ended(1.5, "line/a/andon/1"))
    assert issued(room.see(flag(3, "down"))) == [("line/a/andon/2", 3)]
    room.outcome(ended(3.5, "line/a/andon/2"))
    assert room.see(flag(5, "note")) == []
    assert issued(room.see(flag(6, "down", "cleared"))) == [("line/a/andon/3", 2)]
    room.outcome(ended(6.5, "line/a/andon/3"))
    assert issued(room.see(flag(8, "slow", "cleared"))) == [("line/a/andon/4", 1)]
    room.outcome(ended(8.5, "line/a/andon/4"))
    assert issued(room.see(flag(10, "note", "cleared"))) == [("line/a/andon/5", 0)]


def test_without_on_clear_the_light_stays() -> None:
    room = ControlRoom(config())
    room.see(flag(1, "keep"))
    room.outcome(ended(2, "line/a/andon/1"))
    assert room.see(flag(5, "keep", "cleared")) == []
    assert room.tick(100 * S) == []


def test_later_commands_wait_and_only_the_latest_is_written() -> None:
    room = ControlRoom(config())
    room.see(flag(1, "slow"))
    assert room.see(flag(1.1, "down")) == []
    assert room.see(flag(1.2, "down", "cleared")) == []
    assert room.see(flag(1.3, "down")) == []
    assert issued(room.outcome(ended(1.5, "line/a/andon/1"))) == []
    assert issued(room.tick(2 * S)) == [("line/a/andon/2", 3)]


def test_a_hold_is_renewed_at_half_of_its_lease_and_released() -> None:
    room = ControlRoom(config())
    assert issued(room.see(flag(0, "stop"))) == [("line/a/hold/1", 20)]
    room.outcome(ended(1, "line/a/hold/1"))
    assert room.tick(9 * S) == []
    assert issued(room.tick(10 * S)) == [("line/a/hold/2", 20)]
    room.outcome(ended(11, "line/a/hold/2", "refused"))
    assert room.tick(15 * S) == []
    assert issued(room.tick(20 * S)) == [("line/a/hold/3", 20)]
    room.outcome(ended(21, "line/a/hold/3"))
    assert issued(room.see(flag(25, "stop", "cleared"))) == [("line/a/hold/4", 0)]
    room.outcome(ended(26, "line/a/hold/4"))
    assert room.tick(100 * S) == []


def test_what_failed_is_not_written_again_by_itself() -> None:
    room = ControlRoom(config())
    room.see(flag(1, "slow"))
    assert [type(event) for event in room.outcome(ended(2, "line/a/andon/1", "refused"))] == [CommandClosed]
    assert room.tick(100 * S) == []
    assert issued(room.see(flag(101, "slow"))) == [("line/a/andon/2", 2)]


def test_without_an_outcome_it_ends_as_unknown() -> None:
    room = ControlRoom(config())
    room.see(flag(1, "slow"))
    assert room.tick(20 * S) == []
    (closed,) = room.tick(21 * S)
    assert isinstance(closed, CommandClosed)
    assert closed.result is CommandResult.UNKNOWN
    assert room.outcome(ended(22, "line/a/andon/1")) == ()


@pytest.mark.parametrize(
    ("allow", "station", "said"),
    [
        ([], "a", "control.allow does not list andon of line/a"),
        ([{"stations": ["line/b"], "commands": ["andon"]}], "a", "control.allow does not list"),
        ([{"stations": ["*"], "commands": ["hold"]}], "a", "control.allow does not list"),
        ([{"stations": ["*"], "commands": ["andon"]}], "mute", "line/mute has no andon"),
    ],
)
def test_what_is_not_allowed_is_refused_at_once(allow: Any, station: str, said: str) -> None:
    room = ControlRoom(config(allow))
    (closed,) = room.see(flag(1, "slow", station=station))
    assert isinstance(closed, CommandClosed)
    assert (closed.result, closed.value) == (CommandResult.REFUSED, 2)
    assert said in closed.text
    assert room.see(flag(2, "slow", "cleared", station=station)) == []
    assert room.tick(100 * S) == []


def test_a_setpoint_is_written_once_each_time_it_is_raised() -> None:
    """The operator may have turned the knob in between, so the number that was written last tells nothing."""
    room = ControlRoom(config())
    assert issued(room.see(flag(1, "crawl"))) == [("line/a/speed/1", 0.5)]
    room.outcome(ended(2, "line/a/speed/1"))
    assert room.tick(100 * S) == []
    assert room.see(flag(101, "crawl", "cleared")) == []
    assert issued(room.see(flag(110, "crawl"))) == [("line/a/speed/2", 0.5)]


def test_of_two_numbers_the_more_urgent_stands_and_the_other_comes_back() -> None:
    room = ControlRoom(config())
    assert issued(room.see(flag(1, "brake"))) == [("line/a/speed/1", 0.8)]
    room.outcome(ended(2, "line/a/speed/1"))
    assert issued(room.see(flag(3, "crawl"))) == [("line/a/speed/2", 0.5)]
    room.outcome(ended(4, "line/a/speed/2"))
    assert issued(room.see(flag(6, "crawl", "cleared"))) == [("line/a/speed/3", 0.8)]
    room.outcome(ended(7, "line/a/speed/3"))
    assert issued(room.see(flag(9, "brake", "cleared"))) == [("line/a/speed/4", 1.0)]


@pytest.mark.parametrize(
    ("allow", "rule", "station", "said"),
    [
        ([SPEED], "race", "a", "control.allow lists speed of line/a from 0.5 to 1, not 9"),
        ([{**SPEED, "stations": ["line/b"]}], "brake", "a", "control.allow does not list speed of line/a"),
        ([SPEED], "brake", "mute", "line/mute has no speed"),
    ],
)
def test_a_number_outside_its_range_is_refused(allow: Any, rule: str, station: str, said: str) -> None:
    room = ControlRoom(config(allow))
    (closed,) = room.see(flag(1, rule, station=station))
    assert isinstance(closed, CommandClosed)
    assert closed.result is CommandResult.REFUSED
    assert said in closed.text
    assert room.tick(100 * S) == []


def test_a_range_that_was_narrowed_holds_for_what_was_wanted_before() -> None:
    room = ControlRoom(config())
    room.see(flag(1, "brake"))
    room.outcome(ended(2, "line/a/speed/1"))
    narrow = ControlRoom(config([{**SPEED, "setpoints": {"speed": {"min": 0.5, "max": 0.9}}}]))
    narrow.remember(room.memory())
    (refused,) = narrow.see(flag(5, "brake", "cleared"))
    assert isinstance(refused, CommandClosed)
    assert (refused.value, refused.result) == (1.0, CommandResult.REFUSED)
    assert narrow.tick(100 * S) == []


def test_commands_take_the_param_of_their_station() -> None:
    room = ControlRoom(config())
    assert issued(room.see(flag(1, "chosen"))) == [("line/a/andon/1", 1), ("line/a/hold/2", 60)]
    assert issued(room.see(flag(1, "chosen", station="b"))) == [("line/b/andon/3", 3), ("line/b/hold/4", 60)]


def test_an_action_that_is_gone_is_taken_back() -> None:
    room = ControlRoom(config())
    room.see(flag(1, "brake"))
    room.outcome(ended(2, "line/a/speed/1"))
    plain = config()
    rules = {**plain.rules, "brake": plain.rules["brake"].model_copy(update={"actions": plain.rules["slow"].actions})}
    other = ControlRoom(plain.model_copy(update={"rules": rules}))
    other.remember(room.memory())
    assert issued(other.tick(10 * S)) == [("line/a/speed/2", 1.0)]


def with_actions(**actions: str) -> Config:
    """The config with the actions of other rules for some."""
    plain = config()
    changed = {
        name: plain.rules[name].model_copy(
            update={"actions": plain.rules[other].actions, "params": plain.rules[other].params}
        )
        for name, other in actions.items()
    }
    return plain.model_copy(update={"rules": plain.rules | changed})


def test_other_rules_have_written_what_they_say_of_flags_as_they_stand() -> None:
    room = ControlRoom(config())
    standing = [flag(1, "slow"), flag(1, "stop", station="b"), flag(1, "brake")]
    for each in standing:
        room.see(each)
    for command in ("line/a/andon/1", "line/b/hold/2", "line/a/speed/3"):
        assert room.outcome(ended(2, command))
    assert room.settle(standing, 10 * S) == []
    room.follow(with_actions(slow="down", stop="slow"))
    said = issued(room.settle(standing, 20 * S))
    assert said == [("line/a/andon/4", 3), ("line/b/hold/5", 0), ("line/b/andon/6", 2)]
    for command, _ in said:
        assert room.outcome(ended(21, command))
    room.follow(with_actions(slow="down", brake="crawl"))
    assert issued(room.settle([flag(1, "brake")], 30 * S)) == [
        ("line/a/andon/7", 0), ("line/a/speed/8", 0.5), ("line/b/andon/9", 0),
    ]  # fmt: skip


def test_other_rules_write_nothing_that_is_not_allowed() -> None:
    room = ControlRoom(config(()))
    assert room.settle([flag(1, "slow"), flag(1, "brake")], 10 * S) == []


def test_a_memory_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SnapshotError):
        ControlRoom(config()).remember(b"nonsense")


# --- laws -------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 400_000_000, S, 7 * S, 30 * S]),
        st.one_of(
            st.tuples(st.just("flag"), st.sampled_from(sorted(RULES)), st.sampled_from(["raised", "cleared"]),
                      st.sampled_from(["a", "b", "mute"])),
            st.tuples(st.just("tick")),
            st.tuples(st.just("end"), st.integers(0, 9), st.sampled_from([*CommandResult, "odd"])),
            st.tuples(st.just("cut")),
        ),
    ),
    max_size=60,
)  # fmt: skip
ALLOWED: list[dict[str, Any]] = [
    {"stations": ["line/a"], "commands": ["andon", "hold"], "setpoints": {"speed": {"min": 0.5, "max": 1.0}}},
    {"stations": ["line/b"], "commands": ["hold"]},
]


def drive(steps: Any, *, cut: bool) -> tuple[list[AnyEvent], bytes]:
    room = ControlRoom(config(ALLOWED))
    said: list[AnyEvent] = []
    now = 0
    for gap, (what, *more) in steps:
        now += gap
        if what == "flag":
            said += room.see(flag(now / S, *more))
        elif what == "tick":
            said += room.tick(now)
        elif what == "end":
            names = [event.command for event in said if isinstance(event, CommandIssued)]
            if names:
                said += room.outcome(CommandOutcome(names[-1 - more[0] % len(names)], more[1], now))
        elif cut:
            memory = room.memory()
            room = ControlRoom(config(ALLOWED))
            room.remember(memory)
            assert room.memory() == memory
    said += room.tick(now + 60 * S)
    return said, room.memory()


@given(STEPS)
def test_one_open_per_target_nothing_outside_the_list_each_closed_once(steps: Any) -> None:
    said, _ = drive(steps, cut=False)
    opened: dict[tuple[str, str, str], str] = {}
    last: dict[tuple[str, str, str], int] = {}
    seen: set[str] = set()
    for event in said:
        if isinstance(event, CommandIssued):
            target = (event.line, event.station, event.name)
            assert target not in opened
            assert event.command not in seen
            assert event.station == "a" or (event.station, event.name) == ("b", "hold")
            assert event.name != "speed" or 0.5 <= event.value <= 1.0
            assert target not in last or event.at_ns >= last[target] + S
            opened[target], last[target] = event.command, event.at_ns
            seen.add(event.command)
        elif isinstance(event, CommandClosed) and event.command in seen:
            assert opened.pop((event.line, event.station, event.name)) == event.command
        elif isinstance(event, CommandClosed):
            assert event.result is CommandResult.REFUSED
    end = sum(gap for gap, _ in steps) + 60 * S
    assert all(last[target] == end for target in opened)


@given(STEPS)
def test_cut_and_resumed_anywhere_it_says_the_same(steps: Any) -> None:
    assert drive(steps, cut=True) == drive(steps, cut=False)


# --- the release ------------------------------------------------------------------------------------------------


def proposed(at_s: float, product: str, *, go: bool = True) -> ReleaseProposed:
    return ReleaseProposed(
        at_ns=int(at_s * S), line="line", products=[product], limit=None, wip=1, go=go, reason=f"{product} next"
    )


def releasing(allowed: list[str]) -> Config:
    plain = config()
    line = plain.lines["line"]
    first = line.stations["a"].model_copy(
        update={"commands": {**line.stations["a"].commands, Command.NEXT_PRODUCT: {}}}
    )
    lines = {"line": line.model_copy(update={"stations": {**line.stations, "a": first}})}
    products = {"seven": SimpleNamespace(code=7), "text": SimpleNamespace(code="T")}
    allow = [SimpleNamespace(stations=["line/*"], commands=[Command(name) for name in allowed])]
    control = plain.control.model_copy(update={"allow": allow})
    return plain.model_copy(update={"lines": lines, "products": products, "control": control})


def test_a_proposed_release_is_commanded_where_that_is_allowed() -> None:
    room = ControlRoom(releasing(["next_product"]))
    assert issued(room.see(proposed(1, "seven"))) == [("line/a/next_product/1", 7)]
    room.outcome(ended(2, "line/a/next_product/1"))
    assert issued(room.see(proposed(20, "seven"))) == []


def test_what_is_to_wait_or_has_no_number_is_not_commanded() -> None:
    room = ControlRoom(releasing(["next_product"]))
    assert room.see(proposed(1, "seven", go=False)) == ()
    assert room.see(proposed(2, "text")) == ()


def test_a_release_is_taken_back_when_it_is_to_wait() -> None:
    room = ControlRoom(releasing(["next_product"]))
    room.see(proposed(1, "seven"))
    room.outcome(ended(2, "line/a/next_product/1"))
    assert issued(room.see(proposed(20, "seven", go=False))) == [("line/a/next_product/2", 0)]
    room.outcome(ended(21, "line/a/next_product/2"))
    assert issued(room.see(proposed(40, "seven", go=False))) == []
    assert issued(room.see(proposed(60, "seven"))) == [("line/a/next_product/3", 7)]


def test_without_permission_a_release_is_a_proposal_only() -> None:
    assert ControlRoom(releasing(["andon"])).see(proposed(1, "seven")) == ()
