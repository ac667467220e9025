"""Time of 1,000 replications of a line of 20 stations over 750 units, ours and SimPy's. Prints one JSON line.

Blocking after service, mixed buffers, lognormal times; ours is timed with drawing the random numbers. SimPy does a few
replications of the same line with the same times, and its departures are compared with ours.
"""

import json
import platform
import resource
import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.simpy_line import departures
from linecontrol.flowline import Layout, leaves, run
from linecontrol.flowline.given import Floats

UNITS, STATIONS, REPLICATIONS, REPEATS, COMPARED = 750, 20, 1_000, 5, 3
MEAN = np.random.default_rng(1).uniform(2.0, 2.3, (STATIONS, 1))
LAYOUT = Layout.chain(tuple(i % 3 for i in range(STATIONS - 1)))


def drawn(replications: int, seed: int) -> Iterator[Floats]:
    """Each unit's times [station, replication]."""
    rng = np.random.default_rng(seed)
    for _ in range(UNITS):
        yield MEAN * np.exp(0.15 * rng.standard_normal((STATIONS, replications)))


def best(what: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds."""
    took = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        what()
        took.append(time.perf_counter() - start)
    return min(took)


def main() -> None:
    """Run both on the same line."""
    all_s = best(lambda: leaves(drawn(REPLICATIONS, 2), LAYOUT, UNITS, REPLICATIONS))
    draw_s = best(lambda: sum(1 for _ in drawn(REPLICATIONS, 2)))
    times = np.stack(list(drawn(COMPARED, 3)))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    theirs = [departures(times[:, :, each], LAYOUT) for each in range(COMPARED)]
    simpy_s = (time.perf_counter() - start) / COMPARED * REPLICATIONS
    ours = run(times, LAYOUT).departure
    print(
        json.dumps(
            {
                "benchmark": "line_recursion",
                "units": UNITS,
                "stations": STATIONS,
                "replications": REPLICATIONS,
                "seconds": round(all_s, 3),
                "of_that_random_numbers_s": round(draw_s, 3),
                "simpy_seconds": round(simpy_s, 1),
                "simpy_replications_run": COMPARED,
                "times_faster": round(simpy_s / all_s),
                "largest_difference": float(np.abs(ours - np.stack(theirs, axis=2)).max()),
                "peak_mb": round(peak_mb),
                "python": platform.python_version(),
                "machine": platform.machine(),
            }
        )
    )


if __name__ == "__main__":
    main()
