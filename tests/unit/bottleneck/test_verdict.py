"""The verdict: laws, solved lines, few data."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.bottleneck.chances import chances, leading
from linecontrol.bottleneck.verdict import PROVISIONAL, judge, suspects_of
from linecontrol.flowline import Layout, LineLog, Passage, run
from tests.studies.small_samples import PLANS, scores
from tests.unit.flowline.records import recorded


def gamma(means: tuple[float, ...], places: tuple[int, ...], units: int, shape: float, seed: int) -> LineLog:
    """A record of a line with gamma distributed times."""
    rng = np.random.default_rng(seed)
    times = rng.gamma(shape, 1 / shape, (units, len(means), 1)) * np.array(means)[:, None]
    return recorded(run(times, Layout.chain(places)))


def test_a_long_record_of_a_solved_line() -> None:
    verdict = judge(gamma((1.0, 1.25, 1.0), (1, 1), 4000, 1.0, 3), seed=1)
    assert verdict.shares == pytest.approx([0.242627, 0.514746, 0.242627], abs=0.03)
    assert verdict.suspects == [1]
    assert verdict.probability[1] > 0.95
    assert verdict.throughput == pytest.approx(0.606277, rel=0.05)
    assert not verdict.provisional


def test_the_slowest_stations_need_not_be_the_bottleneck() -> None:
    verdict = judge(gamma((2.5, 2.4, 2.4, 2.5), (0, 0, 0), 6000, 3.0, 5), seed=1)
    assert set(verdict.suspects) <= {1, 2}


def test_equal_stations_share_the_probability() -> None:
    verdict = judge(gamma((1.0, 1.0), (2,), 4000, 1.0, 7), seed=1)
    assert set(verdict.suspects) == {0, 1}
    assert min(verdict.probability) > 0.1


def test_stations_that_tie_exactly_are_told() -> None:
    verdict = judge(recorded(run(np.full((40, 3, 1), 2.0), Layout.chain((0, 0)))), seed=1)
    assert set(verdict.suspects) == {0, 1, 2}
    assert verdict.notes == ["S0, S1 and S2 tie: each of them alone gains nothing, all of them together do"]


def test_the_record_of_nothing_but_a_plan() -> None:
    log = LineLog(Layout.chain((0, 0)), ["a", "b", "c"], [], [], [[], [], []],
                  [{"x": 2.0}, {"x": 2.1}, {"x": 2.0}], 0.0, 0.0)  # fmt: skip
    verdict = judge(log, seed=1)
    assert verdict.suspects[0] == 1
    assert max(verdict.probability) < 0.9
    assert verdict.provisional
    assert verdict.effective == [None, None, None]
    assert "Provisional" in verdict.said(log.stations)


def test_no_plan_and_no_cycle_is_no_record() -> None:
    log = LineLog(Layout.chain((0,)), ["a", "b"], [], [], [[], []], [{}, {}], 0.0, 0.0)
    with pytest.raises(ValueError, match="nothing can be learnt"):
        judge(log, seed=1)


def test_the_same_record_and_seed_give_the_same_verdict() -> None:
    log = gamma((1.0, 1.1, 1.0), (0, 0), 60, 4.0, 1)
    assert judge(log, seed=5) == judge(log, seed=5)


def test_it_is_told_in_units_of_a_year() -> None:
    log = gamma((1.0, 1.3, 1.0), (0, 0), 200, 4.0, 1)
    verdict = judge(log, seed=5, every=True)
    said = verdict.said(["Frame", "Paint", "Test"], 750.0)
    assert said.startswith("Almost surely Paint (")
    assert f"would have given {750.0 * verdict.gains[1].likely:.0f} more units a year" in said
    assert list(verdict.gains) == [0, 1, 2]
    assert verdict.gains[1] == judge(log, seed=5).gains[1]


def test_who_disagrees_has_a_reason() -> None:
    verdict = judge(gamma((1.0, 1.2, 1.0, 1.2), (0, 0, 3), 400, 1.0, 2), seed=1)
    assert {opinion.method for opinion in verdict.opinions} >= {"arrow", "active_period"}
    best = verdict.suspects[0]
    for opinion in verdict.opinions:
        assert (opinion.reason == "") == (opinion.stations == [f"S{best}"])


def test_waits_from_outside_are_nobodys() -> None:
    log = gamma((1.0, 1.0, 1.0), (0, 0), 120, 16.0, 4)
    waiting = msgspec.structs.replace(
        log, passages=[[shifted(passage) for passage in its] for its in log.passages], end=log.end + 120 * 3.0
    )
    verdict = judge(waiting, seed=1)
    assert verdict.waits["unknown"] > 0.3
    assert sum(verdict.shares) + sum(verdict.waits.values()) == pytest.approx(1.0, abs=1e-9)


def shifted(passage: Passage) -> Passage:
    """Each unit comes three hours later than it could."""
    late = 3.0 * passage.unit
    return Passage(
        passage.unit,
        passage.station,
        passage.start + late,
        (passage.complete or 0) + late,
        (passage.departure or 0) + late,
    )


def test_a_cycle_that_runs_late_raises_suspicion() -> None:
    log = gamma((1.0, 1.0, 1.0), (0, 0), 12, 30.0, 6)
    end = log.end + 6.0
    late = Passage(len(log.units), 0, log.end, None, None)
    running = msgspec.structs.replace(
        log, units=[*log.units, "late"], products=[*log.products, None], end=end,
        passages=[[*log.passages[0], late], *log.passages[1:]],
    )  # fmt: skip
    assert chances(running, seed=1).probability[0] > chances(log, seed=1).probability[0] + 0.1


def test_more_evidence_makes_it_surer() -> None:
    few, many = (chances(gamma((1.0, 1.12, 1.0), (1, 1), units, 16.0, 9), seed=1).probability for units in (16, 600))
    assert many[1] > few[1]


@settings(derandomize=True, deadline=None, database=None, max_examples=15)
@given(seed=st.integers(0, 50), scale=st.sampled_from([0.01, 3600.0]), start=st.sampled_from([0.0, 1e6]))
def test_time_may_be_counted_in_any_unit_from_any_moment(seed: int, scale: float, start: float) -> None:
    log = gamma((1.0, 1.05, 1.0), (0, 1), 30, 9.0, seed)
    other = msgspec.structs.replace(
        log,
        begin=start + scale * log.begin,
        end=start + scale * log.end,
        passages=[
            [
                Passage(
                    p.unit,
                    p.station,
                    start + scale * p.start,
                    start + scale * (p.complete or 0),
                    start + scale * (p.departure or 0),
                )
                for p in its
            ]
            for its in log.passages
        ],
    )
    assert chances(other, seed=1).probability == pytest.approx(chances(log, seed=1).probability, abs=0.05)


def test_probabilities_add_up_and_are_never_certain_of_little() -> None:
    probability = chances(gamma((1.0, 1.5, 1.0), (0, 0), 10, 4.0, 9), seed=1).probability
    assert sum(probability) == pytest.approx(1.0)
    assert min(probability) > 0
    assert max(probability) < 1


def test_the_runs_own_scatter_is_no_uncertainty_about_the_line() -> None:
    rng = np.random.default_rng(1)
    true = np.array([0.40, 0.35, 0.25])
    noisy = true[:, None, None] + rng.normal(0, 0.05, (3, 400, 2))
    assert leading(noisy, rng)[0] > 0.95


def test_suspects_are_the_fewest_that_hold_it() -> None:
    assert suspects_of([0.1, 0.5, 0.35, 0.05]) == [1, 2]
    assert suspects_of([0.9, 0.1]) == [0]
    assert len(suspects_of([0.1] * 10)) == 5


def test_provisional_is_said_until_there_are_enough_units() -> None:
    assert judge(gamma((1.0, 1.2), (0,), PROVISIONAL - 1, 4.0, 1), seed=1).provisional
    assert not judge(gamma((1.0, 1.2), (0,), PROVISIONAL, 4.0, 1), seed=1).provisional


def test_a_small_study_of_random_lines() -> None:
    its = list(scores("mixed", 64, "no plan", lines=20, seed=7))
    assert len(its) == 60
    assert sum(score.hit for score in its) / 60 >= 0.5
    assert sum(score.held for score in its) / 60 >= 0.75
    assert sum(score.size for score in its) / 60 <= 2.1
    assert sum(score.efficiency for score in its) / 60 >= 0.75


@pytest.mark.study
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("units", "found"), [(16, 0.45), (64, 0.65), (200, 0.80), (700, 0.89)])
def test_the_whole_study_of_mixed_lines(plan: str, units: int, found: float) -> None:
    its = list(scores("mixed", units, plan, lines=200, seed=11, truths=4))
    assert sum(score.hit for score in its) / len(its) >= found
    if units >= 64:
        assert sum(score.held for score in its) / len(its) >= 0.85
        assert sum(score.size for score in its) / len(its) <= 2.0
