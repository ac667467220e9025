import json
import re
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


def test_how_much_the_rules_take_and_may_take() -> None:
    _, output = run("check", str(GANJA))
    assert re.search(r"^  [\d,]+ of at most 20,000 flags \(rules times subjects\)$", output, re.MULTILINE)
    assert re.search(
        r"^  [\d,]+ of at most 1,000,000 elements that \d+ windows keep at the most$", output, re.MULTILINE
    )
    assert "  216 of at most 2,000 characters of a condition (torque_drifts)\n" in output
    assert "  200 of at most 1,000 elements of a window (torque_drifts)\n" in output
    told = json.loads(run("check", str(GANJA), "--json")[1])["rules"]
    assert told["elements of a window"] == [200, 1000]


SETS = """\
rules:
  slow_down:
    each: station
    only: [municipal/subframe]
    when: andon
    message: m
    actions: [{command: andon, value: red}, {setpoint: feed, value: VALUE, on_clear: 3}]
"""


def with_setpoint(folder: Path, value: str) -> tuple[int, str]:
    file = folder / "lines" / "2-municipal.yaml"
    andon = "andon: { unit: 2, holding: 100, type: uint16 }\n"
    feed = "        setpoints:\n          feed: { unit: 2, holding: 110, type: uint16 }\n"
    assert file.read_text().count(andon) == 1
    file.write_text(file.read_text().replace(andon, andon + feed))
    (folder / "more.yaml").write_text(SETS.replace("VALUE", value))
    return run("check", str(folder))


def test_a_named_station_that_lacks_what_the_rule_looks_at_is_told(copy: Path) -> None:
    rule = "each: station, only: [tractor/chassis, tractor/engine, 'municipal/*'], when: upstream.andon, message: m"
    (copy / "more.yaml").write_text(f"rules:\n  call: {{{rule}}}\n")
    code, output = run("check", str(copy))
    assert code == 0
    assert output.splitlines()[-1] == (
        "not watched, although only: names it: tractor/chassis, which has no upstream neighbour (rule call)"
    )


def test_what_is_never_written_is_told_and_no_mistake(copy: Path) -> None:
    code, output = with_setpoint(copy, "2")
    assert code == 0
    assert [line for line in output.splitlines() if "never written" in line] == [
        f"never written, as control: allow: does not list it: {what} of municipal/subframe (rule slow_down)"
        for what in ("andon", "feed")
    ]


def test_a_register_of_whole_numbers_takes_no_fraction(copy: Path) -> None:
    code, output = with_setpoint(copy, "2.5")
    assert code == 1
    assert output.startswith(
        f"{copy}/more.yaml:7:69: rules.slow_down.actions[1].value: the signal of municipal/subframe carries whole "
        "numbers, not 2.5\n"
    )


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
