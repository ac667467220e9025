"""Where a line lost its time, and what to start next, in words."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from linecontrol.board.page import LagBox, ReleaseBox
from linecontrol.board.words import amount, cause_text, day_text
from linecontrol.config import ProductConfig
from linecontrol.config.line import LineConfig
from linecontrol.model.event import LagCause, LagExplained, ReleaseProposed

MOST_CAUSES = 3
"""So many parts of a lag are shown."""
MOST_NEXT = 3
"""So many of the next products are shown."""
_LEAST_HOURS = 0.05
_LEAST_REST = 0.1
_LEAST_PART = 0.1
"""Causes that lost less than this part of what the largest lost are not shown by name."""


def lag_box(event: LagExplained, line: LineConfig, now_ns: int, zone: ZoneInfo) -> LagBox:
    """What was lost, the largest losses first; what is left then, gains too, is one more part."""
    lost = sorted((cause for cause in event.causes if cause.hours >= _LEAST_HOURS), key=lambda cause: -cause.hours)
    shown = [cause for cause in lost[:MOST_CAUSES] if cause.hours >= _LEAST_PART * lost[0].hours]
    causes = [(_where(cause, line), f"{cause.units:.1f}") for cause in shown]
    rest = event.units - sum(cause.units for cause in shown)
    if shown and abs(rest) >= _LEAST_REST:
        causes.append(("all else", f"{rest:.1f}".replace("-", "\u2212")))
    side = "gained" if event.units < 0 else "lost"
    return LagBox(
        sum=f"{amount(event.units, 'unit')} {side} since {day_text(event.since_ns, now_ns, zone)}",
        causes=causes,
        stops=", ".join(f"{reason} {hours:.0f}\u00a0h" for reason, hours in event.stops.items()),
    )


def _where(cause: LagCause, line: LineConfig) -> str:
    if not cause.station:
        return cause_text(cause.cause)
    station = line.stations.get(cause.station)
    return f"{station.title if station else cause.station} {cause_text(cause.cause)}"


def release_box(event: ReleaseProposed, products: Mapping[str, ProductConfig]) -> ReleaseBox:
    """The proposal; ``products`` are those of the plant by name."""
    content = f"{event.wip} in the line" if event.limit is None else f"{event.wip} of {event.limit} in the line"
    return ReleaseBox(
        go=event.go,
        word="start now" if event.go else "wait",
        products=[products[name].title if name in products else name for name in event.products[:MOST_NEXT]],
        content=content,
        reason=event.reason,
    )
