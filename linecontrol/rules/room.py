"""The rules' room: events into facts, facts into alarms, alarms into ``FlagChanged``."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config, Subject
from linecontrol.errors import ConfigError, SnapshotError
from linecontrol.model import AnyEvent, CycleCompleted, Event, Timing
from linecontrol.rules.alarm import Alarm, acknowledge
from linecontrol.rules.compile import problems, rule_of
from linecontrol.rules.facts import (
    CommitmentFacts,
    ConnectionFacts,
    CycleFacts,
    KitFacts,
    LineFacts,
    Memory,
    StationFacts,
    TargetFacts,
)
from linecontrol.rules.fold import FOLDERS, fold
from linecontrol.rules.moment import Moment
from linecontrol.rules.names import FORECASTS
from linecontrol.rules.subjects import subjects
from linecontrol.rules.watch import Watch
from linecontrol.rules.window import Window

_NEVER = 2**63 - 1


class _Remembered(Struct):
    """All that the room remembers. ``anchor_ns`` is the first moment that it was told of."""

    anchor_ns: int = 0
    now_ns: int = 0
    facts: Memory = field(default_factory=Memory)
    alarms: dict[str, Alarm] = field(default_factory=dict)


class RulesRoom:
    """Watches every rule for every subject of it.

    On an event the rules that read what it moved are worked out, and no others; on a tick those that time moves.
    A subject's rules see the event's own moment, or the latest that was told if that is later.
    """

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` by line.

        Raises:
            ConfigError: a rule has problems.
        """
        if found := problems(config):
            raise ConfigError([f"rules.{p.rule}.{p.field}: at character {p.offset + 1}: {p.text}" for p in found])
        self._config = config
        self._moments = {line: Moment(calendars[line]) for line in config.lines}
        self._wall = Moment(None)
        self._watches = [
            Watch(rule, about, order)
            for order, (rule, about) in enumerate(
                (rule, about)
                for rule in (rule_of(name, rule) for name, rule in config.rules.items())
                for about in subjects(config, rule.config.each, rule.config.only)
                if all(about.neighbour(side) for side in sorted(rule.sides))
            )
        ]
        self._index: dict[type[Event], dict[str, list[Watch]]] = {}
        self._windows: dict[str, dict[str, Watch]] = {}
        for watch in self._watches:
            self._register(watch)
        self._timed = {
            line: [w for w in self._watches if w.rule.timed and w.about.line == line] for line in self._moments
        }
        self._wall_timed = [w for w in self._watches if w.rule.timed and not w.about.line]
        self._by_flag = {watch.flag: watch for watch in self._watches}
        self._fresh = True
        self._next_ns = _NEVER
        self._looked: dict[str, int] = {}
        self._pending: dict[Watch, None] = {}
        self._take_up(_Remembered())

    # --- the doors ------------------------------------------------------------------------------------------

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """What follows from an event; delays that ended before it come first, stamped with their ends."""
        if type(event) not in FOLDERS:
            return ()
        said = self._advance(event.at_ns)
        places = fold(self._memory.facts, self._moments, event)
        if isinstance(event, CycleCompleted):
            self._push_windows(event)
        elif isinstance(event, FORECASTS):
            for place in places:
                self._push_day(place)
        index = self._index.get(type(event), {})
        now = self._memory.now_ns
        for place in places:
            for watch in index.get(place, ()):
                if (changes := watch.look(now)) is not None:
                    said += changes
                    self._note(watch)
        return said

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """What follows from the time: conditions that it moves, then delays that end."""
        said = self._advance(at_ns)
        now = self._memory.now_ns
        if self._fresh:
            due = self._watches
            self._fresh = False
        else:
            due = list(self._wall_timed)
            for line, watches in self._timed.items():
                if watches and self._moments[line].version != self._looked.get(line):
                    due += watches
        for line, moment in self._moments.items():
            self._looked[line] = moment.version
        for watch in due:
            if (changes := watch.look(now)) is not None:
                said += changes
                self._note(watch)
        if self._next_ns <= now:
            said += self._expire(now)
        return said

    def acknowledge(self, flag: str, at_ns: int) -> Sequence[AnyEvent]:
        """A person acknowledged a flag (``rule/subject``); nothing if it is unknown or needs none."""
        watch = self._by_flag.get(flag)
        if watch is None:
            return ()
        said = self._advance(at_ns)
        now = self._memory.now_ns
        said += watch.tell(acknowledge(watch.alarm, watch.rule.life, now))
        self._note(watch)
        return said

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode(self._memory)

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned. Alarms, facts and windows that the config has are kept, by their names.

        Raises:
            SnapshotError: it doesn't fit.
        """
        try:
            remembered = msgspec.msgpack.decode(memory, type=_Remembered)
        except msgspec.MsgspecError as error:
            msg = f"the rules' memory can't be read: {error}"
            raise SnapshotError(msg) from error
        self._take_up(remembered)

    # --- memory ---------------------------------------------------------------------------------------------

    def _take_up(self, old: _Remembered) -> None:
        facts = self._facts_of(old.facts)
        alarms = {watch.flag: old.alarms.get(watch.flag, Alarm()) for watch in self._watches}
        self._memory = _Remembered(old.anchor_ns, old.now_ns, facts, alarms)
        for watch in self._watches:
            line = facts.line.get(watch.about.line)
            moment = self._moments.get(watch.about.line, self._wall)
            watch.bind(alarms[watch.flag], facts, line, moment)
        self._fresh = True
        self._looked = {}
        self._pending = {watch: None for watch in self._watches if watch.due_ns() is not None}
        self._next_ns = min((watch.due_ns() or 0 for watch in self._pending), default=_NEVER)
        if old.now_ns:
            self._start_moments()

    def _facts_of(self, old: Memory) -> Memory:
        config = self._config
        stations = {}
        for line, item in config.lines.items():
            for station in item.stations:
                name = f"{line}/{station}"
                stations[name] = old.station.get(name) or StationFacts(line)
                self._keep_windows(f"station {name}", stations[name])
        targets = {name: old.target.get(name) or TargetFacts() for name in config.targets}
        commitments = {name: old.commitment.get(name) or CommitmentFacts() for name in config.commitments}
        lines = {name: old.line.get(name) or LineFacts() for name in config.lines}
        for name, target in targets.items():
            self._keep_windows(f"target {name}", target)
        for name, commitment in commitments.items():
            self._keep_windows(f"commitment {name}", commitment)
        for name, facts in lines.items():
            facts.titles = {key: station.title for key, station in config.lines[name].stations.items()}
        return Memory(
            station=stations,
            target=targets,
            commitment=commitments,
            kit={name: old.kit.get(name) or KitFacts() for name in config.kits},
            connection={name: old.connection.get(name) or ConnectionFacts() for name in config.connections},
            line=lines,
        )

    def _keep_windows(self, place: str, facts: StationFacts | TargetFacts | CommitmentFacts) -> None:
        facts.windows = {key: facts.windows.get(key) or Window() for key in self._windows.get(place, {})}

    def _register(self, watch: Watch) -> None:
        about = watch.about
        for side, events in watch.rule.moved_by.items():
            place = f"station {about.neighbour(side)}" if side else about.place
            for event in events:
                by_place = self._index.setdefault(event, {})
                for where in (place, f"line {about.line}") if about.kind is Subject.STATION else (place,):
                    watches = by_place.setdefault(where, [])
                    if watch not in watches:
                        watches.append(watch)
        for window in watch.rule.windows:
            self._windows.setdefault(about.place, {}).setdefault(window.figure.key, watch)

    # --- time -----------------------------------------------------------------------------------------------

    def _advance(self, at_ns: int) -> list[AnyEvent]:
        memory = self._memory
        if not memory.now_ns:
            memory.anchor_ns = memory.now_ns = at_ns
            self._start_moments()
            return []
        if at_ns <= memory.now_ns:
            return []
        said = self._expire(at_ns - 1) if self._next_ns < at_ns else []
        memory.now_ns = at_ns
        for moment in self._moments.values():
            moment.move(at_ns)
        self._wall.move(at_ns)
        return said

    def _start_moments(self) -> None:
        for moment in (*self._moments.values(), self._wall):
            moment.start(self._memory.anchor_ns)
            moment.move(self._memory.now_ns)

    def _note(self, watch: Watch) -> None:
        due = watch.due_ns()
        if due is None:
            self._pending.pop(watch, None)
        else:
            self._pending[watch] = None
            self._next_ns = min(self._next_ns, due)

    def _expire(self, at_ns: int) -> list[AnyEvent]:
        due = sorted((watch.due_ns() or 0, watch.order, watch) for watch in self._pending)
        said: list[AnyEvent] = []
        for _, _, watch in due:
            said += watch.expire(at_ns)
            self._note(watch)
        self._next_ns = min((watch.due_ns() or 0 for watch in self._pending), default=_NEVER)
        return said

    # --- windows --------------------------------------------------------------------------------------------

    def _push_windows(self, event: CycleCompleted) -> None:
        place = f"station {event.line}/{event.station}"
        if event.timing is not Timing.MEASURED or place not in self._windows:
            return
        lost = sum(event.lost_s.values())
        cycle = CycleFacts(event.active_s, event.planned_s, lost, event.good)
        for key, watch in self._windows[place].items():
            watch.push(key, cycle)

    def _push_day(self, place: str) -> None:
        """A forecast was told: the first one on a working day is that day's."""
        watches = self._windows.get(place)
        if not watches:
            return
        first = next(iter(watches.values()))
        facts = first.arguments[0]
        moment = self._moments.get(first.about.line) or next(iter(self._moments.values()))  # all share the time zone
        day = moment.working_day()
        if day is not None and day != facts.told_on:
            facts.told_on = day
            for key, watch in watches.items():
                watch.push(key)
