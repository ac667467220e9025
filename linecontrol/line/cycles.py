"""The cycles of one station: they start, end, slip by unseen, and are charged for what they lost."""

from collections.abc import Mapping

from msgspec import Struct

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Role, StationConfig
from linecontrol.line.counter import STILL, CounterStep, counter_step, most_steps
from linecontrol.line.flow import UnitFlow
from linecontrol.line.labels import Labels
from linecontrol.line.marks import CycleSignals
from linecontrol.line.memory import EndedCycle, LineMemory, RunningCycle, StationMemory, Unit
from linecontrol.line.standards import Standards
from linecontrol.model import (
    Anomaly,
    AnyEvent,
    CycleCompleted,
    CycleEnded,
    CycleStarted,
    StationState,
    Timing,
    UnitCompleted,
    Value,
)

_S = 1e9


def seconds(ns: int) -> float:
    """Nanoseconds as seconds, to the millisecond: finer is noise in figures of hours."""
    return round(ns / _S, 3)


class StationPlace(Struct, frozen=True):
    """Which station of which line, and what it needs to know of its surroundings.

    ``products`` maps product codes to names, ``families`` names to families, ``family`` is the line's only one;
    ``fastest_ns`` is the shortest planned
    cycle time, ``count_bits`` the width of the cycle counter where it is known.
    """

    line: str
    name: str
    index: int
    config: StationConfig
    calendar: WorkCalendar
    standards: Standards
    flow: UnitFlow
    memory: LineMemory
    products: Mapping[Value, str]
    families: Mapping[str, str]
    family: str | None
    fastest_ns: int | None
    count_bits: int | None


class Cycles:
    """Keeps the running cycle of a station and says what became of it.

    A start is told once the names of its unit are there, an end once its figures are; without them, when readings
    can no longer be late.
    """

    def __init__(self, place: StationPlace, signals: CycleSignals) -> None:
        """Memory stays where ``place`` has it."""
        self.line, self.name, self.index, self.config = place.line, place.name, place.index, place.config
        self._calendar, self._standards, self._flow = place.calendar, place.standards, place.flow
        self._line, self._products, self._families = place.memory, place.products, place.families
        self._family = place.family
        self._bits, self._fastest, self._signals = place.count_bits, place.fastest_ns, signals
        self.labels = Labels(place.config, signals, set(place.products), lambda: self.memory)
        place.flow.tellers[place.index] = self.tell_end

    @property
    def memory(self) -> StationMemory:
        """What is known of the station."""
        return self._line.stations[self.name]

    def heed(self, at_ns: int, out: list[AnyEvent]) -> None:
        """Let names and figures that came after their edge have their effect."""
        memory, cycle = self.memory, self.memory.cycle
        if memory.ended is not None and self.labels.figures_in():
            self.tell_end(out)
        if memory.good is not None and memory.ended is None and cycle is None:
            text = "a unit was counted as good or rejected when no cycle was left that it could belong to"
            self.anomaly(at_ns, Role.GOOD_COUNT if memory.good else Role.REJECT_COUNT, "late_figure", text, out)
            memory.good = None
        if cycle is not None and cycle.unsettled and self.labels.names_in():
            self.tell_start(out)
        elif cycle is not None and cycle.resumed_ns is not None and self._is_another(cycle):
            text = "another unit is named, although no end of the one before was seen"
            self.anomaly(at_ns, Role.UNIT_ID, "missed_edge", text, out)
            self.end(cycle.resumed_ns, Timing.PARTIAL, out)
            self.start(cycle.resumed_ns, Timing.MEASURED, out)
        elif cycle is not None and not cycle.unsettled and cycle.unit is not None:
            late = [role for role in self.labels.fresh(self.labels.names) if role not in cycle.named]
            if late:
                self.labels.use(late)
                cycle.named += late
                named = self.labels.unit_id(late)
                cycle.unit = self._identify(cycle.unit, at_ns, named, self.product(at_ns, out), out)
                cycle.planned_ns = None
                self.plan(cycle)

    def _is_another(self, cycle: RunningCycle) -> bool:
        return Role.UNIT_ID in cycle.named and Role.UNIT_ID in self.labels.fresh(self.labels.names)

    def settle(self, at_ns: int, out: list[AnyEvent]) -> None:
        """All readings up to ``at_ns`` are in: tell what waited for some."""
        memory = self.memory
        if memory.ended is not None and memory.ended.at_ns <= at_ns:
            self.tell_end(out, waited=True)
        if memory.cycle is not None and memory.cycle.unsettled and memory.cycle.start_ns <= at_ns:
            self.tell_start(out)

    def flush(self, out: list[AnyEvent]) -> None:
        """Nothing more will be seen for a while: tell what waits with what is known of it."""
        self.tell_end(out)
        if self.memory.cycle is not None and self.memory.cycle.unsettled:
            self.tell_start(out)

    # --- starts and ends ------------------------------------------------------------------------------------

    def start(
        self, at_ns: int, timing: Timing, out: list[AnyEvent], *, presumed: bool = False, found: bool = False
    ) -> None:
        """A cycle starts; one that was ``found`` under way has the unit that is named now."""
        memory = self.memory
        if not self._signals.starts_at_end:
            self.tell_end(out)
        if found:
            self.labels.note_all()
        memory.cycle = RunningCycle(at_ns, at_ns, timing, None, None, presumed, unsettled=True)
        if self.labels.names_in():
            self.tell_start(out)

    def tell_start(self, out: list[AnyEvent]) -> None:
        """The running cycle has the unit that the flow says, or the one that a signal names.

        Where nothing tells when the work on a unit begins, only the end shows which one it was.
        """
        cycle = self.memory.cycle
        if cycle is None:
            return
        at_ns = cycle.start_ns
        cycle.unsettled, cycle.named = False, self.labels.fresh(self.labels.names)
        self.labels.use(cycle.named)
        named = self.labels.unit_id(cycle.named)
        product = self.product(at_ns, out)
        if not self._signals.starts_at_end or self.index == 0:
            measured = cycle.timing is Timing.MEASURED
            claim = measured or (self.index > 0 and self._flow.is_unseen(self.index - 1))
            cycle.unit = self._take(at_ns, named, product, out, claim=claim)
        unit = cycle.unit
        self.plan(cycle)
        out.append(
            CycleStarted(
                at_ns=at_ns,
                line=self.line,
                station=self.name,
                unit=unit.id if unit else None,
                unit_inferred=unit is None or unit.inferred,
                product=unit.product if unit else product,
                planned_s=None if cycle.planned_ns is None else seconds(cycle.planned_ns),
            )
        )
        if self.index:
            out.extend(self._flow.level(self.index - 1, at_ns))

    def start_after_all(self, at_ns: int) -> None:
        """A presumed cycle that was doubted had not begun: it does now. Nobody saw for sure, so it isn't measured."""
        cycle = self.memory.cycle
        if cycle is not None:
            cycle.start_ns = cycle.seen_ns = at_ns
            cycle.timing, cycle.presumed, cycle.doubted = Timing.PARTIAL, False, False
            cycle.lost_ns.clear()

    def _take(
        self, at_ns: int, named: str | None, product: str | None, out: list[AnyEvent], *, claim: bool
    ) -> Unit | None:
        unit = self._flow.take(self.index, at_ns, named=named, product=product, claim=claim)
        return unit and self._identify(unit, at_ns, named, product, out)

    def _identify(self, unit: Unit, at_ns: int, named: str | None, product: str | None, out: list[AnyEvent]) -> Unit:
        if named is not None:
            unit, contradictions = self._flow.name(self.index, unit, named, at_ns)
            out.extend(contradictions)
        if product is not None:
            unit.product = product
        return unit

    def end(self, at_ns: int, timing: Timing, out: list[AnyEvent]) -> None:
        """The running cycle ends; its timing is the worse one of its two ends."""
        memory, cycle = self.memory, self.memory.cycle
        if cycle is None:
            return
        self.tell_end(out)
        if cycle.unsettled:
            self.tell_start(out)
        self.account(at_ns)
        self.labels.use([role for role in self.labels.names if role not in cycle.named])
        self._flow.hurry(self.index, out)
        if memory.claim_ns is not None:
            self._flow.owe(self.index)
        elif cycle.unit is None and not self._signals.starts_at_end:
            cycle.unit = self._take(at_ns, None, self.product(at_ns, out), out, claim=False)
        memory.cycle = None
        memory.ended = EndedCycle(cycle, at_ns, max(timing, cycle.timing, key=list(Timing).index))
        if self.labels.figures_in():
            self.tell_end(out)
        else:
            out.append(CycleEnded(at_ns=at_ns, line=self.line, station=self.name))

    def tell_end(self, out: list[AnyEvent], *, waited: bool = False) -> None:
        """Tell of the cycle that ended, if there is one; ``waited`` for all that may have been under way."""
        memory = self.memory
        ended, memory.ended = memory.ended, None
        if ended is None:
            return
        cycle, at_ns, timing = ended.cycle, ended.at_ns, ended.timing
        fresh = self.labels.fresh(self.labels.figures)
        self.labels.use(fresh)
        if self._signals.starts_at_end:
            named = self.labels.unit_id(fresh)
            product = self.product(at_ns, out)
            if cycle.unit is None:
                cycle.unit = self._take(at_ns, named, product, out, claim=False)
            else:
                cycle.unit = self._identify(cycle.unit, at_ns, named, product, out)
                cycle.planned_ns = None
        if self.index:
            out.extend(self._flow.level(self.index - 1, at_ns))
        self.plan(cycle)
        start_ns, active_ns = cycle.start_ns, max(0, self._calendar.working_ns(cycle.start_ns, at_ns))
        lost = dict(cycle.lost_ns)
        believed = waited or not self._signals.counted or Role.CYCLE_TIME in fresh
        told = memory.values.get(Role.CYCLE_TIME) if self._signals.by_register and believed else None
        if isinstance(told, float) and told > 0:
            active_ns, timing = round(told * _S), Timing.MEASURED
            start_ns = max(self._calendar.back(at_ns, active_ns), memory.last_end_ns or 0)
            lost = {state: min(ns, active_ns) for state, ns in lost.items() if state is StationState.DOWN}
        memory.good = self.labels.judgement(waited=waited)
        self._complete(at_ns, cycle.unit, start_ns, active_ns, cycle.planned_ns, lost, timing, out)

    def slip(self, at_ns: int, cycles: int, text: str, out: list[AnyEvent]) -> None:
        """Cycles that happened although neither start nor end was seen."""
        self.tell_end(out)
        self.anomaly(at_ns, Role.CYCLE_COUNT, "missed_edge", f"{text} ({cycles})", out)
        for _ in range(cycles):
            unit = self._flow.take(self.index, at_ns, named=None, product=self.product(), claim=False)
            self._complete(at_ns, unit, None, None, None, {}, Timing.UNKNOWN, out)

    def _complete(
        self,
        at_ns: int,
        unit: Unit | None,
        start_ns: int | None,
        active_ns: int | None,
        planned_ns: int | None,
        lost: Mapping[StationState, int],
        timing: Timing,
        out: list[AnyEvent],
    ) -> None:
        memory = self.memory
        unit = unit or self._flow.new_unit(None, self.product(), None)
        if memory.good is not None:
            unit.good = memory.good and unit.good is not False
        shift = self._calendar.shift_at(at_ns)
        shift_name = shift.name if shift else ""
        out.append(
            CycleCompleted(
                at_ns=at_ns,
                line=self.line,
                station=self.name,
                unit=unit.id,
                unit_inferred=unit.inferred,
                product=unit.product,
                start_ns=start_ns,
                active_s=None if active_ns is None else seconds(active_ns),
                planned_s=None if planned_ns is None else seconds(planned_ns),
                lost_s={state: seconds(ns) for state, ns in sorted(lost.items()) if ns > 0},
                timing=timing,
                good=memory.good,
                shift=shift_name,
            )
        )
        memory.good = None
        memory.last_end_ns = at_ns
        out.extend(self._flow.give(self.index, unit, at_ns))
        if self._flow.is_last(self.index):
            out.append(
                UnitCompleted(
                    at_ns=at_ns,
                    line=self.line,
                    unit=unit.id,
                    unit_inferred=unit.inferred,
                    product=unit.product,
                    family=self._families.get(unit.product or "", self._family),
                    start_ns=unit.start_ns,
                    good=unit.good,
                    shift=shift_name,
                )
            )

    def restart(self, out: list[AnyEvent]) -> None:
        """The work that went on after a counted end was the next cycle."""
        memory = self.memory
        at_ns, memory.restart_ns = memory.restart_ns, None
        if at_ns is not None and memory.cycle is None:
            self.start(at_ns, Timing.MEASURED, out, presumed=True)

    def plan(self, cycle: RunningCycle) -> None:
        """Fill in the planned time as soon as the product is known."""
        if cycle.planned_ns is None and cycle.unit is not None:
            cycle.planned_ns = self._standards.planned_ns(self.name, cycle.unit.product, cycle.start_ns)

    def count(self, at_ns: int, out: list[AnyEvent]) -> CounterStep:
        """How far the cycle counter stepped since it was last known. One that was reset owes no earlier end."""
        memory = self.memory
        now = memory.values.get(Role.CYCLE_COUNT)
        if not isinstance(now, int):
            return STILL
        last = memory.counts.get(Role.CYCLE_COUNT)
        if last == now:
            return STILL
        elapsed, memory.count_ns = at_ns - memory.count_ns, at_ns
        memory.counts[Role.CYCLE_COUNT] = now
        if last is None:
            return STILL
        step = counter_step(last, now, self._bits, most_steps(elapsed, self._fastest))
        if step.kind:
            text = f"went from {last} to {now}; {step.delta} cycles counted"
            self.anomaly(at_ns, Role.CYCLE_COUNT, step.kind, text, out, now)
        if step.kind == "counter_reset":
            memory.ends_ahead = 0
        return step

    def product(self, at_ns: int = 0, out: list[AnyEvent] | None = None) -> str | None:
        """The product that the station names; the line's only one if there is but one."""
        code = self.memory.values.get(Role.PRODUCT)
        if Role.PRODUCT not in self.config.signals:
            only = set(self._products.values())
            return next(iter(only)) if len(only) == 1 else None
        product = self._products.get(code)
        if product is None and code not in (None, "", 0) and out is not None:
            known = ", ".join(repr(key) for key in self._products)
            self.anomaly(at_ns, Role.PRODUCT, "unknown_product", f"{code!r} is none of {known}", out, code)
        return product

    def account(self, at_ns: int) -> None:
        """Charge the running cycle's time since it was last looked at to the present state."""
        memory = self.memory
        cycle = memory.cycle
        if cycle is None or at_ns <= cycle.seen_ns:
            return
        if memory.state not in (StationState.WORKING, StationState.OFF_SHIFT):
            spent = self._calendar.working_ns(cycle.seen_ns, at_ns)
            if spent:
                cycle.lost_ns[memory.state] = cycle.lost_ns.get(memory.state, 0) + spent
        cycle.seen_ns = at_ns

    def anomaly(self, at_ns: int, role: Role, kind: str, text: str, out: list[AnyEvent], value: Value = None) -> None:
        """Record it; the same complaint about the same value only once."""
        if kind.startswith("unknown"):
            if self.memory.complained.get(kind) == value:
                return
            self.memory.complained[kind] = value
        out.append(
            Anomaly(
                at_ns=at_ns,
                line=self.line,
                station=self.name,
                signal=f"{self.line}/{self.name}/{role}",
                kind=kind,
                text=text,
                value=value,
            )
        )
