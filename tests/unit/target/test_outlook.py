"""The rest of the year foreseen: what is exact, what is never said, what is said when it is certain."""

import msgspec
import numpy as np
import pytest

from linecontrol.bottleneck.window import cut
from linecontrol.flowline import Layout, LineLog, Passage, Stage, run
from linecontrol.flowline.live import live
from linecontrol.flowline.path import critical_path
from linecontrol.target.credit import Output, nth, served
from linecontrol.target.future import TooManyUnits
from linecontrol.target.lost import EXPERIENCE, hours_ahead, lost_parts
from linecontrol.target.outlook import Outlook, foresee
from linecontrol.target.prospect import Goal, Pledge, Prospect, Supply
from linecontrol.target.supply import available, overtaking, released

DAYS = [(8.0 * day, 8.0 * (day + 1)) for day in range(100)]


def _record(layout: Layout, times: np.ndarray, end: float, release: np.ndarray | None = None) -> LineLog:
    """What is known at ``end`` of a line that did these times [unit, station]."""
    did = run(times[:, :, None], layout, release=release)
    start, complete, departure = did.start[..., 0], did.complete[..., 0], did.departure[..., 0]
    units, stations = times.shape
    log = LineLog(
        layout,
        [f"s{i}" for i in range(stations)],
        [f"u{u}" for u in range(units)],
        ["ab"[u % 2] for u in range(units)],
        [
            [Passage(u, i, float(start[u, i]), float(complete[u, i]), float(departure[u, i])) for u in range(units)]
            for i in range(stations)
        ],
        [{"a": 2.0, "b": 2.0}] * stations,
        0.0,
        float(departure.max()),
    )
    return cut(log, 0.0, end)


def _prospect(end: float = 80.0, *, units: int = 300, slower: float = 1.0, **more: object) -> Prospect:
    """Three stations, 2 hours each as planned; the goal is for day 100."""
    rng = np.random.default_rng(1)
    times = 2.0 * slower * rng.lognormal(-0.01, 0.14, (units, 3))
    log = _record(Layout.chain((1, 0)), times, end)
    done = sum(each.complete is not None for each in log.passages[-1])
    prospect = Prospect(log, DAYS, [Goal("year", 330, done, 800.0)], mix={"a": 1.0, "b": 1.0})
    return msgspec.structs.replace(prospect, **more)


def _of(prospect: Prospect, *, replications: int = 200, seed: int = 3) -> Outlook:
    return foresee(prospect, replications=replications, seed=seed)


@pytest.mark.parametrize("now", [7.3, 20.0, 33.3, 58.1])
def test_a_line_cut_and_continued_with_known_times_ends_as_it_did(now: float) -> None:
    layout = Layout.chain((0, 2, 1))
    times = np.random.default_rng(7).uniform(1, 4, (30, 4))
    whole = run(times[:, :, None], layout)
    log = _record(layout, times, now)
    state = live(log)
    numbers = [int(log.units[unit][1:]) for unit in state.units]
    fresh = [unit for unit in range(30) if whole.start[unit, 0, 0] >= now]
    rest = times[[*numbers, *fresh]]
    running = {(each.row, each.station): each.elapsed for each in state.running}
    for row in range(len(numbers)):
        for at in np.flatnonzero(state.stage[row] == Stage.STARTED).tolist():
            elapsed = running.get((row, at))
            rest[row, at] = 0.0 if elapsed is None else rest[row, at] - elapsed
    again = run(rest[:, :, None], layout, stage=state.stage)
    assert numbers == sorted(numbers)
    assert again.leaves[:, 0] + now == pytest.approx(whole.leaves[[*numbers, *fresh], 0], abs=1e-9)


def test_a_seed_tells_all() -> None:
    prospect = _prospect()
    one, same, other = _of(prospect), _of(prospect), _of(prospect, seed=4)
    assert (one.goals["year"].totals == same.goals["year"].totals).all()
    assert one.goals["year"].fan == same.goals["year"].fan
    assert (one.goals["year"].totals != other.goals["year"].totals).any()


def test_quantiles_fan_and_finish_agree() -> None:
    its = _of(_prospect(), replications=500).goals["year"]
    assert its.low < its.likely < its.high
    assert (its.fan[0].likely, its.fan[-1].low, its.fan[-1].high) == (its.done, its.low, its.high)
    assert [mark.likely for mark in its.fan] == sorted(mark.likely for mark in its.fan)
    assert its.finish.low is not None
    assert (its.finish.low <= 800.0) == (its.high >= its.units)
    assert its.takt_required == pytest.approx((800 - 80) / (330 - its.done))


@pytest.mark.parametrize(("units", "expected"), [(40, 0.98), (2000, 0.02)])
def test_without_evidence_nothing_is_nearly_certain(units: int, expected: float) -> None:
    its = _of(_prospect(goals=[Goal("year", units, 30, 800.0)]))
    assert its.days < 40
    assert its.goals["year"].probability == expected


def test_with_evidence_it_may_be_and_a_met_target_is_met() -> None:
    prospect = _prospect(400.0, goals=[Goal("sure", 190, 150, 800.0), Goal("met", 150, 150, 800.0)])
    its = _of(prospect)
    assert (its.days, its.evidence > 100) == (50, True)
    assert its.goals["sure"].probability == 1 - 0.5 / 200
    assert its.goals["met"].probability == 1.0


def test_an_overload_is_certain_when_hours_are_not_enough_for_the_units() -> None:
    fits = _of(_prospect()).goals["year"]
    too_many = _of(_prospect(goals=[Goal("year", 900, 30, 800.0)])).goals["year"]
    assert (fits.overload, too_many.overload) == (False, True)
    assert too_many.hours_needed > too_many.hours_left == 720.0
    assert too_many.probability == 0.02


def test_what_only_the_plan_tells_becomes_less() -> None:
    early, late = (_of(_prospect(end), replications=500).goals["year"] for end in (24.0, 400.0))
    assert early.prior_share > 0.3
    assert late.prior_share < 0.2
    assert late.high - late.low < early.high - early.low


def test_slower_than_planned_is_learnt() -> None:
    usual, slow = (_of(_prospect(400.0, slower=each)).goals["year"] for each in (1.0, 1.3))
    assert slow.likely < usual.likely - 30


def test_units_that_enter_by_a_timetable_are_foreseen_at_its_pace() -> None:
    """The stations alone would be faster: what keeps units out is in the output, not in their times."""
    times = 2.0 * np.random.default_rng(1).lognormal(-0.01, 0.14, (300, 3))
    log = _record(Layout.chain((1, 0)), times, 400.0, release=2.3 * np.arange(300.0)[:, None])
    done = sum(each.complete is not None for each in log.passages[-1])
    goal = Goal("year", 330, done, 800.0)
    its = foresee(Prospect(log, DAYS, [goal], mix={"a": 1.0, "b": 1.0}), replications=200, seed=3).goals["year"]
    assert its.low < 800 / 2.3 < its.high + 2
    assert its.likely == pytest.approx(800 / 2.3, abs=7)


def test_no_kit_no_build() -> None:
    prospect = _prospect(supplies=[Supply("kit", frozenset("ab"), 20, [(400.0, 10)])])
    its = _of(prospect)
    within = its.goals["year"].kits_limit
    assert within is not None
    assert its.goals["year"].totals.max() == within
    assert its.goals["year"].probability == 0.02
    assert its.supplies["kit"].short == 330 - within
    assert its.supplies["kit"].runs_out is not None
    assert 80.0 < its.supplies["kit"].runs_out < 400.0
    assert its.goals["year"].finish.high is None


def test_kits_that_last_change_nothing() -> None:
    without = _of(_prospect())
    plenty = _of(_prospect(supplies=[Supply("kit", frozenset("ab"), 1000)]))
    assert plenty.supplies["kit"].runs_out is None
    assert plenty.supplies["kit"].short == 0
    assert plenty.goals["year"].totals.tolist() == without.goals["year"].totals.tolist()


def test_units_with_kits_overtake_those_without() -> None:
    supply = Supply("kit", frozenset({"b"}), 1, [(50.0, 1)])
    products = np.array([[1], [1], [0], [1]], dtype=np.int16)
    release = released(products, ["a", "b"], [supply], 0.0)
    assert release[:, 0].tolist() == [0.0, 50.0, 0.0, np.inf]
    assert overtaking(release, 10.0, 0.0)[:, 0].tolist() == [0, 2, 1, 3]


def test_kits_that_are_owed_come_out_of_the_next_delivery() -> None:
    assert available(Supply("kit", frozenset(), -2, [(5.0, 3)]), 2, 1.0).tolist() == [5.0, np.inf]


def test_commitments_are_credited_in_the_order_of_their_due_dates() -> None:
    leaves = np.arange(1.0, 9.0)[:, None]
    output = Output(leaves, np.array([[0], [1]] * 4, dtype=np.int16), ["a", "b"])
    pledges = [
        Pledge("later", 2, 0.0, 20.0),
        Pledge("sooner", 2, 2.0, 10.0, frozenset({"a"})),
        Pledge("too many", 5, 0.0, 30.0),
        Pledge("done", 0, 0.0, 5.0),
    ]
    finishes = served(output, pledges)
    # a leaves at 1 3 5 7; sooner takes 3 and 5, later 1 and 2, the rest is four units
    assert {name: its[0] for name, its in finishes.items()} == {"sooner": 5.0, "later": 2.0, "too many": np.inf}


def test_the_nth_of_those_that_count() -> None:
    leaves = np.array([[1.0], [2.0], [3.0]])
    counted = np.array([[True], [False], [True]])
    assert [nth(leaves, counted, n)[0] for n in (1, 2, 3)] == [1.0, 3.0, np.inf]


def test_commitments_of_one_line_are_foreseen() -> None:
    its = _of(_prospect(pledges=[Pledge("easy", 20, 0.0, 700.0), Pledge("hard", 300, 0.0, 710.0)]))
    assert its.pledges["easy"].probability == 0.98
    assert its.pledges["hard"].probability == 0.02


def test_lost_hours_are_those_that_the_critical_path_waited() -> None:
    passages = [Passage(u, 0, 4.0 * u, 4.0 * u + 4.0, 4.0 * u + 4.0) for u in range(4)]
    passages[3].waits = {"power": 2.0}
    log = LineLog(Layout.chain(()), ["s"], list("abcd"), ["a"] * 4, [passages], [{"a": 4.0}], 0.0, 16.0)
    assert lost_parts(critical_path(log), DAYS) == pytest.approx([0.0, 0.25])


def test_days_to_come_are_like_those_seen_and_those_of_experience() -> None:
    rng = np.random.default_rng(1)
    usual = hours_ahead(np.array([]), DAYS, 80.0, rng, 4000).loss
    seen = hours_ahead(np.full(200, 0.2), DAYS, 80.0, rng, 4000).loss
    assert usual.mean() == pytest.approx(EXPERIENCE.mean() + 0.005, rel=0.1)
    assert usual.std() > 0.02
    assert seen.mean() == pytest.approx(0.2, abs=0.01)
    assert seen.std() < 0.02


def test_bad_days_are_expected_as_often_as_they_came() -> None:
    rng = np.random.default_rng(1)
    quiet, bad = np.zeros(800), np.where(np.arange(800) % 20 == 0, 1.0, 0.0)
    early, never, often = (hours_ahead(its, DAYS, 80.0, rng, 4000).loss.mean() for its in (quiet[:15], quiet, bad))
    assert early > never
    assert often - never == pytest.approx(0.05, abs=0.006)


def test_productive_time_and_working_time_are_each_others_inverse() -> None:
    hours = hours_ahead(np.full(20, 0.1), DAYS, 83.0, np.random.default_rng(2), 5)
    times = np.array([90.0, 400.0, 799.0])
    assert hours.working(hours.at(times)) == pytest.approx(np.repeat(times[:, None], 5, axis=1))
    assert np.isinf(hours.working(np.full((1, 5), 1e6))).all()


def test_the_weights_of_the_mix_need_not_add_up_to_anything() -> None:
    one, other = (_of(_prospect(mix={"a": each, "b": each})).goals["year"].totals for each in (0.5, 400.0))
    assert one.tolist() == other.tolist()


def test_no_day_ahead_is_said() -> None:
    with pytest.raises(ValueError, match="no working day lies ahead"):
        _of(_prospect(days=DAYS[:10]))


def test_a_line_of_seconds_is_not_forecast_unit_by_unit() -> None:
    fast = _prospect()
    quick = msgspec.structs.replace(fast, days=[(start * 1e5, end * 1e5) for start, end in fast.days],
                                    goals=[Goal("year", 10**7, 0, fast.days[-1][1] * 1e5)])  # fmt: skip
    with pytest.raises(TooManyUnits, match=r"units are to come; 20,000 can be forecast"):
        foresee(quick, replications=20, seed=1)
