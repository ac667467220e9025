"""What it costs to put readings in order, per reading, without and with windows. Prints one JSON line.

Beside it what one would write without thinking: all that waits is sorted anew with each reading.
"""

import json
import time
from collections.abc import Callable
from random import Random

from linecontrol.line.memory import OrderMemory
from linecontrol.line.order import Instant, ReadingOrder
from linecontrol.model import Quality, Reading

READINGS = 100_000
EVERY_NS = 1_000_000
"""A reading each millisecond, of 200 signals."""

Arrivals = list[tuple[int, Reading]]


def arrivals(most_delay_ns: int) -> Arrivals:
    """Readings in the order in which they arrive; each takes up to ``most_delay_ns``."""
    chance = Random(1)  # noqa: S311 - no secret
    told = []
    for number in range(READINGS):
        at_ns = number * EVERY_NS
        reading = Reading(f"l/s/t{chance.randrange(200)}", float(number), Quality.GOOD, at_ns, at_ns, sequence=number)
        told.append((at_ns + chance.randint(0, most_delay_ns), reading))
    return sorted(told, key=lambda arrival: arrival[0])


def ordered(window_ns: int, told: Arrivals) -> None:
    """By the reading order, as the engine calls it."""
    order = ReadingOrder(window_ns, OrderMemory())
    ready: list[Instant] = []
    for now_ns, reading in told:
        if order.due_ns <= now_ns:
            order.expire(now_ns, ready)
        order.take(reading, now_ns, ready)
        ready.clear()


def naive(window_ns: int, told: Arrivals) -> None:
    """All that waits sorted with each reading."""
    waiting: list[Reading] = []
    newest_ns = 0
    for _, reading in told:
        newest_ns = max(newest_ns, reading.source_ns)
        waiting.append(reading)
        waiting.sort(key=lambda each: each.source_ns)
        while waiting and waiting[0].source_ns < newest_ns - window_ns:
            del waiting[0]


def micros(way: Callable[[int, Arrivals], None], window_ns: int, told: Arrivals) -> float:
    """CPU time per reading, the least of three runs."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        way(window_ns, told)
        best = min(best, time.process_time() - start)
    return round(best / len(told) * 1e6, 2)


def main() -> None:
    """Measure and print."""
    out: dict[str, float] = {"none_us": micros(ordered, 0, arrivals(0))}
    for window_ms in (100, 1000, 10_000):
        told = arrivals(window_ms * 1_000_000)
        out[f"window_{window_ms}ms_us"] = micros(ordered, window_ms * 1_000_000, told)
    told = arrivals(100_000_000)[:20_000]
    out["sorted_anew_100ms_us"] = micros(naive, 100_000_000, told)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
