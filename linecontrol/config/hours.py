"""From when to when a shift is worked on a day: as always, otherwise, as overtime, or not at all."""

from collections.abc import Container, Iterable, Mapping
from datetime import date, time
from typing import NamedTuple

from typing_extensions import override

from linecontrol.config.calendar import BreakConfig, CalendarConfig, ShiftConfig, ShiftDayConfig, Weekday

DAY = 24 * 60
_DAYS = list(Weekday)


class Hours(NamedTuple):
    """Minutes on the wall clock since the midnight before the shift; beyond ``DAY`` it is the next day."""

    start: int
    end: int
    breaks: tuple[tuple[int, int], ...]


class Week:
    """The hours of the shifts of one line, day by day."""

    def __init__(
        self,
        shifts: Mapping[str, ShiftConfig],
        *,
        days_off: Container[date] = frozenset(),
        worked: Container[date] = frozenset(),
        overtime: Iterable[ShiftDayConfig] = (),
        other_hours: Iterable[ShiftDayConfig] = (),
    ) -> None:
        """No shift begins on ``days_off`` except for ``overtime`` and on those that are ``worked`` all the same."""
        self._shifts = dict(shifts)
        self._days_off = days_off
        self._worked = worked
        self._overtime = {(each.day, each.shift): each for each in overtime}
        self._other = {(each.day, each.shift): each for each in other_hours}

    @classmethod
    def of(cls, config: CalendarConfig, shifts: Iterable[str], holidays: Container[date], line: str | None) -> "Week":
        """The hours of a line that works the named shifts; ``None`` is a line that is nowhere named."""
        return cls(
            {name: config.shifts[name] for name in shifts},
            days_off=_Either(frozenset(config.closed), holidays),
            worked=frozenset(config.worked),
            overtime=[each for each in config.overtime if concerns(each.lines, line)],
            other_hours=[each for each in config.other_hours if concerns(each.lines, line)],
        )

    def on(self, day: date) -> dict[str, Hours]:
        """The shifts that begin on that day, by name."""
        return {name: hours for name in self._shifts if (hours := self._of(name, day)) is not None}

    def regular(self, name: str, day: date) -> bool:
        """Whether the shift is worked on that day without any overtime."""
        open_ = day not in self._days_off or day in self._worked
        return open_ and _DAYS[day.weekday()] in self._shifts[name].days

    def _of(self, name: str, day: date) -> Hours | None:
        if self.regular(name, day):
            return hours(self._shifts[name], self._other.get((day, name)))
        extra = self._overtime.get((day, name))
        return None if extra is None else hours(self._shifts[name], extra)


class _Either(Container[date]):
    def __init__(self, *parts: Container[date]) -> None:
        self._parts = parts

    @override
    def __contains__(self, day: object) -> bool:
        return any(day in part for part in self._parts)


def concerns(lines: list[str], line: str | None) -> bool:
    """Whether what names these lines (none: all) is about ``line``."""
    return not lines or line in lines


def minute(at: time) -> int:
    """Minutes since midnight."""
    return at.hour * 60 + at.minute


def hours(shift: ShiftConfig, change: ShiftDayConfig | None = None) -> Hours:
    """The shift's hours, changed on a day or not. One whose end is not after its start ends on the next day."""
    start = minute(change.start if change and change.start else shift.start)
    end = minute(change.end if change and change.end else shift.end)
    end += DAY if end <= start else 0
    breaks = change.breaks if change and change.breaks is not None else shift.breaks
    return Hours(start, end, tuple(sorted(part for pause in breaks for part in _within(pause, start, end))))


def _within(pause: BreakConfig, start: int, end: int) -> Iterable[tuple[int, int]]:
    """What of a break lies in the shift; one that begins before it belongs to the day before or to this one."""
    length = (minute(pause.end) - minute(pause.start)) % DAY or DAY
    begins = start + (minute(pause.start) - start) % DAY
    for at in (begins - DAY, begins):
        low, high = max(at, start), min(at + length, end)
        if low < high:
            yield low, high
