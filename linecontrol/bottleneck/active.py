"""A second opinion from states alone: the active period method (Roser, Nakano & Tanaka 2001, 2002).

A station is active while it works, is being repaired or set up, and inactive while it waits. Two of the method's
variants are here, and they differ: in the *settled* one the station whose whole uninterrupted active period around a
moment is the longest is the bottleneck of that moment, and where a period and the one that follows it overlap the
bottleneck is *shifting* from one to the other; elsewhere it is *sole*. The *live* one asks who has been active for
the longest time so far, and needs no future.
"""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from linecontrol.flowline import LineLog
from linecontrol.flowline.links import Links

Period = tuple[float, float]
"""From when to when a station was active."""


class Active(Struct, frozen=True):
    """Per station how long it was the sole bottleneck, and how long one of those between which it shifted.

    ``settled_until`` is the time after which periods that still go on may change the answer (settled variant).
    """

    variant: str
    sole: list[float]
    shifting: list[float]
    settled_until: float

    @property
    def share(self) -> list[float]:
        """Sole time and half of the shifting time, as parts of all of it."""
        parts = [sole + shifting / 2 for sole, shifting in zip(self.sole, self.shifting, strict=True)]
        return [part / (sum(parts) or 1.0) for part in parts]


def merged(periods: Sequence[Period], gap: float = 0.0) -> list[Period]:
    """The periods in order, those joined that touch or lie no more than ``gap`` (a hand-over) apart."""
    joined: list[Period] = []
    for start, end in sorted(periods):
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def settled(periods: Sequence[Sequence[Period]], *, now: float | None = None) -> Active:
    """The variant with whole periods, per station; each moment belongs to the longest one.

    Equally long ones all win, and where several win the bottleneck shifts between them. Periods that last until
    ``now`` may still go on: what lies after the first of their starts is provisional.
    """
    winners = _winners(periods)
    sole, shifting = [0.0] * len(periods), [0.0] * len(periods)
    bounds = sorted({time for _, period in winners for time in period})
    for start, end in pairwise(bounds):
        at = {station for station, (a, b) in winners if a <= start and end <= b}
        for station in at:
            (sole if len(at) == 1 else shifting)[station] += end - start
    last = max((end for its in periods for _, end in its), default=0.0)
    running = [start for its in periods for start, until in its if until == now]
    return Active("settled", sole, shifting, min(running, default=last))


def live(periods: Sequence[Sequence[Period]]) -> Active:
    """The variant by elapsed time: who has been active since the earliest start; of equal ones the lower number."""
    sole = [0.0] * len(periods)
    bounds = sorted({time for its in periods for period in its for time in period})
    at = [0] * len(periods)
    for start, end in pairwise(bounds):
        since = []
        for station, its in enumerate(periods):
            while at[station] < len(its) and its[at[station]][1] <= start:
                at[station] += 1
            if at[station] < len(its) and its[at[station]][0] <= start:
                since.append((its[at[station]][0], station))
        if since:
            sole[min(since)[1]] += end - start
    return Active("live", sole, [0.0] * len(periods), bounds[-1] if bounds else 0.0)


def active_periods(log: LineLog, *, gap: float | None = None) -> list[list[Period]]:
    """When each station was active, from ``begin`` to ``end``: working, down or being set up, with a unit.

    With several workplaces: when one of them was. Waits from outside within a cycle don't interrupt it, nor does a
    ``gap`` that is no longer than a hand-over (without it: than the resolution). Time in which the station was down
    or set up before a start is active too.
    """
    links = Links(log)
    found = []
    for its in log.passages:
        periods = []
        for passage in its:
            own_before = sum(passage.before.get(cause, 0.0) for cause in ("down", "setup"))
            start = max(passage.start - own_before, log.begin)
            end = min(log.end if passage.complete is None else passage.complete, log.end)
            if end > start:
                periods.append((start, end))
        found.append(merged(periods, links.tolerance if gap is None else gap))
    return found


def _winners(periods: Sequence[Sequence[Period]]) -> list[tuple[int, Period]]:
    """The periods that are the longest active one at some moment."""
    bounds = sorted({time for its in periods for period in its for time in period})
    at = [0] * len(periods)
    winners: dict[tuple[int, Period], None] = {}
    for start, end in pairwise(bounds):
        around: list[tuple[int, Period]] = []
        for station, its in enumerate(periods):
            while at[station] < len(its) and its[at[station]][1] <= start:
                at[station] += 1
            if at[station] < len(its) and its[at[station]][0] < end:
                around.append((station, its[at[station]]))
        longest = max((b - a for _, (a, b) in around), default=0.0)
        winners.update(dict.fromkeys(each for each in around if each[1][1] - each[1][0] == longest))
    return list(winners)
