"""The present, as conditions need it: wall time, working time and day of one line, worked out once per step."""

from datetime import timedelta

from linecontrol.calendar import WorkCalendar


class Moment:
    """The present of one line (or, without a calendar, of the plant: wall time only).

    ``worked`` is the working time in nanoseconds since ``anchor_ns``; only differences of it mean anything.
    ``version`` changes whenever working time, ``working`` or ``day`` do, and stands still in between.
    """

    __slots__ = ("_base_ns", "_base_worked", "_calendar", "_day_ends_ns", "_until_ns", "anchor_ns", "day", "now",
                 "version", "worked", "working")  # fmt: skip

    def __init__(self, calendar: WorkCalendar | None) -> None:
        """Knows no present until ``move`` is called."""
        self._calendar = calendar
        self.anchor_ns = 0
        self.now = 0
        self.worked = 0
        self.working = False
        self.day = 0
        self.version = 0
        self._base_ns = self._base_worked = self._until_ns = self._day_ends_ns = 0

    def start(self, anchor_ns: int) -> None:
        """Count working time from ``anchor_ns`` on."""
        self.anchor_ns = anchor_ns
        self._until_ns = self._day_ends_ns = 0
        self.version += 1

    def move(self, now: int) -> None:
        """Make ``now`` (UTC nanoseconds, never backwards) the present."""
        self.now = now
        calendar = self._calendar
        if calendar is None:
            return
        if now >= self._until_ns:
            self._base_ns = now
            self._base_worked = calendar.working_ns(self.anchor_ns, now)
            self._until_ns = calendar.next_change(now)
            self.working = calendar.is_working(now)
            self.worked = self._base_worked
            self.version += 1
        elif self.working and now != self._base_ns:
            worked = self._base_worked + now - self._base_ns
            if worked != self.worked:
                self.worked = worked
                self.version += 1
        if now >= self._day_ends_ns:
            day = calendar.day_of(now)
            self.day = day.toordinal()
            self._day_ends_ns = calendar.day_start(day + timedelta(days=1))
            self.version += 1

    def working_day(self) -> int | None:
        """The day whose shift it is now, as an ordinal; ``None`` outside of shifts."""
        shift = None if self._calendar is None else self._calendar.shift_at(self.now)
        return None if shift is None else shift.day.toordinal()

    def date_of(self, at_ns: int) -> str:
        """The calendar day of a moment, as ``YYYY-MM-DD``; empty without a calendar."""
        return "" if self._calendar is None else self._calendar.day_of(at_ns).isoformat()

    def worked_at(self, at_ns: int) -> int:
        """Working time in nanoseconds from the anchor to ``at_ns``."""
        if self._calendar is None:
            return 0
        if at_ns == self.now:
            return self.worked
        return self._calendar.working_ns(self.anchor_ns, at_ns)
