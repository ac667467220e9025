"""From bytes to readings: as a table, and against asyncua's decoder on generated messages."""

import math
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linecontrol.driver import Quality, Reading, Value
from linecontrol_opcua import decode, fast, grammar
from linecontrol_opcua.datatype import DataType, to_variant
from linecontrol_opcua.wire import Misfit, Reader

_NOW = 1_767_225_600_123_456_789
_SOURCE = datetime(2026, 1, 1, 8, 30, 0, 250_001, tzinfo=UTC)
_SOURCE_NS = 1_767_256_200_250_001_000
_MISMATCH = int(StatusCodes.BadTypeMismatch)
_OVERFLOW = 0x0000_0480
_GENERATED = settings(derandomize=True, database=None, deadline=None, max_examples=150)

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


def _kind(datatype: DataType) -> int:
    return int(datatype.wire.variant)


def _read_response(data: Sequence[ua.DataValue]) -> bytes:
    return struct_to_binary(ua.ReadResponse(Results=list(data)))


def _publish_response(data: Sequence[tuple[int, ua.DataValue]], **more: object) -> bytes:
    items = [ua.MonitoredItemNotification(ua.UInt32(handle), value) for handle, value in data]
    message = ua.NotificationMessage(ua.UInt32(7), NotificationData=[ua.DataChangeNotification(MonitoredItems=items)])
    result = ua.PublishResult(ua.UInt32(3), [ua.UInt32(7)], NotificationMessage=message, **more)  # type: ignore[arg-type]
    return struct_to_binary(ua.PublishResponse(Parameters=result))


def _expected(signal: str, data: ua.DataValue, datatype: DataType, sequence: int) -> Reading:
    """The reading that asyncua's decoder leads to."""
    status = 0 if data.StatusCode is None else int(data.StatusCode.value)
    trust = fast.quality(status)
    value: Value = None
    variant = data.Value
    if trust is not Quality.BAD and variant is not None and variant.VariantType is datatype.wire.variant:
        if datatype is DataType.STRING and not variant.is_array:
            value = "" if variant.Value is None else _sound(str(variant.Value))
        elif not variant.is_array and not (isinstance(variant.Value, float) and not math.isfinite(variant.Value)):
            value = variant.Value
    if value is None and trust is not Quality.BAD:
        trust, status = Quality.BAD, _MISMATCH
    at_ns = _micro(data.SourceTimestamp) or _micro(data.ServerTimestamp) or _NOW
    return Reading(signal, value, trust, at_ns, _NOW, status, sequence)


def _sound(text: str) -> str | None:
    return None if any("\ud800" <= char <= "\udfff" for char in text) else text


def _micro(moment: datetime | None) -> int:
    if moment is None:
        return 0
    since = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    nanoseconds = (since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds) * 1000
    return nanoseconds if 0 < nanoseconds <= 2**63 - 1 else 0


def _to_the_microsecond(readings: Sequence[Reading]) -> list[tuple[object, ...]]:
    return [
        (
            r.signal,
            type(r.value),
            r.value,
            r.quality,
            r.source_ns if r.source_ns == _NOW else r.source_ns // 1000,
            r.status,
        )
        for r in readings
    ]


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
    plan = {0: ("l/s/x", _kind(datatype))}
    assert decode.read(_read_response([data]), [plan[0]], _NOW, 3) == [expected]
    assert decode.published(_publish_response([(0, data)]), plan, _NOW, 3).readings == [expected]


@pytest.mark.parametrize(
    ("source", "server", "expected"),
    [
        (_SOURCE, datetime(2026, 1, 1, tzinfo=UTC), _SOURCE_NS),
        (None, _SOURCE, _SOURCE_NS),
        (datetime(1601, 1, 1, tzinfo=UTC), _SOURCE, _SOURCE_NS),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), _SOURCE, _SOURCE_NS),
        (None, None, _NOW),
    ],
)
def test_source_time_falls_back_to_server_time_and_clock(
    source: datetime | None, server: datetime | None, expected: int
) -> None:
    data = ua.DataValue(ua.Variant(True), SourceTimestamp=source, ServerTimestamp=server)  # type: ignore[arg-type]
    (reading,) = decode.read(_read_response([data]), [("x", 1)], _NOW, 0)
    assert reading.source_ns == expected


@pytest.mark.parametrize("status", [b"", bytes(4)])
@pytest.mark.parametrize("pico", [0, 0x10, 0x20, 0x30])
def test_times_are_exact_to_100_ns_and_picoseconds_are_skipped(pico: int, status: bytes) -> None:
    filetime = 134_116_362_002_500_017
    source, server = (b"\x99\x99" if pico & bit else b"" for bit in (0x10, 0x20))
    stamps = struct.pack("<q", filetime) + source + struct.pack("<q", filetime + 1) + server
    body = struct.pack("<BBh", 0x0D | pico | (2 if status else 0), 4, -5) + status + stamps
    expected = [Reading("x", -5, Quality.GOOD, (filetime - fast.FILETIME_EPOCH) * 100, _NOW, 0, 1)]
    assert fast.values(Reader(body), 1, [("x", 4)], _NOW, 0) == expected
    assert fast.changes(Reader(b"\0\0\0\0" + body), 1, {0: ("x", 4)}, _NOW, 0).readings == expected
    assert Reader(body).data_value() == (4, -5, 0, filetime, filetime + 1)


_VARIANTS = st.one_of(
    st.booleans().map(lambda value: ua.Variant(value, ua.VariantType.Boolean)),
    *(
        st.integers(*_INTEGERS[kind]).map(lambda value, kind=kind: ua.Variant(value, kind.wire.variant))  # type: ignore[misc]
        for kind in _INTEGERS
    ),
    st.floats(width=32).map(lambda value: ua.Variant(value, ua.VariantType.Float)),
    st.floats().map(lambda value: ua.Variant(value, ua.VariantType.Double)),
    (st.text("aZ9 -№ğ\U0001f69c\udcff") | st.none()).map(lambda value: ua.Variant(value, ua.VariantType.String)),
    st.lists(st.integers(-5, 5)).map(lambda value: ua.Variant(value, ua.VariantType.Int32, is_array=True)),
    st.lists(st.text("ab")).map(lambda value: ua.Variant(value, ua.VariantType.String, is_array=True)),
    st.just(ua.Variant(None)),
    st.just(ua.Variant(ua.EUInformation("urn:u", 1, ua.LocalizedText("s"), ua.LocalizedText("second")))),
    st.just(ua.Variant(ua.LocalizedText("hello", "en"))),
    st.just(ua.Variant(ua.NodeId(ua.Int32(7), ua.Int16(2)))),
    st.just(ua.Variant(b"bytes", ua.VariantType.ByteString)),
    st.just(ua.Variant([ua.Variant(1), ua.Variant("a")], ua.VariantType.Variant, is_array=True)),
)
_MOMENTS = st.none() | st.datetimes(datetime(1601, 1, 1), datetime(9999, 12, 30)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
_STATUSES = st.sampled_from([0, 0, 0, _OVERFLOW, StatusCodes.BadNoCommunication, StatusCodes.UncertainInitialValue])
_DATA = st.builds(
    lambda variant, status, source, server: ua.DataValue(
        variant, None if status is None else ua.StatusCode(ua.UInt32(status)), source, server
    ),
    _VARIANTS,
    st.none() | _STATUSES,
    _MOMENTS,
    _MOMENTS,
)


@_GENERATED
@given(st.lists(st.tuples(_DATA, st.sampled_from(list(DataType))), max_size=8))
def test_a_read_means_what_asyncua_reads(pairs: list[tuple[ua.DataValue, DataType]]) -> None:
    body = _read_response([data for data, _ in pairs])
    plan = [(f"s{place}", _kind(datatype)) for place, (_, datatype) in enumerate(pairs)]
    theirs = struct_from_binary(ua.ReadResponse, Buffer(body)).Results
    expected = [_expected(f"s{n}", data, pairs[n][1], n) for n, data in enumerate(theirs)]
    assert _to_the_microsecond(decode.read(body, plan, _NOW, 0)) == _to_the_microsecond(expected)


@_GENERATED
@given(
    st.lists(st.tuples(_DATA, st.sampled_from(list(DataType)), st.booleans()), max_size=8),
    st.lists(st.integers(0, 2**32 - 1), max_size=3),
    st.booleans(),
)
def test_a_publish_response_means_what_asyncua_reads(
    items: list[tuple[ua.DataValue, DataType, bool]], results: list[int], more: bool
) -> None:
    plan = {handle: (f"s{handle}", _kind(datatype)) for handle, (_, datatype, known) in enumerate(items) if known}
    statuses = [ua.StatusCode(ua.UInt32(status)) for status in results]
    body = _publish_response(
        [(n, data) for n, (data, _, _) in enumerate(items)], Results=statuses, MoreNotifications=more
    )
    theirs = struct_from_binary(ua.PublishResponse, Buffer(body)).Parameters.NotificationMessage.NotificationData[0]
    expected = [
        _expected(f"s{item.ClientHandle}", item.Value, items[item.ClientHandle][1], 0)
        for item in theirs.MonitoredItems
        if item.ClientHandle in plan
    ]
    expected.sort(key=lambda reading: reading.source_ns)
    published = decode.published(body, plan, _NOW, 10)
    assert decode.place(body) == (3, 7, False)
    assert published.sequence == 7
    assert [reading.sequence for reading in published.readings] == list(range(11, 11 + len(expected)))
    by_signal = lambda row: (row[0], row[4])  # noqa: E731
    assert sorted(_to_the_microsecond(published.readings), key=by_signal) == sorted(
        _to_the_microsecond(expected), key=by_signal
    )
    stamps = [reading.source_ns for reading in published.readings]
    assert stamps == sorted(stamps)


_WHOLE = _publish_response([(0, _data(1.5, ua.VariantType.Double)), (1, _data("MTZ", ua.VariantType.String))])
_PLAN = {0: ("a", 11), 1: ("b", 12)}


@_GENERATED
@given(st.binary(max_size=200))
@example(b"")
def test_random_bytes_are_no_response(body: bytes) -> None:
    _only_misfits(lambda: decode.place(body))
    _only_misfits(lambda: decode.check_fault(body))
    _only_misfits(lambda: grammar.check(body))
    _only_misfits(lambda: decode.published(body, _PLAN, _NOW, 0))
    _only_misfits(lambda: decode.read(body, list(_PLAN.values()), _NOW, 0))


@settings(_GENERATED, max_examples=600)
@given(
    st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=3), st.integers(0, 9)
)
def test_a_damaged_response_never_does_harm(damages: list[tuple[int, int]], cut: int) -> None:
    body = bytearray(_WHOLE)
    for place, byte in damages:
        body[place] = byte
    _only_misfits(lambda: decode.published(bytes(body[: len(body) - cut]), _PLAN, _NOW, 0))


def _only_misfits(parse: Callable[[], object]) -> None:
    with suppress(Misfit, decode.Refusal):
        parse()


_NULLS = b"\x80" + struct.pack("<i", 2**31 - 1)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(_NULLS, id="R01 null array of 2^31-1"),
        pytest.param(b"\x80" + struct.pack("<i", 20_000_000), id="R01 null array of 20 million"),
        pytest.param(b"\x97" + struct.pack("<i", 1_000_000) + bytes(1_000_000), id="R02 data values in a variant"),
        pytest.param(b"\x98\x01\x00\x00\x00" * 2_000 + b"\x01\x01", id="R05 nested 2000"),
        pytest.param(b"\x98\x01\x00\x00\x00" * 100_000 + b"\x01\x01", id="R05 nested 100000"),
        pytest.param(b"\x0b" + bytes(7), id="cut short"),
        pytest.param(b"\x86" + struct.pack("<i", -7), id="negative length"),
        pytest.param(b"\x3f", id="unknown type"),
    ],
)
def test_values_beyond_the_limits_are_refused_at_once(value: bytes) -> None:
    body = _read_response([])[:-8] + struct.pack("<i", 1) + b"\x01" + value + struct.pack("<i", -1)
    start = time.perf_counter()
    with pytest.raises(Misfit):
        decode.read(body, [("x", 6)], _NOW, 0)
    assert time.perf_counter() - start < 0.2


def test_huge_dimensions_cost_nothing() -> None:
    dimensions = struct.pack("<i3i", 3, 99, 100, 101)
    value = b"\xc6" + struct.pack("<ii", 1, 5) + dimensions
    body = _read_response([])[:-8] + struct.pack("<i", 1) + b"\x01" + value + struct.pack("<i", -1)
    start = time.perf_counter()
    (reading,) = decode.read(body, [("x", 6)], _NOW, 0)
    assert (reading.value, reading.status) == (None, _MISMATCH)
    assert time.perf_counter() - start < 0.1


def test_two_million_one_byte_values_are_refused_at_once() -> None:
    body = _read_response([])[:-8] + struct.pack("<i", 2_000_000) + bytes(2_000_000)
    start = time.perf_counter()
    with pytest.raises(Misfit):
        decode.read(body, list(_PLAN.values()), _NOW, 0)
    assert time.perf_counter() - start < 0.1


_RESPONSES = [
    ua.GetEndpointsResponse(Endpoints=[ua.EndpointDescription(UserIdentityTokens=[ua.UserTokenPolicy()])]),
    ua.OpenSecureChannelResponse(),
    ua.CreateSessionResponse(),
    ua.ActivateSessionResponse(),
    ua.CloseSessionResponse(),
    ua.BrowseResponse(Results=[ua.BrowseResult(References=[ua.ReferenceDescription()])]),
    ua.TranslateBrowsePathsToNodeIdsResponse(Results=[ua.BrowsePathResult(Targets=[ua.BrowsePathTarget()])]),
    ua.WriteResponse(Results=[ua.StatusCode()]),
    ua.CreateMonitoredItemsResponse(Results=[ua.MonitoredItemCreateResult()]),
    ua.CreateSubscriptionResponse(),
    ua.TransferSubscriptionsResponse(
        Parameters=ua.TransferSubscriptionsResult(Results=[ua.TransferResult(AvailableSequenceNumbers=[ua.UInt32(1)])])
    ),
    ua.DeleteSubscriptionsResponse(),
    ua.ServiceFault(),
]


@pytest.mark.parametrize("response", _RESPONSES, ids=lambda response: type(response).__name__)
def test_sound_responses_fit_the_grammar(response: object) -> None:
    assert grammar.check(struct_to_binary(response)) > 0


def test_an_extension_object_where_none_belongs_is_refused() -> None:
    response = ua.WriteResponse()
    response.ResponseHeader.AdditionalHeader = ua.EUInformation()
    with pytest.raises(Misfit, match="where none belongs"):
        grammar.check(struct_to_binary(response))


@_GENERATED
@given(st.sampled_from(_RESPONSES), st.data())
def test_a_damaged_service_response_never_does_harm(response: object, data: st.DataObject) -> None:
    body = bytearray(struct_to_binary(response))
    for _ in range(2):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    _only_misfits(lambda: grammar.check(bytes(body)))


@_GENERATED
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
