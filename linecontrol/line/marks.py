"""Where a cycle starts and ends, for each of the five ways in which a station can tell it.

A start or an end is an *edge*: it needs the value before and the value now. What a station shows when it is seen
again after a gap is only a *level*: in work or not.
"""

from collections.abc import Mapping

from msgspec import Struct

from linecontrol.config import CycleBy, Meaning, Role, StationConfig
from linecontrol.line.codes import StateCodes
from linecontrol.model import Value

Values = Mapping[Role, Value]


class Marks(Struct, frozen=True):
    """What the edges between two sets of values say. An end comes before a start of the same instant."""

    ended: bool = False
    started: bool = False


class CycleSignals:
    """Reads a station's values for its ``cycle_by``."""

    def __init__(self, station: StationConfig, codes: StateCodes) -> None:
        """Fix the method and what evidence there is of work going on."""
        self._by = station.cycle_by
        self._codes = codes
        roles = station.signals
        self.counted = Role.CYCLE_COUNT in roles
        self.by_count = self._by is CycleBy.COUNT or (self._by is CycleBy.CYCLE_TIME and self.counted)
        self.by_register = self._by is CycleBy.CYCLE_TIME
        preferred = (Role.STATE, Role.RUNNING) if self._by is CycleBy.STATE else (Role.RUNNING, Role.STATE)
        self._evidence: Role | None = next((role for role in preferred if role in roles), None)
        self.goes_on = self._by is not CycleBy.PART_PRESENT  # a part that is still there may be the finished one
        self.starts_at_end = self._by in (CycleBy.COUNT, CycleBy.CYCLE_TIME) and self._evidence is None

    def edges(self, old: Values, new: Values, *, in_cycle: bool) -> Marks:
        """Starts and ends between ``old`` and ``new``; counters are judged elsewhere."""
        match self._by:
            case CycleBy.START_COMPLETE:
                return Marks(_rose(old, new, Role.CYCLE_COMPLETE), _rose(old, new, Role.CYCLE_START))
            case CycleBy.PART_PRESENT:
                return Marks(_fell(old, new, Role.PART_PRESENT), _rose(old, new, Role.PART_PRESENT))
            case CycleBy.STATE:
                return Marks(in_cycle and self._state_ends(new), not in_cycle and self._work_began(old, new))
            case CycleBy.CYCLE_TIME if not self.counted:
                before, now = old.get(Role.CYCLE_TIME), new.get(Role.CYCLE_TIME)
                ended = before is not None and now is not None and before != now
                return Marks(ended, not in_cycle and self._work_began(old, new))
            case _:
                return Marks(started=not in_cycle and self._work_began(old, new))

    def at_rest(self, values: Values) -> bool:
        """Whether the levels say that no cycle is going on, not even a disturbed one."""
        match self._by:
            case CycleBy.START_COMPLETE:
                return not self.in_work(values)
            case CycleBy.STATE:
                meaning = self._meaning(values)
                return meaning in (Meaning.COMPLETE, Meaning.BLOCKED, Meaning.STARVED, Meaning.IDLE)
            case _:
                disturbed = values.get(Role.FAULT) is True or self._meaning(values) in (Meaning.DOWN, Meaning.SETUP)
                return not self.in_work(values) and not disturbed

    def in_work(self, values: Values) -> bool:
        """Whether the levels say that a cycle is going on."""
        match self._by:
            case CycleBy.START_COMPLETE:
                return values.get(Role.CYCLE_START) is True and values.get(Role.CYCLE_COMPLETE) is not True
            case CycleBy.PART_PRESENT:
                return values.get(Role.PART_PRESENT) is True
            case CycleBy.STATE:
                return self._meaning(values) in (Meaning.WORKING, Meaning.DOWN, Meaning.SETUP)
            case _:
                return self.starts_at_end or self._works(values)

    def resumed(self, old: Values, new: Values) -> bool:
        """Whether a state word says that the station rested and works now; a cycle that goes on may be the next."""
        rested = self._meaning(old) in (Meaning.STARVED, Meaning.IDLE)
        return self._by is CycleBy.STATE and rested and self._meaning(new) is Meaning.WORKING

    def _works(self, values: Values) -> bool:
        if self._evidence is Role.RUNNING:
            return values.get(Role.RUNNING) is True
        return self._evidence is Role.STATE and self._meaning(values) is Meaning.WORKING

    def _work_began(self, old: Values, new: Values) -> bool:
        return self._evidence is not None and self._works(new) and not self._works(old)

    def _state_ends(self, values: Values) -> bool:
        meaning = self._meaning(values)
        if meaning in (Meaning.COMPLETE, Meaning.BLOCKED):
            return True
        return meaning in (Meaning.STARVED, Meaning.IDLE) and not self._codes.tells_complete

    def _meaning(self, values: Values) -> Meaning | None:
        return self._codes.meaning(values.get(Role.STATE))


def _rose(old: Values, new: Values, role: Role) -> bool:
    return old.get(role) is False and new.get(role) is True


def _fell(old: Values, new: Values, role: Role) -> bool:
    return old.get(role) is True and new.get(role) is False
