"""All that may enter the engine."""

from msgspec import Struct

from linecontrol.model.event import AnyEvent
from linecontrol.model.reading import CommandOutcome, LinkChange, Reading


class Findings(Struct, frozen=True, array_like=True, tag="findings", gc=False):
    """What an assessment of the plant found by ``at_ns``: events for the rooms that come after bottleneck and target.

    Assessments take longer than a turn of the engine may, so they are made beside it and come in like a reading; the
    journal keeps them, and a replay says the same.
    """

    at_ns: int
    events: list[AnyEvent]


Observation = Reading | LinkChange | CommandOutcome | Findings
"""What the engine's ``step`` takes."""
