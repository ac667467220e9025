"""The figures of one line: its stations' timelines, the periods that are open or can still be corrected."""

from collections.abc import Iterable

from msgspec import Struct

from linecontrol.calendar import WorkCalendar
from linecontrol.config import LineConfig, Role
from linecontrol.kpi import period as periods
from linecontrol.kpi import timeline
from linecontrol.kpi.counts import Counts, of_line
from linecontrol.kpi.figures import figures
from linecontrol.kpi.period import Period
from linecontrol.kpi.timeline import Piece
from linecontrol.model import CycleCompleted, ShiftKpi, StateChanged, StateHeld, StationState, UnitCompleted

ALL = "ALL"
"""The name under which the figures of a whole line are given."""

_NS = 1_000_000_000
_UPDATE_NS = 15 * 60 * _NS
_CORRECTABLE_NS = 86_400 * _NS
_NEVER_NS = 1 << 63


class LineMemory(Struct):
    """All that is remembered of a line. ``now_ns`` is ``None`` before anything happened."""

    pieces: dict[str, list[Piece]]
    periods: list[Period]
    now_ns: int | None = None


class LineFigures:
    """Folds the events of one line and gives its figures when they are due."""

    def __init__(self, name: str, config: LineConfig, calendar: WorkCalendar) -> None:
        """All durations are taken in the working time of ``calendar``."""
        self._name = name
        self._calendar = calendar
        judging = {Role.GOOD_COUNT, Role.REJECT_COUNT}
        self._judges = {key: not judging.isdisjoint(station.signals) for key, station in config.stations.items()}
        self._judges[ALL] = any(self._judges.values())
        self._memory = LineMemory({station: [] for station in config.stations}, [])
        self._due_ns = -_NEVER_NS

    @property
    def memory(self) -> LineMemory:
        """What is remembered."""
        return self._memory

    def remember(self, memory: LineMemory) -> None:
        """Take up what ``memory`` held."""
        self._memory = memory
        waiting = memory.now_ns is None or any(period.stale for period in memory.periods)
        self._due_ns = -_NEVER_NS if waiting else self._next_due(memory.now_ns or 0)

    # --- events ---------------------------------------------------------------------------------------------

    def changed(self, event: StateChanged) -> None:
        """Take up a new state."""
        self._begin(event.at_ns)
        pieces = self._memory.pieces[event.station]
        if not pieces:
            self._enter(event.station, event.since_ns, event.previous)
        self._enter(event.station, event.at_ns, event.state)

    def held(self, event: StateHeld) -> None:
        """Take up a state that was not known; otherwise a heartbeat says nothing new."""
        self._begin(event.at_ns)
        pieces = self._memory.pieces[event.station]
        if not pieces:
            self._enter(event.station, event.since_ns, event.state)
        elif timeline.state_at(pieces, event.at_ns) is not event.state:
            self._enter(event.station, event.at_ns, event.state)

    def cycle(self, event: CycleCompleted) -> None:
        """Count a cycle."""
        for counts in self._counts(event.at_ns, event.station):
            counts.add_output(event.good if self._judges[event.station] else True)
            counts.add_times(event)

    def unit(self, event: UnitCompleted) -> None:
        """Count a unit that left the line."""
        for counts in self._counts(event.at_ns, ALL):
            counts.add_output(event.good if self._judges[ALL] else True)

    # --- time -----------------------------------------------------------------------------------------------

    def tick(self, at_ns: int) -> Iterable[ShiftKpi]:
        """The figures that are due by ``at_ns``."""
        if at_ns < self._due_ns:
            return ()
        self._begin(at_ns)
        said: list[ShiftKpi] = []
        for period in self._memory.periods:
            if period.stale:
                period.stale = False
                said += self._say(period, period.end_ns, at_ns)
        now_ns = at_ns if self._memory.now_ns is None else self._memory.now_ns
        while (due_ns := self._next_due(now_ns)) <= at_ns:
            now_ns = due_ns
            said += self._close(due_ns)
            if due_ns + _UPDATE_NS > at_ns:
                said += self._update(due_ns)
        self._memory.now_ns = max(now_ns, at_ns)
        self._due_ns = self._next_due(self._memory.now_ns)
        return said

    def _next_due(self, now_ns: int) -> int:
        """The next moment after ``now_ns`` at which a period ends or a running shift is updated."""
        due_ns = min(
            (max(period.end_ns, now_ns) for period in self._memory.periods if not period.closed), default=_NEVER_NS
        )
        running = self._running_shift()
        if running is not None:
            from_ns = max(now_ns, running.start_ns)
            due_ns = min(due_ns, (from_ns // _UPDATE_NS + 1) * _UPDATE_NS)
        return due_ns

    def _running_shift(self) -> Period | None:
        for period in self._memory.periods:
            if period.kind == periods.SHIFT and not period.closed:
                return period
        return None

    def _close(self, at_ns: int) -> list[ShiftKpi]:
        said: list[ShiftKpi] = []
        ended = [period for period in self._memory.periods if not period.closed and period.end_ns <= at_ns]
        for period in ended:
            said += self._say(period, period.end_ns, period.end_ns)
            period.closed = True
            self._follow(period)
        if ended:
            self._forget(at_ns)
        return said

    def _update(self, at_ns: int) -> list[ShiftKpi]:
        shift = self._running_shift()
        if shift is None or not shift.start_ns < at_ns < shift.end_ns:
            return []
        worked_ns = self._calendar.working_ns(max(at_ns - _UPDATE_NS, shift.start_ns), at_ns)
        return self._say(shift, at_ns, at_ns) if worked_ns > 0 else []

    # --- within ---------------------------------------------------------------------------------------------

    def _begin(self, at_ns: int) -> None:
        if self._memory.now_ns is None:
            self._memory.now_ns = at_ns
            shift = periods.first_shift(at_ns, self._calendar)
            self._memory.periods = [*([] if shift is None else [shift]), periods.first_day(at_ns, self._calendar)]
            self._due_ns = self._next_due(at_ns)

    def _enter(self, station: str, at_ns: int, state: StationState) -> None:
        until_ns = timeline.enter(self._memory.pieces[station], at_ns, state, self._calendar)
        for period in self._memory.periods:
            if period.closed and period.end_ns > at_ns and (until_ns is None or until_ns > period.start_ns):
                self._correct(period)

    def _counts(self, at_ns: int, station: str) -> list[Counts]:
        """The counts of the periods to which that moment belongs."""
        self._begin(at_ns)
        for period in list(self._memory.periods):
            while period.until_ns <= at_ns and (following := self._follow(period)) is not None:
                period = following
        found = [period for period in self._memory.periods if period.start_ns <= at_ns < period.until_ns]
        for period in found:
            if period.closed:
                self._correct(period)
        return [period.counts.setdefault(station, Counts()) for period in found]

    def _follow(self, period: Period) -> Period | None:
        """The next period of the same kind, opened if need be."""
        for other in self._memory.periods:
            if other.kind == period.kind and other.start_ns > period.start_ns:
                return other
        following = periods.after(period, self._calendar)
        if following is not None:
            self._memory.periods.append(following)
        return following

    def _correct(self, period: Period) -> None:
        period.stale = True
        self._due_ns = -_NEVER_NS

    def _forget(self, now_ns: int) -> None:
        memory = self._memory
        memory.periods = [each for each in memory.periods if not each.closed or each.end_ns + _CORRECTABLE_NS > now_ns]
        oldest_ns = min((each.start_ns for each in memory.periods), default=now_ns)
        for pieces in memory.pieces.values():
            timeline.forget(pieces, oldest_ns)

    def _say(self, period: Period, end_ns: int, at_ns: int) -> list[ShiftKpi]:
        """The figures of each station and of the line; none of a day on which nothing was or should have been done."""
        if not period.counts and self._calendar.working_ns(period.start_ns, end_ns) == 0:
            return []
        said: list[ShiftKpi] = []
        sums = dict.fromkeys(StationState, 0)
        nothing = Counts()
        for station, pieces in self._memory.pieces.items():
            times = timeline.times(pieces, period.start_ns, end_ns, self._calendar)
            for state, worked_ns in times.items():
                sums[state] += worked_ns
            counts = period.counts.get(station, nothing)
            said.append(figures(self._name, station, period, end_ns, at_ns, times, counts))
        stations = [period.counts.get(station, nothing) for station in self._memory.pieces]
        total = of_line(period.counts.get(ALL, nothing), stations)
        said.append(figures(self._name, ALL, period, end_ns, at_ns, sums, total))
        return said
