"""Floods of annunciations (ISA-18.2, EEMUA 191): when one begins, and when it is over if nothing more comes."""

from msgspec import Struct

from linecontrol.config import FloodConfig
from linecontrol.duration import NS

TELL_EVERY_NS = 10 * NS
"""How many are muted is told anew at most so often."""


class Flood(Struct):
    """What is remembered of a line's annunciations, those included that a flood mutes.

    ``moments`` are the last ones, as many as decide. ``since_ns`` is when the flood began that is going on.
    ``muted`` is how many flags it mutes, as last told, ``tell_ns`` when that is to be told anew.
    """

    moments: list[int] = []
    since_ns: int | None = None
    muted: int = 0
    tell_ns: int | None = None


def take(flood: Flood, settings: FloodConfig, at_ns: int) -> bool:
    """Count an annunciation at ``at_ns``; whether a flood begins with it."""
    flood.moments.append(at_ns)
    del flood.moments[: -max(settings.enter, settings.leave)]
    if flood.since_ns is not None or len(flood.moments) < settings.enter:
        return False
    if flood.moments[-settings.enter] <= at_ns - settings.window:
        return False
    flood.since_ns = at_ns
    return True


def over_ns(flood: Flood, settings: FloodConfig) -> int | None:
    """When the flood that is going on is over, if nothing more comes; ``None`` without one."""
    if flood.since_ns is None:
        return None
    if len(flood.moments) < settings.leave:
        return flood.since_ns
    return flood.moments[-settings.leave] + settings.window


def end(flood: Flood) -> None:
    """The flood is over."""
    flood.since_ns, flood.tell_ns, flood.muted = None, None, 0
