"""A part of a record: from one time to another, or the last units."""

from msgspec.structs import replace

from linecontrol.flowline import LineLog, Passage
from linecontrol.flowline.path import departures

REPLAYED = 1000
"""Units of a record that are replayed and resampled: more would only cost time."""


def cut(log: LineLog, begin: float, end: float) -> LineLog:
    """What was going on from ``begin`` to ``end``, as if it had been recorded then.

    What ended before is gone, what ended after is running still, and of what it waited for nothing is known yet.
    """
    leaves = departures(log)
    passages: list[list[Passage]] = []
    for its, left in zip(log.passages, leaves, strict=True):
        kept = [
            passage
            for passage, leave in zip(its, left, strict=True)
            if passage.start < end and (leave is None or leave > begin)
        ]
        passages.append([_until(passage, end) for passage in kept])
    seen = sorted({passage.unit for its in passages for passage in its})
    number = {unit: place for place, unit in enumerate(seen)}
    return replace(
        log,
        units=[log.units[unit] for unit in seen],
        products=[log.products[unit] for unit in seen],
        passages=[[replace(passage, unit=number[passage.unit]) for passage in its] for its in passages],
        begin=begin,
        end=end,
    )


def last_units(log: LineLog, units: int) -> LineLog:
    """From when all but the last ``units`` units had left the line; the whole record if there were no more."""
    left = sorted(leave for leave in departures(log)[log.layout.last] if leave is not None)
    return log if len(left) <= units else cut(log, left[-units - 1], log.end)


def _until(passage: Passage, end: float) -> Passage:
    complete, departure = passage.complete, passage.departure
    complete = None if complete is None or complete > end else complete
    departure = None if complete is None or departure is None or departure > end else departure
    if (complete, departure) == (passage.complete, passage.departure):
        return passage
    if complete is None and passage.complete is not None:
        return replace(passage, complete=None, departure=None, waits={}, stops={})
    return replace(passage, complete=complete, departure=departure)
