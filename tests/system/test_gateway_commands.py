import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from asyncua.client.client import Client
from pymodbus.client import AsyncModbusTcpClient

from linecontrol.model import Andon, CommandClosed, CommandIssued, CommandResult, FlagChanged
from tests.system.gateway_journal import events, records_in
from tests.system.gateway_process import PLANT, GatewayProcess, Plant, copy_of_plant, running

pytestmark = [pytest.mark.system, pytest.mark.slow]

OFF, YELLOW = Andon.OFF.code, Andon.YELLOW.code

Look = Callable[[], Awaitable[int]]


@asynccontextmanager
async def shafts_light(plant: Plant) -> AsyncIterator[Look]:
    """Reads the light of the shafts over a connection of its own."""
    async with Client(f"opc.tcp://127.0.0.1:{plant.ports['gearbox_plc']}") as client:
        index = await client.get_namespace_index("urn:test:gearbox")
        yield client.get_node(f"ns={index};s=Shafts.Andon").get_value


@asynccontextmanager
async def rotor_light(plant: Plant) -> AsyncIterator[Look]:
    """Reads the light of the rotor over a connection of its own."""
    client = AsyncModbusTcpClient("127.0.0.1", port=plant.ports["pump_gateway"])
    assert await client.connect()

    async def look() -> int:
        answer = await client.read_holding_registers(100, count=1, device_id=7)
        return int(answer.registers[0])

    try:
        yield look
    finally:
        client.close()


async def shows(look: Look, value: int) -> None:
    async with asyncio.timeout(30):
        while await look() != value:  # noqa: ASYNC110 - the device tells nobody
            await asyncio.sleep(0.02)


def flagged(gateway: GatewayProcess, station: str) -> bool:
    return any(row["flag"] == f"cycle_late/{station}" for row in gateway.page()["flags"])


@pytest.mark.parametrize(
    ("light", "station"), [(shafts_light, "gearbox/shafts"), (rotor_light, "pump/rotor")], ids=["opcua", "modbus"]
)
async def test_a_late_cycle_lights_the_andon_until_it_is_over(
    tmp_path: Path, light: Callable[[Plant], AbstractAsyncContextManager[Look]], station: str
) -> None:
    with running(PLANT, tmp_path / "state") as (plant, gateway):
        async with light(plant) as look:
            await shows(look, YELLOW)
            assert await asyncio.to_thread(flagged, gateway, station)
            await shows(look, OFF)
            await shows(look, YELLOW)
            await shows(look, OFF)
        assert await asyncio.to_thread(gateway.stop) == 0
    records = records_in(tmp_path / "state")
    raised = [e for e in events(records, FlagChanged) if e.flag == f"cycle_late/{station}" and e.transition == "raised"]
    issued = [e for e in events(records, CommandIssued) if f"{e.line}/{e.station}" == station]
    closed = {e.command: e for e in events(records, CommandClosed)}
    assert len({e.command for e in issued}) == len(issued)
    assert [e.value for e in issued[:4]] == [YELLOW, OFF, YELLOW, OFF]
    for flag, command in zip(raised, issued[::2], strict=False):
        assert 0 <= command.at_ns - flag.at_ns <= 10**9
    for command in issued[:4]:
        end = closed[command.command]
        assert end.result is CommandResult.VERIFIED
        assert (end.value, end.issued_ns) == (command.value, command.at_ns)
        assert command.at_ns <= end.at_ns <= command.expires_ns


async def test_what_is_not_allowed_is_never_written(tmp_path: Path) -> None:
    folder = copy_of_plant(tmp_path / "plant")
    text = (folder / "plant.yaml").read_text()
    assert "[gearbox/shafts, pump/rotor]" in text
    (folder / "plant.yaml").write_text(text.replace("[gearbox/shafts, pump/rotor]", "[pump/rotor]"))
    with running(folder, tmp_path / "state") as (plant, gateway):
        async with rotor_light(plant) as rotor, shafts_light(plant) as shafts:
            for _ in range(2):
                await shows(rotor, YELLOW)
                await shows(rotor, OFF)
            assert await shafts() == OFF
        assert await asyncio.to_thread(gateway.stop) == 0
    records = records_in(tmp_path / "state")
    assert {f"{e.line}/{e.station}" for e in events(records, CommandIssued)} == {"pump/rotor"}
    refused = [e for e in events(records, CommandClosed) if e.station == "shafts"]
    assert refused
    assert {e.result for e in refused} == {CommandResult.REFUSED}
    assert all("control.allow" in e.text for e in refused)
