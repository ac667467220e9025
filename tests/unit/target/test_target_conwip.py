import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.flowline import Layout
from linecontrol.flowline.given import Floats
from linecontrol.target.conwip import pace, smallest_limit

PENNY = np.tile(np.full((4, 1), 2.0), (2_000, 1, 1))
"""Four stations of two hours."""


def exponential(units: int, replications: int, seed: int) -> Floats:
    return 2.0 * np.random.default_rng(seed).standard_exponential((units, 4, replications))


@pytest.mark.parametrize(("keep", "limit"), [(0.24, 1), (0.49, 2), (0.51, 3), (0.74, 3), (0.98, 4), (1.0, 4)])
def test_penny_fab_needs_its_four_critical_units(keep: float, limit: int) -> None:
    found = smallest_limit(PENNY, Layout.chain((9, 9, 9)), keep=keep)
    assert found.limit == limit
    assert found.unlimited == pytest.approx(0.5, rel=0.01)
    assert found.kept == pytest.approx(min(limit / 4, 1.0), rel=0.01)


@pytest.mark.parametrize(("limit", "throughput"), [(1, 0.125), (2, 0.2), (4, 0.285714), (8, 0.363636), (12, 0.4)])
def test_penny_fab_in_its_practical_worst_case(limit: int, throughput: float) -> None:
    its = pace(exponential(1_500, 40, seed=limit), Layout.chain((12, 12, 12)), limit)
    assert its == pytest.approx(throughput, rel=0.015)


@settings(derandomize=True, deadline=None, database=None, max_examples=20)
@given(places=st.lists(st.integers(0, 3), min_size=3, max_size=3).map(tuple), seed=st.integers(0, 99))
def test_it_is_the_smallest_that_keeps_enough(places: tuple[int, ...], seed: int) -> None:
    times, layout = exponential(150, 20, seed), Layout.chain(places)
    found = smallest_limit(times, layout)
    enough = [w for w in range(1, layout.capacity + 1) if pace(times, layout, w) >= 0.98 * pace(times, layout, None)]
    assert found.limit == enough[0]
    assert found.throughput == pace(times, layout, enough[0])
    assert found.kept == found.throughput / found.unlimited >= 0.98


def test_a_part_of_the_throughput_is_a_part() -> None:
    with pytest.raises(ValueError, match="keep is a part"):
        smallest_limit(PENNY, Layout.chain((1, 1, 1)), keep=98)
