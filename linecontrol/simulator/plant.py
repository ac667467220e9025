"""The simulated plant: a pure, seeded function of time and of what was written to it."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Command, Config
from linecontrol.driver import Write
from linecontrol.model import Value
from linecontrol.simulator.agenda import Agenda
from linecontrol.simulator.line import SimLine
from linecontrol.simulator.store import KitStore
from linecontrol.simulator.truth import PlantTruth


class Change(NamedTuple):
    """A signal took another value at ``at_ns`` (UTC)."""

    signal: str
    value: Value
    at_ns: int


class SimPlant:
    """All lines of a plant and its store of kits.

    What happens depends on config, start and seed, and on when what was written; never on how time is cut into
    steps, nor on the process.
    """

    def __init__(
        self,
        config: Config,
        calendars: Mapping[str, WorkCalendar],
        start_ns: int,
        seed: int,
        counter_bits: Mapping[str, int] | None = None,
    ) -> None:
        """Empty lines at ``start_ns`` (UTC). ``calendars`` by line, ``counter_bits`` by signal (else 32)."""
        self.values: dict[str, Value] = {}
        self._changes: list[Change] = []
        self._agenda = Agenda(start_ns)
        day_start = next(iter(calendars.values())).day_start
        self._store = KitStore(config, self._agenda, day_start)
        self._store.on_delivery = self._settle
        self._lines = {
            name: SimLine(config, name, calendars[name], self._agenda, self._store, seed, counter_bits or {}, self._say)
            for name in config.lines
        }
        self._changes.clear()

    def step(self, now_ns: int, writes: Sequence[Write] = ()) -> list[Change]:
        """What changes up to and including ``now_ns``, in order of time; writes take effect at ``now_ns``.

        The values before the first step are in ``values``. What is no valid command is ignored, as a PLC would.

        Raises:
            LinecontrolError: a unit reached a station without a planned time for it.
        """
        self._agenda.run(now_ns)
        for write in writes:
            self._obey(write)
        changes, self._changes = self._changes, []
        return changes

    def truth(self) -> PlantTruth:
        """What was really done, up to the last step."""
        lines = {name: line.truth() for name, line in self._lines.items()}
        return PlantTruth(at_ns=self._agenda.now_ns, lines=lines, kits=dict(self._store.stock))

    def _obey(self, write: Write) -> None:
        value = write.value
        if write.signal not in self.values or not isinstance(value, int | float) or not math.isfinite(value):
            return
        line, station, name = write.signal.split("/")
        command = name.removeprefix("command_")
        if command == name or (command in list(Command) and value < 0):
            return
        self._say(write.signal, value)
        if command == Command.HOLD:
            self._lines[line].hold(station, value)
        elif command == Command.NEXT_PRODUCT:
            self._lines[line].start_next(value)

    def _settle(self) -> None:
        for line in self._lines.values():
            line.settle()

    def _say(self, signal: str, value: Value) -> None:
        if self.values.get(signal) != value or signal not in self.values:
            self.values[signal] = value
            self._changes.append(Change(signal, value, self._agenda.now_ns))
