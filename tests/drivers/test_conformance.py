"""Every driver keeps the contract, and the check of it finds those that don't."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from linecontrol import driver as contract
from linecontrol.clock import SystemClock
from linecontrol.driver import Driver, PlcServer, Quality, Reading, Tag, Value, Write
from linecontrol.testing import Nonconformity, check_driver
from linecontrol.testing.example import TextConnection, TextDriver, TextTag
from linecontrol_modbus import ModbusDriver
from linecontrol_modbus.server import ModbusPlcServer
from linecontrol_modbus.settings import ModbusConnection, ModbusTag
from linecontrol_opcua import OpcuaDriver
from linecontrol_opcua.server import OpcuaPlcServer
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag

ROOT = Path(__file__).parents[2]
BAD = "l/s/missing"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class TextDevice:
    """The other end of the example: values by name, one line per answer."""

    def __init__(self, port: int, tags: Sequence[Tag]) -> None:
        self._port = port
        self._names = {tag.signal: TextTag.model_validate(tag.settings).name for tag in tags}
        self._commands = {self._names[tag.signal]: tag.signal for tag in tags if tag.writable}
        self._values: dict[str, Value] = dict.fromkeys(self._names.values(), 0)
        self._writes: list[Write] = []
        self._clients: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def publish(self, readings: Sequence[Reading]) -> None:
        self._values.update({self._names[reading.signal]: reading.value for reading in readings})

    def writes(self) -> list[Write]:
        taken, self._writes = self._writes, []
        return taken

    async def close(self) -> None:
        self._server.close()
        for client in self._clients:
            client.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while line := (await reader.readline()).decode().split():
                writer.write(f"{self._answer(*line)}\n".encode())
        except OSError:
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    def _answer(self, verb: str, name: str, value: str = "") -> object:
        if verb == "?":
            return self._values.get(name, "unknown")
        if name not in self._commands:
            return "refused"
        self._values[name] = int(value)
        self._writes.append(Write(self._commands[name], int(value)))
        return "ok"


def modbus() -> tuple[Callable[[], Driver], Callable[[], PlcServer]]:
    settings = ModbusConnection.model_validate({"host": "127.0.0.1", "port": free_port(), "poll": "20ms"})
    tags = [
        Tag("l/s/running", ModbusTag(coil=1)),
        Tag("l/s/cycle_count", ModbusTag(holding=0)),
        Tag("l/s/torque", ModbusTag.model_validate({"holding": 10, "type": "float32", "order": "CDAB"})),
        Tag("l/s/unit_id", ModbusTag.model_validate({"holding": 20, "type": "string", "length": 4})),
        Tag("l/s/command_hold", ModbusTag(coil=9), writable=True),
        Tag("l/s/command_andon", ModbusTag(holding=40), writable=True),
    ]
    missing = Tag(BAD, ModbusTag(holding=4000))
    return (
        lambda: ModbusDriver("plc", settings, [*tags, missing], SystemClock()),
        lambda: ModbusPlcServer("plc", settings, tags, SystemClock()),
    )


def opcua() -> tuple[Callable[[], Driver], Callable[[], PlcServer]]:
    url = f"opc.tcp://127.0.0.1:{free_port()}/plc"
    settings = OpcuaConnection.model_validate({"url": url, "publish": "20ms", "timeout": "2s"})

    def tag(name: str, kind: str, *, writable: bool = False) -> Tag:
        node = f"nsu=urn:plc;s={name}"
        return Tag(f"l/s/{name}", OpcuaTag.model_validate({"node": node, "type": kind}), writable)

    tags = [
        tag("running", "bool"),
        tag("cycle_count", "uint32"),
        tag("torque", "double"),
        tag("unit_id", "string"),
        tag("command_hold", "bool", writable=True),
        tag("command_andon", "int16", writable=True),
    ]
    return (
        lambda: OpcuaDriver("plc", settings, [*tags, tag("missing", "bool")], SystemClock()),
        lambda: OpcuaPlcServer("plc", settings, tags, SystemClock()),
    )


def text(kind: type[TextDriver] = TextDriver) -> tuple[Callable[[], Driver], Callable[[], TextDevice]]:
    settings = TextConnection(host="127.0.0.1", port=free_port())
    tags = [Tag("l/s/cycle_count", TextTag(name="count")), Tag("l/s/command_andon", TextTag(name="andon"), True)]
    return (
        lambda: kind("plc", settings, [*tags, Tag(BAD, TextTag(name="missing"))], SystemClock()),
        lambda: TextDevice(settings.port, tags),
    )


@pytest.mark.parametrize("rig", [modbus, opcua, text])
async def test_a_driver_keeps_the_contract(
    rig: Callable[[], tuple[Callable[[], Driver], Callable[[], PlcServer]]],
) -> None:
    await check_driver(*rig(), bad=[BAD])


class WritesTwice(TextDriver):
    @override
    async def _ask(self, line: str) -> str:
        if line.startswith("="):
            await super()._ask(line)
        return await super()._ask(line)


class GuessesZero(TextDriver):
    @override
    def _reading(self, signal: str, text: str) -> Reading:
        return super()._reading(signal, text if text.isdecimal() else "0")


class YieldsNothing(TextDriver):
    @override
    async def readings(self) -> AsyncGenerator[list[Reading], None]:
        yield []
        async for batch in super().readings():
            yield batch


class LeaksItsError(TextDriver):
    @override
    async def connect(self) -> None:
        try:
            await super().connect()
        except contract.ConnectionLost as error:
            raise OSError("refused") from error


class RaisesAtClose(TextDriver):
    @override
    async def close(self) -> None:
        self._writer.transport.abort()


class LeavesATask(TextDriver):
    @override
    async def connect(self) -> None:
        await super().connect()
        self._forever = asyncio.ensure_future(asyncio.Event().wait())


class Doubts(TextDriver):
    @override
    async def read(self, signals: Sequence[str]) -> list[Reading]:
        readings = await super().read(signals)
        return [Reading(r.signal, r.value, Quality.UNCERTAIN, 1, 1) for r in reversed(readings)]


@pytest.mark.parametrize(
    ("kind", "finding"),
    [
        (WritesTwice, "write: l/s/command_andon = 1 once"),
        (GuessesZero, "l/s/missing, which the device lacks"),
        (YieldsNothing, "a batch is empty"),
        (LeaksItsError, "connect without a device raises OSError"),
        (RaisesAtClose, "close of an unused driver raises AttributeError"),
        (LeavesATask, "tasks are left behind"),
        (Doubts, "has quality UNCERTAIN"),
        (Doubts, "read: not one reading each, in order"),
        (Doubts, "sequence does not count up"),
    ],
)
async def test_a_breach_is_found(kind: type[TextDriver], finding: str) -> None:
    with pytest.raises(Nonconformity, match=finding):
        await check_driver(*text(kind), bad=[BAD], patience_s=3.0)


def test_the_how_to_shows_the_example_that_runs() -> None:
    example = (ROOT / "linecontrol" / "testing" / "example.py").read_text()
    shown = (ROOT / "docs" / "how-to" / "write-a-driver.md").read_text()
    assert f"```python\n{example}```" in shown
