from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.kpi import KpiRoom
from linecontrol.kpi.counts import Counts
from linecontrol.kpi.figures import figures
from linecontrol.kpi.period import Period
from linecontrol.model import (
    AnyEvent,
    CycleCompleted,
    ShiftKpi,
    StateChanged,
    StateHeld,
    StationState,
    Timing,
    UnitCompleted,
)

S = StationState
MINUTE = 60 * 10**9
fixed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)


def changed(at_ns: int, state: S, previous: S = S.UNOBSERVED, since_ns: int = 0, station: str = "one") -> StateChanged:
    return StateChanged(
        at_ns=at_ns,
        line="main",
        station=station,
        state=state,
        previous=previous,
        since_ns=since_ns,
        previous_s=0.0,
        shift="day",
    )


def cycle(at_ns: int, active_s: float | None, timing: Timing = Timing.MEASURED) -> CycleCompleted:
    return CycleCompleted(
        at_ns=at_ns,
        line="main",
        station="one",
        unit=None,
        unit_inferred=True,
        product="small",
        start_ns=None,
        active_s=active_s,
        planned_s=7_200.0,
        lost_s={},
        timing=timing,
        good=None,
        shift="day",
    )


def only(events: Sequence[AnyEvent], station: str, period: str) -> ShiftKpi:
    found = [e for e in events if isinstance(e, ShiftKpi) and (e.station, e.period) == (station, period)]
    return found[-1]


def total_s(kpi: ShiftKpi) -> float:
    stops_s = kpi.adet_s + kpi.blocked_s + kpi.starved_s + kpi.setup_s + kpi.idle_s
    return kpi.apt_s + stops_s + kpi.unobserved_s


@pytest.fixture
def room(config: Config, calendars: dict[str, WorkCalendar]) -> KpiRoom:
    return KpiRoom(config, calendars)


def test_a_shift(room: KpiRoom, at: Any) -> None:
    room.tick(at(3, 2, 7))
    room.see(StateHeld(at_ns=at(3, 2, 8), line="main", station="one", state=S.WORKING, since_ns=at(3, 2, 8)))
    room.see(changed(at(3, 2, 13), S.DOWN, S.WORKING, at(3, 2, 8)))
    room.see(changed(at(3, 2, 14, 30), S.UNOBSERVED, S.DOWN, at(3, 2, 13)))
    room.see(cycle(at(3, 2, 10), 7_000.0))
    room.see(cycle(at(3, 2, 12), None, Timing.UNKNOWN))
    said = room.tick(at(3, 2, 17))
    one = only(said, "one", "shift")
    assert (one.at_ns, one.start_ns, one.end_ns) == (at(3, 2, 16, 30), at(3, 2, 8), at(3, 2, 16, 30))
    assert (one.pbt_s, one.apt_s, one.adet_s, one.unobserved_s) == (28_800, 16_200, 5_400, 7_200)
    assert (one.produced, one.good, one.cycles_measured, one.cycle_mean_s) == (2, 2, 1, 7_000)
    assert one.availability == 0.75
    assert one.effectiveness == pytest.approx(7_200 / 16_200)
    assert one.oee == pytest.approx(0.75 * 7_200 / 16_200)
    two = only(said, "two", "shift")
    assert (two.unobserved_s, two.availability, two.oee) == (28_800, None, None)
    assert only(said, "ALL", "shift").pbt_s == 57_600


def test_the_example_of_iso_22400() -> None:
    """PBT 450, APT 380, AUST 20, PQ = GQ = 3 in minutes and units, planned run time per item 120 minutes."""
    minutes = {S.WORKING: 380, S.SETUP: 20, S.DOWN: 50}
    times = {state: minutes.get(state, 0) * MINUTE for state in S}
    made = Counts(produced=3, good=3, timed=3, planned=3, planned_s=3 * 7_200.0)
    its = figures(
        "main", "one", Period("shift", "day", 0, 450 * MINUTE, 450 * MINUTE), 450 * MINUTE, 450 * MINUTE, times, made
    )
    assert (its.pbt_s, its.apt_s, its.setup_s) == (450 * 60, 380 * 60, 20 * 60)
    assert (its.availability, its.effectiveness) == pytest.approx((0.844444, 0.947368), abs=1e-6)
    assert (its.quality_ratio, its.oee) == pytest.approx((1.0, 0.8), abs=1e-9)
    assert its.effectiveness is not None
    assert (its.apt_s + its.setup_s) / its.pbt_s * its.effectiveness == pytest.approx(0.842105, abs=1e-6)


def test_running_updates_skip_breaks_and_nights(room: KpiRoom, at: Any) -> None:
    said = [e for ns in range(at(3, 2, 7), at(3, 3), 5 * MINUTE) for e in room.tick(ns)]
    ends = [e.end_ns for e in said if isinstance(e, ShiftKpi) and e.station == "one" and e.period == "shift"]
    assert len(ends) == 32
    assert at(3, 2, 12, 15) not in ends
    assert ends[0] == at(3, 2, 8, 15)


def test_late_events_correct_for_a_day(room: KpiRoom, at: Any) -> None:
    room.tick(at(3, 2, 7))
    room.see(changed(at(3, 2, 8), S.WORKING))
    room.tick(at(3, 2, 17))
    room.see(changed(at(3, 2, 15, 30), S.DOWN, S.WORKING, at(3, 2, 8)))
    room.see(UnitCompleted(
        at_ns=at(3, 2, 15), line="main", unit=None, unit_inferred=True, product=None, family=None, start_ns=None,
        good=None, shift="day",
    ))  # fmt: skip
    said = room.tick(at(3, 2, 17, 1))
    assert (only(said, "one", "shift").adet_s, only(said, "ALL", "shift").produced) == (3_600, 1)
    assert not room.tick(at(3, 2, 17, 2))
    room.tick(at(3, 4, 7))
    room.see(cycle(at(3, 2, 15), 10.0))
    assert not room.tick(at(3, 4, 7, 1))


def test_days_off_say_nothing(room: KpiRoom, at: Any) -> None:
    room.tick(at(1, 1, 0))
    assert not room.tick(at(1, 2))  # a public holiday
    assert room.tick(at(1, 3))
    assert not room.tick(at(1, 5))  # a weekend


stories = st.lists(st.tuples(st.integers(0, 3 * 24 * 60), st.sampled_from(list(S))), max_size=25)


@fixed
@given(stories, st.integers(0, 25))
def test_states_add_up_and_remembering_changes_nothing(
    config: Config, calendars: dict[str, WorkCalendar], at: Any, story: list[tuple[int, S]], cut: int
) -> None:
    room, other = KpiRoom(config, calendars), KpiRoom(config, calendars)
    start = at(3, 2)
    said: list[AnyEvent] = [*room.tick(start)]
    other.tick(start)
    clock = start
    for index, (minute, state) in enumerate(story):
        clock = max(clock, start + minute * MINUTE)
        event = changed(start + minute * MINUTE, state)
        room.see(event)
        other.see(event)
        if index == cut:
            fresh = KpiRoom(config, calendars)
            fresh.remember(other.memory())
            other = fresh
        said += (mine := room.tick(clock))
        assert mine == other.tick(clock)
    assert room.memory() == other.memory()
    said += room.tick(at(3, 6))
    kpis = [e for e in said if isinstance(e, ShiftKpi)]
    assert kpis
    assert all(abs(total_s(kpi) - kpi.pbt_s) < 1e-3 for kpi in kpis)
    assert all(kpi.availability is None or 0 <= kpi.availability <= 1 for kpi in kpis)
