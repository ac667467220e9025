"""``linecontrol forecast``: from a config folder and a log to sentences, JSON and a picture."""

import json
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from linecontrol.assessment.prospect import Prospects, calendar_ns
from linecontrol.calendar import line_calendars
from linecontrol.cli import _app
from linecontrol.cli.common import example_plant
from linecontrol.config.holidays import public_holidays
from linecontrol.flowline import Layout, run
from linecontrol.plant.load import load_plant

UNITS = 120


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's tractor line from the first day of 2026 on, a third of the units of the year."""
    config = load_plant(example_plant()).config
    calendars = line_calendars(config, public_holidays(config.calendar.holidays))
    calendar, line = calendars["tractor"], config.lines["tractor"]
    rng = np.random.default_rng(1)
    products = ["belarus_892", "belarus_1025", "belarus_1221"]
    which = rng.choice(3, UNITS, p=[0.5, 0.2, 0.3])
    times = 7500 * rng.normal(1.05, 0.1, (UNITS, len(line.stations), 1)).clip(0.7)
    did = run(times, Layout.chain((1,) * (len(line.stations) - 1)))
    start = calendar.day_start(date(2026, 1, 1))

    def text(seconds: float) -> str:
        moment = datetime.fromtimestamp(calendar.add(start, int(seconds * 1e9)) / 1e9, tz=calendar.zone)
        return moment.replace(tzinfo=None).isoformat(timespec="seconds")

    file = tmp_path_factory.mktemp("forecast") / "log.csv"
    rows = ["unit,station,product,start,complete,departure"]
    for unit in range(UNITS):
        for i, name in enumerate(line.stations):
            moments = ",".join(text(float(its[unit, i, 0])) for its in (did.start, did.complete, did.departure))
            rows.append(f"u{unit},{name},{products[which[unit]]},{moments}")
    file.write_text("\n".join(rows) + "\n")
    return file


def _run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(_app(), ["forecast", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_a_sentence_per_target_and_commitment(log: Path) -> None:
    code, text = _run(example_plant(), "--log", log, "--line", "tractor", "--at", "2026-02-10T18:00")
    assert code == 0
    assert "Provisional" in text
    assert "tractor_2026: " in text
    assert "800 will be met with" in text
    assert "turkey_spring_2026: will be met with" in text


def test_json_is_the_same_for_a_seed_and_knows_nothing_of_later(log: Path, tmp_path: Path) -> None:
    known = log.read_text().splitlines()
    moment = "2026-02-10T18:00:00"
    early = tmp_path / "early.csv"
    early.write_text("\n".join([known[0], *(row for row in known[1:] if row.split(",")[3] < moment)]) + "\n")
    options = ["--line", "tractor", "--at", moment, "--json", "--replications", "60", "--seed", "5"]
    (_, one), (_, again), (_, cut) = (_run(example_plant(), "--log", each, *options) for each in (log, log, early))
    assert one == again
    assert json.loads(one)["targets"] == json.loads(cut)["targets"]
    target = json.loads(one)["targets"]["tractor_2026"]
    assert len(target["totals"]) == 60
    assert 0.02 <= target["probability"] <= 0.98
    assert target["low"] <= target["likely"] <= target["high"]


def test_a_picture(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "fan.svg"
    code, _ = _run(example_plant(), "--log", log, "--line", "tractor", "--replications", 50, "--picture", file)
    assert code == 0
    assert file.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--line", "tractr"], "tractor"), (["--line", "tractor", "--at", "soon"], "expected a date and time")],
)
def test_what_is_wrong_is_said(log: Path, options: list[str], said: str) -> None:
    result = CliRunner().invoke(_app(), ["forecast", str(example_plant()), "--log", str(log), *options])
    assert result.exit_code == 2
    assert said in result.output


def test_counts_and_kits_of_a_record(log: Path) -> None:
    from linecontrol.bottleneck.table import Line, read_table

    config = load_plant(example_plant()).config
    calendars = line_calendars(config, public_holidays(config.calendar.holidays))
    calendar = calendars["tractor"]
    known = Line(stations=list(config.lines["tractor"].stations), zone=calendar.zone, calendar=calendar)
    table = read_table(log.read_text().splitlines(), known)
    end_ns = calendar_ns(calendar, table.clock.first, table.log.end)
    prospects = Prospects(config, calendars)
    record = prospects.recorded("tractor", table.log, end_ns, end_ns)
    counts = prospects.counted("tractor", record, end_ns)
    prospect = prospects.of("tractor", record, end_ns, counts)
    assert counts.done["tractor_2026"] == UNITS
    assert counts.served["turkey_spring_2026"] == UNITS
    assert prospect.goals[0].done == UNITS
    assert sum(counts.stock[f"kit_belarus_{kind}"] for kind in (892, 1025, 1221)) == 68 - UNITS + sum(
        sum(each.kits.values())
        for name, each in config.deliveries.items()
        if name.startswith("tractor_2026") and each.day <= calendar.day_of(end_ns)
    )
    assert all(one[1] == other[0] for one, other in zip(prospect.days, prospect.days[1:], strict=False))
    assert prospect.days[0][0] <= record.begin
