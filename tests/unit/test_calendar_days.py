"""Overtime, other hours, planned stops; and working time as the literature of takts counts it."""

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.calendar import WorkCalendar, to_ns
from linecontrol.config import CalendarConfig, Config
from linecontrol.config.check_days import single_days

HOUR = 3_600_000_000_000
ZONE = ZoneInfo("Asia/Baku")
SHIFT = {
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "start": "08:00",
    "end": "16:30",
    "breaks": [{"start": "12:00", "end": "12:30"}],
}
NIGHT = {"days": ["mon", "thu"], "start": "22:00", "end": "06:00"}


def at(*when: int) -> int:
    return to_ns(datetime(*when, tzinfo=ZONE))  # type: ignore[arg-type, misc]


def calendar(line: str = "line", timezone: str = "Asia/Baku", **more: Any) -> WorkCalendar:
    config = CalendarConfig.model_validate({"shifts": {"day": SHIFT}} | more)
    return WorkCalendar.of(config, ["day"], timezone, frozenset(), line=line)


def hours(its: WorkCalendar, first: int, last: int) -> float:
    return its.working_ns(first, last) / HOUR


def test_from_friday_afternoon_to_monday_morning() -> None:
    assert hours(calendar(), at(2026, 3, 6, 15, 30), at(2026, 3, 9, 9)) == 2.0


def test_a_year_of_250_days_of_seven_and_a_half_hours() -> None:
    shift = SHIFT | {"breaks": [{"start": "12:00", "end": "13:00"}]}
    its = calendar(shifts={"day": shift})
    day, worked = at(2026, 1, 1), 0
    while worked < 250:
        worked += its.is_working_day(its.day_of(day))
        day += 24 * HOUR
    assert hours(its, at(2026, 1, 1), day) == 1875.0
    assert hours(its, at(2026, 1, 1), day) / 750 == 2.5


def test_changing_clocks_change_no_working_time() -> None:
    its = calendar(timezone="Europe/Berlin")
    for day in (date(2025, 3, 31), date(2025, 10, 27)):
        start = its.day_start(day)
        assert hours(its, start - 72 * HOUR, start + 24 * HOUR) == 16.0


def test_overtime_is_worked_by_the_lines_that_it_names() -> None:
    more: Any = {"overtime": [{"day": "2026-03-07", "shift": "day", "end": "12:00", "lines": ["line"]}]}
    assert hours(calendar(**more), at(2026, 3, 7), at(2026, 3, 8)) == 4.0
    assert hours(calendar("other", **more), at(2026, 3, 7), at(2026, 3, 8)) == 0.0


def test_a_short_day() -> None:
    its = calendar(other_hours=[{"day": "2026-03-06", "shift": "day", "end": "12:15"}])
    assert hours(its, at(2026, 3, 6), at(2026, 3, 7)) == 4.0
    shift = its.shift_at(at(2026, 3, 6, 12, 10))
    assert shift is not None
    assert its.shift_at(at(2026, 3, 6, 13)) is None


def test_a_day_with_breaks_of_its_own() -> None:
    its = calendar(other_hours=[{"day": "2026-03-06", "shift": "day", "breaks": [{"start": "11:00", "end": "13:00"}]}])
    assert hours(its, at(2026, 3, 6), at(2026, 3, 7)) == 6.5


def test_a_planned_stop_is_no_working_time() -> None:
    its = calendar(
        stops=[{"start": "2026-03-05 15:30", "end": "2026-03-09 09:00", "reason": "crane", "lines": ["line"]}]
    )
    assert hours(its, at(2026, 3, 5), at(2026, 3, 10)) == 7.0 + 7.0
    assert its.is_working(at(2026, 3, 5, 15))
    assert not its.is_working(at(2026, 3, 6, 10))
    assert its.add(at(2026, 3, 5, 15), HOUR) == at(2026, 3, 9, 9, 30)


def test_a_stop_has_its_reason_and_what_it_takes_of_the_shifts() -> None:
    its = calendar(stops=[{"start": "2026-03-05 15:30", "end": "2026-03-09 09:00", "reason": "crane"}])
    assert its.stop_at(at(2026, 3, 7)) == "crane"
    assert its.stop_at(at(2026, 3, 9, 9)) is None
    first, last = at(2026, 3, 5), at(2026, 3, 10)
    assert {reason: ns / HOUR for reason, ns in its.stopped_ns(first, last).items()} == {
        "crane": hours(calendar(), first, last) - hours(its, first, last)
    }
    assert its.stopped_ns(at(2026, 3, 9, 9), last) == {}


def test_a_stop_over_a_whole_shift_leaves_no_shift() -> None:
    its = calendar(stops=[{"start": "2026-03-06 00:00", "end": "2026-03-07 00:00", "reason": "crane"}])
    assert not its.is_working_day(date(2026, 3, 6))


def config_with(more: dict[str, Any], lines: list[str]) -> Config:
    calendar = CalendarConfig.model_validate({"shifts": {"day": SHIFT, "night": NIGHT}} | more)
    known = {name: SimpleNamespace(shifts=["day", "night"][: 1 + (name == "both")]) for name in lines}
    return cast("Config", SimpleNamespace(calendar=calendar, lines=known))


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(start=st.integers(0, 60 * 24), worked=st.integers(1, 200), stop=st.integers(0, 50), length=st.integers(1, 40))
def test_adding_and_going_back_are_inverse_with_stops(start: int, worked: int, stop: int, length: int) -> None:
    day = date.fromordinal(date(2026, 3, 2).toordinal() + stop)
    until = date.fromordinal(day.toordinal() + length)
    its = calendar(
        stops=[{"start": f"{day} 10:00", "end": f"{until} 09:00", "reason": "r"}],
        overtime=[{"day": "2026-03-07", "shift": "day"}],
    )
    begin = at(2026, 3, 2) + start * HOUR
    end = its.add(begin, worked * HOUR)
    assert its.working_ns(begin, end) == worked * HOUR
    assert its.working_ns(its.back(end, worked * HOUR), end) == worked * HOUR


@pytest.mark.parametrize(
    ("more", "path", "said"),
    [
        ({"overtime": [{"day": "2026-03-06", "shift": "day"}]}, ("overtime", 0), "is worked on 2026-03-06 anyway"),
        ({"overtime": [{"day": "2026-03-07", "shift": "dya"}]}, ("overtime", 0, "shift"), "did you mean 'day'"),
        ({"overtime": [{"day": "2026-03-07", "shift": "day"}] * 2}, ("overtime", 1), "there already, as number 1"),
        ({"overtime": [{"day": "2026-03-07", "shift": "day", "lines": ["x"]}]}, ("overtime", 0, "lines", 0), "line"),
        ({"overtime": [{"day": "2026-03-07", "shift": "day", "end": "08:00"}]}, ("overtime", 0, "end"), "begin and"),
        ({"other_hours": [{"day": "2026-03-07", "shift": "day"}]}, ("other_hours", 0), "use overtime"),
        (
            {"other_hours": [{"day": "2026-03-06", "shift": "day", "breaks": [{"start": "16:00", "end": "17:00"}]}]},
            ("other_hours", 0, "breaks", 0),
            "not within the shift",
        ),
        ({"stops": [{"start": "2026-03-06 10:00", "end": "2026-03-06 09:00", "reason": "r"}]}, ("stops", 0, "end"),
         "ends before it begins"),
        ({"other_hours": [{"day": "2026-03-06", "shift": "day"}]}, ("other_hours", 0), "nothing is otherwise"),
        ({"other_hours": [{"day": "2026-03-06", "shift": "day", "end": "03:00"}]}, ("other_hours", 0, "end"),
         "end at 03:00, before it begins at 08:00"),
        ({"other_hours": [{"day": "2026-03-06", "shift": "day", "start": "17:00"}]}, ("other_hours", 0, "start"),
         "end at 16:30, before it begins at 17:00"),
        ({"other_hours": [{"day": "2026-03-06", "shift": "day", "start": "05:00"}]}, ("other_hours", 0),
         "overlaps shift 'night' (22:00 to 06:00 on 2026-03-05) of line 'both'"),
        ({"other_hours": [{"day": "2026-03-05", "shift": "day", "end": "22:30"}]}, ("other_hours", 0),
         "overlaps shift 'night' (22:00 to 06:00 on 2026-03-05) of line 'both'"),
        ({"overtime": [{"day": "2026-03-06", "shift": "night", "start": "16:00"}]}, ("overtime", 0),
         "overlaps shift 'day' (08:00 to 16:30 on 2026-03-06) of line 'both'"),
        ({"overtime": [{"day": "2026-03-07", "shift": "night", "lines": ["line"]}]}, ("overtime", 0, "lines", 0),
         "line 'line' doesn't work shift 'night'; it works day"),
        ({"overtime": [{"day": "2026-03-07", "shift": "day", "lines": lines} for lines in ([], ["both"])]},
         ("overtime", 1), "there already, as number 1"),
    ],
)  # fmt: skip
def test_contradictions_are_told_with_their_place(more: dict[str, Any], path: tuple[object, ...], said: str) -> None:
    config = config_with(more, ["line", "both"])
    ((found, text),) = single_days(config, frozenset())
    assert found == ("calendar", *path)
    assert said in text


def test_hours_that_meet_no_other_shift_of_their_line_are_right() -> None:
    longer = {"day": "2026-03-05", "shift": "day", "end": "22:30", "lines": ["line"]}
    halves = [{"day": "2026-03-07", "shift": "day", "lines": [name]} for name in ("line", "both")]
    until_night = {"day": "2026-03-02", "shift": "day", "end": "22:00"}
    config = config_with({"other_hours": [longer, until_night], "overtime": halves}, ["line", "both"])
    assert not list(single_days(config, frozenset()))


def test_a_public_holiday_may_be_worked_as_overtime() -> None:
    more = {"overtime": [{"day": "2026-03-06", "shift": "day"}]}
    config = config_with(more, [])
    assert not list(single_days(config, {date(2026, 3, 6)}))
    its = WorkCalendar.of(config.calendar, ["day"], "Asia/Baku", {date(2026, 3, 6)})
    assert hours(its, at(2026, 3, 6), at(2026, 3, 7)) == 8.0
