"""Rules in the place of others while they run: what goes on, what ends, and when each is told."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from linecontrol.config import Config
from linecontrol.config.rules_data import rules_text, with_rules_text
from linecontrol.model import AlarmState, AnyEvent, FlagChanged, Noted, Operation
from linecontrol.rules import RulesRoom
from linecontrol.rules.alarm import Gate
from linecontrol.rules.succession import NARROWED, REMOVED, UNWATCHED, Succession, change
from tests.unit.rules.naive.cases import Case, case, room_of
from tests.unit.rules.naive.reference import rounded
from tests.unit.rules.test_room import done, state, told
from tests.unit.rules.test_rule_laws import SCALES, cases, only

S = 10**9
MONDAY = 1_767_585_600 * S
DOWN = {"each": "station", "when": "state == 'down'", "message": "m"}
FIRST, SECOND = "r/line/first", "r/line/second"


class Story:
    """Rules that run, and others that take their place."""

    def __init__(self, lab: SimpleNamespace, rules: dict[str, Any], events: Sequence[AnyEvent], until_s: float) -> None:
        self.lab = lab
        self.room: RulesRoom = lab.room_of(lab.plant(rules))
        lab.play(self.room, events, MONDAY + int(until_s * S))

    def reload(self, rules: dict[str, Any], at_s: float, **more: Any) -> Succession:
        room: RulesRoom = self.lab.room_of(self.lab.plant(rules, **more))
        succession = room.succeed(self.room, MONDAY + int(at_s * S))
        self.room = room
        return succession

    def see(self, event: AnyEvent) -> list[tuple[str, str, float]]:
        return flags(self.room.see(event))

    def tick(self, at_s: float) -> list[tuple[str, str, float]]:
        return flags(self.room.tick(MONDAY + int(at_s * S)))

    def wish(self, verb: str, flag: str, at_s: float) -> None:
        assert self.room.operate(Operation(verb, flag, "eva", "why", MONDAY + int(at_s * S)))


def flags(events: Sequence[AnyEvent]) -> list[tuple[str, str, float]]:
    return told([event for event in events if isinstance(event, FlagChanged)])


def only_flag(events: Sequence[AnyEvent]) -> FlagChanged:
    (event,) = events
    assert isinstance(event, FlagChanged)
    return event


# --- a changed rule -------------------------------------------------------------------------------------------


def test_a_limit_that_changed_is_held_against_what_is_known_at_once(lab: SimpleNamespace) -> None:
    def rule(limit: str) -> dict[str, Any]:
        return {"r": {"each": "station", "when": f"state == 'down' and state_for > {limit}", "message": "m"}}

    story = Story(lab, rule("10 min"), [state(0, "down")], 200)
    lower = story.reload(rule("2 min"), 203)
    assert (lower.until, flags(lower.since), lower.kept) == ([], [(SECOND, "raised", 203.0)], 0)
    higher = story.reload(rule("10 min"), 210)
    assert (flags(higher.since), higher.kept) == ([(SECOND, "cleared", 210.0)], 1)
    assert story.tick(700) == [(SECOND, "raised", 600.0)]


def test_a_delay_goes_on_with_its_new_length(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "for": "10min"}}, [state(0, "down")], 100)
    assert story.reload({"r": {**DOWN, "for": "5min"}}, 101).since == []
    assert story.tick(400) == [(SECOND, "raised", 300.0)]


def test_a_delay_made_shorter_than_what_has_passed_ends_at_the_reload(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "for": "10min"}}, [state(0, "down")], 100)
    assert story.reload({"r": {**DOWN, "for": "1min"}}, 103).since == []
    assert story.tick(105) == [(SECOND, "raised", 103.0)]


def test_what_people_did_and_running_delays_go_on(lab: SimpleNamespace) -> None:
    rule = {**DOWN, "ack": "required", "off_delay": "1min"}
    story = Story(lab, {"r": rule}, [state(0, "down", "first"), state(0, "down")], 10)
    story.wish("ack", FIRST, 11)
    story.wish("shelve", SECOND, 12)
    assert story.see(state(20, "working", "first")) == []
    changed = {**rule, "message": "another", "severity": "critical"}
    assert story.reload({"new": DOWN, "r": changed}, 50).kept == 2
    first, second = (story.room.watched(flag).alarm for flag in (FIRST, SECOND))
    assert (first.state, second.state) == (AlarmState.ACKNOWLEDGED, AlarmState.SHELVED)
    assert second.shelf == Gate("eva", "why", MONDAY + 12 * S + 8 * 3600 * S, once=True)
    assert story.tick(100) == [(FIRST, "cleared", 80.0)]


def test_a_window_goes_on_if_any_rule_had_it_and_begins_empty_if_none_had(lab: SimpleNamespace) -> None:
    def rule(window: str) -> dict[str, Any]:
        return {"each": "station", "when": f"max(cycle.active, {window}) > 90 s", "message": "m"}

    cycles = [done(at, active) for at, active in ((0, 100.0), (100, 20.0), (200, 20.0))]
    story = Story(lab, {"r": rule("last 2 cycles"), "o": rule("last 3 cycles")}, cycles, 300)
    assert flags(story.reload({"r": rule("last 3 cycles")}, 400).since) == [(SECOND, "raised", 400.0)]
    assert flags(story.reload({"r": rule("last 4 cycles")}, 500).since) == []
    assert story.room.watched(SECOND).alarm.raised, "unknown neither raises nor clears"
    assert [story.see(done(600 + at, 20.0)) for at in range(4)] == [[], [], [], [(SECOND, "cleared", 603.0)]]


def test_a_window_is_kept_whatever_is_made_of_it(lab: SimpleNamespace) -> None:
    def rule(figure: str) -> dict[str, Any]:
        return {"r": {"each": "station", "when": f"{figure.format('cycle.active')} > 30 s", "message": "m"}}

    cycles = [done(at, 100.0) for at in (0, 100, 200)]
    story = Story(lab, rule("min({}, last 3 cycles) - 100 s"), cycles, 300)
    at_s = 300.0
    for figure in ("mean({}, last 3 cycles)", "quantile({}, 50%, last 3 cycles, min 2)", "max({}, last 3 cycles)"):
        for written, transition in ((figure, "raised"), (f"{figure} - 100 s", "cleared")):
            at_s += 1000
            assert flags(story.reload(rule(written), at_s).since) == [(SECOND, transition, at_s)]
    empty = story.reload(rule("rate({} / 1 s, last 3 cycles) * 1 s + 99 h"), at_s + 10)
    assert empty.since == [], "a rate begins empty"


def test_an_age_goes_on_if_there_was_one_and_else_begins_unknown(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "age(state) > 60 s", "message": "m"}
    story = Story(lab, {"r": rule, "o": DOWN}, [state(0, "idle"), state(10, "down")], 50)
    story.reload({"r": {**rule, "when": "age(state) > 30 s"}, "n": {**rule, "when": "age(unit) > 1 s"}}, 50)
    assert story.tick(60) == []
    assert story.room.watched(SECOND).alarm.raised
    assert not story.room.watched("n/line/second").alarm.raised
    gone = Story(lab, {"o": DOWN}, [state(0, "idle"), state(10, "down")], 50)
    gone.reload({"r": rule}, 50)
    assert gone.tick(500) == [], "nobody knows since when"
    assert gone.see(state(510, "working")) == []
    assert gone.tick(600) == [(SECOND, "raised", 570.0)]


def test_a_sequence_goes_on_if_it_is_the_same_to_the_letter(lab: SimpleNamespace) -> None:
    when = "state == 'down' then state == 'working' within 60 s"
    rule = {"each": "station", "when": when, "message": "m"}
    for changed, raised in (({"severity": "critical"}, True), ({"when": f"{when} unless andon"}, False)):
        story = Story(lab, {"r": rule}, [state(0, "idle"), state(10, "down"), state(15, "setup")], 20)
        assert story.reload({"r": {**rule, **changed}}, 25).since == []
        assert bool(story.see(state(30, "working"))) is raised


def test_a_realarm_counts_with_its_new_length(lab: SimpleNamespace) -> None:
    rule = {**DOWN, "ack": "required", "realarm": "1h"}
    story = Story(lab, {"r": rule}, [state(0, "down")], 10)
    story.wish("ack", SECOND, 20)
    story.reload({"r": {**rule, "realarm": "5min"}}, 30)
    assert story.tick(400) == [(SECOND, "realarmed", 320.0)]
    story.wish("ack", SECOND, 410)
    story.reload({"r": {**rule, "realarm": "1min"}}, 600)
    assert story.tick(610) == [(SECOND, "realarmed", 600.0)]


def test_a_rule_that_leaves_its_group_lets_the_others_come(lab: SimpleNamespace) -> None:
    grouped = {**DOWN, "group": "g"}
    story = Story(lab, {"a": grouped, "b": grouped}, [state(0, "down")], 10)
    assert flags(story.reload({"a": DOWN, "b": grouped}, 20).since) == [("b/line/second", "unsuppressed", 20.0)]


def test_events_at_the_moment_of_a_reload_are_in_time(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "for": "100s"}}, [state(0, "down")], 95)
    assert story.reload({"r": {**DOWN, "for": "100s"}, "new": DOWN}, 100).since
    assert story.see(state(100, "working")) == [("new/line/second", "cleared", 100.0)]
    assert story.tick(200) == []


# --- flags that end -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "reason"),
    [({}, REMOVED), ({"r": {**DOWN, "only": ["line/first"]}}, NARROWED)],
)
def test_flags_that_nobody_watches_any_more_end_and_say_why(
    lab: SimpleNamespace, rules: dict[str, Any], reason: str
) -> None:
    story = Story(lab, {"r": {**DOWN, "severity": "critical"}, "o": DOWN}, [state(0, "down")], 10)
    succession = story.reload({**rules, "o": DOWN}, 12)
    event = only_flag(succession.until)
    assert (event.flag, event.transition, event.at_ns) == (SECOND, "cleared", MONDAY + 12 * S)
    assert (event.state, event.raised, event.reason) == (AlarmState.NORMAL, False, reason)
    assert (event.severity, event.station, event.raised_ns) == ("critical", "second", MONDAY)
    assert (succession.since, succession.kept) == ([], 1)


@pytest.mark.parametrize("verb", ["shelve", "out_of_service"])
def test_a_flag_that_was_put_aside_ends_too(lab: SimpleNamespace, verb: str) -> None:
    story = Story(lab, {"r": DOWN}, [state(0, "working")], 10)
    story.wish(verb, SECOND, 11)
    assert flags(story.reload({}, 12).until) == [(SECOND, "cleared", 12.0)]


def test_a_flag_that_waits_to_be_acknowledged_ends_too(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "ack": "required"}}, [state(0, "down"), state(5, "working")], 10)
    assert only_flag(story.reload({}, 12).until).state is AlarmState.NORMAL
    assert story.reload({}, 13).until == []


def test_a_flag_that_is_suppressed_but_was_never_raised_says_nothing_at_its_end(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "suppress": "andon or shift"}}, [state(0, "working")], 10)
    assert story.reload({}, 20).until == []


def test_a_rule_that_comes_back_begins_anew(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "for": "1min"}}, [state(0, "down")], 70)
    story.reload({}, 80)
    story.reload({"r": {**DOWN, "for": "1min"}}, 100)
    assert story.tick(200) == [(SECOND, "raised", 160.0)]


def test_what_happened_before_the_reload_is_told_by_the_rules_of_then(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "for": "1min"}}, [state(0, "down")], 55)
    succession = story.reload({}, 63)
    assert flags(succession.until) == [(SECOND, "raised", 60.0), (SECOND, "cleared", 63.0)]


def test_the_first_of_a_group_that_ends_lets_the_next_come(lab: SimpleNamespace) -> None:
    rule = {**DOWN, "group": "g"}
    story = Story(lab, {"a": rule, "b": {**rule, "when": "state == 'down' or andon"}}, [state(0, "down")], 10)
    succession = story.reload({"b": {**rule, "when": "state == 'down' or andon"}}, 20)
    assert flags(succession.until) == [("a/line/second", "cleared", 20.0)]
    assert flags(succession.since) == [("b/line/second", "unsuppressed", 20.0)]


def test_the_gateways_own_flags_end_with_what_they_are_about(lab: SimpleNamespace) -> None:
    alarms = {"alarms": {"flood": {"enter": 2, "leave": 1}, "chatter": {"transitions": 3}}}
    room = lab.room_of(lab.plant({"r": DOWN}, **alarms))
    events = [state(0, "down", "first"), state(1, "down"), state(2, "idle"), state(3, "down")]
    lab.play(room, events, MONDAY + 10 * S)
    other = lab.room_of(lab.plant({"o": {**DOWN, "only": ["line/third"]}}, **alarms))
    until = [event for event in other.succeed(room, MONDAY + 20 * S).until if isinstance(event, FlagChanged)]
    ended = {event.flag: event.reason for event in until}
    assert ended == {FIRST: REMOVED, SECOND: REMOVED, f"chattering/{SECOND}": UNWATCHED}
    none = lab.room_of(lab.plant({}, **alarms))
    assert [(event.flag, event.reason) for event in none.succeed(other, MONDAY + 21 * S).until] == [
        ("flood/line", UNWATCHED)
    ]


def test_what_was_noted_never_clears(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "actions": ["note"]}}, [state(0, "down")], 10)
    succession = story.reload({}, 20)
    assert (succession.until, succession.kept) == ([], 0)


def test_a_note_that_becomes_a_flag_is_raised(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": {**DOWN, "actions": ["note"]}}, [state(0, "down")], 10)
    assert flags(story.reload({"r": DOWN}, 20).since) == [(SECOND, "raised", 20.0)]


def test_a_flag_that_becomes_a_note_ends_and_is_noted(lab: SimpleNamespace) -> None:
    story = Story(lab, {"r": DOWN}, [state(0, "down")], 10)
    succession = story.reload({"r": {**DOWN, "actions": ["note"]}}, 20)
    assert only_flag(succession.until).reason == NARROWED
    (noted,) = succession.since
    assert isinstance(noted, Noted)


# --- renamed rules --------------------------------------------------------------------------------------------


def test_a_renamed_rule_goes_on_under_both_names_and_says_nothing_else(lab: SimpleNamespace) -> None:
    rules = {"r": {**DOWN, "ack": "required"}}
    story = Story(lab, rules, [state(0, "down", "first"), state(5, "down")], 10)
    story.wish("shelve", FIRST, 11)
    succession = story.reload({"new": {**rules["r"], "was": "r"}}, 20)
    assert (succession.until, succession.since, succession.kept) == ([], [], 2)
    moved = [event for event in succession.renamed if isinstance(event, FlagChanged)]
    assert [(event.flag, event.transition, event.state, event.by) for event in moved] == [
        (FIRST, "renamed", AlarmState.NORMAL, ""),
        ("new/line/first", "renamed", AlarmState.SHELVED, "eva"),
        (SECOND, "renamed", AlarmState.NORMAL, ""),
        ("new/line/second", "renamed", AlarmState.UNACKNOWLEDGED, ""),
    ]
    assert [event.raised_ns - MONDAY for event in moved] == [0, 0, 5 * S, 5 * S]
    assert moved[0].reason == "called new/line/first now"
    assert story.see(state(30, "working")) == [("new/line/second", "cleared", 30.0)]


def test_what_a_renamed_flag_suppresses_stays_suppressed(lab: SimpleNamespace) -> None:
    rule = {**DOWN, "group": "g"}
    story = Story(lab, {"a": rule, "b": rule}, [state(0, "down")], 10)
    succession = story.reload({"c": {**rule, "was": "a"}, "b": rule}, 20)
    assert succession.since == []
    assert story.room.watched("b/line/second").alarm.first_out == "c/line/second"


def test_a_flag_that_chatters_does_so_under_its_present_name(lab: SimpleNamespace) -> None:
    alarms = {"alarms": {"chatter": {"transitions": 3}}}
    room = lab.room_of(lab.plant({"r": DOWN}, **alarms))
    lab.play(room, [state(1, "down"), state(2, "idle"), state(3, "down")], MONDAY + 10 * S)
    other = lab.room_of(lab.plant({"new": {**DOWN, "was": "r"}}, **alarms))
    moved = other.succeed(room, MONDAY + 20 * S).renamed
    assert [event.flag for event in moved][2:] == [f"chattering/{SECOND}", "chattering/new/line/second"]
    assert flags(other.tick(MONDAY + 700 * S)) == [("chattering/new/line/second", "cleared", 603.0)]


def test_how_rules_changed_is_told(lab: SimpleNamespace) -> None:
    old = lab.plant({"same": DOWN, "gone": DOWN, "before": DOWN, "other": DOWN})
    new = lab.plant(
        {"same": DOWN, "after": {**DOWN, "was": "before"}, "other": {**DOWN, "for": "1s"}, "added": DOWN},
        alarms={"flood": {"enter": 99}},
    )
    said = change(old, new, by="eva", at_ns=1, kept=2)
    assert said.text == (
        "rules: added added; changed other; removed gone; renamed before to after; changed alarm settings"
    )
    assert change(old, old, by="", at_ns=1, kept=0).text == "rules: only their order or wording changed"


# --- laws -----------------------------------------------------------------------------------------------------


def run(
    of: Case, room: RulesRoom, cuts: Random | None, others: Sequence[Config] = (), later_ns: int = 0
) -> dict[str, list[Any]]:
    """What is said of each flag; at random points the rules of a config take the place of those that are there.

    ``later_ns`` after what was told before, if nothing else is told by then.
    """
    said: list[AnyEvent] = list(room.tick(of.start))
    for item in of.told:
        free = later_ns == 0 or item.at_ns > room.now_ns + later_ns
        if cuts is not None and free and cuts.random() < 0.06:
            config = cuts.choice(others)
            heir = RulesRoom(with_rules_text(config, rules_text(config)), of.scale.calendars)
            succession = heir.succeed(room, room.now_ns + later_ns)
            said += [*succession.until, *succession.renamed, *succession.since]
            room = heir
        said += room.operate(item) if isinstance(item, Operation) else room.see(item)
    said += room.tick(of.end + of.scale.halves[-1] + 1)
    found: dict[str, list[Any]] = {}
    for event in said:
        if isinstance(event, FlagChanged):
            its = (event.transition, event.at_ns, event.state, rounded(event.value), rounded(event.limit))
            found.setdefault(event.flag, []).append(its)
        elif isinstance(event, Noted):
            found.setdefault(event.flag, []).append((event.transition, event.at_ns, ""))
    return found


def config_of(of: Case, rules: dict[str, Any]) -> Config:
    return of.scale.config.model_copy(update={"rules": rules, "alarms": of.alarms})


def test_the_same_rules_at_any_moment_change_nothing() -> None:
    for of, chance in cases(21):
        for each in (of, case(SCALES["crowd"](), chance)):
            assert run(each, room_of(each), chance, [config_of(each, each.rules)]) == run(each, room_of(each), None)


def test_other_rules_that_come_and_go_at_any_moment_change_nothing() -> None:
    for of, chance in cases(22):
        sets = [{f"{name}{key}": rule for key, rule in case(of.scale, chance, 3).rules.items()} for name in "pqs"]
        others = [config_of(of, {**its, **of.rules}) for its in sets]
        found = run(of, room_of(of), chance, others)
        assert only(of.rules, found) == run(of, room_of(of), None)


def test_what_changes_no_condition_changes_no_life() -> None:
    for of, chance in cases(25):
        other = {name: rule.model_copy(update={"message": "another"}) for name, rule in of.rules.items()}
        of = msgspec.structs.replace(of, told=[item for item in of.told if not isinstance(item, Operation)])
        assert run(of, room_of(of), chance, [config_of(of, other), config_of(of, of.rules)], 1) == run(
            of, room_of(of), None
        )


def test_no_flag_is_left_standing_without_a_rule() -> None:
    ended = 0
    for of, chance in cases(23):
        found = run(of, room_of(of), chance, [config_of(of, of.rules), config_of(of, {})])
        heir = RulesRoom(config_of(of, {}), of.scale.calendars)
        assert heir.raised() == []
        for its in found.values():
            steps = [(step, state) for step, _, state, *_ in its if step != "noted"]
            ended += ("cleared", AlarmState.NORMAL) in steps
            for step, after in pairwise(steps):
                if step[0] == "raised":
                    assert after[0] != "raised"
    assert ended > 20


def test_renamed_to_and_fro_they_say_the_same() -> None:
    for of, chance in cases(24):
        there = {f"x{name}": rule.model_copy(update={"was": name}) for name, rule in of.rules.items()}
        back = {name: rule.model_copy(update={"was": f"x{name}"}) for name, rule in of.rules.items()}
        of = msgspec.structs.replace(of, told=[item for item in of.told if not isinstance(item, Operation)])
        found = run(of, room_of(of), chance, [config_of(of, there), config_of(of, back)])
        merged: dict[str, list[Any]] = {}
        for flag, its in found.items():
            merged.setdefault(flag.removeprefix("x"), []).extend(step for step in its if step[0] != "renamed")
        expected = run(of, room_of(of), None)
        assert {flag: sorted(its, key=str) for flag, its in merged.items() if its} == {
            flag: sorted(its, key=str) for flag, its in expected.items()
        }


# --- another plant --------------------------------------------------------------------------------------------


def test_flags_end_whose_station_the_plant_has_no_longer(lab: SimpleNamespace) -> None:
    config = lab.plant({"r": {**DOWN, "severity": "critical"}, "n": {**DOWN, "actions": ["note"]}})
    room = lab.room_of(config)
    lab.play(room, [state(0, "down"), state(1, "down", "first")], MONDAY + 10 * S)
    line = config.lines["line"]
    stations = {name: station for name, station in line.stations.items() if name != "second"}
    smaller = lab.room_of(config.model_copy(update={"lines": {"line": line.model_copy(update={"stations": stations})}}))
    smaller.remember(room.memory())
    event = only_flag(smaller.tick(MONDAY + 20 * S))
    assert (event.flag, event.transition, event.line, event.station) == (SECOND, "cleared", "line", "second")
    assert (event.state, event.reason, event.severity) == (AlarmState.NORMAL, UNWATCHED, "critical")
    assert event.at_ns == MONDAY + 10 * S
    again = lab.room_of(config)
    again.remember(smaller.memory())
    assert again.tick(MONDAY + 25 * S) == []
