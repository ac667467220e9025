"""The rules' room: events into facts, facts into alarms, alarms into ``FlagChanged``.

What an event moves is looked up by the event's kind and place; the conditions of all rules about that place are one
function. What time moves is looked at when it changes and not before: each watch tells when that is.
"""

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

import msgspec
from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config, Subject
from linecontrol.errors import ConfigError, SnapshotError
from linecontrol.model import AnyEvent, CycleCompleted, Event, Operation, Sampled, Timing
from linecontrol.rules.alarm import (
    Alarm,
    Gate,
    Life,
    Step,
    acknowledge,
    expire,
    feel,
    put_back,
    resume,
    shelve,
    suppress,
    take_out,
    unshelve,
)
from linecontrol.rules.annunciator import Annunciated, Annunciator
from linecontrol.rules.check import Vocabulary
from linecontrol.rules.compile import instances, problems
from linecontrol.rules.emit import group_of
from linecontrol.rules.facts import CycleFacts, Facts, Memory
from linecontrol.rules.fold import FOLDERS
from linecontrol.rules.keep import Keeping, facts_of
from linecontrol.rules.moment import NEVER, Moment
from linecontrol.rules.names import FORECASTS, SIDES
from linecontrol.rules.system_flag import LIFE, SHELVE_MAX_NS
from linecontrol.rules.typed import CYCLES, DAYS, Chain
from linecontrol.rules.watch import Watch

_ANNUNCIATOR = -1
"""Stands for the annunciator where others are named by their order."""

Look = Callable[[int], None]
Push = Callable[[CycleFacts | None, int], None]


class _Remembered(Struct):
    """All that the room remembers. ``anchor_ns`` is the first moment that it was told of."""

    anchor_ns: int = 0
    now_ns: int = 0
    facts: Memory = field(default_factory=Memory)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    annunciated: Annunciated = field(default_factory=Annunciated)


class _Hearing(Struct):
    """What is done at one place on one kind of event: note changes, look at conditions, look ahead."""

    notes: list[Callable[[], None]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    timed: list[Watch] = field(default_factory=list)


class RulesRoom:
    """Watches every rule for every subject of it.

    An event is seen at its own moment, or at the latest that was told if that is later.
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
        words = Vocabulary.of(config)
        self._watches = [
            Watch(rule, about, order)
            for order, (rule, about) in enumerate(
                pair for name, rule in config.rules.items() for pair in instances(name, rule, config, words)
            )
        ]
        self._annunciator = Annunciator(config, self._watches)
        self._by_flag = {watch.flag: watch for watch in self._watches}
        self.flags = self._annunciator.flags
        self._keeping = Keeping.of(self._watches)
        self._said: list[AnyEvent] = []
        self._fresh = True
        self._heap: list[tuple[int, int]] = []
        self._queued = NEVER
        self._looks: list[Look] = []
        self._take_up(_Remembered())

    # --- the doors ------------------------------------------------------------------------------------------

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """What follows from an event; what time brought about before it comes first, stamped with its moment."""
        kind = type(event)
        folder = FOLDERS.get(kind)
        if folder is None:
            return ()
        memory = self._memory
        if event.at_ns > memory.now_ns:
            self._advance(event.at_ns)
        if kind is Sampled and event.name not in self._keeping.tags:  # type: ignore[union-attr]
            return self._told()
        now = memory.now_ns
        hearings = self._hearings.get(kind)
        places = folder(memory.facts, self._moments, event)
        if kind is CycleCompleted or kind is Sampled:
            self._push(event)  # type: ignore[arg-type]
        elif kind in FORECASTS:
            for place in places:
                self._push_day(place)
        if hearings is not None:
            for place in places:
                if (hearing := hearings.get(place)) is not None:
                    for note in hearing.notes:
                        note()
                    for look in hearing.looks:
                        look(now)
                    for watch in hearing.timed:
                        self._schedule(watch)
        return self._told()

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """What time alone has brought about by ``at_ns``."""
        memory = self._memory
        if at_ns > memory.now_ns:
            self._advance(at_ns)
        if self._fresh:
            self._fresh = False
            for watch, look in zip(self._watches, self._looks, strict=True):
                look(memory.now_ns)
                self._schedule(watch)
            self._said += self._annunciator.resume(memory.now_ns)
            self._schedule_annunciator()
        if self._heap and self._heap[0][0] <= memory.now_ns:
            self._fire(memory.now_ns)
        return self._told()

    def operate(self, operation: Operation) -> Sequence[AnyEvent]:
        """A person's wish about a flag; nothing if there is no such flag or nothing changes."""
        if operation.flag not in self.flags:
            return ()
        if operation.at_ns > self._memory.now_ns:
            self._advance(operation.at_ns)
        now = self._memory.now_ns
        if (watch := self._by_flag.get(operation.flag)) is not None:
            steps = _operated(watch.alarm, watch.rule.life, watch.rule.config.shelve_max, operation, now)
            self._follow(watch, steps, now)
        elif (system := self._annunciator.system(operation.flag)) is not None:
            self._said += system.tell(_operated(system.alarm, LIFE, SHELVE_MAX_NS, operation, now))
            self._schedule_annunciator()
        return self._told()

    def watched(self, flag: str) -> Watch:
        """The watch behind a flag (``rule/subject``).

        Raises:
            KeyError: there is none.
        """
        return self._by_flag[flag]

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
        facts = facts_of(self._config, self._keeping, old.facts)
        alarms = {watch.flag: _alarm(watch, old.alarms) for watch in self._watches}
        self._memory = _Remembered(old.anchor_ns, old.now_ns, facts, alarms)
        self._fresh = True
        self._heap = []
        self._queued = NEVER
        others: dict[str, Facts | Moment] = {
            f"{kind.value} {name}": its for kind in Subject for name, its in getattr(facts, kind.value).items()
        }
        others |= {f"moment line {line}": moment for line, moment in self._moments.items()}
        for watch in self._watches:
            line = facts.line.get(watch.about.line)
            watch.bind(alarms[watch.flag], facts, line, self._moments.get(watch.about.line, self._wall), others)
        self._memory.annunciated = self._annunciator.bind(old.annunciated)
        self._looks = [self._look_of([watch]) for watch in self._watches]
        self._hearings = self._listen()
        self._pushes = self._keep()
        if old.now_ns:
            self._start_moments()
            for watch in self._watches:
                resume(watch.alarm, watch.rule.life, old.now_ns)
                self._schedule(watch)
                if watch.flag in old.alarms and watch.rule.wake is not None:  # time may change it at this very moment
                    watch.queued = old.now_ns
                    heappush(self._heap, (old.now_ns, watch.order))
            self._schedule_annunciator()

    def _look_of(self, watches: list[Watch]) -> Look:
        """One function for the conditions of several rules about one subject; a sequence stands alone."""
        first = watches[0]
        if isinstance(first.rule.when, Chain):

            def look(now: int) -> None:
                self._gate(first, now)
                signal = first.signal()
                if signal is not first.alarm.signal:
                    self._edge(first, signal, now)

            return look
        pairs = [(watch.rule.when, watch.rule.over) for watch in watches if not isinstance(watch.rule.when, Chain)]
        made: Look = group_of(pairs)(*first.facts, watches, self._edge)
        gated = [watch for watch in watches if watch.rule.suppress is not None]
        if not gated:
            return made

        def look_gated(now: int) -> None:
            for watch in gated:
                self._gate(watch, now)
            made(now)

        return look_gated

    def _gate(self, watch: Watch, now: int) -> None:
        if watch.rule.suppress is not None:
            self._say(watch, suppress(watch.alarm, watch.suppressed(), now))

    def _listen(self) -> dict[type[Event], dict[str, _Hearing]]:
        heard: dict[type[Event], dict[str, dict[int, Watch]]] = {}
        for watch in self._watches:
            about = watch.about
            for side, events in watch.rule.moved_by.items():
                neighbour = about.neighbour(side) if side in SIDES else None
                place = f"station {neighbour}" if neighbour else side or about.place
                for event in events:
                    by_place = heard.setdefault(event, {})
                    for where in self._places(watch, side, place, event):
                        by_place.setdefault(where, {})[watch.order] = watch
        return {
            event: {place: self._hearing(event, place, list(its.values())) for place, its in by_place.items()}
            for event, by_place in heard.items()
        }

    @staticmethod
    def _places(watch: Watch, side: str, place: str, event: type[Event]) -> Sequence[str]:
        """The places at which an event that moves a watch is told."""
        if event is Sampled:
            return [f"{place} {tag}" for tag in watch.rule.sampled.get(side, ())]
        own = watch.about.kind is Subject.STATION and side in ("", *SIDES)  # some of their names are told of the line
        return (place, f"line {watch.about.line}") if own else (place,)

    def _hearing(self, event: type[Event], place: str, watches: list[Watch]) -> _Hearing:
        tag = place.rpartition(" ")[2] if event is Sampled else ""
        place = place.removesuffix(f" {tag}") if tag else place
        watches = sorted(watches, key=lambda watch: watch.order)
        own = [watch for watch in watches if watch.about.place == place and not isinstance(watch.rule.when, Chain)]
        rest = [self._looks[watch.order] for watch in watches if watch not in own]
        hearing = _Hearing(
            looks=[self._look_of(own), *rest] if own else rest, timed=[watch for watch in watches if watch.rule.wake]
        )
        seen: dict[str, None] = {}
        for watch in watches:
            for named, factory in watch.rule.ages if watch.about.place == place else ():
                if event in named.moved_by and named.path not in seen and (not tag or named.path == f"tag.{tag}"):
                    seen[named.path] = None
                    hearing.notes.append(_noting(watch, named.path, factory(*watch.facts)))
        return hearing

    def _keep(self) -> dict[str, dict[str, list[Push]]]:
        """By place and stream: how values enter the windows."""
        pushes: dict[str, dict[str, list[Push]]] = {}
        seen: dict[tuple[str, str], None] = {}
        for watch in self._watches:
            for figure, factory in watch.rule.windows:
                source = figure.source
                if (watch.about.place, source.key) not in seen:
                    seen[watch.about.place, source.key] = None
                    table = watch.facts[0].smooth if source.smooth else watch.facts[0].windows
                    push = _pushing(table[source.key], factory(*watch.facts))
                    pushes.setdefault(watch.about.place, {}).setdefault(source.stream, []).append(push)
        return pushes

    # --- time -----------------------------------------------------------------------------------------------

    def _advance(self, at_ns: int) -> None:
        memory = self._memory
        if not memory.now_ns:
            memory.anchor_ns = memory.now_ns = at_ns
            self._start_moments()
            return
        if self._heap and self._heap[0][0] < at_ns:
            self._fire(at_ns - 1)
        self._move(at_ns)

    def _start_moments(self) -> None:
        for moment in (*self._moments.values(), self._wall):
            moment.start(self._memory.anchor_ns)
            moment.move(self._memory.now_ns)

    def _move(self, at_ns: int) -> None:
        self._memory.now_ns = at_ns
        for moment in self._moments.values():
            moment.move(at_ns)
        self._wall.move(at_ns)

    def _schedule(self, watch: Watch) -> None:
        due = watch.due_ns()
        if due < watch.queued:
            watch.queued = due
            heappush(self._heap, (due, watch.order))

    def _fire(self, until_ns: int) -> None:
        """All that time brings about until then: at each instant conditions first, then delays that end."""
        heap = self._heap
        while heap and heap[0][0] <= until_ns:
            at_ns = heap[0][0]
            due: dict[int, Watch] = {}
            annunciator = False
            while heap and heap[0][0] == at_ns:
                order = heappop(heap)[1]
                if order == _ANNUNCIATOR:
                    annunciator = self._queued == at_ns
                elif (watch := self._watches[order]).queued == at_ns:
                    due[order] = watch
            if not (due or annunciator):
                continue
            if at_ns > self._memory.now_ns:
                self._move(at_ns)
            now = self._memory.now_ns
            for order, watch in due.items():
                watch.queued = NEVER
                if watch.rule.wake is not None:
                    self._looks[order](now)
            for watch in due.values():
                self._follow(watch, expire(watch.alarm, watch.rule.life, at_ns), now)
            if annunciator:
                self._queued = NEVER
                self._said += self._annunciator.expire(at_ns)
                self._schedule_annunciator()

    # --- alarms ---------------------------------------------------------------------------------------------

    def _edge(self, watch: Watch, signal: bool | None, now: int) -> None:
        self._follow(watch, feel(watch.alarm, watch.rule.life, signal, now), now)

    def _follow(self, watch: Watch, steps: list[Step], now: int) -> None:
        if steps:
            self._say(watch, steps)
            if any(step.transition in ("raised", "cleared") for step in steps):
                self._looks[watch.order](now)
        self._schedule(watch)

    def _say(self, watch: Watch, steps: list[Step]) -> None:
        if steps:
            self._said += self._annunciator.tell(watch, steps)
            self._schedule_annunciator()

    def _schedule_annunciator(self) -> None:
        if (due := self._annunciator.due_ns()) < self._queued:
            self._queued = due
            heappush(self._heap, (due, _ANNUNCIATOR))

    def _told(self) -> Sequence[AnyEvent]:
        if not self._said:
            return ()
        said, self._said = self._said, []
        return said

    # --- windows --------------------------------------------------------------------------------------------

    def _push(self, event: CycleCompleted | Sampled) -> None:
        streams = self._pushes.get(f"station {event.line}/{event.station}")
        if streams is None:
            return
        cycle: CycleFacts | None = None
        if isinstance(event, Sampled):
            pushes = streams.get(f"tag.{event.name}", ())
        elif event.timing is Timing.MEASURED:
            pushes = streams.get(CYCLES, ())
            cycle = CycleFacts(event.active_s, event.planned_s, sum(event.lost_s.values()), event.good)
        else:
            return
        worked = self._moments[event.line].worked
        for push in pushes:
            push(cycle, worked)

    def _push_day(self, place: str) -> None:
        """A forecast was told: the first one on a working day is that day's."""
        streams = self._pushes.get(place)
        if streams is None:
            return
        watch = next(watch for watch in self._watches if watch.about.place == place)
        moment = self._moments.get(watch.about.line) or next(iter(self._moments.values()))  # all share the time zone
        facts, day = watch.facts[0], moment.working_day()
        if day is not None and day != facts.told_on:
            facts.told_on = day
            for push in streams.get(DAYS, ()):
                push(None, moment.worked)


def _alarm(watch: Watch, old: Mapping[str, Alarm]) -> Alarm:
    """The alarm as it was, under the rule's name or its former one."""
    former = f"{watch.rule.config.was}/{watch.about.name}"
    return old.get(watch.flag) or (old.get(former) if watch.rule.config.was else None) or Alarm()


def _operated(alarm: Alarm, life: Life, shelve_max: int, wish: Operation, now: int) -> list[Step]:
    """What an operation does to an alarm. A shelving ends after ``shelve_max`` at the latest."""
    match wish.verb:
        case "ack":
            return acknowledge(alarm, life, now, wish.user, wish.reason)
        case "shelve":
            latest = now + shelve_max
            until, once = wish.until_ns or latest, wish.until_ns is None
            return shelve(alarm, now, Gate(wish.user, wish.reason, min(until, latest), once))
        case "unshelve":
            return unshelve(alarm, now, wish.user, wish.reason)
        case "out_of_service":
            return take_out(alarm, now, Gate(wish.user, wish.reason, wish.until_ns))
        case "in_service":
            return put_back(alarm, now, wish.user, wish.reason)
        case _:
            return []


def _noting(watch: Watch, path: str, read: Callable[[], Any]) -> Callable[[], None]:
    aged, moment = watch.facts[0].ages[path], watch.moment

    def note() -> None:
        aged.note(read(), moment.worked)

    return note


def _pushing(window: Any, item: Callable[..., float | bool | None]) -> Push:
    def push(cycle: CycleFacts | None, worked: int) -> None:
        value = item(cycle)
        if value is not None:
            window.push(float(value), worked)

    return push
