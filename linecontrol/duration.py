"""Durations as people write them: ``2h35m``, ``90s``, ``250ms``."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

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
    total = 0.0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            break
        total += float(part[1]) * _UNITS_NS[part[2]]
        position = part.end()
    if position == 0 or position < len(text):
        msg = f"{text!r} is not a duration; write a number and a unit (d, h, m, s, ms), such as 2h35m, 90s or 250ms"
        raise ValueError(msg)
    return round(total)


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        msg = f"{value} has no unit; write a duration such as 2h35m, 90s or 250ms"
        raise ValueError(msg)
    return duration_ns(value.strip())


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    WithJsonSchema(
        {"type": "string", "pattern": _DURATION_PATTERN, "examples": ["2h35m", "90s", "250ms"]}, mode="validation"
    ),
]
"""A duration written as people say it; nanoseconds inside."""
