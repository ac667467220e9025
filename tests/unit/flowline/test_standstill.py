"""Standstills that nobody recorded are found in the gaps that they leave, and only there."""

import numpy as np
import pytest

from linecontrol.flowline import Layout, LineLog, Passage, run
from linecontrol.flowline.learn import learn
from linecontrol.flowline.standstill import STANDSTILL, with_standstills

Stops = list[tuple[float, float]]
STOPS: Stops = [(20.0, 3.0), (60.0, 7.5), (110.0, 2.0)]
"""When the line stands still from, and how long."""


def _record(stops: Stops, *, told: bool = False, now: float = 150.0, stations: int = 8) -> LineLog:
    """What is known of a line of cycles around 2 hours at ``now``."""
    times = 2.0 * np.random.default_rng(5).lognormal(-0.01, 0.14, (100, stations))
    layout = Layout.chain((1,) * (stations - 1))
    did = run(times[:, :, None], layout)
    start, complete, departure = (_delayed(each[..., 0], stops) for each in (did.start, did.complete, did.departure))
    passages = []
    for i in range(stations):
        its = []
        for u in np.flatnonzero(start[:, i] <= now).tolist():
            done, left = (float(each[u, i]) if each[u, i] <= now else None for each in (complete, departure))
            stood = sum(max(min(done or now, at + hours) - max(start[u, i], at), 0.0) for at, hours in stops)
            waits = {"power": float(stood)} if told and stood else {}
            its.append(Passage(u, i, float(start[u, i]), done, left, waits=waits))
        passages.append(its)
    names, planned = [str(u) for u in range(100)], [{"a": 2.0} for _ in range(stations)]
    return LineLog(layout, [f"s{i}" for i in range(stations)], names, ["a"] * 100, passages, planned, 0.0, now)


def _delayed(times: np.ndarray, stops: Stops) -> np.ndarray:
    out = times.copy()
    for at, hours in stops:
        out[out > at] += hours
    return out


def _stood(log: LineLog, low: float = 0.0, high: float = 150.0) -> float:
    """The longest standstill in cycles of that time at any station, which is all of it if one ran through."""
    its = [each for of in log.passages for each in of if each.start < high and (each.complete or log.end) > low]
    return max(each.waits.get(STANDSTILL, 0.0) for each in its)


def _found(log: LineLog) -> LineLog:
    return with_standstills(log, learn(log))


def test_standstills_are_found_with_their_length() -> None:
    log = _found(_record(STOPS))
    assert _stood(log, 20.0, 23.0) == pytest.approx(3.0, abs=0.35)
    assert _stood(log, 60.0, 67.5) == pytest.approx(7.5, abs=0.35)
    assert _stood(log, 110.0, 112.0) == pytest.approx(2.0, abs=0.35)
    assert _stood(log, 30.0, 50.0) < 0.1


def test_one_that_lasts_still_is_found() -> None:
    log = _record([(140.0, 100.0)])
    assert _stood(_found(log), 140.0) == pytest.approx(10.0, abs=0.7)


def test_times_of_cycles_are_learnt_as_if_nothing_had_stood() -> None:
    calm, silent = learn(_record([])).ratios, _record(STOPS, now=165.0)
    assert np.abs(learn(_found(silent)).ratios / calm - 1).max() < 0.03
    assert (learn(silent).ratios / calm - 1).min() > 0.05


@pytest.mark.parametrize("stops", [[], STOPS])
def test_what_is_told_or_was_not_is_not_found(stops: Stops) -> None:
    assert _stood(_found(_record(stops, told=True))) < 0.15


def test_nobody_stands_longer_than_the_cycle() -> None:
    log = _found(_record(STOPS, told=True, stations=2))
    assert all(
        (each.complete or log.end) - each.start >= sum(each.waits.values()) for of in log.passages for each in of
    )


def test_without_a_record_there_is_no_standstill() -> None:
    log = LineLog(Layout.chain(()), ["s"], [], [], [[]], [{"a": 2.0}], 0.0, 0.0)
    assert with_standstills(log, learn(log)) == log
