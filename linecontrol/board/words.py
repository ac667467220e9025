"""Texts for people: states, moments, leads and margins."""

from datetime import datetime
from zoneinfo import ZoneInfo

from linecontrol.board.page import Standing
from linecontrol.duration import NS
from linecontrol.model.state import Severity, StationState

STATE_WORDS = {
    StationState.WORKING: "Working",
    StationState.BLOCKED: "Blocked",
    StationState.STARVED: "Starved",
    StationState.DOWN: "Down",
    StationState.SETUP: "Setup",
    StationState.IDLE: "Idle",
    StationState.OFF_SHIFT: "Off shift",
    StationState.UNOBSERVED: "Not seen",
}
SEVERITY_WORDS = {Severity.CRITICAL: "Critical", Severity.WARNING: "Warning", Severity.INFO: "Info"}
URGENCY = {Severity.CRITICAL: 2, Severity.WARNING: 1, Severity.INFO: 0}
TIGHT_DAYS = 3.0
"""A commitment with less margin than this many working days is shown as tight."""


def local(at_ns: int, zone: ZoneInfo) -> datetime:
    """The moment in the plant's time zone, to the second."""
    return datetime.fromtimestamp(at_ns // NS, tz=zone)


def long_date(at_ns: int, zone: ZoneInfo) -> str:
    """A day with its weekday and year, such as ``Tuesday 24 November 2026``."""
    moment = local(at_ns, zone)
    return f"{moment:%A} {moment.day} {moment:%B} {moment.year}"


def moment_text(at_ns: int, now_ns: int, zone: ZoneInfo) -> str:
    """A moment as short as it may be seen from now: ``14:05``, ``Mon 14:05``, ``3 Mar 14:05``, ``3 Mar 2025``."""
    moment, now = local(at_ns, zone), local(now_ns, zone)
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    if abs((now.date() - moment.date()).days) < 7:
        return f"{moment:%a %H:%M}"
    if moment.year == now.year:
        return f"{moment.day} {moment:%b %H:%M}"
    return f"{moment.day} {moment:%b %Y}"


def due_text(due_ns: int, now_ns: int, zone: ZoneInfo) -> str:
    """The day of a due moment: ``31 Mar``, with the year if it is another one than now's."""
    moment = local(due_ns - 1, zone)
    year = "" if moment.year == local(now_ns, zone).year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year}"


def _amount(value: float, one: str) -> str:
    text = f"{abs(value):.1f}"
    return f"{text} {one if text == '1.0' else one + 's'}"


def lead(units: float, days: float) -> tuple[Standing, str, str]:
    """How a target stands: the standing, ``4.2 units behind``, ``1.3 working days``."""
    if abs(units) < 0.05:
        return "good", "on target", ""
    side = "behind" if units < 0 else "ahead"
    standing: Standing = "good" if units > 0 else "tight" if units > -1 else "bad"
    return standing, f"{_amount(units, 'unit')} {side}", _amount(days, "working day")


def margin(done: int, units: int, days: float | None) -> tuple[Standing, str]:
    """How a commitment stands: the standing, and its margin in working days."""
    if done >= units:
        return "good", "done"
    if days is None:
        return "unknown", "no forecast yet"
    if days < 0:
        return "bad", f"{_amount(days, 'day')} late"
    return ("tight" if days < TIGHT_DAYS else "good"), f"{_amount(days, 'day')} to spare"
