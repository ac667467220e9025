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
CAUSE_WORDS = {
    "": "slower than planned",
    "blocked": "blocked by the next station",
    "starved": "waiting for units",
    "kit": "kits missing",
    "operator": "no operator",
    "unobserved": "not seen",
    "cycle": "slower than planned",
    "plan": "plan without slack",
    "filling": "filling the line",
    "transport": "moving units",
    "material": "no material",
    "unknown": "unexplained",
}
SAFE = 0.8
"""A promise with at least this probability is shown as good."""
ENDANGERED = 0.35
"""A promise with less than this probability is shown as bad."""
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


def day_text(at_ns: int, now_ns: int, zone: ZoneInfo) -> str:
    """The day of a moment: ``31 Mar``, with the year if it is another one than now's."""
    moment = local(at_ns, zone)
    year = "" if moment.year == local(now_ns, zone).year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year}"


def days_text(low_ns: int | None, high_ns: int | None, now_ns: int, zone: ZoneInfo) -> str:
    """Between which days something happens; ``None`` is later than anybody can say."""
    if low_ns is None:
        return "later than foreseeable"
    low = day_text(low_ns, now_ns, zone)
    if high_ns is None:
        return f"{low} or later"
    high = day_text(high_ns, now_ns, zone)
    if low == high:
        return low
    first, last = local(low_ns, zone), local(high_ns, zone)
    if first.year == last.year:
        low = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
    return f"{low} – {high}"


def due_text(due_ns: int, now_ns: int, zone: ZoneInfo) -> str:
    """The last day of what is due by a moment, as ``day_text`` says it."""
    return day_text(due_ns - 1, now_ns, zone)


def percent(probability: float) -> str:
    """A probability for people, who should never read that something is certain: ``4 %``, ``under 1 %``."""
    if probability < 0.01:
        return "under 1\u00a0%"
    return "over 99\u00a0%" if probability > 0.99 else f"{100 * probability:.0f}\u00a0%"


def chance(probability: float) -> Standing:
    """How a promise with this probability stands."""
    return "good" if probability >= SAFE else "tight" if probability >= ENDANGERED else "bad"


def cause_text(cause: str) -> str:
    """What a station or a line lost its time by."""
    return CAUSE_WORDS.get(cause, cause.replace("_", " "))


def amount(value: float, one: str) -> str:
    """A number of things to one decimal, its sign left out: ``1.0 unit``, ``4.2 units``."""
    text = f"{abs(value):.1f}"
    return f"{text} {one if text == '1.0' else one + 's'}"


def lead(units: float, days: float) -> tuple[Standing, str, str]:
    """How a target stands: the standing, ``4.2 units behind``, ``1.3 working days``."""
    if abs(units) < 0.05:
        return "good", "on target", ""
    side = "behind" if units < 0 else "ahead"
    standing: Standing = "good" if units > 0 else "tight" if units > -1 else "bad"
    return standing, f"{amount(units, 'unit')} {side}", amount(days, "working day")


def margin(done: int, units: int, days: float | None) -> tuple[Standing, str]:
    """How a commitment stands: the standing, and its margin in working days."""
    if done >= units:
        return "good", "done"
    if days is None:
        return "unknown", "no forecast yet"
    if days < 0:
        return "bad", f"{amount(days, 'day')} late"
    return ("tight" if days < TIGHT_DAYS else "good"), f"{amount(days, 'day')} to spare"
