"""One station: its state, its running cycle, what that lost, and what happened while nobody looked."""

from collections.abc import Mapping

from linecontrol.config import CycleBy, Meaning, Role
from linecontrol.line.codes import StateCodes
from linecontrol.line.cycles import Cycles, StationPlace, seconds
from linecontrol.line.marks import CycleSignals
from linecontrol.line.memory import StationMemory
from linecontrol.line.values import essential_roles
from linecontrol.model import (
    AnyEvent,
    CycleProgress,
    StateChanged,
    StateHeld,
    StationState,
    StationUnobserved,
    Timing,
    Value,
)

_STATES = {
    Meaning.WORKING: StationState.WORKING,
    Meaning.COMPLETE: StationState.BLOCKED,
    Meaning.BLOCKED: StationState.BLOCKED,
    Meaning.STARVED: StationState.STARVED,
    Meaning.DOWN: StationState.DOWN,
    Meaning.SETUP: StationState.SETUP,
    Meaning.IDLE: StationState.IDLE,
}


class StationTracker:
    """Folds a station's values, an instant at a time, into events."""

    def __init__(self, place: StationPlace) -> None:
        """Memory stays where ``place`` has it."""
        self.line, self.name, self.index, self.config = place.line, place.name, place.index, place.config
        self._calendar, self._flow, self._line = place.calendar, place.flow, place.memory
        self._codes = StateCodes(self.config)
        self._signals = CycleSignals(self.config, self._codes)
        self._cycles = Cycles(place, self._signals)
        self.essential = essential_roles(self.config)

    @property
    def memory(self) -> StationMemory:
        """What is known of the station."""
        return self._line.stations[self.name]

    # --- what comes in --------------------------------------------------------------------------------------

    def apply(self, at_ns: int, changes: Mapping[Role, Value]) -> list[AnyEvent]:
        """All values that became known at one instant, together. ``None`` means that a value is not known now."""
        memory = self.memory
        at_ns = max(at_ns, memory.last_ns)
        memory.last_ns = at_ns
        old = dict(memory.values)
        memory.values.update(changes)
        self._cycles.labels.note(old)
        if any(memory.values.get(role) is None for role in self.essential):
            lost = [role for role in self.essential if memory.values.get(role) is None]
            return self.lose(at_ns, f"no good value of {', '.join(lost)}")
        out: list[AnyEvent] = []
        if memory.state is StationState.UNOBSERVED:
            self._recover(at_ns, out)
        else:
            if not self._line.on_shift and not memory.overtime and self._signals.in_work(memory.values):
                memory.overtime = any(changes.get(role, old[role]) != old[role] for role in self.essential)
            self._follow(at_ns, old, out)
        self._cycles.heed(at_ns, out)
        self._enter(self._derive(), at_ns, out)
        return out

    def lose(self, at_ns: int, reason: str) -> list[AnyEvent]:
        """From now on nobody sees what the station does."""
        memory = self.memory
        out: list[AnyEvent] = []
        if memory.state is not StationState.UNOBSERVED:
            at_ns = max(at_ns, memory.last_ns)
            memory.last_ns = at_ns
            memory.gap_ns, memory.gap_reason = at_ns, reason
            memory.restart_ns = None
            self._cycles.flush(out)
            self._enter(StationState.UNOBSERVED, at_ns, out)
        return out

    def forget(self, role: Role) -> None:
        """A value is not known any more (its link is down)."""
        self.memory.values[role] = None

    def shift_changed(self, at_ns: int) -> list[AnyEvent]:
        """A shift began or ended."""
        out: list[AnyEvent] = []
        self.memory.overtime = False
        if self.memory.state is not StationState.UNOBSERVED:
            self._enter(self._derive(), at_ns, out)
        return out

    def settle(self, at_ns: int, patience_ns: int) -> list[AnyEvent]:
        """What was left open, because readings may come late, is decided after ``patience_ns``."""
        memory = self.memory
        out: list[AnyEvent] = []
        self._cycles.settle(at_ns, out)
        if memory.restart_ns is not None and memory.restart_ns + patience_ns <= at_ns:
            self._cycles.restart(out)
        if memory.claim_ns is not None and memory.claim_ns + patience_ns <= at_ns:
            presumed = memory.cycle is not None and memory.cycle.presumed
            if not presumed and not self._flow.is_unseen(self.index - 1):
                self._flow.give_up(self.index, self._cycles.product())
        return out

    def progress(self, at_ns: int) -> list[AnyEvent]:
        """Where the running cycle stands, if one runs."""
        cycle = self.memory.cycle
        if cycle is None or cycle.doubted or cycle.start_ns >= at_ns:
            return []
        if self.memory.state in (StationState.UNOBSERVED, StationState.OFF_SHIFT):
            return []
        self._cycles.plan(cycle)
        unit = cycle.unit
        return [
            CycleProgress(
                at_ns=at_ns,
                line=self.line,
                station=self.name,
                unit=unit.id if unit else None,
                unit_inferred=unit is None or unit.inferred,
                product=unit.product if unit else None,
                start_ns=cycle.start_ns,
                active_s=max(0.0, seconds(self._calendar.working_ns(cycle.start_ns, at_ns))),
                planned_s=None if cycle.planned_ns is None else seconds(cycle.planned_ns),
            )
        ]

    def heartbeat(self, at_ns: int) -> AnyEvent:
        """The state, once more."""
        memory = self.memory
        unit = memory.cycle.unit if memory.cycle else None
        return StateHeld(
            at_ns=max(at_ns, memory.since_ns),
            line=self.line,
            station=self.name,
            state=memory.state,
            since_ns=memory.since_ns,
            unit=unit.id if unit else None,
            product=unit.product if unit else None,
        )

    # --- cycles ---------------------------------------------------------------------------------------------

    def _follow(self, at_ns: int, old: Mapping[Role, Value], out: list[AnyEvent]) -> None:
        memory = self.memory
        in_cycle = memory.cycle is not None and not memory.cycle.doubted
        marks = self._signals.edges(old, memory.values, in_cycle=in_cycle)
        if memory.cycle is not None and old.get(Role.CYCLE_START) is True and not memory.values.get(Role.CYCLE_START):
            memory.pulsed = memory.pulsed or not memory.values.get(Role.CYCLE_COMPLETE)
        if memory.cycle is not None and not self._signals.counted and self._signals.resumed(old, memory.values):
            memory.cycle.resumed_ns = at_ns
        steps = self._cycles.count(at_ns, out).delta
        if memory.restart_ns is not None and self._signals.at_rest(memory.values):
            memory.restart_ns = None
        if memory.cycle is not None and memory.cycle.presumed and not steps and self._signals.at_rest(memory.values):
            memory.cycle.doubted = True
        elif marks.ended:
            if memory.cycle is not None:
                self._cycles.end(at_ns, Timing.MEASURED, out)
                memory.ends_ahead += 1
            elif memory.restart_ns is None and not self._signals.counted:
                self._cycles.slip(at_ns, 1, "an end without a start", out)
            memory.restart_ns = None
            if self._signals.starts_at_end:
                self._cycles.start(at_ns, Timing.MEASURED, out)
        if marks.started and memory.restart_ns is not None:  # no rest was seen since: the work only paused
            self._cycles.restart(out)
        elif marks.started:
            if memory.cycle is not None and memory.cycle.doubted:
                self._cycles.start_after_all(at_ns)
            else:
                if memory.cycle is not None:
                    text = "a start while a cycle was running"
                    self._cycles.anomaly(at_ns, Role.CYCLE_START, "missed_edge", text, out)
                    self._cycles.end(at_ns, Timing.PARTIAL, out)
                    memory.ends_ahead += 1
                self._cycles.start(at_ns, Timing.MEASURED, out)
        if not self._signals.counted:
            memory.ends_ahead = 0
        elif steps:
            self._audit(at_ns, steps, just_started=marks.started, out=out)
        elif memory.ends_ahead > 1:
            self._cycles.anomaly(
                at_ns, Role.CYCLE_COUNT, "missed_edge", "cycles ended that the counter did not count", out
            )
            memory.ends_ahead = 1

    def _audit(self, at_ns: int, steps: int, *, just_started: bool, out: list[AnyEvent]) -> None:
        """The counter stepped: it is the authority on how many cycles there were."""
        memory = self.memory
        unseen = steps - memory.ends_ahead
        memory.ends_ahead = max(0, -unseen)
        if unseen <= 0:
            return
        if memory.restart_ns is not None:
            self._cycles.restart(out)
        if memory.cycle is not None and not just_started:
            self._cycles.end(at_ns, Timing.MEASURED if unseen == 1 else Timing.PARTIAL, out)
            unseen -= 1
        if unseen:
            self._cycles.slip(at_ns, unseen, "the counter counted more cycles than were seen", out)
        if memory.cycle is None:
            if self._signals.starts_at_end:
                self._cycles.start(at_ns, Timing.MEASURED, out)
            elif self._signals.goes_on and self._signals.in_work(memory.values):
                memory.restart_ns = at_ns

    def _recover(self, at_ns: int, out: list[AnyEvent]) -> None:
        """The station is seen again: what can be known of the gap is recorded, the rest is marked."""
        memory = self.memory
        if memory.gap_ns is not None:
            gone = self._calendar.working_ns(memory.gap_ns, at_ns)
            out.append(
                StationUnobserved(
                    at_ns=at_ns,
                    line=self.line,
                    station=self.name,
                    start_ns=memory.gap_ns,
                    unobserved_s=seconds(gone),
                    reason=memory.gap_reason,
                )
            )
        elif isinstance(level := memory.values.get(Role.BUFFER_LEVEL), int) and self.index:
            self._flow.seed(self.index, level)
        in_work = self._signals.in_work(memory.values)
        step = self._cycles.count(at_ns, out)
        unseen = step.delta - memory.ends_ahead
        memory.ends_ahead = max(0, -unseen)
        if memory.cycle is not None:
            over = self._is_over(in_work=in_work, unseen=unseen)
            if over and memory.cycle.presumed and unseen < 1:
                memory.cycle.doubted = True
            elif over:
                self._cycles.end(at_ns, Timing.PARTIAL, out)
                if unseen >= 1:
                    unseen -= 1
                elif self._signals.counted and step.kind != "counter_reset":
                    memory.ends_ahead += 1
            elif not self._signals.counted:
                memory.cycle.timing = Timing.PARTIAL
        if unseen >= 1:
            self._cycles.slip(at_ns, unseen, "cycles that ended unobserved", out)
        if not self._signals.counted:
            self._flow.forgive(self.index)
        if memory.cycle is None and in_work:
            doubtful = self._signals.counted and not self._signals.goes_on
            self._cycles.start(at_ns, Timing.PARTIAL, out, presumed=doubtful, found=True)

    def _is_over(self, *, in_work: bool, unseen: int) -> bool:
        cycle = self.memory.cycle
        named = self.memory.values.get(Role.UNIT_ID)
        if unseen >= 1:
            return True
        if cycle is not None and cycle.unit is not None and not cycle.unit.inferred and named:
            return named != cycle.unit.id or (not in_work and not self.memory.pulsed)
        return not in_work and not self.memory.pulsed and not self._signals.by_count

    # --- states ---------------------------------------------------------------------------------------------

    def _derive(self) -> StationState:
        memory, values = self.memory, self.memory.values
        if not self._line.on_shift and not memory.overtime:
            return StationState.OFF_SHIFT
        if Role.STATE in self.config.signals:
            meaning = self._codes.meaning(values.get(Role.STATE))
            return StationState.IDLE if meaning is None else _STATES[meaning]
        if values.get(Role.FAULT):
            return StationState.DOWN
        if values.get(Role.BLOCKED):
            return StationState.BLOCKED
        if values.get(Role.STARVED):
            return StationState.STARVED
        if Role.RUNNING in self.config.signals and values.get(Role.RUNNING) is not None:
            return StationState.WORKING if values[Role.RUNNING] else StationState.IDLE
        if (memory.cycle is not None and not memory.cycle.doubted) or memory.restart_ns is not None:
            return StationState.WORKING
        waiting = self.config.cycle_by is CycleBy.START_COMPLETE and values.get(Role.CYCLE_COMPLETE)
        return StationState.BLOCKED if waiting else StationState.IDLE

    def _enter(self, state: StationState, at_ns: int, out: list[AnyEvent]) -> None:
        memory = self.memory
        self._complain_of_code(at_ns, out)
        if state is memory.state:
            return
        at_ns = max(at_ns, memory.since_ns)
        self._cycles.account(at_ns)
        unit = memory.cycle.unit if memory.cycle else None
        shift = self._calendar.shift_at(at_ns)
        out.append(
            StateChanged(
                at_ns=at_ns,
                line=self.line,
                station=self.name,
                state=state,
                previous=memory.state,
                since_ns=memory.since_ns,
                previous_s=seconds(self._calendar.working_ns(memory.since_ns, at_ns)),
                shift=shift.name if shift else "",
                unit=unit.id if unit else None,
                product=unit.product if unit else None,
            )
        )
        memory.state, memory.since_ns = state, at_ns

    def _complain_of_code(self, at_ns: int, out: list[AnyEvent]) -> None:
        code = self.memory.values.get(Role.STATE)
        if Role.STATE in self.config.signals and code is not None and self._codes.meaning(code) is None:
            self._cycles.anomaly(
                at_ns, Role.STATE, "unknown_code", f"state {code!r} is in no table of codes", out, code
            )
