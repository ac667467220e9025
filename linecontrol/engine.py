"""The pure centre: observations and the time in, events out.

``step``, ``tick``, ``question``, ``snapshot`` and ``restore`` are its only doors; other rules come in as an
observation, for which ``prepare`` may be called beforehand. It asks nobody for the time and does no I/O, so live
operation, recovery after a crash, replay and tests are the same code, and the same calls give the same events, byte for
byte. What depends on the time alone is looked at on a fixed grid (``engine: resolution:``), behind the present by
``engine: lateness:``; hence ticks may be left out or added between steps without changing any event.
"""

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from datetime import date

import msgspec
from msgspec import Struct

from linecontrol.assessment.question import Question
from linecontrol.bottleneck import BottleneckRoom
from linecontrol.calendar import line_calendars
from linecontrol.config import Config
from linecontrol.config.rules_data import rules_text, with_rules_text
from linecontrol.control import ControlRoom
from linecontrol.errors import ConfigError, SnapshotError
from linecontrol.kpi import KpiRoom
from linecontrol.line import LineRoom
from linecontrol.model import (
    AnyEvent,
    CommandOutcome,
    Findings,
    FlagChanged,
    LinkChange,
    Observation,
    Operation,
    Reading,
    Room,
    RulesGiven,
)
from linecontrol.rules import AlarmKpiRoom, RulesRoom
from linecontrol.rules.succession import change
from linecontrol.snapshot import recalled
from linecontrol.target import TargetRoom


class Snapshot(Struct, frozen=True):
    """All that an engine remembers."""

    version: int
    grid_ns: int
    line: bytes
    rooms: dict[str, bytes]
    rules: str = ""
    """The rules that counted, as ``config.rules_data`` makes a text of them."""


_VERSION = 1


class Prepared(Struct, frozen=True):
    """Rules that are ready to count: their text, the config with them, and the room that watches them."""

    text: str
    config: Config
    room: RulesRoom


class Engine:
    """Composes the rooms: line → kpi → target → bottleneck → rules → control → alarm figures."""

    def __init__(
        self,
        config: Config,
        *,
        holidays: Container[date] = frozenset(),
        counter_bits: Mapping[str, int | None] | None = None,
    ) -> None:
        """``holidays`` are the public holidays, ``counter_bits`` widths of counters by signal id.

        Raises:
            ConfigError: a rule can't be compiled.
        """
        by_line = line_calendars(config, holidays)
        self._config, self._calendars = config, by_line
        self._text = rules_text(config)
        self._prepared: Prepared | None = None
        self._replaced: RulesRoom | None = None
        self._settings = config.engine
        self._line = LineRoom(config, by_line, counter_bits)
        self._rules = RulesRoom(config, by_line)
        self._control = ControlRoom(config)
        self._target = TargetRoom(config, by_line)
        self._bottleneck = BottleneckRoom(config, by_line)
        self._alarm_kpi = AlarmKpiRoom(by_line)
        self._rooms: dict[str, Room] = {
            "kpi": KpiRoom(config, by_line),
            "target": self._target,
            "bottleneck": self._bottleneck,
            "rules": self._rules,
            "control": self._control,
            "alarm_kpi": self._alarm_kpi,
        }
        self._chain = [room for room in self._rooms.values() if room is not self._alarm_kpi]
        self._rules_at = self._chain.index(self._rules)
        self._grid_ns = 0

    def step(self, observations: Sequence[Observation], now_ns: int) -> list[AnyEvent]:
        """What a batch of observations says, that arrived at ``now_ns`` at the latest."""
        out = self.tick(now_ns)
        batch: list[Reading | LinkChange] = []
        for observation in observations:
            if isinstance(observation, CommandOutcome | Findings | Operation | RulesGiven):
                self._spread(self._line.observe(batch, now_ns), 0, out)
                batch = []
                if isinstance(observation, Findings):
                    self._spread(observation.events, self._rules_at, out)
                elif isinstance(observation, Operation):
                    self._spread(self._rules.operate(observation), self._rules_at + 1, out)
                elif isinstance(observation, RulesGiven):
                    self._change(observation, out)
                else:
                    self._spread(self._control.outcome(observation), len(self._chain), out)
            else:
                batch.append(observation)
        self._spread(self._line.observe(batch, now_ns), 0, out)
        return out

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """What the time alone brings about, up to ``now_ns`` less the lateness that is allowed for."""
        if self._replaced is not None:
            self._replaced.dismantle()  # takes as long as replacing it did; so in a turn of its own
            self._replaced = None
        out: list[AnyEvent] = []
        resolution = self._settings.resolution
        last = (now_ns - self._settings.lateness) // resolution * resolution
        if self._grid_ns == 0:
            self._grid_ns = last
            self._line.begin(last)
        while True:
            due_ns = self._line.due_ns
            if due_ns <= now_ns and due_ns <= self._grid_ns + resolution + self._settings.lateness:
                self._spread(self._line.release(due_ns), 0, out)
                continue
            if self._grid_ns >= last:
                return out
            self._grid_ns += resolution
            self._spread(self._line.tick(self._grid_ns), 0, out)
            for place, room in enumerate(self._chain):
                self._spread(room.tick(self._grid_ns), place + 1, out)
            out += self._alarm_kpi.tick(self._grid_ns)

    @property
    def due_ns(self) -> int:
        """When a ``tick`` is due before the next point of the grid, because a reading will have waited long enough."""
        return self._line.due_ns

    def late(self) -> dict[str, int]:
        """How many readings of each connection came late, ever."""
        return self._line.late()

    def question(self, now_ns: int) -> Question:
        """What an assessment has to know of the plant as it stands at ``now_ns``; nothing changes."""
        return Question(now_ns, self._bottleneck.copy(), self._target.copy())

    def flags(self) -> frozenset[str]:
        """The flags that there are, ``rule/subject``."""
        return self._rules.flags

    def standing(self) -> list[FlagChanged]:
        """All flags that stand, each as it is now: its transition is empty, or that of being blind."""
        return self._rules.standing()

    # --- other rules ----------------------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The config with the rules that count."""
        return self._config

    @property
    def rules(self) -> str:
        """The rules that count, as ``config.rules_data`` makes a text of them."""
        return self._text

    def prepare(self, rules: str) -> Prepared:
        """All that takes long about other rules; nothing changes. May be called in another thread.

        Raises:
            ConfigError: this plant can't have them.
        """
        try:
            config = with_rules_text(self._config, rules)
        except ValueError as error:
            msg = f"these rules are of another version: {error}"
            raise ConfigError([msg]) from error
        return Prepared(rules, config, RulesRoom(config, self._calendars))

    def expect(self, prepared: Prepared) -> None:
        """Other rules will come in next that are prepared; without this they are prepared when they do."""
        self._prepared = prepared

    def _change(self, given: RulesGiven, out: list[AnyEvent]) -> None:
        """Other rules count from now on. Rules that this plant can't have (any more) are passed over."""
        prepared, self._prepared = self._prepared, None
        if given.text == self._text:
            return
        if prepared is None or prepared.text != given.text:
            try:
                prepared = self.prepare(given.text)
            except ConfigError:
                return
        old, before = self._rules, self._config
        succession = prepared.room.succeed(old, given.at_ns)
        at_ns = prepared.room.now_ns
        self._spread(succession.until, self._rules_at + 1, out)
        for event in succession.renamed:
            out += self._alarm_kpi.see(event)
            out.append(event)
        self._take(prepared)
        self._replaced = old
        out.append(change(before, self._config, by=given.by, at_ns=at_ns, kept=succession.kept))
        self._control.follow(self._config)
        self._spread(succession.since, self._rules_at + 1, out)
        self._spread(self._control.settle(self._rules.raised(), at_ns), len(self._chain), out)

    def _take(self, prepared: Prepared) -> None:
        self._text, self._config, self._rules = prepared.text, prepared.config, prepared.room
        self._rooms["rules"] = self._chain[self._rules_at] = prepared.room

    # --- memory ---------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """All that the engine remembers."""
        memories = {name: room.memory() for name, room in self._rooms.items()}
        return msgspec.msgpack.encode(Snapshot(_VERSION, self._grid_ns, self._line.memory(), memories, self._text))

    def restore(self, snapshot: bytes) -> list[str]:
        """Go on where ``snapshot`` was taken, with its rules; names the rooms that had to start afresh.

        They do where the config changed too much. Rules that this plant can't have (any more) are not taken.

        Raises:
            SnapshotError: it was taken by another version.
        """
        taken: Snapshot = recalled(snapshot, Snapshot, "the snapshot")
        if taken.version != _VERSION:
            msg = f"the snapshot is of version {taken.version}; this linecontrol reads version {_VERSION}"
            raise SnapshotError(msg)
        if taken.rules and taken.rules != self._text:
            with suppress(ConfigError):
                self._take(self.prepare(taken.rules))
                self._control.follow(self._config)
        self._line.remember(taken.line)
        afresh = []
        for name, room in self._rooms.items():
            try:
                room.remember(taken.rooms[name])
            except (SnapshotError, KeyError):
                afresh.append(name)
        self._grid_ns = taken.grid_ns
        return afresh

    def _spread(self, events: Sequence[AnyEvent], place: int, out: list[AnyEvent]) -> None:
        """Show events to the rooms from ``place`` on; what a room says of one goes to the rooms after it.

        What the rules say is counted besides; nobody else's events cost anything there.
        """
        if place == self._rules_at + 1:
            for event in events:
                out += self._alarm_kpi.see(event)
        for event in events:
            out.append(event)
            for index in range(place, len(self._chain)):
                said = self._chain[index].see(event)
                if said:
                    self._spread(said, index + 1, out)
