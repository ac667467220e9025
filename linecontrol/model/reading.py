"""What comes in: observations of the plant, as the sources took them.

Times are integer nanoseconds since 1970-01-01T00:00Z (UTC) throughout.
"""

from enum import IntEnum

from msgspec import Struct

Value = bool | int | float | str | None
"""What a signal can hold. ``None`` means that no value is known; it is never a number."""


class Quality(IntEnum):
    """How far a value may be trusted. Only ``GOOD`` values change what the line is believed to do."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Reading(Struct, frozen=True, array_like=True, tag="reading", gc=False):
    """One value of one signal.

    ``signal`` is ``line/station/role`` as in the config, ``status`` the protocol's own status or exception
    code (0 is good), ``sequence`` counts up within one life of a connection.
    """

    signal: str
    value: Value
    quality: Quality
    source_ns: int
    receive_ns: int
    status: int = 0
    sequence: int = 0


class LinkChange(Struct, frozen=True, array_like=True, tag="link", gc=False):
    """A connection came up or went down at ``at_ns``, and why; ``warning`` is what is unsafe about it."""

    connection: str
    up: bool
    at_ns: int
    reason: str = ""
    warning: str = ""


class CommandOutcome(Struct, frozen=True, array_like=True, tag="outcome", gc=False):
    """How the write of a command ended: ``verified``, ``refused``, ``expired`` or ``unknown``."""

    command: str
    result: str
    at_ns: int
    text: str = ""
