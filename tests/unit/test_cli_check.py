import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from linecontrol.cli import check, schema

GANJA = Path(__file__).parents[2] / "config" / "ganja"


def run(*args: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command("check")(check.command)
    app.command("schema")(schema.command)
    result = CliRunner().invoke(app, args)
    return result.exit_code, result.output


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for file in GANJA.rglob("*.yaml"):
        target = tmp_path / file.relative_to(GANJA)
        target.parent.mkdir(exist_ok=True)
        text = file.read_text()
        target.write_text(text.replace("10.20.0.11:4840", "127.0.0.1:9").replace("10.20.0.21", "127.0.0.1"))
    return tmp_path


def test_the_example_plant_is_right() -> None:
    code, output = run("check", str(GANJA))
    assert code == 0
    assert output.startswith("no problems: 2 lines, 19 stations, 6 products, 2 connections, ")


def test_problems_are_listed_with_their_place_and_number(copy: Path) -> None:
    (copy / "plant.yaml").write_text((copy / "plant.yaml").read_text().replace("Asia/Baku", "Asia/Bakoo"))
    code, output = run("check", str(copy))
    assert code == 1
    assert output.splitlines()[-2:] == [
        f"{copy}/plant.yaml:6:13: plant.timezone: no time zone named 'Asia/Bakoo'; did you mean 'Asia/Baku'?",
        "1 problem",
    ]


def test_a_condition_is_shown_at_the_word_that_is_wrong(copy: Path) -> None:
    file = copy / "more.yaml"
    file.write_text("rules:\n  odd: {each: station, when: actve > planned, message: odd}\n")
    code, output = run("check", str(copy))
    assert code == 1
    assert output.startswith(f"{file}:2:30: rules.odd.when: ")


def test_json(copy: Path) -> None:
    code, output = run("check", str(copy), "--json")
    assert code == 0
    assert json.loads(output)["plant"]["stations"] == 19


def test_devices_that_do_not_answer_are_a_problem(copy: Path) -> None:
    connections = copy / "connections.yaml"
    connections.write_text(connections.read_text().replace("port: 502", "port: 9"))
    code, output = run("check", str(copy), "--connect", "--json")
    assert code == 1
    devices = json.loads(output)["devices"]
    assert {device["connection"] for device in devices} == {"tractor_plc", "municipal_gateway"}
    assert all(device["trouble"] for device in devices)


def test_a_folder_that_is_not_there_is_wrong_usage() -> None:
    assert run("check", "/nowhere/at/all")[0] == 2


def test_schema_is_json() -> None:
    code, output = run("schema")
    assert code == 0
    assert json.loads(output)["title"] == "Config"
