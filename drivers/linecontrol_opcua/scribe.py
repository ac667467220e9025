"""Turns what a server sent into readings, and numbers them."""

from collections.abc import Mapping, Sequence

from linecontrol.driver import Clock, Reading
from linecontrol_opcua import decode
from linecontrol_opcua.datatype import DataType
from linecontrol_opcua.fast import reading
from linecontrol_opcua.settings import OpcuaTag

Places = list[tuple[str, int]]
"""Signal and number of its built-in type, in the order of a read."""


class Scribe:
    """Keeps which signal has which handle, and how many readings there were."""

    def __init__(self, signals: Sequence[str], tags: dict[str, OpcuaTag], clock: Clock) -> None:
        """``signals`` are the monitored ones: each one's handle is its place among them."""
        self._kinds = {signal: int(tag.type.wire.variant) for signal, tag in tags.items()}
        self._plan = {handle: (signal, self._kinds[signal]) for handle, signal in enumerate(signals)}
        self._clock = clock
        self._written = 0

    def learn(self, own: Mapping[str, DataType]) -> None:
        """Commands go in the node's own type, so what they show is read in it too."""
        self._kinds |= {signal: int(datatype.wire.variant) for signal, datatype in own.items()}

    def now_ns(self) -> int:
        """Plant time."""
        return self._clock.now_ns()

    def published(self, body: bytes) -> decode.Published:
        """What a publish or republish response carries."""
        result = decode.published(body, self._plan, self._clock.now_ns(), self._written)
        self._written += len(result.readings)
        return result

    def places(self, signals: Sequence[str]) -> Places:
        """Which signal is expected where in the response to a read."""
        return [(signal, self._kinds[signal]) for signal in signals]

    def read(self, body: bytes, places: Places) -> list[Reading]:
        """One reading for each signal in a read response, in order."""
        readings = decode.read(body, places, self._clock.now_ns(), self._written)
        self._written += len(readings)
        return readings

    def bad(self, signal: str, status: int) -> Reading:
        """What a signal shows that the server does not serve."""
        self._written += 1
        return reading(signal, 0, (0, None, status, 0, 0), self._clock.now_ns(), self._written)
