"""p90 of the last 50 cycle times against a constant, per cycle: what the rule adds, and river's (Rust). Prints a table.

Needs ``pip install river``. Ours is the CPU time of a cycle's event in a room with the rule, less that in one without:
the value enters the window, the condition is worked out and compared with what it was.
"""

import gc
import importlib
import time
from collections.abc import Callable

import numpy as np
from msgspec.structs import replace

from benchmarks.rules_line import day_of, plant, room_of
from linecontrol.model import CycleCompleted, Timing
from linecontrol.rules.alarm import Alarm

REPEATS = 15
CONDITION = "quantile(cycle.active, 90%, last 50 cycles) > 200 s"


def best(run: Callable[[], object]) -> float:
    """The shortest CPU time of several runs."""
    took = []
    for _ in range(REPEATS):
        gc.collect()
        gc.disable()
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
        gc.enable()
    return min(took)


def cycle_us(conditions: list[str], events: list[CycleCompleted]) -> float:
    """Microseconds of a cycle's event in a room with these rules."""
    room = room_of(plant({f"r{n}": {"when": when, "message": "m"} for n, when in enumerate(conditions)}))
    room.see(events[0])
    see = room.see

    def run() -> None:
        for event in events:
            see(event)

    return best(run) / len(events) * 1e6


def main() -> None:
    """Print the table."""
    done = [event for event in day_of(0) if isinstance(event, CycleCompleted)]
    times = np.random.default_rng(1).lognormal(4.0, 0.1, len(done))
    events = [replace(done[0], active_s=float(active_s)) for active_s in times]
    bare = cycle_us([], events)
    rule = cycle_us([CONDITION], events)
    print(f"{'ours':42} {rule - bare:6.3f} µs per cycle (whole event {rule:.3f} µs)")
    try:
        quantile = importlib.import_module("river.stats").RollingQuantile(0.9, 50)
    except ImportError:
        print("river: not installed")
        return
    update, get, alarm = quantile.update, quantile.get, Alarm(signal=False)

    def bare_river() -> None:
        for event in events:
            update(event.active_s)
            get() > 200.0  # noqa: B015 - its time is what is asked for

    def river() -> None:
        for event in events:
            if event.timing is Timing.MEASURED:
                active_s = event.active_s
                if active_s is not None:
                    update(active_s)
            level = get()
            signal = not level > 200.0 if alarm.raised else level > 200.0
            if signal is not alarm.signal:
                alarm.signal = signal

    print(f"{'river RollingQuantile in the same place':42} {best(river) / len(events) * 1e6:6.3f} µs per cycle")
    print(f"{'river RollingQuantile, update and get only':42} {best(bare_river) / len(events) * 1e6:6.3f} µs per value")


if __name__ == "__main__":
    main()
