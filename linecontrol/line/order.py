"""The order of one connection's readings: what waits for older ones, what is late, what was said before.

The *time of a reading* is its source time, but not before its link came up, and not after it was received. A connection
with a *window* (``connections: NAME: reorder:``) holds its readings back so that older ones can still come. Its
*watermark* is the newest time seen on it less the window, or what was taken in last if that is newer: what is older
comes *late*. Readings from the watermark on wait until it has passed them, or until their window is over.

Nothing here depends on how readings are cut into batches, as long as they arrive at the same moments.
"""

from bisect import bisect_right
from collections import deque

from msgspec import structs

from linecontrol.duration import NS
from linecontrol.line.memory import OrderMemory, Waiting
from linecontrol.model import Quality, Reading, Value

MOST_WAITING = 20_000
"""Readings of one connection that may wait; beyond that the oldest are taken in before their window is over."""

CLOCK_PATIENCE_NS = 10 * NS
"""A clock that was set back is believed when for so long nothing but older readings came."""

NEVER_NS = 2**63 - 1
"""When a connection is due on which nothing waits."""

Instant = tuple[int, list[Reading]]
"""Readings of one time that are taken in together."""


class ReadingOrder:
    """Puts the readings of one connection in order. ``memory`` is all that it remembers."""

    def __init__(self, window_ns: int, memory: OrderMemory) -> None:
        """Without a window nothing waits."""
        self.memory = memory
        self.window_ns = window_ns
        self._arrivals = deque(sorted(memory.waiting, key=lambda waiting: waiting.since_ns))

    @property
    def due_ns(self) -> int:
        """When the window of the reading that has waited longest is over."""
        while self._arrivals and self._arrivals[0].over:
            self._arrivals.popleft()
        return self._arrivals[0].since_ns + self.window_ns + 1 if self._arrivals else NEVER_NS

    def take(self, reading: Reading, now_ns: int, ready: list[Instant]) -> int:
        """A reading arrives at ``now_ns``; what can be taken in now is added to ``ready``.

        Returns by how much the device's clock was set back, if that is now believed; else 0.
        """
        memory = self.memory
        at_ns = reading.source_ns
        if at_ns > now_ns:
            at_ns = now_ns
        if at_ns < memory.up_ns:
            at_ns = memory.up_ns
        if at_ns < memory.mark_ns:
            return self._late(at_ns, reading, now_ns, ready)
        if memory.overtaken:
            memory.overtaken.clear()
        if self.window_ns or memory.waiting:
            self._hold(Waiting(at_ns, now_ns, reading), ready)
            return 0
        memory.mark_ns = at_ns
        if self._is_news(at_ns, reading):
            _join(at_ns, reading, ready)
        return 0

    def release(self, until_ns: int, ready: list[Instant]) -> None:
        """Whatever waits and is not newer than ``until_ns`` is taken in now."""
        waiting = self.memory.waiting
        count = bisect_right(waiting, until_ns, key=lambda each: each.at_ns)
        if not count:
            return
        self.memory.mark_ns = max(self.memory.mark_ns, waiting[count - 1].at_ns)
        released: list[Instant] = []
        for each in waiting[:count]:
            each.over = True
            if self._is_news(each.at_ns, each.reading):
                _join(each.at_ns, each.reading, released)
        del waiting[:count]
        ready += released

    def expire(self, now_ns: int, ready: list[Instant]) -> None:
        """Whatever has waited long enough at ``now_ns`` is taken in, and all that is older."""
        while self.due_ns <= now_ns:
            self.release(self._arrivals[0].at_ns, ready)

    def flush(self, ready: list[Instant]) -> None:
        """Whatever waits is taken in now."""
        self.release(NEVER_NS, ready)

    def come_up(self, at_ns: int) -> None:
        """The link came up: nothing is known of any signal, and nothing that is said then is late."""
        memory = self.memory
        memory.up_ns = memory.mark_ns = at_ns
        memory.newest.clear()
        memory.overtaken.clear()

    def _hold(self, arrival: Waiting, ready: list[Instant]) -> None:
        memory, waiting = self.memory, self.memory.waiting
        at_ns = arrival.at_ns
        if not waiting or waiting[-1].at_ns <= at_ns:
            waiting.append(arrival)
        else:
            waiting.insert(bisect_right(waiting, at_ns, key=lambda each: each.at_ns), arrival)
        self._arrivals.append(arrival)
        memory.mark_ns = max(memory.mark_ns, at_ns - self.window_ns)
        if waiting[0].at_ns < memory.mark_ns:
            self.release(memory.mark_ns - 1, ready)
        if len(waiting) > MOST_WAITING:
            self.release(waiting[0].at_ns, ready)

    def _late(self, at_ns: int, reading: Reading, now_ns: int, ready: list[Instant]) -> int:
        """A late reading still tells what its signal is now, unless the signal was seen later."""
        memory = self.memory
        newest = memory.newest.get(reading.signal)
        stood = at_ns == memory.up_ns if newest is None else newest[1].source_ns == reading.source_ns
        if stood:  # since the link came up, or since it was said last
            if self._is_news(at_ns, reading):
                ready.append((at_ns, [reading]))
            return 0
        behind_ns = memory.mark_ns - at_ns
        memory.late += 1
        memory.untold += 1
        if behind_ns > memory.behind_ns:
            memory.behind_ns, memory.behind = behind_ns, reading.signal
        if newest is None or at_ns >= newest[0]:
            memory.newest[reading.signal] = (at_ns, reading)
            ready.append((at_ns, [reading]))
            return 0
        if reading.quality is Quality.UNCERTAIN and newest[1].quality is Quality.GOOD:
            doubtful = structs.replace(newest[1], quality=Quality.UNCERTAIN)
            memory.newest[reading.signal] = (newest[0], doubtful)
            ready.append((newest[0], [doubtful]))
        if not memory.overtaken:
            memory.overtaken_ns = now_ns
        memory.overtaken[reading.signal] = (at_ns, reading)
        if now_ns - memory.overtaken_ns < CLOCK_PATIENCE_NS:
            return 0
        return self._set_back(behind_ns, ready)

    def _set_back(self, behind_ns: int, ready: list[Instant]) -> int:
        """For long nothing but older readings came: the device's clock was set back, and they are its present."""
        memory = self.memory
        self.flush(ready)
        overtaken = sorted(memory.overtaken.values(), key=lambda each: each[0])
        memory.overtaken.clear()
        memory.mark_ns = overtaken[-1][0]
        memory.newest = {signal: seen for signal, seen in memory.newest.items() if seen[0] <= memory.mark_ns}
        for at_ns, reading in overtaken:
            memory.newest[reading.signal] = (at_ns, reading)
            ready.append((at_ns, [reading]))
        return behind_ns

    def _is_news(self, at_ns: int, reading: Reading) -> bool:
        """Whether a reading says what its signal's last did not; it is the signal's newest from now on."""
        newest = self.memory.newest
        last = newest.get(reading.signal)
        if last is not None and last[1].source_ns == reading.source_ns and _says(last[1]) == _says(reading):
            return False
        newest[reading.signal] = (at_ns, reading)
        return True


def _join(at_ns: int, reading: Reading, instants: list[Instant]) -> None:
    if instants and instants[-1][0] == at_ns:
        instants[-1][1].append(reading)
    else:
        instants.append((at_ns, [reading]))


def _says(reading: Reading) -> tuple[Value, Quality]:
    return reading.value, reading.quality
