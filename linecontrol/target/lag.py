"""Where a line lost its time: its critical path held against the planned takt.

In ``end - begin`` of the path so many units should have left the line; what is missing is the lag. Each hour of the
path belongs to a station's work, to a stop of its own, or to something from outside that was missing there. Work is
held against its planned time, and so are hours that nobody saw. What planned times themselves take on the path beyond
the takt is the line's filling until its first unit left, if it was empty before, and else the plan's own share (an
unbalanced plan). Together that is the lag, exactly.
"""

from msgspec import Struct

from linecontrol.flowline import LineLog, Passage
from linecontrol.flowline.log import UNOBSERVED
from linecontrol.flowline.path import Path

CYCLE, PLAN, FILLING = "cycle", "plan", "filling"
"""Causes: work beyond its planned time, planned times beyond the takt, and those until the first unit left."""


class Lost(Struct, frozen=True):
    """Time lost (negative: gained) at a station by a cause; -1 is the line's plan and filling."""

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
    seen = [{passage.unit: _worked(passage) for passage in its} for its in log.passages]
    filled = _filled(log, path)
    lost: dict[tuple[int, str], float] = {}
    planned = filling = 0.0
    for charge in path.charges:
        spent = (charge.end - charge.start) * charge.weight
        work, unseen = seen[charge.station].get(charge.unit, (0.0, False))
        if charge.cause and not (unseen and charge.cause == UNOBSERVED):
            key = (charge.station, charge.cause)
        else:
            key = (charge.station, UNOBSERVED if unseen else CYCLE)
            plan = log.planned[charge.station].get(log.products[charge.unit] or "")
            due = spent if plan is None or work <= 0 else plan * min(spent / work, 1.0)
            planned += due
            if charge.start < filled:
                filling += due * min((filled - charge.start) / (charge.end - charge.start), 1.0)
            spent -= due
        lost[key] = lost.get(key, 0.0) + spent
    filling = max(filling - takt, 0.0)
    lost[-1, FILLING] = filling
    lost[-1, PLAN] = planned - filling - units(log, path) * takt
    parts = [Lost(station, cause, seconds) for (station, cause), seconds in lost.items() if seconds]
    return sorted(parts, key=lambda part: (-part.seconds, part.station, part.cause))


def _worked(passage: Passage) -> tuple[float, bool]:
    """How long a passage's work took, and whether some of it was not seen: then with the hours that weren't."""
    own = passage.own
    if own is None:
        return 0.0, False
    unseen = passage.waits.get(UNOBSERVED)
    return own - sum(passage.stops.values()) + (unseen or 0.0), unseen is not None


def _filled(log: LineLog, path: Path) -> float:
    """When the first unit left the line, if that was empty when the path begins; else when it begins."""
    layout = log.layout
    out = [each for each in log.passages[layout.last] if each.complete is not None and each.complete > path.begin]
    first = min(out, key=lambda each: each.complete or 0.0, default=None)
    entries = [station for station in range(layout.stations) if not layout.before(station)]
    came = [each.start for at in entries for each in log.passages[at] if first is not None and each.unit == first.unit]
    if first is None or first.complete is None or len(came) < len(entries) or min(came) < path.begin:
        return path.begin
    return first.complete


def units(log: LineLog, path: Path) -> int:
    """How many units left the line in the path's time."""
    return sum(
        passage.complete is not None and path.begin < passage.complete <= path.end
        for passage in log.passages[log.layout.last]
    )
