"""Durations as people write them: ``2h35m``, ``90s``, ``250ms``."""

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

NS = 1_000_000_000
"""Nanoseconds in a second."""

_UNITS_NS = {
    "d": 86_400 * NS,
    "h": 3_600 * NS,
    "m": 60 * NS,
    "min": 60 * NS,
    "s": NS,
    "ms": 1_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|d|h|m|s)\s*")
_DURATION_PATTERN = r"^\s*(\d+(\.\d+)?\s*(ms|min|d|h|m|s)\s*)+$"


def duration_ns(text: str) -> int:
    """Nanoseconds of a duration written as people say it: ``2h35m``, ``90s``, ``250 ms``, ``1d``.

    Raises:
        ValueError: the text is no such duration.
    """
    position = 0
    total = Fraction()
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            break
        total += Fraction(part[1]) * _UNITS_NS[part[2]]
        position = part.end()
    if position == 0 or position < len(text):
        msg = f"{text!r} is not a duration; write a number and a unit (d, h, m, s, ms), such as 2h35m, 90s or 250ms"
        raise ValueError(msg)
    return round(total)


def exact(ns: int) -> str:
    """A duration to the nanosecond, as ``duration_ns`` reads it (but for a minus sign): ``2h18m``, ``1.5s``."""
    hours, rest = divmod(abs(ns), 3_600 * NS)
    minutes, rest = divmod(rest, 60 * NS)
    seconds = f"{rest // NS}.{rest % NS:09}".rstrip("0").rstrip(".")
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    parts += [f"{seconds}s"] if rest or not (hours or minutes) else []
    return ("-" if ns < 0 else "") + "".join(parts)


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        msg = f"{value} has no unit; write a duration such as 2h35m, 90s or 250ms"
        raise ValueError(msg)
    return duration_ns(value.strip())


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    PlainSerializer(exact, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": _DURATION_PATTERN, "examples": ["2h35m", "90s", "250ms"]}, mode="validation"
    ),
]
"""A duration written as people say it; nanoseconds inside."""
