"""The five ways to tell a cycle, and what is recorded when signals misbehave."""

from typing import Any

import pytest

from linecontrol.model import (
    Anomaly,
    BufferChanged,
    CycleCompleted,
    CycleEnded,
    CycleProgress,
    CycleStarted,
    Quality,
    Sampled,
    StateChanged,
    StationState,
    StationUnobserved,
    Timing,
    UnitCompleted,
)
from tests.unit.line.plant import HOUR, MONDAY_8, Story, config


def one(**station: Any) -> Story:
    return Story(config({"a": station}), a=16)


def times(story: Story) -> list[tuple[float | None, Timing]]:
    return [(event.active_s, event.timing) for event in story.of(CycleCompleted)]


def test_start_and_complete_bits() -> None:
    story = one(cycle_by="start_complete", signals=["cycle_start", "cycle_complete", "product"])
    story.at(0, "a", cycle_start=False, cycle_complete=False, product=0)
    story.at(1, "a", product=1, cycle_start=True)
    story.at(3, "a", cycle_start=False, cycle_complete=True)
    done = story.of(CycleCompleted)[0]
    assert (done.active_s, done.planned_s, done.product, done.timing) == (7200, 7200, "p", Timing.MEASURED)
    assert story.of(CycleStarted)[0].planned_s == 7200
    assert [(event.previous, event.state) for event in story.of(StateChanged)][-1] == ("working", "blocked")


def test_a_cycle_over_lunch_and_night_counts_working_time_only() -> None:
    story = one(cycle_by="part_present", signals=["part_present"])
    story.at(0, "a", part_present=False).at(3, "a", part_present=True)  # 11:00
    story.tick(10).tick(24).at(24.5, "a", part_present=False)  # Tuesday 08:30
    assert times(story) == [((1 + 4 + 0.5) * 3600, Timing.MEASURED)]
    states = [event.state for event in story.of(StateChanged)]
    assert states == ["idle", "working", "off_shift", "working", "idle"]


def test_own_state_codes_with_a_code_for_complete() -> None:
    codes = {1: "working", 2: "complete", 4: "starved", 5: "down"}
    story = one(cycle_by="state", signals=["state"], states=codes)
    story.at(0, "a", state=4).at(1, "a", state=1).at(1.5, "a", state=5).at(2, "a", state=1).at(2.5, "a", state=2)
    story.at(2.6, "a", state=4).at(2.7, "a", state=1)
    done = story.of(CycleCompleted)[0]
    assert (done.active_s, done.lost_s) == (5400, {StationState.DOWN: 1800})
    assert len(story.of(CycleStarted)) == 2


@pytest.mark.parametrize("execute", [6, "Execute"])
def test_packml_by_number_and_by_name(execute: int | str) -> None:
    story = one(cycle_by="state", signals=["state"])
    story.at(0, "a", state="Idle").at(1, "a", state=execute).at(2, "a", state=17)
    assert times(story) == [(3600, Timing.MEASURED)]


def test_a_counter_alone_tells_the_time_between_completions() -> None:
    story = one(cycle_by="count", signals=["cycle_count"])
    story.at(0, "a", cycle_count=7).at(1, "a", cycle_count=8).at(3, "a", cycle_count=9)
    assert times(story) == [(3600, Timing.PARTIAL), (7200, Timing.MEASURED)]


def test_a_counter_with_a_running_bit_leaves_the_waiting_out() -> None:
    story = one(cycle_by="count", signals=["cycle_count", "running"])
    story.at(0, "a", cycle_count=7, running=False).at(1, "a", running=True)
    story.at(2, "a", running=False, cycle_count=8).at(3, "a", running=True).at(4, "a", cycle_count=9, running=False)
    assert times(story) == [(3600, Timing.MEASURED), (3600, Timing.MEASURED)]


def test_a_cycle_time_register_is_believed() -> None:
    story = one(cycle_by="cycle_time", signals=["cycle_time", "cycle_count"])
    story.at(0, "a", cycle_time=0, cycle_count=0).at(2, "a", cycle_time=5000, cycle_count=1)
    story.at(4, "a", cycle_count=2).tick(4.01)  # the same duration again: only the counter shows it
    assert times(story) == [(5000, Timing.MEASURED), (5000, Timing.MEASURED)]


def test_a_cycle_whose_end_was_seen_late_does_not_lie_in_the_next_one() -> None:
    story = one(cycle_by="cycle_time", signals=["cycle_time", "cycle_count"])
    story.at(0, "a", cycle_time=0, cycle_count=0)
    story.at(2.04, "a", cycle_time=7200, cycle_count=1)  # the poll came two and a half minutes late
    story.at(4, "a", cycle_time=7190, cycle_count=2).tick(4.01)
    first, second = story.of(CycleCompleted)
    assert second.start_ns == first.at_ns
    assert second.active_s == 7190


@pytest.mark.parametrize("signals", [["cycle_time", "cycle_count"], ["cycle_time", "cycle_count", "running"]])
def test_a_cycle_time_that_is_read_after_its_count_is_of_that_cycle(signals: list[str]) -> None:
    story = one(cycle_by="cycle_time", signals=signals)
    running = "running" in signals
    story.at(0, "a", cycle_time=0, cycle_count=0)
    if running:
        story.at(0, "a", running=True)
    for count, told in ((1, 5000), (2, 6000), (3, 6500)):
        at = 2.0 * count
        if running:
            story.at(at, "a", running=False)
        story.at(at + 0.0001, "a", cycle_count=count).at(at + 0.0002, "a", cycle_time=told)
        if running:
            story.at(at + 0.001, "a", running=True)
    assert times(story) == [(told, Timing.MEASURED) for told in (5000, 6000, 6500)]


def test_names_that_are_read_after_the_start_are_of_the_cycle_that_started() -> None:
    story = one(cycle_by="count", signals=["cycle_count", "running", "unit_id", "product"])
    story.at(0, "a", cycle_count=0, running=False, unit_id="", product=0)
    for count, unit, product in ((1, "U1", 1), (2, "U2", 2), (3, "U3", 2), (4, "U4", 1)):
        story.at(count, "a", running=True).at(count + 0.0002, "a", product=product).at(
            count + 0.0004, "a", unit_id=unit
        )
        story.tick(count + 0.1)
        story.at(count + 0.5, "a", running=False).at(count + 0.5001, "a", cycle_count=count)
    built = [("U1", "p", False), ("U2", "q", False), ("U3", "q", False), ("U4", "p", False)]
    for events in (story.of(CycleStarted), story.of(CycleCompleted)):
        assert [(event.unit, event.product, event.unit_inferred) for event in events] == built
    assert [event.planned_s for event in story.of(CycleStarted)] == [7200, 3600, 3600, 7200]
    assert not story.of(Anomaly)


def test_a_unit_that_is_scanned_long_after_the_start_is_known_at_the_end() -> None:
    story = one(cycle_by="count", signals=["cycle_count", "running", "unit_id"])
    story.at(0, "a", cycle_count=0, running=False, unit_id="")
    for count, unit in ((1, "U1"), (2, "U2")):
        story.at(count, "a", running=True).tick(count + 0.2).at(count + 0.3, "a", unit_id=unit)
        story.at(count + 0.5, "a", running=False, cycle_count=count)
    story.at(3, "a", running=True).tick(3.2).at(3.5, "a", running=False, cycle_count=3)  # nobody scanned it
    done = [(event.unit, event.unit_inferred) for event in story.of(CycleCompleted)]
    assert done[:2] == [("U1", False), ("U2", False)]
    assert done[2][1]
    assert done[2][0] not in ("U1", "U2")


def test_a_name_that_a_lost_link_brings_again_is_not_the_next_units() -> None:
    story = one(cycle_by="count", signals=["cycle_count", "running", "unit_id"])
    story.at(0, "a", cycle_count=0, running=False, unit_id="").at(1, "a", running=True, unit_id="U1").tick(1.1)
    story.link(1.2, up=False).link(1.3, up=True).at(1.3, "a", cycle_count=0, running=True, unit_id="U1")
    story.at(2, "a", running=False, cycle_count=1)
    story.at(3, "a", running=True).at(3.0002, "a", unit_id="U2").tick(3.1).at(4, "a", running=False, cycle_count=2)
    assert [event.unit for event in story.of(CycleCompleted)] == ["U1", "U2"]


def test_a_cycle_time_that_a_lost_link_brings_again_is_not_the_next_cycles() -> None:
    story = one(cycle_by="cycle_time", signals=["cycle_time", "cycle_count", "running"])
    story.at(0, "a", cycle_time=0, cycle_count=0, running=True).at(1, "a", cycle_count=1, cycle_time=3000)
    story.tick(1.1).link(1.2, up=False).link(1.3, up=True)
    story.at(1.3, "a", cycle_count=1, cycle_time=3000, running=True)
    story.at(2, "a", cycle_count=2, running=False).at(2.0002, "a", cycle_time=3500)
    assert [event.active_s for event in story.of(CycleCompleted)] == [3000, 3500]


def test_a_unit_is_judged_by_the_count_that_comes_with_its_end_or_right_after() -> None:
    story = one(cycle_by="state", signals=["state", "good_count", "reject_count"], states={1: "working", 2: "complete"})
    story.at(0, "a", state=2, good_count=0, reject_count=0).at(1, "a", state=1)
    story.at(2, "a", state=2).at(2.0001, "a", reject_count=1).at(2.0005, "a", state=1)
    story.at(3, "a", good_count=1, state=2).at(3.0005, "a", state=1)
    story.at(4, "a", state=2).tick(4.1).at(4.2, "a", good_count=2)
    assert [event.good for event in story.of(CycleCompleted)] == [False, True, None]
    assert [event.good for event in story.of(UnitCompleted)] == [False, True, None]
    assert [event.kind for event in story.of(Anomaly)] == ["late_figure"]


@pytest.mark.parametrize(("role", "silent"), [("reject_count", True), ("good_count", False)])
def test_where_only_one_is_counted_its_silence_is_the_other(role: str, silent: bool) -> None:
    story = one(cycle_by="state", signals=["state", role], states={1: "working", 2: "complete"})
    none: dict[str, Any] = {role: 0}
    one_more: dict[str, Any] = {role: 1}
    story.at(0, "a", state=2, **none).at(1, "a", state=1).at(2, "a", state=2).tick(2.1)
    story.at(3, "a", state=1).at(4, "a", state=2, **one_more)
    assert [event.good for event in story.of(CycleCompleted)] == [silent, not silent]


def test_a_cycle_that_waits_for_its_figures_is_told_to_be_over_at_once() -> None:
    story = one(cycle_by="state", signals=["state", "good_count"], states={1: "working", 2: "complete"})
    story.at(0, "a", state=2, good_count=0).at(1, "a", state=1).at(2, "a", state=2)
    assert [event.at_ns for event in story.of(CycleEnded)] == [MONDAY_8 + 2 * HOUR]
    story.at(2.0001, "a", good_count=1).at(3, "a", state=1).at(4, "a", state=2, good_count=2)
    assert [event.at_ns for event in story.of(CycleCompleted)] == [MONDAY_8 + 2 * HOUR, MONDAY_8 + 4 * HOUR]
    assert len(story.of(CycleEnded)) == 1


def test_another_name_after_a_rest_is_another_cycle() -> None:
    codes = {1: "working", 2: "complete", 4: "starved"}
    story = one(cycle_by="state", signals=["state", "unit_id"], states=codes)
    story.at(0, "a", state=4, unit_id="").at(1, "a", state=1, unit_id="U1").tick(1.1)
    story.at(2, "a", state=4).at(3, "a", state=1).at(3.0002, "a", unit_id="U2").tick(3.1).at(4, "a", state=2)
    done = [(event.unit, event.timing) for event in story.of(CycleCompleted)]
    assert done == [("U1", Timing.PARTIAL), ("U2", Timing.MEASURED)]
    assert [event.kind for event in story.of(Anomaly)] == ["missed_edge"]


def test_roll_over_reset_and_jump_of_a_counter() -> None:
    story = one(cycle_by="count", signals=["cycle_count"])
    story.at(0, "a", cycle_count=65535).at(1, "a", cycle_count=0).at(2, "a", cycle_count=1)
    story.at(2.5, "a", cycle_count=0).at(3, "a", cycle_count=1).at(3.5, "a", cycle_count=5000)
    assert [event.kind for event in story.of(Anomaly)] == ["counter_rollover", "counter_reset", "counter_jump"]
    assert len(times(story)) == 3


def test_a_plc_that_starts_afresh_in_mid_cycle_hides_no_later_cycle() -> None:
    story = one(cycle_by="part_present", signals=["part_present", "cycle_count"])
    story.at(0, "a", part_present=False, cycle_count=7).at(1, "a", part_present=True)
    story.link(2, up=False).link(2.5, up=True).at(2.5, "a", part_present=False, cycle_count=0)
    assert times(story) == [(5400, Timing.PARTIAL)]  # the part is gone, and the counter that knew of it too
    story.at(3, "a", cycle_count=1)  # a part came and went between two polls
    assert times(story)[1:] == [(None, Timing.UNKNOWN)]
    assert [event.kind for event in story.of(Anomaly)] == ["counter_reset", "missed_edge"]


def test_an_edge_missed_between_two_polls_is_counted_and_marked() -> None:
    codes = {1: "working", 2: "complete"}
    story = one(cycle_by="state", signals=["state", "cycle_count"], states=codes)
    story.at(0, "a", state=2, cycle_count=0).at(1, "a", state=1)
    story.at(2, "a", cycle_count=1)  # complete and the next start fell between two polls
    story.tick(2.1).at(3, "a", state=2, cycle_count=2)
    assert times(story) == [(3600, Timing.MEASURED), (3600, Timing.MEASURED)]
    story.at(4, "a", cycle_count=4)
    assert times(story)[2:] == [(None, Timing.UNKNOWN)] * 2
    assert [event.kind for event in story.of(Anomaly)] == ["missed_edge"]


def test_counter_and_edge_that_arrive_one_after_the_other_are_one_cycle() -> None:
    codes = {1: "working", 2: "complete"}
    orders: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"cycle_count": 1}, {"state": 2}),
        ({"state": 2}, {"cycle_count": 1}),
    ]
    for first, second in orders:
        story = one(cycle_by="state", signals=["state", "cycle_count"], states=codes)
        story.at(0, "a", state=2, cycle_count=0).at(1, "a", state=1)
        story.at(2, "a", **first).at(2.0001, "a", **second).tick(2.2).at(2.3, "a", state=1)
        assert times(story) == [(3600, Timing.MEASURED)]
        assert not story.of(Anomaly)
        assert len(story.of(CycleStarted)) == 2


def test_a_start_while_a_cycle_runs_ends_it_as_partial() -> None:
    story = one(cycle_by="start_complete", signals=["cycle_start", "cycle_complete"])
    story.at(0, "a", cycle_start=False, cycle_complete=False).at(1, "a", cycle_start=True)
    story.at(1.1, "a", cycle_start=False).at(2, "a", cycle_start=True)
    assert times(story) == [(3600, Timing.PARTIAL)]
    assert story.of(Anomaly)[0].kind == "missed_edge"


def test_a_lost_link_makes_the_station_unobserved_and_is_part_of_the_record() -> None:
    story = one(cycle_by="start_complete", signals=["cycle_start", "cycle_complete", "cycle_count"])
    story.at(0, "a", cycle_start=False, cycle_complete=False, cycle_count=3).at(1, "a", cycle_start=True)
    story.link(1.5, up=False).tick(1.6).link(2, up=True)
    story.at(2, "a", cycle_start=True, cycle_complete=False, cycle_count=3).at(3, "a", cycle_start=False)
    story.at(3, "a", cycle_complete=True, cycle_count=4)
    gap = story.of(StationUnobserved)[0]
    assert (gap.unobserved_s, gap.start_ns) == (1800, MONDAY_8 + HOUR * 3 // 2)
    done = story.of(CycleCompleted)[0]
    assert (done.active_s, done.lost_s, done.timing) == (7200, {StationState.UNOBSERVED: 1800}, Timing.MEASURED)


def test_what_the_counter_counted_in_a_gap_has_no_times() -> None:
    story = one(cycle_by="start_complete", signals=["cycle_start", "cycle_complete", "cycle_count"])
    story.at(0, "a", cycle_start=False, cycle_complete=False, cycle_count=3).at(0.5, "a", cycle_start=True)
    story.link(1, up=False).link(4, up=True)
    story.at(4, "a", cycle_start=True, cycle_complete=False, cycle_count=5)
    assert [timing for _, timing in times(story)] == [Timing.PARTIAL, Timing.UNKNOWN]
    assert story.of(CycleStarted)[-1].at_ns == MONDAY_8 + 4 * HOUR


def test_without_a_counter_a_cycle_over_a_gap_is_never_measured() -> None:
    story = one(cycle_by="part_present", signals=["part_present"])
    story.at(0, "a", part_present=False).at(1, "a", part_present=True).link(2, up=False).link(3, up=True)
    story.at(3, "a", part_present=True).at(3.5, "a", part_present=False)
    assert [timing for _, timing in times(story)] == [Timing.PARTIAL]


def test_bad_quality_of_an_essential_signal_is_a_gap_too() -> None:
    story = one(cycle_by="part_present", signals=["part_present"])
    story.at(0, "a", part_present=False).at(1, "a", Quality.BAD, part_present=None).at(2, "a", part_present=False)
    assert [event.state for event in story.of(StateChanged)] == ["idle", "unobserved", "idle"]


def test_values_of_a_wrong_type_and_unknown_codes_are_reported_once() -> None:
    story = one(cycle_by="state", signals=["state", "product"], states={1: "working"})
    story.at(0, "a", state=1, product=9).tick(0.1).at(1, "a", state=77).at(2, "a", state=77).at(3, "a", product=1.5)
    assert [event.kind for event in story.of(Anomaly)] == ["unknown_product", "unknown_code"]


def test_progress_of_a_running_cycle() -> None:
    story = one(cycle_by="part_present", signals=["part_present", "product"])
    story.at(0, "a", part_present=False, product=1).at(1, "a", part_present=True).tick(2).tick(4.5)
    assert [event.active_s for event in story.of(CycleProgress)] == [3600]  # 12:30 is lunch


# --- units ----------------------------------------------------------------------------------------------------


def line_of_three() -> Story:
    stations: dict[str, dict[str, Any]] = {
        "a": {"cycle_by": "part_present", "signals": ["part_present", "product", "unit_id"]},
        "b": {"cycle_by": "part_present", "signals": ["part_present"]},
        "c": {"cycle_by": "part_present", "signals": ["part_present", "reject_count", "good_count"]},
    }
    buffers = {"ab": {"after": "a", "before": "b", "capacity": 2}}
    story = Story(config(stations, buffers=buffers))
    for name in "abc":
        story.at(0, name, part_present=False)
    return story.at(0, "a", product=1, unit_id="").at(0, "c", good_count=0, reject_count=0)


def test_a_unit_keeps_its_name_and_product_through_the_line() -> None:
    story = line_of_three()
    story.at(0.5, "a", unit_id="U1", product=2, part_present=True).at(1, "a", part_present=False)
    story.at(1.1, "b", part_present=True).at(1.6, "b", part_present=False)
    story.at(1.7, "c", part_present=True).at(2, "c", part_present=False, reject_count=1)
    done = story.of(UnitCompleted)[0]
    assert (done.unit, done.unit_inferred, done.product, done.family, done.good) == ("U1", False, "q", "f", False)
    assert done.start_ns == MONDAY_8 + HOUR // 2
    assert [(event.level, event.buffer) for event in story.of(BufferChanged)] == [(1, "ab"), (0, "ab")]
    assert [event.planned_s for event in story.of(CycleStarted)] == [3600] * 3


def test_units_without_a_name_are_inferred_in_order() -> None:
    story = line_of_three()
    for start in (0.5, 1.0):
        story.at(start, "a", part_present=True).at(start + 0.3, "a", part_present=False)
    story.at(1.5, "b", part_present=True).at(1.8, "b", part_present=False).at(1.9, "b", part_present=True)
    started = [(event.station, event.unit, event.unit_inferred) for event in story.of(CycleStarted)]
    assert started == [
        ("a", "l-000001", True),
        ("a", "l-000002", True),
        ("b", "l-000001", True),
        ("b", "l-000002", True),
    ]


def test_a_start_seen_before_the_end_upstream_gets_the_unit_when_the_end_arrives() -> None:
    story = line_of_three()
    story.at(0.5, "a", unit_id="U1", part_present=True).at(1, "b", part_present=True)
    assert story.of(CycleStarted)[-1].unit is None
    story.at(1.0001, "a", part_present=False).tick(1.1).at(2, "b", part_present=False)
    assert story.of(CycleCompleted)[-1].unit == "U1"
    assert story.of(CycleCompleted)[-1].planned_s == 7200


def test_a_unit_that_was_there_before_anyone_looked_is_a_new_one() -> None:
    story = line_of_three()
    story.at(0.5, "b", part_present=True).at(1, "b", part_present=False)
    assert story.of(CycleCompleted)[0].unit_inferred
    assert story.of(CycleCompleted)[0].planned_s is None


def test_what_is_no_number_is_no_sample_and_no_time() -> None:
    story = one(cycle_by="cycle_time", signals=["cycle_time", "cycle_count"], telemetry=["torque"])
    story.at(0, "a", cycle_count=1, cycle_time=60.0, torque=1.0)
    for hours, value in enumerate((float("nan"), float("inf"), float("-inf")), 1):
        story.at(hours, "a", torque=value, cycle_time=value, cycle_count=1 + hours)
    assert [event.value for event in story.of(Sampled)] == [1.0]
    assert len(story.of(Anomaly)) == 3
    assert all(event.active_s is None or event.active_s < 1e9 for event in story.of(CycleCompleted))
