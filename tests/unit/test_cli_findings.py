"""What is said of a plant whose gateway has stopped is what the gateway would have said."""

from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from linecontrol.cli import findings
from linecontrol.cli.common import example_plant
from linecontrol.cli.forecast import command
from linecontrol.errors import JournalError, LinecontrolError
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.recall import JOURNAL, new_assessment, new_engine, recall
from linecontrol.model import LinkChange, Observation, Quality, Reading, Value
from linecontrol.plant.load import load_plant
from tests.unit.line.plant import HOUR, MONDAY_8


def steps() -> list[tuple[int, list[Observation]]]:
    """A cycle and a half at the first station of the tractor line."""
    first: dict[str, Value] = {
        "cycle_start": False,
        "cycle_complete": False,
        "cycle_count": 0,
        "product": "BELARUS-892",
        "fault": False,
    }
    first |= {"blocked": False, "starved": True, "unit_id": "TR-1"}
    changes: list[tuple[int, dict[str, Value]]] = [
        (0, first),
        (1, {"starved": False, "cycle_start": True}),
        (3, {"cycle_start": False, "cycle_complete": True, "cycle_count": 1}),
    ]
    told: list[tuple[int, list[Observation]]] = [(MONDAY_8, [LinkChange("tractor_plc", True, MONDAY_8)])]
    for hours, values in changes:
        at_ns = MONDAY_8 + hours * HOUR + 1
        told.append(
            (at_ns, [Reading(f"tractor/chassis/{k}", v, Quality.GOOD, at_ns, at_ns) for k, v in values.items()])
        )
    return told


async def journal(folder: Path) -> None:
    """What a gateway would have left: a snapshot after the second record."""
    engine = new_engine(load_plant(example_plant()))
    async with await Journal.open(folder / JOURNAL, commit_every_s=0.001) as writing:
        for number, (now_ns, observations) in enumerate(steps(), 1):
            seq = await writing.append(now_ns, observations, engine.step(observations, now_ns))
            if number == 2:
                await writing.save_snapshot(seq, now_ns, engine.snapshot())


async def test_a_stopped_gateway_is_recalled_from_its_journal(tmp_path: Path) -> None:
    await journal(tmp_path)
    plan = load_plant(example_plant())
    whole = new_engine(plan)
    for now_ns, observations in steps():
        whole.step(observations, now_ns)
    recalled, now_ns = recall(plan, tmp_path / JOURNAL)
    assert now_ns == steps()[-1][0]
    assert recalled.question(now_ns) == whole.question(now_ns)
    _, found = findings.findings(example_plant(), tmp_path)
    expected = [each for part in new_assessment(plan).answer(whole.question(now_ns)) for each in part]
    assert (found.at_ns, found.events) == (now_ns, expected)


async def test_forecast_tells_it_in_sentences_and_as_json(tmp_path: Path) -> None:
    await journal(tmp_path)
    app = Typer()
    app.command()(command)
    arguments = [str(example_plant()), "--state", str(tmp_path)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "Tractors 2026: 0 of 800 built" in shown.output
    machine = CliRunner().invoke(app, [*arguments, "--json"])
    assert '"event": "target_forecast"' in machine.output


def test_a_gateway_that_does_not_answer_is_told_with_its_address() -> None:
    with pytest.raises(LinecontrolError, match=r"none answers at http://127\.0\.0\.1:1/findings\.json"):
        findings._ask(1)


def test_an_empty_journal_can_not_be_asked(tmp_path: Path) -> None:
    with pytest.raises(JournalError):
        recall(load_plant(example_plant()), tmp_path / JOURNAL)
