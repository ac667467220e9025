"""Turns what a server sent into readings, and numbers them."""

from collections.abc import Sequence

from linecontrol.driver import Clock, Reading
from linecontrol_opcua import decode
from linecontrol_opcua.fast import reading
from linecontrol_opcua.settings import OpcuaTag


class Scribe:
    """Keeps which signal has which handle, and how many readings there were."""

    def __init__(self, signals: Sequence[str], tags: dict[str, OpcuaTag], clock: Clock) -> None:
        """``signals`` are the monitored ones: each one's handle is its place among them."""
        self._kinds = {signal: int(tag.type.wire.variant) for signal, tag in tags.items()}
        self._plan = {handle: (signal, self._kinds[signal]) for handle, signal in enumerate(signals)}
        self._plan |= decode.canary_plan()
        self._clock = clock
        self._written = 0

    def now_ns(self) -> int:
        """Plant time."""
        return self._clock.now_ns()

    def published(self, body: bytes) -> decode.Published:
        """What a publish or republish response carries."""
        result = decode.published(body, self._plan, self._clock.now_ns(), self._written)
        self._written += len(result.readings)
        return result

    def read(self, body: bytes, signals: Sequence[str]) -> list[Reading]:
        """One reading for each signal in a read response, in order."""
        plan = {place: (signal, self._kinds[signal]) for place, signal in enumerate(signals)}
        readings = decode.read(body, plan, self._clock.now_ns(), self._written)
        self._written += len(readings)
        return readings

    def bad(self, signal: str, status: int) -> Reading:
        """What a signal shows that the server does not serve."""
        self._written += 1
        return reading(signal, 0, (0, None, status, 0, 0), self._clock.now_ns(), self._written)
