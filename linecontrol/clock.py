"""The only place that asks for the time.

Plant time is what calendars, rules and time stamps mean. Live, it is the wall clock; in a demo it runs faster,
for all parts alike, by arithmetic and not by sleeping less in some places.
"""

import asyncio
import time
from typing import Protocol

SHORTEST_SLEEP_S = 0.01
"""A scaled clock never sleeps less than this in real seconds: below it the event loop only spins."""


class Clock(Protocol):
    """Tells plant time, and sleeps in it."""

    @property
    def speed(self) -> float:
        """Plant seconds that pass in one real second."""

    def now_ns(self) -> int:
        """Plant time in nanoseconds since 1970, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many plant seconds (never less than ``SHORTEST_SLEEP_S`` of real time if scaled)."""


class SystemClock:
    """Plant time is the wall clock."""

    speed = 1.0

    def now_ns(self) -> int:
        """Wall clock in nanoseconds since 1970, UTC."""
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds."""
        await asyncio.sleep(seconds)


class ScaledClock:
    """Plant time runs ``speed`` times as fast as real time, from ``plant_ns`` at ``real_ns`` on.

    Two processes that are given the same three numbers agree on plant time. It stands still before ``real_ns``, which
    may be set later, and after ``freeze``.
    """

    def __init__(self, speed: float, plant_ns: int, real_ns: int | None = None) -> None:
        """``real_ns`` is the wall clock at which plant time is ``plant_ns``; stands still until set if left out."""
        if speed <= 0:
            msg = f"speed must be greater than 0, not {speed}"
            raise ValueError(msg)
        self.speed = speed
        self.plant_ns = plant_ns
        self.real_ns = real_ns
        self._frozen_ns: int | None = None

    def start(self, real_ns: int | None = None) -> int:
        """Let plant time run from a wall clock time on, by default from now; returns that time."""
        self.real_ns = time.time_ns() if real_ns is None else real_ns
        return self.real_ns

    def freeze(self, plant_ns: int | None = None) -> int:
        """Let plant time stand still, by default at what it is now; returns where."""
        self._frozen_ns = self.now_ns() if plant_ns is None else plant_ns
        return self._frozen_ns

    def now_ns(self) -> int:
        """Plant time in nanoseconds since 1970, UTC."""
        if self._frozen_ns is not None:
            return self._frozen_ns
        if self.real_ns is None:
            return self.plant_ns
        return self.plant_ns + int(max(0, time.time_ns() - self.real_ns) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many plant seconds, but for ``SHORTEST_SLEEP_S`` of real time at the least."""
        await asyncio.sleep(max(seconds / self.speed, SHORTEST_SLEEP_S))
