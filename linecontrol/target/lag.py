"""Where a line lost its time: its critical path held against the planned takt.

In ``end - begin`` of the path so many units should have left the line; what is missing is the lag. Each hour of the
path belongs to a station's work, to a stop of its own, or to a cause from outside. Work is held against its planned
time; what planned times themselves take on the path beyond the takt is the plan's own share (an unbalanced plan, and
the line's filling). Together that is the lag, exactly.
"""

from msgspec import Struct

from linecontrol.flowline import LineLog
from linecontrol.flowline.path import Path

CYCLE, PLAN = "cycle", "plan"
"""Causes: work beyond its planned time, and planned times beyond the takt."""


class Lost(Struct, frozen=True):
    """Time lost (negative: gained) at a station, -1 where it is no station's, by a cause."""

    station: int
    cause: str
    seconds: float


def line_takt(takts: list[float]) -> float | None:
    """The takt of a line that builds several families: ``1 / sum(1 / takt)``; ``None`` without any."""
    return 1 / sum(1 / takt for takt in takts) if takts else None


def explain(log: LineLog, path: Path, takt: float) -> list[Lost]:
    """What the lag ``end - begin - units * takt`` consists of, the largest part first; the parts add up to it.

    ``takt`` is the planned one, in the log's unit of time. Work without a planned time counts as planned.
    """
    own_work = [
        {passage.unit: own - sum(passage.stops.values()) for passage in its if (own := passage.own) is not None}
        for its in log.passages
    ]
    lost: dict[tuple[int, str], float] = {}
    planned = 0.0
    for charge in path.charges:
        spent = (charge.end - charge.start) * charge.weight
        if charge.outside:
            key = (-1, charge.cause)
        elif charge.cause:
            key = (charge.station, charge.cause)
        else:
            key = (charge.station, CYCLE)
            plan = log.planned[charge.station].get(log.products[charge.unit] or "")
            work = own_work[charge.station].get(charge.unit, 0.0)
            due = spent if plan is None or work <= 0 else plan * min(spent / work, 1.0)
            planned += due
            spent -= due
        lost[key] = lost.get(key, 0.0) + spent
    lost[-1, PLAN] = planned - units(log, path) * takt
    parts = [Lost(station, cause, seconds) for (station, cause), seconds in lost.items() if seconds]
    return sorted(parts, key=lambda part: (-part.seconds, part.station, part.cause))


def units(log: LineLog, path: Path) -> int:
    """How many units left the line in the path's time."""
    return sum(
        passage.complete is not None and path.begin < passage.complete <= path.end
        for passage in log.passages[log.layout.last]
    )
