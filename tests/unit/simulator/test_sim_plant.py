"""Laws of the simulated plant."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.calendar import WorkCalendar
from linecontrol.config import BreakConfig, ShiftConfig, Weekday
from linecontrol.driver import Write
from linecontrol.simulator import SimPlant

HOUR_NS = 3600 * 10**9
START_NS = 1_767_571_200 * 10**9
Make = Callable[..., SimPlant]
WILD = {"spread": 0.3, "breakdown_every": "20h", "repair": "2h", "andon_every": "9h", "reject": 0.1}


@pytest.mark.parametrize("capacity", [0, 1])
def test_blocking_after_service_is_the_exact_recursion(make_plant: Make, capacity: int) -> None:
    times = [2, 5, 3]
    units = 8
    done: list[list[int]] = []
    leave: list[list[int]] = []
    for unit in range(units):
        row_c: list[int] = []
        row_d: list[int] = []
        for station, work in enumerate(times):
            start = max(row_d[-1] if row_d else 0, leave[-1][station] if unit else 0)
            row_c.append(start + work)
            last = station + 1 == len(times)
            back = unit - capacity - 1
            room = 0 if last or back < 0 else leave[back][station + 1]
            row_d.append(max(row_c[-1], room))
        done.append(row_c)
        leave.append(row_d)
    changes = make_plant(times, capacity).step(START_NS + 60 * HOUR_NS)
    for station in range(len(times)):
        seen = [at for signal, _, at in changes if signal == f"line/s{station}/cycle_count"]
        assert [(at - START_NS) // HOUR_NS for at in seen][:units] == [row[station] for row in done]


@given(cuts=st.lists(st.integers(0, 400 * HOUR_NS), max_size=12))
def test_how_time_is_cut_into_steps_changes_nothing(make_plant: Make, cuts: list[int]) -> None:
    whole = make_plant([2, 3, 2], 1, trouble=WILD, transfer="2m", round_the_clock=False)
    cut_up = make_plant([2, 3, 2], 1, trouble=WILD, transfer="2m", round_the_clock=False)
    pieces = [change for cut in sorted(cuts) for change in cut_up.step(START_NS + cut)]
    pieces += cut_up.step(START_NS + 400 * HOUR_NS)
    assert pieces == whole.step(START_NS + 400 * HOUR_NS)
    assert [change.at_ns for change in pieces] == sorted(change.at_ns for change in pieces)


def test_kits_and_units_are_conserved(make_plant: Make) -> None:
    plant = make_plant([1, 1], stock=5)
    plant.step(START_NS + 100 * HOUR_NS)
    truth = plant.truth()
    assert truth.kits == {"k": 0}
    assert truth.lines["line"].released == truth.lines["line"].completed == {"p": 5}
    assert plant.values["line/s0/starved"] is True


def test_a_full_line_begins_with_a_unit_everywhere_and_those_ahead_have_their_kits(make_plant: Make) -> None:
    plant = make_plant([2, 2, 2], stock=5, full=True)
    plant.step(START_NS + HOUR_NS)
    line = plant.truth().lines["line"]
    assert [station.running for station in line.stations.values()] == [f"LI-2026-0000{n}" for n in (3, 2, 1)]
    assert (line.in_progress, plant.truth().kits) == (3, {"k": 4})
    plant.step(START_NS + 100 * HOUR_NS)
    assert plant.truth().lines["line"].completed == {"p": 2 + 5}


def test_a_hold_is_a_lease(make_plant: Make) -> None:
    plant = make_plant([1])
    plant.step(START_NS + HOUR_NS // 2, [Write("line/s0/command_hold", 3 * 3600)])
    plant.step(START_NS + 3 * HOUR_NS)
    assert plant.truth().lines["line"].stations["s0"].cycles == 1
    plant.step(START_NS + 5 * HOUR_NS)
    assert plant.truth().lines["line"].stations["s0"].cycles == 2


def test_zero_releases_a_hold_at_once(make_plant: Make) -> None:
    plant = make_plant([1])
    plant.step(START_NS, [Write("line/s0/command_hold", 36_000)])
    plant.step(START_NS + 2 * HOUR_NS, [Write("line/s0/command_hold", 0)])
    plant.step(START_NS + 4 * HOUR_NS)
    assert plant.truth().lines["line"].stations["s0"].cycles == 3


def test_nothing_starts_outside_of_working_time(make_plant: Make) -> None:
    days = list(Weekday)[:5]
    pause = BreakConfig.model_validate({"start": "12:00", "end": "13:00"})
    shift = ShiftConfig.model_validate({"days": days, "start": "08:00", "end": "17:00", "breaks": [pause]})
    calendar = WorkCalendar(ZoneInfo("UTC"), {"day": shift})
    changes = make_plant([1, 1], trouble=WILD, round_the_clock=False).step(START_NS + 800 * HOUR_NS)
    starts = [at for signal, value, at in changes if signal.endswith("cycle_start") and value]
    assert len(starts) > 100
    assert all(calendar.is_working(at) for at in starts)


def test_the_share_of_repair_is_as_configured(make_plant: Make) -> None:
    trouble = {"spread": 0, "breakdown_every": "10h", "repair": "1h"}
    plant = make_plant([2], stock=10_000, trouble=trouble)
    plant.step(START_NS + 6000 * HOUR_NS)
    station = plant.truth().lines["line"].stations["s0"]
    assert station.down_s / station.cycle_s == pytest.approx(1 / 11, rel=0.12)
