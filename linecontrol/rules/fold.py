"""Events into facts. Returns the places that an event touched: subjects as ``kind name``, samples with their tag.

A station's place with a tag behind it (``station line/x torque``) is touched by samples of that tag alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
from linecontrol.rules.facts import Memory, StationFacts
from linecontrol.rules.moment import Moment

FOUND = 0.6
"""A station with this probability, of a verdict that isn't provisional, is the bottleneck until another one is."""

Moments = Mapping[str, Moment]
"""The present of each line."""


def fold(memory: Memory, moments: Moments, event: AnyEvent) -> Sequence[str]:
    """Take an event in; the places whose facts it may have changed, none if it is of no interest."""
    folder = FOLDERS.get(type(event))
    return () if folder is None else folder(memory, moments, event)


def _sight(memory: Memory, moments: Moments, line: str, station: str) -> StationFacts | None:
    facts = memory.station.get(f"{line}/{station}")
    if facts is not None and facts.observed is None:
        facts.observed = True
        facts.completed_w = moments[line].worked
    return facts


def _state(memory: Memory, moments: Moments, event: StateChanged | StateHeld) -> Sequence[str]:
    facts = _sight(memory, moments, event.line, event.station)
    if facts is None:
        return ()
    facts.observed = event.state is not StationState.UNOBSERVED
    if facts.observed:
        since_ns = event.at_ns if isinstance(event, StateChanged) else event.since_ns
        if facts.state != event.state.value:
            facts.state = event.state.value
            facts.state_w = moments[event.line].worked_at(since_ns)
        facts.unit = event.unit
        facts.product = event.product
    else:
        facts.state = None
    return (f"station {event.line}/{event.station}",)


def _started(memory: Memory, moments: Moments, event: CycleStarted | CycleProgress) -> Sequence[str]:
    facts = _sight(memory, moments, event.line, event.station)
    if facts is None:
        return ()
    active_s = event.active_s if isinstance(event, CycleProgress) else 0.0
    facts.start_w = moments[event.line].worked_at(event.at_ns) - round(active_s * 1e9)
    facts.cycling = True
    facts.planned = event.planned_s
    facts.unit = event.unit
    facts.product = event.product
    return (f"station {event.line}/{event.station}",)


def _ended(memory: Memory, moments: Moments, event: CycleEnded) -> Sequence[str]:
    if (facts := _sight(memory, moments, event.line, event.station)) is None:
        return ()
    facts.cycling = False
    return (f"station {event.line}/{event.station}",)


def _completed(memory: Memory, moments: Moments, event: CycleCompleted) -> Sequence[str]:
    facts = _sight(memory, moments, event.line, event.station)
    if facts is None:
        return ()
    moment = moments[event.line]
    facts.cycling = False
    facts.completed_w = moment.worked_at(event.at_ns)
    facts.completed = facts.completed + 1 if facts.completed_day == moment.day else 1
    facts.completed_day = moment.day
    facts.product = event.product
    if event.planned_s is not None:
        facts.planned = event.planned_s
    return (f"station {event.line}/{event.station}",)


def _andon(memory: Memory, moments: Moments, event: AndonCalled) -> Sequence[str]:
    facts = _sight(memory, moments, event.line, event.station)
    if facts is None:
        return ()
    facts.andon = event.active
    return (f"station {event.line}/{event.station}",)


def _sampled(memory: Memory, moments: Moments, event: Sampled) -> Sequence[str]:
    facts = memory.station.get(f"{event.line}/{event.station}")
    if facts is None:
        return ()
    facts.tags[event.name] = event.value
    return (f"station {event.line}/{event.station} {event.name}",)


def _bottleneck(memory: Memory, moments: Moments, event: BottleneckUpdated) -> Sequence[str]:
    suspects = {suspect.station: suspect for suspect in event.suspects}
    prefix = f"{event.line}/"
    for name, facts in memory.station.items():
        if name.startswith(prefix):
            station = name.removeprefix(prefix)
            suspect = suspects.get(station)
            facts.bottleneck = 0.0 if suspect is None else suspect.probability
            facts.gain = None if suspect is None else suspect.gain_units
            facts.share = event.shares.get(station)
    line = memory.line.get(event.line)
    if line is not None and event.suspects:
        first = event.suspects[0]
        line.probability, line.provisional, line.verdict = first.probability, event.provisional, event.verdict
        if first.probability >= FOUND and not event.provisional and first.station != line.found:
            line.before, line.found = line.found, first.station
            line.found_w = moments[event.line].worked_at(event.at_ns)
    return (f"line {event.line}",)


def _lag(memory: Memory, moments: Moments, event: LagExplained) -> Sequence[str]:
    if (line := memory.line.get(event.line)) is None:
        return ()
    line.lag = event.hours
    return (f"line {event.line}",)


def _ledger(memory: Memory, moments: Moments, event: LedgerUpdated) -> Sequence[str]:
    places = []
    if (facts := memory.target.get(event.target)) is not None:
        facts.done, facts.due, facts.units = float(event.done), event.due, float(event.units)
        facts.today, facts.left = float(event.today), float(event.left)
        facts.behind, facts.behind_days = -event.ahead_units, -event.ahead_days
        facts.required_takt, facts.planned_takt = event.takt_required_s, event.takt_planned_s
        places.append(f"target {event.target}")
    if (line := memory.line.get(event.line)) is not None:
        line.takts[event.target] = event.takt_required_s
        line.takt = min((takt for takt in line.takts.values() if takt is not None), default=None)
        places.append(f"line {event.line}")
    return places


def _commitment(memory: Memory, moments: Moments, event: CommitmentUpdated) -> Sequence[str]:
    if (facts := memory.commitment.get(event.commitment)) is None:
        return ()
    facts.done, facts.units, facts.left = float(event.done), float(event.units), float(event.units - event.done)
    facts.margin_days, facts.required_takt = event.margin_days, event.takt_required_s
    return (f"commitment {event.commitment}",)


def _kit(memory: Memory, moments: Moments, event: KitStockChanged) -> Sequence[str]:
    if (facts := memory.kit.get(event.kit)) is None:
        return ()
    facts.stock, facts.arriving = float(event.stock), float(event.arriving)
    facts.needed_next_day = float(event.needed_next_day)
    return (f"kit {event.kit}",)


def _forecast(memory: Memory, moments: Moments, event: TargetForecast) -> Sequence[str]:
    if (facts := memory.target.get(event.target)) is None:
        return ()
    facts.probability, facts.takt_achieved = event.probability, event.takt_achieved_s
    facts.units_low, facts.units_likely, facts.units_high = event.units_low, event.units_likely, event.units_high
    facts.hours_needed, facts.hours_left = event.hours_needed, event.hours_left
    facts.kits_limit = None if event.kits_limit is None else float(event.kits_limit)
    return (f"target {event.target}",)


def _promise(memory: Memory, moments: Moments, event: CommitmentForecast) -> Sequence[str]:
    if (facts := memory.commitment.get(event.commitment)) is None:
        return ()
    facts.probability = event.probability
    return (f"commitment {event.commitment}",)


def _supply(memory: Memory, moments: Moments, event: KitForecast) -> Sequence[str]:
    if (facts := memory.kit.get(event.kit)) is None:
        return ()
    facts.short, facts.runs_out_ns = float(event.short), event.runs_out_ns
    moment = next(iter(moments.values()))  # for the day only: all lines share the time zone
    facts.runs_out = "" if event.runs_out_ns is None else moment.date_of(event.runs_out_ns)
    return (f"kit {event.kit}",)


def _link(memory: Memory, moments: Moments, event: LinkChanged) -> Sequence[str]:
    if (facts := memory.connection.get(event.connection)) is None:
        return ()
    if facts.up is not event.up:
        facts.up, facts.since_ns = event.up, event.at_ns
    if event.up:
        facts.warning = event.warning
    return (f"connection {event.connection}",)


FOLDERS: dict[type[Event], Callable[[Memory, Moments, Any], Sequence[str]]] = {
    StateChanged: _state,
    StateHeld: _state,
    CycleStarted: _started,
    CycleEnded: _ended,
    CycleProgress: _started,
    CycleCompleted: _completed,
    AndonCalled: _andon,
    BottleneckUpdated: _bottleneck,
    LedgerUpdated: _ledger,
    CommitmentUpdated: _commitment,
    KitStockChanged: _kit,
    TargetForecast: _forecast,
    CommitmentForecast: _promise,
    KitForecast: _supply,
    LagExplained: _lag,
    LinkChanged: _link,
    Sampled: _sampled,
}
"""The events that are of interest, and what takes them in."""
