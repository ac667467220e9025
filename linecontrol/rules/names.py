"""The names that conditions and messages may use: type, meaning, and what moves them. Reference and checker in one."""

from enum import StrEnum

from msgspec import Struct

from linecontrol.config import Subject
from linecontrol.model import (
    AndonCalled,
    BottleneckUpdated,
    CommitmentForecast,
    CommitmentUpdated,
    CycleCompleted,
    CycleEnded,
    CycleProgress,
    CycleStarted,
    Event,
    KitForecast,
    KitStockChanged,
    LagExplained,
    LedgerUpdated,
    LinkChanged,
    StateChanged,
    StateHeld,
    StationState,
    TargetForecast,
)


class Kind(StrEnum):
    """Types of the language. ``STATE`` is an enumeration: texts from a closed list."""

    NUM = "number"
    DUR = "duration"
    BOOL = "bool"
    TEXT = "text"
    STATE = "state"


ENUMS = {Kind.STATE: tuple(state.value for state in StationState if state is not StationState.UNOBSERVED)}
"""The texts of each enumeration."""


class Named(Struct, frozen=True):
    """A name: its type, the code that reads it, whether time alone moves it, the events that do, what it means.

    ``code`` stands on the left of nothing else: ``{of}`` is the facts of the subject, ``{line}`` those of its line,
    ``moment`` the present.
    """

    path: str
    kind: Kind
    code: str
    moved_by: tuple[type[Event], ...]
    doc: str
    timed: bool = False


_STATES = (StateChanged, StateHeld)
_CYCLES = (CycleStarted, CycleProgress, CycleEnded, CycleCompleted)
_ANY = (*_STATES, *_CYCLES, AndonCalled)


def _table(*names: Named) -> dict[str, Named]:
    return {name.path: name for name in names}


STATION = _table(
    Named("state", Kind.STATE, "{of}.state", _STATES, "what the station does; unknown while it can't be seen"),
    Named("state_for", Kind.DUR, "{of}.state_for(moment)", _STATES, "working time in the present state", timed=True),
    Named("observed", Kind.BOOL, "{of}.observed", _ANY, "whether the station can be seen now"),
    Named("shift", Kind.BOOL, "moment.working", (), "whether it is working time now (breaks are not)", timed=True),
    Named("unit", Kind.TEXT, "{of}.unit", _ANY, "the unit at the station"),
    Named("product", Kind.TEXT, "{of}.product", _ANY, "the product at the station, by its name in the config"),
    Named("planned", Kind.DUR, "{of}.planned", _CYCLES, "planned time of the running cycle, else of the last"),
    Named("takt", Kind.DUR, "{line}.takt", (LedgerUpdated,), "least required takt of the line's targets"),
    Named("running", Kind.BOOL, "({of}.cycling if {of}.observed else None)", _ANY, "whether a cycle is running"),
    Named(
        "running.active",
        Kind.DUR,
        "{of}.active(moment)",
        _ANY,
        "working time that the running cycle has taken so far; 0 s if none is running",
        timed=True,
    ),
    Named("running.planned", Kind.DUR, "{of}.planned", _CYCLES, "the same as planned"),
    Named(
        "running.progress",
        Kind.NUM,
        "{of}.progress(moment)",
        _ANY,
        "running.active as a share of planned; 0 if no cycle is running",
        timed=True,
    ),
    Named(
        "since_cycle",
        Kind.DUR,
        "{of}.since_cycle(moment)",
        _ANY,
        "working time since the last completed cycle; since the station was first seen if there was none",
        timed=True,
    ),
    Named("andon", Kind.BOOL, "({of}.andon if {of}.observed else None)", _ANY, "whether an andon call stands"),
    Named("cycles_today", Kind.NUM, "{of}.today(moment)", _ANY, "cycles completed on this calendar day", timed=True),
    Named(
        "bottleneck",
        Kind.NUM,
        "{of}.bottleneck",
        (BottleneckUpdated,),
        "probability that the station is its line's bottleneck; 0 if it isn't suspected",
    ),
    Named("share", Kind.NUM, "{of}.share", (BottleneckUpdated,), "its share of the line's critical path"),
    Named(
        "gain",
        Kind.NUM,
        "{of}.gain",
        (BottleneckUpdated,),
        "units a year that 10 % off its cycle times would have given; unknown if it isn't suspected",
    ),
    Named(
        "provisional",
        Kind.BOOL,
        "{line}.provisional",
        (BottleneckUpdated,),
        "whether little was recorded for a verdict on the line",
    ),
)
"""Of a station; the same after ``upstream.`` and ``downstream.`` for its neighbours."""

CYCLE = _table(
    Named("cycle.active", Kind.DUR, "cycle.active", (), "working time from start to end, stops included"),
    Named("cycle.planned", Kind.DUR, "cycle.planned", (), "planned time for that product"),
    Named("cycle.lost", Kind.DUR, "cycle.lost", (), "part of cycle.active in other states than working"),
    Named("cycle.good", Kind.BOOL, "cycle.good", (), "whether the unit was found good"),
)
"""Of each cycle in a window function."""


def _verdict(path: str, kind: Kind, doc: str, *, timed: bool = False) -> Named:
    code = f"{{of}}.{path}(moment)" if timed else f"{{of}}.{path}"
    return Named(path, kind, code, (BottleneckUpdated,), doc, timed)


LINE = _table(
    _verdict("bottleneck", Kind.TEXT, "title of the station that was last found to hold the line back, with 60 %"),
    _verdict("bottleneck_for", Kind.DUR, "working time since it was found", timed=True),
    _verdict("previous", Kind.TEXT, "title of the one found before it; empty if there was none"),
    _verdict("probability", Kind.NUM, "probability of the first suspect"),
    _verdict("provisional", Kind.BOOL, "whether little was recorded for a verdict"),
    _verdict("verdict", Kind.TEXT, "the verdict in a sentence"),
    Named("lag", Kind.NUM, "{of}.lag", (LagExplained,), "working hours by which the line is behind its targets"),
)
"""Of a line."""


def _ledger(path: str, kind: Kind, doc: str) -> Named:
    return Named(path, kind, f"{{of}}.{path}", (LedgerUpdated,), doc)


def _forecast(path: str, kind: Kind, doc: str) -> Named:
    return Named(path, kind, f"{{of}}.{path}", (TargetForecast,), doc)


TARGET = _table(
    _ledger("done", Kind.NUM, "units built this year"),
    _ledger("due", Kind.NUM, "units that an even pace would have built by now"),
    _ledger("units", Kind.NUM, "units to build this year"),
    _ledger("today", Kind.NUM, "units built today"),
    _ledger("behind", Kind.NUM, "units behind an even pace; negative when ahead"),
    _ledger("behind_days", Kind.NUM, "working days behind an even pace; negative when ahead"),
    _ledger("left", Kind.NUM, "units still to build this year"),
    _ledger("required_takt", Kind.DUR, "working time left in the year per unit left"),
    _ledger("planned_takt", Kind.DUR, "working time of the year per unit"),
    _forecast("probability", Kind.NUM, "probability that the target is met"),
    _forecast("units_low", Kind.NUM, "units by the year's end, 10 % quantile"),
    _forecast("units_likely", Kind.NUM, "units by the year's end, median"),
    _forecast("units_high", Kind.NUM, "units by the year's end, 90 % quantile"),
    _forecast("takt_achieved", Kind.DUR, "working time per unit over the last 20 units"),
    _forecast("hours_needed", Kind.NUM, "working hours that the most loaded station needs for what is left"),
    _forecast("hours_left", Kind.NUM, "working hours till the year's end"),
    _forecast("kits_limit", Kind.NUM, "units of the year that kits in stock and announced ones allow"),
)
"""Of an annual target."""


def _commitment(path: str, kind: Kind, doc: str) -> Named:
    return Named(path, kind, f"{{of}}.{path}", (CommitmentUpdated,), doc)


COMMITMENT = _table(
    _commitment("done", Kind.NUM, "units completed for it"),
    _commitment("units", Kind.NUM, "units promised"),
    _commitment("left", Kind.NUM, "units still to complete"),
    _commitment("margin_days", Kind.NUM, "working days between forecast and due day; negative when too late"),
    _commitment("required_takt", Kind.DUR, "working time left until the due day per unit left"),
    Named("probability", Kind.NUM, "{of}.probability", (CommitmentForecast,), "probability that it is met in time"),
)
"""Of a commitment."""


_KIT_FORECAST = (KitForecast,)


def _kit(path: str, doc: str) -> Named:
    return Named(path, Kind.NUM, f"{{of}}.{path}", (KitStockChanged,), doc)


KIT = _table(
    _kit("stock", "kits in the store"),
    _kit("needed_next_day", "kits that the next working day takes"),
    _kit("arriving", "kits that arrive before the next working day"),
    Named(
        "short", Kind.NUM, "{of}.short", _KIT_FORECAST, "kits that the year's targets need beyond all announced ones"
    ),
    Named(
        "runs_out",
        Kind.TEXT,
        "{of}.runs_out",
        _KIT_FORECAST,
        "the day on which the last one is used; empty if they last",
    ),
    Named(
        "runs_out_in",
        Kind.DUR,
        "{of}.runs_out_in(moment)",
        _KIT_FORECAST,
        "wall time until then; unknown if they last",
        timed=True,
    ),
)
"""Of a kit."""

CONNECTION = _table(
    Named("up", Kind.BOOL, "{of}.up", (LinkChanged,), "whether the connection is up"),
    Named(
        "down_for",
        Kind.DUR,
        "{of}.down_for(moment)",
        (LinkChanged,),
        "wall time for which it has been down; 0 s if it is up",
        timed=True,
    ),
    Named("unsafe", Kind.BOOL, "{of}.unsafe", (LinkChanged,), "whether it is configured without protection"),
    Named("warning", Kind.TEXT, "{of}.warning", (LinkChanged,), "what is unsafe about it, in words; else empty"),
)
"""Of a connection."""

NAMES = {
    Subject.STATION: STATION,
    Subject.LINE: LINE,
    Subject.TARGET: TARGET,
    Subject.COMMITMENT: COMMITMENT,
    Subject.KIT: KIT,
    Subject.CONNECTION: CONNECTION,
}
"""The names of each subject."""

FORECASTS = (TargetForecast, CommitmentForecast)
"""The events whose first one on each working day enters windows of days."""

SIDES = ("upstream", "downstream")
"""Neighbours of a station."""
