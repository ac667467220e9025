import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from linecontrol.model import (
    CycleCompleted,
    CycleEnded,
    CycleStarted,
    FlagChanged,
    LinkChanged,
    StationState,
    StationUnobserved,
    UnitCompleted,
)
from linecontrol.model.record import Record
from tests.system.gateway_journal import counter_readings, cycles, events, records_in, timed_counter_readings
from tests.system.gateway_process import GatewayProcess, Plant, copy_of_plant, linecontrol, wait_for

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = 10
NOT_RUNNING = "the gateway was not running"


@pytest.fixture(scope="module")
def folder(influx_rig: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    influx = f"influx: {{ url: '{influx_rig.url}', token_file: '{influx_rig.token_file}' }}\n"
    return copy_of_plant(tmp_path_factory.mktemp("killed") / "plant", influx)


@pytest.fixture(scope="module")
def journal(folder: Path) -> Path:
    """Of a gateway that was killed ten times at random moments and stopped cleanly at last; the plant went on."""
    state = folder.with_name("state")
    chance = random.Random(20261124)
    with Plant(folder) as plant:
        for _ in range(KILLS):
            with GatewayProcess(folder, state, plant.ports).ready() as gateway:
                gateway.wait_for_records(1 + chance.randrange(40))  # one at least: that of the last death
        with GatewayProcess(folder, state, plant.ports).ready() as gateway:
            gateway.wait_for_links(up=True, patience_s=15)
            done = plant.truth()
            wait_for("a cycle everywhere", lambda: all(n > done[name] for name, n in plant.truth().items()), 40)
            wait_for("InfluxDB has all", lambda: gateway.health()["sinks"]["influx"]["backlog"] == 0, 20)
            assert gateway.stop() == 0
    return state / "journal.sqlite"


@pytest.fixture(scope="module")
def records(journal: Path) -> list[Record]:
    return records_in(journal.parent)


def test_the_journal_has_no_hole_and_no_double(records: list[Record]) -> None:
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert all(before.now_ns <= after.now_ns for before, after in pairwise(records))
    restarts = [link for link in events(records, LinkChanged) if link.reason == NOT_RUNNING]
    assert len(restarts) == 2 * KILLS


def test_every_cycle_that_the_plc_counted_is_there_once(records: list[Record]) -> None:
    advance = {station: values[-1] - values[0] for station, values in counter_readings(records).items()}
    assert len(advance) == 7
    assert min(advance.values()) > 3
    assert {station: len(found) for station, found in cycles(records).items()} == advance
    for found in cycles(records).values():
        for before, after in pairwise(found):
            assert after.start_ns is None or after.start_ns >= before.at_ns


def test_cycles_that_ran_while_the_gateway_was_dead_went_on(records: list[Record]) -> None:
    counts = timed_counter_readings(records)
    survivors = 0
    for gap in events(records, StationUnobserved):
        station = f"{gap.line}/{gap.station}"
        over_the_gap = [
            cycle
            for cycle in cycles(records)[station]
            if cycle.start_ns is not None and cycle.start_ns < gap.start_ns and gap.at_ns < cycle.at_ns
        ]
        assert len(over_the_gap) <= 1
        for cycle in over_the_gap:
            if station != "pump/trial":  # its PLC measures cycles by itself: nothing of them was lost
                assert cycle.lost_s[StationState.UNOBSERVED] >= gap.unobserved_s - 0.002
        before = [value for at_ns, value in counts[station] if at_ns <= gap.start_ns]
        after = [value for at_ns, value in counts[station] if at_ns >= gap.at_ns]
        if was_running(records, gap) and before and after and before[-1] == after[0]:
            survivors += 1
            assert over_the_gap
    assert survivors


def was_running(records: list[Record], gap: StationUnobserved) -> bool:
    """Whether a cycle that had been told of was still running when the gap began."""
    story = [
        event
        for event in (event for record in records for event in record.events)
        if isinstance(event, CycleStarted | CycleEnded | CycleCompleted)
        and (event.line, event.station) == (gap.line, gap.station)
        and event.at_ns < gap.start_ns
    ]
    return bool(story) and isinstance(story[-1], CycleStarted)


def test_each_death_is_a_gap_in_the_record_of_each_station(records: list[Record]) -> None:
    gaps = Counter((gap.line, gap.station) for gap in events(records, StationUnobserved) if NOT_RUNNING in gap.reason)
    assert len(gaps) == 7
    # a life that ended before it had seen a station leaves one gap that is longer
    assert all(KILLS // 2 <= count <= KILLS for count in gaps.values())


def test_influxdb_has_each_event_once(records: list[Record], influx_rig: Any) -> None:
    for measurement, field, kind in (
        ("cycle", "units", CycleCompleted),
        ("flag", "flag", FlagChanged),
        ("unit_index", "units", UnitCompleted),
        ("unobserved", "unobserved_s", StationUnobserved),
    ):
        expected = len(events(records, kind))
        assert expected > 0
        query = f'SELECT COUNT("{field}") FROM "{measurement}" WHERE "site" = \'Testville\''  # noqa: S608
        assert [row["count"] for row in influx_rig.query("mes", query)] == [expected], measurement


def test_the_whole_journal_replays_byte_for_byte(folder: Path, journal: Path, records: list[Record]) -> None:
    replayed = linecontrol("replay", folder, journal, "--json")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert f'"records": {len(records)}' in replayed.stdout
    assert '"different": 0' in replayed.stdout


def test_a_journal_that_was_left_behind_by_a_killed_gateway_replays(folder: Path, tmp_path: Path) -> None:
    with Plant(folder) as plant, GatewayProcess(folder, tmp_path / "state", plant.ports).ready() as gateway:
        gateway.wait_for_records(20)
    replayed = linecontrol("replay", folder, tmp_path / "state" / "journal.sqlite")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
