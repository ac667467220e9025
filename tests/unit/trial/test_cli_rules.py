"""``linecontrol backtest``, ``rules diff`` and ``rules explain`` as an engineer runs them, over a recorded day."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linecontrol.cli import _app
from linecontrol.duration import duration_ns
from linecontrol.gateway.journal_file import read_journal
from linecontrol.model import FlagChanged
from tests.unit.trial.recorded import GANJA, START_NS, record

HOURS = 12
DAY = "2026-02-02"


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(_app(), [str(argument) for argument in arguments], env={"COLUMNS": "100"})
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a gateway left of a Monday, 05:00 to 17:00."""
    return asyncio.run(record(tmp_path_factory.mktemp("state"), HOURS))


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules, but whoever waits for ten minutes is told of, and one rule has another name."""
    text = (GANJA / "rules.yaml").read_text()
    text = text.replace('limit: { "tractor/*": 45min', 'limit: { "tractor/*": 10min')
    text = text.replace("  behind_target:\n", "  lag_of_target:\n    was: behind_target\n")
    file = tmp_path_factory.mktemp("new") / "rules.yaml"
    file.write_text(text)
    return file


def test_the_same_rules_say_what_the_gateway_said(journal: Path) -> None:
    code, output = run("backtest", GANJA, "--journal", journal, "--json")
    assert code == 0
    episodes = json.loads(output)["episodes"]
    assert episodes
    flags = [event for each in read_journal(journal) for event in each.events if isinstance(event, FlagChanged)]
    for transition, key in (("raised", "raised_ns"), ("cleared", "cleared_ns")):
        said = sorted((event.flag, event.at_ns) for event in flags if event.transition == transition)
        assert sorted((each["flag"], each[key]) for each in episodes if each[key] is not None) == said


def test_backtest_as_people_read_it(journal: Path, tmp_path: Path) -> None:
    code, output = run("backtest", GANJA, "--journal", journal, "--picture", tmp_path / "day.svg")
    assert code == 0
    assert output.startswith(f"from {DAY} 05:00:00 to {DAY} 17:00:00\n")
    rows = [line.split() for line in output.splitlines()]
    assert ["behind_target", "2"] in [row[:2] for row in rows]
    assert "never raised: cycle_beyond_plan" in output
    assert (tmp_path / "day.svg").read_text().startswith("<?xml")


def test_a_part_of_the_time_knows_what_was_before(journal: Path) -> None:
    """What was raised before it is raised in it, and is counted for the part alone."""
    code, output = run("backtest", GANJA, "--journal", journal, "--from", f"{DAY}T10:00", "--to", f"{DAY}T12:00")
    assert code == 0
    row = next(line.split() for line in output.splitlines() if "behind_target" in line.split()[:1])
    assert row == ["behind_target", "2", "4.0", "2.0", "2", "municipal_2026", "(1)"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--from", "yesterday"], 2, "'yesterday' is no time; write 2026-03-01 or 2026-03-01T08:00"),
        (["--from", "2026-02-03", "--to", "2026-02-02"], 2, "2026-02-02 is not after --from, 2026-02-03"),
        (["--from", "2026-03-01"], 1, f"it goes from {DAY} 05:00:00 to {DAY} 17:00:00"),
    ],
)
def test_a_time_of_which_there_is_nothing(journal: Path, arguments: list[str], code: int, said: str) -> None:
    got, output = run("backtest", GANJA, "--journal", journal, *arguments)
    assert (got, said in output) == (code, True), output


def test_a_journal_that_is_not_there(tmp_path: Path) -> None:
    code, output = run("backtest", GANJA, "--journal", tmp_path)
    assert (code, output) == (1, f"linecontrol: there is no journal {tmp_path / 'journal.sqlite'}\n")


# --- other rules ------------------------------------------------------------------------------------------------


def test_the_same_rules_differ_in_nothing(journal: Path) -> None:
    code, output = run("rules", "diff", GANJA, GANJA / "rules.yaml", "--journal", journal)
    assert code == 0
    assert output.splitlines()[-1].startswith("0 appear, 0 vanish, 0 move, ")


def test_what_other_rules_would_say(journal: Path, impatient: Path) -> None:
    code, output = run("rules", "diff", GANJA, impatient, "--journal", journal)
    assert code == 1
    appears = [line for line in output.splitlines() if line.startswith("appears")]
    assert appears
    assert {line.split("/")[0] for line in appears} >= {"appears  starved_long", "appears  blocked_long"}
    assert all(line.count(DAY) == 1 for line in appears), "the day once, then times"
    assert output.splitlines()[-1].startswith(f"{len(appears)} appear, 0 vanish, 0 move")
    assert [line for line in output.splitlines() if line.startswith("blocked_long: ")] == [
        f"blocked_long: {sum('blocked_long/' in line for line in appears)} appear, 0 vanish, 0 move"
    ]
    assert "lag_of_target" not in output, "a new name changes nothing"
    code, output = run("rules", "diff", GANJA, impatient, "--journal", journal, "--json")
    assert (code, len(json.loads(output)["appear"])) == (1, len(appears))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules:\n  a: {each: station, when: stat == 'down', message: m}\n",
         ":2:28: rules.a.when: unknown name stat, did you mean 'state'?"),
        ("rules:\n  a: {each: station, only: [tractor/cb], when: andon, message: m}\n",
         ":2:29: rules.a.only[0]: 'tractor/cb' fits no station; did you mean 'tractor/cab'?"),
        ("plant: {site: S}\n", ":1:1: plant: unknown key 'plant'"),
        ("rules: {}\n", ": there is no rule: a rules file holds rules: at its top"),
    ],
)  # fmt: skip
def test_rules_that_are_wrong_are_not_compared(journal: Path, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(text)
    code, output = run("rules", "diff", GANJA, file, "--journal", journal)
    assert code == 2
    assert said in output


# --- why --------------------------------------------------------------------------------------------------------


def test_why_a_flag_is_raised(journal: Path) -> None:
    code, output = run("rules", "explain", GANJA, "behind_target", "tractor_2026", "--at", f"{DAY}T10:00",
                       "--journal", journal)  # fmt: skip
    assert code == 0
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert lines[0] == f"behind_target/tractor_2026: raised, since {DAY} 05:10:00"
    assert lines[1].startswith("Tractors 2026: 63 units (19 working days) behind")
    assert "when behind > 5 true" in lines
    assert "clear_when behind < 3 false" in lines


def test_every_part_of_a_condition_with_its_value(journal: Path) -> None:
    code, output = run("rules", "explain", GANJA, "starved_long", "tractor/cab", "--at", f"{DAY}T11:00", "--journal",
                       journal, "--json")  # fmt: skip
    assert code == 0
    parts = json.loads(output)
    assert parts[0]["text"] == "state == 'starved' and state_for > 45m and upstream.state != 'starved'"
    assert {part["text"] for part in parts} >= {"state", "state_for", "upstream.state", "state_for > 45m"}
    assert {part["condition"] for part in parts} == {"when"}
    (state_for,) = (part["value"] for part in parts if part["text"] == "state_for")
    assert duration_ns(state_for) > 0


@pytest.mark.parametrize(
    ("rule", "subject", "at", "said"),
    [
        ("starved_long", "tractor/cb", f"{DAY}T10:00",
         "there is no station tractor/cb, did you mean 'tractor/cab'?"),
        ("starvd_long", "tractor/cab", f"{DAY}T10:00", "there is no rule starvd_long, did you mean 'starved_long'?"),
        ("starved_long", "tractor/chassis", f"{DAY}T10:00",
         "rule starved_long is not watched for tractor/chassis, which has no upstream neighbour; it is watched for"),
        ("torque_drifts", "tractor/wheels", f"{DAY}T10:00",
         "not watched for tractor/wheels, which has no telemetry tag mount_torque; it is watched for tractor/engine, "),
        ("starved_long", "tractor/cab", "2026-02-03T10:00", f"the journal ends at {DAY} 17:00:00"),
        ("starved_long", "tractor/cab", "2026-02-01T10:00", f"it goes from {DAY} 05:00:00 to {DAY} 17:00:00"),
    ],
)  # fmt: skip
def test_what_can_not_be_explained(journal: Path, rule: str, subject: str, at: str, said: str) -> None:
    code, output = run("rules", "explain", GANJA, rule, subject, "--at", at, "--journal", journal)
    assert code == 1
    assert said in output


def test_the_day_is_the_day() -> None:
    assert datetime.fromtimestamp(START_NS / 1e9, tz=UTC).isoformat() == f"{DAY}T01:00:00+00:00"
