"""What config says of a Modbus TCP device and of a tag in it."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from typing_extensions import override

from linecontrol.driver import ConnectionSettings, Duration, TagSettings

Address = Annotated[int, Field(ge=0, le=65_535)]
"""Position in a table of the device, 0-based as on the wire: what manuals call 40001 is holding 0."""

Unit = Annotated[int, Field(ge=0, le=255)]
"""Unit id: which device behind the address is meant."""


ValueType = type[bool] | type[int] | type[float] | type[str]
"""Python type of a tag's values."""


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
    STRING = "string"

    @property
    def bits(self) -> int:
        """Width of a number in bits; 0 for text."""
        return 0 if self is WordType.STRING else int(self[-2:])


class Order(StrEnum):
    """Order in which the bytes ABCD of a value arrive: two to a register, the high one first."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


class ModbusConnection(ConnectionSettings):
    """A Modbus TCP device, or a gateway with several devices behind it."""

    host: str
    """Name or address of the device."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 502
    """TCP port."""
    unit: Unit = 1
    """Unit id of the tags that don't name one."""
    poll: Annotated[Duration, Field(gt=0)] = 500_000_000
    """Time from one round of reads to the next."""
    timeout: Annotated[Duration, Field(gt=0)] = 1_000_000_000
    """How long to wait for an answer, in real time; then the connection is given up. Longer than that of a gateway."""
    gap: Annotated[int, Field(ge=0, le=124)] = 8
    """So many registers (or 16 times as many bits) that nobody asked for are read to save a request."""
    max_registers: Annotated[int, Field(ge=1, le=125)] = 125
    """Most registers that the device gives in one answer."""
    max_bits: Annotated[int, Field(ge=1, le=2000)] = 2000
    """Most bits that the device gives in one answer."""

    @override
    def endpoint(self) -> tuple[str, int]:
        """Host and port that will be contacted."""
        return self.host, self.port

    @override
    def interval(self) -> int:
        """Longest time in nanoseconds from a value's change to its being looked at."""
        return self.poll

    @override
    def on_loopback(self, port: int) -> Self:
        """The same connection, but to a simulated device at 127.0.0.1 and ``port``."""
        return self.model_copy(update={"host": "127.0.0.1", "port": port})


class ModbusTag(TagSettings):
    """Where a signal lives in a Modbus device: exactly one of ``holding``, ``input``, ``coil`` and ``discrete``."""

    holding: Address | None = None
    """First holding register (0-based)."""
    input: Address | None = None
    """First input register (0-based)."""
    coil: Address | None = None
    """Coil (0-based)."""
    discrete: Address | None = None
    """Discrete input (0-based)."""
    unit: Unit | None = None
    """Unit id; the connection's ``unit`` if left out."""
    type: WordType = WordType.UINT16
    """How the registers are to be understood."""
    length: Annotated[int, Field(ge=1, le=123)] | None = None
    """Number of registers of a string (two bytes each)."""
    bit: Annotated[int, Field(ge=0, le=15)] | None = None
    """One bit of a register, 0 being the lowest."""
    order: Order = Order.ABCD
    """Order of the bytes."""
    scale: float = 1.0
    """The value is what the registers hold, times ``scale``, plus ``offset``. Whole if all three are whole."""
    offset: float = 0.0
    """See ``scale``."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if problem := self._problem():
            raise ValueError(problem)
        return self

    def _problem(self) -> str | None:
        tables = [table.value for table in Table if self._at(table) is not None]
        if len(tables) != 1:
            return f"give exactly one of holding, input, coil and discrete, not {' and '.join(tables) or 'none'}"
        if self.table.of_bits:
            wrong = sorted(self.model_fields_set & {"type", "length", "bit", "order", "scale", "offset"})
            return f"a {self.table.value} is one bit: leave out {', '.join(wrong)}" if wrong else None
        if self.bit is not None and (self.type.bits != 16 or self.scaled):
            return "bit picks from one plain register: leave out type, scale and offset"
        if self.type is WordType.STRING:
            if self.length is None:
                return "a string needs its length in registers (two bytes each)"
            if self.scaled:
                return "a string can't be scaled: leave out scale and offset"
            if self.order not in (Order.ABCD, Order.BADC):
                return "the registers of a string come in order: its order is ABCD or BADC"
        elif self.length is not None:
            return f"length is for strings: {self.type.value} always takes {self.count} of them"
        if self.scale == 0:
            return "a scale of 0 would make every value the same"
        if self.address + self.count > 65_536:
            return f"{self.count} registers from {self.address} on reach beyond 65535"
        return None

    def _at(self, table: Table) -> int | None:
        return {
            Table.HOLDING: self.holding,
            Table.INPUT: self.input,
            Table.COIL: self.coil,
            Table.DISCRETE: self.discrete,
        }[table]

    @property
    def table(self) -> Table:
        """The table it is in."""
        return next(table for table in Table if self._at(table) is not None)

    @property
    def address(self) -> int:
        """Its first place in the table."""
        return next(address for table in Table if (address := self._at(table)) is not None)

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
        bits = range(16) if self.bit is None else (self.bit,)
        return frozenset(f"{unit} {self.table.value} {address} bit {bit}" for address in addresses for bit in bits)

    @override
    def value_type(self) -> ValueType:
        """Python type of the values that readings of the tag carry."""
        if self.table.of_bits or self.bit is not None:
            return bool
        if self.type is WordType.STRING:
            return str
        whole = self.scale.is_integer() and self.offset.is_integer()
        return int if whole and self.type not in (WordType.FLOAT32, WordType.FLOAT64) else float

    @override
    def counter_bits(self) -> int | None:
        """Width in bits of an unsigned, unscaled number; ``None`` for all else."""
        unsigned = self.type in (WordType.UINT16, WordType.UINT32, WordType.UINT64)
        return self.type.bits if self.value_type() is int and unsigned and not self.scaled else None

    def write_problem(self) -> str | None:
        """Why a command can't be written to it; ``None`` if it can."""
        if not self.table.writable:
            return f"a command can't be written to {self.table.value} {self.address}: give it a holding or a coil"
        if self.bit is not None:
            return f"a command can't be written to one bit of holding {self.address}: give it a register or a coil"
        return None
