"""What a server published or answered to a read, as readings. Pure."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import NamedTuple

import msgspec
from asyncua import ua

from linecontrol.driver import Reading
from linecontrol_opcua import fast
from linecontrol_opcua.fast import Places, Plan
from linecontrol_opcua.wire import MOST_IN_ALL, Misfit, Reader

FAULT, READ, CALL, PUBLISH, REPUBLISH = 397, 634, 715, 829, 835
"""Numbers of the responses on the wire."""
_DATA_CHANGE, _STATUS_CHANGE = 811, 820
_EPOCH = ua.DateTime(1970, 1, 1, tzinfo=UTC)


class Published(NamedTuple):
    """A message of the subscription. ``readings`` are in the order of their source times."""

    sequence: int = 0
    readings: Sequence[Reading] = ()
    keep_alive: bool = False
    clock_ns: int = 0
    """What the server's own clock showed, if that was sent."""
    ended: int = 0
    """Status with which the server ended the subscription."""
    unread: int = 0
    """Notifications in it that are of another kind."""
    lost: bool = False
    """Instead of a message: here at least one is missing for good."""


class Refusal(Exception):
    """The server answered with a bad status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"0x{status:08X}")
        self.status = status


def place(body: bytes) -> tuple[int, int, bool]:
    """Subscription and number of the message in a publish response, and whether it is a mere keep-alive."""
    reader = begin(body, PUBLISH)
    subscription = reader.u32()
    reader.skip(4 * reader.count(4) + 1)
    number = reader.u32()
    reader.skip(8)
    return subscription, number, not reader.count(3)


def number_of(body: bytes) -> int:
    """Number of the message in a republish response."""
    return begin(body, REPUBLISH).u32()


def published(body: bytes, plan: Plan, now_ns: int, sequence: int) -> Published:
    """What a publish or republish response carries; its readings are numbered from ``sequence`` + 1.

    Raises:
        Refusal: the server refused to publish.
        Misfit: it is no such response, or beyond a limit.
    """
    anew = Reader(body).type_id() == REPUBLISH
    reader = begin(body, REPUBLISH if anew else PUBLISH)
    if not anew:
        reader.skip(4)
        reader.skip(4 * reader.count(4) + 1)
    notified = _notification(reader, plan, now_ns, sequence)
    if not anew:
        reader.skip(4 * reader.count(4))
        no_diagnostics(reader)
    reader.finish()
    return notified


def read(body: bytes, plan: Places, now_ns: int, sequence: int) -> list[Reading]:
    """One reading for each node in a read response, by their place; the response must have as many as the plan.

    Raises:
        Refusal: the server refused the read.
        Misfit: it is no answer to it, or beyond a limit.
    """
    reader = begin(body, READ)
    count = reader.count(1)
    if count != len(plan):
        msg = f"{count} results for {len(plan)} nodes"
        raise Misfit(msg)
    readings = fast.values(reader, count, plan, now_ns, sequence)
    no_diagnostics(reader)
    reader.finish()
    return readings


def response(reader: Reader) -> int:
    """Go past the header of a response; its service result."""
    reader.skip(12)
    status = reader.u32()
    reader.diagnostic()
    for _ in range(reader.count(4)):
        reader.octets()
    reader.extension()
    return status


def check_fault(body: bytes) -> None:
    """Raise ``Refusal`` if a response is a fault."""
    reader = Reader(body)
    if reader.type_id() == FAULT:
        raise Refusal(response(reader))


def begin(body: bytes, expected: int) -> Reader:
    """The results in a response of the type expected.

    Raises:
        Refusal: the service was refused.
        Misfit: it is another response.
    """
    reader = Reader(body)
    kind = reader.type_id()
    status = response(reader)
    if status & 0x8000_0000:
        raise Refusal(status)
    if kind != expected:
        msg = f"response {kind} where {expected} was expected"
        raise Misfit(msg)
    return reader


def _notification(reader: Reader, plan: Plan, now_ns: int, sequence: int) -> Published:
    number = reader.u32()
    reader.skip(8)
    count = reader.count(3)
    readings: list[Reading] = []
    ended = unread = clock = 0
    ordered = True
    for _ in range(count):
        kind, body = reader.extension()
        if kind == _DATA_CHANGE:
            changes = fast.changes(body, body.count(5, MOST_IN_ALL), plan, now_ns, sequence + len(readings))
            no_diagnostics(body)
            body.finish()
            ordered = changes.in_order and (ordered and not readings)
            readings = changes.readings if not readings else readings + changes.readings
            clock = changes.clock or clock
        elif kind == _STATUS_CHANGE:
            ended = body.u32() or ended
        else:
            unread += 1
    if not ordered:
        readings = in_order(readings)
    return Published(number, readings, not count, fast.time_ns(clock) if clock else 0, ended, unread)


def in_order(readings: list[Reading]) -> list[Reading]:
    """The readings by source time, numbered in that order."""
    first = min((reading.sequence for reading in readings), default=0)
    ordered = sorted(readings, key=lambda reading: reading.source_ns)
    return [msgspec.structs.replace(reading, sequence=first + place) for place, reading in enumerate(ordered)]


def no_diagnostics(reader: Reader) -> None:
    """Go past an array of diagnostic infos."""
    for _ in range(reader.count(1)):
        reader.diagnostic()


def moment(nanoseconds: int) -> ua.DateTime:
    """A server's time of UTC nanoseconds, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
