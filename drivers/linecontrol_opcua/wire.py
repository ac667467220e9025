"""Reading what a peer sent without believing it: every size, count and depth is checked before anything is made.

asyncua's decoder makes as many objects as a message says, and may be blocked for minutes by a few bytes. What this
module has walked over is bounded by the length of the message and by the limits here.
"""

from struct import Struct

MOST_BYTES = 4 * 1024 * 1024
"""Bytes in one message."""
MOST_ELEMENTS = 10_000
"""Elements in one array."""
MOST_IN_ALL = 100_000
"""Elements in all arrays of one message together."""
MOST_TEXT = 16 * 1024
"""Bytes in a string that becomes a value."""
DEEPEST = 16
"""Variants in variants, data values in data values, and so on."""

BOOL, SBYTE, BYTE, INT16, UINT16, INT32, UINT32, INT64, UINT64, FLOAT, DOUBLE, STRING, TIME = range(1, 14)
"""Numbers of the built-in types that a value may have."""

SCALARS = {
    BOOL: "?",
    SBYTE: "b",
    BYTE: "B",
    INT16: "h",
    UINT16: "H",
    INT32: "i",
    UINT32: "I",
    INT64: "q",
    UINT64: "Q",
    FLOAT: "f",
    DOUBLE: "d",
    TIME: "q",
}
"""How ``struct`` calls the built-in types of fixed size that become values."""

_FIXED = {kind: Struct("<" + code).size for kind, code in SCALARS.items()} | {14: 16, 19: 4}
_BYTES = {STRING, 15, 16, *range(26, 32)}
_NODE_ID, _EXPANDED, _QUALIFIED, _LOCALIZED, _EXTENSION, _DATA_VALUE, _VARIANT, _DIAGNOSTIC = (
    17,
    18,
    20,
    21,
    22,
    23,
    24,
    25,
)
_UNPACK = {kind: Struct("<" + code).unpack_from for kind, code in SCALARS.items()}
_I32, _U32, _I64 = (Struct("<" + code).unpack_from for code in "iIq")
_ARRAY, _DIMENSIONS = 0x80, 0x40


class Misfit(ValueError):
    """The peer sent what is no message, or one beyond a limit."""

    counted = False
    """Whether it has been counted."""


class Reader:
    """A place in a message, and how much more of it may be taken."""

    __slots__ = ("data", "end", "left", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        """``end`` is where the message ends, if not with ``data``."""
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end
        self.left = MOST_IN_ALL

    def skip(self, size: int) -> int:
        """Go on by ``size`` bytes; where they start."""
        start = self.pos
        if size < 0 or start + size > self.end:
            msg = f"it ends {start + size - self.end} bytes too early"
            raise Misfit(msg)
        self.pos = start + size
        return start

    def byte(self) -> int:
        """One byte."""
        return self.data[self.skip(1)]

    def u32(self) -> int:
        """An unsigned number of four bytes."""
        (number,) = _U32(self.data, self.skip(4))
        return int(number)

    def i64(self) -> int:
        """A signed number of eight bytes."""
        (number,) = _I64(self.data, self.skip(8))
        return int(number)

    def count(self, smallest: int, most: int = MOST_ELEMENTS) -> int:
        """Length of an array whose elements take ``smallest`` bytes or more; 0 for none at all."""
        (count,) = _I32(self.data, self.skip(4))
        if count < -1:
            msg = f"an array can't have {count} elements"
            raise Misfit(msg)
        if count > most or count > self.left or count * smallest > self.end - self.pos:
            msg = f"an array of {count} elements is beyond the limit"
            raise Misfit(msg)
        self.left -= max(0, count)
        return max(0, int(count))

    def octets(self) -> bytes | None:
        """A byte string, or the bytes of a string; ``None`` for none at all."""
        (size,) = _I32(self.data, self.skip(4))
        if size == -1:
            return None
        start = self.skip(size)
        return self.data[start : start + size]

    def node_id(self) -> None:
        """Go past a node id, expanded or not."""
        encoding = self.byte()
        kind = encoding & 0x3F
        if kind in _NODE_ID_SIZES:
            self.skip(_NODE_ID_SIZES[kind])
        elif kind in {3, 5}:
            self.skip(2)
            self.octets()
        else:
            msg = f"a node id can't be of kind {kind}"
            raise Misfit(msg)
        if encoding & 0x80:
            self.octets()
        if encoding & 0x40:
            self.skip(4)

    def type_id(self) -> int:
        """Number in a numeric node id of namespace 0; 0 for any other node id."""
        start = self.pos
        self.node_id()
        raw = self.data[start : self.pos]
        if raw[0] == 0:
            return raw[1]
        if raw[0] == 1 and raw[1] == 0:
            return int.from_bytes(raw[2:4], "little")
        if raw[0] == 2 and raw[1:3] == b"\0\0":
            return int.from_bytes(raw[3:7], "little")
        return 0

    def extension(self) -> tuple[int, "Reader"]:
        """Go past an extension object; number of its type and its body."""
        number = self.type_id()
        encoding = self.byte()
        if not encoding:
            return number, Reader(b"")
        (size,) = _I32(self.data, self.skip(4))
        if encoding > 2 or size < -1:
            msg = "an extension object without a body that can be told apart"
            raise Misfit(msg)
        start = self.skip(max(0, size))
        body = Reader(self.data, start, self.pos)
        body.left = self.left
        return number, body

    def diagnostic(self, depth: int = 0) -> None:
        """Go past a diagnostic info."""
        mask = self.byte()
        _deeper(depth)
        self.skip(4 * (mask & 0x0F).bit_count())
        if mask & 0x10:
            self.octets()
        if mask & 0x20:
            self.skip(4)
        if mask & 0x40:
            self.diagnostic(depth + 1)

    def variant(self, depth: int = 0) -> tuple[int, bool | int | float | bytes | None]:
        """Type and value of a variant; type 0 if it is neither of a fixed size nor a string, or an array."""
        encoding = self.byte()
        kind = encoding & 0x3F
        if encoding in SCALARS:
            (value,) = _UNPACK[encoding](self.data, self.skip(_FIXED[encoding]))
            return encoding, value
        if encoding == STRING:
            return encoding, self.octets()
        if not encoding & _ARRAY:
            self.element(kind, depth)
        else:
            size = _FIXED.get(kind, 0)
            count = self.count(size or (kind > 0))
            if size:
                self.skip(size * count)
            elif kind:
                for _ in range(count):
                    self.element(kind, depth)
        if encoding & _DIMENSIONS:
            self.skip(4 * self.count(4))
        return 0, None

    def element(self, kind: int, depth: int) -> None:
        """Go past a value of a built-in type."""
        if kind in _FIXED:
            self.skip(_FIXED[kind])
        elif kind in _BYTES:
            self.octets()
        elif kind in {_NODE_ID, _EXPANDED}:
            self.node_id()
        elif kind == _QUALIFIED:
            self.skip(2)
            self.octets()
        elif kind == _LOCALIZED:
            mask = self.byte()
            for bit in (1, 2):
                if mask & bit:
                    self.octets()
        elif kind == _EXTENSION:
            self.extension()
        elif kind == _DATA_VALUE:
            _deeper(depth)
            self.data_value(depth + 1)
        elif kind == _VARIANT:
            _deeper(depth)
            self.variant(depth + 1)
        elif kind == _DIAGNOSTIC:
            self.diagnostic(depth + 1)
        elif kind:
            msg = f"there is no built-in type {kind}"
            raise Misfit(msg)

    def data_value(self, depth: int = 0) -> tuple[int, bool | int | float | bytes | None, int, int, int]:
        """Type, value, status code, source time and server time; 0 for what is missing."""
        mask = self.byte()
        kind, value = self.variant(depth) if mask & 1 else (0, None)
        status = self.u32() if mask & 2 else 0
        source = self.i64() if mask & 4 else 0
        if mask & 0x10:
            self.skip(2)
        server = self.i64() if mask & 8 else 0
        if mask & 0x20:
            self.skip(2)
        return kind, value, status, source, server

    def finish(self) -> None:
        """Insist that nothing is left over."""
        if self.pos != self.end:
            msg = f"{self.end - self.pos} bytes are left over"
            raise Misfit(msg)


_NODE_ID_SIZES = {0: 1, 1: 3, 2: 6, 4: 18}


def _deeper(depth: int) -> None:
    if depth >= DEEPEST:
        msg = f"it is nested more than {DEEPEST} deep"
        raise Misfit(msg)
