"""Who may send next on a line."""

import asyncio
import heapq
from enum import IntEnum
from itertools import count


class Rank(IntEnum):
    """Who goes first: a command, then what is read on demand, then what is read cyclically."""

    WRITE = 0
    NOW = 1
    CYCLE = 2


class Turns:
    """A few turns that are taken and given back; who waits gets one by rank, and by arrival within a rank."""

    def __init__(self, number: int, delay_s: float = 0.0) -> None:
        """``delay_s``: real seconds that the line is left alone after each turn."""
        self._free = number
        self._delay_s = delay_s
        self._not_before = 0.0
        self._order = count()
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []

    async def take(self, rank: Rank) -> None:
        """Wait for a turn. If cancelled, none was taken."""
        if self._free:
            self._free -= 1
        else:
            turn = asyncio.get_running_loop().create_future()
            heapq.heappush(self._queue, (rank, next(self._order), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self.give_back()
                raise
        if self._delay_s:
            await self._pause()

    def give_back(self) -> None:
        """Let the next one have the turn."""
        if self._delay_s:
            self._not_before = asyncio.get_running_loop().time() + self._delay_s
        while self._queue:
            turn = heapq.heappop(self._queue)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    async def _pause(self) -> None:
        try:
            if (left_s := self._not_before - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(left_s)
        except asyncio.CancelledError:
            self.give_back()
            raise
