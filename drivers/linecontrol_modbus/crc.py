"""The check sum of Modbus RTU. Pure."""


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


_TABLE = tuple(map(_entry, range(256)))


def crc16(data: bytes) -> bytes:
    """Check sum of ``data``, as it is sent."""
    crc, table = 0xFFFF, _TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")
