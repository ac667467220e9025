"""How fast a family is being built: its completions of the last ten working days, filled up with the plan."""

from bisect import bisect_left, insort
from datetime import timedelta

from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar

WINDOW_DAYS = 10
"""Working days that the recent pace looks back on, today included."""
_FEWEST = 0.5


class Output(Struct):
    """When units were completed, by ``line/family``, in order; what is older than the window is dropped."""

    since_ns: int
    times: dict[str, list[int]] = field(default_factory=dict)

    def add(self, line: str, family: str, at_ns: int) -> None:
        """One more was completed."""
        insort(self.times.setdefault(f"{line}/{family}", []), at_ns)

    def between(self, line: str, family: str, start_ns: int, end_ns: int) -> int:
        """How many were completed in [``start_ns``, ``end_ns``), as far as remembered."""
        times = self.times.get(f"{line}/{family}", [])
        return max(bisect_left(times, end_ns) - bisect_left(times, start_ns), 0)

    def last(self, line: str, family: str) -> int | None:
        """When the last one was completed, as far as remembered."""
        times = self.times.get(f"{line}/{family}")
        return times[-1] if times else None

    def forget(self, line: str, before_ns: int) -> None:
        """Drop what the line completed before that moment."""
        for key, times in self.times.items():
            if key.startswith(f"{line}/"):
                del times[: bisect_left(times, before_ns)]


def window_start(at_ns: int, calendar: WorkCalendar) -> int:
    """The start of the first of the last ten working days; at the most 60 days back."""
    today = calendar.day_of(at_ns)
    back_ns = calendar.day_start(today - timedelta(days=60))
    end_ns = calendar.day_start(today + timedelta(days=1))
    days = list(dict.fromkeys(shift.day for shift in calendar.shifts(back_ns, end_ns)))
    return calendar.day_start(days[-WINDOW_DAYS]) if len(days) >= WINDOW_DAYS else back_ns


def recent_takt(units: int, observed_ns: int, window_ns: float, planned_ns: float | None) -> float | None:
    """Working nanoseconds per unit at the recent pace; ``None`` if nothing is known.

    ``units`` were built in ``observed_ns`` of working time. As far as that falls short of ``window_ns``, the planned
    takt stands in for it. Where nothing was built, half a unit is taken: the pace is then slow, never nought.
    """
    if planned_ns is None:
        return observed_ns / units if units and observed_ns > 0 else None
    missing_ns = max(window_ns - observed_ns, 0.0)
    expected = max(units + missing_ns / planned_ns, _FEWEST)
    takt_ns = (max(observed_ns, 0) + missing_ns) / expected
    return takt_ns if takt_ns > 0 else planned_ns
