import asyncio
from contextlib import suppress

from linecontrol import daemon


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
