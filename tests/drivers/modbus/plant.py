"""Drivers and their peers over real TCP, well-behaved or not."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Self

from linecontrol.clock import SystemClock
from linecontrol.driver import Clock, Quality, Reading, Tag, Value
from linecontrol_modbus import ModbusDriver
from linecontrol_modbus.server import ModbusPlcServer
from linecontrol_modbus.settings import ModbusConnection, ModbusTag

CLOCK = SystemClock()
GOOD, BAD = Quality.GOOD, Quality.BAD


def connection(**given: object) -> ModbusConnection:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return ModbusConnection.model_validate(
        {"host": "127.0.0.1", "port": port, "poll": "10ms", "timeout": "5s", **given}
    )


def tag(signal: str, /, *, writable: bool = False, **address: object) -> Tag:
    return Tag(signal, ModbusTag.model_validate(address), writable)


def reading(signal: str, value: Value) -> Reading:
    return Reading(signal, value, GOOD, 0, 0)


def samples(batch: list[Reading]) -> dict[str, tuple[Value, Quality, int]]:
    return {one.signal: (one.value, one.quality, one.status) for one in batch}


class Plant:
    """Drivers and peers that end with the block."""

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self._talks: list[asyncio.Task[None]] = []
        return self

    async def __aexit__(self, *_: object) -> None:
        async with asyncio.timeout(2):
            await self._stack.aclose()
            for talk in self._talks:
                await talk

    async def serve(self, settings: ModbusConnection, *tags: Tag) -> ModbusPlcServer:
        server = ModbusPlcServer("paint", settings, tags, CLOCK)
        await server.start()
        self._stack.push_async_callback(server.close)
        return server

    def driver(self, settings: ModbusConnection, *tags: Tag, clock: Clock = CLOCK) -> ModbusDriver:
        driver = ModbusDriver("paint", settings, tags, clock)
        self._stack.push_async_callback(driver.close)
        return driver

    async def connected(self, settings: ModbusConnection, *tags: Tag) -> ModbusDriver:
        driver = self.driver(settings, *tags)
        await driver.connect()
        return driver

    async def rogue(
        self, settings: ModbusConnection, reply: Callable[[bytes], bytes | None], *, bytewise: bool = False
    ) -> list[bytes]:
        """A peer that gives ``reply`` to each request, or hangs up if that is ``None``; the requests that it got."""
        requests: list[bytes] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if task := asyncio.current_task():
                self._talks.append(task)
            while request := await reader.read(300):
                requests.append(request)
                if (answer := reply(request)) is None:
                    break
                for part in (bytes([byte]) for byte in answer) if bytewise else [answer]:
                    writer.write(part)
                    await asyncio.sleep(0)
            writer.close()

        server = await asyncio.start_server(talk, *settings.endpoint())
        self._stack.callback(server.close)
        return requests


def frame(request: bytes, pdu: str) -> bytes:
    """An answer to ``request`` that is well-formed around ``pdu``."""
    data = bytes.fromhex(pdu)
    return request[:4] + (len(data) + 1).to_bytes(2, "big") + request[6:7] + data
