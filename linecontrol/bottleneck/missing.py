"""Starts and completions that a table doesn't tell, worked out from those around them: so the chain isn't broken.

A start is taken as when the unit and a workplace were there, a completion as late as it can have been if the next
station waited for the unit, else as usual there. Nobody measured such a cycle, so it has a wait ``unobserved`` of no
length, unless all that decides its start was written down.
"""

from collections.abc import Callable
from heapq import heapreplace
from itertools import zip_longest
from math import inf

from linecontrol.bottleneck.complaint import WARNING, Complaint, Row
from linecontrol.flowline import Layout
from linecontrol.flowline.log import UNOBSERVED

START, COMPLETE = "start", "complete"


def fill(rows: list[list[Row]], layout: Layout, eps: float, text: Callable[[float], str]) -> list[Complaint]:
    """Fill what is ``missing`` in the rows [station]; what was done is told by line.

    Each row has provisionally its completion as its start, or the latest possible completion. ``text`` writes a
    duration.
    """
    complaints: list[Complaint] = []
    for station, its in enumerate(rows):
        following = layout.following[station]
        if not any(row.missing or (row.complete is None and following < 0) for row in its):
            continue
        known = sorted(row.complete - row.start for row in its if row.complete is not None and not row.missing)
        usual = known[len(known) // 2] if known else 0.0
        before = [{row.unit: row for row in rows[upstream]} for upstream in layout.before(station)]
        idle = {} if following < 0 else _idle_until(rows[following], layout.servers[following], eps)
        _starts(its, before, layout.servers[station], usual)
        its.sort(key=Row.order)
        for row, later in zip_longest(its, its[layout.servers[station] :]):
            if row.complete is None and later is not None and following < 0:
                row.complete, row.missing = later.start, COMPLETE
            if row.missing == COMPLETE and row.complete is not None:
                needed = following < 0 or idle.get(row.unit, -inf) >= row.complete - eps
                latest = row.complete if later is None else min(row.complete, max(later.start, row.start))
                row.complete = latest if needed else min(row.start + usual, latest)
                row.waits = row.waits or {UNOBSERVED: 0.0}
        for row in its:
            if row.missing:
                span = text((row.complete or row.start) - row.start)
                how = f"{span} before complete, when unit and workplace were there"
                how = how if row.missing == START else f"{span} after start, as far as the others tell"
                complaints.append(Complaint(row.line, f"{row.missing} is empty: taken as {how}", "empty", WARNING))
    return complaints


def _starts(its: list[Row], before: list[dict[int, Row]], servers: int, usual: float) -> None:
    """Each missing start: when its unit came and one of the workplaces was left."""
    left = [(-inf, True)] * servers
    for row in sorted(its, key=lambda each: inf if each.complete is None else each.complete):
        if row.missing == START and row.complete is not None:
            came = [_gone(earlier) for each in before if (earlier := each.get(row.unit)) is not None]
            ready, told = max([left[0], *(each for each in came if each[0] <= row.complete)])
            row.start = min(ready, row.complete) if ready > -inf else row.complete - usual
            if not told or ready == -inf:
                row.waits = row.waits or {UNOBSERVED: 0.0}
        if row.complete is not None:
            heapreplace(left, _gone(row))


def _gone(row: Row) -> tuple[float, bool]:
    """When a row's unit left at the earliest, and whether that was written down."""
    if row.departure is not None:
        return row.departure, True
    return (row.start if row.complete is None else row.complete), False


def _idle_until(its: list[Row], servers: int, eps: float) -> dict[int, float]:
    """The starts, by unit, for which a workplace had been free before: the unit was waited for."""
    left = [-inf] * servers
    found = {}
    for row in sorted(its, key=Row.order):
        if left[0] < row.start - eps:
            found[row.unit] = row.start
        heapreplace(left, _gone(row)[0])
    return found
