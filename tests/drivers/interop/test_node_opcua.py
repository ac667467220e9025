"""Our driver against an OPC UA server of another make (node-opcua)."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest

from linecontrol.clock import SystemClock
from linecontrol.driver import DeviceRefused, Quality, Reading, Tag, Value
from linecontrol_opcua import OpcuaDriver
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag

pytestmark = [pytest.mark.system]

HERE = Path(__file__).parent
HELD: dict[str, tuple[str, Value]] = {
    "Running": ("bool", True),
    "Small": ("int8", -5),
    "State": ("int16", 3),
    "Big": ("int64", 4_000_000_000),
    "Force": ("float", 12.5),
    "Torque": ("double", 1.25),
    "Unit": ("string", "TR-0001"),
}
TICKS = 12


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where the press listens."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / "node-opcua-server").is_dir():
        pytest.skip("node-opcua is not installed: npm install --prefix tests/drivers/interop")
    command = [node, str(HERE / "press.cjs"), "0", str(tmp_path_factory.mktemp("press"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as press:
        assert press.stdout is not None
        try:
            while not (line := press.stdout.readline()).startswith("{"):
                assert press.poll() is None, "the press ended; its own words are above"
            told: int = json.loads(line)["port"]
            yield told
        finally:
            press.kill()


def tag(name: str, type_: str, *, writable: bool = False) -> Tag:
    settings = {"node": f"nsu=urn:node:press;s=Press.{name}", "type": type_, "sampling": "10ms"}
    return Tag(f"press/ram/{name}", OpcuaTag.model_validate(settings), writable)


def driver(port: int) -> OpcuaDriver:
    tags = [tag(name, type_) for name, (type_, _) in HELD.items()]
    tags += [tag("Ticks", "uint32"), tag("Nowhere", "int16"), tag("Hold", "uint16", writable=True)]
    settings = OpcuaConnection.model_validate({"url": f"opc.tcp://127.0.0.1:{port}", "publish": "50ms"})
    return OpcuaDriver("press", settings, tags, SystemClock())


async def test_every_type_and_every_tick_arrives(port: int) -> None:
    press = driver(port)
    ticks: list[Reading] = []
    first: dict[str, Reading] = {}
    try:
        async with asyncio.timeout(20):
            await press.connect()
            async with aclosing(press.readings()) as batches:
                async for batch in batches:
                    for reading in batch:
                        first.setdefault(reading.signal.removeprefix("press/ram/"), reading)
                    ticks += [reading for reading in batch if reading.signal == "press/ram/Ticks"]
                    if len(ticks) >= TICKS:
                        break
    finally:
        await press.close()
    assert {name: first[name].value for name in HELD} == {name: value for name, (_, value) in HELD.items()}
    assert all(first[name].quality is Quality.GOOD for name in HELD)
    assert (first["Nowhere"].quality, first["Nowhere"].value) == (Quality.BAD, None)
    assert [int(now.value or 0) - int(last.value or 0) for last, now in pairwise(ticks)] == [1] * (len(ticks) - 1)
    assert all(last.source_ns < now.source_ns for last, now in pairwise(ticks))


async def test_what_is_written_is_read_back(port: int) -> None:
    press = driver(port)
    try:
        async with asyncio.timeout(20):
            await press.connect()
            await press.write({"press/ram/Hold": 7})
            assert [reading.value for reading in await press.read(["press/ram/Hold", "press/ram/State"])] == [7, 3]
            with pytest.raises(DeviceRefused, match="Hold"):
                await press.write({"press/ram/Hold": 70_000})
    finally:
        await press.close()
