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
    Sampled,
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


class Clock(StrEnum):
    """Which time moves a name."""

    WORKING = "working"
    WALL = "wall"
    CALENDAR = "calendar"


ENUMS = {Kind.STATE: tuple(state.value for state in StationState if state is not StationState.UNOBSERVED)}
"""The texts of each enumeration."""


class Named(Struct, frozen=True):
    """A name: its type, the code that reads it, the events that move it, what it means, how time alone moves it.

    ``code`` stands on the left of nothing else: ``{of}`` is the facts of the subject, ``{line}`` those of its line,
    ``moment`` the present, ``worked`` its working time, ``event`` the cycle in a window. ``slope`` is the code of how
    much it grows in a second of ``clock``; a name of the ``CALENDAR`` changes when working time begins or ends and at
    midnight. ``among`` is the vocabulary from which its texts are. ``sight``: whether the station can be seen
    moves it too, whichever event tells that. ``share``: a number that is a share of something, 1 being all of it.
    """

    path: str
    kind: Kind
    code: str
    moved_by: tuple[type[Event], ...]
    doc: str
    clock: Clock | None = None
    slope: str = ""
    among: str = ""
    sight: bool = False
    share: bool = False

    @property
    def timed(self) -> bool:
        """Whether time alone moves it."""
        return self.clock is not None


_STATES = (StateChanged, StateHeld)
_STARTS = (CycleStarted, CycleProgress)
_CYCLES = (*_STARTS, CycleEnded, CycleCompleted)


def _table(*names: Named) -> dict[str, Named]:
    return {name.path: name for name in names}


STATION = _table(
    Named("state", Kind.STATE, "{of}.state", _STATES, "what the station does; unknown while it can't be seen"),
    Named(
        "state_for",
        Kind.DUR,
        "((worked - {of}.state_w) / 1e9 if {of}.state is not None else None)",
        _STATES,
        "working time in the present state",
        Clock.WORKING,
        "1.0",
    ),
    Named("observed", Kind.BOOL, "{of}.observed", (), "whether the station can be seen now", sight=True),
    Named("shift", Kind.BOOL, "moment.working", (), "whether it is working time now (breaks are not)", Clock.CALENDAR),
    Named("unit", Kind.TEXT, "{of}.unit", (*_STATES, *_STARTS), "the unit at the station", sight=True),
    Named(
        "product",
        Kind.TEXT,
        "{of}.product",
        (*_STATES, *_STARTS, CycleCompleted),
        "the product at the station, by its name in the config",
        among="products",
        sight=True,
    ),
    Named(
        "planned",
        Kind.DUR,
        "{of}.planned",
        (*_STARTS, CycleCompleted),
        "planned time of the running cycle, else of the last",
    ),
    Named("takt", Kind.DUR, "{line}.takt", (LedgerUpdated,), "least required takt of the line's targets"),
    Named(
        "running",
        Kind.BOOL,
        "({of}.cycling if {of}.observed else None)",
        _CYCLES,
        "whether a cycle is running",
        sight=True,
    ),
    Named(
        "running.active",
        Kind.DUR,
        "{of}.active(worked)",
        _CYCLES,
        "working time that the running cycle has taken so far; 0 s if none is running",
        Clock.WORKING,
        "(1.0 if {of}.cycling else 0.0)",
        sight=True,
    ),
    Named("running.planned", Kind.DUR, "{of}.planned", (*_STARTS, CycleCompleted), "the same as planned"),
    Named(
        "running.progress",
        Kind.NUM,
        "{of}.progress(worked)",
        _CYCLES,
        "running.active as a share of planned; 0 if no cycle is running",
        Clock.WORKING,
        "(1.0 / {of}.planned if {of}.cycling and {of}.planned else 0.0)",
        sight=True,
        share=True,
    ),
    Named(
        "since_cycle",
        Kind.DUR,
        "((worked - {of}.completed_w) / 1e9 if {of}.observed else None)",
        (CycleCompleted,),
        "working time since the last completed cycle; since the station was first seen if there was none",
        Clock.WORKING,
        "1.0",
        sight=True,
    ),
    Named(
        "andon",
        Kind.BOOL,
        "({of}.andon if {of}.observed else None)",
        (AndonCalled,),
        "whether an andon call stands",
        sight=True,
    ),
    Named(
        "cycles_today",
        Kind.NUM,
        "{of}.today(moment)",
        (CycleCompleted,),
        "cycles completed on this calendar day",
        Clock.CALENDAR,
        sight=True,
    ),
    Named(
        "bottleneck",
        Kind.NUM,
        "{of}.bottleneck",
        (BottleneckUpdated,),
        "probability that the station is its line's bottleneck; 0 if it isn't suspected",
        share=True,
    ),
    Named("share", Kind.NUM, "{of}.share", (BottleneckUpdated,), "its share of the line's critical path", share=True),
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
    Named("cycle.active", Kind.DUR, "event.active_s", (), "working time from start to end, stops included"),
    Named("cycle.planned", Kind.DUR, "event.planned_s", (), "planned time for that product"),
    Named(
        "cycle.lost", Kind.DUR, "sum(event.lost_s.values())", (), "part of cycle.active in other states than working"
    ),
    Named("cycle.good", Kind.BOOL, "event.good", (), "whether the unit was found good"),
)
"""Of each cycle in a window function."""


def tag(name: str) -> Named:
    """The last good value of a telemetry tag of a station."""
    return Named(
        f"tag.{name}", Kind.NUM, f"{{of}}.tags.get({name!r})", (Sampled,), "last good value of a telemetry tag"
    )


def _verdict(path: str, kind: Kind, doc: str, *, among: str = "", share: bool = False) -> Named:
    return Named(path, kind, f"{{of}}.{path}", (BottleneckUpdated,), doc, among=among, share=share)


LINE = _table(
    _verdict(
        "bottleneck",
        Kind.TEXT,
        "title of the station that was last found to hold the line back, with 60 %",
        among="titles",
    ),
    Named(
        "bottleneck_for",
        Kind.DUR,
        "{of}.bottleneck_for(worked)",
        (BottleneckUpdated,),
        "working time since it was found",
        Clock.WORKING,
        "1.0",
    ),
    _verdict("previous", Kind.TEXT, "title of the one found before it; empty if there was none", among="titles"),
    _verdict("probability", Kind.NUM, "probability of the first suspect", share=True),
    _verdict("provisional", Kind.BOOL, "whether little was recorded for a verdict"),
    _verdict("verdict", Kind.TEXT, "the verdict in a sentence"),
    Named("lag", Kind.NUM, "{of}.lag", (LagExplained,), "working hours by which the line is behind its targets"),
)
"""Of a line."""


def _ledger(path: str, kind: Kind, doc: str) -> Named:
    return Named(path, kind, f"{{of}}.{path}", (LedgerUpdated,), doc)


def _forecast(path: str, kind: Kind, doc: str, *, share: bool = False) -> Named:
    return Named(path, kind, f"{{of}}.{path}", (TargetForecast,), doc, share=share)


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
    _forecast("probability", Kind.NUM, "probability that the target is met", share=True),
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
    Named(
        "probability",
        Kind.NUM,
        "{of}.probability",
        (CommitmentForecast,),
        "probability that it is met in time",
        share=True,
    ),
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
        Clock.WALL,
        "-1.0",
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
        Clock.WALL,
        "(0.0 if {of}.up else 1.0)",
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


def is_told(named: Named, kind: Subject) -> bool:
    """Whether another subject's name can be read."""
    return kind is not Subject.STATION or not (named.timed or of_line(named))


def of_line(named: Named) -> bool:
    """Whether a station's name is told of its line rather than of itself."""
    return "{line}" in named.code or BottleneckUpdated in named.moved_by
