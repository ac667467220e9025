"""One TCP connection to a Modbus device, over pymodbus: one request at a time, answers believed only if they fit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from linecontrol.driver import ConnectionLost
from linecontrol_modbus.frames import Misfit, fits
from linecontrol_modbus.settings import Table

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledged, takes time",
    6: "device busy",
    8: "memory parity error",
    10: "gateway has no path to the unit",
    11: "unit does not answer its gateway",
}
"""What exception codes mean."""


class Refused(Exception):
    """The device answered a request with an exception ``code``."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code} ({EXCEPTIONS.get(code, 'unknown')})")
        self.code = code


class Link:
    """Used once. After anything but an answer that fits it is broken for good: every call raises ``ConnectionLost``."""

    def __init__(self, name: str, host: str, port: int, timeout_s: float) -> None:
        """``timeout_s``: how long to wait for a connection or an answer, in real seconds."""
        self.where = f"{name} ({host}:{port})"
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._request: bytes | None = None
        self._broken: str | None = "not connected"
        self._client = AsyncModbusTcpClient(
            host,
            port=port,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._on_packet,
            trace_connect=self._on_connect,
        )

    async def connect(self) -> None:
        """Connect.

        Raises:
            ConnectionLost: the device can't be reached.
        """
        connected = await self._client.connect()
        _heed_cancellation()
        if not connected:
            self._broken = "can't be reached"
        self.check()

    def check(self) -> None:
        """Nothing, if the connection stands.

        Raises:
            ConnectionLost: it doesn't.
        """
        if self._broken:
            raise self._lost()

    async def read(self, unit: int, table: Table, address: int, count: int) -> Sequence[int]:
        """``count`` registers, or bits, from ``address`` on.

        Raises:
            Refused: the device says no.
            ConnectionLost: it says nothing, or nonsense.
        """
        ask = {
            Table.HOLDING: self._client.read_holding_registers,
            Table.INPUT: self._client.read_input_registers,
            Table.COIL: self._client.read_coils,
            Table.DISCRETE: self._client.read_discrete_inputs,
        }[table]
        async with self._turn:
            answer = await self._ask(lambda: ask(address, count=count, device_id=unit))
        return answer.bits[:count] if table.of_bits else answer.registers

    async def write(self, unit: int, table: Table, address: int, places: Sequence[int]) -> None:
        """Write registers, or a coil, once.

        Raises:
            Refused: the device says no.
            ConnectionLost: it says nothing, or nonsense; it may or may not have taken them.
        """
        client = self._client
        async with self._turn:
            if table.of_bits:
                await self._ask(lambda: client.write_coil(address, bool(places[0]), device_id=unit))
            elif len(places) == 1:
                await self._ask(lambda: client.write_register(address, places[0], device_id=unit))
            else:
                await self._ask(lambda: client.write_registers(address, places, device_id=unit))

    async def close(self) -> None:
        """Let go of the connection at once; what waits for an answer gets ``ConnectionLost``."""
        self._break("closed")
        transport = self._client.ctx.transport
        self._client.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
            await asyncio.sleep(0)  # the event loop closes the socket in its next round

    async def _ask(self, send: Callable[[], Awaitable[ModbusPDU]]) -> ModbusPDU:
        self.check()
        try:
            answer = await send()
            _heed_cancellation()
        except ModbusException as error:
            self._break(f"no answer within {self._timeout_s:g} s")
            raise self._lost() from error
        except asyncio.CancelledError:
            self._break("a request was abandoned")
            raise
        self._request = None
        if answer.isError():
            raise Refused(answer.exception_code)
        return answer

    def _on_packet(self, sending: bool, data: bytes) -> bytes:
        """Told by pymodbus of every frame before it is sent or decoded; only a whole one that fits is decoded."""
        if sending:
            self._request = data
            return data
        if self._request is None:
            self._break("the device speaks without being asked")
            return b""
        try:
            return data if fits(self._request, data) else b""
        except Misfit as misfit:
            self._break(str(misfit))
            return b""

    def _on_connect(self, connected: bool) -> None:
        if connected:
            self._broken = None
        else:
            self._break("the device closed the connection")

    def _lost(self) -> ConnectionLost:
        return ConnectionLost(f"{self.where}: {self._broken}")

    def _break(self, reason: str) -> None:
        """Give up, for the first reason that there is; a request under way fails now, not after its timeout."""
        self._broken = self._broken or reason
        if self._request and not (waiting := self._client.ctx.response_future).done():
            waiting.set_exception(ModbusException(reason))
        self._request = None


def _heed_cancellation() -> None:
    """Raise what ``asyncio.wait_for`` of Python 3.11 swallows when an answer and a cancellation come at once."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
