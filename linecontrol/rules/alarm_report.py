"""What flags asked of people over a longer time, from what was told of them, against what the standards want."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar
from linecontrol.model import AlarmKpi, AnyEvent, FlagChanged
from linecontrol.rules.kpi import HOUR, AlarmKpiRoom
from linecontrol.rules.tally import Account, close_period, open_period, take

GOOD_PER_HOUR, MOST_PER_HOUR = 6.0, 12.0
"""Flags an hour that a person can well take in, and at the most (ISA-18.2)."""
GOOD_FLOOD_SHARE = 0.01
"""Share of time in flood that is still good (ISA-18.2)."""
MIX = {"info": 0.80, "warning": 0.15, "critical": 0.05}
"""Shares of the severities from the least to the most urgent that let the urgent ones stand out (EEMUA 191)."""


class LineReport(Struct):
    """A line (empty: what belongs to none): the whole time, and each hour and shift of it, in order."""

    line: str
    whole: AlarmKpi
    hours: list[AlarmKpi] = field(default_factory=list)
    shifts: list[AlarmKpi] = field(default_factory=list)

    @property
    def mix(self) -> dict[str, float | None]:
        """The share of each severity; ``None`` if nothing was told."""
        counts = {"info": self.whole.info, "warning": self.whole.warning, "critical": self.whole.critical}
        return {name: count / self.whole.told if self.whole.told else None for name, count in counts.items()}


class AlarmReport:
    """Counts flags from the first record that it is shown to the last."""

    def __init__(self, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` by line."""
        self._room = AlarmKpiRoom(calendars)
        self._accounts = {line: Account() for line in ("", *calendars)}
        self._said: list[AlarmKpi] = []
        self._start_ns: int | None = None

    def take(self, events: Iterable[AnyEvent], now_ns: int) -> None:
        """One record: what was told by ``now_ns``."""
        if self._start_ns is None:
            self._start_ns = now_ns
            for account in self._accounts.values():
                open_period(account, "whole", "", now_ns, now_ns)
            self._room.tick(now_ns)
        for event in events:
            if isinstance(event, FlagChanged) and event.line in self._accounts:
                take(self._accounts[event.line], event)
                self._hear(self._room.see(event))
        self._hear(self._room.tick(now_ns))

    def lines(self, end_ns: int) -> list[LineReport]:
        """The report at ``end_ns``, of lines of which anything was told; the account is closed with it."""
        reports = []
        for line, account in self._accounts.items():
            for period in list(account.periods):
                period.end_ns = end_ns
                whole = close_period(account, period, line)
                its = [kpi for kpi in self._said if kpi.line == line]
                hours = [kpi for kpi in its if kpi.period == HOUR]
                shifts = [kpi for kpi in its if kpi.period != HOUR]
                if whole.told or whole.muted or whole.standing:
                    reports.append(LineReport(line, whole, hours, shifts))
        return reports

    def _hear(self, events: Iterable[AnyEvent]) -> None:
        self._said += [event for event in events if isinstance(event, AlarmKpi)]
