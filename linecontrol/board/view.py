"""Events folded into what the board shows. Pure: the same events and the same moment give the same page."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from linecontrol.board.flags_view import FlagsView
from linecontrol.board.line_view import LineView
from linecontrol.board.page import Page
from linecontrol.board.plant_view import PlantView
from linecontrol.board.words import local, long_date
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.model.event import AnyEvent
from linecontrol.model.health import ConnectionHealth, Health

SKEW_S = 5.0
"""A device's clock that is further off is told of: source times are the device's."""


class BoardView:
    """The plant as the board knows it."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """``calendars`` holds the working calendar of each line by the line's name."""
        self._config = config
        self._zone = ZoneInfo(config.plant.timezone)
        self._lines = {name: LineView(config, name, calendars[name]) for name in config.lines}
        self._plant = PlantView(config, self._zone)
        self._flags = FlagsView(config, self._zone)

    def apply(self, event: AnyEvent) -> None:
        """Fold one event. Events of lines and stations that the config doesn't know are passed over."""
        self._plant.apply(event)
        self._flags.apply(event)
        if line := self._lines.get(getattr(event, "line", "")):
            line.apply(event)

    def follow(self, config: Config) -> None:
        """These rules count from now on; all else is as before."""
        self._flags.follow(config)

    def page(self, now_ns: int, health: Health | None = None, speed: float = 1.0) -> Page:
        """The page at ``now_ns``; ``speed`` is how many plant seconds pass in a real one."""
        return Page(
            site=self._config.plant.site,
            area=self._config.plant.area,
            at_ns=now_ns,
            time=f"{local(now_ns, self._zone):%H:%M}",
            date=long_date(now_ns, self._zone),
            speed=speed,
            links=self._plant.links(now_ns, health),
            lines=[line.band(now_ns, speed, self._flags.alerts(name)) for name, line in self._lines.items()],
            commitments=self._plant.commitments(now_ns),
            kits=self._plant.kits(now_ns),
            kits_well=self._plant.kits_well(),
            flags=self._flags.open(now_ns),
            aside=self._flags.aside(now_ns),
            closed=self._flags.closed(now_ns),
            flag_figures=self._flags.figures(now_ns),
            trouble=_trouble(health),
            gateway=_gateway(health),
        )


def _trouble(health: Health | None) -> list[str]:
    if health is None:
        return []
    sinks = [
        f"{name}: {sink.trouble} ({sink.backlog:,} records wait)" for name, sink in health.sinks.items() if sink.trouble
    ]
    return (
        health.trouble
        + sinks
        + [text for name, link in health.connections.items() for text in _link_trouble(name, link)]
    )


def _link_trouble(name: str, link: ConnectionHealth) -> list[str]:
    """What people should know of a connection, whether it is up or not."""
    counted = [
        (link.refused, "signals that the device refuses"),
        (link.gaps, "times that values were lost on the way"),
        (link.late, "readings that came after newer ones"),
        (link.disbelieved, "readings that could not be right"),
        (link.late_answers + link.misfits, "answers that were not believed"),
    ]
    counts = ", ".join(f"{count:,} {what}" for count, what in counted if count)
    skewed = link.skew_s is not None and abs(link.skew_s) > SKEW_S
    clock = [f"{name}: the device's clock is {link.skew_s:+.0f} s off"] if skewed else []
    return [f"{name}: {text}" for text in (*link.warnings, counts) if text] + clock


def _gateway(health: Health | None) -> str:
    if health is None:
        return ""
    return f"{health.readings_per_s:,.0f} readings/s · durable after {1000 * health.lag_s:,.0f} ms"
