"""The present, as conditions need it: wall time, working time and day of one line, worked out when they are asked for.

Working time is a sum as long as the present stays within one period and day of the calendar; only at the end of these
is the calendar asked again.
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

    ``worked`` is the working time in nanoseconds since ``anchor_ns``; only differences of it mean anything. Until
    ``turns`` it stays what it is whether it is ``working`` time, and which ``day`` it is (an ordinal, 0 without a
    calendar); as long as it does, ``worked`` is ``now + offset``, or ``level``. Who reads these has to ``turn`` first,
    if it is time.
    """

    __slots__ = ("_begins", "_calendar", "anchor_ns", "day", "level", "offset", "present", "turns", "working")

    def __init__(self, calendar: WorkCalendar | None, present: Present) -> None:
        """The moment follows ``present``."""
        self._calendar = calendar
        self.present = present
        self.start(0)

    def start(self, anchor_ns: int) -> None:
        """Count working time from ``anchor_ns`` on."""
        self.anchor_ns = anchor_ns
        self._begins = self.offset = self.level = self.day = 0
        self.turns = 0 if self._calendar is not None else NEVER
        self.working = False

    def turn(self) -> None:
        """Find out what it is now, and until when."""
        calendar, now = self._calendar, self.present.now
        if calendar is None:
            return
        self._begins, ends, self.working = calendar.period(now)
        self.level = calendar.working_ns(self.anchor_ns, now)
        self.offset = self.level - now
        day = calendar.day_of(now)
        self.day = day.toordinal()
        self.turns = min(ends, calendar.day_start(day + timedelta(days=1)))

    @property
    def now(self) -> int:
        """UTC nanoseconds."""
        return self.present.now

    @property
    def worked(self) -> int:
        """Working time now; turns if it is time."""
        now = self.present.now
        if now >= self.turns:
            self.turn()
        return now + self.offset if self.working else self.level

    def working_day(self) -> int | None:
        """The day whose shift it is now, as an ordinal; ``None`` outside of shifts."""
        shift = None if self._calendar is None else self._calendar.shift_at(self.now)
        return None if shift is None else shift.day.toordinal()

    def date_of(self, at_ns: int) -> str:
        """The calendar day of a moment, as ``YYYY-MM-DD``; empty without a calendar."""
        return "" if self._calendar is None else self._calendar.day_of(at_ns).isoformat()

    def worked_at(self, at_ns: int) -> int:
        """Working time in nanoseconds from the anchor to ``at_ns``."""
        if self._begins <= at_ns < self.turns:
            return at_ns + self.offset if self.working else self.level
        return 0 if self._calendar is None else self._calendar.working_ns(self.anchor_ns, at_ns)

    def when(self, worked: int) -> int:
        """The moment (UTC nanoseconds) at which the working time reads ``worked``, now at the earliest."""
        now, missing = self.present.now, worked - self.worked
        if missing <= 0 or self._calendar is None:
            return now
        if self.working and now + missing <= self.turns:
            return now + missing
        return self._calendar.add(now, missing)
