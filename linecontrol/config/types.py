"""Building blocks of the config types: names, durations, times of day."""

import re
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from linecontrol.duration import NS as NS
from linecontrol.duration import Duration as Duration


def _time_of_day(value: Any) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value)):
        return time(int(match[1]), int(match[2]))
    msg = f"{value!r} is not a time of day; write HH:MM, such as 08:00"
    raise ValueError(msg)


TimeOfDay = Annotated[
    time,
    BeforeValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}, mode="validation"),
]
"""A local time of day, ``HH:MM``."""


def _local_time(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d ([01]\d|2[0-3]):[0-5]\d", value):
        try:
            return datetime.strptime(value, "%Y-%m-%d %H:%M")  # noqa: DTZ007 local by definition
        except ValueError:
            pass
    msg = f"{str(value)!r} is not a local time; write YYYY-MM-DD HH:MM, such as 2026-08-03 08:00"
    raise ValueError(msg)


LocalTime = Annotated[
    datetime,
    BeforeValidator(_local_time),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d ([01]\d|2[0-3]):[0-5]\d$"},
        mode="validation",
    ),
]
"""A moment in the plant's time zone, ``YYYY-MM-DD HH:MM``."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""A name in config: lower case letters, digits and underscores, starting with a letter."""

Count = Annotated[int, Field(ge=0)]
"""A number of things."""

Day = date
"""A calendar day, ``YYYY-MM-DD``, in the plant's time zone."""


class ConfigModel(BaseModel):
    """Base of all config types: unknown keys are errors, nothing changes after loading, every field is documented."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
