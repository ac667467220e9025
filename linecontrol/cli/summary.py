"""What happened, in one table: a listener of the gateway's events."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct, field
from rich.console import Console
from rich.table import Table

from linecontrol.config import Config, LineConfig
from linecontrol.model import (
    AnyEvent,
    BottleneckUpdated,
    CycleCompleted,
    FlagChanged,
    Health,
    LedgerUpdated,
    TargetForecast,
    Timing,
    UnitCompleted,
)


class StationSum(Struct):
    """Cycles of a station; means are over cycles whose both ends were seen."""

    cycles: int = 0
    measured: int = 0
    active_s: float = 0.0
    planned_s: float = 0.0
    planned: int = 0

    @property
    def mean_s(self) -> float | None:
        """Mean cycle time in working seconds."""
        return self.active_s / self.measured if self.measured else None

    @property
    def mean_planned_s(self) -> float | None:
        """Mean planned cycle time of what was built."""
        return self.planned_s / self.planned if self.planned else None


class Summary(Struct):
    """Sums over a run. ``see`` is a listener."""

    units: Counter[str] = field(default_factory=Counter)
    stations: dict[str, StationSum] = field(default_factory=dict)
    flags: Counter[str] = field(default_factory=Counter)
    ledgers: dict[str, LedgerUpdated] = field(default_factory=dict)
    verdicts: dict[str, BottleneckUpdated] = field(default_factory=dict)
    forecasts: dict[str, TargetForecast] = field(default_factory=dict)

    def see(self, events: Sequence[AnyEvent]) -> None:
        """Add up what durable events say."""
        for event in events:
            match event:
                case CycleCompleted():
                    self._cycle(event)
                case UnitCompleted():
                    self.units[event.line] += 1
                case FlagChanged(transition="raised"):
                    self.flags[event.rule] += 1
                case LedgerUpdated():
                    self.ledgers[event.target] = event
                case BottleneckUpdated():
                    self.verdicts[event.line] = event
                case TargetForecast():
                    self.forecasts[event.target] = event
                case _:
                    pass

    def _cycle(self, event: CycleCompleted) -> None:
        total = self.stations.setdefault(f"{event.line}/{event.station}", StationSum())
        total.cycles += 1
        if event.timing is Timing.MEASURED and event.active_s is not None:
            total.measured += 1
            total.active_s += event.active_s
            if event.planned_s is not None:
                total.planned += 1
                total.planned_s += event.planned_s

    def worst(self, line: str) -> str | None:
        """The station with the largest mean cycle time over plan, of those that finished any."""
        ratios = {
            name: total.mean_s / total.mean_planned_s
            for name, total in self.stations.items()
            if name.startswith(f"{line}/") and total.mean_s and total.mean_planned_s
        }
        return max(ratios, key=lambda name: ratios[name], default=None)


def show(summary: Summary, config: Config, health: Health, console: Console) -> None:
    """Print the summary as tables."""
    for line_name, line in config.lines.items():
        table = Table(title=f"{line.title}: {summary.units[line_name]} units built", title_justify="left")
        table.add_column("station")
        for heading in ("cycles", "mean cycle", "plan", "cycle / plan"):
            table.add_column(heading, justify="right")
        worst = summary.worst(line_name)
        for name, station in line.stations.items():
            total = summary.stations.get(f"{line_name}/{name}", StationSum())
            mean, plan = total.mean_s, total.mean_planned_s
            table.add_row(
                station.title,
                str(total.cycles),
                clock_text(mean),
                clock_text(plan),
                f"{mean / plan:.0%}" if mean and plan else "-",
                style="bold red" if f"{line_name}/{name}" == worst else None,
            )
        console.print(table)
        if worst is not None:
            console.print(f"  furthest over plan: {line.stations[worst.split('/')[1]].title}")
        console.print(f"  probably holds the line back: {_suspects(summary.verdicts.get(line_name), line)}")
    for ledger in summary.ledgers.values():
        family = config.families[ledger.family].title
        side = "ahead" if ledger.ahead_units >= 0 else "behind"
        console.print(
            f"{family} {ledger.year}: {ledger.done} of {ledger.units} built, {ledger.due:.1f} due by now: "
            f"[bold]{abs(ledger.ahead_units):.1f} units {side}[/bold] ({abs(ledger.ahead_days):.1f} working days); "
            f"required takt {clock_text(ledger.takt_required_s)}, planned {clock_text(ledger.takt_planned_s)}"
        )
        forecast = summary.forecasts.get(ledger.target)
        if forecast is not None:
            span = f"{forecast.units_low:.0f} to {forecast.units_high:.0f}"
            text = f"{forecast.units_likely:.0f} units ({span}), the target is met with {forecast.probability:.0%}"
            console.print(f"  forecast: {text}")
    flags = ", ".join(f"{rule} {count}" for rule, count in summary.flags.most_common()) or "none"
    console.print(f"flags raised: {flags}")
    console.print(
        f"{health.readings} readings ({health.readings_per_s:.0f}/s), {health.events} events, "
        f"{health.journal_records} journal records, from reading to durable {health.lag_s * 1000:.0f} ms"
    )


def _suspects(verdict: BottleneckUpdated | None, line: LineConfig) -> str:
    if verdict is None or not verdict.suspects:
        return "too early to say"
    names = [f"{line.stations[each.station].title} {each.probability:.0%}" for each in verdict.suspects]
    return f"{', '.join(names)}{' (provisional)' if verdict.provisional else ''}\n  {verdict.verdict}"


def clock_text(seconds: float | None) -> str:
    """Seconds as people say them: 2h21m, 45m, 30s; a dash for none."""
    if seconds is None:
        return "-"
    minutes = round(seconds / 60)
    if minutes == 0:
        return f"{seconds:.0f}s"
    return f"{minutes // 60}h{minutes % 60:02d}m" if minutes >= 60 else f"{minutes}m"
