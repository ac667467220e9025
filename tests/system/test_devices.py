"""What an engineer asks at commissioning, of a plant that really answers."""

import json
from pathlib import Path

import pytest

from tests.system.gateway_process import PLANT, Plant, copy_of_plant, linecontrol, running

pytestmark = [pytest.mark.system, pytest.mark.slow]


def at_its_ports(plant: Plant, folder: Path) -> Path:
    config = copy_of_plant(folder) / "plant.yaml"
    text = config.read_text().replace(":4840", f":{plant.ports['gearbox_plc']}")
    config.write_text(text.replace("port: 5020", f"port: {plant.ports['pump_gateway']}"))
    return folder


def test_check_connect_tells_of_every_signal(tmp_path: Path) -> None:
    with Plant(PLANT) as plant:
        folder = at_its_ports(plant, tmp_path / "plant")
        right = linecontrol("check", folder, "--connect", "--json")
        pump = folder / "lines" / "pump.yaml"
        pump.write_text(pump.read_text().replace("holding: 100,", "holding: 99,"))
        gearbox = folder / "lines" / "gearbox.yaml"
        text = gearbox.read_text().replace('s=Housing.Torque", type: double', 's=Housing.Torque", type: int32')
        gearbox.write_text(text.replace("s=Cover.Present", "s=Cover.Presence"))
        wrong = linecontrol("check", folder, "--connect")
    assert right.returncode == 0, right.stdout + right.stderr
    devices = {device["connection"]: device for device in json.loads(right.stdout)["devices"]}
    assert {name: device["trouble"] for name, device in devices.items()} == {"gearbox_plc": "", "pump_gateway": ""}
    assert sum(len(device["signals"]) for device in devices.values()) == 29
    assert all(signal["quality"] == "good" and signal["fits"] for d in devices.values() for signal in d["signals"])
    assert wrong.returncode == 1
    told = [line for line in wrong.stdout.splitlines() if "bad (status" in line]
    assert sorted(line.split()[0] for line in told) == [
        "gearbox/cover/part_present",
        "gearbox/housing/torque",
        "pump/rotor/command_andon",
    ]


def test_check_connect_tells_what_does_not_answer(tmp_path: Path) -> None:
    with Plant(PLANT) as plant:
        folder = at_its_ports(plant, tmp_path / "plant")
    refused = linecontrol("check", folder, "--connect")
    assert refused.returncode == 1
    assert "gearbox_plc" in refused.stdout
    assert "Traceback" not in refused.stderr


def test_status_tells_how_a_running_gateway_is(tmp_path: Path) -> None:
    with running(PLANT, tmp_path / "state") as (plant, gateway):
        gateway.wait_for_records(3)
        port = gateway.board.rpartition(":")[2]
        well = linecontrol("status", PLANT, "--port", port, "--json")
        shown = linecontrol("status", PLANT, "--port", port)
        plant.kill()
        gateway.wait_for_links(up=False, patience_s=6)
        ill = linecontrol("status", PLANT, "--port", port)
    gone = linecontrol("status", PLANT, "--port", port)
    assert (well.returncode, shown.returncode, ill.returncode, gone.returncode) == (0, 0, 1, 1), ill.stderr
    links = json.loads(well.stdout)["connections"]
    assert all(link["up"] and link["readings"] > 5 and link["last_good_ns"] for link in links.values())
    assert "gearbox_plc" in shown.stdout
    assert "down" in ill.stdout
    assert "no gateway answers" in gone.stderr
