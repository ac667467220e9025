"""The hot path: data changes and data values straight to readings, with one precompiled ``struct`` for each.

What has no ``struct`` (strings, arrays, bad values without a value, picoseconds) is read item by item by a
:class:`Reader`. Pure.
"""

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import Any, NamedTuple

from linecontrol.driver import Quality, Reading, Value
from linecontrol_opcua.wire import MOST_TEXT, SCALARS, STRING, TIME, Reader

Plan = Mapping[int, tuple[str, int]]
"""Signal and number of the built-in type that is expected, by client handle."""

Places = Sequence[tuple[str, int]]
"""The same for the values of a read, by their place."""

FILETIME_EPOCH = 116_444_736_000_000_000
"""1970-01-01 in the time that OPC UA counts: 100 ns since 1601."""
LAST_NS = 2**63 - 1
CANARY = 1_000_000_000
"""Client handle of the server's own clock. Not the highest number: servers take that for none, and answer 0."""
TYPE_MISMATCH = 0x8074_0000
"""BadTypeMismatch."""

_BAD, _UNCERTAIN, _INFO, _DATA_VALUE, _OVERFLOW = 0x8000_0000, 0x4000_0000, 0x0C00, 0x0400, 0x0080
_VALUE, _STATUS, _SOURCE, _SERVER = 1, 2, 4, 8
_PLAIN = {0x0D, 0x3D}
_FULL = {0x0F, 0x3F}
_TAIL = {_STATUS: "I", _SOURCE: "q", 0x10: "2x", _SERVER: "q", 0x20: "2x"}
"""What follows a value, in this order: picoseconds are skipped."""
_LEAST = 5
"""A handle and a mask: a type comes after."""


def _layouts(prefix: str) -> dict[int, tuple[int, Struct]]:
    """Size and layout of what follows ``prefix``, by encoding mask (high byte) and type."""
    layouts = {}
    for kind, code in SCALARS.items():
        for more in range(32):
            mask = _VALUE | more << 1
            tail = "".join(field for bit, field in _TAIL.items() if mask & bit)
            layout = Struct(f"<{prefix}2x{code}{tail}")
            layouts[mask << 8 | kind] = (layout.size, layout)
    return layouts


_CHANGES = {key: (size, layout.unpack_from) for key, (size, layout) in _layouts("I").items()}
_VALUES = {key: (size, layout.unpack_from) for key, (size, layout) in _layouts("").items()}


def overflowed(status: int) -> bool:
    """Whether a status code says that the server had to drop values before this one."""
    return status & _INFO == _DATA_VALUE and status & _OVERFLOW != 0


def quality(status: int) -> Quality:
    """How far a status code lets a value be trusted; one that had to drop values before it is uncertain."""
    if not status:
        return Quality.GOOD
    if status & _BAD:
        return Quality.BAD
    return Quality.UNCERTAIN if status & _UNCERTAIN or overflowed(status) else Quality.GOOD


def time_ns(filetime: int) -> int:
    """UTC nanoseconds of a server's time; 0 if it is missing or means nothing."""
    nanoseconds = (filetime - FILETIME_EPOCH) * 100
    return nanoseconds if 0 < nanoseconds <= LAST_NS else 0


def value_of(kind: int, raw: bool | int | float | bytes | None, wanted: int) -> Value:
    """The value sent as type ``kind``; ``None`` if it is not of the type wanted, no finite number, or no sound text."""
    if kind != wanted:
        return None
    if kind == STRING:
        return _text(raw)
    if isinstance(raw, float) and raw - raw != 0.0:
        return None
    return None if isinstance(raw, bytes) else raw


def _text(raw: bool | int | float | bytes | None) -> str | None:
    if raw is None:
        # A null string is how OPC UA sends an empty one.
        return ""
    if not isinstance(raw, bytes) or len(raw) > MOST_TEXT:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def reading(
    signal: str,
    wanted: int,
    data: tuple[int, bool | int | float | bytes | None, int, int, int],
    now_ns: int,
    sequence: int,
) -> Reading:
    """The reading that a data value means; a value of another type is ``BAD`` with ``BadTypeMismatch``."""
    kind, raw, status, source, server = data
    trust = quality(status)
    value = None if trust is Quality.BAD else value_of(kind, raw, wanted)
    if value is None and trust is not Quality.BAD:
        trust, status = Quality.BAD, TYPE_MISMATCH
    return Reading(signal, value, trust, time_ns(source) or time_ns(server) or now_ns, now_ns, status, sequence)


class Changes(NamedTuple):
    """What a data change notification holds."""

    readings: list[Reading]
    in_order: bool
    """Whether the readings are in the order of their source times."""
    clock: int
    """What the server's own clock showed, as OPC UA counts; 0 if that was not sent."""


def changes(reader: Reader, count: int, plan: Plan, now_ns: int, sequence: int) -> Changes:
    """The readings in ``count`` data changes, in the order sent; those with a handle not in the plan are left out."""
    body, pos, end, found = reader.data, reader.pos, reader.end, plan.get
    good, layouts = Quality.GOOD, _CHANGES
    value: Any
    out: list[Reading] = []
    add = out.append
    clock = last = 0
    in_order = True
    for _ in range(count):
        mask, kind = (body[pos + 4], body[pos + 5]) if end - pos > _LEAST else (0, 0)
        layout = layouts.get(mask << 8 | kind)
        if layout is None or end - pos < layout[0]:
            reader.pos = pos
            handle = reader.u32()
            kind, value, status, source, server = reader.data_value()
            pos = reader.pos
        else:
            if mask in _PLAIN:
                handle, value, source, server = layout[1](body, pos)
                status = 0
            elif mask in _FULL:
                handle, value, status, source, server = layout[1](body, pos)
            else:
                handle, value, status, source, server = _spread(mask, layout[1](body, pos))
            pos += layout[0]
        place = found(handle)
        if place is None:
            if handle == CANARY and kind == TIME:
                clock = value
            continue
        sequence += 1
        stamp = (source - FILETIME_EPOCH) * 100
        # NaN and infinity are the numbers that differ from themselves.
        if status or kind != place[1] or not 0 < stamp <= LAST_NS or kind == STRING or value - value != 0:
            read = reading(place[0], place[1], (kind, value, status, source, server), now_ns, sequence)
            stamp = read.source_ns
            add(read)
        else:
            add(Reading(place[0], value, good, stamp, now_ns, 0, sequence))
        if stamp < last:
            in_order = False
        last = stamp
    reader.pos = pos
    return Changes(out, in_order, clock)


def values(reader: Reader, count: int, plan: Places, now_ns: int, sequence: int) -> list[Reading]:
    """The readings in ``count`` data values, by their place among them."""
    body, pos, end = reader.data, reader.pos, reader.end
    good, layouts = Quality.GOOD, _VALUES
    value: Any
    out: list[Reading] = []
    add = out.append
    for place in plan[:count]:
        sequence += 1
        mask, kind = (body[pos], body[pos + 1]) if end - pos > 1 else (0, 0)
        layout = layouts.get(mask << 8 | kind)
        if layout is None or end - pos < layout[0]:
            reader.pos = pos
            kind, value, status, source, server = reader.data_value()
            pos = reader.pos
        else:
            if mask in _PLAIN:
                value, source, server = layout[1](body, pos)
                status = 0
            elif mask in _FULL:
                value, status, source, server = layout[1](body, pos)
            else:
                value, status, source, server = _spread_value(mask, layout[1](body, pos))
            pos += layout[0]
        stamp = (source - FILETIME_EPOCH) * 100
        if status or kind != place[1] or not 0 < stamp <= LAST_NS or kind == STRING or value - value != 0:
            add(reading(place[0], place[1], (kind, value, status, source, server), now_ns, sequence))
        else:
            add(Reading(place[0], value, good, stamp, now_ns, 0, sequence))
    reader.pos = pos
    return out


def _spread_value(mask: int, fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """The fields with 0 for those that the mask says are missing."""
    rest = iter(fields)
    value = next(rest)
    return value, *(next(rest) if mask & bit else 0 for bit in (_STATUS, _SOURCE, _SERVER))


def _spread(mask: int, fields: tuple[Any, ...]) -> tuple[Any, ...]:
    return fields[0], *_spread_value(mask, fields[1:])
