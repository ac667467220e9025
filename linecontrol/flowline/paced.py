"""A paced line: all units move on together, by one station or place, once the slowest cycle of the beat is done.

Beat ``k`` begins when beat ``k - 1`` has ended and the unit that enters in it is released. Unit ``j`` is at station
``i`` in beat ``entry_j + position_i``; without a limit, a unit enters in every beat.
"""

from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline.given import Floats, Given, Stage
from linecontrol.flowline.layout import Layout


class Beats(Struct, frozen=True):
    """Begins and ends of all beats [beat, replication]; in which beat a unit is at a station [unit, station]."""

    number: NDArray[np.int_]
    begin: Floats
    end: Floats


def beats(times: Iterable[Floats], layout: Layout, units: int, replications: int, given: Given) -> Beats:
    """All beats of a line with these times (for each unit [station, replication]) from time 0 on."""
    position = _positions(layout)
    entry = _entries(layout, position, units, given)
    number = entry[:, None] + position[None, :]
    longest = np.zeros((number[-1, -1] + 1, replications))
    released = np.zeros_like(longest)
    for j, its in zip(range(units), times, strict=True):
        stages = given.stages(j)
        if given.release is not None and stages is None:
            released[entry[j]] = given.release[j]
        for i, beat in enumerate(number[j]):
            if stages is None or stages[i] != Stage.LEFT:
                np.maximum(longest[beat], _occupied(its[i], given, j, i), out=longest[beat])
    begin, end = np.empty_like(longest), np.empty_like(longest)
    now = np.zeros(replications)
    for beat, duration in enumerate(longest):
        begin[beat] = np.maximum(now, released[beat])
        now = np.add(begin[beat], duration, out=end[beat])
    return Beats(number, begin, end)


def passages(times: Floats, its: Beats, given: Given) -> tuple[Floats, Floats]:
    """Completions and departures [unit, station, replication]."""
    complete, departure = np.empty_like(times), np.empty_like(times)
    for j, row in enumerate(its.number):
        stages = given.stages(j)
        for i, beat in enumerate(row):
            if stages is not None and stages[i] == Stage.LEFT:
                complete[j, i] = departure[j, i] = 0.0
            else:
                complete[j, i] = its.begin[beat] + _occupied(times[j, i], given, j, i)
                departure[j, i] = its.end[beat]
    return complete, departure


def _occupied(time: Floats, given: Given, unit: int, station: int) -> Floats:
    for waits in (given.start_waits, given.waits):
        if waits is not None:
            time = time + waits[unit, station]
    return time


def _positions(layout: Layout) -> NDArray[np.int_]:
    """After how many beats a unit is at each station; those that a unit enters late are nearer to the end."""
    to_end = np.zeros(layout.stations, dtype=int)
    for i in range(layout.stations - 2, -1, -1):
        to_end[i] = to_end[layout.following[i]] + 1 + layout.places[i]
    return np.asarray(to_end.max() - to_end)


def _entries(layout: Layout, position: NDArray[np.int_], units: int, given: Given) -> NDArray[np.int_]:
    """The beat in which each unit enters; what is in the line at time 0 entered before the beat that is on then."""
    come = _come(position, units, given)
    begun = given.stage is not None and bool((given.stage == Stage.STARTED).any())
    now = come[0] if come else 0
    entry = np.zeros(units, dtype=int)
    for j in range(units):
        earliest = now - come[j] if j < len(come) else now + begun
        entry[j] = max(earliest, entry[j - 1] + 1 if j else 0)
        if layout.limit is not None and j >= max(layout.limit, len(come)):
            entry[j] = max(entry[j], entry[j - layout.limit] + position[-1] + 1)
    return entry


def _come(position: NDArray[np.int_], units: int, given: Given) -> list[int]:
    """At which position each of the units is that are in the line at time 0."""
    come = []
    for j in range(units):
        stages = given.stages(j)
        if stages is None:
            break
        reached = position + (stages == Stage.LEFT)
        come.append(int(reached[stages != Stage.AHEAD].max()))
    return come
