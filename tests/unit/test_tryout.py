"""Trying a folder out: its rules if they may count, else every reason why not, with its place."""

import shutil
from pathlib import Path

import pytest

from linecontrol.config.rules_data import rest_of, rules_text
from linecontrol.errors import ReloadRefused
from linecontrol.plant.load import load_plant
from linecontrol.plant.tryout import tried, try_out
from tests.unit.trial.recorded import GANJA

RULES = "rules:\n  r:\n    each: station\n    when: state == 'down'\n    message: m\n"
TEST = (
    "tests:\n  - name: t\n    given: [{at: 1s, station: tractor/engine, state: down}]\n    expect: []\n    until: 5s\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(GANJA, tmp_path / "plant")
    for file in (tmp_path / "plant").glob("rules*"):
        file.unlink()
    (tmp_path / "plant" / "rules.yaml").write_text(RULES)
    return tmp_path / "plant"


def test_rules_that_load_and_pass_are_told_with_all_else(folder: Path) -> None:
    found = try_out(folder)
    config = load_plant(folder).config
    assert (found.problems, found.rules, found.rest) == ([], rules_text(config), rest_of(config))
    assert found.places["lines.tractor"].startswith(f"{folder}/lines/")


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("rules.yaml", RULES.replace("'down'", "'dwn'"), "rules.yaml:4:"),
        ("rules.yaml", "rules: [", "rules.yaml:1:"),
        ("rules.test.yaml", TEST, "rules.test.yaml:4:"),
        ("rules.test.yaml", TEST.replace("expect", "expct"), "rules.test.yaml:4:"),
        ("rules.test.yaml", TEST.replace("expect: []", "journal: {file: none.sqlite}\n    expect: []"), "none.sqlite"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(folder: Path, name: str, written: str, said: str) -> None:
    (folder / name).write_text(written)
    problems = try_out(folder).problems
    assert any(said in problem for problem in problems), problems


async def test_a_process_of_its_own_says_the_same_and_holds_it_against_what_runs(folder: Path) -> None:
    config = load_plant(folder).config
    running = rest_of(config)
    assert await tried(folder, running) == rules_text(config)
    other = {key: text for key, text in running.items() if key != "board.port"} | {"lines.tractor": "", "kits.no": ""}
    with pytest.raises(ReloadRefused) as refused:
        await tried(folder, other)
    first, second, third = refused.value.problems
    assert "lines.tractor differs from what runs; restart the gateway" in first
    assert second == "kits.no runs and is not there any more; restart the gateway to be without it"
    assert "board.port differs" in third


async def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReloadRefused, match="yaml file in this folder"):
        await tried(tmp_path / "gone", {})
