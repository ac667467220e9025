"""Where the tags of a connection are. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from linecontrol.driver import Tag
from linecontrol_modbus.plan import Span
from linecontrol_modbus.registers import Codec, codec
from linecontrol_modbus.settings import ModbusConnection, ModbusTag


@dataclass(frozen=True, slots=True)
class Point:
    """A tag: its places at the device, and what they mean. Of a register, only the bits in ``mask`` are its own."""

    span: Span
    codec: Codec
    writable: bool
    counter_bits: int | None
    mask: int


def layout(settings: ModbusConnection, tags: Iterable[Tag]) -> dict[str, Point]:
    """Points by signal.

    Raises:
        ValueError: a tag can't be served: a command where nothing can be written, or more than one answer holds.
    """
    points = {}
    for tag in tags:
        place = cast("ModbusTag", tag.settings)
        if tag.writable and (problem := place.write_problem()):
            msg = f"{tag.signal}: {problem}"
            raise ValueError(msg)
        if not place.table.of_bits and place.count > settings.max_registers:
            msg = f"{tag.signal}: takes {place.count} registers, but max_registers is {settings.max_registers}"
            raise ValueError(msg)
        unit = settings.unit if place.unit is None else place.unit
        span = Span(unit, place.table, place.address, place.count, tag.signal)
        mask = 0xFFFF if place.bit is None else codec(place).encode(True)[0]
        points[tag.signal] = Point(span, codec(place), tag.writable, place.counter_bits(), mask)
    return points
