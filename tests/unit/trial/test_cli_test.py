"""``linecontrol test`` as an engineer runs it: what is said, where, and with which exit code."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linecontrol.cli import _app
from tests.unit.trial.recorded import GANJA, record

RULES = """\
rules:
  down:
    each: station
    only: [tractor/engine]
    when: state == 'down' and state_for > limit
    params: {limit: 15min}
    ack: required
    message: "{station}: down for {state_for}."
  quiet:
    each: station
    when: cycles_today > 1000
    message: m
  entry:
    each: station
    only: [tractor/cab]
    when: state == 'down'
    message: "{station} is down."
    actions: [note]
"""
DOWN = "down/tractor/engine"
STORY = f"""\
tests:
  - name: the whole life of a flag
    rules: [down]
    given:
      - {{ at: 0s, station: tractor/engine, state: down }}
      - {{ at: 16m, shelve: {DOWN}, for: 5m }}
      - {{ at: 18m, restart: true }}
      - {{ at: 25m, ack: {DOWN} }}
      - {{ at: 30m, station: tractor/engine, state: working }}
      - {{ at: 40m, reload: strict.yaml }}
      - {{ at: 41m, station: tractor/engine, state: down }}
    until: 50m
    expect:
      - {{ at: 15m, raised: {DOWN}, text: "down for 15m" }}
      - {{ at: 16m, shelved: {DOWN} }}
      - {{ at: 21m, unshelved: {DOWN} }}
      - {{ at: 22m, open: [{DOWN}] }}
      - {{ at: 25m, acknowledged: {DOWN} }}
      - {{ at: 30m, cleared: {DOWN} }}
      - {{ at: 45m, raised: {DOWN} }}
  - name: a note
    rules: [entry]
    given:
      - {{ at: 1m, station: tractor/cab, state: down }}
    expect:
      - {{ at: 1m, noted: entry/tractor/cab, text: "Cab is down." }}
"""
HEAD = "tests:\n  - name: t\n    rules: [down]\n    given:\n      - { at: 0s, station: tractor/engine, state: down }\n"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GANJA, "plant")
    for file in Path("plant").glob("rules*"):
        file.unlink()
    (Path("plant") / "rules.yaml").write_text(RULES)
    (Path("plant") / "strict.yaml.off").write_text(RULES.replace("15min", "4min"))
    return Path("plant")


@pytest.fixture
def run(folder: Path) -> Run:
    """The command over a test file; also its output in one line per line that it prints."""

    def command(text: str, *more: str) -> tuple[int, str]:
        (folder / "rules.test.yaml").write_text(text.replace("strict.yaml", "strict.yaml.off"))
        result = CliRunner().invoke(_app(), ["test", str(folder), *more])
        return result.exit_code, result.output

    return command


def test_steps_of_people_and_of_the_gateway(run: Run) -> None:
    code, output = run(STORY)
    assert code == 0, output
    assert "2 of 2 tests passed; 2 of 3 rules seen raised and cleared" in output
    assert run(STORY, "--coverage")[0] == 1, "quiet was never seen"


WRITES = """\
rules:
  light:
    each: station
    only: [tractor/chassis]
    when: state == 'down'
    severity: critical
    message: m
    actions:
      - { command: andon, value: red, on_clear: "off" }
      - { command: hold, value: 2min }
      - { setpoint: speed, value: slow, on_clear: 1.5, station: tractor/engine }
    params: { slow: 0.5 }
  call:
    each: station
    only: [tractor/chassis]
    when: andon
    message: m
    actions: [{ command: andon, value: yellow }]
"""
WRITTEN = """\
tests:
  - name: what is written
    given:
      - { at: 1m, station: tractor/chassis, state: down }
      - { at: 3m, station: tractor/chassis, andon: true }
      - { at: 4m, restart: true }
      - { at: 5m, shelve: light/tractor/chassis, for: 1m }
      - { at: 10m, reload: slower.yaml.off }
      - { at: 20m, station: tractor/chassis, state: working }
    expect:
      - { at: 1m, raised: light/tractor/chassis, state: acknowledged }
      - { at: 1m, command: andon, station: tractor/chassis, value: red }
      - { at: 1m, command: hold, station: tractor/chassis, value: 2min }
      - { at: 1m, setpoint: speed, station: tractor/engine, value: 0.5 }
      - { at: 3m, raised: call/tractor/chassis }
      - { at: 5m, shelved: light/tractor/chassis, state: shelved }
      - { at: 5m, command: andon, station: tractor/chassis, value: yellow }
      - { at: 5m, command: hold, station: tractor/chassis, value: 0s }
      - { at: 5m, setpoint: speed, station: tractor/engine, value: 1.5 }
      - { at: 6m, unshelved: light/tractor/chassis, state: acknowledged }
      - { at: 6m, command: andon, station: tractor/chassis, value: red }
      - { at: 6m, command: hold, station: tractor/chassis, value: 2m }
      - { at: 6m, setpoint: speed, station: tractor/engine, value: 0.5 }
      - { at: 10m, setpoint: speed, station: tractor/engine, value: 0.25 }
      - { at: 20m, cleared: light/tractor/chassis, state: normal }
      - { at: 20m, command: andon, station: tractor/chassis, value: yellow }
      - { at: 20m, command: hold, station: tractor/chassis, value: 0s }
      - { at: 20m, setpoint: speed, station: tractor/engine, value: 1.5 }
"""


@pytest.fixture
def writable(folder: Path) -> Path:
    """The plant with a hold and a setpoint that rules may write."""
    plant, line = folder / "plant.yaml", folder / "lines" / "1-tractor.yaml"
    allow = "commands: [andon, hold]\n      setpoints: { speed: { min: 0, max: 2 } }\n"
    plant.write_text(plant.read_text().replace("commands: [andon]\n", allow))
    speed = '        setpoints:\n          speed: { node: "nsu=urn:ganja:tractor;s=ST040.Speed", type: float }\n'
    text = line.read_text()
    at = text.index("        telemetry:\n", text.index("\n      engine:\n"))
    line.write_text(text[:at] + speed + text[at:])
    (folder / "rules.yaml").write_text(WRITES)
    (folder / "slower.yaml.off").write_text(WRITES.replace("0.5", "0.25"))
    return folder


def test_what_is_written_is_expected(writable: Path, run: Run) -> None:
    assert run(WRITTEN)[0] == 0, run(WRITTEN)[1]
    silent = "\n".join(line for line in WRITTEN.splitlines() if "value:" not in line)
    assert run(silent)[0] == 0, "who expects nothing to be written isn't told what is"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("      - { at: 1m, command: andon, station: tractor/chassis, value: red }\n", "",
         "10:5: happened and wasn't expected: at 1m command: andon, station: tractor/chassis, value: red "
         "(light/tractor/chassis)"),
        ("{ at: 1m, command: hold, station: tractor/chassis, value: 2min }",
         "{ at: 1m, command: hold, station: tractor/chassis, value: 3min }",
         "13:9: expected and didn't happen: at 1m command: hold, station: tractor/chassis, value: 3m"),
        ("value: 0.25 }", "value: 0.2 }",
         "happened and wasn't expected: at 10m setpoint: speed, station: tractor/engine, value: 0.25 "),
        ("state: shelved", "state: acknowledged",
         "at 5m shelved: light/tractor/chassis: expected to be acknowledged; it is shelved"),
        ("command: andon, station: tractor/chassis, value: red", "command: andon, station: tractor/chasis, value: red",
         "there is no station tractor/chasis, did you mean 'tractor/chassis'?"),
        ("command: hold, station: tractor/chassis", "command: hold, station: tractor/engine",
         "tractor/engine has no command hold; it has andon"),
        ("setpoint: speed", "setpoint: sped", "tractor/engine has no setpoint sped; it has speed"),
    ],
)  # fmt: skip
def test_what_is_not_written_as_expected(writable: Path, run: Run, old: str, new: str, said: str) -> None:
    code, output = run(WRITTEN.replace(old, new))
    assert code == 1
    assert said in output


def test_a_write_that_is_not_allowed_is_told(run: Run, folder: Path) -> None:
    (folder / "rules.yaml").write_text(WRITES.replace("      - { setpoint", "#").replace("    params", "#"))
    code, output = run(
        "tests:\n  - name: t\n    given:\n      - { at: 1m, station: tractor/chassis, state: down }\n    expect:\n"
        "      - { at: 1m, raised: light/tractor/chassis }\n"
        "      - { at: 1m, command: andon, station: tractor/chassis, value: red }\n"
        "      - { at: 1m, command: hold, station: tractor/chassis, value: 2min }\n"
    )
    assert code == 1
    assert (
        "8:9: expected and didn't happen: at 1m command: hold, station: tractor/chassis, value: 2m; it was refused: "
        "control.allow does not list hold of tractor/chassis" in output
    )


def test_as_json(run: Run) -> None:
    code, output = run(STORY.replace("at: 21m", "at: 20m"), "--json")
    told = json.loads(output)
    assert (code, told["failed"], told["not_covered"]) == (1, 1, ["quiet"])
    assert [test["test"] for test in told["tests"]] == ["the whole life of a flag", "a note"]
    assert told["tests"][0]["failures"] == [
        f"plant/rules.test.yaml:16:9: expected and didn't happen: at 20m unshelved: {DOWN}",
        f"plant/rules.test.yaml:13:5: happened and wasn't expected: at 21m unshelved: {DOWN} "
        "(Engine marriage: down for 15m.)",
    ]


def test_only_some(run: Run) -> None:
    code, output = run(STORY, "--only", "note")
    assert code == 0
    assert "1 of 1 tests passed" in output
    assert "quiet" not in output
    assert run(STORY, "--only", "nothing of that name")[0] == 2


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("    expect: []\n    until: 1h\n",
         "plant/rules.test.yaml:6:5: happened and wasn't expected: at 15m raised: down/tractor/engine"),
        ("    expect:\n      - { at: 14m, raised: down/tractor/engine }\n",
         "plant/rules.test.yaml:7:9: expected and didn't happen: at 14m raised: down/tractor/engine"),
        ("    expect:\n      - { at: 15m, raised: down/tractor/engine, text: sixteen }\n",
         "7:9: at 15m raised: down/tractor/engine: expected in its message: 'sixteen'; it is 'Engine marriage: down"),
        ("    expect:\n      - { at: 15m, raised: down/tractor/engine }\n      - { at: 16m, open: [] }\n",
         "8:9: at 16m these are raised: down/tractor/engine; expected: none"),
        ("      - { at: 1m, ack: down/tractor/engin }\n    expect: []\n",
         "6:9: there is no station tractor/engin, did you mean 'tractor/engine'?"),
        ("      - { at: 1m, ack: down }\n    expect: []\n",
         "6:9: down is a rule; its flag is down/STATION, such as down/tractor/chassis"),
        ("      - { at: 1m, ack: entry/tractor/cab }\n    expect: []\n",
         "6:9: rule entry only notes: it raises no flag"),
        ("    expect:\n      - { at: 15m, raised: dwon/tractor/engine }\n",
         "7:9: there is no rule dwon, did you mean 'down'?"),
        ("    expect:\n      - { at: 15m, open: [down/tractor/cab] }\n",
         "7:9: rule down is not watched for tractor/cab, which only: leaves out; it is watched for tractor/engine"),
        ("      - { at: 1m, station: tractor/engin, state: down }\n    expect: []\n",
         "6:9: there is no station tractor/engin, did you mean 'tractor/engine'?"),
        ("      - { at: 1m, target: tractor_2026, told: { required_takt: 8000 } }\n    expect: []\n",
         "6:9: required_takt is a duration, such as 2h18m; found 8000"),
        ("      - { at: 1m, target: tractor_2026, told: { probability: high } }\n    expect: []\n",
         "6:9: probability is a number, such as 5 or 60%; found 'high'"),
        ("      - { at: 1m, target: tractor_2026, told: { probabilty: 3 } }\n    expect: []\n",
         "6:9: probabilty can't be told, did you mean 'probability'?"),
        ("      - { at: 1m, line: tractor, told: { suspects: cab } }\n    expect: []\n",
         "6:9: suspects are stations with their probabilities, such as {cab: 70%}"),
        ("      - { at: 1m, station: tractor/engine, sample: { mount_torq: 3 } }\n    expect: []\n",
         "6:9: there is no telemetry tag of tractor/engine mount_torq, did you mean 'mount_torque'?"),
        ("      - { at: 1m, station: tractor/engine, start: { product: belarus } }\n    expect: []\n",
         "6:9: there is no product belarus, did you mean 'belarus_892'?"),
        ("      - { at: 1m, target: tractor_2026, told: { probability: 35 } }\n    expect: []\n",
         "6:9: probability is a share, from 0% to 100%; found 35"),
        ("      - { at: 1m, kit: kit_belarus_892, told: { stock: 2.5 } }\n    expect: []\n",
         "6:9: stock is a whole number; found 2.5"),
        ("      - { at: 1m, target: tractor_2026, told: {} }\n    expect: []\n", "6:9: nothing is told; there are"),
        ("    expect:\n      - { at: 15m, raised: quiet/tractor/engine }\n",
         "7:9: quiet/tractor/engine is not under test: rules: leaves it out"),
        ("    until: 5m\n    expect:\n      - { at: 15m, raised: down/tractor/engine }\n",
         "6:12: the test ends before the last thing in it, at 15m"),
    ],
)  # fmt: skip
def test_why_a_test_fails(run: Run, rest: str, said: str) -> None:
    code, output = run(HEAD + rest)
    assert code == 1
    assert "FAILED t" in output
    assert said in output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rules: [down]", "rules: [dwon]", "3:13: there is no rule dwon, did you mean 'down'?"),
        ("rules: [down]", "rules: [down/tractor/cab]", "3:13: rule down is not watched for tractor/cab, which only"),
    ],
)
def test_a_test_of_nothing_fails(run: Run, old: str, new: str, said: str) -> None:
    code, output = run(HEAD.replace(old, new) + "    expect: []\n    until: 1m\n")
    assert code == 1
    assert said in output


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("    expct: []\n", "plant/rules.test.yaml:6:5: tests[0].expct: unknown key 'expct'; did you mean 'expect'?"),
        (
            "    expect:\n      - { at: 1m }\n",
            "one transition, command, setpoint, or open, is expected at a time; here is none",
        ),
        ("    expect:\n      - { at: 1m, open: [], text: x }\n", "text doesn't go with open"),
        (
            "    expect:\n      - { at: 1m, command: hold, station: tractor/chassis, value: red }\n",
            "hold needs a station and a value, a duration such as 2min",
        ),
        ("    expect:\n      - { at: 1m, setpoint: speed, value: 3 }\n", "speed needs a station and a value, a number"),
        ("      - { at: 1m, station: tractor/cab, andon: yes }\n    expect: []\n", "andon: 'yes' is not true or false"),
        (
            "      - { at: 1m, station: tractor/cab, complete: { active: 1m, lost: 2m } }\n    expect: []\n",
            "lost is a part of active and can't be longer",
        ),
        ("      - { at: 1m, shelve: down/tractor/engine, for: 0s }\n    expect: []\n", "must be greater than 0"),
        ("    start: yesterday\n    expect: []\n", "'yesterday' is no time; write YYYY-MM-DDTHH:MM"),
        ("    expect:\n      - { at: 1m, command: lamp }\n", "'lamp' is not allowed; allowed are andon, hold"),
        ("    expect:\n      - { at: 1m, open: [], state: shelved }\n", "state doesn't go with open"),
        ("      - { at: 1m, ack: x, restart: true }\n    expect: []\n", "here are ack and restart"),
        ("      - { at: 1m, ack: x, for: 2m }\n    expect: []\n", "for doesn't go with ack"),
        ("      - { at: 1m, ack: x, every: 2m }\n    expect: []\n", "every: and times: go together"),
        ("      - { at: 1m, station: tractor/cab }\n    expect: []\n", "a station needs one of state, start"),
    ],
)
def test_what_is_no_test(run: Run, rest: str, said: str) -> None:
    code, output = run(HEAD + rest)
    assert code == 2
    assert said in output


def test_rules_that_are_reloaded_are_checked(run: Run, folder: Path) -> None:
    broken = RULES.replace("state_for > limit", "state_fro > limit").replace("cycles_today > 1000", "bottleneck > 60")
    (folder / "strict.yaml.off").write_text(broken)
    code, output = run(STORY)
    assert code == 2
    assert "plant/strict.yaml.off:5:31: rules.down.when: unknown name state_fro, did you mean 'state_for'?" in output
    assert "plant/strict.yaml.off:11:11: rules.quiet.when: bottleneck is a share, and 60 is 6000 %; write 60%" in output


def test_without_tests_it_says_where_they_belong(run: Run, folder: Path) -> None:
    run(STORY)
    (folder / "rules.test.yaml").unlink()
    result = CliRunner().invoke(_app(), ["test", str(folder)])
    assert result.exit_code == 1
    assert "there are no rule tests below plant: files named *.test.yaml" in result.output


CUT = """\
tests:
  - name: a morning as it was recorded
    rules: [down, quiet, entry]
    journal: { file: journal.sqlite, from: 2026-02-02 08:00, to: 2026-02-02 12:00 }
    given:
      - { at: 1h, station: tractor/engine, state: down }
    expect:
      - { at: 1h15m, raised: down/tractor/engine }
"""


def test_recorded_time_as_given(run: Run, folder: Path) -> None:
    asyncio.run(record(folder, 4))
    code, output = run(CUT.replace("12:00", "08:20"))
    assert code == 0, output
    code, output = run(CUT.replace("2026-02-02", "2027-02-02"))
    assert code == 1
    assert "plant/journal.sqlite holds no event between 2027-02-02 08:00:00 and 2027-02-02 12:00:00" in output
