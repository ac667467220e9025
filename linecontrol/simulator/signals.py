"""From what a station does to the signals of its PLC."""

from collections.abc import Callable, Mapping

from linecontrol.config import Meaning, Role, StationConfig
from linecontrol.model import Value
from linecontrol.simulator.chance import Chance
from linecontrol.simulator.codes import meanings, state_codes

Say = Callable[[str, Value], None]
"""Sets a signal (by id) to a value now."""

_BITS = {
    Role.RUNNING: Meaning.WORKING,
    Role.FAULT: Meaning.DOWN,
    Role.BLOCKED: Meaning.COMPLETE,
    Role.STARVED: Meaning.STARVED,
}
_INITIAL: dict[Role, Value] = {
    **dict.fromkeys((Role.CYCLE_START, Role.CYCLE_COMPLETE, Role.PART_PRESENT, Role.ANDON_CALL), False),
    **dict.fromkeys((Role.CYCLE_COUNT, Role.GOOD_COUNT, Role.REJECT_COUNT, Role.BUFFER_LEVEL), 0),
    Role.CYCLE_TIME: 0.0,
    Role.UNIT_ID: "",
}


class Panel:
    """The signals of one station: only those that it is configured to have are ever said."""

    def __init__(self, name: str, station: StationConfig, chance: Chance, bits: Mapping[str, int], say: Say) -> None:
        """``name`` is ``line/station``; ``bits`` are widths of counters by signal id, where they are known."""
        self._ids = {role: f"{name}/{role}" for role in station.signals}
        self._telemetry = {f"{name}/{tag}": chance.level() for tag in station.telemetry}
        self._codes = state_codes(station)
        self._tells_complete = Meaning.COMPLETE in meanings(station)
        self._modulus = {role: 2 ** bits.get(signal, 32) for role, signal in self._ids.items()}
        self._chance = chance
        self._say = say
        for command in (*station.commands, *station.setpoints):
            say(f"{name}/command_{command}", 0)
        for role, value in _INITIAL.items():
            self._tell(role, value)
        for signal, level in self._telemetry.items():
            say(signal, round(level, 2))
        self.condition(Meaning.STARVED)

    def begin(self, unit: str, code: int | str) -> None:
        """A cycle starts: first what is in the station, then that it starts."""
        self._tell(Role.PRODUCT, code)
        self._tell(Role.UNIT_ID, unit)
        self._tell(Role.CYCLE_COMPLETE, False)
        self._tell(Role.PART_PRESENT, True)
        self.condition(Meaning.WORKING)
        self._tell(Role.CYCLE_START, True)

    def complete(self, cycle_s: float, cycles: int, good: int, rejects: int) -> None:
        """A cycle's work is complete: first the figures, then the edges, the counter last."""
        for signal, level in self._telemetry.items():
            self._say(signal, self._chance.measured(level))
        self._tell(Role.CYCLE_TIME, round(cycle_s, 3))
        self._count(Role.GOOD_COUNT, good)
        self._count(Role.REJECT_COUNT, rejects)
        self._tell(Role.CYCLE_START, False)
        self._tell(Role.CYCLE_COMPLETE, True)
        self._count(Role.CYCLE_COUNT, cycles)

    def leave(self) -> None:
        """The unit is gone. Its id and product stay on until the next one's replace them."""
        self._tell(Role.PART_PRESENT, False)

    def condition(self, meaning: Meaning) -> None:
        """What the station does now. ``COMPLETE`` is a finished unit that can't leave."""
        for role, on in _BITS.items():
            self._tell(role, meaning is on)
        if meaning in self._codes:
            self._tell(Role.STATE, self._codes[meaning])

    def still_complete(self) -> None:
        """A state word that can tell it says that the unit is finished, until it is away."""
        if self._tells_complete:
            self._tell(Role.STATE, self._codes[Meaning.COMPLETE])

    def level(self, units: int) -> None:
        """So many units are in the buffer in front."""
        self._tell(Role.BUFFER_LEVEL, units)

    def andon_call(self, *, on: bool) -> None:
        """The operator pulled or released the cord."""
        self._tell(Role.ANDON_CALL, on)

    def _count(self, role: Role, value: int) -> None:
        if role in self._ids:
            self._tell(role, value % self._modulus[role])

    def _tell(self, role: Role, value: Value) -> None:
        if role in self._ids:
            self._say(self._ids[role], value)
