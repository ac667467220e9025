"""What every name means, worked out afresh from all that was ever told.

A fact is looked up by reading the history of its subject from the newest event back. Nothing is counted along, and
nothing is forgotten.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from linecontrol.model import (
    AndonCalled,
    AnyEvent,
    BottleneckUpdated,
    CommitmentForecast,
    CommitmentUpdated,
    CycleCompleted,
    CycleEnded,
    CycleProgress,
    CycleStarted,
    KitForecast,
    KitStockChanged,
    LagExplained,
    LedgerUpdated,
    LinkChanged,
    Sampled,
    StateChanged,
    StateHeld,
    TargetForecast,
)
from tests.unit.rules.naive.hours import Hours, S, Zone

STATES = (StateChanged, StateHeld)
BEGINS = (CycleStarted, CycleProgress)
CYCLES = (*BEGINS, CycleEnded, CycleCompleted)
SEEN = (*STATES, *CYCLES, AndonCalled)
"""What is told by a station that can be seen."""


class Sight:
    """Stands for a change of whether a station can be seen, whichever event tells of it."""


TOLD_BY: dict[str, dict[str, tuple[type, ...]]] = {
    "station": {
        "state": STATES,
        "state_for": STATES,
        "observed": (Sight,),
        "unit": (*STATES, *BEGINS),
        "product": (*STATES, *BEGINS, CycleCompleted),
        "planned": (*BEGINS, CycleCompleted),
        "running.planned": (*BEGINS, CycleCompleted),
        "running": (*CYCLES, Sight),
        "running.active": (*CYCLES, Sight),
        "running.progress": (*CYCLES, Sight),
        "since_cycle": (CycleCompleted, Sight),
        "andon": (AndonCalled, Sight),
        "cycles_today": (CycleCompleted, Sight),
        "shift": (),
    },
    "line": dict.fromkeys(
        ("bottleneck", "bottleneck_for", "previous", "probability", "provisional", "verdict"), (BottleneckUpdated,))
    | {"lag": (LagExplained,)},
    "target": dict.fromkeys(
        ("done", "due", "units", "today", "behind", "behind_days", "left", "required_takt", "planned_takt"),
        (LedgerUpdated,))
    | dict.fromkeys(
        ("probability", "units_low", "units_likely", "units_high", "takt_achieved", "hours_needed", "hours_left",
         "kits_limit"), (TargetForecast,)),
    "commitment": dict.fromkeys(("done", "units", "left", "margin_days", "required_takt"), (CommitmentUpdated,))
    | {"probability": (CommitmentForecast,)},
    "kit": dict.fromkeys(("stock", "needed_next_day", "arriving"), (KitStockChanged,))
    | dict.fromkeys(("short", "runs_out", "runs_out_in"), (KitForecast,)),
    "connection": dict.fromkeys(("up", "down_for", "unsafe", "warning"), (LinkChanged,)),
}  # fmt: skip
"""The events that move a name, by kind of subject."""
OF_LINE = {"takt": LedgerUpdated, "provisional": BottleneckUpdated, "bottleneck": BottleneckUpdated,
           "share": BottleneckUpdated, "gain": BottleneckUpdated}  # fmt: skip
"""Names of a station that are told of its line."""


TIMED = ("state_for", "shift", "running.active", "running.progress", "since_cycle", "cycles_today", "bottleneck_for",
         "runs_out_in", "down_for")  # fmt: skip
"""Names that time alone moves."""


class Layout(Struct, frozen=True):
    """The plant: its time zone, stations by line in their order, hours by line, tags by station, lines of the rest."""

    zone: Zone
    lines: dict[str, list[str]]
    hours: dict[str, Hours]
    tags: dict[str, tuple[str, ...]]
    targets: dict[str, str]
    commitments: dict[str, str]
    kits: list[str]
    connections: list[str]
    titles: dict[str, str]


class Told(Struct, frozen=True):
    """An event and the moment at which it was taken in."""

    event: Any
    at: int


class Plant:
    """The history of everything, and the present."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.now = 0
        self._told: dict[str, list[Told]] = {}
        self._known: dict[tuple[str, str], Any] = {}
        self._hours: dict[str, Hours] = {}

    def move(self, now: int) -> None:
        self.now = now
        self._known.clear()

    def take(self, event: AnyEvent) -> list[str]:
        """Note an event; the places that it tells something of."""
        places = places_of(event)
        for place in places:
            self._told.setdefault(place, []).append(Told(event, max(self.now, event.at_ns)))
        self.move(max(self.now, event.at_ns))
        return places

    def name(self, place: str, path: str) -> Any:
        """The value of a name of a subject (``station line/x``) now; ``None`` if unknown."""
        key = place, path
        if key not in self._known:
            kind, _, subject = place.partition(" ")
            self._known[key] = self._worked_out(kind, subject, path)
        return self._known[key]

    def hours(self, place: str) -> Hours:
        """The working time that counts for a subject."""
        if place not in self._hours:
            self._hours[place] = self.layout.hours[self.line(place) or next(iter(self.layout.hours))]
        return self._hours[place]

    def line(self, place: str) -> str:
        """The line that a subject belongs to; empty for what belongs to none."""
        kind, _, subject = place.partition(" ")
        lines = {
            "station": subject.partition("/")[0],
            "line": subject,
            "target": self.layout.targets.get(subject),
            "commitment": self.layout.commitments.get(subject),
        }
        return lines.get(kind) or ""

    def told(self, place: str, *kinds: type) -> list[Told]:
        """All events of some kinds that were ever told of a place."""
        return [told for told in self._told.get(place, ()) if isinstance(told.event, kinds)]

    def is_seen(self, place: str) -> bool | None:
        """Whether a station can be seen; ``None`` if it never was, and of other places."""
        seen: bool | None = self.name(place, "observed") if place.startswith("station ") else None
        return seen

    def facts(self, event: AnyEvent) -> Any:
        """What an event may say again without saying anything new; ``None`` of those that always do."""
        place = places_of(event)[-1]
        match event:
            case StateChanged() | StateHeld():
                return [self.name(place, path) for path in ("observed", "state", "unit", "product")]
            case CycleEnded():
                begun = self.newest(place, *CYCLES)
                return begun is not None and isinstance(begun.event, BEGINS)
            case AndonCalled():
                call = self.newest(place, AndonCalled)
                return call is not None and call.event.active
            case LedgerUpdated():
                return [self._takt(event.line)]
            case _:
                return None

    def newest(self, place: str, *kinds: type, where: Callable[[Any], bool] = lambda event: True) -> Told | None:
        """The last event of some kinds that was told of a place."""
        for told in reversed(self._told.get(place, ())):
            if isinstance(told.event, kinds) and where(told.event):
                return told
        return None

    def _worked_out(self, kind: str, subject: str, path: str) -> Any:
        table: dict[str, Callable[[str, str], Any]] = {
            "station": self._station, "line": self._line, "target": self._target, "commitment": self._commitment,
            "kit": self._kit, "connection": self._connection,
        }  # fmt: skip
        return table[kind](subject, path)

    # --- stations -------------------------------------------------------------------------------------------

    def _station(self, subject: str, path: str) -> Any:
        line = subject.partition("/")[0]
        place = f"station {subject}"
        hours = self.layout.hours[line]
        if path.startswith("tag."):
            told = self.newest(place, Sampled, where=lambda event: f"tag.{event.name}" == path)
            return None if told is None else told.event.value
        match path:
            case "shift":
                return hours.working(self.now)
            case "takt":
                return self._takt(line)
            case "provisional":
                return self._line(line, path)
            case "bottleneck" | "share" | "gain":
                return self._suspicion(line, subject.partition("/")[2], path)
            case "unit":
                told = self.newest(place, *STATES, *BEGINS, where=_in_sight)
                return None if told is None else told.event.unit
            case "product":
                told = self.newest(place, *STATES, *BEGINS, CycleCompleted, where=_in_sight)
                return None if told is None else told.event.product
            case "planned" | "running.planned":
                told = self.newest(place, *BEGINS, CycleCompleted, where=_has_plan)
                return None if told is None else told.event.planned_s
            case "cycles_today":
                return self._today(place)
            case _:
                return self._in_sight(place, hours, path)

    def _in_sight(self, place: str, hours: Hours, path: str) -> Any:
        """What is unknown while the station can't be seen."""
        state = self.newest(place, *STATES)
        first = next((told for told in self._told.get(place, ()) if isinstance(told.event, SEEN)), None)
        seen = None if first is None else state is None or _in_sight(state.event)
        if path == "observed" or not seen or first is None:
            return seen if path == "observed" else None
        begun = self.newest(place, *CYCLES)
        running = begun is not None and isinstance(begun.event, BEGINS)
        match path:
            case "state":
                return None if state is None else state.event.state.value
            case "state_for":
                since = self._since(place)
                return None if since is None else (hours.worked(self.now) - hours.worked(since)) / S
            case "andon":
                call = self.newest(place, AndonCalled)
                return call is not None and call.event.active
            case "running":
                return running
            case "since_cycle":
                last = self.newest(place, CycleCompleted)
                since = self._first_seen(place) if last is None else last.event.at_ns
                return (hours.worked(self.now) - hours.worked(since)) / S
            case "running.active":
                return self._active(begun, hours) if running else 0.0
            case "running.progress":
                planned = self.name(place, "planned")
                active = self._active(begun, hours)
                return (active / planned if planned else None) if running else 0.0
            case _:
                raise AssertionError(path)

    def _first_seen(self, place: str) -> int:
        """When a station could be seen for the first time, which it can now."""
        hidden = False
        for told in self._told[place]:
            hidden = not _in_sight(told.event) if isinstance(told.event, STATES) else hidden
            if isinstance(told.event, SEEN) and not hidden:
                return told.at
        raise AssertionError(place)

    def _active(self, begun: Told | None, hours: Hours) -> float:
        if begun is None:
            return 0.0
        before = round(begun.event.active_s * S) if isinstance(begun.event, CycleProgress) else 0
        return (hours.worked(self.now) - hours.worked(begun.event.at_ns) + before) / S

    def _since(self, place: str) -> int | None:
        """When the present state began: the first of the unbroken row of events that tell of it."""
        since = state = None
        for told in reversed(self._told[place]):
            event = told.event
            if isinstance(event, STATES):
                if state is not None and event.state != state:
                    break
                state = event.state
                since = event.at_ns if isinstance(event, StateChanged) else event.since_ns
        return since

    def _today(self, place: str) -> float | None:
        told = self._told.get(place, ())
        if not any(isinstance(each.event, SEEN) for each in told):
            return None
        cycles = [each for each in told if isinstance(each.event, CycleCompleted)]
        return float(sum(self.layout.zone.day_of(each.at) == self.layout.zone.day_of(self.now) for each in cycles))

    def _suspicion(self, line: str, station: str, path: str) -> float | None:
        told = self.newest(f"line {line}", BottleneckUpdated)
        if told is None:
            return None
        if path == "share":
            return told.event.shares.get(station)  # type: ignore[no-any-return]
        suspect = next((each for each in told.event.suspects if each.station == station), None)
        if path == "gain":
            return None if suspect is None else suspect.gain_units
        return 0.0 if suspect is None else suspect.probability

    def _takt(self, line: str) -> float | None:
        newest: dict[str, float | None] = {}
        for told in self._told.get(f"line {line}", ()):
            if isinstance(told.event, LedgerUpdated):
                newest[told.event.target] = told.event.takt_required_s
        return min((takt for takt in newest.values() if takt is not None), default=None)

    # --- others ---------------------------------------------------------------------------------------------

    def _line(self, subject: str, path: str) -> Any:
        place = f"line {subject}"
        if path == "lag":
            told = self.newest(place, LagExplained)
            return None if told is None else told.event.hours
        if path in ("probability", "provisional", "verdict"):
            told = self.newest(place, BottleneckUpdated, where=lambda event: bool(event.suspects))
            if told is None:
                return None
            return told.event.suspects[0].probability if path == "probability" else getattr(told.event, path)
        found: list[tuple[str, int]] = []
        for told in self._told.get(place, ()):
            event = told.event
            if isinstance(event, BottleneckUpdated) and event.suspects and not event.provisional:
                first = event.suspects[0]
                if first.probability >= 0.6 and (not found or found[-1][0] != first.station):
                    found.append((first.station, event.at_ns))
        if not found:
            return None
        titles = self.layout.titles
        if path == "bottleneck":
            return titles[f"{subject}/{found[-1][0]}"]
        if path == "previous":
            return titles[f"{subject}/{found[-2][0]}"] if len(found) > 1 else ""
        hours = self.layout.hours[subject]
        return (hours.worked(self.now) - hours.worked(found[-1][1])) / S

    def _target(self, subject: str, path: str) -> float | None:
        kind: type = LedgerUpdated if path in _LEDGER else TargetForecast
        told = self.newest(f"target {subject}", kind)
        if told is None:
            return None
        value = (_LEDGER | _FORECAST)[path](told.event)
        return None if value is None else float(value)

    def _commitment(self, subject: str, path: str) -> float | None:
        kind: type = CommitmentForecast if path == "probability" else CommitmentUpdated
        told = self.newest(f"commitment {subject}", kind)
        if told is None:
            return None
        event = told.event
        if path == "left":
            return float(event.units - event.done)
        value = event.takt_required_s if path == "required_takt" else getattr(event, path)
        return None if value is None else float(value)

    def _kit(self, subject: str, path: str) -> Any:
        place = f"kit {subject}"
        if path in ("stock", "needed_next_day", "arriving"):
            told = self.newest(place, KitStockChanged)
            return None if told is None else float(getattr(told.event, path))
        told = self.newest(place, KitForecast)
        if told is None:
            return None
        if path == "short":
            return float(told.event.short)
        until = told.event.runs_out_ns
        if path == "runs_out":
            return "" if until is None else _date(self.layout.zone.day_of(until))
        return None if until is None else (until - self.now) / S

    def _connection(self, subject: str, path: str) -> Any:
        place = f"connection {subject}"
        if path in ("warning", "unsafe"):
            told = self.newest(place, LinkChanged, where=lambda event: event.up)
            warning = None if told is None else told.event.warning
            return warning if path == "warning" or warning is None else warning != ""
        told = self.newest(place, LinkChanged)
        if told is None or path == "up":
            return None if told is None else told.event.up
        if told.event.up:
            return 0.0
        since = told.event.at_ns
        for each in reversed(self._told[place]):
            if each.event.up:
                break
            since = each.event.at_ns
        return (self.now - since) / S


_LEDGER: dict[str, Callable[[Any], Any]] = {
    "done": lambda event: event.done,
    "due": lambda event: event.due,
    "units": lambda event: event.units,
    "today": lambda event: event.today,
    "behind": lambda event: -event.ahead_units,
    "behind_days": lambda event: -event.ahead_days,
    "left": lambda event: event.left,
    "required_takt": lambda event: event.takt_required_s,
    "planned_takt": lambda event: event.takt_planned_s,
}
_FORECAST: dict[str, Callable[[Any], Any]] = {
    "probability": lambda event: event.probability,
    "units_low": lambda event: event.units_low,
    "units_likely": lambda event: event.units_likely,
    "units_high": lambda event: event.units_high,
    "takt_achieved": lambda event: event.takt_achieved_s,
    "hours_needed": lambda event: event.hours_needed,
    "hours_left": lambda event: event.hours_left,
    "kits_limit": lambda event: event.kits_limit,
}


def places_of(event: AnyEvent) -> list[str]:
    """The subjects of which an event tells."""
    match event:
        case LedgerUpdated():
            return [f"target {event.target}", f"line {event.line}"]
        case TargetForecast():
            return [f"target {event.target}"]
        case CommitmentUpdated() | CommitmentForecast():
            return [f"commitment {event.commitment}"]
        case KitStockChanged() | KitForecast():
            return [f"kit {event.kit}"]
        case LinkChanged():
            return [f"connection {event.connection}"]
        case BottleneckUpdated() | LagExplained():
            return [f"line {event.line}"]
        case (
            StateChanged() | StateHeld() | CycleStarted() | CycleProgress() | CycleEnded() | CycleCompleted()
            | AndonCalled() | Sampled()
        ):  # fmt: skip
            return [f"station {event.line}/{event.station}"]
        case _:
            return []


def _in_sight(event: Any) -> bool:
    return not isinstance(event, STATES) or event.state.value != "unobserved"


def _has_plan(event: Any) -> bool:
    return not isinstance(event, CycleCompleted) or event.planned_s is not None


def _date(day: int) -> str:
    """The day as ``YYYY-MM-DD`` (H. Hinnant, chrono-compatible date algorithms, civil_from_days)."""
    day += 719_468
    era = day // 146_097
    of_era = day - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    date = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return f"{year + era * 400 + (month <= 2):04d}-{month:02d}-{date:02d}"
