from math import erf, sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.bottleneck import BottleneckRoom
from linecontrol.bottleneck.estimate import Estimate, estimate
from linecontrol.bottleneck.probability import largest
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.model import BottleneckUpdated, CycleCompleted, StationState, Timing

estimates = st.lists(st.builds(Estimate, st.floats(100, 10_000), st.floats(10, 500)), min_size=1, max_size=8)


def cycle(station: str, at_ns: int, active_s: float, blocked_s: float = 0.0) -> CycleCompleted:
    return CycleCompleted(
        at_ns=at_ns,
        line="main",
        station=station,
        unit=None,
        unit_inferred=True,
        product="small",
        start_ns=at_ns - 1,
        active_s=active_s,
        planned_s=None,
        lost_s={StationState.BLOCKED: blocked_s},
        timing=Timing.MEASURED,
        good=None,
        shift="day",
    )


@settings(deadline=None)
@given(estimates)
def test_chances_add_up(several: list[Estimate]) -> None:
    chances = largest(several)
    assert sum(chances) == pytest.approx(1)
    assert all(0 <= chance <= 1 + 1e-9 for chance in chances)


@pytest.mark.parametrize(("gap", "one", "two"), [(0, 10, 10), (5, 10, 10), (-20, 10, 30), (40, 20, 5)])
def test_two_stations_have_a_closed_form(gap: float, one: float, two: float) -> None:
    exact = 0.5 * (1 + erf(gap / sqrt(2 * (one * one + two * two))))
    assert largest([Estimate(100 + gap, one), Estimate(100, two)])[0] == pytest.approx(exact, abs=1e-3)


def test_the_plan_fades_as_cycles_come() -> None:
    plan, few, many = (estimate([9_000.0] * n, 7_200.0) for n in (0, 10, 60))
    assert plan is not None
    assert few is not None
    assert many is not None
    assert plan.mean_s == 7_200
    assert few.mean_s == pytest.approx(8_100)
    assert many.sd_s < few.sd_s < plan.sd_s
    assert estimate([9_000.0] * 4, None) is None


def test_waiting_is_not_held_against_a_station(config: Config, calendars: dict[str, WorkCalendar], at: Any) -> None:
    room = BottleneckRoom(config, calendars)
    verdicts: list[BottleneckUpdated] = []
    for n in range(60):
        for event in (cycle("one", at(3, 2) + n, 20_000, 13_000), cycle("two", at(3, 2) + n, 9_000)):
            verdicts += [said for said in room.see(event) if isinstance(said, BottleneckUpdated)]
    assert verdicts[0].suspects[0].probability < verdicts[-1].suspects[0].probability
    assert [suspect.station for suspect in verdicts[-1].suspects] == ["two"]
    assert verdicts[-1].suspects[0].probability > 0.99
    assert verdicts[-1].units == 60


def test_remembering_changes_nothing(config: Config, calendars: dict[str, WorkCalendar], at: Any) -> None:
    room, other = BottleneckRoom(config, calendars), BottleneckRoom(config, calendars)
    for n in range(30):
        event = cycle("one" if n % 2 else "two", at(3, 2) + n, 7_000 + 100 * n)
        other.remember(room.memory())
        assert room.see(event) == other.see(event)
    assert room.memory() == other.memory()
