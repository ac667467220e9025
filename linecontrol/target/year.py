"""A calendar year as working time, and how an even pace spreads units over it."""

from datetime import date

from msgspec import Struct

from linecontrol.calendar import WorkCalendar


class WorkingYear(Struct, frozen=True):
    """A calendar year of a line: its limits on the wall, its working time and on how many days it is worked."""

    start_ns: int
    end_ns: int
    worked_ns: int
    days: int

    @classmethod
    def of(cls, year: int, calendar: WorkCalendar) -> "WorkingYear":
        """The year in the calendar's time zone."""
        start_ns, end_ns = calendar.day_start(date(year, 1, 1)), calendar.day_start(date(year + 1, 1, 1))
        days = len(dict.fromkeys(shift.day for shift in calendar.shifts(start_ns, end_ns)))
        return cls(start_ns, end_ns, calendar.working_ns(start_ns, end_ns), days)

    @property
    def day_ns(self) -> float:
        """Mean working time of a working day in nanoseconds; 0 if no day is worked."""
        return self.worked_ns / self.days if self.days else 0.0


class Standing(Struct, frozen=True):
    """Where a target stands at a moment; the fields are those of ``LedgerUpdated``, times in nanoseconds."""

    due: float
    ahead_units: float
    ahead_days: float
    left: int
    working_left_ns: int
    takt_required_ns: float | None


def standing(year: WorkingYear, calendar: WorkCalendar, units: int, done: int, at_ns: int) -> Standing:
    """Compare what is done with an even pace of ``units`` over the year's working time.

    Before the year nothing is due, after it everything is.
    """
    at_ns = min(max(at_ns, year.start_ns), year.end_ns)
    working_left_ns = calendar.working_ns(at_ns, year.end_ns)
    if year.worked_ns:
        due = units * ((year.worked_ns - working_left_ns) / year.worked_ns)
    else:
        due = float(units) if at_ns == year.end_ns else 0.0
    left = max(units - done, 0)
    return Standing(
        due=due,
        ahead_units=done - due,
        ahead_days=(done - due) / units * year.days,
        left=left,
        working_left_ns=working_left_ns,
        takt_required_ns=working_left_ns / left if left else None,
    )
