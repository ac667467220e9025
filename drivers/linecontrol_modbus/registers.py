"""What the places of a tag hold, as values and back. Pure."""

from collections.abc import Sequence
from math import isfinite
from struct import Struct, error
from typing import Protocol

from typing_extensions import override

from linecontrol.driver import Value
from linecontrol_modbus.settings import ModbusTag, Order, WordType

_FORMATS = {
    WordType.UINT16: "H",
    WordType.INT16: "h",
    WordType.UINT32: "I",
    WordType.INT32: "i",
    WordType.UINT64: "Q",
    WordType.INT64: "q",
    WordType.FLOAT32: "f",
    WordType.FLOAT64: "d",
}


class Codec(Protocol):
    """Turns the registers or bits of one tag into its value and back."""

    def decode(self, places: Sequence[int]) -> Value:
        """Value that the places hold; ``None`` if they hold none (not a number, no text)."""

    def encode(self, value: Value) -> list[int]:
        """Places that hold ``value``.

        Raises:
            ValueError: no places can.
        """


def codec(tag: ModbusTag) -> Codec:
    """The codec of a tag."""
    if tag.table.of_bits:
        return _Flag()
    if tag.bit is not None:
        return _BitOfRegister(tag.bit, tag.order)
    return _Text(tag.count, tag.order) if tag.type is WordType.STRING else _Number(tag)


def _words(count: int, order: Order) -> Struct:
    """Between ``count`` registers and their bytes, the bytes of each exchanged if ``order`` says so."""
    return Struct(f"{'<' if order in (Order.BADC, Order.DCBA) else '>'}{count}H")


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
        swapped = order in (Order.BADC, Order.DCBA)
        self._mask = 1 << ((bit + 8) % 16 if swapped else bit)

    @override
    def decode(self, places: Sequence[int]) -> Value:
        return bool(places[0] & self._mask)

    @override
    def encode(self, value: Value) -> list[int]:
        return [self._mask if _Flag().encode(value)[0] else 0]


class _Text(Codec):
    """Text in UTF-8, ended by NUL or the last register, spaces around it being none of it."""

    def __init__(self, count: int, order: Order) -> None:
        self._words = _words(count, order)
        self._plain = _words(count, Order.ABCD)

    @override
    def decode(self, places: Sequence[int]) -> Value:
        try:
            text = self._words.pack(*places).split(b"\0", 1)[0].decode().strip(" ")
        except UnicodeDecodeError:
            return None
        return text if text.isprintable() else None

    @override
    def encode(self, value: Value) -> list[int]:
        if not isinstance(value, str) or "\0" in value:
            msg = f"{value!r} is no text"
            raise ValueError(msg)
        if len(data := value.encode()) > self._words.size:
            msg = f"{value!r} is longer than {self._words.size} bytes"
            raise ValueError(msg)
        return list(self._words.unpack(data.ljust(self._words.size, b"\0")))


class _Number(Codec):
    """A number, perhaps scaled."""

    def __init__(self, tag: ModbusTag) -> None:
        self._words = _words(tag.count, tag.order)
        self._number = Struct(">" + _FORMATS[tag.type])
        self._last_first = tag.order in (Order.CDAB, Order.DCBA)
        self._type = tag.type
        self._whole = tag.type not in (WordType.FLOAT32, WordType.FLOAT64)
        self._scaled = tag.scaled
        exact = tag.value_type() is int
        self._scale = int(tag.scale) if exact else tag.scale
        self._offset = int(tag.offset) if exact else tag.offset

    @override
    def decode(self, places: Sequence[int]) -> Value:
        data = self._words.pack(*(places[::-1] if self._last_first else places))
        number: int | float = self._number.unpack(data)[0]
        if not self._scaled:
            return number if self._whole or isfinite(number) else None
        value = number * self._scale + self._offset
        return value if isfinite(value) else None

    @override
    def encode(self, value: Value) -> list[int]:
        if value is None or isinstance(value, str) or not isfinite(value):
            msg = f"{value!r} is no number"
            raise ValueError(msg)
        if self._scaled:
            value = self._unscaled(value)
        if self._whole and value != int(value):
            msg = f"{value!r} is not whole, as {self._type.value} is"
            raise ValueError(msg)
        try:
            data = self._number.pack(int(value) if self._whole else value)
        except (error, OverflowError):
            msg = f"{value!r} is too large or too small for {self._type.value}"
            raise ValueError(msg) from None
        words = list(self._words.unpack(data))
        return words[::-1] if self._last_first else words

    def _unscaled(self, value: float) -> int | float:
        """What the registers hold for ``value``: the nearest step if they hold whole numbers."""
        if not self._whole:
            return (value - self._offset) / self._scale
        if isinstance(value, int) and isinstance(self._scale, int) and isinstance(self._offset, int):
            return (2 * (value - self._offset) + self._scale) // (2 * self._scale)
        return round((value - self._offset) / self._scale)
