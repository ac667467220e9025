"""The room as a whole: events in, flags out."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.cli.rules import state_of
from linecontrol.config import Config, RuleConfig, SignalConfig
from linecontrol.errors import ConfigError, SnapshotError
from linecontrol.model import (
    AlarmState,
    AndonCalled,
    AnyEvent,
    BottleneckUpdated,
    CycleCompleted,
    CycleProgress,
    CycleStarted,
    FlagChanged,
    KitForecast,
    LedgerUpdated,
    LinkChanged,
    Operation,
    Sampled,
    StateChanged,
    StationState,
    Suspect,
    TargetForecast,
    Timing,
)
from linecontrol.rules import RulesRoom, problems
from linecontrol.rules.compile import RuleProblem

S = 10**9
MONDAY = 1_767_585_600 * S


def state(at_s: float, what: str, station: str = "second", line: str = "line") -> StateChanged:
    return StateChanged(
        at_ns=MONDAY + int(at_s * S), line=line, station=station, state=StationState(what),
        previous=StationState.IDLE, since_ns=MONDAY, previous_s=0.0, shift="day",
    )  # fmt: skip


def start(at_s: float, planned_s: float | None = 100.0, station: str = "second", line: str = "line") -> CycleStarted:
    return CycleStarted(
        at_ns=MONDAY + int(at_s * S), line=line, station=station, unit="U1", unit_inferred=False, product="mtz",
        planned_s=planned_s,
    )  # fmt: skip


def done(
    at_s: float, active_s: float | None = 100.0, timing: str = "measured", station: str = "second", line: str = "line"
) -> CycleCompleted:
    return CycleCompleted(
        at_ns=MONDAY + int(at_s * S), line=line, station=station, unit="U1", unit_inferred=False, product="mtz",
        start_ns=None, active_s=active_s, planned_s=100.0, lost_s={StationState.DOWN: 5.0}, timing=Timing(timing),
        good=True, shift="day",
    )  # fmt: skip


def link(at_s: float, up: bool) -> LinkChanged:
    return LinkChanged(at_ns=MONDAY + int(at_s * S), connection="plc", up=up, reason="")


def ledger(at_s: float, ahead: float, takt: float | None = 90.0, target: str = "year", line: str = "line") -> Any:
    return LedgerUpdated(
        at_ns=MONDAY + int(at_s * S), target=target, line=line, family="tractors", year=2026, units=800, done=10,
        today=1, due=10 - ahead, ahead_units=ahead, ahead_days=ahead / 4, left=790, working_left_s=1e6,
        takt_required_s=takt, takt_planned_s=80.0,
    )  # fmt: skip


def told(flags: list[FlagChanged]) -> list[tuple[str, str, float]]:
    return [(flag.flag, flag.transition, round((flag.at_ns - MONDAY) / S, 6)) for flag in flags]


def story(
    lab: SimpleNamespace, rule: dict[str, Any], events: Sequence[AnyEvent], until_s: float, grid_s: int = 5
) -> Any:
    room = lab.room_of(lab.plant({"r": {"message": "m", **rule}}))
    return told(lab.play(room, events, MONDAY + int(until_s * S), grid_s * S))


def test_on_delay_ends_between_two_ticks(lab: SimpleNamespace) -> None:
    rule = {"each": "connection", "when": "not up", "for": "7s"}
    assert story(lab, rule, [link(0, True), link(11, False), link(33, True)], 60) == [
        ("r/plc", "raised", 18.0),
        ("r/plc", "cleared", 33.0),
    ]


def test_an_event_at_the_very_deadline_is_in_time(lab: SimpleNamespace) -> None:
    rule = {"each": "connection", "when": "not up", "for": "7s"}
    assert story(lab, rule, [link(0, True), link(11, False), link(18, True)], 60) == []


def test_running_cycle_beyond_plan(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "running.active > 1.2 * running.planned"}
    events: list[AnyEvent] = [state(0, "working"), start(0), done(130)]
    assert story(lab, rule, events, 200) == [("r/line/second", "raised", 120.0), ("r/line/second", "cleared", 130.0)]


def test_breaks_are_no_working_time(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "state == 'starved' and state_for > 10 min"}
    noon = 4 * 3600.0
    assert story(lab, rule, [state(noon - 300, "starved")], noon + 3600 + 400) == [
        ("r/line/second", "raised", noon + 3600 + 300)
    ]


def test_progress_tells_of_a_cycle_that_began_unseen(lab: SimpleNamespace) -> None:
    progress = CycleProgress(
        at_ns=MONDAY, line="line", station="second", unit=None, unit_inferred=True, product=None, start_ns=MONDAY,
        active_s=90.0, planned_s=100.0,
    )  # fmt: skip
    rule = {"each": "station", "when": "running.progress >= 1"}
    assert story(lab, rule, [progress], 20) == [("r/line/second", "raised", 10.0)]


def test_three_of_the_last_five(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "count(cycle.active > takt, last 5 cycles, min 3) >= 3"}
    cycles = [done(100 * i, active, timing) for i, (active, timing) in enumerate(
        [(99.0, "measured"), (99.0, "partial"), (99.0, "measured"), (None, "unknown"), (99.0, "measured"),
         (80.0, "measured"), (80.0, "measured"), (80.0, "measured")], 1)]  # fmt: skip
    assert story(lab, rule, [ledger(0, 0.0), *cycles], 1000) == [
        ("r/line/second", "raised", 500.0),
        ("r/line/second", "cleared", 800.0),
    ]


@pytest.mark.parametrize(
    ("when", "raised_at"),
    [
        ("mean(cycle.active, last 2 cycles) > 105 s", 300.0),
        ("max(cycle.active, last 2 cycles) > 115 s", 300.0),
        ("min(cycle.active, last 2 cycles) > 105 s", 400.0),
        ("share(cycle.active > cycle.planned, last 4 cycles) > 60%", 500.0),
        ("count(cycle.lost >= 5 s and cycle.good, last 3 cycles) == 3", 300.0),
        ("cycles_today >= 2", 200.0),
    ],
)
def test_windows(lab: SimpleNamespace, when: str, raised_at: float) -> None:
    cycles = [done(100 * i, active) for i, active in enumerate([90.0, 100.0, 120.0, 130.0, 140.0], 1)]
    flags = story(lab, {"each": "station", "when": when}, cycles, 600)
    assert flags[0] == ("r/line/second", "raised", raised_at)


def test_no_cycle(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "absent(cycle, 2 * planned) and shift"}
    assert story(lab, rule, [state(0, "working"), start(0), done(100), done(400)], 450) == [
        ("r/line/second", "raised", 300.0),
        ("r/line/second", "cleared", 400.0),
    ]


def test_neighbours(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "state == 'working' and downstream.state == 'starved'"}
    events = [state(0, "working"), state(10, "starved", "third"), state(20, "starved", "first"),
              state(40, "working", "third")]  # fmt: skip
    assert story(lab, rule, events, 60) == [("r/line/second", "raised", 10.0), ("r/line/second", "cleared", 40.0)]
    room = lab.room_of(lab.plant({"r": {"message": "m", **rule}}))
    assert not room.operate(Operation("ack", "r/line/third", "ali", "", MONDAY))


def test_bottleneck_and_andon(lab: SimpleNamespace) -> None:
    events: list[AnyEvent] = [
        BottleneckUpdated(at_ns=MONDAY, line="line", suspects=[Suspect("second", 0.7, 1.0)], units=30),
        AndonCalled(at_ns=MONDAY + 5 * S, line="line", station="second", active=True),
        BottleneckUpdated(at_ns=MONDAY + 9 * S, line="line", suspects=[Suspect("third", 0.7, 1.0)], units=30),
    ]
    rule = {"each": "station", "when": "bottleneck > 0.5 and andon"}
    assert story(lab, rule, events, 20) == [("r/line/second", "raised", 5.0), ("r/line/second", "cleared", 9.0)]


def test_hysteresis_is_set_dominant(lab: SimpleNamespace) -> None:
    rule = {"each": "target", "when": "behind > 5", "clear_when": "behind < 8"}
    events = [ledger(0, 0.0), ledger(10, -6.0), ledger(20, -7.0), ledger(30, -4.0)]
    assert story(lab, rule, events, 60) == [("r/year", "raised", 10.0), ("r/year", "cleared", 30.0)]


def test_unknown_holds_the_flag_and_is_reported(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "when": "state == 'down'"}
    events = [state(0, "down"), state(10, "unobserved"), state(400, "working")]
    assert story(lab, rule, events, 500) == [
        ("r/line/second", "raised", 0.0),
        ("r/line/second", "blind", 310.0),
        ("r/line/second", "sighted", 400.0),
        ("r/line/second", "cleared", 400.0),
    ]


def test_acknowledge_and_latch(lab: SimpleNamespace) -> None:
    room = lab.room_of(lab.plant({"r": {"each": "connection", "when": "not up", "latch": True, "message": "m"}}))
    lab.play(room, [link(0, False), link(10, True)], MONDAY + 20 * S)
    flags = room.operate(Operation("ack", "r/plc", "ali", "seen", MONDAY + 21 * S))
    assert [(flag.transition, flag.state) for flag in flags][-1] == ("cleared", AlarmState.NORMAL)
    assert not room.operate(Operation("ack", "r/plc", "ali", "seen", MONDAY + 22 * S))


def test_text_value_and_limit(lab: SimpleNamespace) -> None:
    config = lab.plant(
        {
            "r": {
                "each": "station",
                "when": "running and running.active > 1.15 * running.planned",
                "message": "{station} of {line}: {unit} runs {running.active} of {running.planned}",
            }
        }
    )
    (flag,) = lab.play(lab.room_of(config), [state(0, "working"), start(0)], MONDAY + 150 * S)
    assert flag.text == "Second station of The line: U1 runs 115s of 100s"
    assert (flag.value, flag.limit) == (115.0, pytest.approx(115.0))
    assert (flag.unit, flag.line, flag.station) == ("U1", "line", "second")


def test_only_patterns_choose_subjects(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "only": ["*/t*"], "when": "state == 'down'"}
    assert story(lab, rule, [state(0, "down"), state(5, "down", "third")], 10) == [("r/line/third", "raised", 5.0)]


def test_problems_are_told_with_their_places(lab: SimpleNamespace) -> None:
    rules = {
        "a": {"each": "station", "when": "stat == 'down'", "clear_when": "1", "message": "{x}"},
        "b": {"each": "station", "when": "true", "message": "m",
              "actions": [{"command": "andon", "value": "5min"}, {"command": "hold", "value": "red"},
                          {"command": "hold", "value": "3s"}]},
    }  # fmt: skip
    config = lab.plant(rules)
    found = problems(config)
    assert [(p.rule, p.field, p.offset) for p in found] == [
        ("a", "when", 0), ("a", "clear_when", 0), ("a", "message", 1), ("b", "actions.0.value", 0),
        ("b", "actions.1.value", 0), ("b", "actions.2.value", 0),
    ]  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        lab.room_of(config)
    assert len(caught.value.problems) == len(found)


@given(when=st.text(max_size=60), message=st.text(min_size=1, max_size=60))
def test_problems_never_raises(lab: SimpleNamespace, when: str, message: str) -> None:
    rule = RuleConfig.model_validate({"each": "station", "when": when, "message": message})
    for found in problems(lab.plant({}).model_copy(update={"rules": {"r": rule}})):
        assert isinstance(found, RuleProblem)
        assert 0 <= found.offset <= max(len(when), len(message))


# --- memory -----------------------------------------------------------------------------------------------------

RULES = {
    "beyond": {"each": "station", "when": "running and running.active > 1.1 * planned", "message": "{running.active}"},
    "starved": {"each": "station", "when": "state == 'starved' and state_for > 1 min", "for": "7s", "message": "m"},
    "slow": {"each": "station", "when": "mean(cycle.active, last 3 cycles, min 2) > takt", "off_delay": "12s",
             "message": "{mean(cycle.active, last 3 cycles, min 2)}"},
    "next": {"each": "station", "when": "downstream.state == 'down' or upstream.andon", "latch": True, "message": "m"},
    "none": {"each": "station", "when": "absent(cycle, 2 * planned) and shift", "message": "{since_cycle}"},
    "link": {"each": "connection", "when": "down_for > 20 s", "message": "{down_for}"},
    "year": {"each": "target", "when": "behind > 5", "clear_when": "behind < 3", "for": "33s", "message": "{behind}"},
}  # fmt: skip

SECONDS = st.integers(0, 900)
STATIONS = st.sampled_from(["first", "second", "third"])
EVENTS = st.lists(
    st.one_of(
        st.builds(state, SECONDS, st.sampled_from(["working", "starved", "down", "unobserved"]), STATIONS),
        st.builds(start, SECONDS, st.sampled_from([None, 60.0, 200.0]), STATIONS),
        st.builds(done, SECONDS, st.sampled_from([80.1, 99.7, 120.3]), st.just("measured"), STATIONS),
        st.builds(link, SECONDS, st.booleans()),
        st.builds(ledger, SECONDS, st.sampled_from([0.0, -4.0, -6.0])),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(events=EVENTS, cuts=st.lists(st.integers(0, 120), max_size=4), begin=st.sampled_from([0, 14_100, 32_100]))
def test_cut_and_resumed_anywhere_it_says_the_same(
    lab: SimpleNamespace, events: list[AnyEvent], cuts: list[int], begin: int
) -> None:
    config = lab.plant(RULES)
    shifted = [msgspec.structs.replace(event, at_ns=event.at_ns + begin * S) for event in events]
    assert drive(lambda: lab.room_of(config), shifted, begin, []) == drive(
        lambda: lab.room_of(config), shifted, begin, cuts
    )


def drive(
    make: Callable[[], RulesRoom], events: list[AnyEvent], begin: int, cuts: list[int]
) -> tuple[list[AnyEvent], bytes]:
    room = make()
    said: list[AnyEvent] = []
    waiting = sorted(events, key=lambda event: event.at_ns)
    for step in range(200):
        at = MONDAY + (begin + 5 * step) * S
        while waiting and waiting[0].at_ns <= at:
            said += room.see(waiting.pop(0))
            if step in cuts:
                room = resumed(make, room)
        said += room.tick(at)
        if step in cuts:
            room = resumed(make, room)
    return said, room.memory()


def resumed(make: Callable[[], RulesRoom], room: RulesRoom) -> RulesRoom:
    fresh = make()
    fresh.remember(room.memory())
    assert fresh.memory() == room.memory()
    return fresh


def test_a_memory_that_does_not_fit_is_refused(lab: SimpleNamespace) -> None:
    with pytest.raises(SnapshotError):
        lab.room_of(lab.plant({})).remember(b"nonsense")


def test_alarms_outlive_a_change_of_other_rules(lab: SimpleNamespace) -> None:
    link_rule = {"each": "connection", "when": "not up", "message": "m"}
    old = lab.room_of(lab.plant({"gone": link_rule, "kept": link_rule}))
    lab.play(old, [link(0, False)], MONDAY + 10 * S)
    new = lab.room_of(lab.plant({"added": link_rule, "kept": link_rule}))
    new.remember(old.memory())
    assert told(new.tick(MONDAY + 15 * S)) == [("added/plc", "raised", 15.0)]


def forecast(seconds: float, probability: float) -> TargetForecast:
    return TargetForecast(
        at_ns=MONDAY + round(seconds * S), target="year", line="line", family="tractors", year=2026, units=800, done=3,
        probability=probability, units_low=1.0, units_likely=2.0, units_high=3.0, finish_low_ns=None,
        finish_likely_ns=None, finish_high_ns=None, takt_achieved_s=None, takt_required_s=None, prior_share=0.5,
        hours_needed=1.0, hours_left=2.0, kits_limit=None, evidence=9, replications=1000, seed=1, fan=[],
    )  # fmt: skip


DAILY = {"each": "target", "when": "max(probability, last 3 days) < 35%", "clear_when": "probability >= 45%"}


@settings(max_examples=30, derandomize=True, deadline=None, database=None)
@given(st.lists(st.tuples(st.integers(1, 5 * 86_400), st.floats(0, 1)), max_size=30))
def test_how_often_a_forecast_is_made_does_not_move_what_is_judged_by_days(
    lab: SimpleNamespace, more: list[tuple[int, float]]
) -> None:
    rule = DAILY | {"clear_when": "max(probability, last 1 days) >= 45%"}
    days = [forecast(day * 86_400, probability) for day, probability in enumerate([0.4, 0.3, 0.2, 0.3, 0.5])]
    flags = story(lab, rule, [*days, *(forecast(*each) for each in more)], 5 * 86_400, 3600)
    assert flags == [("r/year", "raised", 3 * 86_400.0), ("r/year", "cleared", 4 * 86_400.0)]


def test_a_forecast_at_night_or_on_a_day_off_is_no_day(lab: SimpleNamespace) -> None:
    night = [forecast(day * 86_400 + 11 * 3600, 0.1) for day in range(7)]
    assert story(lab, DAILY, night, 8 * 86_400, 3600) == []


def test_a_bottleneck_is_found_once_it_is_probable_and_moves_when_another_one_is(lab: SimpleNamespace) -> None:
    def verdict(seconds: float, station: str, probability: float, *, provisional: bool = False) -> BottleneckUpdated:
        suspects = [Suspect(station, probability, 1.0)]
        return BottleneckUpdated(
            at_ns=MONDAY + round(seconds * S), line="line", suspects=suspects, units=30, provisional=provisional
        )

    rule = {"each": "line", "when": "previous != '' and bottleneck_for < 10 s", "message": "{bottleneck} {previous}"}
    events: list[AnyEvent] = [
        verdict(0, "first", 0.9, provisional=True),
        verdict(10, "second", 0.7),
        verdict(20, "third", 0.55),
        verdict(30, "third", 0.6),
        verdict(35, "third", 0.9),
    ]
    room = lab.room_of(lab.plant({"r": rule}))
    flags = lab.play(room, events, MONDAY + 60 * S)
    assert [(flag.flag, flag.transition, (flag.at_ns - MONDAY) / S) for flag in flags] == [
        ("r/line", "raised", 30.0),
        ("r/line", "cleared", 40.0),
    ]
    assert flags[0].text == "Third station Second station"


def test_kits_run_out_on_a_day(lab: SimpleNamespace) -> None:
    rule = {"each": "kit", "when": "short > 0 and runs_out_in < 10d", "message": "{kit} {runs_out} {short}"}
    events: list[AnyEvent] = [
        KitForecast(at_ns=MONDAY, kit="cab", runs_out_ns=MONDAY + 11 * 86_400 * S, short=3),
        KitForecast(at_ns=MONDAY + 3 * 86_400 * S, kit="cab", runs_out_ns=None, short=0),
    ]
    flags = lab.play(lab.room_of(lab.plant({"r": rule})), events, MONDAY + 4 * 86_400 * S, 3600 * S)
    assert [(flag.transition, (flag.at_ns - MONDAY) // (3600 * S)) for flag in flags] == [
        ("raised", 24),
        ("cleared", 72),
    ]
    assert flags[0].text == "Cab kit 2026-01-16 3"


# --- sequences, samples, and rules that don't disturb each other -------------------------------------------------


def with_tags(lab: SimpleNamespace, rules: dict[str, Any]) -> Config:
    config = lab.plant({name: {"each": "station", "message": "m", **rule} for name, rule in rules.items()})
    line = config.lines["line"]
    second = line.stations["second"].model_copy(update={"telemetry": {"a": SignalConfig(), "b": SignalConfig()}})
    lines = {"line": line.model_copy(update={"stations": {**line.stations, "second": second}})}
    return config.model_copy(update={"lines": lines})  # type: ignore[no-any-return]


def sample(at_s: float, tag: str, value: float) -> Sampled:
    return Sampled(at_ns=MONDAY + int(at_s * S), line="line", station="second", name=tag, value=value)


def of_rule(flags: list[tuple[str, str, float]], rule: str) -> list[tuple[str, str, float]]:
    return [flag for flag in flags if flag[0].startswith(f"{rule}/")]


def test_a_sequence_stays_raised_while_its_last_condition_holds(lab: SimpleNamespace) -> None:
    rule = {
        "each": "station",
        "only": ["line/second"],
        "when": "state == 'down' then state == 'working' within 60 s unless state == 'starved'",
        "clear_when": "observed",
    }
    events = [state(0, "idle"), state(10, "down"), state(50, "working"), state(90, "idle")]
    assert story(lab, rule, events, 120) == [("r/line/second", "raised", 50.0), ("r/line/second", "cleared", 90.0)]
    assert story(lab, rule, [state(0, "idle"), state(10, "down"), state(80, "working")], 120) == []
    broken = [state(0, "idle"), state(10, "down"), state(20, "starved"), state(50, "working")]
    assert story(lab, rule, broken, 120) == []


@pytest.mark.parametrize(
    ("life", "until_s", "said"),
    [
        ({"latch": True}, 5, ["unacknowledged, since 2026-01-05 04:00:01", "m"]),
        ({"latch": True}, 20, ["unacknowledged, since 2026-01-05 04:00:01", "m",
                               "it has been over since 2026-01-05 04:00:10; it waits to be acknowledged"]),
        ({"off_delay": "1 min"}, 20, ["raised, since 2026-01-05 04:00:01", "m",
                                      "it has been over since 2026-01-05 04:00:10; it waits for its delay"]),
        ({}, 20, ["normal"]),
        ({"for": "1 min"}, 5, ["normal", "its condition has held since 2026-01-05 04:00:01; it waits for its delay"]),
    ],
)  # fmt: skip
def test_how_a_flag_stands_in_words(
    lab: SimpleNamespace, life: dict[str, Any], until_s: float, said: list[str]
) -> None:
    rule = {"each": "station", "only": ["line/second"], "when": "state == 'down'", "message": "m", **life}
    room = lab.room_of(lab.plant({"r": rule}))
    events = [event for event in (state(1, "down"), state(10, "idle")) if event.at_ns <= MONDAY + until_s * S]
    lab.play(room, events, MONDAY + until_s * S)
    first, *more = state_of(room.watched("r/line/second"), ZoneInfo("UTC"))
    assert [first.removeprefix("r/line/second: "), *(line.strip() for line in more)] == said


def test_another_rule_that_reads_a_tag_changes_nothing(lab: SimpleNamespace) -> None:
    rule = {"only": ["line/second"], "when": "tag.a > 5 and since_cycle >= 60 s"}
    events: list[AnyEvent] = [
        done(10, 50.0),
        sample(20, "a", 9.0),
        sample(70, "b", 1.0),
        done(70, 50.0),
        state(100, "down"),
    ]
    alone = told(lab.play(lab.room_of(with_tags(lab, {"r": rule})), events, MONDAY + 300 * S))
    both = told(
        lab.play(lab.room_of(with_tags(lab, {"r": rule, "q": {"when": "tag.b > 99"}})), events, MONDAY + 300 * S)
    )
    assert alone == of_rule(both, "r") == [("r/line/second", "raised", 130.0)]


def test_figures_of_samples(lab: SimpleNamespace) -> None:
    rule = {"only": ["line/second"], "when": "median(tag.a, last 3 samples) > 4", "message": "{max(tag.a, last 1min)}"}
    events: list[AnyEvent] = [sample(10, "a", 1.0), sample(20, "a", 5.0), sample(30, "b", 9.0), sample(40, "a", 6.0)]
    flags = lab.play(lab.room_of(with_tags(lab, {"r": rule})), events, MONDAY + 60 * S)
    assert told(flags) == [("r/line/second", "raised", 40.0)]
    assert flags[0].text == "6"


def test_values_leave_a_window_over_a_time_at_its_end(lab: SimpleNamespace) -> None:
    rule = {"only": ["line/second"], "when": "count(tag.a > 3, last 1min) >= 2"}
    events: list[AnyEvent] = [sample(10, "a", 4.0), sample(32, "a", 5.0)]
    assert told(lab.play(lab.room_of(with_tags(lab, {"r": rule})), events, MONDAY + 200 * S)) == [
        ("r/line/second", "raised", 32.0),
        ("r/line/second", "cleared", 70.0),
    ]


def test_an_age_is_known_in_a_message_too(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "only": ["line/second"], "when": "andon", "message": "{age(state)}"}
    events: list[AnyEvent] = [
        state(10, "down"),
        AndonCalled(at_ns=MONDAY + 40 * S, line="line", station="second", active=True),
    ]
    (flag,) = lab.play(lab.room_of(lab.plant({"r": rule})), events, MONDAY + 60 * S)
    assert flag.text == "30s"


def test_shelved_flags_want_nobody_until_they_come_back(lab: SimpleNamespace) -> None:
    room = lab.room_of(lab.plant({"r": {"each": "connection", "when": "not up", "message": "m", "shelve_max": "30s"}}))
    lab.play(room, [link(0, False)], MONDAY + 5 * S)
    wish = Operation("shelve", "r/plc", "ali", "known", MONDAY + 10 * S, MONDAY + 500 * S)
    (flag,) = [event for event in room.operate(wish) if isinstance(event, FlagChanged)]
    assert (flag.transition, flag.state, flag.by) == ("shelved", AlarmState.SHELVED, "ali")
    back = [event for event in room.tick(MONDAY + 100 * S) if isinstance(event, FlagChanged)]
    assert told(back) == [("r/plc", "unshelved", 40.0)]
    assert back[0].state is AlarmState.ACKNOWLEDGED


def test_a_suppressed_flag_is_followed_and_told_of_when_that_ends(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "only": ["line/second"], "when": "andon", "suppress": "state == 'setup'", "message": "m"}
    call = AndonCalled(at_ns=MONDAY + 20 * S, line="line", station="second", active=True)
    flags = lab.play(
        lab.room_of(lab.plant({"r": rule})), [state(10, "setup"), call, state(50, "working")], MONDAY + 60 * S
    )
    assert [(flag.transition, flag.state) for flag in flags] == [
        ("raised", AlarmState.SUPPRESSED),
        ("unsuppressed", AlarmState.ACKNOWLEDGED),
    ]


def test_a_renamed_rule_keeps_its_flags(lab: SimpleNamespace) -> None:
    rule = {"each": "connection", "when": "not up", "message": "m"}
    old = lab.room_of(lab.plant({"before": rule}))
    lab.play(old, [link(0, False)], MONDAY + 10 * S)
    new = lab.room_of(lab.plant({"after": {**rule, "was": "before"}}))
    new.remember(old.memory())
    assert not new.tick(MONDAY + 15 * S)
    assert new.watched("after/plc").alarm.raised


@settings(max_examples=30, deadline=None)
@given(
    times=st.lists(st.sampled_from([80.0, 99.9, 100.0, 100.1, 120.0]), min_size=1, max_size=30),
    function=st.sampled_from(["min({})", "max({})", "quantile({}, 90%)", "quantile({}, 50%)"]),
    sign=st.sampled_from(["<", "<=", ">", ">="]),
    window=st.sampled_from(["last 1 cycles", "last 4 cycles", "last 10 cycles, min 2"]),
)
def test_counting_what_is_beyond_a_limit_is_as_good_as_order(
    lab: SimpleNamespace, times: list[float], function: str, sign: str, window: str
) -> None:
    figure = function.format("cycle.active").removesuffix(")") + f", {window})"
    rules = {
        name: {"each": "station", "when": f"{figure} {sign} {limit}", "message": "m"}
        for name, limit in (("counted", "100 s"), ("ordered", "100 s + 0 s"))
    }
    events = [done(200 * (place + 1), active) for place, active in enumerate(times)]
    flags = told(lab.play(lab.room_of(lab.plant(rules)), events, MONDAY + 7000 * S, 100 * S))
    said = {name: [flag[1:] for flag in flags if flag[0].startswith(name)] for name in rules}
    assert said["counted"] == said["ordered"]
