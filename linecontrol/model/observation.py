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


VERBS = ("ack", "shelve", "unshelve", "out_of_service", "in_service")
"""What a person may want of a flag."""


class Operation(Struct, frozen=True, array_like=True, tag="operation", gc=False):
    """What a person wants of a flag (``rule/subject``), given by ``user`` for a ``reason``.

    ``verb`` is one of ``VERBS``. ``until_ns`` ends a shelving (``None``: when the flag clears; at its rule's
    ``shelve_max`` at the latest) or being out of service (``None``: when it is put back).
    """

    verb: str
    flag: str
    user: str
    reason: str
    at_ns: int
    until_ns: int | None = None


class RulesGiven(Struct, frozen=True, array_like=True, tag="rules", gc=False):
    """From ``at_ns`` on these rules and alarm settings count, as ``config.rules_data`` makes a ``text`` of them.

    ``by`` is who wanted it; empty at a start of the gateway.
    """

    text: str
    at_ns: int
    by: str = ""


Observation = Reading | LinkChange | CommandOutcome | Findings | Operation | RulesGiven
"""What the engine's ``step`` takes."""
