"""Reload and snapshot of 158 rules (8 for each of 20 stations) in the middle of a day. Prints a table.

Off the loop: the new rules are checked, compiled and wired (``RulesRoom``). On the loop: it goes on in the old one's
place (``succeed``). Also with 158 texts that differ, one rule for each flag. CPU time, caches of code emptied before.
"""

import gc
import time
from collections.abc import Callable
from typing import Any, TypeVar

from benchmarks.rules_line import MORE, STATEFUL, calendars, day_of, plant, room_of
from linecontrol.config import Config
from linecontrol.model import AnyEvent
from linecontrol.rules import RulesRoom, emit

REPEATS = 7
T = TypeVar("T")


def timed(run: Callable[[], T]) -> tuple[float, T]:
    """CPU milliseconds, and the result."""
    start = time.process_time()
    result = run()
    return (time.process_time() - start) * 1e3, result


def apart() -> dict[str, dict[str, Any]]:
    """The same flags from one rule each, every text another one."""
    rules = {}
    for name, rule in (STATEFUL | MORE).items():
        for n in range(20):
            when = f"({rule['when']}) and planned > {n + 1} s"
            rules[f"{name}_{n}"] = rule | {"when": when, "only": [f"line/s{n:03}"]}
    return rules


def measure(name: str, config: Config, events: list[AnyEvent]) -> None:
    """Reload what is running by itself, and take a snapshot."""
    off, on, snapshots, transitions, size = [], [], [], 0, 0
    by_line, at_ns = calendars(config), events[-1].at_ns
    for _ in range(REPEATS):
        old = room_of(config)
        old.tick(events[0].at_ns)
        for event in events:
            old.see(event)
        emit.compiled.cache_clear()
        gc.collect()
        took, new = timed(lambda: RulesRoom(config, by_line))
        off.append(took)
        gc.collect()
        took, memory = timed(old.memory)
        snapshots.append(took)
        took, succession = timed(lambda new=new, old=old: new.succeed(old, at_ns))  # type: ignore[misc]
        on.append(took)
        transitions, size = len(succession.since) + len(new.tick(at_ns + 1)), len(memory)
    print(
        f"{name}: off the loop {min(off):.1f} ms, on it {min(on):.2f} ms, {transitions} transitions; snapshot "
        f"{min(snapshots):.2f} ms, {size / 1000:.1f} kB"
    )


def main() -> None:
    """Print the table."""
    events = day_of(0)[:60_000]
    measure("8 rules, 158 flags", plant(STATEFUL | MORE), events)
    measure("160 rules, 158 flags", plant(apart()), events)


if __name__ == "__main__":
    main()
