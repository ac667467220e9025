"""Which unit is where: first in, first out between neighbouring stations, corrected by signals that name units.

A unit that no signal names gets a name of its own, marked as inferred. Where a station starts before its
predecessor's end was seen (their readings took different ways), the start *claims* the unit and gets it when the
end arrives. A unit that is finished before that is *owed*: the end that arrives later adds none.
"""

from collections.abc import Callable

from linecontrol.config import LineConfig, Role
from linecontrol.line.memory import LineMemory, StationMemory, Unit
from linecontrol.model import Anomaly, AnyEvent, BufferChanged, StationState


class UnitFlow:
    """The units of one line."""

    def __init__(self, name: str, config: LineConfig, memory: LineMemory) -> None:
        """``memory.queues[i]`` lies between the stations i and i + 1."""
        self._name = name
        self._memory = memory
        self._stations = list(config.stations)
        self._buffers = {
            self._stations.index(buffer.after): (buffer_name, buffer.capacity)
            for buffer_name, buffer in config.buffers.items()
            if buffer.after in config.stations
        }
        self.tellers: dict[int, Callable[[list[AnyEvent]], None]] = {}
        """By station: tells of a cycle that ended and waits for its figures."""
        self._signalled = {
            index - 1
            for index, station in enumerate(config.stations.values())
            if Role.BUFFER_LEVEL in station.signals and index > 0
        }

    def is_last(self, index: int) -> bool:
        """Whether a unit leaves the line after this station."""
        return index == len(self._stations) - 1

    def take(self, index: int, at_ns: int, *, named: str | None, product: str | None, claim: bool) -> Unit | None:
        """The unit that a station takes in; ``None`` if it was claimed from the station before."""
        queue = self._memory.queues[index - 1] if index else []
        if queue:
            unit = queue.pop(0)
        elif claim and index and self._is_coming(index - 1):
            self._station(index).claim_ns = at_ns
            return Unit(named, inferred=False, product=product, start_ns=None) if named else None
        else:
            if index and self.is_unseen(index - 1):
                self._memory.owed[index - 1] += 1
            unit = self.new_unit(named, product, at_ns if index == 0 else None)
        if unit.product is None:
            unit.product = product
        return unit

    def name(self, index: int, unit: Unit, named: str, at_ns: int) -> tuple[Unit, list[AnyEvent]]:
        """The unit that is really there when a signal names it, and what that contradicts."""
        if unit.id == named:
            unit.inferred = False
            return unit, []
        if unit.inferred:
            unit.id, unit.inferred = named, False
            return unit, []
        queue = self._memory.queues[index - 1] if index else []
        for place, other in enumerate(queue):
            if other.id == named:
                queue[place] = unit
                queue.insert(0, queue.pop(place))
                return other, [self._mismatch(index, at_ns, named, f"unit {named} came before {unit.id}")]
        text = f"unit {named} is here where {unit.id} was expected"
        return Unit(named, inferred=False, product=unit.product, start_ns=None), [
            self._mismatch(index, at_ns, named, text)
        ]

    def give(self, index: int, unit: Unit, at_ns: int) -> list[AnyEvent]:
        """A station is done with a unit; it waits for the next station, or was claimed by it."""
        if self.is_last(index):
            return []
        if self._memory.owed[index]:
            self._memory.owed[index] -= 1
            return []
        waiting = self._station(index + 1)
        if waiting.claim_ns is not None:
            waiting.claim_ns = None
            if waiting.cycle is not None:
                known = waiting.cycle.unit
                if known is not None and not known.inferred:
                    known.product = known.product or unit.product
                    known.start_ns = unit.start_ns
                else:
                    waiting.cycle.unit = unit
            return []
        self._memory.queues[index].append(unit)
        return self.level(index, at_ns)

    def give_up(self, index: int, product: str | None) -> None:
        """A claimed unit did not come: it was there before anyone looked, or its end will never be seen."""
        waiting = self._station(index)
        waiting.claim_ns = None
        if waiting.cycle is not None and waiting.cycle.unit is None:
            waiting.cycle.unit = self.new_unit(None, product, None)

    def hurry(self, index: int, out: list[AnyEvent]) -> None:
        """A station can wait no longer for the unit that it claimed: have the one before tell what it has."""
        if self._station(index).claim_ns is not None:
            self.tellers[index - 1](out)

    def owe(self, index: int) -> None:
        """A station finished a unit before the claim to it was met."""
        self._station(index).claim_ns = None
        self._memory.owed[index - 1] += self._is_coming(index - 1)

    def forgive(self, index: int) -> None:
        """What a station finished while unseen will never be told: nothing is owed to the next one."""
        if not self.is_last(index):
            self._memory.owed[index] = 0

    def is_unseen(self, index: int) -> bool:
        """Whether a station was seen once, but is not seen now."""
        station = self._station(index)
        return station.state is StationState.UNOBSERVED and station.gap_ns is not None

    def new_unit(self, named: str | None, product: str | None, start_ns: int | None) -> Unit:
        """A unit that was not seen before."""
        if named:
            return Unit(named, inferred=False, product=product, start_ns=start_ns)
        self._memory.inferred += 1
        return Unit(f"{self._name}-{self._memory.inferred:06d}", inferred=True, product=product, start_ns=start_ns)

    def level(self, index: int, at_ns: int, signal: int | None = None) -> list[AnyEvent]:
        """The level of the buffer after a station, from its signal or else from the queue, if it changed."""
        if index not in self._buffers or (signal is None and index in self._signalled):
            return []
        name, capacity = self._buffers[index]
        level = min(len(self._memory.queues[index]), capacity) if signal is None else signal
        if self._memory.levels.get(name) == level:
            return []
        self._memory.levels[name] = level
        return [BufferChanged(at_ns=at_ns, line=self._name, buffer=name, level=level, capacity=capacity)]

    def seed(self, index: int, level: int) -> None:
        """Units that stood in the buffer before a station when it was first seen: unknown ones."""
        queue = self._memory.queues[index - 1]
        while len(queue) < level:
            queue.insert(0, self.new_unit(None, None, None))

    def _is_coming(self, index: int) -> bool:
        station = self._station(index)
        working = station.cycle is not None or station.ended is not None or station.restart_ns is not None
        return working or station.values.get(Role.PART_PRESENT) is True or self.is_unseen(index)

    def _station(self, index: int) -> StationMemory:
        return self._memory.stations[self._stations[index]]

    def _mismatch(self, index: int, at_ns: int, named: str, text: str) -> AnyEvent:
        return Anomaly(
            at_ns=at_ns,
            line=self._name,
            station=self._stations[index],
            signal=f"{self._name}/{self._stations[index]}/{Role.UNIT_ID}",
            kind="unit_mismatch",
            text=text,
            value=named,
        )
