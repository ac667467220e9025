"""Rules are edited while the gateway runs: taken up, refused, and still there after it was killed."""

import json
from pathlib import Path

import pytest

from linecontrol.model import FlagChanged, RulesChanged, RulesGiven
from tests.system.gateway_journal import events, records_in
from tests.system.gateway_process import GatewayProcess, Plant, copy_of_plant, linecontrol, running, wait_for

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(300)]

SEEN = {
    "each": "connection",
    "only": ["gearbox_plc"],
    "when": "up",
    "ack": "required",
    "message": "{connection} is there.",
}
FLAG = "seen/gearbox_plc"
PASSES = """\
tests:
  - name: t
    given: [{ at: 1s, connection: gearbox_plc, up: true }]
    rules: [seen]
    expect: [{ at: 1s, raised: seen/gearbox_plc }]
"""


def write(folder: Path, **rules: object) -> None:
    """The plant's further rules."""
    (folder / "extra.yaml").write_text(json.dumps({"rules": rules}))


def reload(state: Path) -> tuple[int, str]:
    done = linecontrol("reload", "--state", state, "--user", "eva")
    return done.returncode, done.stdout + done.stderr


def open_flags(gateway: GatewayProcess) -> dict[str, str]:
    return {row["flag"]: row["word"] for row in gateway.page()["flags"]}


def told(state: Path, flag: str) -> list[str]:
    return [event.transition for event in events(records_in(state), FlagChanged) if event.flag == flag]


def test_rules_are_taken_up_refused_and_never_forgotten(tmp_path: Path) -> None:
    folder, state = copy_of_plant(tmp_path / "plant"), tmp_path / "state"
    write(folder, seen=SEEN, other={**SEEN, "message": "other"})
    with running(folder, state) as (_, gateway):
        wait_for("raised", lambda: {FLAG, "other/gearbox_plc"} <= open_flags(gateway).keys(), 10)
        assert reload(state) == (0, "nothing changed: the rules on disk count already\n")
        before = len(gateway.told())

        # by signal: one is gone, one is new, one is as it was
        write(folder, seen=SEEN, more={**SEEN, "message": "more"})
        (folder / "rules.test.yaml").write_text(PASSES)
        gateway.hang_up()
        wait_for("more", lambda: "more/gearbox_plc" in open_flags(gateway), 60)
        assert open_flags(gateway).keys() >= {FLAG}
        assert "other/gearbox_plc" not in open_flags(gateway)
        notified = gateway.told()[before:]
        begun = next(place for place, text in enumerate(notified) if text.startswith("RELOADING=1\nMONOTONIC_USEC="))
        assert "READY=1" in notified[begun:]

        # broken: every place is told, and stands until it is mended
        write(folder, seen={**SEEN, "when": "nonsense"})
        code, said = reload(state)
        assert code == 1
        assert f"{folder}/extra.yaml:1:" in said
        assert "nonsense" in said
        assert "the rules that counted go on" in said
        assert "more/gearbox_plc" in open_flags(gateway)
        (trouble,) = gateway.health()["trouble"]
        assert "nonsense" in trouble
        assert trouble in gateway.page()["trouble"]
        port = gateway.board.rpartition(":")[2]
        status = linecontrol("status", folder, "--port", port)
        assert (status.returncode, "do not count" in " ".join(status.stdout.split())) == (1, True)

        # a test that fails, and a part of the plant that can't change while it runs
        write(folder, seen={**SEEN, "for": "1min"})
        code, said = reload(state)
        assert (code, f"{folder}/rules.test.yaml:5:" in said) == (1, True)
        line = folder / "lines" / "gearbox.yaml"
        written = line.read_text()
        line.write_text(written.replace("title:", "title: Other #", 1))
        write(folder, seen=SEEN)
        code, said = reload(state)
        assert code == 1
        assert f"{line}:" in said
        assert "lines.gearbox differs from what runs; restart the gateway" in said
        line.write_text(written)

        # taken up, and killed right after
        write(folder, sight={**SEEN, "was": "seen"})
        (folder / "rules.test.yaml").unlink()
        code, said = reload(state)
        assert code == 0
        assert said.startswith("rules: removed more; renamed seen to sight\n")
        assert "on\n" in said
        assert gateway.health()["trouble"] == []
        gateway.kill()
    assert told(state, FLAG) == ["raised", "renamed"]
    assert told(state, "sight/gearbox_plc") == ["renamed"]
    assert [(each.by, each.removed) for each in events(records_in(state), RulesChanged)] == [
        ("SIGHUP", ["other"]),
        ("eva", ["more"]),
    ]

    # edited and not reloaded: that counts from the next start on
    write(folder, sight={**SEEN, "was": "seen"}, late={**SEEN, "message": "late"})
    with Plant(folder) as plant, GatewayProcess(folder, state, plant.ports).ready() as gateway:
        wait_for("late", lambda: "late/gearbox_plc" in open_flags(gateway), 20)
        assert "sight/gearbox_plc" in open_flags(gateway)
        assert gateway.stop() == 0
    assert reload(state)[0] == 1, "no gateway runs"
    records = records_in(state)
    given = [each.by for record in records for each in record.observations if isinstance(each, RulesGiven)]
    assert given == ["SIGHUP", "eva", ""]
    assert told(state, "other/gearbox_plc") == ["raised", "cleared"]
    replayed = linecontrol("replay", folder, state, "--json")
    assert json.loads(replayed.stdout)["different"] == 0


def test_a_reload_needs_a_running_gateway_and_its_token(tmp_path: Path) -> None:
    code, said = reload(tmp_path)
    assert code == 1
    assert "board-port" in said
