"""The record of one line: its events folded into who was where, from when to when.

What a station spent inside a cycle blocked, starved, idle or unseen is a wait for something from outside; breakdowns
and setup are its own stops. A cycle that was not seen from its start to its end has a wait ``unobserved``, be it of
no length: nobody measured what the station needed. One of which neither end was seen is that wait alone.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from linecontrol.bottleneck.memory import Dry, Finished, Parts, RecordMemory, Running, Spell, StationMemory
from linecontrol.bottleneck.units import Units
from linecontrol.calendar import WorkCalendar
from linecontrol.config import CycleBy, LineConfig, Role, StationConfig
from linecontrol.flowline.log import UNOBSERVED
from linecontrol.line.codes import StateCodes
from linecontrol.line.marks import CycleSignals
from linecontrol.model import (
    AnyEvent,
    CycleCompleted,
    CycleEnded,
    CycleStarted,
    KitStockChanged,
    StateChanged,
    StationState,
    Timing,
)

OPERATOR, MATERIAL, KIT, TRANSPORT = "operator", "material", "kit", "transport"
"""Causes from outside the line. A cycle that waits for its neighbours is ``blocked`` or has no ``material``."""
HANDOVER_MS = 300_000
"""A station that is starved no longer than this although its unit is ready is not waiting: the unit is being moved."""

_MS = 1_000_000
_WAITS = {
    StationState.BLOCKED: "blocked",
    StationState.STARVED: MATERIAL,
    StationState.IDLE: OPERATOR,
    StationState.UNOBSERVED: UNOBSERVED,
}
_STOPS = {StationState.DOWN: "down", StationState.SETUP: "setup"}
_BETWEEN = {**_STOPS, StationState.IDLE: OPERATOR, StationState.UNOBSERVED: UNOBSERVED}
_EMPTY = (StationState.STARVED, StationState.IDLE, StationState.WORKING, StationState.SETUP)
_SPELLS = 64


class Telling(Struct, frozen=True):
    """What the signals of a station can tell.

    Its state ``tells_leaving`` of a finished unit; an end of its cycle is the part's leaving (``ends_leaving``); a
    cycle that ``starts_at_end`` of the one before has the waiting for its unit in it.
    """

    tells_leaving: bool
    ends_leaving: bool
    starts_at_end: bool

    @classmethod
    def of(cls, station: StationConfig) -> "Telling":
        """That of a configured station."""
        codes, roles = StateCodes(station), station.signals
        by_word = Role.STATE in roles and codes.tells_blocked
        part = station.cycle_by is CycleBy.PART_PRESENT and Role.CYCLE_COUNT not in roles
        judged = station.cycle_by is not CycleBy.START_COMPLETE or Role.STARVED in roles or Role.RUNNING in roles
        by_bit = Role.BLOCKED in roles and judged  # else it counts as blocked until the next start
        return cls((by_word or by_bit) and not part, part, CycleSignals(station, codes).starts_at_end)


class LineRecord:
    """Folds the events of one line."""

    def __init__(self, line: LineConfig, calendar: WorkCalendar, kits: Mapping[str, str | None]) -> None:
        """``kits`` maps the line's products to their kits."""
        self._calendar, self._kits = calendar, kits
        self._index = {name: index for index, name in enumerate(line.stations)}
        self._telling = [Telling.of(station) for station in line.stations.values()]
        self._takes = {self._index[name] for name in line.takes_kits}
        self.remember(RecordMemory(list(line.stations), [StationMemory() for _ in line.stations]))
        self._folds: dict[type, Callable[[Any, int, int, StationMemory], None]] = {
            CycleStarted: self._started,
            CycleEnded: self._ended,
            CycleCompleted: self._completed,
            StateChanged: self._changed,
        }

    def remember(self, memory: RecordMemory) -> None:
        """Go on with ``memory``."""
        self.memory = memory
        self._units = Units(memory)

    def see(self, event: AnyEvent) -> None:
        """Take up an event of this line, or of a kit; others are of no interest."""
        if isinstance(event, KitStockChanged):
            self._stock(event)
        elif (fold := self._folds.get(type(event))) is not None:
            index = self._index[event.station]  # type: ignore[union-attr]
            fold(event, index, self.worked_ms(event.at_ns), self.memory.stations[index])

    def worked_ms(self, at_ns: int) -> int:
        """Working milliseconds since the origin, which is the start of the year before the first event's."""
        memory = self.memory
        if not memory.origin_ns:
            memory.origin_ns = self._calendar.day_start(date(self._calendar.day_of(at_ns).year - 1, 1, 1))
            memory.begin = self.worked_ms(at_ns)
            for station in memory.stations:
                station.since = memory.begin
        return self._calendar.working_ns(memory.origin_ns, at_ns) // _MS

    # --- events ---------------------------------------------------------------------------------------------

    def _started(self, event: CycleStarted, index: int, at: int, station: StationMemory) -> None:
        if self._telling[index].starts_at_end:
            return
        if station.running is not None:
            self._units.put_back(index, station.running.unit)
        station.running = Running(self._units.arriving(index, event.unit, event.product), at)

    def _ended(self, event: CycleEnded, index: int, at: int, station: StationMemory) -> None:
        station.ended = at
        self._watch(index, at, station)

    def _completed(self, event: CycleCompleted, index: int, at: int, station: StationMemory) -> None:
        telling = self._telling[index]
        running, station.running = station.running, None
        unit = self._units.done(index, event.unit, event.product, None if running is None else running.unit)
        if station.ended is None:
            self._watch(index, at, station)
        stay = None if station.left is None else max(station.left - at, 0)
        station.ended = station.left = None
        spent = {state: round(seconds * 1000) for state, seconds in event.lost_s.items()}
        waits = {cause: spent[state] for state, cause in _WAITS.items() if spent.get(state)}
        stops = {cause: spent[state] for state, cause in _STOPS.items() if spent.get(state)}
        ready = self.ready(index, unit)
        if event.start_ns is None:
            start = max(self.free(station), at if ready is None else ready)
            start, waits, stops = min(start, at), {UNOBSERVED: max(at - start, 0)}, {}
        else:
            start = min(self.worked_ms(event.start_ns), at)
            if event.timing is not Timing.MEASURED:
                waits.setdefault(UNOBSERVED, 0)
        if telling.ends_leaving:
            stay = min(waits.pop("blocked", 0), at - start)
            at -= stay
        if telling.starts_at_end:
            outside = sum(waits.pop(cause, 0) for cause in ("blocked", MATERIAL, OPERATOR))
            start = min(start + outside, at)
        before = self.before(index, start, ready, event.product)
        station.spells = [spell for spell in station.spells if spell.end > at]
        passage = Finished(unit, start, at - start, stay, waits or None, before or None, stops or None)
        self._units.passed(index, unit, passage)

    def _changed(self, event: StateChanged, index: int, at: int, station: StationMemory) -> None:
        if station.since < at and (event.previous in _BETWEEN or event.previous is StationState.STARVED):
            station.spells.append(Spell(event.previous, station.since, at))
            del station.spells[:-_SPELLS]
        station.state, station.since = event.state, at
        if not station.leaving:
            return
        if StationState.UNOBSERVED in (event.previous, event.state):
            station.leaving = False
        elif event.state in _EMPTY:
            self._depart(at, station)

    def _stock(self, event: KitStockChanged) -> None:
        at, dry = self.worked_ms(event.at_ns), self.memory.dry.get(event.kit)
        if event.stock <= 0 and (dry is None or dry.end is not None):
            self.memory.dry[event.kit] = Dry(at, None)
        elif event.stock > 0 and dry is not None and dry.end is None:
            self.memory.dry[event.kit] = replace(dry, end=at)

    # --- departures -----------------------------------------------------------------------------------------

    def _watch(self, index: int, at: int, station: StationMemory) -> None:
        """A unit is finished: from now on its departure is looked for."""
        station.left = None
        station.leaving = self._telling[index].tells_leaving and station.state is not StationState.UNOBSERVED
        if station.leaving and station.state is StationState.STARVED:
            station.left, station.leaving = at, False

    def _depart(self, at: int, station: StationMemory) -> None:
        station.leaving = False
        if station.ended is not None:
            station.left = at
        elif station.finished:
            last = station.finished[-1]
            station.finished[-1] = replace(last, stay=max(at - last.start - last.work, 0))

    # --- between two cycles ---------------------------------------------------------------------------------

    @staticmethod
    def free(station: StationMemory) -> int:
        """When a station was last known to be done with a unit; 0 if it never was."""
        if not station.finished:
            return 0
        last = station.finished[-1]
        return last.start + last.work + (last.stay or 0)

    def before(self, index: int, start: int, ready: int | None, product: str | None) -> Parts:
        """In which other states than working a station was before a start, by cause.

        Starved counts only while the unit was ready: then material is missing, or the kit that the unit takes here.
        """
        station = self.memory.stations[index]
        free = self.free(station)
        parts: Parts = {}
        for spell in _clipped([*station.spells, Spell(station.state, station.since, start)], free, start):
            if (cause := _BETWEEN.get(spell.state)) is not None:
                parts[cause] = parts.get(cause, 0) + spell.end - spell.start
        if ready is not None:
            starved = [s for s in station.spells if s.state is StationState.STARVED]
            if station.state is StationState.STARVED:
                starved.append(Spell(station.state, station.since, start))
            pieces = _clipped(starved, max(free, ready), start)
            missed = sum(spell.end - spell.start for spell in pieces)
            if missed > HANDOVER_MS:
                parts[KIT if index in self._takes and self._was_dry(product, pieces) else MATERIAL] = missed
        return parts

    def ready(self, index: int, unit: int) -> int | None:
        """When the unit was ready for a station: at the first one always; ``None`` if that was not seen."""
        if index == 0:
            return self.free(self.memory.stations[0])
        for passage in reversed(self.memory.stations[index - 1].finished[-_SPELLS:]):
            if passage.unit == unit:
                return passage.start + passage.work
        return None

    def _was_dry(self, product: str | None, pieces: list[Spell]) -> bool:
        """Whether the kit of the product was missing while a station waited; of an unknown product, any kit."""
        kits = self._kits.values() if product is None else [self._kits.get(product)]
        dry = [self.memory.dry[kit] for kit in kits if kit is not None and kit in self.memory.dry]
        return any(
            spell.start < (spell.end if each.end is None else each.end) and each.start < spell.end
            for spell in pieces
            for each in dry
        )


def _clipped(spells: Iterable[Spell], start: int, end: int) -> list[Spell]:
    """The parts of spells that lie between two moments."""
    cut = [Spell(each.state, max(each.start, start), min(each.end, end)) for each in spells]
    return [each for each in cut if each.start < each.end]
