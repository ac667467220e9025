"""Overtime, other hours of single days and planned stops: what contradicts the shifts or each other."""

from collections.abc import Container, Iterator
from datetime import date

from linecontrol.config.calendar import CalendarConfig, ShiftDayConfig
from linecontrol.config.hours import DAY, Week, hours, minute
from linecontrol.config.root import Config
from linecontrol.config.source import Path_
from linecontrol.config.wording import unknown

Found = Iterator[tuple[Path_, str]]


def single_days(config: Config, holidays: Container[date]) -> Found:
    """What is wrong with ``overtime``, ``other_hours`` and ``stops``; ``holidays`` are the public ones."""
    calendar = config.calendar
    week = Week.of(calendar, calendar.shifts, holidays, None)
    for key in ("overtime", "other_hours"):
        seen: dict[tuple[date, str, str], int] = {}
        for index, day in enumerate(getattr(calendar, key)):
            path = ("calendar", key, index)
            if day.shift not in calendar.shifts:
                yield (*path, "shift"), unknown("shift", day.shift, calendar.shifts)
                continue
            yield from _lines(config, path, day.lines)
            yield from _times(calendar, path, day)
            regular = week.regular(day.shift, day.day)
            if key == "overtime" and regular:
                yield path, f"shift {day.shift!r} is worked on {day.day} anyway; to change its hours, use other_hours"
            if key == "other_hours" and not regular:
                yield path, f"shift {day.shift!r} is not worked on {day.day}; to work it, use overtime"
            for line in day.lines or [""]:
                if (first := seen.setdefault((day.day, day.shift, line), index)) != index:
                    yield path, f"shift {day.shift!r} on {day.day} is there already, as number {first + 1} of this list"
                    break
    for index, stop in enumerate(calendar.stops):
        if stop.end <= stop.start:
            yield ("calendar", "stops", index, "end"), f"the stop ends before it begins, at {stop.start:%Y-%m-%d %H:%M}"
        yield from _lines(config, ("calendar", "stops", index), stop.lines)


def _lines(config: Config, path: Path_, lines: list[str]) -> Found:
    for index, name in enumerate(lines):
        if name not in config.lines:
            yield (*path, "lines", index), unknown("line", name, config.lines)


def _times(calendar: CalendarConfig, path: Path_, day: ShiftDayConfig) -> Found:
    shift = calendar.shifts[day.shift]
    start, end = day.start or shift.start, day.end or shift.end
    if start == end:
        yield (*path, "end"), f"the shift would begin and end at {start:%H:%M}"
        return
    length = (minute(end) - minute(start)) % DAY or DAY
    usual = (minute(shift.end) - minute(shift.start)) % DAY or DAY
    if length > DAY - 60 > usual:
        yield path, f"from {start:%H:%M} to {end:%H:%M} are {length // 60} hours: does it end before it begins?"
    for place, pause in enumerate(day.breaks or ()):
        begins = (minute(pause.start) - minute(start)) % DAY
        if begins + ((minute(pause.end) - minute(pause.start)) % DAY or DAY) > length:
            yield (*path, "breaks", place), f"the break is not within the shift, {start:%H:%M} to {end:%H:%M}"
    its = hours(shift, day)
    if sum(ends - begins for begins, ends in its.breaks) >= its.end - its.start:
        yield path, "nothing is left between the breaks"
