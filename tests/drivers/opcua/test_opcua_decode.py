"""From data values to readings, as a table."""

import math
from datetime import UTC, datetime

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import variant_from_binary, variant_to_binary
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.driver import Quality, Reading, Value
from linecontrol_opcua import decode
from linecontrol_opcua.datatype import DataType, from_variant, to_variant

_NOW = 1_767_225_600_123_456_789
_SOURCE = datetime(2026, 1, 1, 8, 30, 0, 250_001, tzinfo=UTC)
_SOURCE_NS = 1_767_256_200_250_001_000
_MISMATCH = int(StatusCodes.BadTypeMismatch)
_OVERFLOW = 0x0000_0480

_INTEGERS = {
    DataType.INT8: (-(2**7), 2**7 - 1),
    DataType.UINT8: (0, 2**8 - 1),
    DataType.INT16: (-(2**15), 2**15 - 1),
    DataType.UINT16: (0, 2**16 - 1),
    DataType.INT32: (-(2**31), 2**31 - 1),
    DataType.UINT32: (0, 2**32 - 1),
    DataType.INT64: (-(2**63), 2**63 - 1),
    DataType.UINT64: (0, 2**64 - 1),
}


def _data(value: object, variant: ua.VariantType, status: int = 0) -> ua.DataValue:
    code = ua.StatusCode(ua.UInt32(status))
    return ua.DataValue(ua.Variant(value, variant), code, SourceTimestamp=_SOURCE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "datatype", "value", "quality", "status"),
    [
        (_data(True, ua.VariantType.Boolean), DataType.BOOL, True, Quality.GOOD, 0),
        (_data(-5, ua.VariantType.Int16), DataType.INT16, -5, Quality.GOOD, 0),
        (_data(2.5, ua.VariantType.Double), DataType.DOUBLE, 2.5, Quality.GOOD, 0),
        (_data("MTZ", ua.VariantType.String), DataType.STRING, "MTZ", Quality.GOOD, 0),
        (_data(None, ua.VariantType.String), DataType.STRING, "", Quality.GOOD, 0),
        (_data(5, ua.VariantType.Int32), DataType.INT16, None, Quality.BAD, _MISMATCH),
        (_data(1, ua.VariantType.Int16), DataType.BOOL, None, Quality.BAD, _MISMATCH),
        (_data([1, 2], ua.VariantType.Int16), DataType.INT16, None, Quality.BAD, _MISMATCH),
        (_data(None, ua.VariantType.Null), DataType.INT16, None, Quality.BAD, _MISMATCH),
        (_data(math.nan, ua.VariantType.Double), DataType.DOUBLE, None, Quality.BAD, _MISMATCH),
        (_data(-math.inf, ua.VariantType.Float), DataType.FLOAT, None, Quality.BAD, _MISMATCH),
        (_data(7, ua.VariantType.Int16, _OVERFLOW), DataType.INT16, 7, Quality.UNCERTAIN, _OVERFLOW),
        (
            _data(7, ua.VariantType.Int16, StatusCodes.GoodLocalOverride),
            DataType.INT16,
            7,
            Quality.GOOD,
            StatusCodes.GoodLocalOverride,
        ),
        (
            _data(7, ua.VariantType.Int16, StatusCodes.UncertainInitialValue),
            DataType.INT16,
            7,
            Quality.UNCERTAIN,
            StatusCodes.UncertainInitialValue,
        ),
        (
            _data(7, ua.VariantType.Int16, StatusCodes.BadNoCommunication),
            DataType.INT16,
            None,
            Quality.BAD,
            StatusCodes.BadNoCommunication,
        ),
        (_data(7, ua.VariantType.Int16, 0xC000_0000), DataType.INT16, None, Quality.BAD, 0xC000_0000),
    ],
)
def test_value_quality_and_status(
    data: ua.DataValue, datatype: DataType, value: Value, quality: Quality, status: int
) -> None:
    expected = Reading("l/s/x", value, quality, _SOURCE_NS, _NOW, status, 4)
    assert decode.reading("l/s/x", data, datatype, _NOW, 4) == expected


@pytest.mark.parametrize(
    ("source", "server", "expected"),
    [
        (_SOURCE, datetime(2026, 1, 1, tzinfo=UTC), _SOURCE_NS),
        (None, _SOURCE, _SOURCE_NS),
        (datetime(1601, 1, 1, tzinfo=UTC), _SOURCE, _SOURCE_NS),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), _SOURCE, _SOURCE_NS),
        (_SOURCE.replace(tzinfo=None), None, _SOURCE_NS),
        (None, None, _NOW),
    ],
)
def test_source_time_falls_back_to_server_time_and_clock(
    source: datetime | None, server: datetime | None, expected: int
) -> None:
    data = ua.DataValue(SourceTimestamp=source, ServerTimestamp=server)  # type: ignore[arg-type]
    assert decode.source_ns(data, _NOW) == expected


@given(st.integers(min_value=1_000, max_value=250_000_000_000_000_000_0))
def test_times_go_there_and_back_to_the_microsecond(nanoseconds: int) -> None:
    assert decode.time_ns(decode.moment(nanoseconds)) == nanoseconds // 1000 * 1000


@given(st.data())
def test_values_go_over_the_wire_and_back(data: st.DataObject) -> None:
    datatype = data.draw(st.sampled_from(list(DataType)))
    values: dict[type, st.SearchStrategy[bool | int | float | str]] = {
        bool: st.booleans(),
        int: st.integers(*_INTEGERS.get(datatype, (0, 0))),
        float: st.floats(allow_nan=False, allow_infinity=False, width=32 if datatype is DataType.FLOAT else 64),
        str: st.text("aZ9 -№ğ\U0001f69c"),
    }
    value = data.draw(values[datatype.wire.python])
    sent = variant_from_binary(Buffer(variant_to_binary(to_variant(value, datatype))))
    received = from_variant(sent, datatype)
    assert (received, type(received)) == (value, type(value))


@given(st.sampled_from(list(_INTEGERS)), st.integers())
def test_only_integers_in_range_are_written(datatype: DataType, value: int) -> None:
    lowest, highest = _INTEGERS[datatype]
    if lowest <= value <= highest:
        assert to_variant(value, datatype).Value == value
    else:
        with pytest.raises(ValueError, match=f"is no {datatype}"):
            to_variant(value, datatype)


@pytest.mark.parametrize(
    ("value", "datatype"),
    [
        (True, DataType.INT32),
        (1, DataType.BOOL),
        (1.0, DataType.INT32),
        (False, DataType.DOUBLE),
        (math.nan, DataType.DOUBLE),
        (1e39, DataType.FLOAT),
        (10**400, DataType.DOUBLE),
        (1, DataType.STRING),
        (None, DataType.STRING),
    ],
)
def test_values_of_another_type_are_not_written(value: Value, datatype: DataType) -> None:
    with pytest.raises(ValueError, match=f"is no {datatype}"):
        to_variant(value, datatype)


def test_whole_numbers_may_be_written_to_floating_point() -> None:
    assert to_variant(3, DataType.DOUBLE) == ua.Variant(3.0, ua.VariantType.Double)
