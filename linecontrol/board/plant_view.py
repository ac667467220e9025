"""What concerns the plant as a whole: links, flags, commitments, kits."""

from zoneinfo import ZoneInfo

from linecontrol.board.page import CommitmentRow, KitRow, LinkRow, Standing
from linecontrol.board.words import (
    chance,
    day_text,
    days_text,
    due_text,
    margin,
    moment_text,
    percent,
)
from linecontrol.config import Config
from linecontrol.model.event import (
    AnyEvent,
    CommitmentForecast,
    CommitmentUpdated,
    KitForecast,
    KitStockChanged,
    LinkChanged,
)
from linecontrol.model.health import Health

_NEVER_NS = 2**63 - 1


class PlantView:
    """Links, flags, commitments and kits, folded from events."""

    def __init__(self, config: Config, zone: ZoneInfo) -> None:
        """``zone`` is the plant's time zone."""
        self._config = config
        self._zone = zone
        self._links: dict[str, LinkChanged] = {}
        self._commitments: dict[str, CommitmentUpdated] = {}
        self._chances: dict[str, CommitmentForecast] = {}
        self._kits: dict[str, KitStockChanged] = {}
        self._kit_ends: dict[str, KitForecast] = {}
        self._users = {name: self._lines_on(name) for name in config.connections}

    def apply(self, event: AnyEvent) -> None:
        """Fold an event; those of lines are passed over."""
        match event:
            case LinkChanged():
                self._links[event.connection] = event
            case CommitmentUpdated():
                self._commitments[event.commitment] = event
            case KitStockChanged():
                self._kits[event.kit] = event
            case CommitmentForecast():
                self._chances[event.commitment] = event
            case KitForecast():
                self._kit_ends[event.kit] = event
            case _:
                pass

    def _lines_on(self, connection: str) -> list[str]:
        titles = []
        for line in self._config.lines.values():
            used = {line.connection}
            for station in line.stations.values():
                used.update(signal.connection for signal in (*station.signals.values(), *station.telemetry.values()))
            if connection in used:
                titles.append(line.title)
        return titles

    def links(self, now_ns: int, health: Health | None) -> list[LinkRow]:
        """Connections that are down, by what was last said of them or else by the gateway's health."""
        rows = []
        for name, lines in self._users.items():
            change = self._links.get(name)
            known = health.connections.get(name) if health else None
            up = change.up if change else known.up if known else True
            if not up:
                since = moment_text(change.at_ns, now_ns, self._zone) if change else ""
                rows.append(LinkRow(name=name, lines=lines, since=since, reason=change.reason if change else ""))
        return rows

    def commitments(self, now_ns: int) -> list[CommitmentRow]:
        """Commitments that are not yet kept, in order of their due days."""
        rows = []
        for event in sorted(self._commitments.values(), key=lambda event: (event.due_ns, event.commitment)):
            if event.done < event.units:
                family = self._config.families.get(event.family)
                standing, text, finish = self._prospect(event, now_ns)
                rows.append(
                    CommitmentRow(
                        title=event.market,
                        family=family.title if family else event.family,
                        done=event.done,
                        units=event.units,
                        due=due_text(event.due_ns, now_ns, self._zone),
                        margin=text,
                        finish=finish,
                        standing=standing,
                    )
                )
        return rows

    def _prospect(self, event: CommitmentUpdated, now_ns: int) -> tuple[Standing, str, str]:
        """How an open commitment stands, in words, and when it will be served."""
        forecast = self._chances.get(event.commitment)
        if forecast is None:
            return *margin(event.done, event.units, event.margin_days), ""
        finish = days_text(forecast.finish_low_ns, forecast.finish_high_ns, now_ns, self._zone)
        return chance(forecast.probability), f"met with {percent(forecast.probability)}", f"done {finish}"

    def kits(self, now_ns: int) -> list[KitRow]:
        """Kits of which the next working day needs more than there will be, then those that run out, each in order."""
        rows = [
            (not low, ends_ns, event.stock + event.arriving - event.needed_next_day, self._kit(event, low, now_ns))
            for event in self._kits.values()
            for low in [event.stock + event.arriving < event.needed_next_day]
            for ends_ns in [self._ends_ns(event.kit)]
            if low or ends_ns < _NEVER_NS
        ]
        return [row for _, _, _, row in sorted(rows, key=lambda each: each[:3])]

    def kits_well(self) -> str:
        """What can be said of the kits where none is missing."""
        lasting = self._kits and all(kit in self._kit_ends for kit in self._kits)
        return "All last for the year's targets" if lasting else "Enough for the next working day"

    def _ends_ns(self, kit: str) -> int:
        forecast = self._kit_ends.get(kit)
        return _NEVER_NS if forecast is None or forecast.runs_out_ns is None else forecast.runs_out_ns

    def _kit(self, event: KitStockChanged, low: bool, now_ns: int) -> KitRow:
        kit, forecast, ends_ns = (
            self._config.kits.get(event.kit),
            self._kit_ends.get(event.kit),
            self._ends_ns(event.kit),
        )
        return KitRow(
            title=kit.title if kit else event.kit,
            low=low,
            runs_out="" if ends_ns == _NEVER_NS else day_text(ends_ns, now_ns, self._zone),
            short=forecast.short if forecast else 0,
            stock=event.stock,
            needed=event.needed_next_day,
            arriving=event.arriving,
        )
