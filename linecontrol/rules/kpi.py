"""The room of alarm figures: what was told of flags into ``AlarmKpi``, for each line, hour and shift."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar
from linecontrol.duration import NS
from linecontrol.model import AlarmKpi, AnyEvent, FlagChanged
from linecontrol.rules.tally import Account, Period, close_period, open_period, take
from linecontrol.snapshot import recalled

HOUR, SHIFT = "hour", "shift"
HOUR_NS = 3600 * NS
_YEAR_NS = 366 * 24 * HOUR_NS


class _Remembered(Struct):
    """All that the room remembers: the account of each line, empty for what belongs to none."""

    lines: dict[str, Account] = field(default_factory=dict)


class AlarmKpiRoom:
    """Counts flags by hour (of UTC) and by shift. What happens between two shifts is in the hours only."""

    def __init__(self, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` by line."""
        self._calendars = calendars
        self._memory = _Remembered({line: Account() for line in ("", *calendars)})
        self._due_ns = 0

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """What ends before a flag changes; the change itself is counted."""
        if not isinstance(event, FlagChanged) or (account := self._memory.lines.get(event.line)) is None:
            return ()
        said = self.tick(event.at_ns)
        take(account, event)
        return said

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """The figures of the periods that have ended by ``at_ns``."""
        if at_ns < self._due_ns:
            return ()
        said: list[AlarmKpi] = []
        for line, account in self._memory.lines.items():
            if not account.periods:
                self._begin(line, account, at_ns)
            while (period := min(account.periods, key=_end)).end_ns <= at_ns:
                kpi = close_period(account, period, line)
                if period.kind == HOUR or period.shift:
                    said.append(kpi)
                self._open(line, account, period.kind, period.end_ns)
        self._due_ns = min(_end(period) for account in self._memory.lines.values() for period in account.periods)
        return said

    def _begin(self, line: str, account: Account, at_ns: int) -> None:
        self._open(line, account, HOUR, at_ns)
        if line:
            self._open(line, account, SHIFT, at_ns)

    def _open(self, line: str, account: Account, kind: str, at_ns: int) -> None:
        if kind == HOUR:
            open_period(account, HOUR, "", at_ns, (at_ns // HOUR_NS + 1) * HOUR_NS)
            return
        calendar = self._calendars[line]
        shift = calendar.shift_at(at_ns)
        if shift is not None:
            open_period(account, SHIFT, shift.name, at_ns, shift.end_ns)
            return
        following = next(iter(calendar.shifts(at_ns, at_ns + _YEAR_NS)), None)
        open_period(account, SHIFT, "", at_ns, following.start_ns if following else at_ns + _YEAR_NS)

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode(self._memory)

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned; lines that the config has are kept.

        Raises:
            SnapshotError: it doesn't fit.
        """
        old: _Remembered = recalled(memory, _Remembered, "the memory of the alarm figures")
        self._memory = _Remembered({line: old.lines.get(line, Account()) for line in ("", *self._calendars)})
        self._due_ns = 0


def _end(period: Period) -> int:
    return period.end_ns
