import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from asyncua.client.client import Client
from pymodbus.client import AsyncModbusTcpClient

from linecontrol.model import Andon, CommandClosed, CommandIssued, CommandResult, FlagChanged, Noted
from tests.system.gateway_journal import events, records_in
from tests.system.gateway_process import PLANT, GatewayProcess, Plant, copy_of_plant, linecontrol, running

pytestmark = [pytest.mark.system, pytest.mark.slow]

OFF, YELLOW = Andon.OFF.code, Andon.YELLOW.code

Look = Callable[[], Awaitable[float]]


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


async def shows(look: Look, value: float) -> None:
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


def with_setpoints(folder: Path) -> Path:
    """The plant with a feed to set at both late stations, between 0.5 and 1.5, and rules that set it."""
    copy_of_plant(folder)
    changes = {
        "lines/gearbox.yaml": (
            '          andon: { node: "nsu=urn:test:gearbox;s=Shafts.Andon", type: uint16 }\n',
            '        setpoints:\n          feed: { node: "nsu=urn:test:gearbox;s=Shafts.Feed", type: double }\n',
        ),
        "lines/pump.yaml": (
            "          andon: { unit: 7, holding: 100, type: uint16 }\n",
            "        setpoints:\n          feed: { unit: 7, holding: 110, type: float32 }\n",
        ),
        "plant.yaml": ("      commands: [andon]\n", "      setpoints: { feed: { min: 0.5, max: 1.5 } }\n"),
        "rules.yaml": (
            '      - { command: andon, value: yellow, on_clear: "off" }\n',
            "      - { setpoint: feed, value: slow, on_clear: 1.25 }\n      - note\n"
            "    params: { slow: { gearbox/shafts: 80%, pump/rotor: 0.7 } }\n",
        ),
    }
    for file, (after, added) in changes.items():
        text = (folder / file).read_text()
        assert text.count(after) == 1
        (folder / file).write_text(text.replace(after, after + added))
    return folder


async def test_a_setpoint_is_written_once_when_it_is_raised_and_set_back_when_it_clears(tmp_path: Path) -> None:
    folder = with_setpoints(tmp_path / "plant")
    with running(folder, tmp_path / "state") as (plant, gateway):
        modbus = AsyncModbusTcpClient("127.0.0.1", port=plant.ports["pump_gateway"])
        assert await modbus.connect()

        async def pump_feed() -> float:
            answer = await modbus.read_holding_registers(110, count=2, device_id=7)
            value = modbus.convert_from_registers(answer.registers, modbus.DATATYPE.FLOAT32)
            assert isinstance(value, float)
            return round(value, 5)

        async with Client(f"opc.tcp://127.0.0.1:{plant.ports['gearbox_plc']}") as opcua:
            index = await opcua.get_namespace_index("urn:test:gearbox")
            await shows(opcua.get_node(f"ns={index};s=Shafts.Feed").get_value, 0.8)
            await shows(opcua.get_node(f"ns={index};s=Shafts.Feed").get_value, 1.25)
            await shows(pump_feed, 0.7)
            await shows(pump_feed, 1.25)
        modbus.close()
        assert await asyncio.to_thread(gateway.stop) == 0
    records = records_in(tmp_path / "state")
    closed = [e for e in events(records, CommandClosed) if e.name == "feed"]
    assert closed
    assert {e.result for e in closed} == {CommandResult.VERIFIED}
    for station, slow in (("shafts", 0.8), ("rotor", 0.7)):
        flags = [e for e in events(records, FlagChanged) if e.rule == "cycle_late" and e.station == station]
        issued = [e.value for e in events(records, CommandIssued) if e.name == "feed" and e.station == station]
        assert issued[:2] == [slow, 1.25]
        assert len(issued) <= len([e for e in flags if e.transition in ("raised", "cleared")])
        noted = [e.text for e in events(records, Noted) if e.station == station]
        assert noted == [e.text for e in flags if e.transition == "raised"]


async def test_beyond_its_range_a_setpoint_is_no_config(tmp_path: Path) -> None:
    folder = with_setpoints(tmp_path / "plant")
    text = (folder / "rules.yaml").read_text()
    (folder / "rules.yaml").write_text(text.replace("on_clear: 1.25", "on_clear: 2"))
    done = linecontrol("check", folder)
    assert done.returncode == 1
    assert "control: allow: lists feed of gearbox/shafts from 0.5 to 1.5, not 2" in done.stdout
