"""Events into facts. Returns the places that an event touched: subjects as ``kind name``, lines as ``line name``."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from linecontrol.model import (
    AndonCalled,
    AnyEvent,
    BottleneckUpdated,
    CommitmentUpdated,
    CycleCompleted,
    CycleEnded,
    CycleProgress,
    CycleStarted,
    Event,
    KitStockChanged,
    LedgerUpdated,
    LinkChanged,
    Sampled,
    StateChanged,
    StateHeld,
    StationState,
)
from linecontrol.rules.facts import Memory, StationFacts
from linecontrol.rules.moment import Moment

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
    return (f"station {event.line}/{event.station}",)


def _bottleneck(memory: Memory, moments: Moments, event: BottleneckUpdated) -> Sequence[str]:
    suspects = {suspect.station: suspect.probability for suspect in event.suspects}
    prefix = f"{event.line}/"
    for name, facts in memory.station.items():
        if name.startswith(prefix):
            facts.bottleneck = suspects.get(name.removeprefix(prefix), 0.0)
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
    LinkChanged: _link,
    Sampled: _sampled,
}
"""The events that are of interest, and what takes them in."""
