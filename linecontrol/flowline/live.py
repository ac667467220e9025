"""Where a line's units are at the end of a record: what a simulation goes on from."""

import numpy as np
from msgspec import Struct

from linecontrol.flowline.given import Stage, Stages
from linecontrol.flowline.layout import Layout
from linecontrol.flowline.log import LineLog, Passage
from linecontrol.flowline.path import departures


class Running(Struct, frozen=True):
    """Work that goes on: of the unit in row ``row`` at ``station``, for ``elapsed`` without waits from outside."""

    row: int
    station: int
    elapsed: float


class Live(Struct, frozen=True):
    """The units in the line, the foremost first, and how far each is at each station [row, station].

    Who is ``STARTED`` at a station works there if it is among ``running``, else its work is done and it stands there.
    """

    units: list[int]
    stage: Stages
    running: list[Running]


def live(log: LineLog) -> Live:
    """The state of the line at the end of the log. A unit complete at the last station has left."""
    layout = log.layout
    upstream = [_upstream(layout, station) for station in range(layout.stations)]
    left = departures(log)
    latest: dict[int, dict[int, tuple[Passage, float | None]]] = {}
    for station, passages in enumerate(log.passages):
        for passage, leave in zip(passages, left[station], strict=True):
            latest.setdefault(passage.unit, {})[station] = (passage, leave)
    rows = []
    for unit, its in latest.items():
        stages = _stages(its, layout, upstream)
        if stages[layout.last] != Stage.LEFT:
            order = [-stages[station] for station in reversed(range(layout.stations))]
            rows.append((order, min(passage.start for passage, _ in its.values()), unit, stages))
    rows.sort(key=lambda row: row[:3])
    running = [
        Running(row, station, max(log.end - passage.start - sum(passage.waits.values()), 0.0))
        for row, (_, _, unit, stages) in enumerate(rows)
        for station, (passage, _) in latest[unit].items()
        if passage.complete is None and stages[station] == Stage.STARTED
    ]
    stage = np.array([stages for *_, stages in rows], dtype=np.int8).reshape(-1, layout.stations)
    return Live([unit for _, _, unit, _ in rows], stage, running)


def _stages(its: dict[int, tuple[Passage, float | None]], layout: Layout, upstream: list[set[int]]) -> list[Stage]:
    """How far a unit is at each station: where it works last decides, if it came back to be reworked."""
    stages = [Stage.AHEAD] * layout.stations
    for station, (passage, leave) in sorted(its.items(), key=lambda each: each[1][0].start):
        for other in range(layout.stations):
            if other in upstream[station]:
                stages[other] = Stage.LEFT
            elif station in upstream[other]:
                stages[other] = Stage.AHEAD
        over = leave is not None or (station == layout.last and passage.complete is not None)
        stages[station] = Stage.LEFT if over else Stage.STARTED
    return stages


def _upstream(layout: Layout, station: int) -> set[int]:
    found: set[int] = set()
    ahead = layout.before(station)
    while ahead:
        each = ahead.pop()
        found.add(each)
        ahead += layout.before(each)
    return found
