"""The last values of a stream, over so many of them or over a time, and the figures that follow from them.

Values enter in constant time; sums are kept exact to the last bit that summing afresh would give now and then, order
(for quantiles) by bisection. What is older than a time window is dropped when a figure is asked for.
"""

from bisect import bisect_left, insort
from math import ceil

from msgspec import Struct, field

_SLACK = 64
"""Values that may lie dead at the front of the lists before they are cut off."""

HOUR_NS = 3_600e9


class Window(Struct):
    """What one window keeps. ``stamps`` are readings of working time; ``order`` is only kept if ``sorted`` is.

    Values are numbers, seconds, or 0 and 1 for false and true. The live ones are those from ``head`` on.
    """

    size: int
    span_ns: int
    sorted: bool = False
    values: list[float] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    head: int = 0
    total: float = 0.0
    order: list[float] = field(default_factory=list)

    def push(self, value: float, worked: int) -> None:
        """Take in the newest value; with a size, forget the one before the last ``size``."""
        values = self.values
        values.append(value)
        self.stamps.append(worked)
        self.total += value
        if self.sorted:
            insort(self.order, value)
        if self.size:
            if len(values) - self.head > self.size:
                self._drop()
        else:
            self.evict(worked)

    def evict(self, worked: int) -> None:
        """Forget what is older than the span; nothing without one."""
        if self.span_ns:
            limit = worked - self.span_ns
            stamps = self.stamps
            while self.head < len(stamps) and stamps[self.head] <= limit:
                self._drop()

    def _drop(self) -> None:
        value = self.values[self.head]
        self.total -= value
        if self.sorted:
            del self.order[bisect_left(self.order, value)]
        self.head += 1
        if self.head >= _SLACK and 2 * self.head >= len(self.values):
            del self.values[: self.head], self.stamps[: self.head]
            self.head = 0
            self.total = sum(self.values)

    # --- figures: ``None`` with fewer than ``least`` values --------------------------------------------------

    def count(self, worked: int, least: int) -> float | None:
        """Sum of the values: how many conditions held."""
        self.evict(worked)
        return float(self.total) if len(self.values) - self.head >= least else None

    def mean(self, worked: int, least: int) -> float | None:
        """Arithmetic mean; of conditions, the share that held."""
        self.evict(worked)
        number = len(self.values) - self.head
        return self.total / number if number >= least else None

    def min(self, worked: int, least: int) -> float | None:
        """The smallest value."""
        self.evict(worked)
        return self.order[0] if len(self.order) >= least else None

    def max(self, worked: int, least: int) -> float | None:
        """The largest value."""
        self.evict(worked)
        return self.order[-1] if len(self.order) >= least else None

    def median(self, worked: int, least: int) -> float | None:
        """The middle value, or the mean of the two middle ones."""
        self.evict(worked)
        order = self.order
        number = len(order)
        if number < least:
            return None
        return (order[(number - 1) // 2] + order[number // 2]) / 2

    def quantile(self, worked: int, least: int, rank: float) -> float | None:
        """The smallest value that a share ``rank`` of the values doesn't exceed (nearest rank)."""
        self.evict(worked)
        number = len(self.order)
        return self.order[max(ceil(rank * number - 1e-9), 1) - 1] if number >= least else None

    def delta(self, worked: int, least: int) -> float | None:
        """The newest value less the oldest."""
        self.evict(worked)
        return self.values[-1] - self.values[self.head] if len(self.values) - self.head >= least else None

    def rate(self, worked: int, least: int) -> float | None:
        """``delta`` per hour of working time between the two; unknown if none passed."""
        self.evict(worked)
        if len(self.values) - self.head < least:
            return None
        passed = self.stamps[-1] - self.stamps[self.head]
        return (self.values[-1] - self.values[self.head]) * HOUR_NS / passed if passed else None

    def oldest(self) -> int | None:
        """Reading of working time at which the oldest value leaves a window over a time."""
        return self.stamps[self.head] + self.span_ns if self.span_ns and self.head < len(self.stamps) else None


class Smooth(Struct):
    """An exponentially weighted mean; the newest of ``size`` values weighs ``2 / (size + 1)``."""

    size: int
    entered: int = 0
    level: float = 0.0

    def push(self, value: float, worked: int) -> None:
        """Take in the newest value."""
        self.level = value if not self.entered else self.level + (value - self.level) * 2 / (self.size + 1)
        self.entered += 1

    def ewma(self, worked: int, least: int) -> float | None:
        """The mean; ``None`` until ``least`` values have entered."""
        return self.level if self.entered >= least else None


SORTED = frozenset(("min", "max", "median", "quantile"))
"""Functions for which a window has to keep its values in order."""
