"""A second opinion from states alone: the arrow method (Kuo, Lim & Meerkov 1996).

Where a station is blocked more than the following one is starved, an arrow points downstream, else upstream. A
station without an arrow pointing away from it is a candidate; of several the one with the greatest severity is first.
It sees what happens in the places between stations and not the stations' times, so it can err where buffers differ.
"""

from collections.abc import Sequence

from msgspec import Struct

from linecontrol.flowline import LineLog
from linecontrol.flowline.links import Links

TOLERANCE = 1e-9


class Fractions(Struct, frozen=True):
    """The parts of a time, per station, that it was ``active``, ``blocked`` or ``starved``; together 1."""

    active: list[float]
    blocked: list[float]
    starved: list[float]


class Arrows(Struct, frozen=True):
    """``candidates``, the most severe first; ``severity[i]``, and ``points[i]``: the direction of each arrow.

    ``points[i]`` is 1 where the arrow between ``i`` and what follows points downstream, -1 upstream, 0: no arrow.
    """

    candidates: list[int]
    severity: list[float]
    points: list[int]

    @property
    def primary(self) -> int:
        """The bottleneck by this method."""
        return self.candidates[0]


def arrows(
    blocked: Sequence[float],
    starved: Sequence[float],
    *,
    following: Sequence[int] | None = None,
    tolerance: float = TOLERANCE,
) -> Arrows:
    """Candidates from the fractions of time that each station was blocked or starved.

    ``following`` as in `Layout`; a plain line without it. Fractions that differ by no more than ``tolerance`` draw no
    arrow. Severity is the sum of |starved of the one behind - blocked of the one in front| over the station's sides.

    Raises:
        ValueError: fractions of no station, or not of the same ones.
    """
    if len(blocked) != len(starved) or not blocked:
        raise ValueError(f"blocked of {len(blocked)} stations and starved of {len(starved)}: the same ones are needed")
    behind = list(following) if following is not None else [*range(1, len(blocked)), -1]
    severity, leaves = [0.0] * len(blocked), [False] * len(blocked)
    points = []
    for i, f in enumerate(behind):
        if f < 0:
            points.append(0)
            continue
        lead = blocked[i] - starved[f]
        points.append(0 if abs(lead) <= tolerance else 1 if lead > 0 else -1)
        leaves[i] |= points[i] > 0
        leaves[f] |= points[i] < 0
        severity[i] += abs(lead)
        severity[f] += abs(lead)
    stay = [i for i, away in enumerate(leaves) if not away]
    return Arrows(sorted(stay, key=lambda i: -severity[i]), severity, points)


def fractions(log: LineLog) -> Fractions:
    """How much of the time from ``begin`` to ``end`` each station was active, blocked or starved.

    Blocked is from completion to departure if longer than the resolution, and active all other time that a unit was
    there, waits within a cycle included; starved is what is left. With several workplaces it is their mean.
    """
    links = Links(log)
    length = log.end - log.begin
    active, blocked, starved = [], [], []
    for station, servers in enumerate(log.layout.servers):
        busy, held = 0.0, 0.0
        for start, complete, leave in zip(
            links.starts[station], links.completes[station], links.departs[station], strict=True
        ):
            done = log.end if complete is None else complete
            left = log.end if leave is None else leave
            if left - done <= links.tolerance:
                done = left
            busy += _within(log, start, done)
            held += _within(log, done, left)
        whole = max(length * servers, busy + held)
        active.append(busy / whole if whole else 0.0)
        blocked.append(held / whole if whole else 0.0)
        starved.append(1.0 - (busy + held) / whole if whole else 1.0)
    return Fractions(active, blocked, starved)


def _within(log: LineLog, start: float, end: float) -> float:
    return max(min(end, log.end) - max(start, log.begin), 0.0)
