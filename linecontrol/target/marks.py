"""When the target is looked at without cause: at each start of a day or shift, each 15 minutes of working time."""

from datetime import timedelta

from msgspec import Struct

from linecontrol.calendar import WorkCalendar

_QUARTER_NS = 15 * 60 * 10**9


class Mark(Struct, frozen=True):
    """A moment to look; ``turn`` if a day or shift begins."""

    at_ns: int
    turn: bool


class Marks:
    """The marks of one line."""

    def __init__(self, calendar: WorkCalendar) -> None:
        """Shifts and working time are those of ``calendar``."""
        self._calendar = calendar

    def after(self, at_ns: int) -> Mark:
        """The first mark after ``at_ns``. Quarters of an hour count if the one that ends there was worked in."""
        calendar = self._calendar
        turn_ns = calendar.day_start(calendar.day_of(at_ns) + timedelta(days=1))
        for shift in calendar.shifts(at_ns + 1, turn_ns):
            turn_ns = shift.start_ns
            break
        quarter_ns = self._quarter_after(at_ns, turn_ns)
        return Mark(turn_ns, turn=True) if turn_ns <= quarter_ns else Mark(quarter_ns, turn=False)

    def _quarter_after(self, at_ns: int, limit_ns: int) -> int:
        quarter_ns = (at_ns // _QUARTER_NS + 1) * _QUARTER_NS
        while quarter_ns < limit_ns and self._calendar.working_ns(quarter_ns - _QUARTER_NS, quarter_ns) == 0:
            worked_from_ns = self._calendar.next_change(quarter_ns - 1)
            quarter_ns = (worked_from_ns // _QUARTER_NS + 1) * _QUARTER_NS
        return quarter_ns
