"""Overtime, other hours of single days and planned stops: what contradicts the shifts or each other."""

from collections.abc import Container, Iterator
from datetime import date, timedelta

from linecontrol.config.calendar import CalendarConfig, ShiftDayConfig
from linecontrol.config.hints import unknown
from linecontrol.config.hours import DAY, Hours, Week, concerns, hours, minute
from linecontrol.config.root import Config
from linecontrol.config.source import Path_

Found = Iterator[tuple[Path_, str]]


def single_days(config: Config, holidays: Container[date]) -> Found:
    """What is wrong with ``overtime``, ``other_hours`` and ``stops``; ``holidays`` are the public ones."""
    calendar = config.calendar
    week = Week.of(calendar, calendar.shifts, holidays, None)
    for key in ("overtime", "other_hours"):
        days: list[ShiftDayConfig] = getattr(calendar, key)
        for index, day in enumerate(days):
            path = ("calendar", key, index)
            if day.shift not in calendar.shifts:
                yield (*path, "shift"), unknown("shift", day.shift, calendar.shifts)
                continue
            wrong = [*_lines(config, path, day.lines), *_unworked(config, path, day), *_times(calendar, path, day)]
            regular = week.regular(day.shift, day.day)
            if key == "overtime" and regular:
                text = f"shift {day.shift!r} is worked on {day.day} anyway; to change its hours, use other_hours"
                wrong.append((path, text))
            elif key == "other_hours" and not regular:
                wrong.append((path, f"shift {day.shift!r} is not worked on {day.day}; to work it, use overtime"))
            elif key == "other_hours" and day.start is None and day.end is None and day.breaks is None:
                wrong.append((path, "nothing is otherwise on that day; give start, end or breaks"))
            yield from wrong or _clashes(config, path, day, days[:index], holidays)
    for index, stop in enumerate(calendar.stops):
        if stop.end <= stop.start:
            yield ("calendar", "stops", index, "end"), f"the stop ends before it begins, at {stop.start:%Y-%m-%d %H:%M}"
        yield from _lines(config, ("calendar", "stops", index), stop.lines)


def _lines(config: Config, path: Path_, lines: list[str]) -> Found:
    for index, name in enumerate(lines):
        if name not in config.lines:
            yield (*path, "lines", index), unknown("line", name, config.lines)


def _unworked(config: Config, path: Path_, day: ShiftDayConfig) -> Found:
    for index, name in enumerate(day.lines):
        if name in config.lines and day.shift not in config.lines[name].shifts:
            text = f"line {name!r} doesn't work shift {day.shift!r}; it works {', '.join(config.lines[name].shifts)}"
            yield (*path, "lines", index), text


def _clashes(
    config: Config, path: Path_, day: ShiftDayConfig, above: list[ShiftDayConfig], holidays: Container[date]
) -> Found:
    """The first line on which that day is there twice, or overlaps what else is worked around it."""
    for name, line in config.lines.items():
        if day.shift not in line.shifts or not concerns(day.lines, name):
            continue
        for number, other in enumerate(above, 1):
            if (other.day, other.shift) == (day.day, day.shift) and concerns(other.lines, name):
                text = f"shift {day.shift!r} on {day.day} is there already, as number {number} of this list"
                yield path, text
                return
        known = [shift for shift in line.shifts if shift in config.calendar.shifts]
        if clash := _overlapped(Week.of(config.calendar, known, holidays, name), config.calendar, day):
            yield path, f"the shift overlaps {clash} of line {name!r}"
            return


def _overlapped(week: Week, calendar: CalendarConfig, day: ShiftDayConfig) -> str:
    own = hours(calendar.shifts[day.shift], day)
    for ahead in (-1, 0, 1):
        when = day.day + timedelta(days=ahead)
        for name, its in week.on(when).items():
            if not ahead and name == day.shift:
                continue
            if own.start < its.end + ahead * DAY and its.start + ahead * DAY < own.end:
                return f"shift {name!r} ({_clock(its)} on {when})"
    return ""


def _clock(its: Hours) -> str:
    return " to ".join(f"{at // 60 % 24:02}:{at % 60:02}" for at in (its.start, its.end))


def _times(calendar: CalendarConfig, path: Path_, day: ShiftDayConfig) -> Found:
    shift = calendar.shifts[day.shift]
    start, end = day.start or shift.start, day.end or shift.end
    if start == end and (day.start or day.end):
        yield (*path, "start" if day.end is None else "end"), f"the shift would begin and end at {start:%H:%M}"
        return
    if end < start and shift.end > shift.start:
        key = "start" if day.end is None else "end"
        yield (*path, key), f"the shift would end at {end:%H:%M}, before it begins at {start:%H:%M}"
        return
    length = (minute(end) - minute(start)) % DAY or DAY
    for place, pause in enumerate(day.breaks or ()):
        begins = (minute(pause.start) - minute(start)) % DAY
        if begins + ((minute(pause.end) - minute(pause.start)) % DAY or DAY) > length:
            yield (*path, "breaks", place), f"the break is not within the shift, {start:%H:%M} to {end:%H:%M}"
    its = hours(shift, day)
    if sum(ends - begins for begins, ends in its.breaks) >= its.end - its.start:
        yield path, "nothing is left between the breaks"
