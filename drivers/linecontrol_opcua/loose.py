"""Attributes of nodes of whatever type, for what is looked up once: limits, names, units. Bounded as all reading is."""

from struct import Struct
from typing import NamedTuple

from linecontrol_opcua import decode
from linecontrol_opcua.wire import SCALARS, STRING, Reader

_LOCALIZED, _QUALIFIED, _NODE_ID, _EXTENSION = 21, 20, 17, 22


class Loose(NamedTuple):
    """What an attribute holds. ``value`` is a number, text, a list of either, or ``None`` if it is something else.

    ``kind`` is the number of the built-in type, ``raw`` the bytes of an extension object (whose type is ``number``).
    """

    kind: int = 0
    value: object = None
    status: int = 0
    number: int = 0
    raw: bytes = b""


def read(body: bytes, expected: int) -> list[Loose]:
    """The results in a read response.

    Raises:
        Refusal: the server refused the read.
        Misfit: it is no read response, or beyond a limit.
    """
    reader = decode.begin(body, decode.READ)
    count = reader.count(1)
    if count != expected:
        msg = f"{count} results for {expected} nodes"
        raise ValueError(msg)
    return [_data_value(reader) for _ in range(count)]


def _data_value(reader: Reader) -> Loose:
    start = reader.pos
    _, _, status, _, _ = reader.data_value()
    if not reader.data[start] & 1:
        return Loose(status=status)
    return _variant(Reader(reader.data, start + 1, reader.pos))._replace(status=status)


def _variant(reader: Reader) -> Loose:
    encoding = reader.byte()
    kind = encoding & 0x3F
    if encoding & 0x80:
        if kind in SCALARS:
            count = reader.count(1)
            layout = Struct(f"<{count}{SCALARS[kind]}")
            return Loose(kind, list(layout.unpack_from(reader.data, reader.skip(layout.size))))
        if kind == STRING:
            return Loose(kind, [_text(reader) for _ in range(reader.count(4))])
        return Loose(kind)
    if kind == _EXTENSION:
        number, body = reader.extension()
        return Loose(kind, None, 0, number, reader.data[body.pos : body.end])
    return Loose(kind, _single(reader, kind))


def _single(reader: Reader, kind: int) -> object:
    if kind in SCALARS:
        layout = Struct("<" + SCALARS[kind])
        return layout.unpack_from(reader.data, reader.skip(layout.size))[0]
    if kind == STRING:
        return _text(reader)
    if kind == _LOCALIZED:
        return localized(reader)
    if kind == _QUALIFIED:
        reader.skip(2)
        return _text(reader)
    if kind == _NODE_ID:
        return reader.type_id()
    return None


def localized(reader: Reader) -> str:
    """A text for people, without its language."""
    mask = reader.byte()
    if mask & 1:
        reader.octets()
    return _text(reader) if mask & 2 else ""


def _text(reader: Reader) -> str:
    return (reader.octets() or b"").decode(errors="replace")
