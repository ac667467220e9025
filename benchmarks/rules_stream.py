"""The rules' room over a day of a line with 20 stations, alarm life cycle and all: CPU per event. Prints a table.

Rules: 5 stateful ones for each station (98: the first and the last have one neighbour only), 8 for each, and the 5 for
ten lines, of which nine say nothing. Garbage is collected before and not meanwhile.
"""

import gc
import time
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from benchmarks.rules_line import MORE, STATEFUL, day_of, plant, room_of
from linecontrol.model import AnyEvent, CycleCompleted, CycleStarted, FlagChanged, Sampled
from linecontrol.rules import RulesRoom

REPEATS = 7


def timed(room: RulesRoom, events: Sequence[AnyEvent]) -> tuple[float, int]:
    """CPU seconds that a room takes over events, and the flags that changed."""
    see, changed = room.see, 0
    gc.collect()
    gc.disable()
    start = time.process_time()
    for event in events:
        if said := see(event):
            changed += sum(isinstance(each, FlagChanged) for each in said)
    took = time.process_time() - start
    gc.enable()
    return took, changed


def over(rules: dict[str, dict[str, Any]], lines: int, events: Sequence[AnyEvent]) -> tuple[float, int]:
    """Microseconds per event of a new room, and the flags that changed."""
    runs = []
    for _ in range(REPEATS):
        room = room_of(plant(rules, lines))
        room.tick(events[0].at_ns)
        runs.append(timed(room, events))
    return min(runs)[0] / len(events) * 1e6, runs[0][1]


def alone(kind: type[AnyEvent], events: Sequence[AnyEvent]) -> tuple[float, int]:
    """Microseconds of an event of a kind where time stands still, in a warm room, and the flags that changed."""
    room = room_of(plant(STATEFUL))
    for event in events[:20_000]:
        room.see(event)
    now = events[19_999].at_ns
    chosen: list[AnyEvent] = [replace(event, at_ns=now) for event in events[20_000:] if type(event) is kind]
    timed(room, chosen)
    runs = [timed(room, chosen) for _ in range(REPEATS)]
    return min(runs)[0] / len(chosen) * 1e6, runs[-1][1]


def main() -> None:
    """Print the table."""
    events, bare = day_of(0), day_of(0, samples=0)
    figures = {}
    for name, rules, lines, stream in (
        ("98 stateful rules, mixed stream", STATEFUL, 1, events),
        ("98 stateful rules, no samples", STATEFUL, 1, bare),
        ("158 rules, samples read", STATEFUL | MORE, 1, events),
        ("980 stateful rules, mixed stream", STATEFUL, 10, events),
    ):
        figures[name], changed = over(rules, lines, stream)
        print(f"{name:34} {figures[name]:7.3f} µs/event ({len(stream)} events, {changed} flags changed)")
    ratio = figures["980 stateful rules, mixed stream"] / figures["98 stateful rules, mixed stream"]
    print(f"ten times more rules on other stations: {ratio:.2f} times")
    for kind in (CycleCompleted, CycleStarted, Sampled):
        took, changed = alone(kind, events)
        print(f"{kind.__name__:34} {took:7.3f} µs ({changed} flags changed)")


if __name__ == "__main__":
    main()
