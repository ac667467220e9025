"""One line's band: its stations, running cycles, takt clock, targets, and what is made of them."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from linecontrol.board.advice_view import lag_box, release_box
from linecontrol.board.forecast_view import Progress
from linecontrol.board.page import ForecastBox, LineBand, StationTile, TaktClock, TargetRow
from linecontrol.board.verdict_view import verdict_box
from linecontrol.board.words import STATE_WORDS, lead, moment_text
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.duration import NS
from linecontrol.model.event import (
    AndonCalled,
    AnyEvent,
    BottleneckUpdated,
    CycleCompleted,
    CycleEnded,
    CycleProgress,
    CycleStarted,
    LagExplained,
    LedgerUpdated,
    ReleaseProposed,
    StateChanged,
    StateHeld,
    TargetForecast,
    UnitCompleted,
)
from linecontrol.model.state import Severity, StationState


class _Cycle(Struct):
    start_ns: int
    unit: str | None
    unit_inferred: bool
    product: str | None
    planned_s: float | None


class _Station(Struct):
    state: StationState = StationState.UNOBSERVED
    since_ns: int | None = None
    unit: str | None = None
    product: str | None = None
    cycle: _Cycle | None = None
    call: bool = False


class LineView:
    """What is known of a line, folded from its events."""

    def __init__(self, config: Config, name: str, calendar: WorkCalendar) -> None:
        """``calendar`` is the line's own."""
        self._config = config
        self._name = name
        self._calendar = calendar
        self._line = config.lines[name]
        self._stations = {station: _Station() for station in self._line.stations}
        self._numbers = {station: number for number, station in enumerate(self._line.stations, 1)}
        self._out_ns: int | None = None
        self._ledgers: dict[str, LedgerUpdated] = {}
        self._progress: dict[str, Progress] = {}
        self._bottleneck: BottleneckUpdated | None = None
        self._forecasts: dict[str, TargetForecast] = {}
        self._lag: LagExplained | None = None
        self._release: ReleaseProposed | None = None

    def apply(self, event: AnyEvent) -> None:
        """Fold an event of this line; what the board doesn't show is passed over."""
        match event:
            case StateChanged() | StateHeld():
                self._state(event)
            case CycleStarted():
                self._started(event, event.at_ns)
            case CycleProgress():
                self._started(event, event.start_ns)
            case CycleEnded():
                if station := self._stations.get(event.station):
                    station.cycle = None
            case CycleCompleted():
                self._completed(event)
            case AndonCalled():
                if station := self._stations.get(event.station):
                    station.call = event.active
            case UnitCompleted():
                self._out_ns = event.at_ns
            case LedgerUpdated():
                self._ledgers[event.target] = event
                self._progress.setdefault(event.target, Progress(self._calendar.zone)).add(event)
            case BottleneckUpdated():
                self._bottleneck = event
            case TargetForecast():
                self._forecasts[event.target] = event
            case LagExplained():
                self._lag = event
            case ReleaseProposed():
                self._release = event
            case _:
                pass

    def _state(self, event: StateChanged | StateHeld) -> None:
        if station := self._stations.get(event.station):
            station.state = event.state
            station.since_ns = event.at_ns if isinstance(event, StateChanged) else event.since_ns
            station.unit, station.product = event.unit, event.product

    def _started(self, event: CycleStarted | CycleProgress, start_ns: int) -> None:
        if station := self._stations.get(event.station):
            station.cycle = _Cycle(start_ns, event.unit, event.unit_inferred, event.product, event.planned_s)

    def _completed(self, event: CycleCompleted) -> None:
        station = self._stations.get(event.station)
        cycle = station.cycle if station else None
        if station and cycle and (cycle.start_ns < event.at_ns or cycle.start_ns == event.start_ns):
            station.cycle = None

    def band(self, now_ns: int, speed: float, alerts: Mapping[str, Severity]) -> LineBand:
        """The band at ``now_ns``; ``alerts`` is the worst open flag of each station that has one."""
        return LineBand(
            name=self._name,
            title=self._line.title,
            rate=speed if self._calendar.is_working(now_ns) else 0.0,
            shift=self._shift(now_ns),
            takt=self._takt(now_ns),
            targets=[self._target(ledger, now_ns) for ledger in self._ledgers.values()],
            verdict=verdict_box(self._bottleneck, self._line) if self._bottleneck else None,
            forecasts=self._outlook(now_ns),
            lag=lag_box(self._lag, self._line, now_ns, self._calendar.zone) if self._lag else None,
            release=release_box(self._release, self._config.products) if self._release else None,
            stations=[self._tile(name, now_ns, alerts.get(name)) for name in self._stations],
        )

    def _elapsed_s(self, start_ns: int, end_ns: int) -> float:
        return max(0, self._calendar.working_ns(start_ns, end_ns)) / NS

    def _shift(self, now_ns: int) -> str:
        shift = self._calendar.shift_at(now_ns)
        if self._calendar.is_working(now_ns):
            return f"{shift.name.replace('_', ' ')} shift" if shift else "working"
        until = moment_text(self._calendar.next_change(now_ns), now_ns, self._calendar.zone)
        stop = self._calendar.stop_at(now_ns)
        return f"{stop or ('break' if shift else 'no shift')} until {until}"

    def _takt(self, now_ns: int) -> TaktClock:
        wanted = [ledger.takt_required_s for ledger in self._ledgers.values() if ledger.takt_required_s]
        required_s = 1 / sum(1 / takt_s for takt_s in wanted) if wanted else None
        elapsed_s = None if self._out_ns is None else self._elapsed_s(self._out_ns, now_ns)
        late = elapsed_s is not None and required_s is not None and elapsed_s > required_s
        return TaktClock(elapsed_s=elapsed_s, required_s=required_s, late=late)

    def _target(self, ledger: LedgerUpdated, now_ns: int) -> TargetRow:
        standing, word, days = lead(ledger.ahead_units, ledger.ahead_days)
        return TargetRow(
            title=self._title(ledger.family),
            year=ledger.year,
            today=self._today(ledger, now_ns),
            today_needed=self._needed_today(ledger, now_ns),
            done=ledger.done,
            units=ledger.units,
            due=ledger.due,
            ahead_units=ledger.ahead_units,
            ahead_days=ledger.ahead_days,
            standing=standing,
            word=word,
            days=days,
        )

    def _today(self, ledger: LedgerUpdated, now_ns: int) -> int:
        same_day = self._calendar.day_of(ledger.at_ns) == self._calendar.day_of(now_ns)
        return ledger.today if same_day else 0

    def _needed_today(self, ledger: LedgerUpdated, now_ns: int) -> float | None:
        if not ledger.takt_required_s:
            return None
        day = self._calendar.day_of(now_ns)
        start_ns, end_ns = self._calendar.day_start(day), self._calendar.day_start(day + timedelta(days=1))
        return self._elapsed_s(start_ns, end_ns) / ledger.takt_required_s

    def _outlook(self, now_ns: int) -> list[ForecastBox]:
        boxes = []
        for target, forecast in self._forecasts.items():
            progress = self._progress.get(target) or Progress(self._calendar.zone)
            boxes.append(progress.box(forecast, self._title(forecast.family), now_ns))
        return [box for box in boxes if box]

    def _title(self, family: str) -> str:
        known = self._config.families.get(family)
        return known.title if known else family

    def _tile(self, name: str, now_ns: int, alert: Severity | None) -> StationTile:
        station = self._stations[name]
        cycle = station.cycle
        seen = station.state is not StationState.UNOBSERVED
        elapsed_s = planned_s = None
        if cycle:
            planned_s = cycle.planned_s
            until_ns = now_ns if seen or station.since_ns is None else min(station.since_ns, now_ns)
            elapsed_s = self._elapsed_s(cycle.start_ns, until_ns)
        product = cycle.product if cycle else station.product
        known = self._config.products.get(product or "")
        return StationTile(
            name=name,
            number=self._numbers[name],
            title=self._line.stations[name].title,
            state=station.state,
            word=STATE_WORDS[station.state],
            since="" if station.since_ns is None else moment_text(station.since_ns, now_ns, self._calendar.zone),
            product=known.title if known else product or "",
            unit=(cycle.unit if cycle else station.unit) or "",
            unit_inferred=bool(cycle and cycle.unit_inferred),
            elapsed_s=elapsed_s,
            planned_s=planned_s,
            ticking=bool(cycle and seen),
            late=elapsed_s is not None and planned_s is not None and elapsed_s > planned_s,
            bottleneck=self._probability(name),
            alert=alert,
            call=station.call,
        )

    def _probability(self, name: str) -> int | None:
        for suspect in self._bottleneck.suspects[:1] if self._bottleneck else []:
            if suspect.station == name:
                return round(100 * suspect.probability)
        return None
