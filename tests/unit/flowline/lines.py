"""A line told step by step, as plainly as possible, and lines to compare it with."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from linecontrol.flowline import Layout
from linecontrol.flowline.given import Floats


class PlainLine:
    """Everything that may happen happens, then the clock goes on to the next completion.

    Only counts units: one may start where fewer than ``servers`` of those before it have still to leave, may leave
    where fewer than the room behind, may enter while fewer than ``limit`` are ahead of it.
    """

    def __init__(self, times: Floats, layout: Layout, release: Sequence[float], waits: Floats) -> None:
        self.times, self.layout, self.release, self.waits = times, layout, release, waits
        self.complete = np.full(times.shape, np.inf)
        self.departure = np.full(times.shape, np.inf)
        self.now = 0.0
        while np.isinf(self.departure).any():
            while self._something_happens():
                pass
            later = [t for t in (*self.complete.flat, *release) if self.now < t < np.inf]
            if not later:
                assert not np.isinf(self.departure).any(), "the line is stuck"
                break
            self.now = min(later)

    def _something_happens(self) -> bool:
        happened = False
        for j in range(len(self.times)):
            for i in range(self.layout.stations):
                if np.isinf(self.complete[j, i]) and self._may_start(j, i):
                    self.complete[j, i] = self.now + self.waits[j, i] + self.times[j, i]
                    happened = True
                if self.complete[j, i] <= self.now and np.isinf(self.departure[j, i]) and self._may_leave(j, i):
                    self.departure[j, i] = self.now
                    happened = True
        return happened

    def _may_start(self, j: int, i: int) -> bool:
        before = self.layout.before(i)
        if self._still_to_leave(i, j) >= self.layout.servers[i]:
            return False
        if before:
            return all(self.departure[j, p] <= self.now for p in before)
        limit = self.layout.limit
        entered = limit is None or self._still_to_leave(self.layout.last, j) < limit
        return entered and self.release[j] <= self.now

    def _may_leave(self, j: int, i: int) -> bool:
        following = self.layout.following[i]
        return following < 0 or self._still_to_leave(following, j) < self.layout.room(i)

    def _still_to_leave(self, i: int, before: int) -> int:
        return int((self.departure[:before, i] > self.now).sum())


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Plain lines and lines with feeders, with twins, with and without a limit."""
    stations = draw(st.integers(1, 5))
    following = [draw(st.integers(i + 1, stations - 1)) for i in range(stations - 1)]
    if draw(st.booleans()):
        following = list(range(1, stations))
    places = draw(st.tuples(*[st.integers(0, 2)] * stations))
    servers = draw(st.tuples(*[st.sampled_from([1, 1, 1, 2, 3])] * stations))
    return Layout((*following, -1), places, servers, draw(st.none() | st.integers(1, 6)))


def integer_times(seed: int, units: int, stations: int, replications: int = 1) -> Floats:
    """Small whole numbers, so that much is simultaneous."""
    return np.random.default_rng(seed).integers(0, 7, (units, stations, replications)).astype(float)


def cycle_times(seed: int, units: int, stations: int, replications: int = 1) -> Floats:
    """Times as of manual work."""
    return np.random.default_rng(seed).lognormal(0.8, 0.4, (units, stations, replications))
