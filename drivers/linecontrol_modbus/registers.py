"""What the places of a tag hold, as values and back. Pure.

Bytes ABCD of a value arrive in one of four orders. Two of them are plain big- and little-endian; the other two become
so when the bytes of each register are exchanged. That is all that a codec says of its order.
"""

from array import array
from collections.abc import Callable, Sequence
from math import isfinite
from struct import Struct, error
from typing import Any

from typing_extensions import override

from linecontrol.driver import Value
from linecontrol_modbus.bcd import from_bcd, to_bcd
from linecontrol_modbus.tag import ModbusTag, Order, WordType

_FORMS = {
    WordType.UINT16: "H",
    WordType.INT16: "h",
    WordType.UINT32: "I",
    WordType.INT32: "i",
    WordType.UINT64: "Q",
    WordType.INT64: "q",
    WordType.FLOAT32: "f",
    WordType.FLOAT64: "d",
    WordType.BCD16: "H",
    WordType.BCD32: "I",
}

Finish = Callable[[Any], Value]
"""Makes a value of what ``struct`` has unpacked; ``None`` if it is none (not a number, no text, a sentinel)."""


class Codec:
    """Turns the registers or bits of one tag into its value and back."""

    form: str = "H"
    """Format of ``struct`` without its byte order."""
    swapped: bool = False
    """Whether the bytes of each register are to be exchanged first."""
    little: bool = False
    """Whether the lowest byte then comes first."""
    real: bool = False
    """Whether ``struct`` gives a float that may be none (not a number)."""
    finish: Finish | None = None
    """``None`` if what ``struct`` gives is the value (as long as it is finite)."""

    def _ordered(self, order: Order) -> None:
        self.swapped = order in (Order.BADC, Order.CDAB)
        self.little = order in (Order.DCBA, Order.CDAB)
        self._struct = Struct(("<" if self.little else ">") + self.form)

    def decode(self, places: Sequence[int]) -> Value:
        """Value that the places hold; ``None`` if they hold none (not a number, no text)."""
        data: bytes | array[int] = Struct(f">{len(places)}H").pack(*places)
        raw = self._struct.unpack(exchanged(bytes(data)) if self.swapped else data)[0]
        if self.finish is not None:
            return self.finish(raw)
        value: Value = raw
        return None if self.real and not isfinite(raw) else value

    def encode(self, value: Value) -> list[int]:
        """Places that hold ``value``.

        Raises:
            ValueError: no places can.
        """
        raise NotImplementedError

    def _words(self, raw: object) -> list[int]:
        data = self._struct.pack(raw)
        return list(Struct(f">{len(data) // 2}H").unpack(exchanged(data) if self.swapped else data))


def exchanged(data: bytes) -> "array[int]":
    """Bytes with those of each register exchanged."""
    words = array("H", data)
    words.byteswap()
    return words


def codec(tag: ModbusTag) -> Codec:
    """The codec of a tag."""
    if tag.table.of_bits:
        return _Flag()
    if tag.bit is not None:
        return _BitOfRegister(tag.bit, tag.order)
    if tag.bits is not None:
        return _BitsOfRegister(*tag.bits, tag.order)
    return _Text(tag.count, tag.order) if tag.type is WordType.STRING else _Number(tag)


class _Flag(Codec):
    """A coil or a discrete input."""

    @override
    def decode(self, places: Sequence[int]) -> Value:
        return bool(places[0])

    @override
    def encode(self, value: Value) -> list[int]:
        if value not in (False, True):
            msg = f"{value!r} is neither true nor false"
            raise ValueError(msg)
        return [int(bool(value))]


class _BitOfRegister(Codec):
    """One bit; in a register of its own when encoded."""

    def __init__(self, bit: int, order: Order) -> None:
        self._ordered(order)
        mask = 1 << bit
        self._mask = mask
        self.finish = lambda raw: bool(raw & mask)

    @override
    def encode(self, value: Value) -> list[int]:
        return self._words(self._mask if _Flag().encode(value)[0] else 0)


class _BitsOfRegister(Codec):
    """Some bits, as an unsigned number; in a register of their own when encoded."""

    def __init__(self, first: int, last: int, order: Order) -> None:
        self._ordered(order)
        most = (2 << last - first) - 1
        self._first, self._most = first, most
        self.finish = lambda raw: raw >> first & most

    @override
    def encode(self, value: Value) -> list[int]:
        if not isinstance(value, int) or not 0 <= value <= self._most:
            msg = f"{value!r} is no whole number from 0 to {self._most}"
            raise ValueError(msg)
        return self._words(value << self._first)


class _Text(Codec):
    """Text in UTF-8, ended by NUL or the last register, spaces around it being none of it."""

    def __init__(self, count: int, order: Order) -> None:
        self.form = f"{2 * count}s"
        self._size = 2 * count
        self._ordered(order)
        self.finish = _text

    @override
    def encode(self, value: Value) -> list[int]:
        if not isinstance(value, str) or "\0" in value:
            msg = f"{value!r} is no text"
            raise ValueError(msg)
        if len(data := value.encode()) > self._size:
            msg = f"{value!r} is longer than {self._size} bytes"
            raise ValueError(msg)
        return self._words(data)


class _Number(Codec):
    """A number, perhaps scaled."""

    def __init__(self, tag: ModbusTag) -> None:
        self.form = _FORMS[tag.type]
        self.real = tag.type.real
        self._ordered(tag.order)
        self._type = tag.type
        self._bcd = tag.type in (WordType.BCD16, WordType.BCD32)
        self._scaled = tag.scaled
        exact = tag.value_type() is int
        self._scale = int(tag.scale) if exact else tag.scale
        self._offset = int(tag.offset) if exact else tag.offset
        self._sentinels = frozenset(_as_read(sentinel, tag.type) for sentinel in tag.sentinels)
        if self._bcd or self._scaled or self._sentinels:
            self.finish = self._value

    def _value(self, raw: float) -> Value:
        if raw in self._sentinels:
            return None
        number: float | None = from_bcd(raw) if self._bcd and isinstance(raw, int) else raw
        if number is None:
            return None
        if self._scaled:
            number = number * self._scale + self._offset
        return number if isfinite(number) else None

    @override
    def encode(self, value: Value) -> list[int]:
        if value is None or isinstance(value, str) or not isfinite(value):
            msg = f"{value!r} is no number"
            raise ValueError(msg)
        if self._scaled:
            value = self._unscaled(value)
        if not self.real and value != int(value):
            msg = f"{value!r} is not whole, as {self._type.value} is"
            raise ValueError(msg)
        try:
            raw = value if self.real else int(value)
            return self._words(to_bcd(int(raw), self._type.bits // 4) if self._bcd else raw)
        except (error, OverflowError):
            msg = f"{value!r} is too large or too small for {self._type.value}"
            raise ValueError(msg) from None

    def _unscaled(self, value: float) -> int | float:
        """What the registers hold for ``value``: the nearest step if they hold whole numbers."""
        if self.real:
            return (value - self._offset) / self._scale
        if isinstance(value, int) and isinstance(self._scale, int) and isinstance(self._offset, int):
            return (2 * (value - self._offset) + self._scale) // (2 * self._scale)
        return round((value - self._offset) / self._scale)


def _text(raw: bytes) -> Value:
    try:
        text = raw.split(b"\0", 1)[0].decode().strip(" ")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _as_read(sentinel: float, kind: WordType) -> float:
    """A sentinel as ``struct`` gives it: 0x8000 is -32768 in a signed register, a float has the register's width."""
    if kind.real:
        form = Struct(_FORMS[kind])
        try:
            number: float = form.unpack(form.pack(sentinel))[0]
        except OverflowError:
            return sentinel
        return number
    signed = kind in (WordType.INT16, WordType.INT32, WordType.INT64)
    return sentinel - (1 << kind.bits) if signed and sentinel >= 1 << kind.bits - 1 else sentinel
