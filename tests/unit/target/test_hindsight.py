"""What futures say of the past: a pace is only corrected where the past denies it."""

import numpy as np
import pytest

from linecontrol.flowline import Layout, LineLog, Passage
from linecontrol.flowline.learn import learn
from linecontrol.flowline.path import critical_path
from linecontrol.flowline.ratios import FORECAST
from linecontrol.target.hindsight import Past


def _futures(takt: float, units: int = 600, replications: int = 500) -> np.ndarray:
    gaps = takt * np.random.default_rng(3).lognormal(-0.02, 0.2, (units, replications))
    return np.asarray(np.cumsum(gaps, axis=0))


def _pace(past: Past, takt: float = 2.0) -> np.ndarray:
    return past.pace(np.random.default_rng(4), _futures(takt))


@pytest.mark.parametrize("units", [20, 100, 300])
def test_a_past_as_expected_changes_little(units: int) -> None:
    its = _pace(Past(units, 2.0 * units))
    assert (its != 1.0).mean() < 0.06
    assert its.mean() == pytest.approx(1.0, abs=0.003)


@pytest.mark.parametrize("faster", [0.8, 0.9, 1.1, 1.2])
def test_a_past_that_denies_the_pace_corrects_it(faster: float) -> None:
    its = _pace(Past(300, 600.0 / faster))
    assert (its != 1.0).mean() > 0.95
    assert its.mean() == pytest.approx(faster, abs=0.02)


def test_the_more_was_built_the_surer() -> None:
    few, many = (_pace(Past(units, 2.0 * units / 1.15)) for units in (30, 300))
    assert 1.0 < few.mean() < many.mean()


def test_without_a_past_or_a_future_nothing_is_corrected() -> None:
    assert (_pace(Past(0, 0.0)) == 1.0).all()
    assert (Past(100, 10.0).pace(np.random.default_rng(1), _futures(2.0, units=5)) == 1.0).all()


def test_lost_time_is_not_pace() -> None:
    """A station that does a unit each 2 hours, and waits for power for 10 hours once."""
    begins = [2.0 * n + (10.0 if n > 30 else 0.0) for n in range(60)]
    passages = [Passage(n, 0, at, at + 2.0, at + 2.0) for n, at in enumerate(begins)]
    passages[30].complete = passages[30].departure = begins[31]
    passages[30].waits = {"power": 10.0}
    log = LineLog(Layout.chain(()), ["s"], list(map(str, range(60))), ["a"] * 60, [passages], [{"a": 2.0}], 0.0, 130.0)
    exits = [each.complete for each in passages if each.complete is not None]
    its = Past.of(critical_path(log), learn(log, FORECAST), exits)
    assert its.units == 58
    assert its.time / its.units == pytest.approx(2.0, rel=0.04)
