"""The working calendar: which moments are working time. All durations in figures are differences of it.

Local times come from shifts in the plant's time zone, so days on which clocks change keep their true length: a time
that clocks show twice is the first one, a time that they skip is when they skip. The calendar is built a year at a
time, when a moment in that year is first asked for.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from linecontrol.config import CalendarConfig, Config, ShiftConfig, StopConfig
from linecontrol.config.hours import DAY, Hours, Week, concerns
from linecontrol.duration import NS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60 * NS


class Shift(Struct, frozen=True, order=True):
    """One shift on one day; the time from ``start_ns`` to ``end_ns`` includes its breaks."""

    start_ns: int
    end_ns: int
    name: str
    day: date


def to_ns(moment: datetime) -> int:
    """Nanoseconds since 1970 UTC of an aware datetime, exact to the microsecond."""
    passed = moment - _EPOCH
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1000


def moment_of(local: datetime, zone: ZoneInfo) -> int:
    """When clocks show a local time, for the first time if they show it twice; if they skip it, when they skip."""
    before, after = zone.utcoffset(local), zone.utcoffset(local.replace(fold=1))
    first = to_ns(local.replace(tzinfo=zone))
    if before is None or after is None or before >= after:
        return first
    minutes = range(to_ns(local.replace(tzinfo=zone, fold=1)) // _MINUTE, first // _MINUTE)
    return _MINUTE * (minutes.start + bisect_left(minutes, after, key=lambda at: _offset(at, zone)))


def _offset(minute: int, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(minute * 60, zone).utcoffset() or timedelta()


class WorkCalendar:
    """Working time of one line."""

    def __init__(
        self,
        zone: ZoneInfo,
        shifts: Mapping[str, ShiftConfig],
        *,
        days_off: Container[date] = frozenset(),
        worked: Container[date] = frozenset(),
        week: Week | None = None,
        stops: Iterable[StopConfig] = (),
    ) -> None:
        """No shift begins on ``days_off``, except on those that are ``worked`` all the same.

        ``week`` tells of single days more than these do; ``stops`` are no working time.
        """
        self.zone = zone
        self._week = week or Week(shifts, days_off=days_off, worked=worked)
        self._reasons = sorted((moment_of(stop.start, zone), moment_of(stop.end, zone), stop.reason) for stop in stops)
        self._stops = [(start, end) for start, end, _ in self._reasons]
        self._years = range(0)
        self._shifts: list[Shift] = []
        self._starts: list[int] = []  # working spans, ascending and disjoint
        self._ends: list[int] = []
        self._before: list[int] = []  # working time before each span
        self._from_ns = self._to_ns = 0

    @classmethod
    def of(
        cls,
        config: CalendarConfig,
        shifts: list[str],
        timezone: str,
        holidays: Container[date],
        *,
        line: str | None = None,
    ) -> "WorkCalendar":
        """The calendar of a ``line`` that works the named shifts. ``holidays`` are the public holidays.

        Without ``line``, overtime, other hours and stops that are only for some lines are left out.
        """
        return cls(
            ZoneInfo(timezone),
            {name: config.shifts[name] for name in shifts},
            week=Week.of(config, shifts, holidays, line),
            stops=[stop for stop in config.stops if concerns(stop.lines, line)],
        )

    # --- durations ------------------------------------------------------------------------------------------

    def working_ns(self, start_ns: int, end_ns: int) -> int:
        """Working time from ``start_ns`` to ``end_ns``; negative if that is backwards."""
        self._cover(start_ns)
        self._cover(end_ns)
        return self._until(end_ns) - self._until(start_ns)

    def add(self, start_ns: int, working_ns: int) -> int:
        """The first moment by which ``working_ns`` (0 or more) have been worked since ``start_ns``."""
        if working_ns <= 0:
            return start_ns
        self._cover(start_ns)
        goal = self._until(start_ns) + working_ns
        while True:
            index = bisect_left(self._before, goal) - 1
            if index >= 0:
                reached = self._starts[index] + goal - self._before[index]
                if reached <= self._ends[index]:
                    return max(reached, start_ns)
            year = self._years[-1] + 1
            if year > self._year_of(start_ns) + 50:  # no working time at all in sight
                return self._to_ns
            self._extend(range(self._years[0], year + 1))
            goal = self._until(start_ns) + working_ns

    def back(self, end_ns: int, working_ns: int) -> int:
        """The last moment from which on ``working_ns`` (0 or more) are worked until ``end_ns``."""
        if working_ns <= 0:
            return end_ns
        self._cover(end_ns)
        goal = self._until(end_ns) - working_ns
        while goal < 0 and self._years[0] > self._year_of(end_ns) - 50:
            self._extend(range(self._years[0] - 1, self._years[-1] + 1))
            goal = self._until(end_ns) - working_ns
        index = bisect_right(self._before, goal) - 1
        return self._from_ns if index < 0 else self._starts[index] + goal - self._before[index]

    def is_working(self, at_ns: int) -> bool:
        """Whether the moment is working time; spans include their start and not their end."""
        self._cover(at_ns)
        index = bisect_right(self._starts, at_ns) - 1
        return index >= 0 and at_ns < self._ends[index]

    def next_change(self, at_ns: int) -> int:
        """The next moment after ``at_ns`` at which working time begins or ends (a year ahead at the most)."""
        self._cover(at_ns)
        self._cover(at_ns + 366 * 86_400 * 10**9)
        starts = bisect_right(self._starts, at_ns)
        ends = bisect_right(self._ends, at_ns)
        upcoming = [times[i] for times, i in ((self._starts, starts), (self._ends, ends)) if i < len(times)]
        return min(upcoming, default=at_ns + 366 * 86_400 * 10**9)

    def period(self, at_ns: int) -> tuple[int, int, bool]:
        """What the moment lies in: its begin, its end (a year ahead at the most), and whether it is working time."""
        end_ns = self.next_change(at_ns)
        index = bisect_right(self._starts, at_ns) - 1
        if index < 0:
            return self._from_ns, end_ns, False
        working = at_ns < self._ends[index]
        return self._starts[index] if working else self._ends[index], end_ns, working

    # --- planned stops --------------------------------------------------------------------------------------

    def stop_at(self, at_ns: int) -> str | None:
        """Why a planned stop is going on at that moment; ``None`` if there is none."""
        return next((reason for start, end, reason in self._reasons if start <= at_ns < end), None)

    def stopped_ns(self, start_ns: int, end_ns: int) -> dict[str, int]:
        """What planned stops took of the shifts in [``start_ns``, ``end_ns``), breaks left out, by reason."""
        taken: dict[str, int] = {}
        years = range(self._year_of(start_ns) - 1, self._year_of(end_ns) + 2) if self._reasons else range(0)
        spans = [
            span
            for year in years
            for shift, hours in self._shifts_of(year)
            if shift.start_ns < end_ns and shift.end_ns > start_ns
            for span in self._spans_of(shift, hours, [])
        ]
        for begins, ends, reason in self._reasons:
            begins, ends = max(begins, start_ns), min(ends, end_ns)
            lost = sum(max(min(end, ends) - max(start, begins), 0) for start, end in spans)
            if lost:
                taken[reason] = taken.get(reason, 0) + lost
        return taken

    # --- shifts and days ------------------------------------------------------------------------------------

    def shift_at(self, at_ns: int) -> Shift | None:
        """The shift at that moment, its breaks included; ``None`` outside of shifts."""
        self._cover(at_ns)
        index = bisect_right(self._shifts, at_ns, key=lambda shift: shift.start_ns) - 1
        if index >= 0 and at_ns < self._shifts[index].end_ns:
            return self._shifts[index]
        return None

    def shifts(self, start_ns: int, end_ns: int) -> list[Shift]:
        """The shifts that begin in [``start_ns``, ``end_ns``), in order."""
        self._cover(start_ns)
        self._cover(end_ns)
        low = bisect_left(self._shifts, start_ns, key=lambda shift: shift.start_ns)
        high = bisect_left(self._shifts, end_ns, key=lambda shift: shift.start_ns)
        return self._shifts[low:high]

    def day_of(self, at_ns: int) -> date:
        """The calendar day in the plant's time zone."""
        return datetime.fromtimestamp(at_ns // 10**9, tz=self.zone).date()

    def day_start(self, day: date) -> int:
        """The moment at which the calendar day begins in the plant's time zone."""
        return to_ns(datetime.combine(day, time(), self.zone))

    def is_working_day(self, day: date) -> bool:
        """Whether a shift begins on that day."""
        start = self.day_start(day)
        return bool(self.shifts(start, self.day_start(day + timedelta(days=1))))

    def next_working_day(self, day: date) -> date:
        """The first day after ``day`` on which a shift begins (``day`` plus a year if there is none)."""
        for ahead in range(1, 366):
            if self.is_working_day(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        return day + timedelta(days=366)

    # --- the table ------------------------------------------------------------------------------------------

    def _until(self, at_ns: int) -> int:
        index = bisect_right(self._starts, at_ns) - 1
        if index < 0:
            return 0
        return self._before[index] + min(at_ns, self._ends[index]) - self._starts[index]

    def _cover(self, at_ns: int) -> None:
        if self._from_ns <= at_ns < self._to_ns:
            return
        year = self._year_of(at_ns)
        first, last = (self._years[0], self._years[-1]) if self._years else (year, year)
        self._extend(range(min(first, year - 1), max(last, year + 1) + 1))

    def _year_of(self, at_ns: int) -> int:
        return datetime.fromtimestamp(at_ns // 10**9, tz=self.zone).year

    def _extend(self, years: range) -> None:
        self._years = years
        self._from_ns = self.day_start(date(years[0], 1, 2))
        self._to_ns = self.day_start(date(years[-1], 12, 31))
        worked = sorted(
            (shift, self._spans_of(shift, hours, self._stops))
            for year in years
            for shift, hours in self._shifts_of(year)
        )
        self._shifts = [shift for shift, spans in worked if spans]
        self._starts, self._ends, self._before = [], [], []
        total = 0
        for _, spans in worked:
            for start, end in spans:
                self._starts.append(start)
                self._ends.append(end)
                self._before.append(total)
                total += end - start

    def _shifts_of(self, year: int) -> Iterator[tuple[Shift, Hours]]:
        day = date(year, 1, 1)
        while day.year == year:
            for name, hours in self._week.on(day).items():
                yield Shift(self._at(day, hours.start), self._at(day, hours.end), name, day), hours
            day += timedelta(days=1)

    def _spans_of(self, shift: Shift, hours: Hours, stops: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The shift without breaks and ``stops``, ascending."""
        pauses = [(self._at(shift.day, begins), self._at(shift.day, ends)) for begins, ends in hours.breaks]
        spans = []
        start = shift.start_ns
        for begins, ends in sorted([*pauses, *stops]):
            if begins >= shift.end_ns:
                break
            if begins > start:
                spans.append((start, begins))
            start = max(start, ends)
        if shift.end_ns > start:
            spans.append((start, shift.end_ns))
        return spans

    def _at(self, day: date, minute: int) -> int:
        days, minute = divmod(minute, DAY)
        return moment_of(datetime.combine(day + timedelta(days=days), time(*divmod(minute, 60))), self.zone)


def line_calendars(config: Config, holidays: Container[date] = frozenset()) -> dict[str, WorkCalendar]:
    """The working calendar of each line. ``holidays`` are the public holidays."""
    return {
        name: WorkCalendar.of(config.calendar, line.shifts, config.plant.timezone, holidays, line=name)
        for name, line in config.lines.items()
    }
