"""Groups, floods and chatter: examples, and laws that hold for any story."""

import sys
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.config import ChatterConfig, Config, FloodConfig
from linecontrol.config.rule_test import RuleTestConfig
from linecontrol.model import (
    AlarmState,
    AndonCalled,
    AnyEvent,
    FlagChanged,
    Operation,
    Severity,
    StateChanged,
    StationState,
)
from linecontrol.model.observation import VERBS
from linecontrol.rules import RulesRoom
from linecontrol.rules.alarm import Alarm, Life, expire, feel
from linecontrol.rules.chatter import calming_ns, turn
from linecontrol.rules.flood import Flood, over_ns, take
from linecontrol.trial import Backtest, run_test
from linecontrol.trial.backtest import rules_of

S = 10**9
MONDAY = 1_767_585_600 * S
STATIONS = ("first", "second", "third")
WANTING = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
CALL = {"each": "station", "when": "andon", "message": "{station} calls"}


def call(at_s: float, station: str, active: bool = True) -> AndonCalled:
    return AndonCalled(at_ns=MONDAY + round(at_s * S), line="line", station=station, active=active)


def state(at_s: float, station: str, what: str) -> StateChanged:
    at_ns = MONDAY + round(at_s * S)
    return StateChanged(
        at_ns=at_ns, line="line", station=station, state=StationState(what), previous=StationState.IDLE, since_ns=at_ns,
        previous_s=0.0, shift="day",
    )  # fmt: skip


def alarms(**more: Any) -> dict[str, Any]:
    return {"alarms": {"flood": {"enter": 100}, "chatter": {"transitions": 20}, **more}}


def story(lab: SimpleNamespace, config: Config, events: Sequence[AnyEvent], until_s: int) -> list[FlagChanged]:
    flags: list[FlagChanged] = lab.play(lab.room_of(config), events, MONDAY + until_s * S)
    return flags


def told(flags: Iterable[FlagChanged]) -> list[tuple[float, str, str, str]]:
    return [((f.at_ns - MONDAY) / S, f.flag, f.transition, f.suppressed_by or f.state.value) for f in flags]


# --- groups -------------------------------------------------------------------------------------------------


def test_the_first_of_a_group_stands_for_the_others_until_it_clears(lab: SimpleNamespace) -> None:
    config = lab.plant({"call": {**CALL, "group": "stop"}}, **alarms())
    events = [call(10, "second"), call(20, "first"), call(30, "third"), call(40, "third", False)]
    flags = story(lab, config, [*events, call(50, "second", False), call(60, "third")], 70)
    behind = "first out: call/line/second"
    assert told(flags) == [
        (10, "call/line/second", "raised", "acknowledged"),
        (20, "call/line/first", "raised", behind),
        (30, "call/line/third", "raised", behind),
        (40, "call/line/third", "cleared", "normal"),
        (50, "call/line/second", "cleared", "normal"),
        (50, "call/line/first", "unsuppressed", "acknowledged"),
        (60, "call/line/third", "raised", "first out: call/line/first"),
    ]
    assert flags[5].raised_ns == MONDAY + 20 * S


def test_what_clears_together_with_the_first_does_not_come_to_the_front_before(lab: SimpleNamespace) -> None:
    config = lab.plant({"a": {**CALL, "group": "stop"}, "b": {**CALL, "group": "stop"}}, **alarms())
    events = [call(10, "second"), call(20, "first"), call(30, "second", False)]
    assert told(story(lab, config, events, 40)) == [
        (10, "a/line/second", "raised", "acknowledged"),
        (10, "b/line/second", "raised", "first out: a/line/second"),
        (20, "a/line/first", "raised", "first out: a/line/second"),
        (20, "b/line/first", "raised", "first out: a/line/second"),
        (30, "a/line/second", "cleared", "normal"),
        (30, "b/line/second", "cleared", "normal"),
        (30, "a/line/first", "unsuppressed", "acknowledged"),
        (30, "b/line/first", "unsuppressed", "acknowledged"),
    ]


def test_a_first_flag_that_is_put_aside_hides_nobody(lab: SimpleNamespace) -> None:
    room = lab.room_of(lab.plant({"call": {**CALL, "group": "stop"}}, **alarms()))
    lab.play(room, [call(10, "second"), call(20, "first")], MONDAY + 30 * S)
    said = room.operate(Operation("shelve", "call/line/second", "ali", "known", MONDAY + 40 * S))
    assert told(said) == [
        (40, "call/line/second", "shelved", "shelved"),
        (40, "call/line/first", "unsuppressed", "acknowledged"),
    ]


def test_the_first_at_the_event_that_first_shows_a_station_is_the_first_in_the_file(lab: SimpleNamespace) -> None:
    seen = {"each": "station", "only": ["line/second"], "when": "observed", "group": "g", "message": "m"}
    down = {**seen, "when": "state == 'down'"}
    for rules, first in (({"a": seen, "b": down}, "a"), ({"b": down, "a": seen}, "b")):
        flags = story(lab, lab.plant(rules, **alarms()), [state(10, "second", "down")], 20)
        assert [flag.flag for flag in flags if not flag.suppressed_by] == [f"{first}/line/second"]


def test_flags_of_other_groups_let_nobody_come_to_the_front_early(lab: SimpleNamespace) -> None:
    rules = {
        "a": {**CALL, "only": ["line/second"], "group": "stop"},
        "other": {"each": "station", "only": ["line/second"], "when": "not andon", "message": "m"},
        "b": {**CALL, "only": ["line/second"], "group": "stop", "ack": "required"},
    }
    events = [call(10, "second"), call(20, "second", False)]
    assert told(story(lab, lab.plant(rules, **alarms()), events, 30))[2:] == [
        (20, "a/line/second", "cleared", "normal"),
        (20, "other/line/second", "raised", "acknowledged"),
        (20, "b/line/second", "cleared", "first out: a/line/second"),
        (20, "b/line/second", "unsuppressed", "returned_unacknowledged"),
    ]


def test_what_is_brought_back_by_hand_is_told_though_its_group_suppressed_it(lab: SimpleNamespace) -> None:
    room = lab.room_of(lab.plant({"call": {**CALL, "group": "stop"}}, **alarms()))
    lab.play(room, [call(10, "second"), call(20, "first")], MONDAY + 30 * S)
    wishes = [Operation(verb, "call/line/first", "ali", "mine", MONDAY + 40 * S) for verb in ("shelve", "unshelve")]
    assert [told(room.operate(wish)) for wish in wishes] == [
        [(40, "call/line/first", "shelved", "first out: call/line/second")],
        [(40, "call/line/first", "unshelved", "acknowledged")],
    ]


def test_what_must_be_acknowledged_is_so_after_its_group_let_it_go(lab: SimpleNamespace) -> None:
    config = lab.plant({"call": {**CALL, "group": "stop", "ack": "required"}}, **alarms())
    events = [call(10, "second"), call(20, "first"), call(30, "first", False), call(40, "second", False)]
    assert told(story(lab, config, events, 50))[2:] == [
        (30, "call/line/first", "cleared", "first out: call/line/second"),
        (40, "call/line/second", "cleared", "returned_unacknowledged"),
        (40, "call/line/first", "unsuppressed", "returned_unacknowledged"),
    ]


def test_from_one_suppression_into_another(lab: SimpleNamespace) -> None:
    config = lab.plant({"call": {**CALL, "group": "stop", "suppress": "state == 'setup'"}}, **alarms())
    events: list[AnyEvent] = [
        state(5, "first", "setup"),
        call(10, "second"),
        call(20, "first"),
        state(30, "first", "working"),
    ]
    assert told(story(lab, config, events, 40)) == [
        (10, "call/line/second", "raised", "acknowledged"),
        (20, "call/line/first", "raised", "state == 'setup'"),
        (30, "call/line/first", "suppressed", "first out: call/line/second"),
    ]


def test_other_rules_let_a_group_go(lab: SimpleNamespace) -> None:
    old = lab.room_of(lab.plant({"a": {**CALL, "group": "stop"}, "b": {**CALL, "group": "stop"}}, **alarms()))
    lab.play(old, [call(10, "second")], MONDAY + 20 * S)
    for rules in ({"b": {**CALL, "group": "stop"}}, {"b": CALL}):
        new = lab.room_of(lab.plant(rules, **alarms()))
        new.remember(old.memory())
        assert told(new.tick(MONDAY + 30 * S)) == [(30, "b/line/second", "unsuppressed", "acknowledged")]


# --- floods -------------------------------------------------------------------------------------------------


def many(count: int, **rule: Any) -> dict[str, Any]:
    return {f"r{number:02}": {**CALL, **rule} for number in range(count)}


def test_a_flood_mutes_all_but_the_most_severe_and_what_comes_first(lab: SimpleNamespace) -> None:
    flood = {"enter": 4, "leave": 2, "window": "10min"}
    rules = {
        **many(5, only=["line/first"]),
        "grouped": {**CALL, "only": ["line/second"], "group": "g"},
        "mild": {**CALL, "only": ["line/second"]},
        "worst": {**CALL, "only": ["line/second"], "severity": "critical"},
    }
    config = lab.plant(rules, **alarms(flood=flood))
    events = [call(10, "first"), call(100, "second"), call(400, "second", False)]
    flags = told(story(lab, config, events, 800))
    assert flags[:6] == [
        (10, "r00/line/first", "raised", "acknowledged"),
        (10, "r01/line/first", "raised", "acknowledged"),
        (10, "r02/line/first", "raised", "acknowledged"),
        (10, "r03/line/first", "raised", "acknowledged"),
        (10, "flood/line", "raised", "acknowledged"),
        (10, "r04/line/first", "raised", "flood/line"),
    ]
    assert flags[6:] == [
        (20, "flood/line", "changed", "acknowledged"),
        (100, "grouped/line/second", "raised", "acknowledged"),
        (100, "mild/line/second", "raised", "flood/line"),
        (100, "worst/line/second", "raised", "acknowledged"),
        (110, "flood/line", "changed", "acknowledged"),
        (400, "grouped/line/second", "cleared", "normal"),
        (400, "mild/line/second", "cleared", "normal"),
        (400, "worst/line/second", "cleared", "normal"),
        (700, "flood/line", "cleared", "normal"),
        (700, "r04/line/first", "unsuppressed", "acknowledged"),
    ]


def test_what_its_design_suppresses_does_not_come_back_with_the_end_of_a_flood(lab: SimpleNamespace) -> None:
    rules = {**many(3, only=["line/third"]), "mild": {**CALL, "only": ["line/second"], "suppress": "upstream.andon"}}
    config = lab.plant(rules, **alarms(flood={"enter": 3, "leave": 1, "window": "60s"}))
    flags = told(story(lab, config, [call(10, "third"), call(20, "second"), call(30, "first")], 100))
    assert [each for each in flags if each[1] == "mild/line/second"] == [
        (20, "mild/line/second", "raised", "flood/line"),
        (30, "mild/line/second", "suppressed", "upstream.andon"),
        (80, "mild/line/second", "suppressed", "upstream.andon"),
    ]


def test_a_flood_says_how_many_it_mutes(lab: SimpleNamespace) -> None:
    config = lab.plant(many(6, only=["line/first"]), **alarms(flood={"enter": 4, "leave": 2}))
    flags = story(lab, config, [call(10, "first")], 60)
    texts = [flag.text for flag in flags if flag.rule == "flood"]
    assert [text.split(".")[1].split(";")[0] for text in texts] == [" 0 muted", " 2 muted"]
    assert texts[0].startswith("Flood of flags in The line: 4 or more within 10m.")


def test_a_muted_flag_that_is_raised_again_counts_again(lab: SimpleNamespace) -> None:
    rules = {**many(3, only=["line/third"]), "asked": {**CALL, "only": ["line/first"], "ack": "required"}}
    config = lab.plant(rules, **alarms(flood={"enter": 3, "leave": 2, "window": "60s"}))
    events = [call(10, "third"), call(20, "first"), call(30, "first", False), call(50, "first")]
    flags = [flag for flag in story(lab, config, events, 100) if flag.rule in ("flood", "asked")]
    assert [each for each in told(flags) if each[2] != "changed"] == [
        (10, "flood/line", "raised", "acknowledged"),
        (20, "asked/line/first", "raised", "flood/line"),
        (30, "asked/line/first", "cleared", "flood/line"),
        (50, "asked/line/first", "raised", "flood/line"),
        (80, "flood/line", "cleared", "normal"),
        (80, "asked/line/first", "unsuppressed", "unacknowledged"),
    ]


def test_a_muted_flag_that_comes_back_is_the_first_of_its_group(lab: SimpleNamespace) -> None:
    rules = {**many(3, only=["line/third"]), "g": {**CALL, "group": "g"}}
    config = lab.plant(rules, **alarms(flood={"enter": 4, "leave": 1, "window": "60s"}))
    events = [
        call(10, "first"),  # the first of the group
        call(12, "second"),  # behind it
        call(14, "third"),  # behind it, too; with the three others a flood begins
        call(20, "first", False),  # the second comes to the front, the third is muted
        call(25, "second", False),
        call(200, "first"),
    ]
    flags = [flag for flag in story(lab, config, events, 210) if flag.rule == "g"]
    assert told(flags)[-4:] == [
        (20, "g/line/third", "suppressed", "flood/line"),
        (25, "g/line/second", "cleared", "normal"),
        (80, "g/line/third", "unsuppressed", "acknowledged"),
        (200, "g/line/first", "raised", "first out: g/line/third"),
    ]


def test_what_a_person_brings_back_is_told_in_a_flood_too(lab: SimpleNamespace) -> None:
    room = lab.room_of(lab.plant(many(5, only=["line/first"]), **alarms(flood={"enter": 3, "leave": 1})))
    lab.play(room, [call(10, "first")], MONDAY + 20 * S)
    room.operate(Operation("shelve", "r00/line/first", "ali", "known", MONDAY + 30 * S))
    said = room.operate(Operation("unshelve", "r00/line/first", "ali", "", MONDAY + 40 * S))
    assert told(said) == [(40, "r00/line/first", "unshelved", "acknowledged")]


# --- chatter ------------------------------------------------------------------------------------------------


def test_a_flag_that_chatters_is_told_of_with_the_delay_that_would_have_calmed_it(lab: SimpleNamespace) -> None:
    config = lab.plant({"call": {**CALL, "only": ["line/second"]}}, alarms={"chatter": {"calm": "2min"}})
    events = [call(10, "second"), call(15, "second", False), call(22, "second"), call(300, "second", False)]
    flags = story(lab, config, events, 400)
    (raised, cleared) = [flag for flag in flags if flag.rule == "chattering"]
    assert told([raised, cleared]) == [
        (22, "chattering/call/line/second", "raised", "acknowledged"),
        (142, "chattering/call/line/second", "cleared", "normal"),
    ]
    assert "An off_delay of 7s would have calmed it" in raised.text
    assert raised.severity is Severity.INFO


def test_a_flag_that_chatters_can_be_shelved_by_itself_once(lab: SimpleNamespace) -> None:
    chatter = {"shelve": "1min", "calm": "5min"}
    config = lab.plant({"call": {**CALL, "only": ["line/second"]}}, **alarms(chatter=chatter))
    events = [call(10 + 5 * turn, "second", turn % 2 == 0) for turn in range(20)]
    flags = [flag for flag in story(lab, config, [*events, call(110, "second")], 200) if flag.rule == "call"]
    shelved = [flag for flag in flags if flag.transition in ("shelved", "unshelved")]
    assert told(shelved) == [
        (20, "call/line/second", "shelved", "shelved"),
        (80, "call/line/second", "unshelved", "acknowledged"),
    ]
    assert (shelved[0].by, shelved[0].reason) == ("linecontrol", "chattering")


def test_flags_that_calm_down_together_do_so_in_the_order_of_the_rules(lab: SimpleNamespace) -> None:
    """Whichever chattered first, and also after a restart."""
    config = lab.plant({"call": CALL}, alarms={"chatter": {"calm": "2min"}})
    events = [call(10 + turn, "second", turn % 2 == 0) for turn in range(8)]
    events += [call(10 + turn, "first", turn % 2 == 0) for turn in range(4, 8)]
    for cuts in ([], [10]):
        flags, _ = drive(lab, config, events, [], cuts, 200)
        assert [flag.flag for flag in flags if flag.rule == "chattering" and flag.transition == "cleared"] == [
            "chattering/call/line/first",
            "chattering/call/line/second",
        ]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(1, 59), min_size=3, max_size=15),
    st.builds(Life, st.integers(0, 20).map(lambda s: s * S), st.integers(0, 20).map(lambda s: s * S)),
)
def test_the_suggested_delay_would_have_calmed_it(pauses_s: list[int], life: Life) -> None:
    alarm, at = Alarm(), MONDAY
    signals = []
    for number, pause in enumerate(pauses_s):
        signals.append((at, number % 2 == 0))
        at += pause * S
    alarm.turns = turns(life, signals, at)
    alarm.raised = len(alarm.turns) % 2 == 1
    calmed = msgspec.structs.replace(life, off_delay_ns=max(life.off_delay_ns, calming_ns(alarm, life, 60 * S)))
    short = [b - a for a, b in zip(alarm.turns[1::2], alarm.turns[2::2], strict=False) if b - a < 60 * S]
    assert len(turns(calmed, signals, at)) <= len(alarm.turns) - 2 * len(short)


def turns(life: Life, signals: list[tuple[int, bool]], until_ns: int) -> list[int]:
    """When an alarm is raised and cleared by a condition that holds from each moment on, or no longer."""
    alarm, steps = Alarm(), []
    holds = False
    moments = sorted({*range(MONDAY, until_ns + 1, S), *(at for at, _ in signals)})
    at_moment = dict(signals)
    for at in moments:
        steps += expire(alarm, life, at - 1)
        holds = at_moment.get(at, holds)
        for _ in range(2):
            steps += feel(alarm, life, holds is not alarm.raised, at)
        steps += expire(alarm, life, at)
        steps += feel(alarm, life, holds is not alarm.raised, at)
    return [step.at_ns for step in steps]


def test_chatter_does_not_shorten_what_a_person_shelved(lab: SimpleNamespace) -> None:
    room = lab.room_of(lab.plant({"call": {**CALL, "only": ["line/second"]}}, **alarms(chatter={"shelve": "1min"})))
    lab.play(room, [call(0, "second")], MONDAY + 5 * S)
    room.operate(Operation("shelve", "call/line/second", "ali", "known", MONDAY + 6 * S, MONDAY + 600 * S))
    flags = lab.play(room, [call(10, "second", False), call(12, "second")], MONDAY + 700 * S)
    assert [at for at, flag, step, _ in told(flags) if step in ("shelved", "unshelved")] == [600.0]


@pytest.mark.parametrize(("last_s", "full"), [(59.999, True), (60.0, False)])
def test_a_window_holds_what_is_younger_than_it_is_long(last_s: float, full: bool) -> None:
    moments = [MONDAY, MONDAY + 30 * S, MONDAY + round(last_s * S)]
    line, alarm = Flood(), Alarm()
    flood = FloodConfig.model_validate({"enter": 3, "leave": 2, "window": "60s"})
    chatter = ChatterConfig.model_validate({"transitions": 3, "window": "60s"})
    assert [take(line, flood, at) for at in moments] == [False, False, full]
    assert [turn(alarm, chatter, at) for at in moments] == [False, False, full]
    assert over_ns(line, flood) == (MONDAY + 90 * S if full else None)


def test_names_of_the_gateways_own_flags_are_taken(lab: SimpleNamespace) -> None:
    with pytest.raises(Exception, match="flood is a flag of the gateway's own"):
        lab.room_of(lab.plant({"flood": CALL}))


def no_other_rules(name: str) -> Config:
    raise AssertionError(name)


@pytest.mark.parametrize(("first", "failures"), [("first out: call/line/first", 0), ("", 1)])
def test_engineers_can_test_it(lab: SimpleNamespace, first: str, failures: int) -> None:
    config = lab.plant({"call": {**CALL, "group": "stop"}}, **alarms(flood={"enter": 3, "leave": 1}))
    test = RuleTestConfig.model_validate(
        {
            "name": "the first stands for the others",
            "start": "2026-01-05T08:00",
            "given": [
                {"at": "10s", "station": "line/first", "andon": True},
                {"at": "20s", "station": "line/second", "andon": True},
                {"at": "30s", "station": "line/first", "andon": False},
                {"at": "40s", "restart": True},
            ],
            "expect": [
                {"at": "10s", "raised": "call/line/first", "suppressed_by": ""},
                {"at": "20s", "raised": "call/line/second", "suppressed_by": first},
                {"at": "30s", "cleared": "call/line/first"},
                {"at": "30s", "unsuppressed": "call/line/second", "suppressed_by": ""},
            ],
        }
    )
    outcome = run_test(config, lab.calendars(config), test, [], no_other_rules)
    assert len(outcome.failures) == failures
    assert all("it is by first out: call/line/first" in str(failure) for failure in outcome.failures)


def test_a_backtest_tells_what_was_suppressed_and_when_there_was_a_flood(lab: SimpleNamespace) -> None:
    config = lab.plant(many(5, only=["line/first"]), **alarms(flood={"enter": 4, "leave": 2}))
    trial = Backtest(config, lab.calendars(config))
    trial.take([call(10, "first"), call(20, "first", False)], [])
    trial.until(MONDAY + 3600 * S)
    episodes = trial.episodes()
    assert [each.flag for each in episodes if each.suppressed_by == "flood/line"] == ["r04/line/first"]
    assert [(each.raised_ns, each.cleared_ns) for each in episodes if each.flag == "flood/line"] == [
        (MONDAY + 10 * S, MONDAY + 610 * S)
    ]
    assert rules_of(config, episodes) == [*config.rules, "flood"]


def test_an_event_without_an_edge_costs_nothing(lab: SimpleNamespace) -> None:
    """As many Python calls with groups, floods and chatter as without."""

    def calls(config: Config) -> int:
        room = lab.room_of(config)
        lab.play(room, [call(10, "first"), call(20, "second")], MONDAY + 30 * S)
        events = [call(40 + step, station) for step in range(20) for station in ("first", "second")]
        count = 0

        def called(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(called)
        try:
            for event in events:
                room.see(event)
        finally:
            sys.setprofile(None)
        return count

    loose, tight = (lab.plant({"call": {**CALL, **group}}, **TIGHT) for group in ({}, {"group": "g"}))
    assert calls(loose) == calls(tight) == calls(lab.plant({"call": CALL}, **LOOSE)) > 0


# --- laws ---------------------------------------------------------------------------------------------------

RULES: dict[str, Any] = {
    "a": {**CALL, "group": "g"},
    "b": {**CALL, "group": "g", "ack": "required", "for": "5s"},
    "c": {**CALL, "severity": "critical", "off_delay": "5s"},
    "d": {**CALL, "latch": True, "realarm": "20s", "shelve_max": "40s"},
    "e": {**CALL, "suppress": "upstream.andon"},
}
TIGHT = {
    "alarms": {
        "flood": {"enter": 5, "leave": 3, "window": "60s"},
        "chatter": {"transitions": 4, "window": "40s", "calm": "50s", "shelve": "30s"},
    }
}
LOOSE = {"alarms": {"flood": {"enter": 1000}, "chatter": {"transitions": 20, "window": "1ms"}}}
FLAGS = [f"{rule}/line/{station}" for rule in RULES for station in STATIONS if (rule, station) != ("e", "first")]
CALLS = st.lists(
    st.builds(call, st.integers(0, 40).map(lambda step: 5.0 * step), st.sampled_from(STATIONS), st.booleans()),
    max_size=40,
)
WISHES = st.lists(
    st.builds(
        lambda verb, flag, at, lasts: Operation(
            verb, flag, "ali", "r", MONDAY + at * S, None if lasts is None else MONDAY + (at + lasts) * S
        ),
        st.sampled_from(VERBS),
        st.sampled_from([*FLAGS, "flood/line", "chattering/a/line/first"]),
        st.integers(0, 200),
        st.sampled_from([None, 7, 60]),
    ),
    max_size=12,
)


def drive(
    lab: SimpleNamespace,
    config: Config,
    events: Sequence[AnyEvent],
    wishes: list[Operation],
    cuts: list[int],
    until: int,
) -> tuple[list[FlagChanged], RulesRoom]:
    """Events and wishes in order of time, ticks each 5 s, and a restart after each of the steps in ``cuts``."""
    room = lab.room_of(config)
    said: list[AnyEvent] = []
    waiting: list[Any] = sorted([*events, *wishes], key=lambda each: each.at_ns)
    for step in range(until // 5 + 1):
        at = MONDAY + 5 * step * S
        while waiting and waiting[0].at_ns <= at:
            each = waiting.pop(0)
            said += room.operate(each) if isinstance(each, Operation) else room.see(each)
        said += room.tick(at)
        if step in cuts:
            memory = room.memory()
            room = lab.room_of(config)
            room.remember(memory)
            assert room.memory() == memory
    return [event for event in said if isinstance(event, FlagChanged)], room


@settings(max_examples=40, deadline=None)
@given(CALLS, WISHES, st.lists(st.integers(0, 60), max_size=3))
def test_cut_and_resumed_anywhere_it_says_the_same(
    lab: SimpleNamespace, events: Sequence[AnyEvent], wishes: list[Operation], cuts: list[int]
) -> None:
    config = lab.plant(RULES, **TIGHT)
    whole, room = drive(lab, config, events, wishes, [], 300)
    pieces, other = drive(lab, config, events, wishes, cuts, 300)
    assert pieces == whole
    assert other.memory() == room.memory()


@settings(max_examples=40, deadline=None)
@given(CALLS)
def test_what_suppresses_never_stops_an_alarm_from_being_followed(
    lab: SimpleNamespace, events: Sequence[AnyEvent]
) -> None:
    bare = {name: {key: value for key, value in rule.items() if key != "group"} for name, rule in RULES.items()}

    def process(rules: dict[str, Any], more: dict[str, Any]) -> list[tuple[int, str, str]]:
        flags, _ = drive(lab, lab.plant(rules, **more), events, [], [], 300)
        return sorted(
            (f.at_ns, f.flag, f.transition) for f in flags if f.transition in ("raised", "cleared") and f.rule in RULES
        )

    assert process(RULES, TIGHT) == process(bare, LOOSE)


@settings(max_examples=40, deadline=None)
@given(CALLS, WISHES)
def test_nothing_is_lost(lab: SimpleNamespace, events: Sequence[AnyEvent], wishes: list[Operation]) -> None:
    """What is told adds up to each alarm, each suppression names its cause, and a first flag wants somebody."""
    flags, room = drive(lab, lab.plant(RULES, **TIGHT), events, wishes, [], 300)
    last: dict[str, FlagChanged] = {}
    for event in flags:
        last[event.flag] = event
        if event.state is AlarmState.SUPPRESSED:
            source = event.suppressed_by
            cause = last.get(source.removeprefix("first out: "))
            assert source == "upstream.andon" or (cause and (cause.raised or cause.at_ns == event.at_ns))
    for flag in FLAGS:
        alarm = room.watched(flag).alarm
        if alarm.raised or not alarm.acked:
            assert (last[flag].state, last[flag].raised, last[flag].raised_ns) == (
                alarm.state, alarm.raised, alarm.raised_ns
            )  # fmt: skip
        if alarm.first_out:
            assert room.watched(alarm.first_out).alarm.wants


@settings(max_examples=40, deadline=None)
@given(CALLS)
def test_when_it_is_calm_again_all_that_stands_is_told(lab: SimpleNamespace, events: Sequence[AnyEvent]) -> None:
    flags, room = drive(lab, lab.plant(RULES, **TIGHT), events, [], [], 600)
    assert not any(room.watched(flag).alarm.muted for flag in FLAGS)
    assert not [flag for flag in last_of(flags, "flood") if flag.raised]
    standing = [room.watched(flag) for flag in FLAGS if room.watched(flag).alarm.raised]
    ungrouped = [watch for watch in standing if watch.rule.config.group is None and not watch.alarm.suppressed]
    assert all(watch.alarm.wants for watch in ungrouped)
    grouped = [watch for watch in standing if watch.rule.config.group is not None]
    assert not grouped or any(watch.alarm.wants for watch in grouped)


def last_of(flags: list[FlagChanged], rule: str) -> list[FlagChanged]:
    return [*{flag.flag: flag for flag in flags if flag.rule == rule}.values()]
