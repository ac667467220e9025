"""A simulated PLC: exactly the units and places that config names, over real Modbus TCP."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from typing_extensions import override

from linecontrol.driver import Clock, ConnectionSettings, PlcServer, Reading, Tag, Value, Write
from linecontrol_modbus.layout import Point, identity, layout
from linecontrol_modbus.memory import NO_DEVICE, Memory
from linecontrol_modbus.settings import ModbusConnection, Transport


class ModbusPlcServer(PlcServer):
    """Serves every unit id that a tag names; other units, other places and writes to no command are refused."""

    def __init__(self, name: str, settings: ConnectionSettings, tags: Sequence[Tag], clock: Clock) -> None:
        """Do no I/O.

        Raises:
            ValueError: a tag can't be served as config has it; the message names the signal.
        """
        super().__init__(name, settings, tags, clock)
        known = identity(cast("ModbusConnection", settings))
        self._points = layout(cast("ModbusConnection", settings), [*tags, *known.values()])
        self._memory = Memory(self._points.values())
        for point in self._points.values():
            with suppress(ValueError):  # registers of a text, and of a value that can't be 0, stay 0 themselves
                self._memory.put(point.span, point.codec.encode(0), point.mask)
        for name, place in zip(known, cast("ModbusConnection", settings).identity, strict=True):
            self._put(self._points[name], place.equals)
        self._server: ModbusTcpServer | None = None

    @override
    async def start(self) -> None:
        address = self.settings.endpoint()
        by_rtu = cast("ModbusConnection", self.settings).transport is Transport.RTU_OVER_TCP
        server = ModbusTcpServer(NO_DEVICE, address=address, framer=FramerType.RTU if by_rtu else FramerType.SOCKET)
        server.context = self._memory
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            msg = f"{self.name}: can't listen at {address[0]}:{address[1]}"
            raise OSError(msg) from error
        self._server = server

    @override
    async def publish(self, readings: Sequence[Reading]) -> None:
        """Make these the present values. Unknown ones stay as they were: Modbus has no way to say so.

        Raises:
            ValueError: a value doesn't fit its tag; a counter never fails, but rolls over.
        """
        for reading in readings:
            if reading.value is not None:
                self._put(self._points[reading.signal], reading.value)

    def _put(self, point: Point, value: Value) -> None:
        if point.counter_bits and isinstance(value, int):
            value %= 1 << point.counter_bits
        try:
            places = point.codec.encode(value)
        except ValueError as error:
            msg = f"{self.name}: {point.span.signal}: {error}"
            raise ValueError(msg) from error
        self._memory.put(point.span, places, point.mask)

    @override
    def writes(self) -> list[Write]:
        writes, self._memory.writes = self._memory.writes, []
        return writes

    @override
    async def close(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        for connection in server.active_connections.values():
            if isinstance(connection.transport, asyncio.WriteTransport):
                connection.transport.abort()
        await server.shutdown()  # type: ignore[no-untyped-call]
        await asyncio.sleep(0)  # the event loop closes the sockets in its next round
