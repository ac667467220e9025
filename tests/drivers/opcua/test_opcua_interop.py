"""Our driver against an OPC UA server of another make (node-opcua), in every way to secure messages."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linecontrol.clock import SystemClock
from linecontrol.driver import DeviceRefused, Quality
from linecontrol_opcua import OpcuaDriver
from linecontrol_opcua.pki import Pki
from linecontrol_opcua.probe import OpcuaProbe

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_SCRIPT = Path(__file__).parents[1] / "interop" / "secured.cjs"
_NODE = shutil.which("node")


def _has_package() -> bool:
    return _NODE is not None and (_SCRIPT.parent / "node_modules" / "node-opcua-server").is_dir()


pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        not _has_package(), reason="node-opcua is not installed: npm install --prefix tests/drivers/interop"
    ),
]


@asynccontextmanager
async def _server(port: int, folder: Path) -> AsyncIterator[str]:
    """The namespace URI of a server in a process of its own."""
    assert _NODE is not None
    pipe, environment = asyncio.subprocess.PIPE, os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        _NODE,
        str(_SCRIPT),
        str(port),
        str(folder),
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while not (line := await process.stdout.readline()).startswith(b"ready"):
                assert line, "the server ended"
        yield line.split()[1].decode()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_a_server_by_others(rig: "Rig", tmp_path: Path) -> None:
    port, pki = rig.free_port(), tmp_path / "pki"
    password = tmp_path / "password"
    password.write_text("secret")
    password.chmod(0o600)
    async with _server(port, tmp_path) as uri:
        tags = [
            rig.tag("l/s/count", f"nsu={uri};s=Count", "uint32", sampling="20ms"),
            rig.tag("l/s/torque", f"nsu={uri};s=Torque", "double"),
            rig.tag("l/s/nowhere", f"nsu={uri};s=Nowhere", "double"),
        ]
        who = {"user": "engineer", "password_file": password}
        refused = OpcuaDriver("plc", rig.connection(port, security="sign", pki=pki), tags, SystemClock())
        with pytest.raises(DeviceRefused, match=r"linecontrol trust accept [0-9A-F]{40}"):
            await refused.connect()
        await refused.close()
        Pki(pki).move(next((pki / "rejected").glob("*.der")).stem, "trusted")
        ways: list[dict[str, object]] = [{"security": "none"}]
        ways += [
            {"security": mode, "policy": policy, "check_host": False, "pki": pki, **who}
            for mode in ("sign", "sign_and_encrypt")
            for policy in ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
        ]
        for number, way in enumerate(ways):
            async with rig.drive(rig.connection(port, timeout="5s", **way), tags) as driver:
                got = await rig.until(driver.readings(), lambda got: sum(r.signal == "l/s/count" for r in got) > 20)
                counts = [int(str(reading.value)) for reading in got if reading.signal == "l/s/count"]
                assert counts == sorted(set(counts))
                assert driver.traffic.gaps == 0
                assert {r.quality for r in got if r.signal == "l/s/nowhere"} == {Quality.BAD}
                await driver.write({"l/s/torque": number + 0.25})
                (back,) = await driver.read(["l/s/torque"])
                assert back.value == number + 0.25
        found = {
            finding.path: finding
            async for finding in OpcuaProbe(f"opc.tcp://127.0.0.1:{port}", {}).look(lambda *_: None)
        }
        assert found["Station", "Torque"].tag == {"node": f"nsu={uri};s=Torque", "type": "double"}


async def test_commands_to_a_server_by_others(rig: "Rig", tmp_path: Path) -> None:
    port = rig.free_port()
    async with _server(port, tmp_path) as uri:
        call = {"object": f"nsu={uri};path=Station", "method": f"nsu={uri};path=Station/SetAndon"}
        tags = [
            rig.tag("l/s/command_torque", f"nsu={uri};s=Torque", "int16", writable=True),
            rig.tag("l/s/command_andon", f"nsu={uri};s=Andon", "int16", writable=True),
            rig.tag("l/s/command_called", f"nsu={uri};path=Station/Andon", "int32", writable=True, call=call),
            rig.tag("l/s/command_typed", f"nsu={uri};s=Andon", "uint8", writable=True, call=call),
        ]
        async with rig.drive(rig.connection(port, timeout="5s"), tags) as driver:

            async def shown() -> object:
                (reading,) = await driver.read(["l/s/command_called"])
                return reading.value

            await driver.write({"l/s/command_torque": 3, "l/s/command_andon": 1})
            assert await shown() == 1
            await driver.write({"l/s/command_called": 2})
            assert await shown() == 2
            await driver.write({"l/s/command_typed": 0})
            assert await shown() == 0
            with pytest.raises(DeviceRefused, match="command_called: BadOutOfRange"):
                await driver.write({"l/s/command_called": 3})
