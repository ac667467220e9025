"""The rules' room: events into facts, facts into alarms, alarms into ``FlagChanged``.

What an event moves is looked up by the event's kind and place; the conditions of all rules about that place are one
function. What time moves is looked at when it changes and not before: each watch tells when that is.
"""

from collections.abc import Container, Mapping, Sequence
from heapq import heappop, heappush, heapreplace

import msgspec
from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config, RuleConfig
from linecontrol.errors import ConfigError
from linecontrol.model import AnyEvent, FlagChanged, Operation, Sampled
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
from linecontrol.rules.compile import compiled
from linecontrol.rules.facts import Memory
from linecontrol.rules.fold import ELSEWHERE
from linecontrol.rules.keep import Keeping, facts_of, take_over
from linecontrol.rules.moment import NEVER, Moment, Present
from linecontrol.rules.names import FORECASTS
from linecontrol.rules.succession import Succession, comes, ends, is_same, leaves, lost, present_names, standing
from linecontrol.rules.system_flag import LIFE, SHELVE_MAX_NS, SystemFlag
from linecontrol.rules.watch import Told, Watch
from linecontrol.rules.wiring import Judges, Wiring
from linecontrol.snapshot import recalled

_ANNUNCIATOR = -1
"""Stands for the annunciator where others are named by their order."""


class _Remembered(Struct):
    """All that the room remembers. ``anchor_ns`` is the first moment that it was told of."""

    anchor_ns: int = 0
    now_ns: int = 0
    facts: Memory = field(default_factory=Memory)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    annunciated: Annunciated = field(default_factory=Annunciated)


class RulesRoom:
    """Watches every rule for every subject of it.

    An event is seen at its own moment, or at the latest that was told if that is later.
    """

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` by line.

        Raises:
            ConfigError: a rule has problems.
        """
        rules = compiled(config)
        self._rules = config.rules
        if found := rules.problems:
            raise ConfigError([f"rules.{p.rule}.{p.field}: at character {p.offset + 1}: {p.text}" for p in found])
        self._watches = [
            Watch(rule, about, order)
            for order, (rule, about) in enumerate(pair for pairs in rules.pairs.values() for pair in pairs)
        ]
        self._annunciator = Annunciator(config, self._watches)
        self._annunciated = self._annunciator.bind(Annunciated())
        self.flags = self._annunciator.flags
        self._by_flag = {watch.flag: watch for watch in self._watches}
        self._present = Present()
        self._anchor_ns = 0
        self._moments = {line: Moment(calendars[line], self._present) for line in config.lines}
        keeping = Keeping.of(self._watches)
        self._facts = facts_of(config, keeping)
        wiring = Wiring(
            config,
            self._watches,
            self._facts,
            self._moments | {"": Moment(None, self._present)},
            Judges(self._gate, self._look, self._plan),
        )
        self._tags = keeping.tags
        wired = wiring.wired(keeping, self._present)
        self._at_stations, self._elsewhere = wired.at_stations, wired.elsewhere
        self._days = wired.days
        self._said: list[AnyEvent] = []
        self._fresh = True
        self._heap: list[tuple[int, int]] = []
        self._queued = NEVER

    # --- the doors ------------------------------------------------------------------------------------------

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """What follows from an event; what time brought about before it comes first, stamped with its moment."""
        kind = event.__class__
        lines = self._at_stations.get(kind)
        if lines is None and kind not in ELSEWHERE:
            return ()
        present, at_ns = self._present, event.at_ns
        if at_ns > present.now:
            if at_ns > present.next_ns:
                self._advance(at_ns)
            else:
                present.now = at_ns
        if lines is None:
            self._hear(event)
        elif kind is not Sampled or event.name in self._tags:  # type: ignore[union-attr]
            try:
                on = lines[event.line][event.station]  # type: ignore[union-attr]
            except KeyError:
                return self._told()
            on(event)
        return self._told() if self._said else ()

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """What time alone has brought about by ``at_ns``."""
        present = self._present
        if at_ns > present.now:
            self._advance(at_ns)
        if self._fresh:
            self._fresh = False
            for watch in self._watches:
                self._look(watch, present.now)
            self._said += self._annunciator.resume(present.now)
            self._schedule_annunciator()
        if present.next_ns <= present.now:
            self._fire(present.now)
        return self._told()

    def operate(self, operation: Operation) -> Sequence[AnyEvent]:
        """A person's wish about a flag, after what time brought about before; nothing if there is no such flag."""
        if operation.at_ns > self._present.now:
            self._advance(operation.at_ns)
        if operation.flag not in self.flags:
            return self._told()
        now = self._present.now
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

    @property
    def now_ns(self) -> int:
        """The latest moment that it was told of."""
        return self._present.now

    def standing(self) -> list[FlagChanged]:
        """All flags that stand, each as it is now: its transition is empty, or that of being blind."""
        now = self._present.now
        told = [event for its in self._standing() for event in comes(its, now, "blind" if its.alarm.blind else "")]
        return [event for event in told if isinstance(event, FlagChanged)]

    def raised(self) -> list[FlagChanged]:
        """Those of them that are raised."""
        return [flag for flag in self.standing() if flag.raised]

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode(self._remembered())

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned. Alarms, facts and windows that the config has are kept, by their names.

        Flags of its rules whose subjects it has no longer end; that is told next.

        Raises:
            SnapshotError: it doesn't fit.
        """
        remembered: _Remembered = recalled(memory, _Remembered, "the memory of the rules")
        self._take_over(remembered)
        for flag, alarm in remembered.alarms.items():
            if flag not in self._by_flag and remembered.now_ns:
                self._said += lost(flag, alarm, self._rules, remembered.now_ns)

    def succeed(self, old: "RulesRoom", at_ns: int) -> Succession:
        """Take the place of another room at a moment, or at its latest if that is later; it is used up.

        Until then its rules count. Conditions that are new or changed are worked out there and then, all others go on.
        """
        until = old._pass(at_ns)  # noqa: SLF001 - here and below: another one of the same class
        memory, former, now = old._remembered(), old._standing(), old.now_ns  # noqa: SLF001
        names = present_names(self._watches, memory.alarms)
        kept, renamed = 0, list[tuple[str, list[Told]]]()
        for its in former:
            present = names.get(its.flag, its.flag)
            if present not in self.flags:
                until += ends(its, self._rules, now)
                continue
            kept += 1
            if present != its.flag:
                renamed.append((present, leaves(its, names, now)))
        for flag in memory.alarms.keys() - old.flags:  # what was noted was never told as a flag
            if names.get(flag, flag) in self.flags:
                del memory.alarms[flag]
        self._take_over(memory)
        moved = [event for flag, left in renamed for event in (*left, *comes(self._named(flag), now))]
        self._fresh = old._fresh  # noqa: SLF001
        if not self._fresh:
            self._look_anew(old._rules, now)  # noqa: SLF001
        return Succession(until, moved, self._told(), kept)

    def dismantle(self) -> None:
        """Let go of everything once it is used up; what knows each other in it would wait for the collector."""
        self.__dict__.clear()

    def _look_anew(self, former: Mapping[str, RuleConfig], now: int) -> None:
        unchanged = {
            name for name, rule in self._rules.items() if is_same(rule, former.get(name, former.get(rule.was or "")))
        }
        for watch in self._watches:
            if watch.rule.name not in unchanged:
                self._look(watch, now)
        self._said += self._annunciator.resume(now)
        self._schedule_annunciator()

    def _pass(self, at_ns: int) -> list[AnyEvent]:
        """Let time pass until just before a moment, if it is later than the latest."""
        if at_ns > self._present.now:
            self._advance(at_ns)
        return list(self._told())

    # --- memory ---------------------------------------------------------------------------------------------

    def _remembered(self) -> _Remembered:
        alarms = {watch.flag: watch.alarm for watch in self._watches}
        return _Remembered(self._anchor_ns, self._present.now, self._facts, alarms, self._annunciated)

    def _standing(self) -> list[Watch | SystemFlag]:
        return standing(self._watches, self._annunciator.systems())

    def _named(self, flag: str) -> Watch | SystemFlag:
        return self._by_flag.get(flag) or self._annunciator.made(flag)

    def _take_over(self, old: _Remembered) -> None:
        self._anchor_ns, self._present.now = old.anchor_ns, old.now_ns
        take_over(self._facts, old.facts)
        self._fresh = True
        self._heap.clear()
        self._queued = NEVER
        for moment in self._moments.values():
            moment.start(old.anchor_ns)
        names = present_names(self._watches, old.alarms)
        alarms = {names.get(flag, flag): alarm for flag, alarm in old.alarms.items()}
        for watch in self._watches:
            if (alarm := alarms.get(watch.flag)) is not None:
                watch.take_over(alarm)
                watch.alarm.first_out = names.get(alarm.first_out, alarm.first_out)
            watch.queued = watch.wakes = watch.turns = NEVER
        self._annunciated = self._annunciator.bind(old.annunciated, names)
        if old.now_ns:
            self._resume(alarms, old.now_ns)
        self._present.next_ns = self._heap[0][0] if self._heap else NEVER if old.now_ns else 0

    def _resume(self, before: Container[str], now: int) -> None:
        """Look ahead at a moment that has been looked at; what was watched ``before`` may change right then."""
        for watch in self._watches:
            resume(watch.alarm, watch.rule.life, now)
            if watch.wake is not None:
                watch.wakes = now if watch.flag in before else watch.wake(now)
            if (at_ns := watch.turned()) < NEVER:
                self._push(watch, at_ns)
        self._schedule_annunciator()

    # --- events ---------------------------------------------------------------------------------------------

    def _hear(self, event: AnyEvent) -> None:
        """Take in what isn't told of a station, and look at what it moves."""
        kind, now = type(event), self._present.now
        looks = self._elsewhere.get(kind, {})
        for place in ELSEWHERE[kind](self._facts, self._moments, event):
            if kind in FORECASTS and (day := self._days.get(place)):
                day()
            for look in looks.get(place, ()):
                look(now)

    # --- time -----------------------------------------------------------------------------------------------

    def _advance(self, at_ns: int) -> None:
        present = self._present
        if not present.now:
            self._anchor_ns = present.now = at_ns
            for moment in self._moments.values():
                moment.start(at_ns)
            present.next_ns = self._heap[0][0] if self._heap else NEVER
            return
        if present.next_ns < at_ns:
            self._fire(at_ns - 1)
        present.now = at_ns

    def _push(self, watch: Watch, at_ns: int) -> None:
        """See to a watch at that moment, which is earlier than was known."""
        watch.queued = at_ns
        heappush(self._heap, (at_ns, watch.order))
        if at_ns < self._present.next_ns:
            self._present.next_ns = at_ns

    def _fire(self, until_ns: int) -> None:
        """All that time brings about until then: at each instant conditions first, then delays that end."""
        heap, present = self._heap, self._present
        while heap and heap[0][0] <= until_ns:
            at_ns, order = heap[0]
            watch = self._watches[order]
            if order != _ANNUNCIATOR and watch.queued == at_ns < watch.wakes and at_ns < watch.turns:
                self._put_off(watch)
                continue
            due = self._due(at_ns)
            annunciator = self._queued == at_ns
            if not (due or annunciator):
                continue
            now = present.now = max(at_ns, present.now)
            for watch in due:
                if watch.wake is not None:
                    self._look(watch, now)
            for watch in due:
                self._follow(watch, expire(watch.alarm, watch.rule.life, at_ns), now)
            self._settle(at_ns)
            if annunciator:
                self._queued = NEVER
                self._said += self._annunciator.expire(at_ns)
                self._schedule_annunciator()
        present.next_ns = heap[0][0] if heap else NEVER

    def _put_off(self, watch: Watch) -> None:
        """Of the watch that is queued first it turned out that it is due later."""
        later = watch.wakes if watch.wakes < watch.turns else watch.turns
        watch.queued = later
        if later < NEVER:
            heapreplace(self._heap, (later, watch.order))
        else:
            heappop(self._heap)

    def _due(self, at_ns: int) -> list[Watch]:
        """The watches that are due at the earliest moment."""
        due = []
        while self._heap and self._heap[0][0] == at_ns:
            order = heappop(self._heap)[1]
            if order != _ANNUNCIATOR and (watch := self._watches[order]).queued == at_ns:
                watch.queued = NEVER
                if watch.wakes <= at_ns or watch.turns <= at_ns:
                    due.append(watch)
                elif (later := min(watch.wakes, watch.turns)) < NEVER:
                    self._push(watch, later)
        return due

    def _plan(self, watch: Watch, now: int) -> None:
        if watch.wake is not None:
            watch.wakes = watch.wake(now)
            if watch.wakes < watch.queued:
                self._push(watch, watch.wakes)

    # --- alarms ---------------------------------------------------------------------------------------------

    def _look(self, watch: Watch, now: int) -> None:
        if watch.rule.suppress is not None:
            self._gate(watch, now)
        signal = watch.signal()
        if signal is not watch.alarm.signal:
            self._edge(watch, signal, now)
        self._plan(watch, now)

    def _gate(self, watch: Watch, now: int) -> None:
        self._say(watch, suppress(watch.alarm, watch.suppressed(), now))

    def _edge(self, watch: Watch, signal: bool | None, now: int) -> None:
        self._follow(watch, feel(watch.alarm, watch.rule.life, signal, now), now)

    def _follow(self, watch: Watch, steps: list[Step], now: int) -> None:
        if steps:
            self._say(watch, steps)
            if any(step.transition in ("raised", "cleared") for step in steps):
                self._look(watch, now)
        if (at_ns := watch.turned()) < watch.queued:
            self._push(watch, at_ns)

    def _say(self, watch: Watch, steps: list[Step]) -> None:
        if steps:
            self._said += self._annunciator.tell(watch, steps)
            self._schedule_annunciator()

    def _settle(self, at_ns: int) -> None:
        if said := self._annunciator.settle(at_ns):
            self._said += said
            self._schedule_annunciator()

    def _schedule_annunciator(self) -> None:
        if (due := self._annunciator.due_ns()) < self._queued:
            self._queued = due
            heappush(self._heap, (due, _ANNUNCIATOR))
            self._present.next_ns = min(self._present.next_ns, due)

    def _told(self) -> Sequence[AnyEvent]:
        self._settle(self._present.now)
        said, self._said = self._said, []
        return said


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
