"""Forecasts of simulated years: a small study on each push, the whole one when asked for."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from linecontrol.flowline import Layout, run

_FILE = Path(__file__).parents[3] / "benchmarks" / "forecast_years.py"


@pytest.fixture(scope="module")
def years() -> ModuleType:
    spec = importlib.util.spec_from_file_location("forecast_years", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_scores_of_known_cases(years: ModuleType) -> None:
    normal = np.random.default_rng(1).standard_normal(200_000)
    assert years.crps(normal, 0.0) == pytest.approx(0.233695, abs=3e-3)
    assert years.crps(normal, 1.0) == pytest.approx(0.602441, abs=5e-3)
    assert years.crps(np.array([3.0]), 5.0) == 2.0
    assert years.brier(0.7, happened=True) == pytest.approx(0.09)
    assert years.brier(0.7, happened=False) == pytest.approx(0.49)
    assert years.pit(np.array([1.0, 2.0, 3.0, 4.0]), 2.5, np.random.default_rng(1)) == 0.5


def test_the_plant_of_the_study_is_a_flow_line(years: ModuleType) -> None:
    """Told event by event, it does the same as the recursion with the same times."""
    times = np.random.default_rng(3).uniform(1, 4, (40, 5))
    start, complete, departure = years.tell(times, (0, 1, 2, 0))
    its = run(times[:, :, None], Layout.chain((0, 1, 2, 0)))
    for told, computed in ((start, its.start), (complete, its.complete), (departure, its.departure)):
        assert told == pytest.approx(computed[..., 0], abs=1e-9)


@pytest.mark.parametrize("cell", ["usual", "broad"])
def test_nothing_of_the_future_is_in_a_record(years: ModuleType, cell: str) -> None:
    year = years.make_year(np.random.default_rng(4), cell)
    log = years.record(year, 300.0)
    times = [t for its in log.passages for p in its for t in (p.start, p.complete, p.departure) if t is not None]
    assert max(times) <= 300.0
    assert all(sum(p.waits.values()) <= (p.complete or 300.0) - p.start + 1e-9 for its in log.passages for p in its)


def test_a_few_years_of_several_kinds_are_foreseen_honestly(years: ModuleType) -> None:
    """14 years of each: bounds are three standard deviations of the noise wide."""
    cells = ("usual", "silent", "broad")
    rows = {
        (cell, row["method"]): row for cell in cells for row in years.study(14, cell, 11, 100, (40,), lambda text: None)
    }
    assert np.mean([rows[cell, "forecast"]["coverage"] for cell in cells]) >= 0.61
    for cell in cells:
        assert abs(rows[cell, "forecast"]["bias"]) < 12
        assert rows[cell, "forecast"]["crps"] < 0.9 * rows[cell, "run rate"]["crps"]
        assert 20 < rows[cell, "forecast"]["width"] < 60


@pytest.mark.study
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("cell", "count"), [("usual", 600), ("broad", 150)])
def test_many_years_are_foreseen_honestly(years: ModuleType, cell: str, count: int) -> None:
    """Intervals may be a little wide on day 15, when some years teach and others don't."""
    noise = 2 * float(np.sqrt(0.8 * 0.2 / count))
    rows = {
        (row["day"], row["method"]): row for row in years.study(count, cell, 8, 200, (15, 40, 125), lambda text: None)
    }
    for day, highest in ((15, 0.84), (40, 0.82), (125, 0.82)):
        its = rows[day, "forecast"]
        assert 0.79 - noise <= its["coverage"] <= highest + noise
        assert its["crps"] < rows[day, "run rate"]["crps"]
    assert rows[40, "forecast"]["crps"] < 0.8 * rows[40, "run rate"]["crps"]
    assert rows[40, "forecast"]["crps"] < {"usual": 7.7, "broad": 10.0}[cell]
    assert rows[40, "forecast"]["pit_chi2"] < 21.67  # 9 degrees of freedom, p > .01
