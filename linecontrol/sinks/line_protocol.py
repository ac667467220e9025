"""Points to line protocol. Pure: the same record gives the same bytes, whenever and with whatever it is sent.

The time of a point is the event's, to the millisecond. The digits below tell apart what would otherwise overwrite
each other: ``record number modulo 10,000`` hundreds of nanoseconds, plus the how-manieth point of its series in
that record and millisecond. Points that are meant to correct earlier ones (``exact``) keep their time as it is.
"""

from math import isfinite
from typing import NamedTuple

from linecontrol.model.event import Sampled
from linecontrol.model.health import Health
from linecontrol.model.record import Record
from linecontrol.sinks.points import FieldValue, Point, health_points, points
from linecontrol.sinks.schema import SAMPLE, Database

LONGEST_TAG = 128
"""Characters after which a tag's value is cut."""
LONGEST_TEXT = 4_096
"""Characters after which a string field is cut."""
_MS = 1_000_000
_LARGEST_CACHE = 65_536


class Line(NamedTuple):
    """A point, encoded."""

    database: Database
    text: bytes


def escape_tag(value: str | None) -> str:
    """A tag's value as it is written; ``none`` if there is none."""
    cut = " ".join((value or "")[:LONGEST_TAG].splitlines()).rstrip("\\")
    escaped = cut.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
    return escaped or "none"


def _text(value: str) -> str:
    return '"' + value[:LONGEST_TEXT].replace("\\", "\\\\").replace('"', '\\"') + '"'


def _field(name: str, kind: type[int] | type[float] | type[str], value: FieldValue) -> str | None:
    if value is None:
        return None
    if kind is str:
        return f"{name}={_text(str(value))}"
    if kind is int:
        return f"{name}={int(value)}i"
    number = float(value)
    return f"{name}={number!r}" if isfinite(number) else None


class Encoder:
    """Encodes for one site and area; remembers the escaped beginnings of the lines of known series."""

    def __init__(self, site: str, area: str) -> None:
        """``site`` and ``area`` are tags of every point."""
        self._place = f",site={escape_tag(site)},area={escape_tag(area)}"
        self._prefixes: dict[tuple[str, tuple[str | None, ...]], str] = {}

    def record(self, record: Record) -> list[Line]:
        """The lines of a record, in the order of its events."""
        lines: list[Line] = []
        met: dict[tuple[str, int], int] = {}
        for event in record.events:
            if isinstance(event, Sampled):
                if isfinite(event.value):
                    prefix = self._prefix(SAMPLE, ("line", "station"), (event.line, event.station))
                    field = f"{escape_tag(event.name)}={float(event.value)!r}"
                    at_ns = _apart(event.at_ns, prefix + " " + event.name, record.seq, met)
                    lines.append(Line(Database.RAW, f"{prefix} {field} {at_ns}".encode(errors="replace")))
                continue
            for point in points(event):
                self._add(lines, point, record.seq, met)
        return lines

    def health(self, health: Health) -> list[Line]:
        """The lines of the gateway's health."""
        lines: list[Line] = []
        for point in health_points(health):
            self._add(lines, point, 0, {})
        return lines

    def _add(self, lines: list[Line], point: Point, seq: int, met: dict[tuple[str, int], int]) -> None:
        measurement = point.measurement
        named = zip(measurement.fields.items(), point.values, strict=True)
        fields = [field for (name, kind), value in named if (field := _field(name, kind, value)) is not None]
        if not fields:
            return
        prefix = self._prefix(measurement.name, measurement.tags, point.tags)
        at_ns = point.at_ns if measurement.exact else _apart(point.at_ns, prefix, seq, met)
        text = f"{prefix} {','.join(fields)} {at_ns}"
        lines.append(Line(measurement.database, text.encode(errors="replace")))

    def _prefix(self, name: str, tags: tuple[str, ...], values: tuple[str | None, ...]) -> str:
        prefix = self._prefixes.get((name, values))
        if prefix is None:
            if len(self._prefixes) >= _LARGEST_CACHE:
                self._prefixes.clear()
            named = zip(tags, values, strict=True)
            prefix = name + self._place + "".join(f",{tag}={escape_tag(value)}" for tag, value in named)
            self._prefixes[name, values] = prefix
        return prefix


def _apart(at_ns: int, series: str, seq: int, met: dict[tuple[str, int], int]) -> int:
    ms = at_ns // _MS
    nth = met.get((series, ms), 0)
    met[series, ms] = nth + 1
    return ms * _MS + seq % 10_000 * 100 + nth
