"""The tutorial's own files and outputs."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from linecontrol.cli import check

TEXT = (Path(__file__).parents[3] / "docs" / "tutorials" / "commission-a-line.md").read_text()
FILES = dict(re.findall(r"```yaml file=(\S+)\n(.*?)```", TEXT, re.DOTALL))
OUTPUTS = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def pumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)
    return tmp_path


def checked() -> str:
    app = typer.Typer()
    app.command()(check.command)
    return CliRunner().invoke(app, ["."]).output


@pytest.mark.usefixtures("pumps")
def test_the_plant_is_right() -> None:
    assert checked() == OUTPUTS[0]


def test_the_mistake_is_found_where_the_tutorial_says(pumps: Path) -> None:
    file = pumps / "casings.yaml"
    file.write_text(file.read_text().replace("after: turning", "after: truning"))
    assert checked() == OUTPUTS[1]
