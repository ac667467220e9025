"""Against a device that we didn't write: libmodbus."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from linecontrol.driver import DeviceRefused, Quality
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
async def device(program: Path) -> AsyncGenerator[int]:
    """Its port."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program, stdin=pipe, stdout=pipe)
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
