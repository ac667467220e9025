import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simpy_line import departures
from linecontrol.flowline import Layout, chunks, leaves, run
from linecontrol.flowline.given import Floats
from tests.oracles.tables import Row, label, matrix, numbers, table
from tests.unit.flowline.lines import PlainLine, cycle_times, integer_times, layouts

fixed = settings(derandomize=True, deadline=None, database=None)
few = settings(fixed, max_examples=20)
buffers = st.lists(st.integers(0, 3), min_size=1, max_size=6).map(tuple)
seeds = st.integers(0, 2**32 - 1)

SOLVED = table("deterministic")
BAS = [row for row in SOLVED if row["discipline"] == "BAS"]
BBS = [row for row in SOLVED if row["discipline"] == "BBS"]


@pytest.mark.parametrize("row", BAS, ids=[label(row, "t", "b") for row in BAS])
def test_whole_numbers_come_out_exactly(row: Row) -> None:
    done = run(np.array(matrix(row["t"]))[:, :, None], Layout.chain(tuple(int(b) for b in numbers(row["b"]))))
    assert done.start[:, :, 0].tolist() == matrix(row["S"])
    assert done.complete[:, :, 0].tolist() == matrix(row["C"])
    assert done.departure[:, :, 0].tolist() == matrix(row["D"])


def before_service(times: Floats, places: tuple[int, ...]) -> Floats:
    """Completions [unit, station] of a line in which no work begins before there is a place for the unit behind it."""
    done = np.zeros(times.shape)
    for j, i in np.ndindex(times.shape):
        needed = [done[j, i - 1] if i else 0.0, done[j - 1, i] if j else 0.0]
        if i < len(places) and j > places[i]:
            needed.append(done[j - places[i] - 1, i + 1])
        done[j, i] = max(needed) + times[j, i]
    return done


@pytest.mark.parametrize("row", BBS, ids=[label(row, "t", "b") for row in BBS])
def test_the_other_discipline_as_compared_with_below(row: Row) -> None:
    its = before_service(np.array(matrix(row["t"])), tuple(int(b) for b in numbers(row["b"])))
    assert its.tolist() == matrix(row["C"])


@fixed
@given(place=st.integers(1, 4), seed=seeds)
def test_blocking_before_service_with_two_stations_is_one_place_less(place: int, seed: int) -> None:
    times = integer_times(seed, 30, 2)
    assert np.array_equal(
        run(times, Layout.chain((place - 1,))).complete[:, :, 0], before_service(times[:, :, 0], (place,))
    )


def test_with_three_stations_it_is_another_line() -> None:
    """So a layout with a place less can't stand for that discipline, and no line here has it."""
    times = integer_times(1, 30, 3)
    ours = run(times, Layout.chain((0, 0))).complete[:, :, 0]
    other = before_service(times[:, :, 0], (1, 1))
    assert (other <= ours).all()
    assert (other < ours).any()


@few
@given(places=buffers, seed=seeds)
def test_simpy_says_the_same(places: tuple[int, ...], seed: int) -> None:
    layout = Layout.chain(places)
    times = cycle_times(seed, 40, layout.stations)
    assert run(times, layout).departure[:, :, 0] == pytest.approx(departures(times[:, :, 0], layout), rel=1e-9)


@few
@given(places=buffers, twins=st.integers(2, 3), seed=seeds)
def test_simpy_says_the_same_with_twins_at_the_end(places: tuple[int, ...], twins: int, seed: int) -> None:
    layout = Layout.chain(places, servers=(*[1] * len(places), twins))
    times = cycle_times(seed, 40, layout.stations) * np.array([*[1.0] * len(places), twins])[:, None]
    assert run(times, layout).departure[:, :, 0] == pytest.approx(departures(times[:, :, 0], layout), rel=1e-9)


@settings(fixed, max_examples=150)
@given(layout=layouts(), seed=seeds, units=st.integers(1, 14))
def test_twins_feeders_and_limits_as_told_step_by_step(layout: Layout, seed: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    times = integer_times(seed, units, layout.stations)
    release = np.sort(rng.integers(0, 12 * units // 3, units)).astype(float)
    waits: Floats = np.maximum(rng.integers(-4, 4, times.shape), 0).astype(float)
    told = PlainLine(times[:, :, 0], layout, release.tolist(), waits[:, :, 0])
    done = run(times, layout, release=release[:, None], waits=waits)
    assert done.complete[:, :, 0].tolist() == told.complete.tolist()
    assert done.departure[:, :, 0].tolist() == told.departure.tolist()


@fixed
@given(layout=layouts(), seed=seeds)
def test_leaves_are_those_of_the_run(layout: Layout, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = cycle_times(seed, 25, layout.stations, 3)
    release, waits = rng.uniform(0, 60, (25, 3)), rng.exponential(0.3, (25, layout.stations, 1))
    its = leaves(iter(times), layout, 25, 3, release=release, waits=waits, start_waits=waits)
    assert np.array_equal(its, run(times, layout, release=release, waits=waits, start_waits=waits).leaves)


@fixed
@given(places=buffers, seed=seeds)
def test_a_line_turned_round_takes_as_long(places: tuple[int, ...], seed: int) -> None:
    layout = Layout.chain(places)
    times = cycle_times(seed, 40, layout.stations, 4)
    there, back = run(times, layout), run(times[::-1, ::-1], layout.reversed())
    assert there.leaves[-1] == pytest.approx(back.leaves[-1], rel=1e-9)


@fixed
@given(layout=layouts(), station=st.integers(0, 4), seed=seeds)
def test_another_place_delays_nobody(layout: Layout, station: int, seed: int) -> None:
    times = cycle_times(seed, 30, layout.stations)
    places = [b + (i == station % layout.stations) for i, b in enumerate(layout.places)]
    more = Layout(layout.following, tuple(places), layout.servers, layout.limit)
    assert (run(times, more).departure <= run(times, layout).departure).all()


@fixed
@given(layout=layouts(), factor=st.floats(1e-3, 1e6), seed=seeds)
def test_time_has_no_scale(layout: Layout, factor: float, seed: int) -> None:
    times = cycle_times(seed, 30, layout.stations)
    assert run(times * factor, layout).departure == pytest.approx(run(times, layout).departure * factor, rel=1e-9)


def test_a_limit_of_one_sends_units_one_by_one() -> None:
    times = cycle_times(1, 20, 4)
    assert run(times, Layout.chain((2, 2, 2), limit=1)).leaves[:, 0] == pytest.approx(
        times.sum(axis=(1, 2)).cumsum(), rel=1e-12
    )


def test_start_waits_delay_the_start() -> None:
    delay = np.zeros((2, 1, 1))
    delay[1] = 5.0
    done = run(np.full((2, 1, 1), 3.0), Layout.chain(()), start_waits=delay)
    assert done.start[:, 0, 0].tolist() == [0.0, 8.0]


def test_chunks_are_all_replications_in_parts_of_less_than_64_mb() -> None:
    parts = list(chunks(750, 20, 1_000))
    assert [n for part in parts for n in range(1_000)[part]] == list(range(1_000))
    assert all(750 * 20 * 8 * (part.stop - part.start) < 1 << 26 for part in parts)
    assert list(chunks(10**7, 20, 2)) == [slice(0, 1), slice(1, 2)]


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (((1, -1), (0,), (1, 1)), "one entry per station"),
        (((1, -1), (0, -1), (1, 1)), "places of 0 or more"),
        (((1, -1), (0, 0), (1, 0)), "servers of 1 or more"),
        (((0, -1), (0, 0), (1, 1)), "followed by a later one"),
        (((-1, -1), (0, 0), (1, 1)), "followed by a later one"),
        (((1, -1), (0, 0), (1, 1), 0), "nothing could enter"),
        (((1, -1), (0, 0), (1, 2), None, True), "no twins"),
    ],
)
def test_a_layout_that_cannot_be(layout: tuple[tuple[int, ...], ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Layout(*layout)  # type: ignore[arg-type]


def test_only_plain_lines_can_be_turned_round() -> None:
    with pytest.raises(ValueError, match="plain line"):
        Layout((2, 2, -1), (0, 0, 0), (1, 1, 1)).reversed()


def test_times_of_another_line_are_refused() -> None:
    with pytest.raises(ValueError, match="3 stations, but the layout has 2"):
        run(np.zeros((1, 3, 1)), Layout.chain((0,)))
