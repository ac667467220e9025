"""Blocks are decoded as their tags are, whatever is in them."""

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.driver import Tag, Value
from linecontrol_modbus.decode import Decoder
from linecontrol_modbus.layout import layout
from linecontrol_modbus.plan import Block, plan
from linecontrol_modbus.registers import codec
from linecontrol_modbus.settings import ModbusConnection, ModbusTag, Order

calm = settings(derandomize=True, database=None, deadline=None)
NUMBERS = ["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "bcd16", "bcd32"]


@st.composite
def register_tags(draw: st.DrawFn) -> list[ModbusTag]:
    """Any tags of registers, one over another too."""
    address = st.integers(0, 40)
    order = st.sampled_from(list(Order))
    number = st.fixed_dictionaries(
        {"holding": address, "type": st.sampled_from(NUMBERS), "order": order},
        optional={
            "scale": st.sampled_from([0.1, 2, -1]),
            "offset": st.sampled_from([0, 5, 0.5]),
            "sentinels": st.lists(st.sampled_from([0, 0x8000, 0xFFFF, -1]), max_size=2),
        },
    )
    bit = st.fixed_dictionaries({"holding": address, "bit": st.integers(0, 15), "order": order})
    bits = st.fixed_dictionaries(
        {"holding": address, "bits": st.tuples(st.integers(0, 7), st.integers(7, 15)), "order": order}
    )
    text = st.fixed_dictionaries(
        {
            "holding": address,
            "type": st.just("string"),
            "length": st.integers(1, 9),
            "order": st.sampled_from(["ABCD", "BADC"]),
        }
    )
    return [
        ModbusTag.model_validate(one) for one in draw(st.lists(number | bit | bits | text, min_size=1, max_size=12))
    ]


def decoded(tags: list[ModbusTag], data: bytes) -> tuple[Block, dict[str, Value]]:
    points = layout(ModbusConnection(host="plc"), [Tag(str(n), tag) for n, tag in enumerate(tags)])
    [block] = plan((point.span for point in points.values()), 124, 125, 2000)
    values = Decoder(block, [points[span.signal].codec for span in block.spans])(data[: 2 * block.count])
    return block, {span.signal: value for span, value in zip(block.spans, values, strict=True)}


@given(tags=register_tags(), data=st.binary(min_size=120, max_size=120) | st.just(b"\0" * 120) | st.just(b"\xff" * 120))
@calm
def test_a_block_shows_what_its_tags_show_one_by_one(tags: list[ModbusTag], data: bytes) -> None:
    block, values = decoded(tags, data)
    words = struct.unpack(">60H", data)
    for n, tag in enumerate(tags):
        start = tag.address - block.address
        alone = codec(tag).decode(words[start : start + tag.count])
        assert values[str(n)] == alone
        assert type(values[str(n)]) is type(alone)
        assert alone is None or type(alone) is tag.value_type()
        assert not isinstance(alone, float) or math.isfinite(alone)


@given(numbers=st.lists(st.floats(width=32), min_size=1, max_size=62), order=st.sampled_from(list(Order)))
@calm
def test_floats_side_by_side(numbers: list[float], order: Order) -> None:
    tags = [ModbusTag.model_validate({"input": 2 * n, "type": "float32", "order": order}) for n in range(len(numbers))]
    data = b"".join(_ordered(struct.pack(">f", number), order) for number in numbers)
    _, values = decoded(tags, data)
    assert list(values.values()) == [number if math.isfinite(number) else None for number in numbers]


def _ordered(data: bytes, order: Order) -> bytes:
    return bytes(data["ABCD".index(letter)] for letter in order)


@pytest.mark.parametrize(
    ("order", "data"),
    [
        ("ABCD", "0102 0304 0506 0708"),
        ("CDAB", "0708 0506 0304 0102"),
        ("BADC", "0201 0403 0605 0807"),
        ("DCBA", "0807 0605 0403 0201"),
    ],
)
def test_the_four_orders_of_64_bits(order: str, data: str) -> None:
    _, values = decoded(
        [ModbusTag.model_validate({"holding": 0, "type": "uint64", "order": order})], bytes.fromhex(data)
    )
    assert values == {"0": 0x0102030405060708}


@given(bits=st.lists(st.booleans(), min_size=1, max_size=60))
@calm
def test_bits_come_lowest_first(bits: list[bool]) -> None:
    data = sum(bit << n for n, bit in enumerate(bits)).to_bytes(8, "little")
    points = layout(ModbusConnection(host="plc"), [Tag(str(n), ModbusTag(coil=n)) for n in range(len(bits))])
    [block] = plan((point.span for point in points.values()), 8, 125, 2000)
    assert list(Decoder(block, [point.codec for point in points.values()])(data)) == bits


@pytest.mark.parametrize(
    ("tag", "words", "value"),
    [
        ({"type": "bcd16"}, [0x1234], 1234),
        ({"type": "bcd16"}, [0x12A4], None),
        ({"type": "bcd32"}, [0x1234, 0x5678], 12345678),
        ({"type": "bcd32", "order": "CDAB"}, [0x5678, 0x1234], 12345678),
        ({"type": "bcd16", "scale": 0.1}, [0x0055], 5.5),
        ({"sentinels": [0xFFFF]}, [0xFFFF], None),
        ({"sentinels": [0xFFFF]}, [0xFFFE], 0xFFFE),
        ({"type": "int16", "sentinels": [0x8000]}, [0x8000], None),
        ({"type": "int16", "sentinels": [-1], "scale": 0.1}, [0xFFFF], None),
        ({"type": "float32", "sentinels": [-999.9]}, [0xC479, 0xF99A], None),
        ({"bits": [4, 7]}, [0x00A0], 10),
        ({"bits": [0, 15]}, [0xFFFF], 0xFFFF),
        ({"bits": [0, 3], "order": "BADC"}, [0x0500], 5),
    ],
)
def test_what_registers_mean(tag: dict[str, object], words: list[int], value: Value) -> None:
    assert codec(ModbusTag.model_validate({"holding": 0, **tag})).decode(words) == value


@given(number=st.integers(0, 99_999_999), order=st.sampled_from(list(Order)))
@calm
def test_decimal_digits_come_back(number: int, order: Order) -> None:
    digits = codec(ModbusTag.model_validate({"holding": 0, "type": "bcd32", "order": order}))
    assert digits.decode(digits.encode(number)) == number


@pytest.mark.parametrize(("kind", "value"), [("bcd16", 10_000), ("bcd16", -1), ("bcd32", 100_000_000)])
def test_what_no_decimal_digits_can_hold(kind: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{value} is too large or too small for {kind}"):
        codec(ModbusTag.model_validate({"holding": 0, "type": kind})).encode(value)
