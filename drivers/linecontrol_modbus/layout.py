"""Where the tags of a connection are. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from linecontrol.driver import Tag
from linecontrol_modbus.plan import Span
from linecontrol_modbus.registers import Codec, codec
from linecontrol_modbus.settings import ModbusConnection
from linecontrol_modbus.tag import PLACES, ModbusTag


@dataclass(frozen=True, slots=True)
class Point:
    """A tag: its places at the device, and what they mean. Of a register, only the bits in ``mask`` are its own."""

    span: Span
    codec: Codec
    writable: bool
    counter_bits: int | None
    mask: int
    poll_ns: int


def layout(settings: ModbusConnection, tags: Iterable[Tag]) -> dict[str, Point]:
    """Points by signal, all addresses 0-based.

    Raises:
        ValueError: a tag can't be served: a command where nothing can be written, or more than one answer holds.
    """
    tags = list(tags)
    places = [cast("ModbusTag", tag.settings) for tag in tags]
    if settings.base and 0 < sum(place.reference is not None for place in places) < len(places):
        msg = "base 1 and reference are two ways to count: use one of them throughout the connection"
        raise ValueError(msg)
    points = {}
    for tag, place in zip(tags, places, strict=True):
        if tag.writable and (problem := place.write_problem()):
            msg = f"{tag.signal}: {problem}"
            raise ValueError(msg)
        if not place.table.of_bits and place.count > settings.max_registers:
            msg = f"{tag.signal}: takes {place.count} registers, but max_registers is {settings.max_registers}"
            raise ValueError(msg)
        address = place.address - (settings.base if place.reference is None else 0)
        if not 0 <= address <= PLACES - place.count:
            msg = f"{tag.signal}: {place.table.value} {place.address} is no place: they count from {settings.base}"
            raise ValueError(msg)
        unit = settings.unit if place.unit is None else place.unit
        span = Span(unit, place.table, address, place.count, tag.signal)
        poll_ns = place.poll or settings.poll
        points[tag.signal] = Point(span, codec(place), tag.writable, place.counter_bits(), _mask(place), poll_ns)
    return points


def identity(settings: ModbusConnection) -> dict[str, Tag]:
    """Tags of the places by which devices are known, under names that no signal has."""
    names = [f"identity {number}" for number in range(1, len(settings.identity) + 1)]
    return {name: Tag(name, place) for name, place in zip(names, settings.identity, strict=True)}


def _mask(place: ModbusTag) -> int:
    if place.bit is not None:
        return codec(place).encode(True)[0]
    if place.bits is not None:
        return codec(place).encode((2 << place.bits[1] - place.bits[0]) - 1)[0]
    return 0xFFFF
