"""What is known of servers of certain vendors, as data. What a server tells of itself counts besides."""

from enum import StrEnum
from typing import NamedTuple


class Profile(StrEnum):
    """A kind of server."""

    GENERIC = "generic"
    SIEMENS_S7_1200 = "siemens_s7_1200"
    SIEMENS_S7_1500 = "siemens_s7_1500"
    BECKHOFF = "beckhoff"
    BNR = "bnr"
    CODESYS = "codesys"
    KEPWARE = "kepware"

    @property
    def vendor(self) -> "Vendor":
        """What is known of it."""
        return _VENDORS[self]


class Vendor(NamedTuple):
    """Habits of a server."""

    per_call: int = 500
    """Nodes in one request."""
    per_read: int = 1_000
    """Nodes in one request to read."""
    filters: bool = True
    """Whether it takes filters of monitored items."""
    most_items: int | None = None
    """Monitored items that it can carry."""
    canary: bool = True
    """Whether one more item, for its clock, is no burden."""
    note: str = ""
    """What to know of it."""


_VENDORS = {
    Profile.GENERIC: Vendor(),
    Profile.SIEMENS_S7_1200: Vendor(
        per_call=100,
        per_read=100,
        most_items=500,
        note="keep sampling at 500ms or slower",
    ),
    Profile.SIEMENS_S7_1500: Vendor(
        per_call=200,
        per_read=200,
        most_items=10_000,
        note="1000 nodes at most over all calls under way",
    ),
    Profile.BECKHOFF: Vendor(per_call=500, note="queue sizes and sampling rates are set in the server's own list"),
    Profile.BNR: Vendor(per_call=200, per_read=200, note="sampling follows the task class of the variable"),
    Profile.CODESYS: Vendor(per_call=200, per_read=200, most_items=2_000, note="needs a symbol configuration"),
    Profile.KEPWARE: Vendor(per_call=500, note="the scan rate of a tag limits its sampling"),
}
