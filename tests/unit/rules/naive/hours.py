"""Working time by adding up spans: integer nanoseconds, one fixed offset from UTC, no tables and no search."""

from msgspec import Struct

S = 10**9
MINUTE = 60 * S
DAY = 86_400 * S
OFFSET = 4 * 3_600 * S
"""Local time less UTC (Asia/Baku has no summer time)."""


class Shift(Struct, frozen=True):
    """A shift of a line: weekdays (0 is Monday), minutes since the midnight before it begins."""

    days: tuple[int, ...]
    start: int
    end: int
    breaks: tuple[tuple[int, int], ...] = ()


def day_of(at: int) -> int:
    """Local days since 1970-01-01."""
    return (at + OFFSET) // DAY


class Hours:
    """The working time of one line around a moment."""

    def __init__(self, shifts: list[Shift], around: int, days: int) -> None:
        self.spans: list[tuple[int, int]] = []
        self._shifts: list[tuple[int, int, int]] = []
        for day in range(day_of(around) - 3, day_of(around) + days + 1):
            midnight = day * DAY - OFFSET
            for shift in shifts:
                if (day + 3) % 7 in shift.days:
                    at, until = midnight + shift.start * MINUTE, midnight + shift.end * MINUTE
                    self._shifts.append((at, until, day))
                    for pause, resumed in shift.breaks:
                        self.spans.append((at, midnight + pause * MINUTE))
                        at = midnight + resumed * MINUTE
                    self.spans.append((at, until))
        self.spans.sort()
        self._cache: dict[int, int] = {}

    def worked(self, at: int) -> int:
        """Working time until ``at`` since some moment in the past."""
        if at not in self._cache:
            self._cache[at] = sum(min(at, end) - start for start, end in self.spans if start < at)
        return self._cache[at]

    def working(self, at: int) -> bool:
        """Whether it is working time; the start of a span is, its end is not."""
        return any(start <= at < end for start, end in self.spans)

    def working_day(self, at: int) -> int | None:
        """The day on which the shift that it is now began; ``None`` outside of shifts."""
        return next((day for start, end, day in self._shifts if start <= at < end), None)
