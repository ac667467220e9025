"""Shifts and breaks: what overlaps, over midnight and over the end of the week too."""

from collections.abc import Iterator, Mapping

from linecontrol.config.calendar import ShiftConfig, Weekday
from linecontrol.config.hints import unknown
from linecontrol.config.hours import DAY, minute
from linecontrol.config.source import Path_

_WEEK = 7 * DAY


def _length(shift: ShiftConfig) -> int:
    return (minute(shift.end) - minute(shift.start)) % DAY or DAY


def pauses(shifts: Mapping[str, ShiftConfig]) -> Iterator[tuple[Path_, str]]:
    """Breaks that are not within their shift, or not after one another."""
    for name, shift in shifts.items():
        before = 0
        for index, pause in enumerate(shift.breaks):
            path = ("calendar", "shifts", name, "breaks", index)
            start = (minute(pause.start) - minute(shift.start)) % DAY
            end = start + ((minute(pause.end) - minute(pause.start)) % DAY or DAY)
            if end > _length(shift):
                yield path, f"the break is not within the shift, {shift.start:%H:%M} to {shift.end:%H:%M}"
            elif start < before:
                yield path, "the break begins before the one above it ends"
            before = max(before, end)


def overlapping(shifts: Mapping[str, ShiftConfig], chosen: list[str], path: Path_) -> Iterator[tuple[Path_, str]]:
    """Shifts of one line that overlap, are named twice or don't exist."""
    known = [name for name in dict.fromkeys(chosen) if name in shifts]
    for index, name in enumerate(chosen):
        here = (*path, index)
        if name not in shifts:
            yield here, unknown("shift", name, shifts)
            continue
        if name in chosen[:index]:
            yield here, f"shift {name!r} is there twice"
            continue
        for other in known[: known.index(name) + 1]:
            if _overlap(shifts[name], shifts[other], same=name == other):
                with_whom = "itself on the next day" if name == other else f"shift {_told(other, shifts)}"
                yield here, f"shift {_told(name, shifts)} overlaps {with_whom}"


def _told(name: str, shifts: Mapping[str, ShiftConfig]) -> str:
    return f"{name!r} ({shifts[name].start:%H:%M} to {shifts[name].end:%H:%M})"


def _overlap(one: ShiftConfig, other: ShiftConfig, *, same: bool) -> bool:
    days = list(Weekday)
    for a in dict.fromkeys(one.days):
        for b in dict.fromkeys(other.days):
            if same and a is b:
                continue
            gap = (days.index(b) * DAY + minute(other.start) - days.index(a) * DAY - minute(one.start)) % _WEEK
            if gap < _length(one) or _WEEK - gap < _length(other):
                return True
    return False
