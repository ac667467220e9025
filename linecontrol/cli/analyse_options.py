"""What the options of ``linecontrol analyse`` say of the line, its calendar and its buffers."""

import re
from collections.abc import Sequence
from datetime import time
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import typer
from msgspec.structs import replace

from linecontrol.bottleneck.analysis import ScaleAsked
from linecontrol.bottleneck.columns import nearest
from linecontrol.bottleneck.table import Line
from linecontrol.calendar import WorkCalendar, line_calendars
from linecontrol.config import BreakConfig, ShiftConfig, Weekday
from linecontrol.config.holidays import public_holidays
from linecontrol.flowline import LineLog
from linecontrol.plant.load import load_plant

_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_SPAN = re.compile(f"{_TIME}-(?:{_TIME}|24:00)")
_DAYS = list(Weekday)


def the_line(
    *,
    stations: str | None,
    servers: Sequence[str],
    feeders: Sequence[str],
    limit: int | None,
    paced: bool,
    resolution: float | None,
    timezone: str | None,
    calendar: WorkCalendar | None,
) -> Line:
    """What is known of the line that a table comes from.

    Raises:
        typer.BadParameter: an option can't be understood.
    """
    names = _names(stations or "", ",", "--stations")
    chains = [_names(feeder, ">", "--feeder") for feeder in feeders]
    for text, chain in zip(feeders, chains, strict=True):
        if len(chain) < 2:
            raise typer.BadParameter(f"--feeder {text!r}: expected stations joined by >, such as cab1>cab2>mount")
    zone = None if timezone is None else _zone(timezone)
    counts = _counts(servers, "--servers", least=1)
    return Line(names, chains, counts, limit, paced, resolution, zone, calendar)


def _names(text: str, separator: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(separator) if name.strip()]
    for name in names:
        if names.count(name) > 1:
            raise typer.BadParameter(f"{option}: {name!r} is there twice")
    return names


def _counts(texts: Sequence[str], option: str, *, least: int) -> dict[str, int]:
    """``name=2`` by name; several may be joined by commas."""
    counts = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, _, number = (each.strip() for each in part.rpartition("="))
        if not name or not number.isdecimal() or int(number) < least:
            raise typer.BadParameter(f"{option} {part!r}: expected STATION=NUMBER, {least} or more, such as paint=2")
        counts[name] = int(number)
    return counts


def give_places(log: LineLog, text: str | None) -> tuple[LineLog, set[int]]:
    """The log with the places that ``--buffers`` tells, and the stations behind which it tells none.

    Raises:
        typer.BadParameter: it can't be understood, or doesn't fit the line.
    """
    layout = log.layout
    places = list(layout.places)
    inner = [station for station, following in enumerate(layout.following) if following >= 0]
    if text is None:
        return log, set(inner)
    if "=" in text:
        counts = _counts([text], "--buffers", least=0)
        for name, count in counts.items():
            if name not in log.stations:
                there = ", ".join(log.stations)
                raise typer.BadParameter(
                    f"--buffers: no station {name!r}{nearest(name, log.stations)}; there are {there}"
                )
            if log.stations.index(name) not in inner:
                raise typer.BadParameter(f"--buffers: nothing follows {name}, so there is no buffer after it")
            places[log.stations.index(name)] = count
        unknown = {station for station in inner if log.stations[station] not in counts}
    else:
        numbers = [part.strip() for part in text.split(",")]
        if not all(number.isdecimal() for number in numbers):
            raise typer.BadParameter(f"--buffers {text!r}: expected a number, a list such as 1,0,2, or paint=2")
        if len(numbers) == 1:
            numbers *= len(inner)
        if len(numbers) != len(inner):
            between = ", ".join(f"{log.stations[i]}-{log.stations[layout.following[i]]}" for i in inner)
            raise typer.BadParameter(f"--buffers: {len(numbers)} numbers for {len(inner)} gaps: {between}")
        for station, number in zip(inner, numbers, strict=True):
            places[station] = int(number)
        unknown = set()
    return replace(log, layout=replace(layout, places=tuple(places))), unknown


def read_scale(text: str | None, *, dates: bool, calendar: WorkCalendar | None) -> ScaleAsked:
    """For what time gains are told: as ``--per-year`` says.

    Raises:
        typer.BadParameter: it can't be understood.
    """
    if text is None:
        return ScaleAsked(dates=dates, calendar=calendar)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(units?|h|hours?)?", text.strip())
    if match is None or float(match[1]) <= 0:
        raise typer.BadParameter(f'--per-year {text!r}: expected working hours a year such as 1875, or "750 units"')
    number, unit = float(match[1]), match[2] or ""
    if unit.startswith("unit"):
        return ScaleAsked(dates=dates, calendar=calendar, units=number)
    return ScaleAsked(dates=dates, calendar=calendar, time=number)


# --- working time ---------------------------------------------------------------------------------------------


def the_calendar(
    folder: Path | None, line: str | None, shifts: Sequence[str], breaks: Sequence[str], timezone: str | None
) -> WorkCalendar | None:
    """The working calendar that the options tell of; ``None`` if they tell of none.

    Raises:
        typer.BadParameter: an option can't be understood, or contradicts another.
        ConfigError: the folder's config is wrong.
    """
    if folder is not None:
        if shifts or breaks or timezone:
            raise typer.BadParameter(
                "--calendar tells shifts, breaks and time zone: leave out --shift, --break, --timezone"
            )
        config = load_plant(folder).config
        calendars = line_calendars(config, public_holidays(config.calendar.holidays))
        if line is None and len(calendars) > 1:
            raise typer.BadParameter(f"--calendar has several lines; say which: --line {' or '.join(calendars)}")
        name = line or next(iter(calendars))
        if name not in calendars:
            raise typer.BadParameter(f"--line: no line {name!r}{nearest(name, list(calendars))}")
        return calendars[name]
    if line is not None:
        raise typer.BadParameter("--line says which line of --calendar; there is no --calendar")
    if not shifts:
        if breaks:
            raise typer.BadParameter("--break lies within a --shift; there is no --shift")
        return None
    pauses = [(text, *_span(text, "--break")) for text in breaks]
    rules = {f"shift_{number}": _shift(text, pauses) for number, text in enumerate(shifts, 1)}
    for text, start, end in pauses:
        if not any(_within(rule, start, end) for rule in rules.values()):
            raise typer.BadParameter(f"--break {text!r} lies within no --shift")
    return WorkCalendar(_zone(timezone or "UTC"), rules)


def _zone(name: str) -> ZoneInfo:
    if name not in available_timezones():
        raise typer.BadParameter(f"--timezone: no time zone {name!r}{nearest(name, sorted(available_timezones()))}")
    return ZoneInfo(name)


def _span(text: str, option: str) -> tuple[time, time]:
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{option} {text!r}: expected times such as 08:00-17:00")
    return time(int(match[1]), int(match[2])), time(int(match[3] or 0), int(match[4] or 0))


def _shift(text: str, pauses: Sequence[tuple[str, time, time]]) -> ShiftConfig:
    days, _, hours = text.strip().rpartition(" ")
    start, end = _span(hours, "--shift")
    bare = ShiftConfig(days=_weekdays(days, text), start=start, end=end)
    own = [BreakConfig(start=begin, end=until) for _, begin, until in pauses if _within(bare, begin, until)]
    own.sort(key=lambda each: (each.start < start, each.start))
    return ShiftConfig(days=bare.days, start=start, end=end, breaks=own)


def _within(shift: ShiftConfig, start: time, end: time) -> bool:
    """Whether the span lies in the shift, which may go over midnight."""
    minutes = [each.hour * 60 + each.minute for each in (shift.start, start, end, shift.end)]
    turned = [(minute - minutes[0]) % 1440 for minute in minutes]
    turned[-1] = turned[-1] or 1440
    return all(a <= b for a, b in pairwise(turned))


def _weekdays(text: str, whole: str) -> list[Weekday]:
    """``mon-fri``, ``sat,sun``; all if empty."""
    if not text.strip():
        return _DAYS
    found: list[Weekday] = []
    for part in text.lower().split(","):
        first, _, last = (each.strip()[:3] for each in part.partition("-"))
        if first not in _DAYS or (last and last not in _DAYS):
            raise typer.BadParameter(f"--shift {whole!r}: expected days and times such as mon-fri 08:00-17:00")
        at, end = _DAYS.index(Weekday(first)), _DAYS.index(Weekday(last or first))
        found += [_DAYS[(at + step) % 7] for step in range((end - at) % 7 + 1)]
    return list(dict.fromkeys(found))
