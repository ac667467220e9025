"""All that can be said of a record, in the words and units in which it is told."""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linecontrol.bottleneck.capacity import find_places
from linecontrol.bottleneck.complaint import ERROR, NOTE, Complaint
from linecontrol.bottleneck.hints import hints
from linecontrol.bottleneck.silence import silence
from linecontrol.bottleneck.table import Table
from linecontrol.bottleneck.verdict import judge
from linecontrol.bottleneck.whatif import Change, Gain, gains
from linecontrol.bottleneck.window import REPLAYED, last_units
from linecontrol.calendar import WorkCalendar
from linecontrol.errors import LogUnusable
from linecontrol.flowline import LineLog
from linecontrol.flowline.path import departures

HOUR = 3600.0
DAY_NS = 86_400 * 10**9
YEAR_NS = 365 * DAY_NS
_RECENT = 3000
"""Units from which places are found: what is long ago may have been another line."""

FORMAT = 1
"""Of the JSON; raised when a key changes its meaning or goes."""


class Scale(Struct, frozen=True):
    """How many units the line would build without a change in the time for which gains are told."""

    units: float
    text: str


class StationFigures(Struct, frozen=True):
    """What a station did. Times are in ``time_unit``; ``blocked`` and ``starved`` are parts of its workplaces' time.

    ``effective`` is its mean time per unit by its own doing; ``starved`` is all the time with no unit there.
    """

    name: str
    cycles: int
    effective: float | None
    planned: float | None
    blocked: float
    starved: float
    workplaces: int
    following: str | None


class GainFigures(Struct, frozen=True):
    """More units in the same time: relative and as units on the ``scale``; 80 % lie from low to high."""

    likely: float
    low: float
    high: float
    units: float
    units_low: float
    units_high: float


class OpinionFigures(Struct, frozen=True):
    """What another method says, and why if it disagrees with the verdict."""

    method: str
    stations: list[str]
    reason: str


class WhatIf(Struct, frozen=True):
    """Answer to a question."""

    question: str
    gain: GainFigures


class ScaleAsked(Struct, frozen=True):
    """For what time gains are to be told: ``units`` or working ``time`` a year, in hours where times are dates."""

    dates: bool
    calendar: WorkCalendar | None = None
    units: float | None = None
    time: float | None = None


class Asked(Struct, frozen=True):
    """What is to be found out. ``unknown_places`` are the stations behind which places are to be found."""

    file: str
    seed: int
    questions: dict[str, list[Change]]
    scale: ScaleAsked
    unknown_places: set[int]


class Window(Struct, frozen=True):
    """The part of the table that was judged: in working time, and as the table writes it where those are dates."""

    begin: float
    end: float
    first: str
    last: str


class Analysis(Struct, frozen=True):
    """The whole, as ``linecontrol analyse --json`` prints it (``docs/how-to/judge-your-own-history.md``)."""

    format: int
    file: str
    verdict: str
    provisional: bool
    suspects: list[str]
    probability: dict[str, float]
    shares: dict[str, float]
    waits: dict[str, float]
    opinions: list[OpinionFigures]
    gains: dict[str, GainFigures]
    what_if: list[WhatIf]
    scale: Scale
    units: int
    time_unit: str | None
    throughput: float | None
    takt: float | None
    stations: list[StationFigures]
    buffers: dict[str, int]
    buffers_found: bool
    limit: int | None
    paced: bool
    window: Window
    rows: int
    rows_left_out: int
    complaints: list[Complaint]
    notes: list[str]
    seed: int

    @property
    def doubtful(self) -> bool:
        """Whether rows were left out, or something in them was not believed."""
        return any(complaint.level != NOTE for complaint in self.complaints)


def analyse(table: Table, log: LineLog, asked: Asked) -> tuple[Analysis, LineLog]:
    """All that can be said of ``log``, a part of the ``table``; the log with the places that were found.

    Raises:
        LogUnusable: no unit left the line in it, no time passed, or no station's time was measured.
    """
    last = log.layout.last
    if log.end <= log.begin or all(passage.complete is None for passage in log.passages[last]):
        raise LogUnusable(f"no unit was completed at the line's last station, {log.stations[last]}: nothing to judge")
    notes = list(table.notes)
    unknown = set() if log.layout.paced else asked.unknown_places
    log, found = with_places(log, unknown)
    notes += found
    if asked.scale.dates and asked.scale.calendar is None and (night := silence(table.clock.halves)):
        notes.append(night)
    notes += hints(log)
    unit, zero = (HOUR, table.log.begin) if table.clock.dates else (1.0, 0.0)
    throughput, takt = pace(log, unit)
    scale = the_scale(asked.scale, table, log, throughput)
    try:
        verdict = judge(log, seed=asked.seed, every=True)
    except ValueError as error:
        raise LogUnusable(str(error)) from error
    a_year = asked.scale.dates or asked.scale.units is not None or asked.scale.time is not None
    late = last_units(log, REPLAYED)
    if late is not log:
        notes.append(f"gains and what-ifs replay the last {REPLAYED} units")
    answers = gains(late, list(asked.questions.values()), seed=asked.seed) if asked.questions else []
    names = log.stations
    inner = [station for station, following in enumerate(log.layout.following) if following >= 0]
    return (
        Analysis(
            format=FORMAT,
            file=asked.file,
            verdict=verdict.said(log.stations, scale.units if a_year else None),
            provisional=verdict.provisional,
            suspects=[names[station] for station in verdict.suspects],
            probability=dict(zip(names, verdict.probability, strict=True)),
            shares=dict(zip(names, verdict.shares, strict=True)),
            waits=verdict.waits,
            opinions=[OpinionFigures(each.method, list(each.stations), each.reason) for each in verdict.opinions],
            gains={names[station]: gain_figures(gain, scale) for station, gain in verdict.gains.items()},
            what_if=[
                WhatIf(text, gain_figures(gain, scale)) for text, gain in zip(asked.questions, answers, strict=True)
            ],
            scale=scale,
            units=verdict.units,
            time_unit="h" if table.clock.dates else None,
            throughput=throughput,
            takt=takt,
            stations=station_figures(log, verdict.effective, unit),
            buffers={names[station]: log.layout.places[station] for station in inner},
            buffers_found=bool(unknown),
            limit=log.layout.limit,
            paced=log.layout.paced,
            window=Window((log.begin - zero) / unit, (log.end - zero) / unit, *table.span),
            rows=table.rows,
            rows_left_out=len({complaint.line for complaint in table.complaints if complaint.level == ERROR}),
            complaints=table.complaints,
            notes=[*notes, *verdict.notes],
            seed=asked.seed,
        ),
        log,
    )


def with_places(log: LineLog, unknown: Collection[int]) -> tuple[LineLog, list[str]]:
    """The log with the places behind the ``unknown`` stations as its last units show them, and how sure that is."""
    if not unknown:
        return log, []
    found, notes = find_places(last_units(log, _RECENT), unknown)
    return replace(log, layout=found.layout), notes


def the_scale(asked: ScaleAsked, table: Table, log: LineLog, throughput: float | None) -> Scale:
    """How many units a year the line builds as it is, or in the time of the log where a year isn't known."""
    if asked.units is not None:
        return Scale(asked.units, f"of {asked.units:g} units a year, as told")
    if asked.time is not None:
        units = (throughput or 0.0) * asked.time
        name = "h" if asked.dates else "of the table's units of time"
        return Scale(units, f"a year of {asked.time:g} {name} at the log's pace ({units:.0f} units)")
    if not asked.dates:
        units = (throughput or 0.0) * (log.end - log.begin)
        return Scale(units, f"in the time of the log ({units:.0f} units); for a year say --per-year")
    if asked.calendar is not None:
        hours = asked.calendar.working_ns(table.clock.first, table.clock.first + YEAR_NS) / 1e9 / HOUR
        units = (throughput or 0.0) * hours
        return Scale(units, f"a year of {hours:.0f} working hours at the log's pace ({units:.0f} units)")
    days = (table.clock.last - table.clock.first) / DAY_NS
    units = len(table.log.passages[table.log.layout.last]) * 365 / days if days else 0.0
    return Scale(units, f"a year of 365 days like the {days:.0f} of the table ({units:.0f} units)")


def gain_figures(gain: Gain, scale: Scale) -> GainFigures:
    """A gain with its units on the scale."""
    relative = (gain.likely, gain.low, gain.high)
    return GainFigures(*relative, *(each * scale.units for each in relative))


def station_figures(log: LineLog, effective: Sequence[float | None], unit: float) -> list[StationFigures]:
    """What each station did; ``unit`` is how long the told unit of time is in that of the log."""
    leaves = departures(log)
    span = log.end - log.begin
    found = []
    for station, name in enumerate(log.stations):
        blocked = there = 0.0
        for passage, leave in zip(log.passages[station], leaves[station], strict=True):
            gone = log.end if leave is None else leave
            there += max(gone - max(passage.start, log.begin), 0.0)
            if passage.complete is not None:
                blocked += max(gone - max(passage.complete, log.begin), 0.0)
        time = span * log.layout.servers[station]
        following = log.layout.following[station]
        own = effective[station]
        plans = [
            planned
            for passage in log.passages[station]
            if (planned := log.planned[station].get(log.products[passage.unit] or "")) is not None
        ]
        found.append(
            StationFigures(
                name,
                sum(passage.complete is not None for passage in log.passages[station]),
                None if own is None else own / unit,
                sum(plans) / len(plans) / unit if plans else None,
                blocked / time if time else 0.0,
                max(1.0 - there / time, 0.0) if time else 0.0,
                log.layout.servers[station],
                None if following < 0 else log.stations[following],
            )
        )
    return found


def pace(log: LineLog, unit: float) -> tuple[float | None, float | None]:
    """Units per time and time per unit, from the first to the last departure from the line."""
    left = sorted(leave for leave in departures(log)[log.layout.last] if leave is not None)
    if len(left) < 2 or left[-1] <= left[0]:
        return None, None
    takt = (left[-1] - left[0]) / (len(left) - 1) / unit
    return 1 / takt, takt


def as_json(analysis: Analysis) -> str:
    """One JSON object in one line."""
    return msgspec.json.encode(analysis).decode()
