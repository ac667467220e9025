import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.flowline import Layout, critical_shares, path_shares, run
from linecontrol.flowline.given import Floats
from tests.unit.flowline.lines import cycle_times, integer_times, layouts

fixed = settings(derandomize=True, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)

MATRIX = np.array([[2, 5, 2], [3, 1, 4], [2, 6, 1], [4, 2, 3], [1, 3, 2]], dtype=float)[:, :, None]


@pytest.mark.parametrize(
    ("places", "charged", "whole"), [((0, 0), [2.0, 13.0, 7.0], 22.0), ((1, 1), [2.0, 14.0, 5.0], 21.0)]
)
def test_whole_numbers_are_charged_exactly(places: tuple[int, ...], charged: list[float], whole: float) -> None:
    path = path_shares(run(MATRIX, Layout.chain(places)))
    assert path.length.tolist() == [whole]
    assert (path.own * path.length)[:, 0] == pytest.approx(charged, abs=1e-12)


@settings(fixed, max_examples=200)
@given(layout=layouts(), paced=st.booleans(), seed=seeds)
def test_the_path_covers_the_whole_time(layout: Layout, paced: bool, seed: int) -> None:
    if paced:
        layout = Layout(layout.following, layout.places, (1,) * layout.stations, layout.limit, paced)
    rng = np.random.default_rng(seed)
    waits = rng.exponential(0.5, (2, 30, layout.stations, 1))
    times = cycle_times(seed, 30, layout.stations, 3)
    release = np.cumsum(rng.exponential(2.0, (30, 3)), axis=0)
    done = run(times, layout, release=release, waits=waits[0], start_waits=waits[1])
    path = path_shares(done)
    assert path.length == pytest.approx(done.leaves[-1], rel=1e-9)
    assert path.own.sum(axis=0) + path.outside.sum(axis=0) == pytest.approx(np.ones(3), abs=1e-9)
    inner = path_shares(done, skip=7)
    assert inner.own.sum(axis=0) + inner.outside.sum(axis=0) == pytest.approx(np.ones(3), abs=1e-9)
    assert (inner.length < path.length).all()


@fixed
@given(layout=layouts(), seed=seeds)
def test_it_does_so_where_much_is_simultaneous(layout: Layout, seed: int) -> None:
    done = run(integer_times(seed, 25, layout.stations, 4), layout)
    path = path_shares(done)
    assert path.length == pytest.approx(done.leaves[-1], rel=1e-12)
    assert not path.outside.any()


@settings(fixed, max_examples=100)
@given(layout=layouts(), paced=st.booleans(), seed=seeds)
def test_a_share_is_the_derivative_of_the_time_that_all_takes(layout: Layout, paced: bool, seed: int) -> None:
    if paced:
        layout = Layout(layout.following, layout.places, (1,) * layout.stations, layout.limit, paced)
    times = cycle_times(seed, 30, layout.stations)
    done = run(times, layout)
    shares, whole = critical_shares(done)[:, 0], float(done.leaves[-1, 0])
    for station in range(layout.stations):
        faster = times.copy()
        faster[:, station] *= 1 - 1e-9
        gained = (whole - float(run(faster, layout).leaves[-1, 0])) / whole
        assert gained == pytest.approx(shares[station] * 1e-9, abs=2e-14)


def test_of_what_is_simultaneous_the_place_behind_counts_first() -> None:
    even = np.full((50, 4, 1), 0.1)
    shares = critical_shares(run(even, Layout.chain((0, 0, 0))))[:, 0]
    assert shares == pytest.approx([1 / 53, 1 / 53, 1 / 53, 50 / 53], abs=1e-9)


def test_what_is_simultaneous_but_for_rounding_is_simultaneous() -> None:
    thirds: Floats = np.empty((60, 2, 1))
    thirds[:, 0], thirds[:, 1] = 0.1 + 0.2, 0.3
    shares = critical_shares(run(thirds * 1e7, Layout.chain((0,))))[:, 0]
    assert shares == pytest.approx([1 / 61, 60 / 61], abs=1e-9)


def test_waiting_for_release_is_nobodys_fault() -> None:
    release = np.array([[0.0], [10.0], [20.0]])
    path = path_shares(run(np.full((3, 2, 1), 2.0), Layout.chain((1,)), release=release))
    assert path.length.tolist() == [24.0]
    assert (path.outside * 24)[:, 0] == pytest.approx([16.0, 0.0])
    assert (path.own * 24)[:, 0] == pytest.approx([6.0, 2.0])


def test_waits_are_outside_where_they_happened() -> None:
    waits, start_waits = np.zeros((1, 2, 1)), np.zeros((1, 2, 1))
    waits[0, 0], start_waits[0, 1] = 3.0, 5.0
    path = path_shares(run(np.full((1, 2, 1), 1.0), Layout.chain((0,)), waits=waits, start_waits=start_waits))
    assert (path.outside * 10)[:, 0] == pytest.approx([3.0, 5.0])
    assert (path.own * 10)[:, 0] == pytest.approx([1.0, 1.0])


def test_a_limit_makes_the_line_its_own_bottleneck() -> None:
    times = np.tile(np.array([1.0, 3.0, 2.0])[:, None], (40, 1, 1))
    assert critical_shares(run(times, Layout.chain((3, 3), limit=1)))[:, 0] == pytest.approx([1 / 6, 1 / 2, 1 / 3])
    unlimited = critical_shares(run(times, Layout.chain((3, 3))))[:, 0]
    assert unlimited == pytest.approx([1 / 123, 120 / 123, 2 / 123])


def test_twins_halve_the_share() -> None:
    times = np.tile(np.array([3.0, 4.0])[:, None], (41, 1, 1))
    twins = critical_shares(run(times, Layout.chain((2,), servers=(1, 2))))[:, 0]
    assert twins == pytest.approx([123 / 127, 4 / 127])


def test_a_feeder_may_hold_the_line_back() -> None:
    layout = Layout((1, 3, 3, -1), (0, 0, 1, 0), (1, 1, 1, 1))
    times = np.tile(np.array([2.0, 2.0, 5.0, 1.0])[:, None], (30, 1, 1))
    assert critical_shares(run(times, layout))[:, 0] == pytest.approx([0, 0, 150 / 151, 1 / 151])


def test_a_beat_is_charged_to_its_slowest_in_equal_parts() -> None:
    times = np.array([[4.0, 1.0], [2.0, 3.0], [2.0, 2.0]])[:, :, None]
    path = path_shares(run(times, Layout.chain((0,), paced=True)))
    assert path.length.tolist() == [4.0 + 2.0 + 3.0 + 2.0]
    assert (path.own * 11)[:, 0] == pytest.approx([4.0 + 2.0, 3.0 + 2.0])
    even = path_shares(run(np.full((3, 2, 1), 2.0), Layout.chain((0,), paced=True)))
    assert (even.own * 8)[:, 0] == pytest.approx([4.0, 4.0])


def test_places_of_a_paced_line_are_positions_too() -> None:
    done = run(np.full((3, 2, 1), 2.0), Layout.chain((1,), paced=True))
    assert done.departure[:, :, 0].tolist() == [[2.0, 6.0], [4.0, 8.0], [6.0, 10.0]]


def test_a_paced_line_waits_for_a_late_unit() -> None:
    path = path_shares(run(np.full((2, 2, 1), 2.0), Layout.chain((0,), paced=True), release=np.array([[1.0], [6.0]])))
    assert path.length.tolist() == [10.0]
    assert (path.outside * 10)[:, 0] == pytest.approx([4.0, 0.0])


def test_nothing_can_be_left_of_too_few_units() -> None:
    with pytest.raises(ValueError, match="skip 2 of 4 units"):
        critical_shares(run(np.ones((4, 1, 1)), Layout.chain(())), skip=2)
