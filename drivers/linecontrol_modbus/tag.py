"""What config says of a tag in a Modbus device."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from typing_extensions import override

from linecontrol.driver import Duration, TagSettings

Address = Annotated[int, Field(ge=0, le=65_535)]
"""Position in a table of the device, counted from the connection's ``base``."""

Unit = Annotated[int, Field(ge=0, le=255)]
"""Unit id: which device behind the address is meant."""

Bit = Annotated[int, Field(ge=0, le=15)]
"""Bit of a register, 0 being the lowest."""

ValueType = type[bool] | type[int] | type[float] | type[str]
"""Python type of a tag's values."""

PLACES = 65_536
"""Places in a table."""


class Table(StrEnum):
    """The four tables of a Modbus device."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def of_bits(self) -> bool:
        """Whether it holds single bits; the others hold registers of 16."""
        return self in (Table.COIL, Table.DISCRETE)

    @property
    def writable(self) -> bool:
        """Whether the protocol can write to it."""
        return self in (Table.HOLDING, Table.COIL)


_BY_DIGIT = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}
_REFERENCE_DIGITS = (5, 6)


class WordType(StrEnum):
    """How registers are to be understood."""

    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
    STRING = "string"

    @property
    def bits(self) -> int:
        """Width of a number in bits; 0 for text."""
        return 0 if self is WordType.STRING else int(self[-2:])

    @property
    def real(self) -> bool:
        """Whether it is a floating point number."""
        return self in (WordType.FLOAT32, WordType.FLOAT64)


class Order(StrEnum):
    """Order in which the bytes ABCD of a value arrive: two to a register, the high one first."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


class ModbusTag(TagSettings):
    """Where a signal lives: exactly one of ``holding``, ``input``, ``coil``, ``discrete`` and ``reference``."""

    holding: Address | None = None
    """First holding register."""
    input: Address | None = None
    """First input register."""
    coil: Address | None = None
    """Coil."""
    discrete: Address | None = None
    """Discrete input."""
    reference: int | str | None = None
    """Place as manuals write it: 40001 or 400001 is the first holding register; 3 is input, 1 discrete, 0 coil."""
    unit: Unit | None = None
    """Unit id; the connection's ``unit`` if left out."""
    poll: Annotated[Duration, Field(gt=0)] | None = None
    """Time from one read to the next; the connection's ``poll`` if left out."""
    type: WordType = WordType.UINT16
    """How the registers are to be understood."""
    length: Annotated[int, Field(ge=1, le=123)] | None = None
    """Number of registers of a string (two bytes each)."""
    bit: Bit | None = None
    """One bit of a register, 0 being the lowest."""
    bits: tuple[Bit, Bit] | None = None
    """First and last bit of a register that together are an unsigned number, 0 being the lowest."""
    order: Order = Order.ABCD
    """Order of the bytes."""
    scale: float = 1.0
    """The value is what the registers hold, times ``scale``, plus ``offset``. Whole if all three are whole."""
    offset: float = 0.0
    """See ``scale``."""
    sentinels: tuple[int | float, ...] = ()
    """What the registers hold (before ``scale``) when the device has no value: the signal is then bad."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if problem := self._place_problem() or self._problem():
            raise ValueError(problem)
        return self

    def _place_problem(self) -> str | None:
        named = [table.value for table in Table if getattr(self, table.value) is not None]
        if self.reference is not None:
            named.append("reference")
            if _referenced(self.reference) is None:
                return (
                    f"reference {self.reference} is none: write 40001 to 49999 or 400001 to 465536; or 3, 1 or 0 first"
                )
        if len(named) != 1:
            given = " and ".join(named) or "none"
            return f"give exactly one of holding, input, coil, discrete and reference, not {given}"
        return None

    def _problem(self) -> str | None:
        given = self.model_fields_set
        if self.table.of_bits:
            wrong = sorted(given & {"type", "length", "bit", "bits", "order", "scale", "offset", "sentinels"})
            return f"a {self.table.value} is one bit: leave out {', '.join(wrong)}" if wrong else None
        return self._bits_problem() or self._string_problem() or self._number_problem()

    def _bits_problem(self) -> str | None:
        if self.bit is None and self.bits is None:
            return None
        key = "bits" if self.bits else "bit"
        if self.bit is not None and self.bits is not None:
            return "bit is one, bits are several: leave out one of them"
        if self.type is not WordType.UINT16 or self.scaled or self.sentinels:
            return f"{key} picks from one plain register: leave out type, scale, offset and sentinels"
        if self.bits and self.bits[0] > self.bits[1]:
            return f"bits: the first bit comes first, so write [{self.bits[1]}, {self.bits[0]}]"
        return None

    def _string_problem(self) -> str | None:
        if self.type is not WordType.STRING:
            return None
        if self.length is None:
            return "a string needs its length in registers (two bytes each)"
        if self.scaled:
            return "a string can't be scaled: leave out scale and offset"
        if self.sentinels:
            return "a string has no sentinels: leave them out"
        if self.order not in (Order.ABCD, Order.BADC):
            return "the registers of a string come in order: its order is ABCD or BADC"
        return None

    def _number_problem(self) -> str | None:
        if self.type is not WordType.STRING and self.length is not None:
            return f"length is for strings: {self.type.value} always takes {self.count} of them"
        if self.scale == 0:
            return "a scale of 0 would make every value the same"
        if self.address + self.count > PLACES:
            return f"{self.count} registers from {self.address} on reach beyond {PLACES - 1}"
        return None

    @property
    def table(self) -> Table:
        """The table it is in."""
        if self.reference is not None and (place := _referenced(self.reference)):
            return place[0]
        return next(table for table in Table if getattr(self, table.value) is not None)

    @property
    def address(self) -> int:
        """Its first place in the table: 0-based if given as ``reference``, else as config counts."""
        if self.reference is not None and (place := _referenced(self.reference)):
            return place[1]
        address: int = getattr(self, self.table.value)
        return address

    @property
    def count(self) -> int:
        """Registers (or bits, in a table of bits) that it takes."""
        return 1 if self.table.of_bits else self.length or self.type.bits // 16

    @property
    def scaled(self) -> bool:
        """Whether the value is another than the registers hold."""
        return (self.scale, self.offset) != (1.0, 0.0)

    @override
    def places(self) -> frozenset[str]:
        """Bits that it takes, such as ``unit 1 holding 100 bit 3``; ``unit default`` if it names no unit."""
        unit = f"unit {'default' if self.unit is None else self.unit}"
        addresses = range(self.address, self.address + self.count)
        if self.table.of_bits:
            return frozenset(f"{unit} {self.table.value} {address}" for address in addresses)
        bits = range(16)
        if self.bit is not None:
            bits = range(self.bit, self.bit + 1)
        elif self.bits is not None:
            bits = range(self.bits[0], self.bits[1] + 1)
        return frozenset(f"{unit} {self.table.value} {address} bit {bit}" for address in addresses for bit in bits)

    @override
    def value_type(self) -> ValueType:
        """Python type of the values that readings of the tag carry."""
        if self.table.of_bits or self.bit is not None:
            return bool
        if self.type is WordType.STRING:
            return str
        whole = self.scale.is_integer() and self.offset.is_integer()
        return int if whole and not self.type.real else float

    @override
    def interval(self) -> int | None:
        """Longest time in nanoseconds from a value's change to its being looked at."""
        return self.poll

    @override
    def counter_bits(self) -> int | None:
        """Width in bits of an unsigned, unscaled number; ``None`` for all else."""
        if self.bits is not None:
            return self.bits[1] - self.bits[0] + 1
        unsigned = self.type in (WordType.UINT16, WordType.UINT32, WordType.UINT64)
        return self.type.bits if self.value_type() is int and unsigned and not self.scaled else None

    def write_problem(self) -> str | None:
        """Why a command can't be written to it; ``None`` if it can."""
        if not self.table.writable:
            return f"a command can't be written to {self.table.value} {self.address}: give it a holding or a coil"
        if self.bit is not None:
            return f"a command can't be written to one bit of holding {self.address}: give it a register or a coil"
        if self.bits is not None:
            return f"a command can't be written to some bits of holding {self.address}: give it a whole register"
        return None


class ModbusIdentity(ModbusTag):
    """A place by which a device is known: what it always shows."""

    equals: bool | int | float | str
    """What it shows, after ``scale`` and ``offset``."""

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if type(self.equals) is not self.value_type():
            msg = f"equals is {self.equals!r}, but the place shows {self.value_type().__name__}"
            raise ValueError(msg)
        return self


def _referenced(reference: int | str) -> tuple[Table, int] | None:
    """Table and 0-based address of 40001 notation; ``None`` if it is none. A coil's leading zeros may be lost."""
    digits = str(reference)
    if isinstance(reference, int):
        digits = digits.zfill(_REFERENCE_DIGITS[0])
    if not (digits.isascii() and digits.isdecimal() and len(digits) in _REFERENCE_DIGITS):
        return None
    table, number = _BY_DIGIT.get(digits[0]), int(digits[1:])
    return (table, number - 1) if table and 1 <= number <= PLACES else None
