"""The closed lists: station states, timing of a cycle, severities, alarm states, command results."""

from enum import StrEnum


class StationState(StrEnum):
    """What a station does. Never guessed: a station that can't be seen is ``UNOBSERVED``, not ``IDLE``."""

    WORKING = "working"
    BLOCKED = "blocked"
    STARVED = "starved"
    DOWN = "down"
    SETUP = "setup"
    IDLE = "idle"
    OFF_SHIFT = "off_shift"
    UNOBSERVED = "unobserved"


class Timing(StrEnum):
    """How a cycle's two ends became known."""

    MEASURED = "measured"
    """Both ends were seen, within the sampling resolution, or the station reported the duration itself."""
    PARTIAL = "partial"
    """One end was seen; the other is the edge of what could be observed. Not used in cycle time figures."""
    UNKNOWN = "unknown"
    """Only that the cycle happened is known (a counter moved on). Counts as a unit, never as a time."""


class Severity(StrEnum):
    """How urgently a flag wants a person."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least urgent."""
        return list(Severity).index(self)


class AlarmState(StrEnum):
    """Life of a flag, in the words of ISA-18.2."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned_unacknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed_by_design"
    OUT_OF_SERVICE = "out_of_service"


TRANSITIONS = (
    "raised", "cleared", "acknowledged", "realarmed", "blind", "sighted", "shelved", "unshelved", "suppressed",
    "unsuppressed", "out_of_service", "in_service", "changed", "renamed",
)  # fmt: skip
"""What can happen to a flag."""


class CommandResult(StrEnum):
    """How a command ended. There is no fifth way."""

    VERIFIED = "verified"
    REFUSED = "refused"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Andon(StrEnum):
    """Colour of a station's andon light, in the order of its code (0 is off)."""

    OFF = "off"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"

    @property
    def code(self) -> int:
        """The number that is written to the station: 0 off, 1 green, 2 yellow, 3 red."""
        return list(Andon).index(self)
