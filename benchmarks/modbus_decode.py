"""Decoding a block of 62 floats: ours, pymodbus's, and a bare struct, in one run. Prints one JSON line."""

import json
import os
import platform
import struct
import timeit
from collections.abc import Callable

from pymodbus.client import AsyncModbusTcpClient

from linecontrol.driver import Tag
from linecontrol_modbus.decode import Decoder
from linecontrol_modbus.layout import layout
from linecontrol_modbus.plan import plan
from linecontrol_modbus.settings import ModbusConnection, ModbusTag

FLOATS, ROUNDS, REPEATS = 62, 5_000, 7


def decoder(**address: object) -> Decoder:
    """Ours, for floats side by side."""
    tags = [
        Tag(str(n), ModbusTag.model_validate({"input": 2 * n, "type": "float32", **address})) for n in range(FLOATS)
    ]
    points = layout(ModbusConnection(host="plc"), tags)
    [block] = plan((point.span for point in points.values()), 0, 125, 2000)
    return Decoder(block, [points[span.signal].codec for span in block.spans])


def main() -> None:
    """Measure and print the best of each, in microseconds."""
    numbers = [1.5 * n for n in range(FLOATS)]
    data = struct.pack(f">{FLOATS}f", *numbers)
    registers = list(struct.unpack(f">{2 * FLOATS}H", data))
    convert = AsyncModbusTcpClient.convert_from_registers
    kind = AsyncModbusTcpClient.DATATYPE.FLOAT32
    plain, scaled, bare = decoder(), decoder(scale=0.1), struct.Struct(f">{FLOATS}f")
    assert list(plain(data)) == convert(registers, kind) == numbers
    work: dict[str, Callable[[], object]] = {
        "us": lambda: plain(data),
        "us_scaled": lambda: scaled(data),
        "pymodbus_us": lambda: convert(registers, kind),
        "struct_us": lambda: bare.unpack(data),
    }
    figures = {
        name: round(min(timeit.repeat(one, number=ROUNDS, repeat=REPEATS)) / ROUNDS * 1e6, 2)
        for name, one in work.items()
    }
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    print(json.dumps({"benchmark": "modbus_decode", "floats": FLOATS, **figures, **machine}))


if __name__ == "__main__":
    main()
