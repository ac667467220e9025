"""When the plant works: shifts, breaks, holidays."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from linecontrol.config.types import ConfigModel, Day, Name, TimeOfDay


class Weekday(StrEnum):
    """Days of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class BreakConfig(ConfigModel):
    """A pause within a shift; no working time."""

    start: TimeOfDay
    """Local time at which the break begins."""
    end: TimeOfDay
    """Local time at which work goes on."""


class ShiftConfig(ConfigModel):
    """A shift as it recurs each week. A shift whose end is not after its start ends on the next day."""

    days: Annotated[list[Weekday], Field(min_length=1)]
    """Days of the week on which the shift begins."""
    start: TimeOfDay
    """Local time at which the shift begins."""
    end: TimeOfDay
    """Local time at which the shift ends."""
    breaks: list[BreakConfig] = []
    """Pauses, in order, within the shift."""


class CalendarConfig(ConfigModel):
    """The working calendar of the plant, in the plant's time zone."""

    shifts: Annotated[dict[Name, ShiftConfig], Field(min_length=1)]
    """Shifts by name. Lines say which of them they work."""
    holidays: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """Country (ISO 3166 code, such as AZ) whose public holidays are days off; none if left out."""
    closed: list[Day] = []
    """Further days on which no shift begins (works holiday, stocktaking)."""
    worked: list[Day] = []
    """Days on which the shifts of that weekday are worked although they are public holidays."""
