"""Second opinions from states: published vectors of the arrow method, worked ones of the active period method."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.bottleneck.active import Period, active_periods, live, merged, settled
from linecontrol.bottleneck.arrow import arrows, fractions
from linecontrol.flowline import Layout, LineLog, Passage, run
from tests.unit.flowline.records import layouts, log_of, muddles, random_times, recorded

same = settings(derandomize=True, deadline=None, database=None, max_examples=60)


@pytest.mark.parametrize(
    ("blocked", "starved", "bottleneck"),
    [
        ([0.1860, 0.0346, 0.1046, 0.0398, 0], [0, 0.0089, 0.0186, 0.0462, 0.1860], 3),
        ([0.1501, 0.0001, 0.0258, 0.0061, 0], [0, 0.0001, 0.0578, 0.0371, 0.1501], 1),
    ],
)
def test_published_lines(blocked: list[float], starved: list[float], bottleneck: int) -> None:
    found = arrows(blocked, starved)
    assert found.candidates[0] == found.primary == bottleneck


def test_severity_of_several_candidates() -> None:
    found = arrows([0.0, 0.3, 0.0, 0.0], [0.0, 0.1, 0.0, 0.4])
    assert found.points == [-1, 1, -1, 0]
    assert found.severity == pytest.approx([0.1, 0.4, 0.7, 0.4])
    assert found.candidates == [2, 0]


def test_equal_fractions_draw_no_arrow() -> None:
    found = arrows([0.2, 0.0], [0.0, 0.201], tolerance=0.01)
    assert found.points == [0, 0]
    assert sorted(found.candidates) == [0, 1]


def test_a_feeder_s_last_station_points_to_where_it_joins() -> None:
    found = arrows([0.1, 0.3, 0.0], [0.0, 0.0, 0.2], following=[2, 2, -1])
    assert found.points == [-1, 1, 0]
    assert found.candidates == [0]


def test_fractions_of_other_stations_are_refused() -> None:
    with pytest.raises(ValueError, match="blocked of 1 stations and starved of 2"):
        arrows([0.1], [0.1, 0.2])


def test_fractions_of_a_short_record() -> None:
    log = log_of(
        Layout.chain((0,)),
        [
            [Passage(0, 0, 0.0, 2.0, 2.0), Passage(1, 0, 2.0, 4.0, 8.0), Passage(2, 0, 8.0)],
            [Passage(0, 1, 2.0, 8.0, 8.0), Passage(1, 1, 8.0, 10.0, 10.0)],
        ],
    )
    found = fractions(log)
    assert found.active == pytest.approx([0.6, 0.8])
    assert found.blocked == pytest.approx([0.4, 0.0])
    assert found.starved == pytest.approx([0.0, 0.2])


@same
@given(layout=layouts(twins=True), seed=st.integers(0, 10**6))
def test_fractions_are_parts_of_the_whole_time(layout: Layout, seed: int) -> None:
    found = fractions(recorded(run(random_times(seed, 20, layout.stations), layout)))
    for active, blocked, starved in zip(found.active, found.blocked, found.starved, strict=True):
        assert active + blocked + starved == pytest.approx(1.0)
        assert min(active, blocked) >= 0
        assert starved >= -1e-12


@same
@given(log=muddles())
def test_a_muddled_record_has_opinions_too(log: LineLog) -> None:
    found = fractions(log)
    assert arrows(found.blocked, found.starved, following=log.layout.following).candidates
    periods = active_periods(log)
    whole = settled(periods)
    anyone = sum(end - start for start, end in merged([period for its in periods for period in its]))
    assert sum(live(periods).sole) == pytest.approx(anyone)
    assert anyone <= sum(whole.sole) + sum(whole.shifting) + 1e-9


@pytest.mark.parametrize(
    ("periods", "sole", "shifting"),
    [
        ([[(0, 10)], [(6, 20)]], [6, 10], [4, 4]),
        ([[(0, 20)], [(5, 9)]], [20, 0], [0, 0]),
        ([[(0, 10)], [(5, 20)], [(8, 40)]], [5, 0, 20], [5, 15, 12]),
        ([[(0, 4)], [(6, 9)]], [4, 3], [0, 0]),
        ([[(0, 10)], [(0, 10)]], [0, 0], [10, 10]),
        ([[(0, 10)], [(5, 15)]], [5, 5], [5, 5]),
        (
            [[(0, 3), (4, 12), (13, 16)], [(1, 6), (7, 9), (10, 22)], [(2, 5), (8, 11), (15, 18)]],
            [5, 11, 0],
            [6, 6, 0],
        ),
    ],
)
def test_settled_variant(periods: list[list[Period]], sole: list[float], shifting: list[float]) -> None:
    found = settled(periods)
    assert (found.sole, found.shifting) == (sole, shifting)


def test_what_is_still_going_on_is_provisional() -> None:
    assert settled([[(0, 10)], [(6, 20)]], now=20).settled_until == 6
    assert settled([[(0, 10)], [(6, 20)]]).settled_until == 20


@pytest.mark.parametrize(
    ("periods", "sole"),
    [
        ([[(0, 10)], [(6, 20)]], [10, 10]),
        ([[(0, 20)], [(5, 9)]], [20, 0]),
        ([[(0, 10)], [(5, 20)], [(8, 40)]], [10, 10, 20]),
        ([[(0, 4)], [(6, 9)]], [4, 3]),
        ([[(0, 10)], [(0, 10)]], [10, 0]),
    ],
)
def test_live_variant(periods: list[list[Period]], sole: list[float]) -> None:
    assert live(periods).sole == sole


def test_shares_count_shifting_by_half() -> None:
    assert settled([[(0, 10)], [(6, 20)]]).share == [0.4, 0.6]
    assert settled([[], []]).share == [0.0, 0.0]


def test_a_hand_over_does_not_end_a_period() -> None:
    assert merged([(5, 9), (0, 4), (20, 21)], 1.0) == [(0, 9), (20, 21)]
    log = log_of(
        Layout.chain((0,)),
        [[Passage(0, 0, 0.0, 4.0, 4.0), Passage(1, 0, 6.0, 9.0, 9.0, before={"setup": 1.0})], [Passage(0, 1, 4.0)]],
    )
    assert active_periods(log) == [[(0.0, 4.0), (5.0, 9.0)], [(4.0, 9.0)]]
    assert active_periods(log, gap=1.0) == [[(0.0, 9.0)], [(4.0, 9.0)]]
