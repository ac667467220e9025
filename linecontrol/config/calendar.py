"""When the plant works: shifts, breaks, holidays."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from linecontrol.config.types import ConfigModel, Day, LocalTime, Name, TimeOfDay


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
    """A shift as it recurs each week. A shift whose end is not after its start ends on the next day.

    Where clocks change, a time that they show twice is the first one, a time that they skip is when they skip.
    """

    days: Annotated[list[Weekday], Field(min_length=1)]
    """Days of the week on which the shift begins."""
    start: TimeOfDay
    """Local time at which the shift begins."""
    end: TimeOfDay
    """Local time at which the shift ends."""
    breaks: list[BreakConfig] = []
    """Pauses, in order, within the shift."""


class ShiftDayConfig(ConfigModel):
    """A shift as it is worked on one day."""

    day: Day
    """Day on which the shift begins."""
    shift: Name
    """Which shift."""
    start: TimeOfDay | None = None
    """Local time at which it begins on that day; as always if left out."""
    end: TimeOfDay | None = None
    """Local time at which it ends on that day; as always if left out."""
    breaks: list[BreakConfig] | None = None
    """Pauses on that day, in order; if left out, those of the shift as far as they lie within its hours."""
    lines: list[Name] = []
    """Only for these lines; for all that work the shift if left out."""


class StopConfig(ConfigModel):
    """A planned stop (maintenance, stocktaking, rebuilding): no working time."""

    start: LocalTime
    """When the stop begins."""
    end: LocalTime
    """When work may go on."""
    reason: Annotated[str, StringConstraints(min_length=1)]
    """Why, for people."""
    lines: list[Name] = []
    """Only these lines stop; all if left out."""


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
    overtime: list[ShiftDayConfig] = []
    """Shifts that are worked on a day on which they otherwise aren't."""
    other_hours: list[ShiftDayConfig] = []
    """Days on which a shift starts or ends otherwise: short days before a holiday, or longer ones."""
    stops: list[StopConfig] = []
    """Planned stops."""
