"""The rules' room over a mixed stream, alarm life cycle and all: CPU per event, by kind of event, and with more rules.

A day of a line with 20 stations: 5 stateful rules for each (100), 8 for each (160), and 100 of them again with 180
more stations that say nothing (1,000). Events are ready before; garbage is collected before and not meanwhile.
"""

import gc
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.rules_line import MORE, STATEFUL, day_of, plant, room_of
from linecontrol.model import AnyEvent, CycleCompleted, CycleStarted, Sampled, StateChanged, StateHeld

REPEATS = 5


def over(
    rules: dict[str, dict[str, object]], stations: int, events: Sequence[AnyEvent]
) -> tuple[float, int, Counter[str]]:
    """CPU seconds of a new room over the events, its flags, and its transitions."""
    best, seen, flags = 1e9, Counter[str](), 0
    for _ in range(REPEATS):
        room = room_of(plant(rules, stations))
        room.tick(events[0].at_ns)
        see, seen = room.see, Counter()
        gc.collect()
        gc.disable()
        start = time.process_time()
        for event in events:
            if said := see(event):
                for each in said:
                    seen[each.transition] += 1  # type: ignore[union-attr]
        best = min(best, time.process_time() - start)
        gc.enable()
        flags = len(room.flags)
    return best, flags, seen


def of_kind(kind: type[AnyEvent], events: Sequence[AnyEvent]) -> float:
    """Microseconds of an event of a kind: what 100 rules take for all of them alone, in a warm room."""
    chosen = [event for event in events if type(event) is kind]
    best = 1e9
    for _ in range(REPEATS):
        room = room_of(plant(STATEFUL))
        for event in events[:20_000]:
            room.see(event)
        later = [event for event in chosen if event.at_ns > events[20_000].at_ns]
        see = room.see
        gc.collect()
        gc.disable()
        start = time.process_time()
        for event in later:
            see(event)
        best = min(best, (time.process_time() - start) / len(later))
        gc.enable()
    return best * 1e6


def main() -> None:
    """Print the table."""
    events = day_of(0)
    bare = day_of(0, samples=0)
    print(f"{len(events)} events: {Counter(type(event).__name__ for event in events).most_common()}")
    print("rules  events               µs/event  transitions")
    figures = {}
    for name, rules, stations, stream in (
        ("stateful", STATEFUL, 20, events),
        ("stateful, no samples", STATEFUL, 20, bare),
        ("with samples read", STATEFUL | MORE, 20, events),
        ("10 times as many", STATEFUL, 200, events),
    ):
        took, flags, seen = over(rules, stations, stream)
        figures[name] = took / len(stream) * 1e6
        print(f"{flags:5}  {name:20} {figures[name]:8.3f}  {dict(seen)}")
    print(f"10 times more rules on other stations: {figures['10 times as many'] / figures['stateful']:.2f} times")
    for kind in (CycleCompleted, CycleStarted, StateChanged, StateHeld, Sampled):
        print(f"{kind.__name__:15} {of_kind(kind, events):.3f} µs")


if __name__ == "__main__":
    main()
