"""The hot path: data changes and data values straight to readings, with one precompiled ``struct`` for each.

What has no ``struct`` (strings, arrays, bad values without a value, picoseconds) is read item by item by a
:class:`Reader`. Pure.
"""

from collections.abc import Mapping
from struct import Struct

from linecontrol.driver import Quality, Reading, Value
from linecontrol_opcua.wire import DOUBLE, FLOAT, MOST_TEXT, SCALARS, STRING, Reader

Plan = Mapping[int, tuple[str, int]]
"""Signal and number of the built-in type that is expected, by client handle (or place in a read)."""

FILETIME_EPOCH = 116_444_736_000_000_000
"""1970-01-01 in the time that OPC UA counts: 100 ns since 1601."""
LAST_NS = 2**63 - 1
TYPE_MISMATCH = 0x8074_0000
"""BadTypeMismatch."""

_BAD, _UNCERTAIN, _INFO, _DATA_VALUE, _OVERFLOW = 0x8000_0000, 0x4000_0000, 0x0C00, 0x0400, 0x0080
_VALUE, _STATUS, _SOURCE, _SERVER = 1, 2, 4, 8
_LEAST = 5
"""A handle and a mask: a type comes after."""


def _layouts(prefix: str) -> dict[int, tuple[int, Struct]]:
    """Size and layout of what follows ``prefix``, by encoding mask (high byte) and type."""
    layouts = {}
    for kind, code in SCALARS.items():
        for more in range(8):
            mask = _VALUE | more << 1
            tail = ("I" if mask & _STATUS else "") + ("q" if mask & _SOURCE else "") + ("q" if mask & _SERVER else "")
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


def changes(reader: Reader, count: int, plan: Plan, now_ns: int, sequence: int) -> list[Reading]:
    """The readings in ``count`` data changes, in the order sent; those with a handle not in the plan are left out."""
    body, pos, end, found = reader.data, reader.pos, reader.end, plan.get
    good, layouts = Quality.GOOD, _CHANGES
    out: list[Reading] = []
    for _ in range(count):
        mask, kind = (body[pos + 4], body[pos + 5]) if end - pos > _LEAST else (0, 0)
        layout = layouts.get(mask << 8 | kind)
        if layout is None or end - pos < layout[0]:
            reader.pos = pos
            handle, data = reader.u32(), reader.data_value()
            pos = reader.pos
            place = found(handle)
        else:
            size, unpack = layout
            if mask == 0x0D:
                handle, value, source, server = unpack(body, pos)
                status = 0
            else:
                handle, value, status, source, server = _spread(mask, unpack(body, pos))
            pos += size
            place = found(handle)
            if place is not None and not status and kind == place[1]:
                stamp = (source - FILETIME_EPOCH) * 100
                if 0 < stamp <= LAST_NS and (kind not in _REAL or value - value == 0.0):
                    sequence += 1
                    out.append(Reading(place[0], value, good, stamp, now_ns, 0, sequence))
                    continue
            data = kind, value, status, source, server
        if place is not None:
            sequence += 1
            out.append(reading(place[0], place[1], data, now_ns, sequence))
    reader.pos = pos
    return out


def values(reader: Reader, count: int, plan: Plan, now_ns: int, sequence: int) -> list[Reading]:
    """The readings in ``count`` data values, by their place among them."""
    body, pos, end = reader.data, reader.pos, reader.end
    good, layouts = Quality.GOOD, _VALUES
    out: list[Reading] = []
    for place in range(count):
        signal, wanted = plan[place]
        sequence += 1
        layout = layouts.get(body[pos] << 8 | body[pos + 1]) if end - pos > 1 else None
        if layout is None or end - pos < layout[0]:
            reader.pos = pos
            data = reader.data_value()
            pos = reader.pos
        else:
            mask, kind = body[pos], body[pos + 1]
            value, status, source, server = _spread_value(mask, layout[1](body, pos))
            pos += layout[0]
            stamp = (source - FILETIME_EPOCH) * 100
            if not status and kind == wanted and 0 < stamp <= LAST_NS and (kind not in _REAL or value - value == 0.0):
                out.append(Reading(signal, value, good, stamp, now_ns, 0, sequence))
                continue
            data = kind, value, status, source, server
        out.append(reading(signal, wanted, data, now_ns, sequence))
    reader.pos = pos
    return out


_REAL = (FLOAT, DOUBLE)


def _spread_value(mask: int, fields: tuple) -> tuple:  # type: ignore[type-arg]
    """The fields with 0 for those that the mask says are missing."""
    if mask == 0x0D:
        value, source, server = fields
        return value, 0, source, server
    if mask == 0x0F:
        return fields
    rest = iter(fields)
    value = next(rest)
    return value, *(next(rest) if mask & bit else 0 for bit in (_STATUS, _SOURCE, _SERVER))


def _spread(mask: int, fields: tuple) -> tuple:  # type: ignore[type-arg]
    return fields[0], *_spread_value(mask, fields[1:])
