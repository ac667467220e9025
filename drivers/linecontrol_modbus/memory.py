"""What a simulated PLC holds: pymodbus's datastore, but exact to the single register and bit."""

from collections.abc import Iterable, Sequence

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simcore import SimCore
from typing_extensions import override

from linecontrol.driver import Write
from linecontrol_modbus.layout import Point
from linecontrol_modbus.plan import Span
from linecontrol_modbus.tag import Table

TABLES = {
    1: Table.COIL,
    2: Table.DISCRETE,
    3: Table.HOLDING,
    4: Table.INPUT,
    5: Table.COIL,
    6: Table.HOLDING,
    15: Table.COIL,
    16: Table.HOLDING,
    22: Table.HOLDING,
    23: Table.HOLDING,
}
"""The table that a function code is about."""

NO_DEVICE = SimDevice(0, SimData(0, datatype=DataType.REGISTERS))
"""What pymodbus must be given for a start; ``Memory`` takes its place."""


class Memory(SimCore):
    """Units with tables that hold the places of the points and no others; clients write to writable points only."""

    def __init__(self, points: Iterable[Point]) -> None:
        """All places hold 0."""
        super().__init__([])
        self.writes: list[Write] = []
        self._units: dict[int, dict[Table, dict[int, int]]] = {}
        self._commands: dict[tuple[int, Table, int], Point] = {}
        for point in points:
            span = point.span
            places = range(span.address, span.end)
            self._table(span).update(dict.fromkeys(places, 0))
            if point.writable:
                self._commands.update({(span.unit, span.table, place): point for place in places})

    def get(self, span: Span) -> list[int]:
        """What the places of ``span`` hold."""
        table = self._table(span)
        return [table[place] for place in range(span.address, span.end)]

    def put(self, span: Span, places: Sequence[int], mask: int) -> None:
        """Make the places of ``span`` hold ``places``, as far as their bits are in ``mask``."""
        held = self.get(span)
        merged = [old & ~mask | new & mask for old, new in zip(held, places, strict=True)]
        self._table(span).update(zip(range(span.address, span.end), merged, strict=True))

    def _table(self, span: Span) -> dict[int, int]:
        return self._units.setdefault(span.unit, {}).setdefault(span.table, {})

    @override
    async def async_getValues(
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | list[bool] | ExcCodes:
        table = self._tables_of(device_id).get(TABLES[func_code], {})
        try:
            return [table[place] for place in range(address, address + count)]
        except KeyError:
            return ExcCodes.ILLEGAL_ADDRESS

    @override
    async def async_setValues(
        self, device_id: int, func_code: int, address: int, values: list[int] | list[bool]
    ) -> ExcCodes | None:
        self._tables_of(device_id)
        table = TABLES[func_code]
        places = range(address, address + len(values))
        written = [self._commands.get((device_id, table, place)) for place in places]
        touched = {point.span: point for point in written if point}
        if None in written:
            return ExcCodes.ILLEGAL_ADDRESS
        self._units[device_id][table].update(zip(places, map(int, values), strict=True))
        self.writes += [Write(span.signal, point.codec.decode(self.get(span))) for span, point in touched.items()]
        return None

    def _tables_of(self, unit: int) -> dict[Table, dict[int, int]]:
        try:
            return self._units[unit]
        except KeyError:
            msg = f"no unit {unit}"
            raise NoSuchIdException(msg) from None
