"""Events into facts."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

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
from linecontrol.rules.facts import Memory, StationFacts
from linecontrol.rules.moment import Moment

FOUND = 0.6
"""A station with this probability, of a verdict that isn't provisional, is the bottleneck until another one is."""

Moments = Mapping[str, Moment]
"""The present of each line."""


CHANGED, SEEN = 1, 2
"""What folding an event at a station tells: facts changed; also whether the station can be seen."""
_UNOBSERVED = StationState.UNOBSERVED


# --- at a station: takes an event in at a working time; 0 if it says nothing new --------------------------------


def _state(facts: StationFacts, moment: Moment, event: StateChanged | StateHeld, worked: int) -> int:
    if event.state is _UNOBSERVED:
        change = 0 if facts.observed is False else SEEN
        facts.observed, facts.state = False, None
        return change
    change = 0 if facts.observed else _sight(facts, worked)
    state = event.state._value_
    if facts.state != state:
        since_ns = event.since_ns if event.__class__ is StateHeld else event.at_ns
        facts.state, facts.state_w = state, worked if since_ns == moment.present.now else moment.worked_at(since_ns)
    elif facts.unit == event.unit and facts.product == event.product:
        return change
    facts.unit, facts.product = event.unit, event.product
    return change or CHANGED


def _started(facts: StationFacts, moment: Moment, event: CycleStarted | CycleProgress, worked: int) -> int:
    change = _sight(facts, worked) if facts.observed is None else CHANGED
    start_w = worked if event.at_ns == moment.present.now else moment.worked_at(event.at_ns)
    if event.__class__ is CycleProgress:
        start_w -= round(event.active_s * 1e9)
    facts.start_w, facts.cycling, facts.planned = start_w, True, event.planned_s
    facts.unit, facts.product = event.unit, event.product
    return change


def _ended(facts: StationFacts, moment: Moment, event: CycleEnded, worked: int) -> int:
    change = _sight(facts, worked) if facts.observed is None else 0
    if not facts.cycling:
        return change
    facts.cycling = False
    return change or CHANGED


def _completed(facts: StationFacts, moment: Moment, event: CycleCompleted, worked: int) -> int:
    change = _sight(facts, worked) if facts.observed is None else CHANGED
    facts.cycling = False
    facts.completed_w = worked if event.at_ns == moment.present.now else moment.worked_at(event.at_ns)
    day = moment.day
    facts.completed = facts.completed + 1 if facts.completed_day == day else 1
    facts.completed_day = day
    facts.product = event.product
    if event.planned_s is not None:
        facts.planned = event.planned_s
    return change


def _andon(facts: StationFacts, moment: Moment, event: AndonCalled, worked: int) -> int:
    change = _sight(facts, worked) if facts.observed is None else 0
    if facts.andon is event.active:
        return change
    facts.andon = event.active
    return change or CHANGED


def _sampled(facts: StationFacts, moment: Moment, event: Sampled, worked: int) -> int:
    if not isfinite(event.value):  # would be greater and less than nothing, and put windows out of order
        return 0
    facts.tags[event.name] = event.value
    return CHANGED


def _sight(facts: StationFacts, worked: int) -> int:
    facts.observed = True
    if facts.completed_w is None:
        facts.completed_w = worked
    return SEEN


# --- elsewhere: takes an event in; the places that it touched --------------------------------------------------


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
    places: list[str] = []
    if (facts := memory.target.get(event.target)) is not None:
        facts.done, facts.due, facts.units = float(event.done), event.due, float(event.units)
        facts.today, facts.left = float(event.today), float(event.left)
        facts.behind, facts.behind_days = -event.ahead_units, -event.ahead_days
        facts.required_takt, facts.planned_takt = event.takt_required_s, event.takt_planned_s
        places.append(f"target {event.target}")
    if (line := memory.line.get(event.line)) is not None:
        line.takts[event.target] = event.takt_required_s
        takt = min((takt for takt in line.takts.values() if takt is not None), default=None)
        if takt != line.takt:
            line.takt = takt
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


AT_STATIONS: dict[type[Event], Callable[[StationFacts, Moment, Any, int], int]] = {
    StateChanged: _state,
    StateHeld: _state,
    CycleStarted: _started,
    CycleEnded: _ended,
    CycleProgress: _started,
    CycleCompleted: _completed,
    AndonCalled: _andon,
    Sampled: _sampled,
}
"""The events at stations that are of interest, and what takes them in."""

ELSEWHERE: dict[type[Event], Callable[[Memory, Moments, Any], Sequence[str]]] = {
    BottleneckUpdated: _bottleneck,
    LedgerUpdated: _ledger,
    CommitmentUpdated: _commitment,
    KitStockChanged: _kit,
    TargetForecast: _forecast,
    CommitmentForecast: _promise,
    KitForecast: _supply,
    LagExplained: _lag,
    LinkChanged: _link,
}
"""The other events that are of interest, and what takes them in."""
