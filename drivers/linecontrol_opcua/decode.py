"""From what the server sent to readings. Pure: a faster decoder of the same bytes may take its place."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary

from linecontrol.driver import Quality, Reading
from linecontrol_opcua.datatype import DataType, from_variant

_EPOCH = ua.DateTime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_NS = 2**63 - 1
_UNCERTAIN = 0x4000_0000
_BAD = 0x8000_0000
_INFO_TYPE = 0x0000_0C00
_INFO_DATA_VALUE = 0x0000_0400
_INFO_OVERFLOW = 0x0000_0080


def publish_result(body: Buffer) -> ua.PublishResult:
    """What a publish response carries.

    Raises:
        ua.UaStatusCodeError: the server refused to publish.
    """
    response: ua.PublishResponse = struct_from_binary(ua.PublishResponse, body)
    response.ResponseHeader.ServiceResult.check()
    result: ua.PublishResult = response.Parameters
    return result


def data_changes(result: ua.PublishResult) -> Iterator[tuple[int, ua.DataValue]]:
    """Client handle and value of each data change, in the order sent.

    Raises:
        ua.UaStatusCodeError: the server ended the subscription.
    """
    for notification in result.NotificationMessage.NotificationData or []:
        if isinstance(notification, ua.DataChangeNotification):
            for item in notification.MonitoredItems or []:
                yield item.ClientHandle, item.Value
        elif isinstance(notification, ua.StatusChangeNotification):
            notification.Status.check()


def time_ns(moment: datetime | None) -> int | None:
    """UTC nanoseconds of a server's time, to the microsecond; ``None`` if it is missing or means nothing."""
    if moment is None:
        return None
    nanoseconds = (moment.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND * 1000
    return nanoseconds if 0 < nanoseconds <= _LAST_NS else None


def moment(nanoseconds: int) -> ua.DateTime:
    """A server's time of UTC nanoseconds, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def source_ns(data: ua.DataValue, receive_ns: int) -> int:
    """When the value arose: source time, else server time, else ``receive_ns``."""
    return time_ns(data.SourceTimestamp) or time_ns(data.ServerTimestamp) or receive_ns


def quality(status: int) -> Quality:
    """How far a status code lets a value be trusted; one that had to drop values before it is uncertain."""
    if status & _BAD:
        return Quality.BAD
    overflow = status & _INFO_TYPE == _INFO_DATA_VALUE and status & _INFO_OVERFLOW
    return Quality.UNCERTAIN if status & _UNCERTAIN or overflow else Quality.GOOD


def reading(signal: str, data: ua.DataValue, datatype: DataType, receive_ns: int, sequence: int) -> Reading:
    """The reading that a data value means; a value of another type is ``BAD`` with ``BadTypeMismatch``."""
    status = 0 if data.StatusCode is None else int(data.StatusCode.value)
    trust = quality(status)
    value = None if trust is Quality.BAD else from_variant(data.Value, datatype)
    if value is None and trust is not Quality.BAD:
        trust, status = Quality.BAD, int(StatusCodes.BadTypeMismatch)
    return Reading(signal, value, trust, source_ns(data, receive_ns), receive_ns, status, sequence)
