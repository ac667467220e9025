"""What is known of each subject, as conditions read it. ``None`` is unknown.

Fields ending in ``_w`` are readings of a line's working time (``Moment.worked``, nanoseconds). What changes with each
event is a dataclass with slots, whose fields are written five times as fast as a msgspec struct's.
"""

from dataclasses import dataclass, field

from linecontrol.rules.moment import Moment
from linecontrol.rules.window import Ring, Smooth, Span

_NS = 1e9


@dataclass(slots=True)
class Aged:
    """The last known value of a name, and the reading of working time at which it became that."""

    value: bool | float | str | None = None
    since_w: int | None = None

    def note(self, value: bool | float | str | None, worked: int) -> None:
        """Compare with the value that is known now; an unknown one is no change."""
        if value is not None and value != self.value:
            self.value, self.since_w = value, worked

    def age(self, worked: int) -> float | None:
        """Working seconds since the last change; ``None`` until a value was known."""
        return None if self.since_w is None else (worked - self.since_w) / _NS


@dataclass(slots=True)
class StationFacts:
    """A station. ``observed`` is ``None`` until something of it was told, ``completed_w`` until it was seen."""

    line: str = ""
    observed: bool | None = None
    state: str | None = None
    state_w: int = 0
    unit: str | None = None
    product: str | None = None
    planned: float | None = None
    cycling: bool = False
    start_w: int = 0
    completed_w: int | None = None
    completed_day: int = 0
    completed: int = 0
    andon: bool = False
    bottleneck: float | None = None
    tags: dict[str, float] = field(default_factory=dict)
    ages: dict[str, Aged] = field(default_factory=dict)
    share: float | None = None
    gain: float | None = None
    rings: dict[str, Ring] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    smooth: dict[str, Smooth] = field(default_factory=dict)

    def active(self, worked: int) -> float | None:
        """Working seconds of the running cycle; 0 if none is running."""
        if not self.observed:
            return None
        return (worked - self.start_w) / _NS if self.cycling else 0.0

    def progress(self, worked: int) -> float | None:
        """Share of the planned time that the running cycle has taken; 0 if none is running."""
        if not self.observed:
            return None
        if not self.cycling:
            return 0.0
        return (worked - self.start_w) / _NS / self.planned if self.planned else None

    def today(self, moment: Moment) -> float | None:
        """Cycles completed on the present day."""
        if self.observed is None:
            return None
        return float(self.completed) if self.completed_day == moment.day else 0.0


@dataclass(slots=True)
class LineFacts:
    """A line. ``takts`` are the required ones of its targets, in seconds; ``titles`` are its stations'."""

    takts: dict[str, float | None] = field(default_factory=dict)
    takt: float | None = None
    probability: float | None = None
    provisional: bool | None = None
    verdict: str | None = None
    found: str | None = None
    found_w: int = 0
    before: str | None = None
    lag: float | None = None
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def bottleneck(self) -> str | None:
        """Title of the station that was last found."""
        return None if self.found is None else self.titles.get(self.found, self.found)

    @property
    def previous(self) -> str | None:
        """Title of the one before it; empty if there was none, ``None`` if none was found at all."""
        if self.found is None:
            return None
        return "" if self.before is None else self.titles.get(self.before, self.before)

    def bottleneck_for(self, worked: int) -> float | None:
        """Working seconds since it was found."""
        return None if self.found is None else (worked - self.found_w) / _NS


@dataclass(slots=True)
class TargetFacts:
    """An annual target. ``told_on`` is the last working day on which there was a forecast."""

    done: float | None = None
    due: float | None = None
    units: float | None = None
    today: float | None = None
    behind: float | None = None
    behind_days: float | None = None
    left: float | None = None
    required_takt: float | None = None
    planned_takt: float | None = None
    probability: float | None = None
    units_low: float | None = None
    units_likely: float | None = None
    units_high: float | None = None
    takt_achieved: float | None = None
    hours_needed: float | None = None
    hours_left: float | None = None
    kits_limit: float | None = None
    told_on: int = 0
    rings: dict[str, Ring] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    smooth: dict[str, Smooth] = field(default_factory=dict)


@dataclass(slots=True)
class CommitmentFacts:
    """A commitment. ``told_on`` is the last working day on which there was a forecast."""

    done: float | None = None
    units: float | None = None
    left: float | None = None
    margin_days: float | None = None
    required_takt: float | None = None
    probability: float | None = None
    told_on: int = 0
    rings: dict[str, Ring] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    smooth: dict[str, Smooth] = field(default_factory=dict)


@dataclass(slots=True)
class KitFacts:
    """A kit."""

    stock: float | None = None
    needed_next_day: float | None = None
    arriving: float | None = None
    short: float | None = None
    runs_out: str | None = None
    runs_out_ns: int | None = None

    def runs_out_in(self, moment: Moment) -> float | None:
        """Wall seconds until the last one is used."""
        return None if self.runs_out_ns is None else (self.runs_out_ns - moment.now) / _NS


@dataclass(slots=True)
class ConnectionFacts:
    """A connection."""

    up: bool | None = None
    since_ns: int = 0
    warning: str | None = None

    @property
    def unsafe(self) -> bool | None:
        """Whether there is a warning about it; ``None`` until it was up for the first time."""
        return None if self.warning is None else self.warning != ""

    def down_for(self, moment: Moment) -> float | None:
        """Wall seconds for which it has been down; 0 if it is up."""
        if self.up is None:
            return None
        return 0.0 if self.up else (moment.now - self.since_ns) / _NS


Facts = StationFacts | LineFacts | TargetFacts | CommitmentFacts | KitFacts | ConnectionFacts
"""What is known of any subject."""


@dataclass(slots=True)
class Memory:
    """All facts, by subject (stations as ``line/station``) and line."""

    station: dict[str, StationFacts] = field(default_factory=dict)
    target: dict[str, TargetFacts] = field(default_factory=dict)
    commitment: dict[str, CommitmentFacts] = field(default_factory=dict)
    kit: dict[str, KitFacts] = field(default_factory=dict)
    connection: dict[str, ConnectionFacts] = field(default_factory=dict)
    line: dict[str, LineFacts] = field(default_factory=dict)
