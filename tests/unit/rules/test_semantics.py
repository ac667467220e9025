"""What the reference page says of corners where a reader could take it two ways."""

from types import SimpleNamespace
from typing import Any

from linecontrol.config import SignalConfig
from linecontrol.model import (
    AndonCalled,
    AnyEvent,
    CycleCompleted,
    CycleStarted,
    LedgerUpdated,
    Operation,
    Sampled,
    StateChanged,
    StationState,
    Timing,
)
from linecontrol.rules import RulesRoom

S = 10**9
MONDAY = 1_767_585_600 * S


def state(at_s: float, what: str) -> StateChanged:
    return StateChanged(
        at_ns=MONDAY + int(at_s * S), line="line", station="second", state=StationState(what),
        previous=StationState.IDLE, since_ns=MONDAY, previous_s=0.0, shift="day",
    )  # fmt: skip


def andon(at_s: float, *, active: bool) -> AndonCalled:
    return AndonCalled(at_ns=MONDAY + int(at_s * S), line="line", station="second", active=active)


def start(at_s: float, unit: str) -> CycleStarted:
    return CycleStarted(
        at_ns=MONDAY + int(at_s * S), line="line", station="second", unit=unit, unit_inferred=False, product=None,
        planned_s=100.0,
    )  # fmt: skip


def done(at_s: float, active_s: float = 100.0) -> CycleCompleted:
    return CycleCompleted(
        at_ns=MONDAY + int(at_s * S), line="line", station="second", unit=None, unit_inferred=False, product=None,
        start_ns=None, active_s=active_s, planned_s=100.0, lost_s={}, timing=Timing.MEASURED, good=True, shift="day",
    )  # fmt: skip


def story(lab: SimpleNamespace, rule: dict[str, Any], events: list[AnyEvent], until_s: float) -> Any:
    room = lab.room_of(lab.plant({"r": {"each": "station", "only": ["line/second"], "message": "m", **rule}}))
    flags = lab.play(room, events, MONDAY + int(until_s * S))
    return [(flag.transition, (flag.at_ns - MONDAY) / S) for flag in flags]


def test_many_factors_are_read_in_no_time(lab: SimpleNamespace) -> None:
    rule = {"when": f"state_for{' * 1' * 57} >= 10 s"}
    assert story(lab, rule, [state(0, "down")], 60) == [("raised", 10.0)]


def test_limits_beyond_all_numbers_are_never_reached(lab: SimpleNamespace) -> None:
    huge = "999999999999 d" + " * 999999999999" * 40
    assert story(lab, {"when": f"state_for > {huge}"}, [state(0, "down")], 60) == []
    assert story(lab, {"when": f"state_for < {huge} - {huge}"}, [state(0, "down")], 60) == []


def test_a_sequence_does_not_begin_while_what_breaks_it_is_true(lab: SimpleNamespace) -> None:
    rule = {"when": "state == 'down' then state == 'working' within 60 s unless andon"}
    call = [andon(20, active=True), andon(50, active=False)]
    assert story(lab, rule, [state(0, "idle"), state(30, "down"), *call, state(55, "working")], 90) == []
    assert story(lab, rule, [state(0, "idle"), *call, state(52, "down"), state(55, "working")], 90) == [
        ("raised", 55.0)
    ]


def test_the_end_of_a_sequence_may_be_the_beginning_of_the_next(lab: SimpleNamespace) -> None:
    rule = {"when": "state == 'down' then state == 'working' within 60 s then state == 'down' within 30 s"}
    stops: list[AnyEvent] = [state(0, "idle"), *(state(at, what) for at, what in (
        (10, "down"), (20, "working"), (30, "down"), (60, "working"), (90, "down"), (140, "working"), (171, "down"),
        (180, "working"), (210, "down"),
    ))]  # fmt: skip
    assert story(lab, rule, stops, 250) == [
        ("raised", 30.0), ("cleared", 60.0), ("raised", 90.0), ("cleared", 140.0), ("raised", 210.0)
    ]  # fmt: skip
    again = {"when": "andon then andon within 90 s"}
    calls = [andon(at, active=on) for at, on in ((10, True), (20, False), (60, True), (100, False), (140, True))]
    assert story(lab, again, [state(0, "idle"), *calls], 150) == [
        ("raised", 60.0),
        ("cleared", 100.0),
        ("raised", 140.0),
    ]


def test_a_sequence_that_is_written_anew_begins_anew(lab: SimpleNamespace) -> None:
    def room(when: str) -> RulesRoom:
        return lab.room_of(lab.plant({"r": {"each": "station", "message": "m", "when": when}}))  # type: ignore[no-any-return]

    old = room("state == 'down' then state == 'working' within 60 s")
    lab.play(old, [state(0, "idle"), state(10, "down"), state(15, "setup")], MONDAY + 20 * S)
    new = room("state == 'down' then state == 'working' within 60 s then state == 'idle' within 60 s unless andon")
    new.remember(old.memory())
    new.tick(MONDAY + 20 * S)
    assert not new.see(state(30, "working"))
    assert not new.see(state(40, "idle"))


def test_texts_with_other_blanks_are_other_texts(lab: SimpleNamespace) -> None:
    rules = {
        "two": {"each": "station", "message": "m", "when": "count(unit == 'U  1', last 2 cycles, min 1) >= 1"},
        "one": {"each": "station", "message": "m", "when": "count(unit == 'U 1', last 2 cycles, min 1) >= 1"},
    }
    flags = lab.play(lab.room_of(lab.plant(rules)), [start(0, "U 1"), done(10)], MONDAY + 20 * S)
    assert [flag.rule for flag in flags] == ["one"]


def test_a_delay_made_shorter_ends_no_earlier_than_it_was_made_so(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "message": "m", "when": "state == 'down'"}
    old = lab.room_of(lab.plant({"r": {**rule, "for": "10min"}}))
    lab.play(old, [state(0, "down")], MONDAY + 300 * S)
    new = lab.room_of(lab.plant({"r": {**rule, "for": "1min"}}))
    new.remember(old.memory())
    (flag,) = new.tick(MONDAY + 305 * S)
    assert (flag.transition, flag.at_ns) == ("raised", MONDAY + 300 * S)


def test_nobody_can_put_a_flag_aside_for_good(lab: SimpleNamespace) -> None:
    rule = {"each": "station", "message": "m", "when": "state == 'down'", "shelve_max": "1min"}
    room = lab.room_of(lab.plant({"r": rule}))
    lab.play(room, [state(0, "down")], MONDAY + 10 * S)
    room.operate(Operation("shelve", "r/line/second", "ali", "", MONDAY + 10 * S))
    (flag,) = room.tick(MONDAY + 100 * S)
    assert (flag.transition, flag.at_ns) == ("unshelved", MONDAY + 70 * S)


def test_a_sample_that_is_no_number_is_none(lab: SimpleNamespace) -> None:
    config = lab.plant({"r": {"each": "station", "message": "m", "when": "max(tag.a, last 3 samples, min 1) > 5"}})
    line = config.lines["line"]
    second = line.stations["second"].model_copy(update={"telemetry": {"a": SignalConfig()}})
    line = line.model_copy(update={"stations": {**line.stations, "second": second}})
    room = lab.room_of(config.model_copy(update={"lines": {"line": line}}))
    values = [1.0, float("nan"), 7.0, float("inf"), float("nan"), 1.0, 2.0, 3.0, 1.0]
    events = [
        Sampled(at_ns=MONDAY + at * S, line="line", station="second", name="a", value=value)
        for at, value in enumerate(values)
    ]
    flags = lab.play(room, events, MONDAY + 60 * S)
    assert [(flag.transition, (flag.at_ns - MONDAY) / S) for flag in flags] == [("raised", 2.0), ("cleared", 7.0)]


def test_a_window_that_only_clears_a_sequence_is_followed_all_the_same(lab: SimpleNamespace) -> None:
    rule = {
        "when": "state == 'down' then state == 'working' within 60 s",
        "clear_when": "count(cycle.active > 5 s, last 30 s) == 0",
    }
    events: list[AnyEvent] = [state(0, "idle"), done(10), state(50, "down"), state(60, "working"), state(70, "idle")]
    assert story(lab, rule, events, 120) == [("raised", 60.0), ("cleared", 70.0)]


def test_a_station_that_comes_into_sight_tells_all_of_itself_at_once(lab: SimpleNamespace) -> None:
    rule = {"when": "state == 'down'", "suppress": "changed(andon, last 30 s)"}
    unseen: list[AnyEvent] = [state(0, "idle"), andon(1, active=False), state(10, "unobserved"), andon(50, active=True)]
    assert story(lab, rule, [*unseen, state(60, "down")], 120) == [("raised", 60.0), ("unsuppressed", 90.0)]


def test_the_day_is_known_at_once_after_a_restart(lab: SimpleNamespace) -> None:
    config = lab.plant({"r": {"each": "station", "message": "m", "when": "cycles_today < 1 and takt > 0 s"}})
    old, new = lab.room_of(config), lab.room_of(config)
    lab.play(old, [done(10)], MONDAY + 20 * S)
    new.remember(old.memory())
    ledger = LedgerUpdated(
        at_ns=MONDAY + 20 * S, target="year", line="line", family="tractors", year=2026, units=800, done=1, today=1,
        due=1.0, ahead_units=0.0, ahead_days=0.0, left=799, working_left_s=1e6, takt_required_s=900.0,
        takt_planned_s=900.0,
    )  # fmt: skip
    assert not [flag for flag in new.see(ledger) if flag.station == "second"]


def test_a_station_that_is_out_of_sight_at_first_is_first_seen_when_it_can_be_seen(lab: SimpleNamespace) -> None:
    rule = {"when": "since_cycle > 10 s"}
    assert story(lab, rule, [state(5, "unobserved"), state(30, "working")], 60) == [("raised", 40.000000001)]
