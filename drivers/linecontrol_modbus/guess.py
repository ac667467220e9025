"""What registers could mean: types and orders in which they hold something that an engineer may recognise. Pure."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import isfinite
from typing import NamedTuple

from linecontrol_modbus.registers import Codec, codec
from linecontrol_modbus.tag import ModbusTag, Order, WordType

SMALLEST, LARGEST = 1e-3, 1e7
"""Magnitudes of what sensors show."""

LARGEST_COUNT = 100_000_000
SHORTEST_TEXT = 3
MOST_PER_PLACE = 6
_PRINTABLE = range(0x20, 0x7F)


class Guess(NamedTuple):
    """A way to read a place. The lower the ``rank``, the likelier."""

    rank: float
    type: WordType
    order: Order
    length: int | None
    value: str


def guesses(words: Sequence[int]) -> list[Guess]:
    """Ways to read the first of ``words`` (and those after it), the likeliest first; none if it is 0 alone."""
    found = [*_texts(words), *_floats(words), *_integers(words)] if any(words[:2]) else []
    found.sort(key=lambda guess: guess.rank)
    return found[:MOST_PER_PLACE]


def text_length(words: Sequence[int], *, swapped: bool) -> int:
    """Registers from the first on that hold text, the one with its end included."""
    for number, word in enumerate(words):
        first, second = (word & 0xFF, word >> 8) if swapped else (word >> 8, word & 0xFF)
        if first == 0:
            return number
        if first not in _PRINTABLE or (second and second not in _PRINTABLE):
            return 0
        if second == 0:
            return number + 1
    return len(words)


def _texts(words: Sequence[int]) -> Iterator[Guess]:
    for order in (Order.ABCD, Order.BADC):
        length = text_length(words, swapped=order is Order.BADC)
        text = str(_codec(WordType.STRING, order, length).decode(words[:length])) if length else ""
        if len(text) >= SHORTEST_TEXT and any(map(str.isalpha, text)):
            yield Guess(-len(text) + (order is Order.BADC) / 2, WordType.STRING, order, length, repr(text))


def _floats(words: Sequence[int]) -> Iterator[Guess]:
    for kind, order in product((WordType.FLOAT32, WordType.FLOAT64), Order):
        size = kind.bits // 16
        if len(words) < size or (not words[0] and order in (Order.ABCD, Order.BADC)):
            continue
        value = _codec(kind, order, None).decode(words[:size])
        if isinstance(value, float) and isfinite(value) and SMALLEST <= abs(value) <= LARGEST:
            shown = f"{value:.7g}"
            digits = len(shown.strip("-").replace(".", "").strip("0"))
            yield Guess(digits - 4 + list(Order).index(order) / 10 + (size > 2) / 5, kind, order, None, shown)


def _integers(words: Sequence[int]) -> Iterator[Guess]:
    yield Guess(0, WordType.UINT16, Order.ABCD, None, str(words[0]))
    if words[0] >= 0x8000:
        yield Guess(1, WordType.INT16, Order.ABCD, None, str(words[0] - 0x10000))
    if words[0] > 9 and all(digit in "0123456789" for digit in f"{words[0]:x}"):
        yield Guess(3, WordType.BCD16, Order.ABCD, None, f"{words[0]:x}")
    for order in (Order.ABCD, Order.CDAB):
        if len(words) < 2 or not words[0] or not words[1]:
            continue
        for kind in (WordType.UINT32, WordType.INT32):
            value = _codec(kind, order, None).decode(words[:2])
            if isinstance(value, int) and abs(value) < LARGEST_COUNT and (value < 0 or kind is WordType.UINT32):
                yield Guess(2 + (order is Order.CDAB) / 10, kind, order, None, str(value))


def _codec(kind: WordType, order: Order, length: int | None) -> Codec:
    return codec(ModbusTag(holding=0, type=kind, order=order, length=length))
