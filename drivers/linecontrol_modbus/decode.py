"""All values of a block at once, straight from the bytes of an answer. Pure."""

from collections.abc import Sequence
from math import isfinite
from struct import Struct
from typing import Any, NamedTuple

from linecontrol.driver import Value
from linecontrol_modbus.plan import Block
from linecontrol_modbus.registers import Codec, Finish, exchanged


class _Layer(NamedTuple):
    """Values of one byte order that don't overlap: which they are, and how to finish each."""

    swapped: bool
    struct: Struct
    slots: tuple[tuple[int, Finish | None], ...]


class Decoder:
    """Decodes answers to the read of one block."""

    def __init__(self, block: Block, codecs: Sequence[Codec]) -> None:
        """``codecs`` are those of the block's spans, in order."""
        self._bits = block.table.of_bits
        self._number = len(codecs)
        self._offsets = [span.address - block.address for span in block.spans]
        self._layers = [] if self._bits else _layers(self._offsets, codecs)
        whole = len(self._layers) == 1 and all(codec.finish is None for codec in codecs)
        self._whole = self._layers[0] if whole else None
        self._real = any(codec.real for codec in codecs)

    def __call__(self, data: bytes) -> Sequence[Value]:
        """Values of the spans, in order; ``None`` where the registers hold none."""
        if (layer := self._whole) is not None:
            values: tuple[Any, ...] = layer.struct.unpack_from(exchanged(data) if layer.swapped else data)
            if self._real and not isfinite(sum(values)):
                return [_finite(value) for value in values]
            return values
        if self._bits:
            return [data[offset >> 3] >> (offset & 7) & 1 == 1 for offset in self._offsets]
        found: list[Value] = [None] * self._number
        for layer in self._layers:
            raws = layer.struct.unpack_from(exchanged(data) if layer.swapped else data)
            for raw, (index, finish) in zip(raws, layer.slots, strict=True):
                found[index] = _finite(raw) if finish is None else finish(raw)
        return found


def _finite(value: Any) -> Value:
    """The value, unless it is a float that is none."""
    number: Value = value
    return None if isinstance(value, float) and not isfinite(value) else number


def _layers(offsets: Sequence[int], codecs: Sequence[Codec]) -> list[_Layer]:
    """As few as hold all values, each once; offsets are in registers and in order."""
    open_layers: dict[tuple[bool, bool, int], tuple[list[str], list[tuple[int, Finish | None]]]] = {}
    ends: dict[tuple[bool, bool, int], int] = {}
    for index, (offset, codec) in enumerate(zip(offsets, codecs, strict=True)):
        at = 2 * offset
        number = 0
        while ends.get(key := (codec.swapped, codec.little, number), 0) > at:
            number += 1
        forms, slots = open_layers.setdefault(key, ([], []))
        if hole := at - ends.get(key, 0):
            forms.append(f"{hole}x")
        forms.append(codec.form)
        slots.append((index, codec.finish))
        ends[key] = at + Struct(f"<{codec.form}").size
    return [
        _Layer(key[0], Struct(("<" if key[1] else ">") + "".join(forms)), tuple(slots))
        for key, (forms, slots) in open_layers.items()
    ]
