"""Working time: over midnights, year ends, changing clocks, breaks and days off; and its laws."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.calendar import WorkCalendar, to_ns
from linecontrol.config import ShiftConfig

HOUR, MINUTE, DAY = 3_600_000_000_000, 60_000_000_000, 86_400_000_000_000
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
few = settings(max_examples=100, derandomize=True, deadline=None, database=None)


def shift(start: str, end: str, *breaks: tuple[str, str], days: list[str] | None = None) -> ShiftConfig:
    pauses = [{"start": begins, "end": ends} for begins, ends in breaks]
    return ShiftConfig.model_validate({"days": days or WEEK[:5], "start": start, "end": end, "breaks": pauses})


DAY_SHIFT = shift("08:00", "17:00", ("10:00", "10:10"), ("12:00", "13:00"), ("15:00", "15:10"))
EVENING = shift("17:00", "01:30", ("19:00", "19:10"), ("21:00", "21:40"), ("23:30", "23:40"))
BAKU = WorkCalendar(
    ZoneInfo("Asia/Baku"),
    {"day": DAY_SHIFT, "evening": EVENING},
    days_off={date(2026, 1, 1), date(2026, 3, 20), date(2026, 3, 23)},
    worked={date(2026, 3, 23)},
)
BERLIN = WorkCalendar(ZoneInfo("Europe/Berlin"), {"night": shift("22:00", "06:00", ("02:15", "02:45"), days=WEEK)})


def baku(*when: int) -> int:
    return to_ns(datetime(*when, tzinfo=ZoneInfo("Asia/Baku")))  # type: ignore[arg-type, misc]


def berlin(*when: int) -> int:
    return to_ns(datetime(*when, tzinfo=ZoneInfo("Europe/Berlin")))  # type: ignore[arg-type, misc]


def test_a_day_of_two_shifts_in_baku() -> None:
    assert BAKU.working_ns(baku(2026, 3, 2, 8), baku(2026, 3, 2, 17)) == 7 * HOUR + 40 * MINUTE
    assert BAKU.working_ns(baku(2026, 3, 2, 17), baku(2026, 3, 3, 8)) == 7 * HOUR + 30 * MINUTE
    assert baku(2026, 3, 2, 8) == to_ns(datetime(2026, 3, 2, 4, tzinfo=ZoneInfo("UTC")))


def test_a_year_in_baku_is_its_working_days() -> None:
    start, end = baku(2026, 1, 1), baku(2027, 1, 1)
    days = list(dict.fromkeys(each.day for each in BAKU.shifts(start, end)))
    assert len(days) == 261 - 2
    full = 15 * HOUR + 10 * MINUTE
    assert BAKU.working_ns(start, end) == len(days) * full  # the evenings of both 31 Decembers end at 01:30


def test_a_shift_over_the_end_of_the_year() -> None:
    assert BAKU.working_ns(baku(2025, 12, 31, 23), baku(2026, 1, 2)) == 140 * MINUTE
    at = BAKU.shift_at(baku(2026, 1, 1, 1))
    assert at is not None
    assert (at.name, at.day) == ("evening", date(2025, 12, 31))
    assert not BAKU.is_working_day(date(2026, 1, 1))


def test_one_shift_begins_where_the_other_ends() -> None:
    before, after = BAKU.shift_at(baku(2026, 3, 2, 17) - 1), BAKU.shift_at(baku(2026, 3, 2, 17))
    assert before is not None
    assert after is not None
    assert (before.name, after.name) == ("day", "evening")
    assert BAKU.next_change(baku(2026, 3, 2, 15, 10)) == baku(2026, 3, 2, 17)


def test_days_off_and_days_worked_all_the_same() -> None:
    assert not BAKU.is_working_day(date(2026, 3, 20))
    assert BAKU.is_working_day(date(2026, 3, 23))
    assert BAKU.next_working_day(date(2026, 3, 19)) == date(2026, 3, 23)
    assert BAKU.next_working_day(date(2025, 12, 31)) == date(2026, 1, 2)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 28), 7), ((2026, 10, 24), 9), ((2026, 6, 1), 8)])
def test_a_night_on_which_clocks_change_keeps_its_true_length(day: tuple[int, int, int], hours: int) -> None:
    night = BERLIN.shifts(berlin(*day, 22), berlin(*day, 23))[0]
    assert night.end_ns - night.start_ns == hours * HOUR


@pytest.mark.parametrize(
    ("start", "end", "pause", "minutes"),
    [
        ("01:00", "04:00", ("02:50", "03:05"), 115),
        ("02:30", "03:15", ("02:40", "02:50"), 15),
        ("01:30", "02:30", ("01:40", "01:50"), 20),
        ("02:10", "02:50", ("02:20", "02:30"), 0),
        ("01:00", "03:00", ("02:00", "03:00"), 60),
    ],
)
def test_times_that_clocks_skip_are_when_they_skip(start: str, end: str, pause: tuple[str, str], minutes: int) -> None:
    night = WorkCalendar(ZoneInfo("Europe/Berlin"), {"night": shift(start, end, pause, days=WEEK)})
    assert night.working_ns(berlin(2026, 3, 29), berlin(2026, 3, 30)) == minutes * MINUTE


def test_breaks_at_the_edges_of_a_shift() -> None:
    edges = WorkCalendar(ZoneInfo("UTC"), {"day": shift("08:00", "16:00", ("08:00", "08:30"), ("15:30", "16:00"))})
    start = to_ns(datetime(2026, 3, 2, tzinfo=ZoneInfo("UTC")))
    assert edges.working_ns(start, start + DAY) == 7 * HOUR
    assert not edges.is_working(start + 8 * HOUR)
    assert edges.shift_at(start + 8 * HOUR) is not None


MOMENTS = st.integers(baku(2025, 6, 1), baku(2027, 6, 1))
SPANS = st.integers(0, 400 * HOUR)
SKIPPING = WorkCalendar(
    ZoneInfo("Europe/Berlin"),
    {
        "a": shift("23:00", "02:40", ("02:10", "02:20"), days=WEEK),
        "b": shift("02:50", "06:00", ("02:55", "03:05"), days=WEEK),
    },
)
CALENDARS = st.sampled_from([BAKU, BERLIN, SKIPPING])


@few
@given(CALENDARS, MOMENTS, MOMENTS, MOMENTS)
def test_working_time_adds_up_and_never_runs_backwards(calendar: WorkCalendar, a: int, b: int, c: int) -> None:
    assert calendar.working_ns(a, b) + calendar.working_ns(b, c) == calendar.working_ns(a, c)
    low, high = min(a, b), max(a, b)
    assert 0 <= calendar.working_ns(low, high) <= high - low


@few
@given(CALENDARS, MOMENTS, SPANS)
def test_add_and_back_are_inverse_to_working_time(calendar: WorkCalendar, at: int, span: int) -> None:
    later, earlier = calendar.add(at, span), calendar.back(at, span)
    assert calendar.working_ns(at, later) == span
    assert calendar.working_ns(earlier, at) == span
    if span:
        assert calendar.working_ns(at, later - 1) < span
        assert calendar.working_ns(earlier + 1, at) < span


@few
@given(CALENDARS, MOMENTS)
def test_what_is_worked_changes_at_the_next_change_and_not_before(calendar: WorkCalendar, at: int) -> None:
    change = calendar.next_change(at)
    expected = change - at if calendar.is_working(at) else 0
    assert calendar.working_ns(at, change) == expected


@few
@given(st.lists(MOMENTS, min_size=1, max_size=5), MOMENTS, SPANS)
def test_answers_do_not_depend_on_what_was_asked_before(asked: list[int], at: int, span: int) -> None:
    fresh = WorkCalendar(ZoneInfo("Asia/Baku"), {"day": DAY_SHIFT, "evening": EVENING})
    used = WorkCalendar(ZoneInfo("Asia/Baku"), {"day": DAY_SHIFT, "evening": EVENING})
    for moment in asked:
        used.working_ns(moment, moment)
    assert used.add(at, span) == fresh.add(at, span)
    assert used.back(at, span) == fresh.back(at, span)
    assert used.shift_at(at) == fresh.shift_at(at)
