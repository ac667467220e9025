"""The critical path of a year's record, 700 units x 20 stations, and a what-if on it. Prints one JSON line."""

import json
import time
from collections.abc import Callable

import numpy as np

from linecontrol.bottleneck.whatif import Times, gains, replay
from linecontrol.flowline import Layout, LineLog, Passage, Run, run
from linecontrol.flowline.path import critical_path

UNITS, STATIONS, SUSPECTS = 700, 20, 3


def recorded(its: Run) -> LineLog:
    """What the recursion did, as a record."""
    passages = []
    for i in range(its.layout.stations):
        rows = zip(*(each[:, i, 0].tolist() for each in (its.start, its.complete, its.departure)), strict=True)
        passages.append([Passage(j, i, start, complete, leave) for j, (start, complete, leave) in enumerate(rows)])
    names = [f"S{i}" for i in range(STATIONS)]
    units = [f"U{j}" for j in range(UNITS)]
    return LineLog(
        its.layout, names, units, [None] * UNITS, passages, [{} for _ in names], 0.0, float(its.departure.max())
    )


def fastest_ms(work: Callable[[], object], times: int) -> float:
    """Milliseconds of the fastest of so many runs."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return round(best * 1e3, 2)


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(1)
    layout = Layout.chain(tuple(rng.integers(0, 3, STATIONS - 1).tolist()))
    log = recorded(run(rng.lognormal(0.0, 0.3, (UNITS, STATIONS, 1)), layout))
    changes = [Times(station, 0.9) for station in range(SUSPECTS)]
    figures = {
        "path_ms": fastest_ms(lambda: critical_path(log), 50),
        "replay_ms": fastest_ms(lambda: replay(log, changes[:1]), 5),
        "gains_ms": fastest_ms(lambda: gains(log, changes, seed=1), 3),
    }
    print(json.dumps({"benchmark": "verdict_walk", "units": UNITS, "stations": STATIONS, **figures}))


if __name__ == "__main__":
    main()
