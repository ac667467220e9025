"""What would have helped: the replay is exact, and the recursion says the same where units keep their order."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.bottleneck.whatif import Change, Mix, Places, Times, Workplaces, changed, gain, gains, replay
from linecontrol.flowline import Layout, LineLog, Passage, run
from linecontrol.flowline.path import critical_path, departures
from tests.unit.flowline.records import FEEDER, layouts, log_of, muddles, random_times, recorded, shop_floor

same = settings(derandomize=True, deadline=None, database=None, max_examples=40)


@same
@given(
    layout=layouts(twins=True, limits=False),
    seed=st.integers(0, 10**6),
    resolution=st.sampled_from([0.0, 0.3]),
    cut=st.floats(0.0, 20.0),
)
def test_without_a_change_all_comes_out_as_it_was(layout: Layout, seed: int, resolution: float, cut: float) -> None:
    rng = np.random.default_rng(seed)
    log = shop_floor(layout, random_times(seed, 30, layout.stations)[:, :, 0])
    for its in log.passages:
        for passage in its:
            passage.waits = {"kit": float(rng.uniform(0.0, 0.1))}
            if rng.random() < 0.3:
                passage.start += float(rng.uniform(-resolution, resolution))
        its.sort(key=lambda passage: passage.start)
    until = log.end - cut
    passages = [[passage for passage in its if passage.start < until] for its in log.passages]
    for its in passages:
        for passage in its:
            passage.complete = None if passage.complete is None or passage.complete > until else passage.complete
            if passage.departure is not None and passage.departure > until:
                passage.departure = None
            if passage.complete is None:
                passage.departure = None
    log = msgspec.structs.replace(log, passages=passages, end=until, resolution=resolution)
    again = replay(log, [])
    for before, after in zip(log.passages, again.passages, strict=True):
        assert [(p.unit, p.start, p.complete) for p in after] == [(p.unit, p.start, p.complete) for p in before]
        known = [(a.departure, b.departure) for a, b in zip(after, before, strict=True) if b.departure is not None]
        assert all(a == b for a, b in known)


@same
@given(layout=layouts(), seed=st.integers(0, 10**6))
def test_a_limited_line_comes_out_as_it_was(layout: Layout, seed: int) -> None:
    log = recorded(run(random_times(seed, 30, layout.stations), layout))
    assert replay(log, []) == log


@same
@given(log=muddles())
def test_even_a_muddled_record_comes_out_as_it_was(log: LineLog) -> None:
    again = replay(log, [])
    assert departures(again) == departures(log)
    assert [[p.complete for p in its] for its in again.passages] == [[p.complete for p in its] for its in log.passages]
    changes: list[Change] = [Times(0, 0.5), Workplaces(1), Places(0, 2)]
    assert all(each.low <= each.likely <= each.high for each in gains(log, changes, seed=1, draws=5))


@same
@given(
    layout=layouts(),
    seed=st.integers(0, 10**6),
    station=st.integers(0, 1),
    factor=st.floats(0.3, 2.0),
    kind=st.sampled_from(["times", "workplaces", "places"]),
)
def test_a_change_gives_what_the_recursion_gives(
    layout: Layout, seed: int, station: int, factor: float, kind: str
) -> None:
    if kind == "workplaces":
        station = layout.last  # twins further in front let units overtake, which the recursion doesn't follow
    elif kind == "places":
        station = min(station, layout.last - 1)
    changes: dict[str, Change] = {
        "times": Times(station, factor),
        "workplaces": Workplaces(station),
        "places": Places(station, 2),
    }
    change = changes[kind]
    times = random_times(seed, 30, layout.stations)
    log = recorded(run(times, layout))
    if kind == "times":
        times[:, station] *= factor
    truth = run(times, changed(layout, [change]))
    after = replay(log, [change])
    for i, its in enumerate(after.passages):
        for passage in its:
            assert passage.start == pytest.approx(float(truth.start[passage.unit, i, 0]), abs=1e-9)
            assert passage.departure == pytest.approx(float(truth.departure[passage.unit, i, 0]), abs=1e-9)


def test_a_feeder_line_is_replayed() -> None:
    times = random_times(1, 30, 5)
    log = recorded(run(times, FEEDER))
    times[:, 2] *= 0.5
    truth = run(times, FEEDER)
    after = replay(log, [Times(2, 0.5)])
    assert [p.departure or 0.0 for p in after.passages[4]] == pytest.approx(list(truth.departure[:, 4, 0]), abs=1e-9)


def test_a_paced_line_is_replayed() -> None:
    layout = Layout.chain((0, 0, 0), paced=True)
    times = random_times(2, 20, 4)
    log = recorded(run(times, layout))
    assert replay(log, []) == log
    times[:, 1] *= 0.8
    truth = run(times, layout)
    after = replay(log, [Times(1, 0.8)])
    assert [p.departure or 0.0 for p in after.passages[3]] == pytest.approx(list(truth.departure[:, 3, 0]), abs=1e-9)


def test_waits_from_outside_stay_as_long_as_they_were() -> None:
    log = log_of(
        Layout.chain((3,)),
        [
            [Passage(0, 0, 0.0, 10.0, 10.0), Passage(1, 0, 14.0, 24.0, 24.0, waits={"kit": 4.0})],
            [Passage(0, 1, 10.0, 12.0, 12.0), Passage(1, 1, 27.0, 29.0, 29.0)],
        ],
    )
    after = replay(log, [Times(0, 0.5)])
    assert [(p.start, p.complete) for p in after.passages[0]] == [(0.0, 5.0), (9.0, 16.0)]
    assert [(p.start, p.complete) for p in after.passages[1]] == [(5.0, 7.0), (19.0, 21.0)]


def test_the_gain_of_a_little_is_the_share_of_the_path() -> None:
    log = recorded(run(random_times(7, 60, 4), Layout.chain((1, 0, 2))))
    path = critical_path(log)
    step = 1e-6
    found = gains(log, [Times(i, 1 - step) for i in range(4)], seed=1, draws=10)
    shares = np.array(path.own) / (path.end - path.begin)
    assert [each.likely / step for each in found] == pytest.approx(list(shares), abs=1e-4)


def test_the_gain_is_the_same_each_time_and_within_its_interval() -> None:
    log = recorded(run(random_times(8, 60, 4), Layout.chain((1, 0, 2))))
    asked: list[Change] = [Times(1, 0.9), Workplaces(2), Places(1, 3), Times(0, 1.1)]
    found = gains(log, asked, seed=5, draws=40)
    assert found == gains(log, asked, seed=5, draws=40)
    assert all(each.low <= each.likely <= each.high for each in found)
    assert found[0].low > 0
    assert found[2].low >= 0
    assert found[3].high < 0
    assert found[0] == gain(log, Times(1, 0.9), seed=5, draws=40)


def test_several_changes_at_once_gain_more_than_each() -> None:
    log = recorded(run(random_times(9, 60, 3), Layout.chain((0, 0))))
    both = gain(log, [Times(0, 0.9), Times(1, 0.9)], seed=1, draws=10)
    assert both.likely > max(gain(log, Times(i, 0.9), seed=1, draws=10).likely for i in (0, 1))


def test_the_interval_of_all_stations_by_a_tenth_is_a_ninth() -> None:
    log = recorded(run(random_times(9, 60, 3), Layout.chain((0, 0))))
    found = gain(log, [Times(i, 0.9) for i in range(3)], seed=1, draws=10)
    assert (found.likely, found.low, found.high) == pytest.approx((1 / 9, 1 / 9, 1 / 9), abs=1e-9)


def test_a_model_mix() -> None:
    times = np.array([[[1.0], [1.0]], [[3.0], [1.0]]] * 200)
    log = recorded(run(times, Layout.chain((1,))))
    log.products = ["small", "large"] * 200
    more_small = gain(log, Mix({"small": 3.0, "large": 1.0}), seed=1, draws=50)
    assert more_small.likely == pytest.approx(2.0 / 1.5 - 1, abs=0.02)
    assert gain(log, Mix({"small": 1.0, "large": 1.0}), seed=1, draws=50).likely == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ValueError, match=r"no unit of product 'huge'.*large, small"):
        gain(log, Mix({"huge": 1.0}), seed=1)
    with pytest.raises(ValueError, match="ask gain"):
        replay(log, [Mix({"small": 1.0})])


def test_a_record_without_a_finished_unit_gains_nothing() -> None:
    log = log_of(Layout.chain((0,)), [[Passage(0, 0, 0.0, 2.0, 2.0)], [Passage(0, 1, 2.0)]])
    assert gain(log, Times(0, 0.9), seed=1) == gain(log, Workplaces(1), seed=1)
    assert gain(log, Times(0, 0.9), seed=1).likely == 0.0
