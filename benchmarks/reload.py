"""What a reload costs a running gateway: the pause of its engine, and what the event loop waits for meanwhile.

The pause is that of the turn in which other rules begin to count (wall time, the rules prepared): for 8 rules at 20
stations in the middle of a day, and for 158 rules with texts of their own, of which every fourth has another limit. The
loop is probed every millisecond: while nothing else goes on, while a folder is tried out by a process of its own as the
gateway does it, while its rules are prepared in a thread, and, to compare, while it is tried out in a thread.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.rules_line import MORE, STATEFUL, day_of, plant
from benchmarks.rules_reload import apart
from linecontrol.config import Config
from linecontrol.config.rules_data import rest_of, rules_text
from linecontrol.daemon import SWITCH_S
from linecontrol.engine import Engine, Prepared
from linecontrol.model import AnyEvent, Findings, FlagChanged, RulesGiven
from linecontrol.plant.load import load_plant
from linecontrol.plant.tryout import tried, try_out
from linecontrol.rules import emit

REPEATS = 7
PROBE_S = 0.001
S = 10**9
GANJA = Path(__file__).parents[1] / "config" / "ganja"


def edited(rules: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same with another delay in every fourth."""
    return {name: rule | ({} if place % 4 else {"off_delay": "7s"}) for place, (name, rule) in enumerate(rules.items())}


def pause(name: str, rules: dict[str, dict[str, Any]], events: list[AnyEvent]) -> None:
    """Print how long the turn takes in which other rules begin to count, and what unchanged rules say in it."""
    config, other = plant(rules), rules_text(plant(edited(rules)))
    preparing, turns, afterwards, said = [], [], [], 0
    for _ in range(REPEATS):
        engine = Engine(config)
        now_ns = events[-1].at_ns + 2 * S
        engine.step([Findings(now_ns, events)], events[0].at_ns)
        engine.tick(now_ns)
        gc.collect()
        gc.freeze()
        emit.compiled.cache_clear()
        begun = time.perf_counter()
        prepared = engine.prepare(other)
        preparing.append(time.perf_counter() - begun)
        engine.expect(prepared)
        begun = time.perf_counter()
        told = engine.step([RulesGiven(other, now_ns)], now_ns)
        turns.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        engine.tick(now_ns + 1)
        afterwards.append(time.perf_counter() - begun)
        said = sum(isinstance(event, FlagChanged) for event in told)
        gc.unfreeze()
    print(
        f"{name}: prepared in {min(preparing) * 1e3:.0f} ms; the turn takes {min(turns) * 1e3:.1f} ms, "
        f"the next one, which lets the former go, {min(afterwards) * 1e3:.1f} ms; {said} transitions"
    )


async def waits(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Print what the loop waits for beside its own pauses while something goes on."""
    late: list[float] = []
    over = asyncio.Event()

    async def probe() -> None:
        while not over.is_set():
            begun = time.perf_counter()
            await asyncio.sleep(PROBE_S)
            late.append((time.perf_counter() - begun - PROBE_S) * 1e3)

    probing = asyncio.create_task(probe())
    begun = time.perf_counter()
    await work()
    took = time.perf_counter() - begun
    over.set()
    await probing
    late.sort()
    print(
        f"{name}: {took:.1f} s; the loop is late by {late[len(late) // 2]:.1f} ms (median), "
        f"{late[int(len(late) * 0.99)]:.1f} ms (99 %), {late[-1]:.1f} ms at the most"
    )


async def loop(config: Config) -> None:
    """What the loop waits for."""
    engine, rest, text = Engine(config), rest_of(config), rules_text(config)
    prepared: list[Prepared] = []
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)

    async def prepare() -> None:
        for _ in range(10):
            emit.compiled.cache_clear()
            gc.disable()
            prepared.append(await asyncio.to_thread(engine.prepare, text))
            gc.freeze()
            gc.enable()

    await waits("nothing", lambda: asyncio.sleep(3))
    await waits("tried out by a process", lambda: tried(GANJA, rest))
    await waits("prepared in a thread, ten times", prepare)
    await waits("tried out in a thread", lambda: asyncio.to_thread(try_out, GANJA))


def main() -> None:
    """Print the table."""
    events = day_of(0)[:60_000]
    pause("8 rules, 158 flags", STATEFUL | MORE, events)
    pause("158 rules, 158 flags", apart(), events)
    asyncio.run(loop(load_plant(GANJA).config))


if __name__ == "__main__":
    main()
