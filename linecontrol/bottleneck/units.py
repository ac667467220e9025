"""Which unit a recorded cycle was about: by its name, else by the order in which units come.

Names may be missing at a start, inferred, or replaced by what a signal says further down; the order of the flow then
decides, as in ``line.flow``.
"""

from msgspec.structs import replace

from linecontrol.bottleneck.memory import Finished, RecordMemory, StationMemory, UnitNote, Waiting
from linecontrol.model import StationState

KEEP = 800
"""Units that left the line whose passages are kept."""
OVERTAKEN = 3
"""A unit that so many have overtaken is not coming any more."""


class Units:
    """The units of one line's record."""

    def __init__(self, memory: RecordMemory) -> None:
        """Works on ``memory``."""
        self._memory = memory
        self._by_name = {name: unit for unit, note in memory.units.items() for name in note.names}

    def arriving(self, index: int, name: str | None, product: str | None) -> int | None:
        """The unit whose cycle starts at a station; ``None`` if only its end will show which one it is."""
        unit = self._named(index, name)
        if unit is None:
            waiting = self._memory.stations[index].waiting
            unit = waiting[0].unit if waiting else None
        if unit is None and (name is not None or index == 0):
            unit = self._new()
        if unit is not None:
            self._take(index, unit)
            self._note(unit, name, product)
        return unit

    def done(self, index: int, name: str | None, product: str | None, expected: int | None) -> int:
        """The unit whose cycle ended at a station; ``expected`` is the one whose cycle was running."""
        unit = self._named(index, name)
        if unit is None:
            unit = expected
        elif expected not in (None, unit):
            self.put_back(index, expected)
        if unit is None:
            waiting = self._memory.stations[index].waiting
            unit = waiting[0].unit if waiting else self._unseen(index)
        if unit is None:
            unit = self._new()
        if unit != expected:
            self._take(index, unit)
        self._note(unit, name, product)
        return unit

    def passed(self, index: int, unit: int, passage: Finished) -> None:
        """A passage of the unit is over: it waits for the next station, or has left the line."""
        memory = self._memory
        memory.stations[index].finished.append(passage)
        note, complete = memory.units[unit], passage.start + passage.work
        memory.units[unit] = replace(note, passages=note.passages + 1, seen=max(note.seen, complete))
        if index + 1 == len(memory.stations):
            self._leave(unit)
            return
        following = memory.stations[index + 1]
        if following.running is not None and following.running.unit is None:
            following.running = replace(following.running, unit=unit)
        elif (following.running is None or following.running.unit != unit) and not _was_at(following, unit):
            following.waiting.append(Waiting(unit, complete))

    def put_back(self, index: int, unit: int | None) -> None:
        """A unit that was taken to be in work at a station is not: it waits, or there never was one."""
        if unit is None:
            return
        note = self._memory.units[unit]
        if note.passages:
            self._memory.stations[index].waiting.insert(0, Waiting(unit, note.seen))
        else:
            self._drop(unit)

    # --- within ---------------------------------------------------------------------------------------------

    def _named(self, index: int, name: str | None) -> int | None:
        """The unit of that name; a name that a station says twice in a row is stuck and names nothing."""
        unit = None if name is None else self._by_name.get(name)
        finished = self._memory.stations[index].finished
        return None if finished and finished[-1].unit == unit else unit

    def _unseen(self, index: int) -> int | None:
        """The nearest unit before a station, if nobody could see it come."""
        stations = self._memory.stations
        while index and stations[index - 1].state is StationState.UNOBSERVED:
            index -= 1
            running, waiting = stations[index].running, stations[index].waiting
            if running is not None and running.unit is not None:
                unit, stations[index].running = running.unit, None
                return unit
            if waiting:
                return waiting.pop(0).unit
        return None

    def _new(self) -> int:
        self._memory.last_unit += 1
        self._memory.units[self._memory.last_unit] = UnitNote((), None)
        return self._memory.last_unit

    def _note(self, unit: int, name: str | None, product: str | None) -> None:
        note = self._memory.units[unit]
        if name is not None and self._by_name.get(name) is None:
            self._by_name[name] = unit
            note = replace(note, names=(*note.names, name))
        self._memory.units[unit] = note if product is None else replace(note, product=product)

    def _take(self, index: int, unit: int) -> None:
        """The unit waits no more; those that came before it were overtaken."""
        station = self._memory.stations[index]
        if not station.waiting:
            return
        left: list[Waiting] = []
        ahead = True
        for each in station.waiting:
            if each.unit == unit:
                ahead = False
            elif ahead and each.passed + 1 >= OVERTAKEN:
                self._leave(each.unit)
            else:
                left.append(replace(each, passed=each.passed + 1) if ahead else each)
        station.waiting = left

    def _leave(self, unit: int) -> None:
        memory = self._memory
        note = memory.units[unit]
        if not note.gone:
            memory.units[unit] = replace(note, gone=True)
            memory.gone.append(unit)
        if len(memory.gone) > KEEP:
            self._drop(memory.gone.pop(0))

    def _drop(self, unit: int) -> None:
        memory = self._memory
        note = memory.units.pop(unit)
        for name in note.names:
            del self._by_name[name]
        left = note.passages
        for station in memory.stations:
            if station.finished and station.finished[0].unit == unit:
                del station.finished[0]
                left -= 1
            station.waiting = [each for each in station.waiting if each.unit != unit]
            if station.running is not None and station.running.unit == unit:
                station.running = replace(station.running, unit=None)
        for station in memory.stations if left else ():
            station.finished = [each for each in station.finished if each.unit != unit]
        memory.begin = max(memory.begin, note.seen)


def _was_at(station: StationMemory, unit: int) -> bool:
    """Whether a station has finished a unit, looking back on the last few."""
    return any(each.unit == unit for each in station.finished[-OVERTAKEN:])
