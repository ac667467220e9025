from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linecontrol.calendar import WorkCalendar
from linecontrol.target.forecast import HORIZON_NS, Promise, finishes, serves
from linecontrol.target.pace import recent_takt
from linecontrol.target.year import WorkingYear, standing

HOUR = 3_600 * 10**9
fixed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)


def test_takt_of_250_days_of_7h30_for_750_units() -> None:
    assert 250 * 7.5 * HOUR / 750 == 2.5 * HOUR
    assert recent_takt(0, 0, 80 * HOUR, 2.5 * HOUR) == pytest.approx(2.5 * HOUR)


def test_weekend_is_no_working_time(calendars: dict[str, WorkCalendar], at: Any) -> None:
    assert calendars["main"].working_ns(at(3, 6, 15, 30), at(3, 9, 9, 0)) == 2 * HOUR


@fixed
@given(st.lists(st.integers(0, 366 * 86_400), min_size=2, max_size=10), st.integers(1, 2000), st.integers(0, 3000))
def test_due_rises_to_all_units(calendars: dict[str, WorkCalendar], seconds: list[int], units: int, done: int) -> None:
    calendar = calendars["main"]
    year = WorkingYear.of(2026, calendar)
    stands = [standing(year, calendar, units, done, year.start_ns + each * 10**9) for each in sorted(seconds)]
    assert all(one.due <= two.due for one, two in pairwise(stands))
    assert all(each.ahead_units == done - each.due for each in stands)
    assert standing(year, calendar, units, done, year.end_ns).due == units
    assert standing(year, calendar, units, done, year.start_ns).due == 0


def test_required_takt_is_what_is_left(calendars: dict[str, WorkCalendar], at: Any) -> None:
    year = WorkingYear.of(2026, calendars["main"])
    stand = standing(year, calendars["main"], 800, 100, at(3, 2))
    assert stand.takt_required_ns == stand.working_left_ns / 700
    assert standing(year, calendars["main"], 800, 900, at(3, 2)).takt_required_ns is None


def test_units_serve_the_earliest_due_that_began() -> None:
    late_start = Promise("a", 1, 100, 200)
    other = Promise("b", 1, 0, 300)
    left = {"a": 1, "b": 1}
    assert serves([other, late_start], left, 50) == other
    assert serves([other, late_start], left, 100) == late_start
    assert serves([other, late_start], {"a": 0, "b": 0}, 100) is None


def test_finishes_in_turn_and_within_the_horizon(calendars: dict[str, WorkCalendar], at: Any) -> None:
    calendar = calendars["main"]
    promises = [Promise("first", 2, at(3, 2), at(3, 7)), Promise("second", 3, at(3, 2), at(4, 1))]
    found = finishes(promises, {"first": 2, "second": 3}, at(3, 2, 8), 2.0 * HOUR, calendar)
    assert found == {"first": at(3, 2, 12), "second": at(3, 3, 10)}
    never = finishes(promises, {"first": 2, "second": 3}, at(3, 2, 8), 1e20, calendar)
    assert never == dict.fromkeys(found, at(3, 2, 8) + HORIZON_NS)


def test_an_earlier_due_commitment_cuts_in(calendars: dict[str, WorkCalendar], at: Any) -> None:
    promises = [Promise("big", 4, at(3, 2), at(4, 1)), Promise("rush", 1, at(3, 3), at(3, 5))]
    found = finishes(promises, {"big": 4, "rush": 1}, at(3, 2, 8), 4.0 * HOUR, calendars["main"])
    assert found == {"rush": at(3, 3, 12), "big": at(3, 4, 12)}


@given(st.integers(0, 1000), st.floats(0, 1e15), st.floats(0, 1e15), st.one_of(st.none(), st.floats(1e3, 1e15)))
def test_pace_is_never_nought_nor_endless(units: int, observed: float, window: float, planned: float | None) -> None:
    takt = recent_takt(units, int(observed), window, planned)
    assert takt is None or 0 < takt < 1e19
