import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec

from linecontrol import daemon
from linecontrol.cli.demo import Options, quickened
from linecontrol.gateway.recall import Pace
from tests.unit.line.plant import SECOND, config


async def test_a_task_that_swallows_its_cancellation_is_ended_all_the_same() -> None:
    begun, swallowed = asyncio.Event(), 0

    async def deaf() -> None:
        nonlocal swallowed
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        swallowed += 1
        await asyncio.Event().wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(deaf())
        await begun.wait()
        await daemon._end([task], again_s=0.001)
    assert swallowed == 1
    assert task.cancelled()


def test_a_journal_is_replayed_with_the_windows_of_the_clock_that_it_was_recorded_with() -> None:
    stations = {"a": {"cycle_by": "part_present", "signals": ["part_present"]}}
    plant = config(stations, {"connections": {"plc": {"driver": "none", "reorder": "500ms"}}})
    options = Options(
        folder=Path(),
        speed=3600,
        for_s=None,
        through_ns=None,
        headless=True,
        influx=None,
        influx_token_file=None,
        state=Path(),
        seed=None,
        start=None,
    )
    fast = quickened(plant, options)
    assert fast.connections["plc"].reorder == 1800 * SECOND
    assert fast.engine.lateness > 1800 * SECOND
    kept = msgspec.json.encode(Pace.of(fast))
    again = msgspec.json.decode(kept, type=Pace).applied(plant)
    assert (again.connections, again.engine) == (fast.connections, fast.engine)
