"""A clock that moves only when it is told to."""

import asyncio
import heapq
from itertools import count


class ManualClock:
    """Plant time stands still until it is moved; nobody ever really sleeps. A ``linecontrol.clock.Clock``."""

    def __init__(self, now_ns: int = 0, *, speed: float = 1.0) -> None:
        """``now_ns`` is nanoseconds since 1970, UTC."""
        self.speed = speed
        self._now_ns = now_ns
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._slept = asyncio.Event()

    @property
    def sleepers(self) -> int:
        """How many sleep now."""
        return sum(not wake.done() for _, _, wake in self._sleepers)

    def now_ns(self) -> int:
        """Plant time in nanoseconds since 1970, UTC."""
        return self._now_ns

    def set_ns(self, now_ns: int) -> None:
        """Move to a time, backwards too, and wake whoever slept until then, in the order of their times."""
        self._now_ns = now_ns
        while self._sleepers and self._sleepers[0][0] <= now_ns:
            wake = heapq.heappop(self._sleepers)[2]
            if not wake.done():
                wake.set_result(None)

    def advance(self, seconds: float) -> None:
        """Move on by plant seconds."""
        self.set_ns(self._now_ns + round(seconds * 1e9))

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved on by so many plant seconds; other tasks have a turn in any case."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_ns + round(seconds * 1e9), next(self._order), wake))
        self._slept.set()
        await wake

    async def asleep(self, number: int = 1) -> float:
        """Wait until so many sleep; plant seconds until the first of them wakes."""
        while self.sleepers < number:
            self._slept.clear()
            await self._slept.wait()
        first = next(at_ns for at_ns, _, wake in sorted(self._sleepers, key=lambda s: s[:2]) if not wake.done())
        return (first - self._now_ns) / 1e9
