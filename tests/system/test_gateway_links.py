import time
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest

from linecontrol.model import Anomaly, CycleCompleted, LinkChanged, StationState, StationUnobserved, Timing
from linecontrol.model.record import Record
from tests.system.gateway_journal import counted, cycles, events, records_in
from tests.system.gateway_process import CONNECTIONS, PLANT, GatewayProcess, Plant, running, wait_for

pytestmark = [pytest.mark.system, pytest.mark.slow]

SEEN_DOWN_S = 6.0
SEEN_UP_S = 30.0


def all_stations(gateway: GatewayProcess, *, unobserved: bool) -> Callable[[], bool]:
    def look() -> bool:
        dark = [state == StationState.UNOBSERVED for state in gateway.states().values()]
        return all(dark) if unobserved else not any(dark)

    return look


def one_more_cycle_everywhere(plant: Plant) -> None:
    done = plant.truth()
    wait_for("one more cycle everywhere", lambda: all(n > done[name] for name, n in plant.truth().items()), 40)


def watch_an_outage(gateway: GatewayProcess, down_s: float, come_back: Callable[[], None]) -> None:
    """From the moment it begins until all is seen again; the plant is away for ``down_s``."""
    began = time.monotonic()
    gateway.wait_for_links(up=False, patience_s=SEEN_DOWN_S)
    wait_for("all stations unobserved", all_stations(gateway, unobserved=True), 2)
    wait_for("both links on the board", lambda: {row["name"] for row in gateway.page()["links"]} == {*CONNECTIONS}, 2)
    wait_for("the flags", lambda: sum(f["flag"].startswith("link_lost/") for f in gateway.page()["flags"]) == 2, 5)
    wait_for("the end of the outage", lambda: time.monotonic() >= began + down_s, down_s)
    come_back()
    gateway.wait_for_links(up=True, patience_s=SEEN_UP_S)
    wait_for("all stations seen", all_stations(gateway, unobserved=False), 5)
    wait_for("no flags", lambda: not any(f["flag"].startswith("link_lost/") for f in gateway.page()["flags"]), 5)


def check_record(records: list[Record], down_s: float) -> None:
    for connection in CONNECTIONS:
        changes = [change.up for change in events(records, LinkChanged) if change.connection == connection]
        assert [up for up, _ in groupby(changes)] == [True, False, True]  # down again: another reason
    gaps = events(records, StationUnobserved)
    assert len({(gap.line, gap.station) for gap in gaps}) == len(gaps) == 7
    assert all(gap.reason.startswith("link ") for gap in gaps)
    # seen down later than it began, seen up later than it ended
    assert all(down_s - SEEN_DOWN_S <= gap.unobserved_s <= down_s + SEEN_UP_S + 1 for gap in gaps)
    assert {station: len(found) for station, found in cycles(records).items()} == counted(records) + cut_short(records)


def cut_short(records: list[Record]) -> Counter[str]:
    """Cycles whose part was gone when a PLC came back with a counter that had begun afresh: it never counted them."""
    cut: Counter[str] = Counter()
    for record in records:
        reset = {(e.line, e.station) for e in events([record], Anomaly) if e.kind == "counter_reset" and e.value == 0}
        cut.update(
            f"{e.line}/{e.station}"
            for e in events([record], CycleCompleted)
            if (e.line, e.station) in reset and e.timing is Timing.PARTIAL
        )
    return cut


def test_plcs_that_freeze_are_seen_to_and_nothing_that_they_counted_is_lost(tmp_path: Path) -> None:
    with running(PLANT, tmp_path / "state") as (plant, gateway):
        one_more_cycle_everywhere(plant)
        plant.stop_answering()
        watch_an_outage(gateway, 8, plant.go_on)
        one_more_cycle_everywhere(plant)
        assert gateway.stop() == 0
    check_record(records_in(tmp_path / "state"), 8)


def test_plcs_that_die_and_start_afresh_are_found_again(tmp_path: Path) -> None:
    with running(PLANT, tmp_path / "state") as (plant, gateway):
        one_more_cycle_everywhere(plant)
        one_more_cycle_everywhere(plant)
        again: list[Plant] = []
        plant.kill()
        try:
            watch_an_outage(gateway, 5, lambda: again.append(Plant(PLANT, plant.ports)))
            assert again[0].ports == plant.ports
            one_more_cycle_everywhere(again[0])
            assert gateway.stop() == 0
        finally:
            for restarted in again:
                restarted.kill()
    records = records_in(tmp_path / "state")
    check_record(records, 5)
    resets = {(e.line, e.station) for e in events(records, Anomaly) if e.kind == "counter_reset"}
    assert len(resets) >= 4
