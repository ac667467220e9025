"""The room of targets: ledgers, commitments and kits, said on each change and at each mark of the calendar."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.model import AnyEvent, CycleCompleted, CycleStarted, UnitCompleted
from linecontrol.snapshot import recalled
from linecontrol.target.commitment import FamilyCommitments, Served
from linecontrol.target.kit import Kits
from linecontrol.target.ledger import Ledgers
from linecontrol.target.marks import Mark, Marks
from linecontrol.target.pace import Output, window_start
from linecontrol.target.plan import Plans

_ALWAYS_NS = -(1 << 63)


class TargetMemory(Struct):
    """All that is remembered. ``now_ns`` is the last moment looked at; ``open_starts`` the kits of running cycles."""

    now_ns: int
    output: Output
    done: dict[str, int] = field(default_factory=dict)
    served: dict[str, Served] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    open_starts: dict[str, str] = field(default_factory=dict)


class TargetRoom:
    """Says where targets, commitments and kits stand.

    On each change, at the first moment it hears of, at each start of a day or shift, and (not the kits) every 15
    minutes of working time. What it says doesn't depend on how often it is ticked.
    """

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` holds each line's working time."""
        self._config = config
        self._calendars = dict(calendars)
        self._plans = Plans(config, calendars)
        self._ledgers = Ledgers(self._plans)
        self._kits = Kits(config, calendars, self._plans)
        self._families: dict[str, FamilyCommitments] = {}
        for family in dict.fromkeys(commitment.family for commitment in config.commitments.values()):
            line = self._plans.home(family)
            if line is not None:
                self._families[family] = FamilyCommitments(family, line, config, calendars[line], self._plans)
        self._marks = {line: Marks(calendars[line]) for line in config.lines}
        self._next: dict[str, Mark] = {}
        self._due_ns = _ALWAYS_NS
        self._memory: TargetMemory | None = None

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """Count units towards targets and commitments, kits out of the store."""
        if not isinstance(event, UnitCompleted | CycleStarted | CycleCompleted):
            return ()
        said = list(self.tick(event.at_ns))
        memory = self._remembered(event.at_ns)
        at_ns = max(memory.now_ns, event.at_ns)
        memory.now_ns = at_ns
        if isinstance(event, UnitCompleted):
            return [*said, *self._unit(event, memory, at_ns)]
        if isinstance(event, CycleStarted):
            changed = self._kits.started(event, memory.used, memory.open_starts)
        else:
            changed = self._kits.completed(event, memory.used, memory.open_starts)
        return [*said, *(self._kits.say(kit, memory.used, at_ns) for kit in changed)]

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """Where all stands at each mark passed by ``at_ns``, stamped with the mark."""
        if at_ns < self._due_ns:
            return ()
        said: list[AnyEvent] = []
        if self._memory is None:
            memory = self._remembered(at_ns)
            said += self._look(list(self._marks), memory, at_ns, turn=True)
        memory = self._remembered(at_ns)
        while self._due_ns <= at_ns:
            mark_ns = self._due_ns
            lines = [line for line, mark in self._next.items() if mark.at_ns == mark_ns]
            turn = any(self._next[line].turn for line in lines)
            memory.now_ns = mark_ns
            said += self._look(lines, memory, mark_ns, turn=turn)
            self._plan_marks(mark_ns)
        return said

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode(self._memory)

    def copy(self) -> TargetMemory | None:
        """All that the room remembers, untouched by what happens later."""
        return msgspec.msgpack.decode(self.memory(), type=TargetMemory | None)

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned, with the same config.

        Raises:
            SnapshotError: it doesn't fit.
        """
        self._memory = recalled(memory, TargetMemory | None, "the memory of the targets")
        self._next, self._due_ns = {}, _ALWAYS_NS
        if self._memory is not None:
            self._plan_marks(self._memory.now_ns)

    # --- within ---------------------------------------------------------------------------------------------

    def _unit(self, event: UnitCompleted, memory: TargetMemory, at_ns: int) -> list[AnyEvent]:
        if event.family is None:
            return []
        memory.output.add(event.line, event.family, event.at_ns)
        said: list[AnyEvent] = []
        plan = self._ledgers.credit(event, memory.done)
        if plan is not None:
            said.append(self._ledgers.say(plan, memory.done, memory.output, at_ns))
        commitments = self._families.get(event.family)
        if commitments is not None:
            just = commitments.credit(memory.served, event.at_ns)
            said += commitments.say(memory.served, memory.output, at_ns, closed=False, just=just)
        return said

    def _look(self, lines: list[str], memory: TargetMemory, at_ns: int, *, turn: bool) -> list[AnyEvent]:
        said: list[AnyEvent] = []
        plans = [plan for plan in self._plans.all() if plan.target.line in lines]
        current = [plan for plan in plans if plan.year.start_ns <= at_ns < plan.year.end_ns]
        said += [self._ledgers.say(plan, memory.done, memory.output, at_ns) for plan in current]
        for commitments in self._families.values():
            if commitments.line in lines:
                said += commitments.say(memory.served, memory.output, at_ns, closed=turn)
        if turn:
            said += [self._kits.say(kit, memory.used, at_ns) for kit in self._config.kits]
            for line in lines:
                memory.output.forget(line, window_start(at_ns, self._calendars[line]))
        return said

    def _remembered(self, at_ns: int) -> TargetMemory:
        if self._memory is None:
            self._memory = TargetMemory(at_ns, Output(at_ns))
            self._plan_marks(at_ns)
        return self._memory

    def _plan_marks(self, at_ns: int) -> None:
        for line, marks in self._marks.items():
            if line not in self._next or self._next[line].at_ns <= at_ns:
                self._next[line] = marks.after(at_ns)
        self._due_ns = min(mark.at_ns for mark in self._next.values())
