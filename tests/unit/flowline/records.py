"""Records of lines whose truth is known: from the recursion, or from a shop floor where units overtake."""

import heapq
from itertools import count

import numpy as np
from hypothesis import strategies as st

from linecontrol.flowline import Layout, LineLog, Passage, Run


def log_of(layout: Layout, passages: list[list[Passage]], *, begin: float = 0.0, resolution: float = 0.0) -> LineLog:
    units = 1 + max(passage.unit for its in passages for passage in its)
    end = max(passage.departure or passage.complete or passage.start for its in passages for passage in its)
    stations = len(passages)
    names = [f"S{i}" for i in range(stations)]
    return LineLog(
        layout,
        names,
        [f"U{j}" for j in range(units)],
        [None] * units,
        passages,
        [{} for _ in names],
        begin,
        end,
        resolution,
    )


def recorded(run: Run, *, replication: int = 0) -> LineLog:
    """What the recursion did, as a record."""
    passages = []
    for i in range(run.layout.stations):
        complete, departure = run.complete[:, i, replication], run.departure[:, i, replication]
        start = run.start[:, i, replication]
        rows = zip(start, complete, departure, strict=True)
        its = [Passage(j, i, float(s), float(c), float(d)) for j, (s, c, d) in enumerate(rows)]
        passages.append(sorted(its, key=lambda passage: passage.start))
    return log_of(run.layout, passages)


def shop_floor(layout: Layout, times: np.ndarray) -> LineLog:
    """A plain line of twins, event by event: whoever is done first goes first, and waits in order of arrival."""
    units, stations = times.shape
    passages: list[list[Passage]] = [[] for _ in range(stations)]
    waiting: list[list[int]] = [list(range(units)), *([] for _ in range(stations - 1))]
    busy = [0] * stations
    done: list[list[Passage]] = [[] for _ in range(stations)]
    calendar: list[tuple[float, int, Passage]] = []
    ticket = count()

    def settle(now: float) -> None:
        moved = True
        while moved:
            moved = False
            for i in reversed(range(stations)):
                if done[i] and (i + 1 == stations or len(waiting[i + 1]) + busy[i + 1] < layout.room(i)):
                    passage = done[i].pop(0)
                    passage.departure = now
                    busy[i] -= 1
                    if i + 1 < stations:
                        waiting[i + 1].append(passage.unit)
                    moved = True
                if waiting[i] and busy[i] < layout.servers[i]:
                    unit = waiting[i].pop(0)
                    busy[i] += 1
                    passage = Passage(unit, i, now)
                    passages[i].append(passage)
                    heapq.heappush(calendar, (now + float(times[unit, i]), next(ticket), passage))
                    moved = True

    settle(0.0)
    while calendar:
        now, _, passage = heapq.heappop(calendar)
        passage.complete = now
        done[passage.station].append(passage)
        settle(now)
    return log_of(layout, passages)


def random_times(seed: int, units: int, stations: int) -> np.ndarray:
    """Times [unit, station, 1] of which no two are equal."""
    return np.random.default_rng(seed).lognormal(0.0, 0.5, (units, stations, 1))


@st.composite
def layouts(draw: st.DrawFn, *, twins: bool = False, limits: bool = True) -> Layout:
    stations = draw(st.integers(2, 5))
    places = tuple(draw(st.lists(st.integers(0, 3), min_size=stations - 1, max_size=stations - 1)))
    most = 3 if twins else 1
    servers = tuple(draw(st.lists(st.integers(1, most), min_size=stations, max_size=stations)))
    limit = draw(st.none() | st.integers(1, 8)) if limits else None
    return Layout.chain(places, servers=servers, limit=limit)


FEEDER = Layout(following=(1, 3, 3, 4, -1), places=(1, 0, 2, 1, 0), servers=(1, 1, 1, 1, 1))
"""Stations 0 and 1 in a row and the feeder station 2 join at 3."""


@st.composite
def muddles(draw: st.DrawFn) -> LineLog:
    """What a broken export may hold: units anywhere, at once, again, overtaking, with times missing."""
    layout = draw(layouts(twins=True) | st.just(FEEDER))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    passages: list[list[Passage]] = []
    for i in range(layout.stations):
        its = []
        for start in sorted(rng.integers(0, 60, rng.integers(1, 15)).tolist()):
            complete = start + float(rng.integers(0, 6))
            departure = complete + float(rng.integers(0, 3) * rng.integers(0, 2))
            lost = rng.random()
            its.append(
                Passage(
                    int(rng.integers(0, 8)),
                    i,
                    float(start),
                    None if lost < 0.1 else complete,
                    None if lost < 0.3 else departure,
                    before={"kit": float(rng.integers(0, 3))},
                    waits={"crane": float(rng.integers(0, 3))},
                )
            )
        passages.append(its)
    return log_of(layout, passages, begin=float(rng.integers(0, 20)), resolution=float(rng.integers(0, 3)))
