"""The critical path of a record: whom the record says was waited for, to the last second."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.flowline import Layout, LineLog, Passage, critical_shares, run
from linecontrol.flowline.path import Path, critical_path, departures
from tests.unit.flowline.records import FEEDER, layouts, log_of, muddles, random_times, recorded, shop_floor

same = settings(derandomize=True, deadline=None, database=None, max_examples=60)

INTEGERS = np.array([[2, 5, 2], [3, 1, 4], [2, 6, 1], [4, 2, 3], [1, 3, 2]], dtype=float)[:, :, None]


def integers(places: int) -> LineLog:
    return recorded(run(INTEGERS, Layout.chain((places, places))))


def total(path: Path) -> float:
    return sum(path.own) + sum(path.waits.values())


def elsewhere(log: LineLog, change: Callable[[float], float]) -> LineLog:
    """The same record on another clock."""
    passages = [
        [
            Passage(p.unit, p.station, change(p.start), change(p.complete or 0.0), change(p.departure or 0.0))
            for p in its
        ]
        for its in log.passages
    ]
    return msgspec.structs.replace(log, passages=passages, begin=change(log.begin), end=change(log.end))


# --- known by hand ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("places", "charges"), [(0, [2, 13, 7]), (1, [2, 14, 5])])
def test_integer_vectors_along_one_way(places: int, charges: list[float]) -> None:
    path = critical_path(integers(places), split=False)
    assert path.own == charges
    assert path.waits == {}
    assert path.tied == []


@pytest.mark.parametrize("places", [0, 1])
def test_ties_split_the_mass_equally_over_all_tight_ways(places: int) -> None:
    log = integers(places)
    leave = [[p.departure for p in its] for its in log.passages]
    complete = [[p.complete for p in its] for its in log.passages]
    room = places + 1

    @cache
    def spent(i: int, j: int) -> tuple[float, ...]:
        """What one unit of mass at a departure is spent for, by the definition."""
        ways = []
        if i < 2 and j >= room and leave[i + 1][j - room] == leave[i][j]:
            ways.append(np.array(spent(i + 1, j - room)))
        if complete[i][j] == leave[i][j]:
            start = log.passages[i][j].start
            tight = [(a, b) for a, b in ((i - 1, j), (i, j - 1)) if min(a, b) >= 0 and leave[a][b] == start]
            rest = sum((np.array(spent(*each)) for each in tight), np.zeros(3)) / max(len(tight), 1)
            rest[i] += INTEGERS[j, i, 0]
            ways.append(rest)
        return tuple(float(each) for each in np.mean(ways, axis=0))

    path = critical_path(log)
    assert path.own == pytest.approx(spent(2, 4), abs=1e-12)
    assert path.own != critical_path(log, split=False).own
    assert path.tied == [0, 1, 2][places:]


def test_equal_stations_share_a_paced_beat() -> None:
    times = np.array([[3, 3, 1], [3, 3, 3]], dtype=float)[:, :, None]
    path = critical_path(recorded(run(times, Layout.chain((0, 0), paced=True))))
    assert (path.begin, path.end) == (0.0, 12.0)
    assert path.own == [4.5, 4.5, 3.0]
    assert path.tied == [0, 1]


def test_a_paced_line_agrees_with_the_recursion() -> None:
    its = run(random_times(3, 30, 6), Layout.chain((0,) * 5, paced=True))
    path = critical_path(recorded(its))
    assert np.array(path.own) / path.end == pytest.approx(critical_shares(its)[:, 0], abs=1e-12)


def test_an_empty_record_has_an_empty_path() -> None:
    log = LineLog(Layout.chain((0,)), ["A", "B"], [], [], [[], []], [{}, {}], 5.0, 9.0)
    path = critical_path(log)
    assert (path.begin, path.end, path.own, path.charges) == (5.0, 5.0, [0.0, 0.0], [])


def test_only_up_to_the_last_departure_is_judged() -> None:
    log = integers(0)
    log.passages[0].append(Passage(5, 0, 20.0))
    log.units.append("U5")
    log.products.append(None)
    log.end = 40.0
    path = critical_path(log)
    assert path.end == 22.0
    assert total(path) == 22.0


def test_what_lies_before_the_beginning_is_cut_off() -> None:
    log = msgspec.structs.replace(integers(0), begin=10.0)
    path = critical_path(log)
    assert path.begin == 10.0
    assert total(path) == pytest.approx(12.0, abs=1e-12)
    assert min(charge.start for charge in path.charges) == 10.0


# --- laws -------------------------------------------------------------------------------------------------------


@same
@given(layout=layouts(), twins=st.integers(1, 3), seed=st.integers(0, 10**6), units=st.integers(1, 40))
def test_agrees_with_the_walk_over_the_recursion(layout: Layout, twins: int, seed: int, units: int) -> None:
    layout = msgspec.structs.replace(layout, servers=(*layout.servers[:-1], twins))
    times = random_times(seed, units, layout.stations)
    times[-1, -1] += 100.0  # the last unit is the last to leave
    its = run(times, layout)
    path = critical_path(recorded(its))
    assert path.waits == {}
    assert np.array(path.own) / path.end == pytest.approx(critical_shares(its)[:, 0], abs=1e-9)


@same
@given(seed=st.integers(0, 10**6), limit=st.none() | st.integers(1, 5))
def test_feeder_lines_agree_with_the_recursion(seed: int, limit: int | None) -> None:
    layout = msgspec.structs.replace(FEEDER, limit=limit)
    its = run(random_times(seed, 30, 5), layout)
    path = critical_path(recorded(its))
    assert path.waits == {}
    assert np.array(path.own) / path.end == pytest.approx(critical_shares(its)[:, 0], abs=1e-9)


@same
@given(layout=layouts(twins=True, limits=False), seed=st.integers(0, 10**6))
def test_the_share_is_the_sensitivity_also_where_units_overtake(layout: Layout, seed: int) -> None:
    times = random_times(seed, 30, layout.stations)[:, :, 0]
    path = critical_path(shop_floor(layout, times))
    assert path.waits == {}
    step = 1e-7
    for station, own in enumerate(path.own):
        longer = times.copy()
        longer[:, station] *= 1 + step
        slope = (critical_path(shop_floor(layout, longer)).end - path.end) / step
        assert own == pytest.approx(slope, abs=1e-4)


@same
@given(
    layout=layouts(twins=True),
    seed=st.integers(0, 10**6),
    resolution=st.sampled_from([0.0, 0.05, 0.4]),
    begin=st.floats(0.0, 8.0),
)
def test_no_second_is_lost_or_counted_twice(layout: Layout, seed: int, resolution: float, begin: float) -> None:
    rng = np.random.default_rng(seed)
    log = recorded(run(random_times(seed, 25, layout.stations), layout))
    for its in log.passages:
        for passage in its:
            passage.start += float(rng.uniform(-resolution, resolution)) / 2
            passage.complete = max(
                passage.start, (passage.complete or 0.0) + float(rng.uniform(-1, 1)) * resolution / 2
            )
            passage.waits = {"kit": float(rng.uniform(0.0, 0.2))}
            passage.stops = {"down": float(rng.uniform(0.0, 0.2))}
            passage.before = {"operator": float(rng.uniform(0.0, 0.1)), "setup": float(rng.uniform(0.0, 0.1))}
        its.sort(key=lambda passage: passage.start)
    log = msgspec.structs.replace(log, resolution=resolution, begin=begin)
    path = critical_path(log)
    assert total(path) == pytest.approx(path.end - path.begin, abs=1e-9)
    assert all(charge.end > charge.start and charge.weight > 0 for charge in path.charges)
    assert min([*path.own, *path.waits.values(), *path.stops.values()], default=0.0) >= 0.0


@same
@given(log=muddles())
def test_a_muddled_record_still_adds_up(log: LineLog) -> None:
    path = critical_path(log)
    assert total(path) == pytest.approx(path.end - path.begin, abs=1e-9)
    assert min([*path.own, *path.waits.values()], default=0.0) >= 0.0
    one = critical_path(log, split=False)
    assert total(one) == pytest.approx(one.end - one.begin, abs=1e-9)
    assert one.tied == []


@same
@given(layout=layouts(twins=True), seed=st.integers(0, 10**6), shift=st.integers(-(10**6), 10**6))
def test_the_clock_does_not_matter(layout: Layout, seed: int, shift: int) -> None:
    times = np.round(random_times(seed, 25, layout.stations) * 8)
    log = recorded(run(times, layout))
    path = critical_path(log)
    assert critical_path(elsewhere(log, lambda time: time + shift)).own == pytest.approx(path.own, abs=1e-9)
    longer = critical_path(elsewhere(log, lambda time: time * 64))
    assert longer.own == pytest.approx([64 * own for own in path.own])
    assert longer.tied == path.tied


def test_the_hash_seed_does_not_matter() -> None:
    program = (
        "import numpy as np, msgspec\n"
        "from linecontrol.flowline import Layout, run\n"
        "from linecontrol.flowline.path import critical_path\n"
        "from tests.unit.flowline.records import recorded\n"
        "times = np.random.default_rng(1).integers(1, 5, (40, 5, 1)).astype(float)\n"
        "path = critical_path(recorded(run(times, Layout.chain((0, 1, 2, 0), servers=(1, 2, 1, 3, 1)))))\n"
        "print(path.own, path.tied, path.charges)\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert "Charge" in found.pop()


# --- waits from outside -----------------------------------------------------------------------------------------


def waiting_line() -> tuple[LineLog, np.ndarray]:
    """Two stations; the first always works 10, the second 2, but is kept waiting from outside."""
    starts = [10.0, 23.0, 30.0]
    first = [Passage(j, 0, 10.0 * j, 10.0 * j + 10.0, 10.0 * j + 10.0) for j in range(3)]
    second = [Passage(j, 1, start, start + 2.0, start + 2.0) for j, start in enumerate(starts)]
    return log_of(Layout.chain((5,)), [first, second]), np.array(starts)


def test_a_gap_that_nobody_in_the_line_explains_is_unknown() -> None:
    log, _ = waiting_line()
    log.passages[1][2].start, log.passages[1][2].complete, log.passages[1][2].departure = 34.0, 36.0, 36.0
    path = critical_path(log)
    assert path.own == [30.0, 2.0]
    assert path.waits == {"unknown": 4.0}
    assert path.waits_at == {(1, "unknown"): 4.0}


def test_a_gap_is_charged_to_the_states_before_the_start() -> None:
    log, _ = waiting_line()
    log.passages[1][2] = Passage(
        2, 1, 37.0, 39.0, 39.0, before={"operator": 3.0, "down": 1.0, "setup": 0.5, "starved": 4.0, "kit": 2.0}
    )
    path = critical_path(log)
    assert path.own == [30.0, 3.5]
    assert path.stops == {(1, "down"): 1.0, (1, "setup"): 0.5}
    assert path.waits == pytest.approx({"operator": 3.0, "kit": 2.0, "unknown": 0.5})


def test_a_gap_within_the_resolution_is_hand_over_and_the_station_s() -> None:
    log, _ = waiting_line()
    log.passages[1][2] = Passage(2, 1, 30.5, 32.5, 32.5, before={"operator": 0.5})
    path = critical_path(msgspec.structs.replace(log, resolution=0.5))
    assert path.own == [30.0, 2.5]
    assert path.waits == {}


def test_waits_and_stops_within_a_cycle() -> None:
    log, _ = waiting_line()
    log.passages[0][1].waits = {"crane": 4.0}
    log.passages[0][1].stops = {"down": 1.0}
    path = critical_path(log)
    assert path.own == [26.0, 2.0]
    assert path.waits_at == {(0, "crane"): 4.0}
    assert path.stops == {(0, "down"): 1.0}


def test_a_unit_that_nobody_holds_back_waits_for_transport() -> None:
    log, _ = waiting_line()
    log.passages[0][2].departure = 33.0
    log.passages[1][2] = Passage(2, 1, 33.0, 35.0, 35.0)
    path = critical_path(log)
    assert path.own == [30.0, 2.0]
    assert path.waits_at == {(0, "transport"): 3.0}


@same
@given(layout=layouts(limits=False), seed=st.integers(0, 10**6))
def test_waits_at_known_places_are_found_exactly(layout: Layout, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (25, layout.stations, 1)
    within = np.where(rng.random(shape) < 0.3, rng.uniform(0.1, 2.0, shape), 0.0)
    gaps = np.where(rng.random(shape) < 0.3, rng.uniform(0.1, 2.0, shape), 0.0)
    times = random_times(seed, *shape[:2])
    log = recorded(run(times, layout, waits=within, start_waits=gaps))
    for station, its in enumerate(log.passages):
        for passage in its:
            passage.waits = {"kit": float(within[passage.unit, station, 0])}
            passage.before = {"operator": float(gaps[passage.unit, station, 0])}
    path = critical_path(log)
    own = np.zeros(layout.stations)
    waits = {"kit": 0.0, "operator": 0.0}
    for station, unit in {(charge.station, charge.unit) for charge in path.charges if charge.cause == ""}:
        own[station] += times[unit, station, 0]
        waits["kit"] += within[unit, station, 0]
        waits["operator"] += gaps[unit, station, 0]
    first = float(gaps[0, 0, 0])  # before the first start nothing was recorded
    assert path.own == pytest.approx(own, abs=1e-9)
    assert path.waits.get("kit", 0.0) == pytest.approx(waits["kit"], abs=1e-9)
    assert path.waits.get("operator", 0.0) == pytest.approx(waits["operator"] - first, abs=1e-9)
    assert set(path.waits) <= {"kit", "operator"}


# --- ways of units ----------------------------------------------------------------------------------------------


def test_a_reworked_unit_waits_for_its_own_last_passage() -> None:
    stations = [
        [Passage(0, 0, 0.0, 4.0, 4.0), Passage(0, 0, 7.0, 9.0, 9.0)],
        [Passage(0, 1, 4.0, 7.0, 7.0), Passage(0, 1, 9.0, 14.0, 14.0)],
    ]
    path = critical_path(log_of(Layout.chain((0,)), stations))
    assert path.own == [6.0, 8.0]
    assert path.waits == {}


def test_a_unit_that_skips_a_station_comes_from_the_one_before() -> None:
    stations = [
        [Passage(0, 0, 0.0, 4.0, 4.0), Passage(1, 0, 4.0, 10.0, 10.0)],
        [Passage(0, 1, 4.0, 5.0, 5.0)],
        [Passage(0, 2, 5.0, 7.0, 7.0), Passage(1, 2, 10.0, 13.0, 13.0)],
    ]
    path = critical_path(log_of(Layout.chain((2, 2)), stations))
    assert path.own == [10.0, 0.0, 3.0]
    assert path.waits == {}


def test_units_in_the_line_at_the_beginning_take_their_places() -> None:
    log = recorded(run(random_times(5, 40, 4), Layout.chain((1, 0, 2))))
    whole = critical_path(log)
    middle = sorted(p.departure or 0.0 for p in log.passages[3])[15]
    passages = [[p for p in its if (p.departure or 0.0) > middle] for its in log.passages]
    part = critical_path(msgspec.structs.replace(log, passages=passages, begin=middle))
    charged = [0.0] * 4
    for charge in whole.charges:
        charged[charge.station] += max(charge.end - max(charge.start, middle), 0.0)
    assert part.own == pytest.approx(charged, abs=1e-9)
    assert part.waits == {}


# --- departures that were not recorded --------------------------------------------------------------------------


@same
@given(layout=layouts(), seed=st.integers(0, 10**6))
def test_departures_are_filled_in(layout: Layout, seed: int) -> None:
    log = recorded(run(random_times(seed, 25, layout.stations), layout))
    known = departures(log)
    assert known == [[p.departure for p in its] for its in log.passages]
    for its in log.passages:
        for passage in its:
            passage.departure = None
    for filled, truth in zip(departures(log), known, strict=True):
        assert filled == pytest.approx(truth, abs=1e-12)


@same
@given(layout=layouts(twins=True, limits=False), seed=st.integers(0, 10**6))
def test_departures_are_filled_in_where_units_overtake(layout: Layout, seed: int) -> None:
    log = shop_floor(layout, random_times(seed, 40, layout.stations)[:, :, 0])
    known = departures(log)
    for its in log.passages:
        for passage in its:
            passage.departure = None
    for filled, truth in zip(departures(log), known, strict=True):
        assert filled == pytest.approx(truth, abs=1e-12)


def test_who_works_or_finds_no_place_has_not_departed() -> None:
    stations = [
        [Passage(0, 0, 0.0, 1.0), Passage(1, 0, 1.0, 2.0), Passage(2, 0, 2.0, 3.0), Passage(3, 0, 4.0)],
        [Passage(0, 1, 1.0)],
    ]
    assert departures(log_of(Layout.chain((1,)), stations)) == [[1.0, 2.0, None, None], [None]]


def test_a_departure_is_never_later_than_the_next_start() -> None:
    stations = [
        [Passage(0, 0, 0.0, 1.0), Passage(1, 0, 1.0, 2.0)],
        [Passage(0, 1, 1.0, 9.0, 9.0), Passage(1, 1, 5.0, 9.5)],
    ]
    assert departures(log_of(Layout.chain((0,)), stations)) == [[1.0, 5.0], [9.0, 9.5]]
