"""How much a line's flags ask of its people, by ISA-18.2 and EEMUA 191: counted from what was told of them."""

from msgspec import Struct, field

from linecontrol.duration import NS
from linecontrol.model import AlarmKpi, FlagChanged
from linecontrol.rules.alarm import CHATTERING, FLOOD, WANTING

PEAK_NS = 600 * NS
"""The time over which the peak is taken: ten minutes."""
STALE_NS = 86_400 * NS
"""A flag that stands for longer than this is stale."""
TOP = 10
"""So many flags are named that were told most often."""


class Period(Struct):
    """What is counted from ``start_ns`` until ``end_ns``: how often each flag and severity was told, and so on."""

    kind: str
    shift: str
    start_ns: int
    end_ns: int
    told: dict[str, int] = field(default_factory=dict)
    severities: dict[str, int] = field(default_factory=dict)
    peak: int = 0
    muted: int = 0
    flood_ns: int = 0
    chattered: dict[str, None] = field(default_factory=dict)


_KNOWN = ("renamed", "blind", "")
"""Transitions that say of a flag that stood before how it is."""


class Account(Struct):
    """What is remembered of a line's flags, and the periods that are being counted.

    ``standing`` are the flags that want somebody with the moments at which they were raised, ``recent`` the moments of
    the last ten minutes at which one was told, ``flood_ns`` is when the flood began that is going on.
    """

    standing: dict[str, int] = field(default_factory=dict)
    chattering: dict[str, None] = field(default_factory=dict)
    recent: list[int] = field(default_factory=list)
    flood_ns: int | None = None
    periods: list[Period] = field(default_factory=list)


def open_period(account: Account, kind: str, shift: str, start_ns: int, end_ns: int) -> None:
    """Count for a period from now on."""
    account.periods.append(Period(kind, shift, start_ns, end_ns, chattered=dict(account.chattering)))


def take(account: Account, event: FlagChanged) -> bool:
    """Count what was told of a flag of the line; whether it counts as told anew.

    A flag that an operator brings back himself doesn't, nor do the gateway's own.
    """
    if event.rule == FLOOD:
        _flood(account, event)
    elif event.rule == CHATTERING:
        _chatter(account, event)
    elif event.state not in WANTING:
        account.standing.pop(event.flag, None)
        if event.transition == "raised" and event.suppressed_by.startswith(f"{FLOOD}/"):
            for period in account.periods:
                period.muted += 1
    elif event.flag not in account.standing:
        account.standing[event.flag] = event.raised_ns
        if not event.by and event.transition not in _KNOWN:
            _told(account, event)
            return True
    return False


def close_period(account: Account, period: Period, line: str) -> AlarmKpi:
    """The figures of a period at its end, from which on it is no longer counted."""
    account.periods.remove(period)
    end_ns = period.end_ns
    if account.flood_ns is not None:
        period.flood_ns += max(0, end_ns - max(account.flood_ns, period.start_ns))
    told = sum(period.told.values())
    length_ns = end_ns - period.start_ns
    top = sorted(period.told.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return AlarmKpi(
        at_ns=end_ns,
        line=line,
        period=period.kind,
        shift=period.shift,
        start_ns=period.start_ns,
        end_ns=end_ns,
        told=told,
        per_hour=told * 3.6e12 / length_ns if length_ns else 0.0,
        peak=period.peak,
        info=period.severities.get("info", 0),
        warning=period.severities.get("warning", 0),
        critical=period.severities.get("critical", 0),
        muted=period.muted,
        flood_s=period.flood_ns / 1e9,
        flood_share=period.flood_ns / length_ns if length_ns else 0.0,
        standing=len(account.standing),
        stale=sum(raised_ns <= end_ns - STALE_NS for raised_ns in account.standing.values()),
        chattering=len(period.chattered),
        top=top,
    )


def _told(account: Account, event: FlagChanged) -> None:
    account.recent = [*(at for at in account.recent if at > event.at_ns - PEAK_NS), event.at_ns]
    for period in account.periods:
        period.told[event.flag] = period.told.get(event.flag, 0) + 1
        period.severities[event.severity.value] = period.severities.get(event.severity.value, 0) + 1
        period.peak = max(period.peak, len(account.recent))


def _flood(account: Account, event: FlagChanged) -> None:
    if event.transition == "raised":
        account.flood_ns = event.at_ns
    elif event.transition == "cleared" and account.flood_ns is not None:
        for period in account.periods:
            period.flood_ns += max(0, event.at_ns - max(account.flood_ns, period.start_ns))
        account.flood_ns = None


def _chatter(account: Account, event: FlagChanged) -> None:
    flag = event.flag.removeprefix(f"{CHATTERING}/")
    if event.transition == "raised" or (event.transition == "renamed" and event.raised):
        account.chattering[flag] = None
        for period in account.periods:
            period.chattered[flag] = None
    elif event.transition in ("cleared", "renamed"):
        account.chattering.pop(flag, None)
