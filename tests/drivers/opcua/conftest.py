"""Real servers on loopback, and a proxy between driver and server that can go silent."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from linecontrol.clock import SystemClock
from linecontrol.driver import Clock, Reading, Tag
from linecontrol_opcua import OpcuaDriver
from linecontrol_opcua.server import OpcuaPlcServer
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag


class Rig:
    """Makes connections, tags, servers and drivers."""

    def free_port(self) -> int:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port: int = listener.getsockname()[1]
            return port

    def connection(self, port: int | None = None, **more: object) -> OpcuaConnection:
        fast = {"publish": "20ms", "timeout": "2s"}
        url = f"opc.tcp://127.0.0.1:{port or self.free_port()}/plc"
        return OpcuaConnection.model_validate({"url": url, **fast, **more})

    def tag(self, signal: str, node: str, type_: str, *, writable: bool = False, **more: object) -> Tag:
        return Tag(signal, OpcuaTag.model_validate({"node": node, "type": type_, **more}), writable)

    @asynccontextmanager
    async def serve(
        self, settings: OpcuaConnection, tags: Sequence[Tag], clock: Clock | None = None
    ) -> AsyncIterator[OpcuaPlcServer]:
        server = OpcuaPlcServer("plc", settings, tags, clock or SystemClock())
        await server.start()
        try:
            yield server
        finally:
            await server.close()

    @asynccontextmanager
    async def drive(
        self, settings: OpcuaConnection, tags: Sequence[Tag], clock: Clock | None = None
    ) -> AsyncIterator[OpcuaDriver]:
        driver = OpcuaDriver("plc", settings, tags, clock or SystemClock())
        try:
            await driver.connect()
            yield driver
        finally:
            await driver.close()

    async def until(
        self, readings: AsyncGenerator[list[Reading], None], enough: Callable[[list[Reading]], bool]
    ) -> list[Reading]:
        """All readings until there are enough of them."""
        got: list[Reading] = []
        async with asyncio.timeout(20):
            while not enough(got):
                batch = await anext(readings)
                assert batch
                got += batch
        return got

    @asynccontextmanager
    async def proxy(self, to: int) -> AsyncIterator["Proxy"]:
        """A proxy that forwards to a port until it is frozen."""
        proxy = Proxy(self.free_port())
        async with asyncio.TaskGroup() as group:

            async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
                with suppress(OSError):
                    while data := await source.read(65536):
                        await proxy.flows.wait()
                        sink.write(data)
                sink.close()

            async def both(near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
                far, far_out = await asyncio.open_connection("127.0.0.1", to)
                group.create_task(pump(near, far_out))
                group.create_task(pump(far, near_out))

            server = await asyncio.start_server(both, "127.0.0.1", proxy.port)
            yield proxy
            server.close()
            proxy.flows.set()


class Proxy:
    """Where a proxy listens, and whether bytes flow through it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.flows = asyncio.Event()
        self.flows.set()


@pytest.fixture
def rig() -> Rig:
    """A rig of one's own."""
    return Rig()
