"""Working time by adding up spans: integer nanoseconds, offsets from UTC written out, no tables and no search."""

from msgspec import Struct

S = 10**9
MINUTE = 60 * S
DAY = 86_400 * S
HOUR = 3_600 * S


class Zone(Struct, frozen=True):
    """A time zone: local time less UTC, and the moments since when it is another one."""

    name: str
    offset: int
    changes: tuple[tuple[int, int], ...] = ()

    def at(self, moment: int) -> int:
        """Local time less UTC at that moment."""
        return [self.offset, *(offset for since, offset in self.changes if since <= moment)][-1]

    def day_of(self, moment: int) -> int:
        """Local days since 1970-01-01."""
        return (moment + self.at(moment)) // DAY

    def moment(self, local: int) -> int:
        """When clocks show a local time, for the first time; if they skip it, when they do."""
        shown = [local - offset for offset in (self.offset, *(offset for _, offset in self.changes))]
        found = [moment for moment in shown if moment + self.at(moment) == local]
        return min(found or [since for since, _ in self.changes if since - 1 + self.at(since - 1) < local])


BAKU = Zone("Asia/Baku", 4 * HOUR)
SPRING, AUTUMN = 1_774_746_000 * S, 1_792_890_000 * S
"""2026-03-29 and 2026-10-25, 01:00 UTC."""
WARSAW = Zone("Europe/Warsaw", HOUR, ((SPRING, 2 * HOUR), (AUTUMN, HOUR)))
"""In 2026."""


class Shift(Struct, frozen=True):
    """A shift of a line: weekdays (0 is Monday), minutes since the midnight before it begins."""

    days: tuple[int, ...]
    start: int
    end: int
    breaks: tuple[tuple[int, int], ...] = ()


class Hours:
    """The working time of one line around a moment."""

    def __init__(self, shifts: list[Shift], around: int, days: int, zone: Zone) -> None:
        self.spans: list[tuple[int, int]] = []
        self._shifts: list[tuple[int, int, int]] = []
        for day in range(zone.day_of(around) - 3, zone.day_of(around) + days + 1):
            for shift in shifts:
                if (day + 3) % 7 in shift.days:
                    ends = [shift.start, *(end for pause in shift.breaks for end in pause), shift.end]
                    at = [zone.moment(day * DAY + minute * MINUTE) for minute in ends]
                    self._shifts.append((at[0], at[-1], day))
                    self.spans += [span for span in zip(at[::2], at[1::2], strict=True) if span[0] < span[1]]
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
