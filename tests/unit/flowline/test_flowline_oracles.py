"""Lines that are solved exactly: throughput, elasticities and the true bottleneck.

Each push simulates 60,000 units, a study two million: their noise is five times as small.
"""

from collections.abc import Callable

import numpy as np
import pytest

from linecontrol.flowline import Layout, critical_shares, leaves, path_shares, run
from linecontrol.flowline.given import Floats
from tests.oracles.closed_forms import (
    Aggregation,
    bernoulli_two,
    closed_loop,
    exponential_two,
    fluid_share,
    fluid_two,
)
from tests.oracles.sample_paths import bernoulli_pace, fluid_pace
from tests.oracles.tables import Row, label, numbers, table

Draw = Callable[[np.random.Generator, int], Floats]

EXPONENTIAL, BREAKDOWN = table("exponential_bas"), table("breakdown_bas")
BERNOULLI, FLUID, LOOPS = table("bernoulli"), table("expmachine_2m_fluid"), table("conwip")

LANES, WARM = 50, 100
"""Replications at once, and units that fill and empty the line."""
CLEAR = 0.02
"""From this gap of elasticities on, the bottleneck has to be named."""

SHORT, LONG = 60_000, 2_000_000


def places(row: Row) -> tuple[int, ...]:
    return tuple(int(each) for each in numbers(row["b"]))


def erlang(row: Row) -> Draw:
    shape, tau = float(row["erlang_k"]), np.array(numbers(row["tau"]))[:, None]
    return lambda rng, lanes: rng.standard_gamma(shape, (len(tau), lanes)) * tau / shape


def with_stops(row: Row) -> Draw:
    """Stops come with operating time and work goes on after the repair: all within the cycle."""
    working = erlang(row)
    between, repair = (np.array(numbers(row[name]))[:, None] for name in ("MTBF_operating", "MTTR"))

    def draw(rng: np.random.Generator, lanes: int) -> Floats:
        work = working(rng, lanes)
        stops = rng.poisson(work / between)
        return np.asarray(work + rng.standard_gamma(stops) * repair)

    return draw


def simulate(layout: Layout, draw: Draw, units: int, seed: int) -> tuple[float, Floats]:
    """Throughput and share of the critical path of each station over so many units."""
    rng = np.random.default_rng(seed)
    each = min(2_000, units // LANES) + 2 * WARM
    pace, shares = [], []
    for _ in range(round(units / (LANES * (each - 2 * WARM)))):
        done = run(np.stack([draw(rng, LANES) for _ in range(each)]), layout)
        out = done.leaves
        pace.append((each - 2 * WARM) / (out[-WARM] - out[WARM]))
        shares.append(critical_shares(done, skip=WARM))
    times = 1 / np.concatenate(pace)
    return float(1 / times.mean()), np.asarray(np.concatenate(shares, axis=1).mean(axis=1))


def agrees(row: Row, draw: Draw, elasticity: list[float], units: int, throughput: float, share: float) -> None:
    pace, shares = simulate(Layout.chain(places(row)), draw, units, seed=7)
    assert pace == pytest.approx(float(row["TH"]), rel=throughput)
    assert shares.sum() == pytest.approx(1.0, abs=1e-9)
    assert shares == pytest.approx(elasticity, abs=share)
    best, second = sorted(elasticity)[-1], sorted(elasticity)[-2]
    if best - second >= CLEAR:
        assert shares.argmax() == int(np.argmax(elasticity))


exponential = pytest.mark.parametrize(
    "row", EXPONENTIAL, ids=[label(row, "tau", "b", "erlang_k") for row in EXPONENTIAL]
)
breakdown = pytest.mark.parametrize("row", BREAKDOWN, ids=[label(row, "tau", "b", "erlang_k") for row in BREAKDOWN])


@exponential
def test_exponential_lines(row: Row) -> None:
    agrees(row, erlang(row), numbers(row["elasticity"]), SHORT, 0.015, 0.03)


@breakdown
def test_lines_with_stops(row: Row) -> None:
    agrees(row, with_stops(row), numbers(row["elasticity_all_times"]), SHORT, 0.02, 0.04)


@pytest.mark.study
@exponential
def test_exponential_lines_over_two_million_units(row: Row) -> None:
    agrees(row, erlang(row), numbers(row["elasticity"]), LONG, 0.003, 0.01)


@pytest.mark.study
@breakdown
def test_lines_with_stops_over_two_million_units(row: Row) -> None:
    agrees(row, with_stops(row), numbers(row["elasticity_all_times"]), LONG, 0.003, 0.01)


def test_the_slowest_stations_need_not_be_the_bottleneck() -> None:
    row = next(row for row in EXPONENTIAL if row["tau"] == "2.5|2.4|2.4|2.5")
    _, shares = simulate(Layout.chain((0, 0, 0)), erlang(row), SHORT, seed=11)
    assert min(shares[1], shares[2]) > max(shares[0], shares[3]) + 0.03


@pytest.mark.parametrize(
    ("tau", "between", "throughput"),
    [
        ([1, 1], (0,), 2 / 3),
        ([1, 1, 1], (0, 0), 22 / 39),
        ([1] * 4, (0,) * 3, 0.5148),
        ([1] * 5, (0,) * 4, 0.4858),
        ([1] * 6, (0,) * 5, 0.4667),
        ([1 / 6, 1 / 7, 1 / 7], (11, 7), 5.776),
        ([1 / 7, 1 / 7, 1 / 6], (7, 11), 5.776),
    ],
)
def test_published_values(tau: list[float], between: tuple[int, ...], throughput: float) -> None:
    scale = np.array(tau)[:, None]
    pace, _ = simulate(
        Layout.chain(between), lambda rng, lanes: rng.standard_exponential((len(tau), lanes)) * scale, 4 * SHORT, seed=3
    )
    assert pace == pytest.approx(throughput, rel=0.006)


@pytest.mark.parametrize("row", [row for row in EXPONENTIAL if row["erlang_k"] == "1" and len(places(row)) == 1])
def test_two_exponential_stations_by_formula(row: Row) -> None:
    assert exponential_two(numbers(row["tau"]), places(row)[0]) == pytest.approx(float(row["TH"]), abs=1e-6)


# --- Bernoulli machines: they block before service, so formulas and another recursion vouch for each other -----

bernoulli = pytest.mark.parametrize("row", BERNOULLI, ids=[label(row, "p", "N") for row in BERNOULLI])


@bernoulli
def test_aggregation_of_bernoulli_lines(row: Row) -> None:
    p, between = numbers(row["p"]), numbers(row["N"])
    its = Aggregation(p, between)
    assert its.throughput == pytest.approx(float(row["PR_aggregation"]), abs=1e-6)
    if len(p) == 2:
        assert its.starved == pytest.approx(numbers(row["ST"]), abs=1e-6)
        assert its.blocked == pytest.approx(numbers(row["BL"]), abs=1e-6)
        assert bernoulli_two(p[0], p[1], between[0]) == pytest.approx(float(row["PR_exact"]), abs=1e-6)


@bernoulli
def test_bernoulli_lines_slot_by_slot(row: Row) -> None:
    p, between = numbers(row["p"]), [int(each) for each in numbers(row["N"])]
    assert bernoulli_pace(p, between, 600, 200, seed=5) == pytest.approx(float(row["PR_exact"]), rel=0.01)


# --- two machines with a fluid buffer, likewise ---------------------------------------------------------------

fluid = pytest.mark.parametrize(
    "row", FLUID, ids=[label(row, "lambda1", "mu1", "lambda2", "mu2", "N") for row in FLUID]
)


def fluid_rates(row: Row) -> list[float]:
    return [float(row[name]) for name in ("lambda1", "mu1", "lambda2", "mu2", "N")]


@fluid
def test_fluid_lines_by_formula(row: Row) -> None:
    l1, m1, l2, m2, buffer = fluid_rates(row)
    assert fluid_two(l1, m1, l2, m2, buffer) == pytest.approx(float(row["PR"]), abs=1e-6)
    assert fluid_share(l1, m1, l2, m2, buffer) * m2 / (l2 + m2) == pytest.approx(float(row["ST2"]), abs=1e-6)


@fluid
def test_fluid_lines_piece_by_piece(row: Row) -> None:
    l1, m1, l2, m2, buffer = fluid_rates(row)
    pace = fluid_pace([(l1, m1), (l2, m2)], buffer, 3_000, 300, seed=9)
    assert pace == pytest.approx(float(row["PR"]), rel=0.01)


# --- closed loops ---------------------------------------------------------------------------------------------

loops = {name: [row for row in LOOPS if row["line"] == name] for name in {row["line"] for row in LOOPS}}
MOVING = [*loops["pennyfab1_PWC_balanced_exp"], *loops["unbalanced_exp_MVA"]]


def loop(row: Row) -> tuple[Floats, Layout]:
    """So few units that the places between stations never run out."""
    tau, limit = np.array(numbers(row["t"])), int(row["w"])
    return tau, Layout.chain((limit,) * (len(tau) - 1), limit=limit)


@pytest.mark.parametrize("name", ["pennyfab1_best", "unbalanced_best"])
def test_loops_of_even_times_exactly(name: str) -> None:
    for row in loops[name]:
        tau, layout = loop(row)
        out = run(np.tile(tau[None, :, None], (401, 1, 1)), layout).leaves[:, 0]
        assert 240 / (out[400] - out[160]) == pytest.approx(float(row["TH"]), rel=1e-5)


@pytest.mark.parametrize("row", MOVING, ids=[label(row, "line", "w") for row in MOVING])
def test_loops_by_mean_value_analysis(row: Row) -> None:
    assert closed_loop(numbers(row["t"]), int(row["w"])) == pytest.approx(float(row["TH"]), abs=1e-6)


@pytest.mark.parametrize("row", MOVING[::4], ids=[label(row, "line", "w") for row in MOVING[::4]])
def test_loops_of_exponential_stations(row: Row) -> None:
    tau, layout = loop(row)
    rng = np.random.default_rng(13)
    drawn = (rng.standard_exponential((len(tau), 200)) * tau[:, None] for _ in range(600))
    out = leaves(drawn, layout, 600, 200)
    assert 500 / (out[599] - out[99]).mean() == pytest.approx(float(row["TH"]), rel=0.01)


def test_shares_of_a_loop_are_its_elasticities() -> None:
    """Of a closed loop too: the derivative of the mean value analysis."""
    tau = np.array([2.2, 2.4, 2.5, 2.1, 2.3])
    rng = np.random.default_rng(17)
    done = run(rng.standard_exponential((1_500, 5, 60)) * tau[:, None], Layout.chain((6,) * 4, limit=6))
    shares = path_shares(done, skip=50).own.mean(axis=1)
    for station in range(5):
        slower = np.where(np.arange(5) == station, tau * 1.0001, tau)
        gained = (closed_loop(tau.tolist(), 6) / closed_loop(slower.tolist(), 6) - 1) / 0.0001
        assert shares[station] == pytest.approx(gained, abs=0.01)
