"""What a record teaches: the formulas, and what they make of records."""

import numpy as np
import pytest
from msgspec.structs import replace

from linecontrol.flowline import Layout, LineLog, Passage
from linecontrol.flowline.learn import EXPERIENCE, learn
from linecontrol.flowline.ratios import FORECAST, common, scatter, station, station_sd_weights


def _log(
    times: list[list[float]], *, planned: list[dict[str, float]] | None = None, running: dict[int, float] | None = None
) -> LineLog:
    """Stations that worked without gaps from 0 on; ``running`` is since when, by station."""
    passages = []
    for at, its in enumerate(times):
        ends = np.cumsum(its).tolist()
        passages.append([Passage(u, at, end - t, end, end) for u, (t, end) in enumerate(zip(its, ends, strict=True))])
    end = 100.0
    for at, elapsed in (running or {}).items():
        passages[at].append(Passage(len(times[at]), at, end - elapsed))
    units = max(len(each) for each in passages)
    stations = len(times)
    return LineLog(
        Layout.chain((0,) * (stations - 1)),
        [f"s{i}" for i in range(stations)],
        [f"u{i}" for i in range(units)],
        ["a"] * units,
        passages,
        planned or [{"a": 1.0}] * stations,
        0.0,
        end,
    )


def test_the_posterior_of_the_common_ratio_and_of_the_stations_is_as_computed_by_hand() -> None:
    count, mean, error = np.array([0.0, 2.0, 10.0]), np.array([0.0, 1.20, 1.10]), np.full(3, 0.22)
    centre, sd = common(count, mean, error, 0.08)
    assert centre == pytest.approx(1.084971, abs=5e-7)
    assert sd == pytest.approx(0.055408, abs=5e-7)
    weight, likely, its_sd = station(count, mean, error, 0.08, centre)
    assert weight == pytest.approx([0, 0.209150, 0.569395], abs=5e-7)
    assert likely == pytest.approx([1.084971, 1.109030, 1.093529], abs=5e-7)
    assert its_sd == pytest.approx([0.08, 0.071144, 0.052496], abs=5e-7)


def test_half_the_weight_is_measured_after_seven_and_a_half_cycles() -> None:
    weight, _, _ = station(np.array([0.22**2 / 0.08**2]), np.array([1.0]), np.array([0.22]), 0.08, 1.0)
    assert weight == pytest.approx([0.5])


def test_the_scatter_starts_from_experience_and_follows_what_is_measured() -> None:
    assert scatter(np.zeros(2), np.zeros(2)) == pytest.approx((0.22, 20.0))
    measured, freedom = scatter(np.array([4000 * 0.1**2]), np.array([4001.0]))
    assert measured == pytest.approx(0.1, abs=2e-3)
    assert freedom == 4020


def test_stations_far_apart_make_a_wider_station_effect_likely() -> None:
    count, error = np.full(6, 50.0), np.full(6, 0.2)
    close = station_sd_weights(count, np.full(6, 1.05), error)
    apart = station_sd_weights(count, np.array([0.7, 1.4, 0.8, 1.3, 1.0, 1.1]), error)
    assert close.argmax() < apart.argmax()
    assert close.sum() == pytest.approx(1)


def test_without_cycles_all_is_the_plan_and_its_usual_optimism() -> None:
    known = learn(_log([[], []]))
    drawn = known.draw(np.random.default_rng(1), 40_000)
    assert known.ratios == pytest.approx([1.06, 1.06])
    assert drawn.mean() == pytest.approx(1.06, abs=3e-3)
    assert np.asarray(np.corrcoef(drawn))[0, 1] > 0.2  # the common part
    assert known.weight == pytest.approx([0, 0], abs=1e-9)


def test_many_cycles_outweigh_the_plan_and_draws_have_the_posterior_spread() -> None:
    rng = np.random.default_rng(2)
    known = learn(_log([(1.3 * rng.normal(1, 0.1, 400)).tolist(), []]))
    drawn = known.draw(rng, 20_000)
    assert drawn[0].mean() == pytest.approx(1.3, abs=0.02)
    assert drawn[0].std() == pytest.approx(0.13 / 20, rel=0.25)
    assert drawn[1].std() > 0.05


def test_a_running_cycle_raises_the_mean_once_it_has_lasted_long() -> None:
    times = [[1.0] * 4]
    before = learn(_log(times)).ratios[0]
    assert learn(_log(times, running={0: 0.1})).ratios[0] == pytest.approx(before, abs=1e-3)
    usual = learn(_log(times, running={0: 1.0})).ratios[0]
    late = learn(_log(times, running={0: 2.5})).ratios[0]
    assert before < usual < late


def test_cycles_cut_off_by_the_clock_do_not_make_a_young_record_fast() -> None:
    """Each of 3000 stations works from time 0; at time 2.4 about two cycles are done, the third or so runs."""
    rng = np.random.default_rng(3)
    stations, now = 3000, 2.4
    done: list[list[float]] = []
    running: dict[int, float] = {}
    for at in range(stations):
        its: list[float] = []
        clock = 0.0
        while clock + (t := 1.06 * float(rng.choice(EXPERIENCE))) <= now:
            its.append(t)
            clock += t
        done.append(its)
        running[at] = now - clock
    naive = np.concatenate([np.array(each) for each in done]).mean()
    known = learn(_log(done, running=running))
    assert naive < 1.04
    assert known.ratios.mean() == pytest.approx(1.06, abs=8e-3)


def test_residuals_have_mean_one_and_keep_the_tail() -> None:
    rng = np.random.default_rng(4)
    its = rng.normal(1, 0.05, 300)
    its[7] = 6.0
    known = learn(_log([its.tolist(), []]))
    assert known.residuals.mean(axis=1) == pytest.approx([1, 1])
    assert known.residuals[0].max() > 4
    times = known.times(rng, np.full((2, 5000), 1.0), np.array([[2.0, 3.0]] * 4))
    assert times.shape == (4, 2, 5000)
    assert times.mean(axis=(0, 2)) == pytest.approx([2, 3], rel=0.02)


def test_time_left_is_conditional_on_what_has_passed() -> None:
    known = learn(_log([[]]))
    rng, ratios = np.random.default_rng(5), np.ones(20_000)
    fresh = known.left(rng, ratios, 2.0, 0, 0.0)
    late = known.left(rng, ratios, 2.0, 0, 2.2)
    beyond = known.left(rng, ratios, 2.0, 0, 50.0)
    assert fresh.mean() == pytest.approx(2.0, rel=0.02)
    expected = EXPERIENCE[EXPERIENCE > 1.1].mean() * 2 - 2.2
    assert late.mean() == pytest.approx(expected, rel=0.1)
    assert (late >= 0).all()
    assert np.median(beyond) == pytest.approx(50 * (2 ** (1 / 3) - 1), rel=0.1)


def test_without_a_plan_products_have_their_own_means() -> None:
    log = _log([[1.0, 3.0] * 20, [5.0] * 40], planned=[{}, {}])
    log.products[:] = ["a", "b"] * 20
    known = learn(log)
    table = known.standards.table(["a", "b", "c"])
    assert table[0, 0] == pytest.approx(1.0, abs=0.2)
    assert table[1, 0] == pytest.approx(3.0, abs=0.2)
    assert table[2].tolist() == [2.0, 5.0]
    assert known.ratios == pytest.approx([1.0, 1.0], abs=0.06)


def test_a_stop_that_one_station_had_is_shared_and_errors_are_larger_with_caution() -> None:
    its = np.random.default_rng(6).normal(1, 0.1, 40)
    stopped = its.copy()
    stopped[3] += 4.0
    log = _log([stopped.tolist(), its.tolist(), its.tolist()])
    plain, wary, bold = learn(log), learn(log, FORECAST), learn(log, replace(FORECAST, caution=1.0))
    assert plain.mean[0] - plain.mean[1] == pytest.approx(0.1)
    assert 0.01 < wary.mean[0] - wary.mean[1] < 0.05
    assert wary.error == pytest.approx(bold.error * FORECAST.caution)


def test_nothing_known_is_said() -> None:
    with pytest.raises(ValueError, match="neither a planned time nor a completed cycle"):
        learn(_log([[], []], planned=[{}, {}]))
