"""The present, as conditions need it: wall time, working time and day of one line, worked out when they are asked for.

Working time is a sum as long as the present stays within one period of the calendar; only at a period's end is the
calendar asked again.
"""

from datetime import timedelta

from linecontrol.calendar import WorkCalendar

NEVER = 2**63 - 1
"""A moment that doesn't come."""


class Present:
    """The present of all lines. ``now`` is UTC nanoseconds, ``next_ns`` when time alone does something next."""

    __slots__ = ("next_ns", "now")

    def __init__(self) -> None:
        """Nothing was told yet."""
        self.now = 0
        self.next_ns = 0


class Moment:
    """The present of one line (or, without a calendar, of the plant: wall time only).

    ``worked`` is the working time in nanoseconds since ``anchor_ns``; only differences of it mean anything. From
    ``begins`` to ``ends`` it is working time, and ``worked`` is ``now + offset``. ``day`` is an ordinal, until
    ``day_ends``.
    """

    __slots__ = ("_calendar", "_day", "_level", "_rest_begins", "_rest_ends", "anchor_ns", "begins", "day_ends", "ends",
                 "offset", "present")  # fmt: skip

    def __init__(self, calendar: WorkCalendar | None, present: Present) -> None:
        """The moment follows ``present``."""
        self._calendar = calendar
        self.present = present
        self.start(0)

    def start(self, anchor_ns: int) -> None:
        """Count working time from ``anchor_ns`` on."""
        self.anchor_ns = anchor_ns
        self.begins = self.ends = self.offset = 0
        self._rest_begins = self._rest_ends = self._level = 0
        self._day = self.day_ends = 0

    @property
    def now(self) -> int:
        """UTC nanoseconds."""
        return self.present.now

    @property
    def worked(self) -> int:
        """Working time now."""
        return self.worked_at(self.present.now)

    @property
    def working(self) -> bool:
        """Whether it is working time now."""
        now = self.present.now
        if not self.begins <= now < self.ends:
            self.worked_at(now)
        return self.begins <= now < self.ends

    @property
    def day(self) -> int:
        """The calendar day now, as an ordinal; 0 without a calendar."""
        now = self.present.now
        if now >= self.day_ends and self._calendar is not None:
            day = self._calendar.day_of(now)
            self._day = day.toordinal()
            self.day_ends = self._calendar.day_start(day + timedelta(days=1))
        return self._day

    def working_day(self) -> int | None:
        """The day whose shift it is now, as an ordinal; ``None`` outside of shifts."""
        shift = None if self._calendar is None else self._calendar.shift_at(self.now)
        return None if shift is None else shift.day.toordinal()

    def date_of(self, at_ns: int) -> str:
        """The calendar day of a moment, as ``YYYY-MM-DD``; empty without a calendar."""
        return "" if self._calendar is None else self._calendar.day_of(at_ns).isoformat()

    def worked_at(self, at_ns: int) -> int:
        """Working time in nanoseconds from the anchor to ``at_ns``, which is not later than now."""
        if self.begins <= at_ns < self.ends:
            return at_ns + self.offset
        if self._rest_begins <= at_ns < self._rest_ends:
            return self._level
        if self._calendar is None:
            return 0
        worked = self._calendar.working_ns(self.anchor_ns, at_ns)
        if at_ns >= max(self.ends, self._rest_ends):
            begins, ends, working = self._calendar.period(at_ns)
            if working:
                self.begins, self.ends, self.offset = begins, ends, worked - at_ns
            else:
                self._rest_begins, self._rest_ends, self._level = begins, ends, worked
        return worked

    def when(self, worked: int) -> int:
        """The moment (UTC nanoseconds) at which the working time reads ``worked``, now at the earliest."""
        now = self.present.now
        at_ns = worked - self.offset
        if self.begins <= now < at_ns <= self.ends:
            return at_ns
        missing = worked - self.worked_at(now)
        if missing <= 0 or self._calendar is None:
            return now
        return self._calendar.add(now, missing)

    def turn(self) -> int:
        """The next moment at which working time begins or ends, or a day begins."""
        if self._calendar is None:
            return NEVER
        day_ends = self.day_ends if self.day else NEVER
        return min(self.ends if self.working else self._rest_ends, day_ends)
