import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from linecontrol.gateway.journal_file import read_journal
from linecontrol.model import CycleCompleted
from tests.system.gateway_process import PLANT, GatewayProcess, Plant, copy_of_plant, linecontrol, running, wait_for

pytestmark = [pytest.mark.system, pytest.mark.slow]


@pytest.fixture
def nobody_home() -> Iterator[int]:
    """Port of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        yield port


def test_it_tells_systemd_shows_the_line_and_stops_cleanly(tmp_path: Path) -> None:
    with running(PLANT, tmp_path / "state") as (plant, gateway):
        assert gateway.told()[0] == "READY=1"
        pings = gateway.told().count("WATCHDOG=1")
        wait_for("two more pings", lambda: gateway.told().count("WATCHDOG=1") >= pings + 2, 6)
        wait_for("a second cycle everywhere", lambda: min(plant.truth().values()) >= 2, 60)
        wait_for("all stations seen", lambda: "unobserved" not in gateway.states().values(), 10)
        with gateway.get("/") as page:
            assert b"<html" in page.read()
        before = gateway.health()
        assert gateway.stop() == 0
        assert gateway.told().count("STOPPING=1") == 1  # a long farewell goes on feeding the watchdog
    records = list(read_journal(tmp_path / "state" / "journal.sqlite"))
    assert len(records) >= before["journal_records"]
    done = {f"{e.line}/{e.station}" for record in records for e in record.events if isinstance(e, CycleCompleted)}
    assert len(done) == 7
    replayed = linecontrol("replay", PLANT, tmp_path / "state" / "journal.sqlite")
    assert (replayed.returncode, replayed.stdout.splitlines()[-1]) == (0, "all events as recorded"), replayed.stderr


def test_it_stops_in_time_although_nobody_else_moves(tmp_path: Path, nobody_home: int) -> None:
    """PLCs that froze, an InfluxDB that takes connections and no data, a screen that reads on for ever."""
    folder = copy_of_plant(tmp_path / "plant", f"influx: {{ url: 'http://127.0.0.1:{nobody_home}' }}\n")
    with (
        running(folder, tmp_path / "state") as (plant, gateway),
        gateway.get("/events") as screen,
    ):
        assert screen.readline().startswith(b"data: ")
        plant.stop_answering()
        assert gateway.stop(10) == 0
        plant.go_on()
    assert "Traceback" not in gateway.words()


def test_a_second_gateway_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with running(PLANT, tmp_path / "state") as (_, gateway):
        second = linecontrol("run", PLANT, "--state", tmp_path / "state", patience_s=15)
        assert second.returncode == os.EX_TEMPFAIL
        assert f"in use by another gateway (process {gateway.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        gateway.wait_for_records(5)
        assert gateway.links_up() == {True}
        assert gateway.stop() == 0
    numbers = [record.seq for record in read_journal(tmp_path / "state" / "journal.sqlite")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_stopped_before_it_is_ready_it_stops(tmp_path: Path) -> None:
    with Plant(PLANT) as plant, GatewayProcess(PLANT, tmp_path / "state", plant.ports) as gateway:
        wait_for("the lock", (tmp_path / "state" / "lock").exists, 30)
        assert gateway.stop() == 0


def test_a_taken_port_of_the_board_is_told_in_plain_words(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        folder = copy_of_plant(tmp_path / "plant")
        plant_yaml = folder / "plant.yaml"
        plant_yaml.write_text(plant_yaml.read_text().replace("board: { port: 0 }", f"board: {{ port: {port} }}"))
        refused = linecontrol("run", folder, "--state", tmp_path / "state")
    assert refused.returncode == 1
    assert f"the board can't listen on 127.0.0.1:{port}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_state_folder_that_cannot_be_is_told_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = linecontrol("run", PLANT, "--state", tmp_path / "file" / "state")
    assert refused.returncode == 1
    assert str(tmp_path / "file" / "state") in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        ("lines/pump.yaml", "cycle_by: count", "cycle_by: counts", "pump.yaml:13:19: "),
        ("lines/pump.yaml", "connection: pump_gateway", "connection: pump_gatewy", "pump.yaml:7:17: "),
        ("rules.yaml", "running and running.active", "runnin and running.active", "rules.yaml:5:11: "),
        ("plant.yaml", "timezone: UTC }", "timezone: UTC", "plant.yaml:"),
    ],
    ids=["type", "name", "rule", "syntax"],
)
def test_a_wrong_config_is_told_with_its_place(tmp_path: Path, file: str, right: str, wrong: str, told: str) -> None:
    path = copy_of_plant(tmp_path / "plant") / file
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    refused = linecontrol("run", tmp_path / "plant", "--state", tmp_path / "state")
    assert refused.returncode == 2
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "state").exists()
