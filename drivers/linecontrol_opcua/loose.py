"""Attributes of nodes of whatever type, for what is looked up once: limits, names, units. Bounded as all reading is."""

from struct import Struct
from typing import NamedTuple

from linecontrol_opcua import decode
from linecontrol_opcua.wire import SCALARS, STRING, Reader

NODE_ID = 17
_LOCALIZED, _QUALIFIED, _EXTENSION = 21, 20, 22


class Loose(NamedTuple):
    """What an attribute holds. ``value`` is a number, text, a list of either, or ``None`` if it is something else.

    ``kind`` is the number of the built-in type, ``raw`` the bytes of a node id, or of an extension object of type
    ``number``. ``parts`` are the same of each extension object in an array.
    """

    kind: int = 0
    value: object = None
    status: int = 0
    number: int = 0
    raw: bytes = b""
    parts: tuple[tuple[int, bytes], ...] = ()


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
        if kind == _EXTENSION:
            return Loose(kind, parts=tuple(_extension(reader) for _ in range(reader.count(3))))
        return Loose(kind)
    if kind == _EXTENSION:
        return Loose(kind, None, 0, *_extension(reader))
    if kind == NODE_ID:
        start = reader.pos
        number = reader.type_id()
        return Loose(kind, number, raw=reader.data[start : reader.pos])
    return Loose(kind, _single(reader, kind))


def _extension(reader: Reader) -> tuple[int, bytes]:
    number, body = reader.extension()
    return number, body.data[body.pos : body.end]


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
    return None


def localized(reader: Reader) -> str:
    """A text for people, without its language."""
    mask = reader.byte()
    if mask & 1:
        reader.octets()
    return _text(reader) if mask & 2 else ""


def _text(reader: Reader) -> str:
    return (reader.octets() or b"").decode(errors="replace")
