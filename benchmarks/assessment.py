"""What an assessment costs: the copy on the event loop, the answer in a thread, and how long others wait meanwhile.

The example plant is simulated for a while, shown to an engine, and assessed again and again beside an event loop that
wants to do something every millisecond. Prints one JSON line.

    python benchmarks/assessment.py [DAYS]
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from linecontrol.assessment import Assessment
from linecontrol.calendar import line_calendars
from linecontrol.config.holidays import public_holidays
from linecontrol.daemon import SWITCH_S
from linecontrol.engine import Engine
from linecontrol.model import LinkChange, Quality, Reading
from linecontrol.plant.load import load_plant
from linecontrol.simulator import SimPlant

MINUTE_NS = 60 * 10**9
STEP_NS = 10 * MINUTE_NS
TIMES = 30


def recorded(days: int) -> tuple[Engine, Assessment, int]:
    """An engine that has seen so many days of the example plant, and the last moment."""
    config = load_plant(Path(__file__).parents[1] / "config" / "ganja").config
    pace = {"resolution": STEP_NS, "progress_every": 60 * STEP_NS, "heartbeat_every": 60 * STEP_NS}
    config = config.model_copy(update={"engine": config.engine.model_copy(update=pace)})
    holidays = public_holidays(config.calendar.holidays)
    calendars = line_calendars(config, holidays)
    start_ns = next(iter(calendars.values())).day_start(date(2026, 1, 5))
    sim, engine = SimPlant(config, calendars, start_ns, config.simulator.seed), Engine(config, holidays=holidays)
    engine.step([LinkChange(name, True, start_ns) for name in config.connections], start_ns)
    first = [Reading(signal, value, Quality.GOOD, start_ns, start_ns) for signal, value in sim.values.items()]
    engine.step(first, start_ns)
    for now_ns in range(start_ns, start_ns + days * 1440 * MINUTE_NS, STEP_NS):
        changes = [Reading(c.signal, c.value, Quality.GOOD, c.at_ns, c.at_ns) for c in sim.step(now_ns)]
        if changes:
            engine.step(changes, now_ns)
    return engine, Assessment(config, holidays), now_ns


async def waits_ms(busy: Callable[[], bool]) -> list[float]:
    """How much longer than a millisecond each pause of a millisecond was, until nothing is busy any more."""
    late: list[float] = []
    while busy():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append((time.perf_counter() - began) * 1000 - 1)
    return sorted(late)


async def main(days: int) -> None:
    """Measure and print."""
    engine, assessment, now_ns = recorded(days)
    gc.collect()
    gc.freeze()  # as the gateway does
    sys.setswitchinterval(SWITCH_S)
    question = engine.question(now_ns)
    asked: list[float] = []
    answered: list[float] = []
    for _ in range(20):
        began = time.perf_counter()
        engine.question(now_ns)
        asked.append((time.perf_counter() - began) * 1000)

    def answer() -> None:
        for _ in range(TIMES):
            began = time.perf_counter()
            for _ in assessment.answer(question):
                pass
            answered.append(time.perf_counter() - began)

    until = time.perf_counter() + 2
    idle = await waits_ms(lambda: time.perf_counter() < until)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(asyncio.to_thread(answer))
        busy = await waits_ms(lambda: not work.done())
    result = {
        "benchmark": "assessment",
        "units": [len(log.units) for log in assessment.logs(question).values()],
        "question_ms": round(min(asked), 3),
        "answer_s": round(min(answered), 3),
        "loop_idle_p99_ms": round(idle[len(idle) * 99 // 100], 1),
        "loop_busy_p50_ms": round(busy[len(busy) // 2], 1),
        "loop_busy_p99_ms": round(busy[len(busy) * 99 // 100], 1),
        "loop_busy_max_ms": round(busy[-1], 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
