"""What was recorded of a line: who was where, from when to when."""

from msgspec import Struct, field

from linecontrol.flowline.layout import Layout

UNOBSERVED = "unobserved"
"""A wait of that cause, be it of no length: what the station needed was not seen."""


class Passage(Struct, gc=False):
    """One unit's stay at one station, in working time.

    ``departure`` is ``None`` where it was not recorded, ``complete`` is ``None`` while the work is going on.
    ``waits`` tells which part of start to complete was spent waiting for something from outside, ``before`` in which
    other state than working the station was between its last departure and this start, both by cause. ``stops`` is
    the station's own part of start to complete that was no work, by cause (such as ``down`` or ``setup``).
    """

    unit: int
    station: int
    start: float
    complete: float | None = None
    departure: float | None = None
    waits: dict[str, float] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)
    stops: dict[str, float] = field(default_factory=dict)

    @property
    def own(self) -> float | None:
        """What the station needed by its own doing; ``None`` while the work is going on."""
        if self.complete is None:
            return None
        return max(self.complete - self.start - sum(self.waits.values()), 0.0)

    @property
    def measured(self) -> float | None:
        """What the station needed by its own doing, if that was seen from start to completion."""
        return None if UNOBSERVED in self.waits else self.own


class LineLog(Struct):
    """A line's passages, station by station in the order of their starts.

    ``units`` and ``stations`` are names, ``products[u]`` and ``planned[i].get(product)`` what is known of unit ``u``
    and of the planned times at station ``i``. ``resolution`` is how fine the times are: what differs by no more is
    simultaneous. Nothing was recorded before ``begin`` or after ``end``.
    """

    layout: Layout
    stations: list[str]
    units: list[str]
    products: list[str | None]
    passages: list[list[Passage]]
    planned: list[dict[str, float]]
    begin: float
    end: float
    resolution: float = 0.0
