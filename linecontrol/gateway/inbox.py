"""The bounded hand-off from the sources to the engine, which reports how full it is."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct

from linecontrol.model import Observation

CAPACITY = 100_000
"""Observations that may wait: some seconds at full load, some tens of megabytes at the most."""


class Arrival(Struct, frozen=True):
    """A batch as a source handed it over; ``loop_s`` is the event loop's time then."""

    observations: Sequence[Observation]
    loop_s: float


class Inbox:
    """Sources wait while it is full, the engine takes all that there is at once. Nothing is ever dropped."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """``capacity`` is in observations."""
        self.capacity = capacity
        self.received = 0
        self._arrivals: deque[Arrival] = deque()
        self._size = 0
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()

    def __len__(self) -> int:
        """Observations that wait now."""
        return self._size

    async def put(self, observations: Sequence[Observation]) -> None:
        """Hand over a batch; wait while the inbox is full. The last batch may be larger than the room that is left."""
        while self._size >= self.capacity:
            self._emptied.clear()
            await self._emptied.wait()
        self._arrivals.append(Arrival(observations, asyncio.get_running_loop().time()))
        self._size += len(observations)
        self.received += len(observations)
        self._filled.set()

    async def filled(self, patience_s: float) -> None:
        """Wait up to ``patience_s`` real seconds until there is something to take."""
        if self._arrivals:
            return
        self._filled.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._filled.wait()

    def take(self) -> list[Arrival]:
        """All that waits, oldest first."""
        taken = list(self._arrivals)
        self._arrivals.clear()
        self._size = 0
        self._emptied.set()
        return taken
