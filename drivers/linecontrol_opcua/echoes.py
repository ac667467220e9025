"""Servers that could not deliver a message may keep it under its number and send its values under another. Pure."""

from collections import deque
from collections.abc import Sequence

from linecontrol.driver import Reading

_BEFORE, _AFTER = 8, 32
"""Messages before and after a break among which values may be repeated."""


class Echoes:
    """After a break, leaves out what is the same as the reading before it, to the source time."""

    def __init__(self) -> None:
        self._recent: deque[Sequence[Reading]] = deque(maxlen=_BEFORE)
        self._last: dict[str, Reading] = {}
        self._watch = 0

    def resumed(self) -> None:
        """The connection was carried on."""
        for readings in self._recent:
            self._last |= {reading.signal: reading for reading in readings}
        self._watch = _AFTER

    def without(self, readings: Sequence[Reading]) -> Sequence[Reading]:
        """The readings of a message that are no echo."""
        if not readings:
            return readings
        self._recent.append(readings)
        if not self._watch:
            return readings
        self._watch -= 1
        new = [reading for reading in readings if not self._repeats(reading)]
        if not self._watch:
            self._last.clear()
        return new

    def _repeats(self, reading: Reading) -> bool:
        last = self._last.get(reading.signal)
        self._last[reading.signal] = reading
        return last is not None and (last.source_ns, last.status, last.value, type(last.value)) == (
            reading.source_ns,
            reading.status,
            reading.value,
            type(reading.value),
        )
