"""After a loss: which signals still owe an uncertain reading, and what is older than what was read since. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from linecontrol.driver import Quality, Reading


class Doubts:
    """The signals of which values may have been lost, until that has been said of each."""

    def __init__(self) -> None:
        self.signals: dict[str, None] = {}
        self._read_ns: dict[str, int] = {}

    def lost(self, signals: Iterable[str]) -> None:
        """Values of these may have been lost just now."""
        self.signals = dict.fromkeys(signals)
        self._read_ns.clear()

    def marked(self, readings: Sequence[Reading]) -> list[Reading]:
        """What came, with doubt where it is due, and without what a later read has overtaken."""
        if not self.signals and not self._read_ns:
            return readings if isinstance(readings, list) else list(readings)
        return [self._mark(reading) for reading in readings if not self._overtaken(reading)]

    def settled(self, readings: Sequence[Reading]) -> list[Reading]:
        """What was read to make up for the loss."""
        batch = [self._mark(reading) for reading in readings]
        self._read_ns |= {reading.signal: reading.source_ns for reading in batch if reading.quality is not Quality.BAD}
        return batch

    def _mark(self, reading: Reading) -> Reading:
        if reading.signal not in self.signals:
            return reading
        del self.signals[reading.signal]
        if reading.quality is not Quality.GOOD:
            return reading
        return msgspec.structs.replace(reading, quality=Quality.UNCERTAIN)

    def _overtaken(self, reading: Reading) -> bool:
        read_ns = self._read_ns.get(reading.signal)
        if read_ns is None:
            return False
        if reading.source_ns <= read_ns:
            return True
        del self._read_ns[reading.signal]
        return False
