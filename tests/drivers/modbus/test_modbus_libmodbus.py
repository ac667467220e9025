"""Against a device that we didn't write: libmodbus."""

import asyncio
import os
import shutil
import subprocess
import tty
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from linecontrol.driver import DeviceRefused, Quality
from linecontrol_modbus.settings import ModbusConnection
from tests.drivers.modbus.plant import Plant, connection, samples, tag

SOURCE = Path(__file__).with_name("libmodbus_server.c")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device, compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler: install gcc and libc6-dev")
    target = tmp_path_factory.mktemp("libmodbus") / "server"
    command: list[str | Path] = [compiler, "-O1", "-I/usr/include/modbus", "-o", target, SOURCE, "-lmodbus"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode and "modbus.h" in result.stderr:
        pytest.skip("there is no libmodbus: install libmodbus-dev")
    assert result.returncode == 0, result.stderr
    return target


@asynccontextmanager
async def device(program: Path, *arguments: str) -> AsyncGenerator[int]:
    """Its port."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program, *arguments, stdin=pipe, stdout=pipe)
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        if process.stdin is not None:
            process.stdin.close()
        async with asyncio.timeout(5):
            await process.wait()
        await asyncio.sleep(0.01)


@pytest.mark.system
@pytest.mark.parametrize("depth", [1, 4])
async def test_reads_and_writes(program: Path, depth: int) -> None:
    tags = [
        *(tag(f"h{n}", holding=n) for n in range(0, 150, 5)),
        *(tag(f"i{n}", input=n, type="uint32") for n in range(0, 100, 50)),
        *(tag(f"c{n}", coil=n) for n in range(20)),
        *(tag(f"d{n}", discrete=n) for n in (0, 199)),
        tag("gone", holding=150),
        tag("far", holding=250),
    ]
    commands = [
        tag("one", holding=190, writable=True),
        tag("two", holding=191, type="float32", order="CDAB", writable=True),
        tag("coil", coil=190, writable=True),
        tag("lost", holding=200, writable=True),
    ]
    async with device(program) as port, Plant() as plant:
        settings = connection(port=port, in_flight=depth)
        driver = await plant.connected(settings, *tags, *commands)
        readings = driver.readings()
        shown = samples(await anext(readings))
        bad = {name for name, (_, quality, _) in shown.items() if quality is Quality.BAD}
        assert bad == {"far"}
        assert shown["far"] == (None, Quality.BAD, 2)
        for name, (value, _, _) in shown.items():
            number = int(name[1:]) if name[1:].isdecimal() else 150
            if name[0] in "hg":
                assert value == 7 * number
            elif name[0] == "i":
                assert value == 7 * number << 16 | 7 * (number + 1)
            elif name[0] in "cd":
                assert value is (number % 3 == 0)
        await driver.write({"one": 12345, "two": 1.5, "coil": True})
        assert [one.value for one in await driver.read(["coil", "two", "one"])] == [True, 1.5, 12345]
        with pytest.raises(DeviceRefused, match="lost at unit 1 holding 200: refused, exception 2"):
            await driver.write({"lost": 1})
        assert driver.traffic.misfits == 0
        await readings.aclose()


@contextmanager
def cable() -> Generator[tuple[str, str]]:
    """Two serial ports that are joined, as paths: what is written to one comes out of the other."""
    loop = asyncio.get_running_loop()
    pairs = [os.openpty() for _ in range(2)]
    masters = [master for master, _ in pairs]

    def carry(source: int, target: int) -> None:
        os.write(target, os.read(source, 4096))

    for _, slave in pairs:
        tty.setraw(slave)
    for source, target in (masters, masters[::-1]):
        loop.add_reader(source, carry, source, target)
    try:
        yield os.ttyname(pairs[0][1]), os.ttyname(pairs[1][1])
    finally:
        for master, slave in pairs:
            loop.remove_reader(master)
            os.close(slave)
            os.close(master)


@pytest.mark.system
async def test_reads_and_writes_on_a_serial_line(program: Path) -> None:
    tags = [tag("a", holding=10), tag("b", input=120, type="uint32"), tag("c", coil=3), tag("gone", holding=300)]
    command = tag("go", holding=150, type="float32", order="DCBA", writable=True)
    with cable() as (ours, theirs):
        async with device(program, theirs), Plant() as plant:
            settings = ModbusConnection.model_validate(
                {"transport": "serial", "device": ours, "baudrate": 115200, "parity": "none", "timeout": "500ms"}
            )
            driver = await plant.connected(settings, *tags, command)
            readings = driver.readings()
            shown = samples(await anext(readings))
            assert shown == {
                "a": (70, Quality.GOOD, 0),
                "b": (840 << 16 | 847, Quality.GOOD, 0),
                "c": (True, Quality.GOOD, 0),
                "gone": (None, Quality.BAD, 2),
            }
            await driver.write({"go": -2.5})
            assert [one.value for one in await driver.read(["go", "a"])] == [-2.5, 70]
            assert (driver.traffic.misfits, driver.traffic.late_answers) == (0, 0)
            await readings.aclose()
