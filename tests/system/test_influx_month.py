"""A month of the example plant in a real InfluxDB: what can be read back is what the journal says."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from linecontrol.config.gateway import InfluxConfig
from linecontrol.gateway.journal_file import read_journal
from linecontrol.model import (
    AnyEvent,
    CommandClosed,
    CycleCompleted,
    FlagChanged,
    LedgerUpdated,
    Sampled,
    ShiftKpi,
    StateChanged,
    StationUnobserved,
    UnitCompleted,
)
from linecontrol.sinks.reference import closed
from linecontrol.sinks.schema import MEASUREMENTS, Database
from tests.system.influx_rig import InfluxRig
from tests.system.plant_month import run_month

pytestmark = [pytest.mark.system, pytest.mark.slow]

_Event = TypeVar("_Event")


@pytest.fixture(scope="module")
def events(influx_rig: InfluxRig, tmp_path_factory: pytest.TempPathFactory) -> list[AnyEvent]:
    path = tmp_path_factory.mktemp("month") / "journal.sqlite"
    outbox = asyncio.run(run_month(path, InfluxConfig(url=influx_rig.url, token_file=influx_rig.token_file)))
    assert (outbox.health.refused, outbox.health.trouble, outbox.health.backlog) == (0, "", 0)
    return [event for record in read_journal(path) for event in record.events]


def of(events: list[AnyEvent], kind: type[_Event]) -> Iterator[_Event]:
    return (event for event in events if isinstance(event, kind))


def close(value: float) -> Any:
    """Sums are added up in another order."""
    return pytest.approx(value, rel=1e-9)


def test_cycles_of_each_station(events: list[AnyEvent], influx_rig: InfluxRig) -> None:
    cycles: defaultdict[tuple[str, str], list[float | None]] = defaultdict(list)
    for cycle in of(events, CycleCompleted):
        cycles[cycle.line, cycle.station].append(cycle.active_s)
    assert len(cycles) == 19
    found = {
        (row["line"], row["station"]): row
        for row in influx_rig.query("mes", 'SELECT COUNT("units"), MEAN("cycle_s") FROM "cycle" GROUP BY line, station')
    }
    assert found.keys() == cycles.keys()
    for place, values in cycles.items():
        known = [value for value in values if value is not None]
        assert found[place]["count"] == len(values)
        assert found[place]["mean"] == close(sum(known) / len(known))


def test_units_of_each_line(events: list[AnyEvent], influx_rig: InfluxRig) -> None:
    units = Counter(event.line for event in of(events, UnitCompleted))
    assert units.keys() == {"tractor", "municipal"}
    rows = influx_rig.query("mes", 'SELECT COUNT("units") FROM "unit_index" GROUP BY "line"')
    assert {row["line"]: row["count"] for row in rows} == units


def test_time_in_each_state(events: list[AnyEvent], influx_rig: InfluxRig) -> None:
    sums: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for event in of(events, StateChanged):
        sums[event.line, event.station, event.previous.value] += event.previous_s
    rows = influx_rig.query("mes", 'SELECT SUM("duration_s") FROM "state_interval" GROUP BY line, station, state')
    found = {(row["line"], row["station"], row["state"]): row["sum"] for row in rows}
    assert found == {place: close(total) for place, total in sums.items()}
    assert len({state for *_, state in found}) >= 5


def test_last_word_of_each_ledger(events: list[AnyEvent], influx_rig: InfluxRig) -> None:
    last = {event.target: event for event in of(events, LedgerUpdated)}
    rows = influx_rig.query("mes", 'SELECT * FROM "target" GROUP BY "target" ORDER BY time DESC LIMIT 1')
    found = {row["target"]: row for row in rows}
    assert found.keys() == last.keys()
    for name, ledger in last.items():
        assert (found[name]["done"], found[name]["units_left"]) == (ledger.done, ledger.left)
        assert (found[name]["due"], found[name]["ahead_units"]) == (ledger.due, ledger.ahead_units)
        assert found[name]["time"] // 10**6 == ledger.at_ns // 10**6


def test_flags(events: list[AnyEvent], influx_rig: InfluxRig) -> None:
    transitions = Counter((event.rule, event.transition) for event in of(events, FlagChanged))
    rows = influx_rig.query("mes", 'SELECT COUNT("flag") FROM "flag" GROUP BY "rule", "transition"')
    assert {(row["rule"], row["transition"]): row["count"] for row in rows} == transitions
    assert len({rule for rule, transition in transitions if transition == "raised"}) >= 5


def test_figures_of_each_period(events: list[AnyEvent], influx_rig: InfluxRig) -> None:
    last = {(k.line, k.station, k.period, k.shift or "none", k.start_ns): k for k in of(events, ShiftKpi)}
    rows = influx_rig.query("mes_kpi", 'SELECT * FROM "kpi"')
    found = {(row["line"], row["station"], row["period"], row["shift"], row["time"]): row for row in rows}
    assert found.keys() == last.keys()
    assert sum(kpi.oee is not None for kpi in last.values()) > 100
    for place, kpi in last.items():
        for field in ("oee", "availability", "apt_s", "produced", "cycle_mean_s"):
            assert found[place][field] == getattr(kpi, field), (place, field)


def test_nothing_else_is_missing(events: list[AnyEvent], influx_rig: InfluxRig) -> None:
    gaps = sum(event.unobserved_s for event in of(events, StationUnobserved))
    assert influx_rig.query("mes", 'SELECT SUM("unobserved_s") FROM "unobserved"')[0]["sum"] == close(gaps)
    closed = Counter(event.result.value for event in of(events, CommandClosed))
    audit = influx_rig.query("mes", 'SELECT COUNT("latency_ms") FROM "command_audit" GROUP BY "result"')
    assert {row["result"]: row["count"] for row in audit} == closed
    assert closed["verified"] > 0
    samples = Counter((event.line, event.station, event.name) for event in of(events, Sampled))
    for (line, station, name), count in samples.items():
        query = f"SELECT COUNT(\"{name}\") FROM \"sample\" WHERE line = '{line}' AND station = '{station}'"  # noqa: S608
        assert influx_rig.query("mes_raw", query)[0]["count"] == count


def _examples() -> list[tuple[str, str]]:
    """The queries of the reference, each with its database."""
    text = (Path(__file__).parents[2] / "docs" / "reference" / "influxdb.md").read_text()
    parts = re.split(r"^### (mes\w*)$", text.partition("\n## Examples")[2], flags=re.MULTILINE)
    return [
        (database, query)
        for database, part in zip(parts[1::2], parts[2::2], strict=True)
        for query in re.findall(r"```sql\n(.+?)\n```", part)
    ]


@pytest.mark.parametrize(("database", "query"), _examples())
def test_each_example_of_the_reference_finds_something(
    events: list[AnyEvent], influx_rig: InfluxRig, database: str, query: str
) -> None:
    end = max(event.at_ns for event in events)
    rows = influx_rig.query(database, query.replace("now()", str(end)))
    assert rows
    assert any(value is not None for row in rows for name, value in row.items() if name != "time")


def test_tags_hold_only_what_the_reference_lists(events: list[AnyEvent], influx_rig: InfluxRig) -> None:
    assert events
    checked = 0
    for measurement in MEASUREMENTS:
        database = {Database.EVENTS: "mes", Database.KPI: "mes_kpi"}[measurement.database]
        for tag in measurement.tags:
            rows = influx_rig.query(database, f'SHOW TAG VALUES FROM "{measurement.name}" WITH KEY = "{tag}"')
            found = {row["value"] for row in rows}
            assert len(found) < 100
            listed = closed(measurement.name, tag)
            if listed is not None:
                assert found <= {*listed, "none"}, (measurement.name, tag)
                checked += bool(found)
    assert checked > 5
