"""What is said beside a cycle's edges: names of its unit, figures of its end. Which of them are new?

They may come somewhat before or after the edge that they belong to (other block, other scan of the PLC). One is
*fresh* from its change until a cycle takes it; what did not change since the last cycle is that cycle's.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from linecontrol.config import Role, StationConfig
from linecontrol.line.marks import CycleSignals
from linecontrol.line.memory import StationMemory
from linecontrol.model import Value


class Labels:
    """The names and figures of one station. ``names`` belong to a start, ``figures`` to an end."""

    def __init__(
        self,
        station: StationConfig,
        signals: CycleSignals,
        products: Collection[Value],
        memory: Callable[[], StationMemory],
    ) -> None:
        """``products`` are the codes that mean one; ``memory`` is asked anew each time."""
        names = [role for role in (Role.UNIT_ID, Role.PRODUCT) if role in station.signals]
        register = [Role.CYCLE_TIME] if signals.by_register and signals.counted else []
        self.names = [] if signals.starts_at_end else names
        self.figures = [*register, *names] if signals.starts_at_end else register
        self._judging = [role for role in (Role.GOOD_COUNT, Role.REJECT_COUNT) if role in station.signals]
        self._products, self._memory = products, memory

    def note(self, old: Mapping[Role, Value]) -> None:
        """Values changed from ``old``: remember which labels are fresh, and whether a unit was found good or not."""
        memory = self._memory()
        for role in (*self.names, *self.figures):
            now = memory.values.get(role)
            if now is None:
                continue
            changed = self._changed(memory, role, old.get(role), now)
            memory.known[role] = now
            if self._is_void(role, now):
                self.use([role])
            elif changed and role not in memory.fresh:
                memory.fresh.append(role)
        for role, good in ((Role.GOOD_COUNT, True), (Role.REJECT_COUNT, False)):
            before, count = old.get(role), memory.values.get(role)
            if isinstance(before, int) and isinstance(count, int) and count > before:
                memory.good = good

    def note_all(self) -> None:
        """A cycle was found under way: what names a unit now names its unit."""
        memory = self._memory()
        for role in self.names:
            value = memory.values.get(role)
            if value is not None and not self._is_void(role, value) and role not in memory.fresh:
                memory.fresh.append(role)

    def fresh(self, roles: Sequence[Role]) -> list[Role]:
        """Those of ``roles`` that no cycle has taken yet."""
        return [role for role in roles if role in self._memory().fresh]

    def use(self, roles: Sequence[Role]) -> None:
        """A cycle takes these."""
        memory = self._memory()
        memory.fresh = [role for role in memory.fresh if role not in roles]

    def names_in(self) -> bool:
        """Whether nothing more has to come for a start."""
        return len(self.fresh(self.names)) == len(self.names)

    def figures_in(self) -> bool:
        """Whether nothing more has to come for an end."""
        judged = not self._judging or self._memory().good is not None
        return judged and len(self.fresh(self.figures)) == len(self.figures)

    def judgement(self, *, waited: bool) -> bool | None:
        """Whether the unit of the cycle that ended is good; with one of the two counts, its silence speaks too."""
        memory = self._memory()
        if memory.good is None and waited and len(self._judging) == 1:
            role = self._judging[0]
            return None if memory.values.get(role) is None else role is Role.REJECT_COUNT
        return memory.good

    def unit_id(self, among: Collection[Role]) -> str | None:
        """The unit that is named, if its signal is ``among`` those to be believed."""
        named = self._memory().values.get(Role.UNIT_ID)
        return named if Role.UNIT_ID in among and isinstance(named, str) and named else None

    def _changed(self, memory: StationMemory, role: Role, old: Value, now: Value) -> bool:
        last, cycle = memory.known.get(role), memory.cycle
        if role in self.figures or (old is not None and last is not None):
            return last is not None and last != now
        return cycle is not None and (role not in cycle.named or last != now)

    def _is_void(self, role: Role, value: Value) -> bool:
        return value == "" or (role is Role.PRODUCT and value not in self._products)
