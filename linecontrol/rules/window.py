"""The last values of a stream, over so many of them or over a time, and the figures that follow from them.

Values enter in constant time; sums keep what they round off, so that nothing stays of what has left; and order
(for quantiles) is kept by bisection where a condition asks for it, else found when a message does. What is older than
a time window is dropped when a figure is asked for.
"""

from abc import abstractmethod
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from typing_extensions import override

_SLACK = 64
"""Values that may lie dead at the front of a time window's lists before they are cut off."""

MOST_KEPT = 10_000
"""Values that a time window keeps at the most, the newest ones: a device that sends more can't fill the memory."""

HOUR_NS = 3_600e9

HUGE = 1e290
"""What is larger counts as this in sums, so that they stay finite."""


def rank_of(number: int, rank: float) -> int:
    """The place, counted from 0, of the smallest of ``number`` values that a share ``rank`` doesn't exceed."""
    return max(ceil(rank * number - 1e-9), 1) - 1


@dataclass(slots=True)
class Sum:
    """A sum that values enter and leave: ``total``, and in ``rest`` what that rounds off.

    By D. Knuth's TwoSum (The Art of Computer Programming, 4.2.2).
    """

    total: float = 0.0
    rest: float = 0.0

    def add(self, value: float) -> None:
        """One more value; what leaves is added negatively."""
        if not -HUGE < value < HUGE:
            value = HUGE if value > 0 else -HUGE
        total = self.total
        self.total = new = total + value
        part = new - total
        self.rest += (total - (new - part)) + (value - part)

    def restart(self, values: Iterable[float]) -> None:
        """The sum of these: what was much larger, and left, has taken digits of the others with it."""
        self.total = self.rest = 0.0
        for value in values:
            self.add(value)


class _Figures:
    """What is asked of any window; ``None`` with fewer than ``least`` values."""

    __slots__ = ()

    values: list[float]
    stamps: list[int]
    order: list[float]
    sum: Sum

    @abstractmethod
    def live(self, worked: int) -> tuple[int, int, int]:
        """Number of values by then, and the places of the oldest and the newest."""

    def count(self, worked: int, least: int) -> float | None:
        """Sum of the values: how many conditions held."""
        return float(self.sum.total) if self.live(worked)[0] >= least else None

    def mean(self, worked: int, least: int) -> float | None:
        """Arithmetic mean; of conditions, the share that held."""
        number = self.live(worked)[0]
        return (self.sum.total + self.sum.rest) / number if number >= least else None

    def min(self, worked: int, least: int) -> float | None:
        """The smallest value."""
        return self.quantile(worked, least, 0.0)

    def max(self, worked: int, least: int) -> float | None:
        """The largest value."""
        return self.quantile(worked, least, 1.0)

    def median(self, worked: int, least: int) -> float | None:
        """The middle value, or the mean of the two middle ones."""
        number = self.live(worked)[0]
        if number < least:
            return None
        order = self.ordered()
        return (order[(number - 1) // 2] + order[number // 2]) / 2

    def quantile(self, worked: int, least: int, rank: float) -> float | None:
        """The smallest value that a share ``rank`` of the values doesn't exceed (nearest rank)."""
        number = self.live(worked)[0]
        return self.ordered()[rank_of(number, rank)] if number >= least else None

    def delta(self, worked: int, least: int) -> float | None:
        """The newest value less the oldest."""
        number, oldest, newest = self.live(worked)
        return self.values[newest] - self.values[oldest] if number >= least else None

    def rate(self, worked: int, least: int) -> float | None:
        """``delta`` per hour of working time between the two; unknown if none passed."""
        number, oldest, newest = self.live(worked)
        if number < least:
            return None
        passed = self.stamps[newest] - self.stamps[oldest]
        return (self.values[newest] - self.values[oldest]) * HOUR_NS / passed if passed else None

    @abstractmethod
    def ordered(self) -> Sequence[float]:
        """The values in ascending order."""


@dataclass(slots=True)
class Ring(_Figures):
    """The last ``size`` values. Once there are so many, ``at`` is the place of the oldest, which the next one takes.

    Values are numbers, seconds, or 0 and 1 for false and true. ``sum`` is kept if ``summed``, ``order`` if
    ``sorted``, ``stamps`` (readings of working time) if ``stamped``. ``above`` counts the values beyond limits, as
    ``Passed`` names them.
    """

    size: int
    summed: bool = False
    sorted: bool = False
    stamped: bool = False
    at: int = -1
    sum: Sum = field(default_factory=Sum)
    values: list[float] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    order: list[float] = field(default_factory=list)
    above: dict[str, list[int]] = field(default_factory=dict)

    def push(self, value: float, worked: int) -> None:
        """Take in the newest value; forget the one before the last ``size``."""
        at = self.at
        if at >= 0:
            old = self.values[at]
            self.values[at] = value
            if self.summed:
                self.sum.add(value)
                self.sum.add(-old)
            for limit, above in self.above.items():
                above[0] += is_beyond(value, limit) - is_beyond(old, limit)
            if self.stamped:
                self.stamps[at] = worked
            if self.sorted:
                del self.order[bisect_left(self.order, old)]
                insort(self.order, value)
            self.at = at + 1 if at + 1 < self.size else self.wrap()
        else:
            self.grow(value, worked)

    def grow(self, value: float, worked: int) -> None:
        """Take in a value while there are fewer than ``size``."""
        self.values.append(value)
        if self.summed:
            self.sum.add(value)
        if self.stamped:
            self.stamps.append(worked)
        if self.sorted:
            insort(self.order, value)
        for limit, above in self.above.items():
            above[0] += is_beyond(value, limit)
        if len(self.values) == self.size:
            self.at = 0

    def wrap(self) -> int:
        """Sum afresh when the last place was written; the next one."""
        if self.summed:
            self.sum.restart(self.values)
        return 0

    def passed(self, least: int, rank: float, above: int) -> bool | None:
        """Whether a quantile is beyond a limit that so many of the values are beyond."""
        number = len(self.values)
        return above >= number - rank_of(number, rank) if number >= least else None

    @override
    def live(self, worked: int) -> tuple[int, int, int]:
        """Number of values, and the places of the oldest and the newest."""
        number = len(self.values)
        return number, max(self.at, 0), self.at - 1 if self.at >= 0 else number - 1

    @override
    def ordered(self) -> Sequence[float]:
        """The values in ascending order."""
        return self.order if self.sorted else sorted(self.values)


@dataclass(slots=True)
class Span(_Figures):
    """The values of the last ``span_ns`` of working time: those from ``head`` on. ``stamps`` are readings of it.

    Of more than ``MOST_KEPT`` the oldest are forgotten.
    """

    span_ns: int
    sorted: bool = False
    head: int = 0
    sum: Sum = field(default_factory=Sum)
    values: list[float] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    order: list[float] = field(default_factory=list)

    def push(self, value: float, worked: int) -> None:
        """Take in the newest value."""
        self.values.append(value)
        self.stamps.append(worked)
        self.sum.add(value)
        if self.sorted:
            insort(self.order, value)
        self.live(worked)

    @override
    def live(self, worked: int) -> tuple[int, int, int]:
        """Forget what is older than the span; number of values left, and the places of the oldest and the newest."""
        stamps, head = self.stamps, self.head
        limit = worked - self.span_ns
        while head < len(stamps) and (stamps[head] <= limit or len(stamps) - head > MOST_KEPT):
            value = self.values[head]
            self.sum.add(-value)
            if self.sorted:
                del self.order[bisect_left(self.order, value)]
            head += 1
        if head >= _SLACK and 2 * head >= len(stamps):
            del self.values[:head], stamps[:head]
            head = 0
            self.sum.restart(self.values)
        self.head = head
        return len(stamps) - head, head, -1

    @override
    def ordered(self) -> Sequence[float]:
        """The values in ascending order."""
        return self.order if self.sorted else sorted(self.values[self.head :])

    def oldest(self, worked: int) -> int | None:
        """Reading of working time at which the oldest value leaves that is still there by ``worked``."""
        number, head, _ = self.live(worked)
        return self.stamps[head] + self.span_ns if number else None


@dataclass(slots=True)
class Smooth:
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


SUMMED = frozenset(("count", "share", "mean"))
"""Functions for which a window has to keep the sum of its values."""

SORTED = frozenset(("min", "max", "median", "quantile"))
"""Functions for which a window has to keep its values in order."""


def is_beyond(value: float, limit: str) -> bool:
    """Whether a value is beyond a limit, written ``> 5.0`` or ``>= 5.0``."""
    sign, _, number = limit.partition(" ")
    return value > float(number) if sign == ">" else value >= float(number)
