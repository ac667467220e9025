"""Where a line lost its time: parts that add up, each where it belongs."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.flowline import Layout, LineLog, Passage, run
from linecontrol.flowline.path import critical_path
from linecontrol.target.lag import CYCLE, FILLING, PLAN, explain, line_takt
from tests.unit.flowline.records import recorded


def record(times: np.ndarray, places: tuple[int, ...], plan: float | None) -> LineLog:
    log = recorded(run(times, Layout.chain(places)))
    planned = [{"x": plan} if plan else {} for _ in log.passages]
    return msgspec.structs.replace(log, planned=planned, products=["x"] * len(log.units))


def test_the_takt_of_a_line_of_two_families() -> None:
    assert pytest.approx([4.0, 8.3333], abs=1e-4) == [1000 / 250, 1000 / 120]
    assert line_takt([1000 / 250, 1000 / 120]) == pytest.approx(2.7027, abs=1e-4)
    assert line_takt([]) is None


@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(seed=st.integers(0, 10_000), takt=st.floats(0.5, 3.0), plan=st.none() | st.floats(0.5, 2.0))
def test_the_parts_are_the_lag(seed: int, takt: float, plan: float | None) -> None:
    rng = np.random.default_rng(seed)
    log = record(rng.gamma(4.0, 0.25, (25, 4, 1)), (0, 1, 0), plan)
    path = critical_path(log)
    lag = path.end - path.begin - 25 * takt
    assert sum(part.seconds for part in explain(log, path, takt)) == pytest.approx(lag, abs=1e-9)


def test_a_station_slower_than_planned_is_named() -> None:
    times = np.full((20, 3, 1), 1.0)
    times[:, 1] = 1.5
    log = record(times, (0, 0), 1.0)
    parts = {(part.station, part.cause): part.seconds for part in explain(log, critical_path(log), 1.0)}
    assert parts[1, CYCLE] == pytest.approx(0.5 * 20)
    assert parts[-1, FILLING] + parts[-1, PLAN] == pytest.approx(2.0)
    assert set(parts) == {(1, CYCLE), (-1, FILLING), (-1, PLAN)}


def test_the_filling_is_over_when_the_first_unit_has_left() -> None:
    log = record(np.full((20, 3, 1), 1.0), (0, 0), 1.0)
    parts = {part.cause: part.seconds for part in explain(log, critical_path(log), 0.8)}
    assert parts == {PLAN: pytest.approx(3.8), FILLING: pytest.approx(2.2)}
    entered = msgspec.structs.replace(log, passages=[log.passages[0][1:], *log.passages[1:]])
    assert [part.cause for part in explain(entered, critical_path(entered), 0.8)] == [PLAN]


def test_stops_and_waits_are_told_by_cause() -> None:
    passages = [[
        Passage(0, 0, 0.0, 3.0, 3.0, stops={"down": 2.0}),
        Passage(1, 0, 7.0, 8.0, 8.0, before={"kit": 4.0}),
    ]]  # fmt: skip
    log = LineLog(Layout.chain(()), ["a"], ["u", "v"], ["x", "x"], passages, [{"x": 1.0}], 0.0, 8.0)
    parts = {(part.station, part.cause): part.seconds for part in explain(log, critical_path(log), 1.0)}
    assert parts == {(0, "down"): 2.0, (0, "kit"): 4.0}


@pytest.mark.parametrize("seen", [0.0, 0.5, 2.0])
def test_hours_that_nobody_saw_are_held_against_the_plan(seen: float) -> None:
    passages = [[Passage(0, 0, 0.0, 5.0, 5.0, {"unobserved": 5.0 - seen})]]
    log = LineLog(Layout.chain(()), ["a"], ["u"], ["x"], passages, [{"x": 2.0}], 0.0, 5.0)
    (part,) = explain(log, critical_path(log), 2.0)
    assert (part.station, part.cause) == (0, "unobserved")
    assert part.seconds == pytest.approx(3.0)
