"""The periods over which figures are taken: each shift, each calendar day of the plant."""

from datetime import timedelta

from msgspec import Struct, field

from linecontrol.calendar import Shift, WorkCalendar
from linecontrol.kpi.counts import Counts

SHIFT = "shift"
DAY = "day"
_YEAR_NS = 366 * 86_400 * 10**9


class Period(Struct, array_like=True):
    """A shift or day. What is completed before ``until_ns`` counts for it: after a shift, until the next begins.

    ``stale`` tells that late events changed it after it was ``closed``.
    """

    kind: str
    shift: str
    start_ns: int
    end_ns: int
    until_ns: int
    counts: dict[str, Counts] = field(default_factory=dict)
    closed: bool = False
    stale: bool = False


def first_shift(at_ns: int, calendar: WorkCalendar) -> Period | None:
    """The shift at that moment or else the next one; ``None`` if there is none within a year."""
    return _of_shift(calendar.shift_at(at_ns) or _shift_from(at_ns, calendar), calendar)


def first_day(at_ns: int, calendar: WorkCalendar) -> Period:
    """The day of that moment."""
    day = calendar.day_of(at_ns)
    start_ns, end_ns = calendar.day_start(day), calendar.day_start(day + timedelta(days=1))
    return Period(DAY, "", start_ns, end_ns, end_ns)


def after(period: Period, calendar: WorkCalendar) -> Period | None:
    """The period of the same kind that follows; ``None`` if there is none within a year."""
    if period.kind == DAY:
        return first_day(period.end_ns, calendar)
    return _of_shift(_shift_from(period.end_ns, calendar), calendar)


def _shift_from(at_ns: int, calendar: WorkCalendar) -> Shift | None:
    return next(iter(calendar.shifts(at_ns, at_ns + _YEAR_NS)), None)


def _of_shift(shift: Shift | None, calendar: WorkCalendar) -> Period | None:
    if shift is None:
        return None
    following = _shift_from(shift.end_ns, calendar)
    until_ns = shift.end_ns + _YEAR_NS if following is None else following.start_ns
    return Period(SHIFT, shift.name, shift.start_ns, shift.end_ns, until_ns)
