"""From the text of a cell to a time or a duration."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from math import gcd, isfinite

from linecontrol.calendar import WorkCalendar
from linecontrol.duration import NS, duration_ns

NUMBER, ZONED, LOCAL = "numbers", "dates with a time zone", "dates without a time zone"
"""The three ways in which a table may write its times."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?")
_SHORTEST_DATE = len("2026-03-02T08")
_YEARS = (1970, 2199)
_COARSEST_NS = 60 * NS


def kind_of(cell: str, comma: bool) -> str | None:
    """How the time is written; ``None`` if it is none. ``comma``: a decimal comma may occur."""
    try:
        _number(cell, comma)
    except ValueError:
        pass
    else:
        return NUMBER
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return LOCAL if moment.tzinfo is None else ZONED


def usual_kind(cells: Iterable[str], comma: bool) -> str | None:
    """How most of the times are written; ``None`` if no cell holds one."""
    found = Counter(kind for cell in cells if (kind := kind_of(cell, comma)) is not None)
    return found.most_common(1)[0][0] if found else None


class Clock:
    """Reads times that are all written in one way, and turns them into working time.

    Dates become seconds since the first one that was read, numbers stay what they are. ``read`` and ``working`` are
    apart because two moments outside of working time are one in working time. ``halves`` are the half hours of the
    week, from Monday on, in which there was a date, ``first`` and ``last`` the nanoseconds of the extreme ones.
    """

    def __init__(self, kind: str, *, comma: bool, zone: tzinfo | None, calendar: WorkCalendar | None) -> None:
        """``zone`` is that of dates without one (UTC if not given), ``calendar`` tells what is working time."""
        self.kind = kind
        self.comma = comma
        self._zone = zone or UTC
        self._calendar = calendar
        self._base: int | None = None
        self._grain = 0
        self.halves: set[int] = set()
        self.first, self.last = 0, 0
        self.read: Callable[[str], float] = self._plain if kind == NUMBER else self._moment

    @property
    def dates(self) -> bool:
        """Whether times are dates; otherwise they are numbers in an unknown unit."""
        return self.kind != NUMBER

    @property
    def grain(self) -> float:
        """Seconds of which all dates so far are multiples, at the most a minute; 0 for numbers."""
        return min(self._grain, _COARSEST_NS) / NS

    def working(self, time: float) -> float:
        """Working time of what ``read`` returned."""
        if not self.dates:
            return time
        at = int(time)
        if self._base is None:
            self._base = self.first = self.last = at
        self.first, self.last = min(self.first, at), max(self.last, at)
        return (at - self._base if self._calendar is None else self._calendar.working_ns(self._base, at)) / NS

    def text(self, time: float) -> str:
        """What ``read`` returned, as people write it."""
        if not self.dates:
            return f"{time:.12g}"
        zone = self._zone if self.kind == LOCAL else UTC
        moment = datetime.fromtimestamp(int(time) // NS, tz=zone)
        return moment.isoformat() if self.kind == ZONED else moment.replace(tzinfo=None).isoformat()

    def duration(self, cell: str) -> float:
        """A duration in the unit of the numbers; with dates in seconds, or written ``2h35m`` or ``2:35``.

        Raises:
            ValueError: it is none, or negative.
        """
        try:
            value = _number(cell, self.comma)
        except ValueError:
            if not self.dates:
                msg = f"{cell!r} is not a number; durations are in the unit of the times"
                raise ValueError(msg) from None
            if match := _CLOCK.fullmatch(cell):
                return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3] or 0)
            return duration_ns(cell) / NS
        if value < 0:
            msg = f"{cell!r} is negative"
            raise ValueError(msg)
        return value

    def _plain(self, cell: str) -> float:
        try:
            return _number(cell, self.comma)
        except ValueError as error:
            msg = str(error)
            if kind_of(cell, self.comma) is not None:
                msg = f"{cell!r} is a date, but most times of this table are numbers"
            raise ValueError(msg) from None

    def _moment(self, cell: str) -> int:
        try:
            moment = datetime.fromisoformat(cell)
        except ValueError:
            if kind_of(cell, self.comma) == NUMBER:
                msg = f"{cell!r} is a number, but most times of this table are {self.kind}"
            else:
                msg = f"{cell!r} is not a date and time; write it as 2026-03-02 08:15:00"
            raise ValueError(msg) from None
        if len(cell) < _SHORTEST_DATE:
            msg = f"{cell!r} has no time of day; write it as 2026-03-02 08:15:00"
            raise ValueError(msg)
        if (moment.tzinfo is None) != (self.kind == LOCAL):
            which = "no time zone" if moment.tzinfo is None else "a time zone"
            msg = f"{cell!r} has {which}, but most times of this table are {self.kind}"
            raise ValueError(msg)
        if self._calendar is not None and not _YEARS[0] <= moment.year <= _YEARS[1]:
            msg = f"{cell!r}: no calendar reaches that far; years from {_YEARS[0]} to {_YEARS[1]} are believed"
            raise ValueError(msg)
        since = (moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)) - _EPOCH
        at = (since.days * 86_400 + since.seconds) * NS + since.microseconds * 1000
        self._grain = gcd(self._grain, at)
        self.halves.add(moment.weekday() * 48 + moment.hour * 2 + moment.minute // 30)
        return at


def _number(cell: str, comma: bool) -> float:
    """A finite number, with a point or, where that can't separate cells, a comma.

    Raises:
        ValueError: it is none.
    """
    text = cell.replace(",", ".") if comma else cell
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or "_" in cell:
        msg = f"{cell!r} is not a number; write it as 1234.5, without separators of thousands"
        raise ValueError(msg)
    return value
