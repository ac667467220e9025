import re
from pathlib import Path

import pytest

from tests.system.gateway_process import linecontrol

pytestmark = [pytest.mark.system, pytest.mark.slow]

EXAMPLE = Path(__file__).parents[2] / "config" / "ganja"


@pytest.mark.timeout(180)
def test_the_demo_agrees_with_the_plant_and_its_journal_replays_byte_for_byte(tmp_path: Path) -> None:
    state = tmp_path / "state"
    shown = linecontrol("demo", "--speed", "43200", "--through", "16d", "--headless", "--state", state, patience_s=120)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Traceback" not in shown.stderr
    assert re.search(r"http://127\.0\.0\.1:\d+/", shown.stdout)
    assert re.search(r"Tractor line: [1-9]\d* units built", shown.stdout)
    assert re.search(r"Municipal vehicle line: [1-9]\d* units built", shown.stdout)
    assert "probably holds the line back" in shown.stdout
    assert re.search(r"holds the line back: \w.*%", shown.stdout)
    assert re.search(r"forecast: \d+ units \(\d+ to \d+\), the\s+target is met with \d+%", shown.stdout)
    assert "Agrees with what the simulated plant says that it built" in shown.stdout
    foreseen = linecontrol("forecast", EXAMPLE, "--state", state)
    assert foreseen.returncode == 0, foreseen.stderr
    assert re.search(r"Tractors 2026: \d+ of 800 built; \d+ units are likely", foreseen.stdout)
    replayed = linecontrol("replay", EXAMPLE, state / "journal.sqlite")
    assert (replayed.returncode, replayed.stdout.splitlines()[-1]) == (0, "all events as recorded")
