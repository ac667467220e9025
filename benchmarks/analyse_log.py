"""From a long table to its critical path: CPU per row and memory. Prints one JSON line."""

import argparse
import json
import resource
import time
from collections.abc import Iterator

import numpy as np

from linecontrol.bottleneck.table import read_table
from linecontrol.flowline import Layout, run
from linecontrol.flowline.path import critical_path

STATIONS = 10
SEED = 4


def table(units: int) -> Iterator[str]:
    """What ten stations without places between them did, as an export has it."""
    times = np.random.default_rng(SEED).gamma(9.0, 0.25, size=(units, STATIONS, 1))
    done = run(times, Layout.chain((0,) * (STATIONS - 1)))
    complete, departure = done.complete[..., 0], done.departure[..., 0]
    yield "unit,station,start,complete,departure,product,planned\n"
    for unit in range(units):
        for station in range(STATIONS):
            end, leave = complete[unit, station], departure[unit, station]
            start = end - times[unit, station, 0]
            yield f"U{unit},S{station},{start:.4f},{end:.4f},{leave:.4f},{'AB'[unit % 2]},2.2\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", type=int, default=20_000)
    units: int = parser.parse_args().units
    lines = list(table(units))
    start = time.process_time()
    read = read_table(lines)
    middle = time.process_time()
    path = critical_path(read.log)
    end = time.process_time()
    assert not read.complaints
    assert abs(sum(path.own) + sum(path.waits.values()) - (path.end - path.begin)) < 1e-6 * path.end
    rows = units * STATIONS
    figures = {
        "rows": rows,
        "read_us_per_row": round((middle - start) / rows * 1e6, 2),
        "path_us_per_row": round((end - middle) / rows * 1e6, 2),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    }
    print(json.dumps({"benchmark": "analyse_log", **figures}))


if __name__ == "__main__":
    main()
