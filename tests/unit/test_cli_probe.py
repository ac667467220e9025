import json
from collections.abc import AsyncGenerator, Callable, Mapping

import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner
from typing_extensions import override

from linecontrol import registry
from linecontrol.cli import probe
from linecontrol.driver import ConnectionLost, Finding, Probe


class Press(Probe):
    """A press with two values and a surprise."""

    @override
    def connection(self) -> Mapping[str, object]:
        return {"driver": "press", "host": self.url.removeprefix("press://")}

    @override
    async def look(self, progress: Callable[[float, str], None]) -> AsyncGenerator[Finding, None]:
        if "broken" in self.options:
            msg = "the press went away"
            raise ConnectionLost(msg)
        progress(0.5, "Ram")
        yield Finding(path=("Ram",))
        yield Finding(path=("Ram", "Force [1]"), tag={"at": 1}, kind="float", value="12.5", unit="kN")
        yield Finding(path=("Ram", "Force {1}"), tag={"at": 2}, kind="float", value="0.0", note="never moved")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setattr(registry, "probe", lambda scheme: {"press": Press}[scheme])
    app = typer.Typer()
    app.command()(probe.command)

    def invoke(*args: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, args)
        return result.exit_code, result.output

    return invoke


def test_what_was_found_is_a_tree_and_config_to_paste(run: Callable[..., tuple[int, str]]) -> None:
    code, output = run("press://10.0.0.1")
    assert code == 0
    assert "Force [1]  float 12.5 kN" in output
    assert "never moved" in output
    pasted = YAML(typ="safe").load(output[output.index("connections:") :])
    assert pasted == {
        "connections": {"device": {"driver": "press", "host": "10.0.0.1"}},
        "telemetry": {"force__1": {"at": 1}, "force__1_2": {"at": 2}},
    }


def test_for_machines(run: Callable[..., tuple[int, str]]) -> None:
    code, output = run("press://10.0.0.1", "--json")
    assert code == 0
    assert json.loads(output)["found"][0]["path"] == ["Ram"]


def test_what_goes_wrong_is_told(run: Callable[..., tuple[int, str]]) -> None:
    code, output = run("press://10.0.0.1", "--set", "broken=yes")
    assert (code, output.strip()) == (1, "linecontrol: the press went away")
    assert run("press://10.0.0.1", "--set", "broken")[0] == 2
