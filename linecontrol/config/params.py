"""Params of a rule: values by name, which may differ from subject to subject."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from math import isfinite
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from linecontrol.config.hints import shown
from linecontrol.duration import duration_ns, exact

Value = int | float | str
"""A value as written: a number, or a text (which may be a share such as ``60%``, or a duration such as ``20min``)."""

LONGEST = 200
"""Characters that a text may have."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _value(value: Any) -> Value:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return value
    if isinstance(value, str) and len(value) <= LONGEST and value.isprintable():
        return value
    msg = f"{shown(value)} is no value of a param; write a number, a duration such as 20min, or a text"
    raise ValueError(msg)


def _param(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {"*": value}


def _length(value: Any) -> int | str:
    if not isinstance(value, str):
        lacks = "has no unit" if isinstance(value, int | float) else "is no duration"
        msg = f"{shown(value)} {lacks}; write a duration such as 2h35m, 90s or 250ms, or the name of a param"
        raise ValueError(msg)
    return value.strip() if _NAME.fullmatch(value.strip()) else duration_ns(value.strip())


def _as_written(value: int | str) -> str:
    return value if isinstance(value, str) else exact(value)


def _number(value: Any) -> float | str:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return value
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    msg = f"{shown(value)} is not a number; write one such as 0.8, or the name of a param"
    raise ValueError(msg)


_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string"}]}
Param = Annotated[
    dict[str, Annotated[Value, BeforeValidator(_value), WithJsonSchema(_SCHEMA)]],
    BeforeValidator(_param),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [*_SCHEMA["anyOf"], {"type": "object", "additionalProperties": _SCHEMA}]}),
]
"""Patterns of subjects, each with the value for those that no pattern above it fits; one value alone is for all."""

Length = Annotated[
    int | str,
    BeforeValidator(_length),
    PlainSerializer(_as_written, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*((\d+(\.\d+)?\s*(ms|min|d|h|m|s)\s*)+|{_NAME.pattern})\s*$",
            "examples": ["2h35m", "90s", "patience"],
        },
        mode="validation",
    ),
]
"""A duration (nanoseconds inside), or the name of a param that is one."""


NumberOrParam = Annotated[
    int | float | str,
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{_NAME.pattern}$"}]}),
]
"""A number, or the name of a param that is one."""


def pattern_for(param: Mapping[str, Value], subject: str) -> str | None:
    """The first pattern of a param that fits a subject, from top to bottom; ``None`` if none does."""
    return next((pattern for pattern in param if fnmatchcase(subject, pattern)), None)
