import math
import struct
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.driver import Value
from linecontrol_modbus.registers import Codec, codec
from linecontrol_modbus.settings import ModbusTag, Order

ORDERS = st.sampled_from(list(Order))
NUMBERS = {
    "uint16": st.integers(0, 2**16 - 1),
    "int16": st.integers(-(2**15), 2**15 - 1),
    "uint32": st.integers(0, 2**32 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "float64": st.floats(allow_nan=False, allow_infinity=False),
}


def of(**address: object) -> Codec:
    return codec(ModbusTag.model_validate(address))


@pytest.mark.parametrize("kind", NUMBERS)
@settings(derandomize=True, database=None, deadline=None)
@given(data=st.data(), order=ORDERS)
def test_numbers_come_back(kind: str, data: st.DataObject, order: Order) -> None:
    value = data.draw(NUMBERS[kind])
    number = of(holding=0, type=kind, order=order)
    assert number.decode(number.encode(value)) == value


@settings(derandomize=True, database=None, deadline=None)
@given(
    value=st.integers(-(2**31), 2**31 - 1),
    scale=st.sampled_from([0.001, 0.1, 0.5, 2, -3, 1000]),
    offset=st.floats(-50, 50),
)
def test_scaled_numbers_come_back_to_the_nearest_step(value: int, scale: float, offset: float) -> None:
    number = of(input=0, type="int32", scale=scale, offset=offset)
    places = of(input=0, type="int32").encode(value)
    held = number.decode(places)
    assert held == pytest.approx(value * scale + offset, rel=1e-12, abs=1e-9)
    assert number.encode(held) == places


@settings(derandomize=True, database=None, deadline=None)
@given(value=st.integers(-(2**60), 2**60), offset=st.integers(-100, 100))
def test_whole_scaling_is_exact(value: int, offset: int) -> None:
    number = of(holding=0, type="int64", scale=4, offset=offset)
    assert number.decode(of(holding=0, type="int64").encode(value)) == 4 * value + offset
    assert number.encode(4 * value + offset) == of(holding=0, type="int64").encode(value)


@settings(derandomize=True, database=None, deadline=None)
@given(text=st.text(max_size=20).filter(str.isprintable), order=st.sampled_from([Order.ABCD, Order.BADC]))
def test_text_comes_back_without_the_spaces_around_it(text: str, order: Order) -> None:
    field = of(holding=0, type="string", length=40, order=order)
    assert field.decode(field.encode(text)) == text.strip(" ")


@settings(derandomize=True, database=None, deadline=None)
@given(word=st.integers(0, 0xFFFF), bit=st.integers(0, 15))
def test_a_bit_is_that_of_its_register(word: int, bit: int) -> None:
    assert of(holding=0, bit=bit).decode([word]) is bool(word >> bit & 1)
    swapped = word >> 8 | (word & 0xFF) << 8
    assert of(holding=0, bit=bit, order="BADC").decode([swapped]) is bool(word >> bit & 1)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x4148, 0xF5C3]),
        ("CDAB", [0xF5C3, 0x4148]),
        ("BADC", [0x4841, 0xC3F5]),
        ("DCBA", [0xC3F5, 0x4841]),
    ],
)
def test_the_four_orders(order: str, words: list[int]) -> None:
    expected = struct.unpack(">f", bytes.fromhex("4148F5C3"))[0]
    assert of(input=0, type="float32", order=order).decode(words) == expected
    assert of(holding=0, type="uint32", order=order).encode(0x4148F5C3) == words


@pytest.mark.parametrize("special", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("scale", [1, 0.5])
def test_what_is_no_number_is_no_value(special: float, scale: float) -> None:
    words = list(struct.unpack(">4H", struct.pack(">d", special)))
    assert of(input=0, type="float64", scale=scale).decode(words) is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([0x4142, 0x4300], "ABC"),
        ([0x4100, 0x5A5A], "A"),  # what was there before is behind the NUL
        ([0x2041, 0x2020], "A"),
        ([0x0000, 0x0000], ""),
        ([0xFFFE, 0x4141], None),
        ([0x4107, 0x4141], None),
    ],
)
def test_text_in_registers(words: list[int], text: str | None) -> None:
    assert of(input=0, type="string", length=2).decode(words) == text


@pytest.mark.parametrize(
    ("address", "value", "message"),
    [
        ({"holding": 0}, 65536, "65536 is too large or too small for uint16"),
        ({"holding": 0}, -1, "too large or too small"),
        ({"holding": 0}, 1.5, "1.5 is not whole, as uint16 is"),
        ({"holding": 0}, "1", "'1' is no number"),
        ({"holding": 0}, None, "None is no number"),
        ({"holding": 0}, math.nan, "nan is no number"),
        ({"holding": 0, "type": "float32"}, 1e39, "too large or too small for float32"),
        ({"coil": 0}, 2, "2 is neither true nor false"),
        ({"coil": 0}, "on", "'on' is neither true nor false"),
        ({"holding": 0, "type": "string", "length": 1}, "ABC", "'ABC' is longer than 2 bytes"),
        ({"holding": 0, "type": "string", "length": 1}, 5, "5 is no text"),
    ],
)
def test_what_no_register_can_hold(address: Mapping[str, object], value: Value, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        of(**address).encode(value)
