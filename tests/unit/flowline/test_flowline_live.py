"""Cut at any time, a line goes on from there as if nothing had happened."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.flowline import Layout, Run, Stage, critical_shares, leaves, path_shares, run
from linecontrol.flowline.given import Floats, Stages
from tests.unit.flowline.lines import cycle_times, layouts

fixed = settings(derandomize=True, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)


def cut(done: Run, now: float) -> tuple[list[int], Stages, Floats]:
    """The units still to leave, how far they are, and their times left."""
    there = [j for j in range(len(done.times)) if done.leaves[j, 0] > now]
    start, complete, departure = done.start[there], done.complete[there], done.departure[there]
    stage = np.where(departure <= now, Stage.LEFT, np.where(start <= now, Stage.STARTED, Stage.AHEAD))
    left = np.where(start <= now, np.maximum(complete - now, 0.0), done.times[there])
    return there, stage[:, :, 0].astype(np.int8), left


def goes_on(times: Floats, layout: Layout, part: float, waits: Floats) -> None:
    release = np.linspace(0, 1.5 * len(times), len(times))[:, None]
    done = run(times, layout, waits=waits, release=release)
    now = part * float(done.leaves[-1, 0])
    there, stage, left = cut(done, now)
    given = {"waits": np.where(stage[:, :, None] == Stage.STARTED, 0.0, waits[there]), "release": release[there] - now}
    again = run(left, layout, stage=stage, **given)
    expected = np.maximum(done.departure[there] - now, 0.0)
    assert np.where(stage == Stage.LEFT, 0.0, again.departure[:, :, 0]) == pytest.approx(expected[:, :, 0], abs=1e-9)
    assert np.array_equal(again.leaves, leaves(iter(left), layout, len(left), 1, stage=stage, **given))
    path = path_shares(again)
    assert path.length == pytest.approx(again.leaves[-1], rel=1e-9)
    assert path.own.sum() + path.outside.sum() == pytest.approx(1.0, abs=1e-9)


@settings(fixed, max_examples=200)
@given(layout=layouts(), part=st.floats(0, 0.99), seed=seeds)
def test_departures_are_the_same(layout: Layout, part: float, seed: int) -> None:
    waits = np.random.default_rng(seed).exponential(0.4, (25, layout.stations, 1))
    goes_on(cycle_times(seed, 25, layout.stations), layout, part, waits)


@fixed
@given(
    stations=st.integers(1, 6),
    limit=st.none() | st.integers(1, 9),
    part=st.floats(0, 0.99),
    seed=seeds,
)
def test_of_a_paced_line_too(stations: int, limit: int | None, part: float, seed: int) -> None:
    layout = Layout.chain((0,) * (stations - 1), paced=True, limit=limit)
    waits = np.random.default_rng(seed).exponential(0.4, (25, layout.stations, 1))
    goes_on(cycle_times(seed, 25, layout.stations), layout, part, waits)


def test_a_limit_below_what_is_in_the_line_keeps_others_out_and_nobody_back() -> None:
    stage = np.array([[2, 1], [1, 0]], dtype=np.int8)
    done = run(np.full((3, 2, 1), 4.0), Layout.chain((1,), limit=1), stage=stage)
    assert done.departure[:, :, 0].tolist() == [[0.0, 4.0], [4.0, 8.0], [12.0, 16.0]]


def test_what_a_unit_needed_where_it_has_left_is_no_part_of_the_path() -> None:
    stage = np.array([[2, 1]], dtype=np.int8)
    done = run(np.array([[[100.0], [4.0]]]), Layout.chain((1,)), stage=stage)
    assert critical_shares(done)[:, 0].tolist() == [0.0, 1.0]
