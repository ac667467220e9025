"""The record of a line is what really happened there, and invents nothing where nobody looked."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.bottleneck import BottleneckRoom
from linecontrol.bottleneck.units import KEEP
from linecontrol.calendar import WorkCalendar, line_calendars
from linecontrol.config import Config
from linecontrol.engine import Engine
from linecontrol.errors import SnapshotError
from linecontrol.flowline import LineLog, Passage
from linecontrol.model import (
    AnyEvent,
    CycleCompleted,
    CycleEnded,
    CycleStarted,
    KitStockChanged,
    Observation,
    Quality,
    Reading,
    StateChanged,
    StationState,
    Timing,
)
from tests.unit.line.plant import HOUR, MINUTE, MONDAY_8
from tests.unit.line.plant import config as small_config
from tests.unit.line.truth import SIGNALS, outages, perfect, plant, skewed, told
from tests.unit.simulator.conftest import START_NS, build

S = StationState
SEEDS = st.integers(0, 2**32)
METHODS = st.lists(st.sampled_from(sorted(SIGNALS)), min_size=1, max_size=4)
few = settings(max_examples=25, derandomize=True, deadline=None, database=None)


def working_s(log: LineLog, calendar: WorkCalendar, at_ns: int, first_ns: int) -> float:
    """A moment as the log has it, whose record began at ``first_ns``."""
    return log.begin + calendar.working_ns(first_ns, at_ns) / 1e9


def logged(config: Config, calendar: WorkCalendar, events: Sequence[AnyEvent], at_ns: int, line: str = "l") -> LineLog:
    room = BottleneckRoom(config, {line: calendar})
    for event in events:
        assert room.see(event) == ()
    return room.log(line, at_ns)


# --- what really happened -------------------------------------------------------------------------------------


def first_moment(events: Sequence[AnyEvent]) -> int:
    kinds = (CycleStarted, CycleEnded, CycleCompleted, StateChanged)
    return next(event.at_ns for event in events if isinstance(event, kinds))


@few
@given(SEEDS, METHODS, st.booleans())
def test_the_record_is_the_truth(seed: int, methods: list[str], counted: bool) -> None:
    true = plant(Random(seed), methods, counted=counted)
    events = told(true, perfect(true))
    log = logged(true.config, true.calendar, events, true.end_ns)
    assert len(log.units) == len(next(iter(true.cycles.values())))
    for method, passages, cycles in zip(methods, log.passages, true.cycles.values(), strict=True):
        assert [passage.unit for passage in passages] == [passage.unit for passage in log.passages[0]]
        assert [log.products[passage.unit] for passage in passages] == ["pq"[cycle.unit % 2] for cycle in cycles]
        for passage, cycle in zip(passages, cycles, strict=True):
            leaving = method == "part_present" and not counted
            end_ns = cycle.leave_ns if leaving else cycle.end_ns
            assert passage.complete is not None
            assert passage.complete == pytest.approx(working_s(log, true.calendar, end_ns, first_moment(events)))
            if method not in ("cycle_time", "count_alone"):
                start = working_s(log, true.calendar, cycle.start_ns, first_moment(events))
                assert passage.start == pytest.approx(start)
                down = true.calendar.working_ns(*cycle.down) / 1e9 if cycle.down else 0.0
                if method == "state":
                    assert passage.stops == ({"down": down} if cycle.down else {})
            if method == "state" or leaving:
                left = working_s(log, true.calendar, cycle.leave_ns, first_moment(events))
                assert passage.departure == pytest.approx(left)
            else:
                assert passage.departure is None


@few
@given(SEEDS, METHODS, st.booleans(), st.lists(st.tuples(st.integers(1, 60), st.integers(1, 300)), max_size=3))
def test_nothing_is_invented_where_nobody_looked(
    seed: int, methods: list[str], named: bool, gaps: list[tuple[int, int]]
) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=True, named=named)
    at_ns, spans = MONDAY_8 + HOUR, list[tuple[int, int]]()
    for hours, minutes in gaps:
        down_ns = at_ns + hours * HOUR
        at_ns = down_ns + minutes * MINUTE
        spans.append((down_ns, at_ns))
    events = told(true, outages(true, spans, skewed(true, chance)))
    log = logged(true.config, true.calendar, events, true.end_ns)
    done = [event for event in events if isinstance(event, CycleCompleted)]
    for index, name in enumerate(true.cycles):
        passages = log.passages[index]
        assert len(passages) == len(true.cycles[name])
        measured = [event for event in done if event.station == name and event.timing is Timing.MEASURED]
        assert sum("unobserved" not in passage.waits for passage in passages) <= len(measured)
        for passage in passages:
            assert passage.complete is not None
            assert passage.start <= passage.complete
            assert sum(passage.waits.values()) + sum(passage.stops.values()) <= passage.complete - passage.start + 0.01
        assert len({passage.unit for passage in passages}) == len(passages)


@few
@given(SEEDS, METHODS, st.booleans(), st.integers(0, 200))
def test_a_room_that_is_restored_goes_on_as_if_nothing_had_been(
    seed: int, methods: list[str], counted: bool, cut: int
) -> None:
    true = plant(Random(seed), methods, counted=counted)
    events = told(true, skewed(true, Random(seed)))
    whole, rest = (BottleneckRoom(true.config, {"l": true.calendar}) for _ in range(2))
    for number, event in enumerate(events):
        if number == min(cut, len(events) - 1):
            rest.remember(whole.memory())
        whole.see(event)
        if number >= min(cut, len(events) - 1):
            rest.see(event)
    assert rest.memory() == whole.memory()


# --- the simulated plant --------------------------------------------------------------------------------------

WILD = {"spread": 0.2, "breakdown_every": "15h", "repair": "40m"}


@few
@given(SEEDS, st.integers(0, 2), st.sampled_from(["0s", "2m"]))
def test_the_record_of_the_simulated_plant_is_its_truth(seed: int, capacity: int, transfer: str) -> None:
    sim = build([2, 3, 2, 2], capacity, seed=seed, transfer=transfer, trouble=WILD, round_the_clock=False)
    line = sim._lines["line"]
    pace = line._config.engine.model_copy(update={"resolution": 5 * MINUTE, "progress_every": 9 * HOUR})
    config, calendar = line._config.model_copy(update={"engine": pace}), line._calendar
    end_ns = START_NS + 150 * HOUR
    truth: dict[str, list[dict[str, int]]] = {name: [] for name in line.stations}
    moments: dict[int, list[Observation]] = {START_NS: [_reading(*item, START_NS) for item in sim.values.items()]}
    for signal, value, at_ns in sim.step(end_ns):
        moments.setdefault(at_ns, []).append(_reading(signal, value, at_ns))
        _, station, role = signal.split("/")
        if role == "cycle_start" and value:
            truth[station].append({"start": at_ns})
        elif role == "cycle_complete" and value:
            truth[station][-1]["complete"] = at_ns
        elif role == "part_present" and not value:
            truth[station][-1]["departure"] = at_ns
    engine, record = Engine(config), BottleneckRoom(config, {"line": calendar})
    events = [event for at_ns, batch in moments.items() for event in engine.step(batch, at_ns)]
    for event in [*events, *engine.tick(end_ns + HOUR)]:
        record.see(event)
    log = record.log("line", end_ns)
    for passages, true in zip(log.passages, truth.values(), strict=True):
        assert len(passages) == len(true)
        for number, (passage, each) in enumerate(zip(passages, true, strict=True)):
            assert log.units[passage.unit] == f"LI-2026-{number + 1:05}"
            for what, found in (
                ("start", passage.start),
                ("complete", passage.complete),
                ("departure", passage.departure),
            ):
                expected = None if what not in each else working_s(log, calendar, each[what], first_moment(events))
                assert found == (None if expected is None else pytest.approx(expected)), what
            assert not passage.waits
            assert sum(passage.before.get(cause, 0) for cause in ("operator", "kit", "unobserved")) == 0
    assert log.end == pytest.approx(working_s(log, calendar, end_ns, first_moment(events)))


def _reading(signal: str, value: Any, at_ns: int) -> Reading:
    return Reading(signal, value, Quality.GOOD, at_ns, at_ns)


# --- scripted -------------------------------------------------------------------------------------------------

SHOP = small_config(
    {
        "a": {"cycle_by": "start_complete", "signals": ["cycle_start", "cycle_complete", "blocked", "starved"]},
        "b": {"cycle_by": "start_complete", "signals": ["cycle_start", "cycle_complete", "blocked", "starved"]},
    },
    {"kits": {"k": {"title": "K", "stock": 0, "day": "2026-01-01"}}},
    buffers={"ab": {"after": "a", "before": "b", "capacity": 3}},
)
SHOP = SHOP.model_copy(
    update={"products": {key: each.model_copy(update={"kit": "k"}) for key, each in SHOP.products.items()}}
)
CALENDAR = line_calendars(SHOP)["l"]


def at(minutes: float) -> int:
    return MONDAY_8 + round(minutes * MINUTE)


def started(minutes: float, station: str, unit: str | None) -> CycleStarted:
    named = unit is None or unit.startswith("l-")
    return CycleStarted(
        at_ns=at(minutes), line="l", station=station, unit=unit, unit_inferred=named, product="p", planned_s=7200.0
    )


def completed(minutes: float, station: str, unit: str, begun: float | None, **more: Any) -> CycleCompleted:
    fields: dict[str, Any] = {
        "active_s": None if begun is None else (minutes - begun) * 60,
        "lost_s": {},
        "timing": Timing.UNKNOWN if begun is None else Timing.MEASURED,
    }
    return CycleCompleted(
        at_ns=at(minutes),
        line="l",
        station=station,
        unit=unit,
        unit_inferred=unit.startswith("l-"),
        product="p",
        start_ns=None if begun is None else at(begun),
        planned_s=7200.0,
        good=None,
        shift="day",
        **fields | more,
    )


def changed(minutes: float, station: str, previous: S, state: S) -> StateChanged:
    return StateChanged(
        at_ns=at(minutes), line="l", station=station, state=state, previous=previous, since_ns=0, previous_s=0, shift=""
    )


def shop(*events: AnyEvent, minutes: float = 100) -> LineLog:
    return logged(SHOP, CALENDAR, events, at(minutes))


def minutes_of(log: LineLog, station: int) -> list[tuple[Any, ...]]:
    """Unit, start, complete, departure in minutes since the record began, waits, what was before, stops."""

    def minute(each: float | None) -> float | None:
        return None if each is None else round((each - log.begin) / 60, 3)

    def times(each: dict[str, float]) -> dict[str, float]:
        return {cause: seconds / 60 for cause, seconds in each.items()}

    def row(each: Passage) -> tuple[Any, ...]:
        moments = minute(each.start), minute(each.complete), minute(each.departure)
        return (log.units[each.unit], *moments, times(each.waits), times(each.before), times(each.stops))

    return [row(each) for each in log.passages[station]]


def test_waits_and_stops_inside_a_cycle_are_told_apart_by_cause() -> None:
    lost = {S.DOWN: 300.0, S.SETUP: 60.0, S.STARVED: 120.0, S.IDLE: 180.0, S.UNOBSERVED: 240.0, S.BLOCKED: 30.0}
    log = shop(
        changed(0, "a", S.UNOBSERVED, S.STARVED),
        started(0, "a", "l-1"),
        changed(0, "a", S.STARVED, S.WORKING),
        completed(40, "a", "l-1", 0, lost_s=lost),
        changed(40, "a", S.WORKING, S.BLOCKED),
        changed(52, "a", S.BLOCKED, S.STARVED),
    )
    waits = {"blocked": 0.5, "material": 2.0, "operator": 3.0, "unobserved": 4.0}
    assert minutes_of(log, 0) == [("l-1", 0, 40, 52, waits, {}, {"down": 5.0, "setup": 1.0})]
    assert log.passages[0][0].own == (40 - 9.5) * 60


def test_what_a_station_was_before_it_began_again() -> None:
    log = shop(
        started(0, "a", "l-1"),
        changed(0, "a", S.UNOBSERVED, S.WORKING),
        completed(10, "a", "l-1", 0),
        changed(10, "a", S.WORKING, S.STARVED),
        changed(12, "a", S.STARVED, S.DOWN),
        changed(15, "a", S.DOWN, S.IDLE),
        changed(22, "a", S.IDLE, S.STARVED),
        started(30, "a", "l-2"),
        changed(30, "a", S.STARVED, S.WORKING),
        minutes=44,
    )
    assert minutes_of(log, 0) == [
        ("l-1", 0, 10, 10, {}, {}, {}),
        ("l-2", 30, None, None, {}, {"down": 3.0, "operator": 7.0, "material": 10.0}, {}),
    ]


def test_a_station_that_is_starved_waits_for_material_only_once_its_unit_is_ready() -> None:
    story: list[AnyEvent] = [
        started(0, "a", "l-1"),
        changed(0, "b", S.UNOBSERVED, S.STARVED),
        completed(30, "a", "l-1", 0),
        started(40, "b", "l-1"),
        changed(40, "b", S.STARVED, S.WORKING),
        completed(60, "b", "l-1", 40),
        changed(60, "b", S.WORKING, S.STARVED),
        started(30, "a", "l-2"),
        completed(70, "a", "l-2", 30),
        started(73, "b", "l-2"),
        changed(73, "b", S.STARVED, S.WORKING),
    ]
    rows = minutes_of(shop(*story), 1)
    assert [row[5] for row in rows] == [{"material": 10.0}, {"transport": 3.0}]


def kit(minutes: float, stock: int) -> KitStockChanged:
    return KitStockChanged(at_ns=at(minutes), kit="k", stock=stock, needed_next_day=0, arriving=0)


def test_the_station_that_takes_kits_waits_for_a_kit_while_there_is_none() -> None:
    story: list[AnyEvent] = [
        started(0, "a", "l-1"),
        changed(0, "a", S.UNOBSERVED, S.WORKING),
        kit(0, 0),
        completed(10, "a", "l-1", 0),
        changed(10, "a", S.WORKING, S.STARVED),
    ]
    delivered: list[AnyEvent] = [
        kit(35, 5),
        kit(40, 4),
        started(40, "a", "l-2"),
        changed(40, "a", S.STARVED, S.WORKING),
    ]
    assert minutes_of(shop(*story, *delivered), 0)[1][5] == {"kit": 30.0}
    in_stock: list[AnyEvent] = [kit(10, 5), *delivered[1:]]
    assert minutes_of(shop(*story, *in_stock), 0)[1][5] == {"material": 30.0}


def test_a_name_that_comes_later_is_of_the_unit_whose_turn_it_was() -> None:
    log = shop(
        started(0, "a", "l-1"),
        completed(10, "a", "l-1", 0),
        started(10, "a", "l-2"),
        completed(20, "a", "l-2", 10),
        started(11, "b", None),
        completed(19, "b", "U7", 11),
        started(20, "b", "U8"),
        minutes=30,
    )
    assert log.units == ["U7", "U8"]
    assert [passage.unit for passage in log.passages[1]] == [0, 1]


def test_a_start_that_claims_the_unit_before_gets_it_when_that_is_told() -> None:
    log = shop(
        started(0, "a", "l-1"),
        started(9, "b", None),
        completed(9, "a", "l-1", 0),
        started(12, "a", "l-2"),
        minutes=30,
    )
    assert [(log.units[each.unit], each.complete) for each in log.passages[1]] == [("l-1", None)]
    assert [log.units[each.unit] for each in log.passages[0]] == ["l-1", "l-2"]


def test_a_unit_that_overtakes_is_known_by_its_name() -> None:
    log = shop(
        started(0, "a", "U1"),
        completed(10, "a", "U1", 0),
        started(10, "a", "U2"),
        completed(20, "a", "U2", 10),
        started(20, "b", "U2"),
        completed(30, "b", "U2", 20),
        started(30, "b", "U1"),
        minutes=40,
    )
    assert [log.units[each.unit] for each in log.passages[1]] == ["U2", "U1"]


def test_a_unit_that_three_have_overtaken_is_not_waited_for_any_more() -> None:
    units = ["lost", "U2", "U3", "U4", "U5"]
    story: list[AnyEvent] = []
    for number, unit in enumerate(units):
        story += [started(10 * number, "a", unit), completed(10 * number + 10, "a", unit, 10 * number)]
    for number, unit in enumerate(units[1:]):
        story += [started(50 + 10 * number, "b", unit), completed(60 + 10 * number, "b", unit, 50 + 10 * number)]
    early, late = shop(*story[:14], minutes=200), shop(*story, minutes=200)
    assert "lost" in early.units
    assert late.units == units[1:]


def test_figures_that_come_late_find_their_cycle() -> None:
    log = shop(
        started(0, "a", "l-1"),
        changed(0, "a", S.UNOBSERVED, S.WORKING),
        CycleEnded(at_ns=at(10), line="l", station="a"),
        changed(10, "a", S.WORKING, S.BLOCKED),
        changed(13, "a", S.BLOCKED, S.STARVED),
        completed(10, "a", "l-1", 2),
    )
    assert minutes_of(log, 0) == [("l-1", 2, 10, 13, {}, {}, {})]


def test_cycles_that_nobody_saw_have_no_own_time() -> None:
    log = shop(
        started(0, "a", "l-1"),
        completed(10, "a", "l-1", 0, timing=Timing.PARTIAL),
        completed(30, "a", "l-2", None),
    )
    assert minutes_of(log, 0) == [
        ("l-1", 0, 10, None, {"unobserved": 0.0}, {}, {}),
        ("l-2", 10, 30, None, {"unobserved": 20.0}, {}, {}),
    ]
    assert log.passages[0][1].own == 0


def test_a_departure_that_nobody_saw_is_not_told() -> None:
    log = shop(
        started(0, "a", "l-1"),
        changed(0, "a", S.UNOBSERVED, S.WORKING),
        completed(10, "a", "l-1", 0),
        changed(10, "a", S.WORKING, S.BLOCKED),
        changed(12, "a", S.BLOCKED, S.UNOBSERVED),
        changed(20, "a", S.UNOBSERVED, S.STARVED),
    )
    assert minutes_of(log, 0)[0][3] is None


def test_only_the_last_units_are_kept_and_the_log_begins_after_those_forgotten() -> None:
    story: list[AnyEvent] = []
    for number in range(KEEP + 5):
        begun = 2 * number
        story += [started(begun, "a", f"U{number}"), completed(begun + 1, "a", f"U{number}", begun)]
        story += [started(begun + 1, "b", f"U{number}"), completed(begun + 2, "b", f"U{number}", begun + 1)]
    log = shop(*story, minutes=5000)
    assert log.units == [f"U{number}" for number in range(5, KEEP + 5)]
    assert [len(each) for each in log.passages] == [KEEP, KEEP]
    assert log.begin == log.passages[0][0].start


def test_a_memory_of_other_stations_is_refused() -> None:
    room = BottleneckRoom(SHOP, {"l": CALENDAR})
    renamed = SHOP.model_copy(deep=True)
    renamed.lines["l"].stations["c"] = renamed.lines["l"].stations.pop("b")
    with pytest.raises(SnapshotError, match="other lines or stations"):
        room.remember(BottleneckRoom(renamed, {"l": CALENDAR}).memory())
    with pytest.raises(SnapshotError, match="can't be read"):
        room.remember(b"nonsense")
