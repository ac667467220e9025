"""What practice does: found where it is, not found where it isn't, and never taken for the stations' final level."""

import numpy as np
import pytest

from linecontrol.flowline import Layout, LineLog, Passage
from linecontrol.flowline.learn import learn
from linecontrol.flowline.practice import Practice, practise
from linecontrol.flowline.ratios import FORECAST

NUMBERS = np.array([0.0, 20.0, 60.0, 300.0])
AGES = np.array([NUMBERS, NUMBERS])


def _cycles(size: float, units: float, *, count: int, level: float = 1.1) -> list[np.ndarray]:
    """Ratios of ten stations' cycles."""
    scatter = np.random.default_rng(8).lognormal(-0.01, 0.15, (10, count))
    return list(level * (1 + size * np.exp(-np.arange(count) / units)) * scatter)


def _ages(count: int) -> np.ndarray:
    return np.array([np.arange(float(count))] * 2)


def _practice(ratios: list[np.ndarray]) -> Practice:
    done = [(_ages(len(each)), each) for each in ratios]
    return practise(done, np.ones(len(ratios), dtype=bool), FORECAST)


@pytest.mark.parametrize(("size", "units"), [(0.3, 30.0), (0.15, 60.0), (0.3, 16.0)])
def test_a_learning_curve_is_learnt(size: float, units: float) -> None:
    its = _practice(_cycles(size, units, count=150)).expected(AGES)
    assert its == pytest.approx(1 + size * np.exp(-NUMBERS / units), abs=0.05)


def test_where_nothing_changes_little_is_expected() -> None:
    assert _practice(_cycles(0.0, 1.0, count=150)).expected(AGES) == pytest.approx(1.0, abs=0.015)


def test_early_many_curves_are_possible_and_differ_in_what_remains() -> None:
    early, late = (_practice(_cycles(0.2, 30.0, count=count)) for count in (25, 300))
    spread = [
        float(np.sqrt(each.weight @ (each.shift[0] - each.weight @ each.shift[0]) ** 2)) for each in (early, late)
    ]
    assert spread[0] > 0.03 > 0.01 > spread[1]


def test_shifts_keep_what_was_measured() -> None:
    """Mean ratio at the final level x the curve gives the mean of the ratios measured, whatever the curve."""
    ratios = _cycles(0.25, 40.0, count=80)
    its, age = _practice(ratios), _ages(80)
    mean = float((ratios[0] / its.expected(age)).mean())
    for curve in np.argsort(its.weight)[-5:]:
        factor = 1 + its.excess(np.array([curve]), age)[:, 0]
        levelled = (ratios[0] / factor).mean()
        assert mean * its.shift[0, curve] == pytest.approx(levelled, rel=0.02)


def test_stations_are_as_fast_as_they_will_be() -> None:
    passages = [
        [Passage(n, at, 10.0 * n, 10.0 * n + 2.0 * ratio, 10.0 * n + 2.0 * ratio) for n, ratio in enumerate(its)]
        for at, its in enumerate(_cycles(0.3, 30.0, count=240))
    ]
    names = [f"s{at}" for at in range(10)]
    layout = Layout.chain((0,) * 9)
    log = LineLog(layout, names, list(map(str, range(240))), ["a"] * 240, passages, [{"a": 2.0}] * 10, 0.0, 2500.0)
    assert learn(log, FORECAST).ratios.mean() == pytest.approx(1.1, abs=0.03)
    assert learn(log).ratios.mean() > 1.125


def test_without_a_cycle_all_is_the_prior() -> None:
    its = _practice([np.array([])] * 3)
    assert its.weight.sum() == pytest.approx(1.0)
    assert (its.shift == 1.0).all()
    assert its.weight[its.size == 0.0].sum() == pytest.approx(0.35, abs=1e-6)
