"""The OPC UA data types that a signal can have, and how their values go to and from the wire."""

import math
from enum import StrEnum
from typing import NamedTuple

from asyncua import ua

from linecontrol.driver import Value

PythonType = type[bool] | type[int] | type[float] | type[str]
"""Python type of a signal's values."""


class DataType(StrEnum):
    """Data type of a node's value, as the server sends it."""

    BOOL = "bool"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"

    @property
    def wire(self) -> "Wire":
        """How values of the type look on the wire and in Python."""
        return _WIRE[self]

    @property
    def initial(self) -> bool | int | float | str:
        """The value before there is one: False, 0 or the empty string."""
        return self.wire.python()


class Wire(NamedTuple):
    """A data type on the wire: variant type, Python type, and for integers the width and whether it has a sign."""

    variant: ua.VariantType
    python: PythonType
    bits: int = 0
    signed: bool = False

    @property
    def lowest(self) -> int:
        """The lowest integer."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """The highest integer."""
        return self.lowest + (1 << self.bits) - 1


_WIRE = {
    DataType.BOOL: Wire(ua.VariantType.Boolean, bool),
    DataType.INT8: Wire(ua.VariantType.SByte, int, 8, signed=True),
    DataType.UINT8: Wire(ua.VariantType.Byte, int, 8),
    DataType.INT16: Wire(ua.VariantType.Int16, int, 16, signed=True),
    DataType.UINT16: Wire(ua.VariantType.UInt16, int, 16),
    DataType.INT32: Wire(ua.VariantType.Int32, int, 32, signed=True),
    DataType.UINT32: Wire(ua.VariantType.UInt32, int, 32),
    DataType.INT64: Wire(ua.VariantType.Int64, int, 64, signed=True),
    DataType.UINT64: Wire(ua.VariantType.UInt64, int, 64),
    DataType.FLOAT: Wire(ua.VariantType.Float, float),
    DataType.DOUBLE: Wire(ua.VariantType.Double, float),
    DataType.STRING: Wire(ua.VariantType.String, str),
}
_LARGEST_FLOAT = (2 - 2**-23) * 2.0**127


def to_variant(value: Value, datatype: DataType) -> ua.Variant:
    """The value as a variant of exactly that type.

    Raises:
        ValueError: it doesn't fit.
    """
    wire = datatype.wire
    if wire.python is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if type(value) is not wire.python or not _fits(value, datatype):
        msg = f"{value!r} is no {datatype}{_range(wire)}"
        raise ValueError(msg)
    return ua.Variant(value, wire.variant)


def _fits(value: Value, datatype: DataType) -> bool:
    wire = datatype.wire
    if wire.bits and isinstance(value, int):
        return wire.lowest <= value <= wire.highest
    if isinstance(value, float):
        return math.isfinite(value) and (datatype is DataType.DOUBLE or abs(value) <= _LARGEST_FLOAT)
    return True


def _range(wire: Wire) -> str:
    return f" ({wire.lowest} to {wire.highest})" if wire.bits else ""
