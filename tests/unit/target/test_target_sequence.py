from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from linecontrol.target.sequence import Spacing, broken, distances, due_dates, goal_chasing, unevenness

fixed = settings(derandomize=True, deadline=None, database=None)

MONDEN = {"A": 2, "B": 3, "C": 5}
PARTS = {"A": [1, 0, 1, 1], "B": [1, 1, 0, 1], "C": [0, 1, 1, 0]}
HOURS = {"A": [2.0, 1.0], "B": [1.0, 2.0], "C": [1.5, 1.2]}

counts = st.fixed_dictionaries({"A": st.integers(0, 3), "B": st.integers(0, 3), "C": st.integers(0, 2)})
spacings = st.lists(
    st.builds(Spacing, st.frozensets(st.sampled_from("ABC"), min_size=1), st.integers(1, 2), st.integers(2, 4)),
    max_size=3,
)
histories = st.lists(st.sampled_from("ABC"), max_size=4)


def test_monden() -> None:
    assert "".join(goal_chasing(MONDEN, PARTS)) == "CBACBCCABC"


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, [1.11, 1.01, 0.79]),
        (2, [0.85, 0.57, 1.59]),
        (3, [0.82, 1.44, 0.93]),
        (4, [1.87, 1.64, 0.28]),
        (5, [1.32, 0.87, 0.87]),
    ],
)
def test_distances_of_mondens_example(k: int, expected: Sequence[float]) -> None:
    needs = np.array(list(PARTS.values()), dtype=float)
    used = sum((needs["ABC".index(each)] for each in "CBACBCCABC"[: k - 1]), start=np.zeros(4))
    assert distances(needs, used, np.array([5, 8, 7, 5]) * k / 10) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("remaining", "order"),
    [(MONDEN, "C B A C B C C A B C"), ({"T1": 5, "T2": 3, "M": 2}, "T1 T2 M T1 T1 T2 T1 M T2 T1")],
)
def test_due_dates_are_as_even_as_can_be(remaining: dict[str, int], order: str) -> None:
    assert due_dates(remaining) == order.split()
    assert unevenness(order.split()) == pytest.approx(2.9)
    assert min(unevenness(each) for each in orders(remaining)) == pytest.approx(2.9)


def orders(remaining: dict[str, int]) -> Iterator[list[str]]:
    """Every order there is."""
    if not any(remaining.values()):
        yield []
    for product, units in remaining.items():
        if units:
            for rest in orders({**remaining, product: units - 1}):
                yield [product, *rest]


def test_goal_chasing_of_products_is_as_even_as_due_dates() -> None:
    each_its_own = {"A": [1, 0, 0], "B": [0, 1, 0], "C": [0, 0, 1]}
    assert unevenness(goal_chasing(MONDEN, each_its_own)) == pytest.approx(unevenness(due_dates(MONDEN)))


@fixed
@given(remaining=counts, at=st.integers(0, 8))
def test_it_goes_on_as_it_began(remaining: dict[str, int], at: int) -> None:
    whole = goal_chasing(remaining, HOURS)
    history, rest = whole[:at], whole[at:]
    left = {product: rest.count(product) for product in remaining}
    assert goal_chasing(left, HOURS, history=history) == rest


@settings(fixed, max_examples=200)
@given(remaining=counts, spacing=spacings, history=histories)
def test_rules_are_kept_wherever_that_is_possible(
    remaining: dict[str, int], spacing: list[Spacing], history: list[str]
) -> None:
    ours = goal_chasing(remaining, HOURS, history=history, spacing=spacing)
    assert sorted(ours) == sorted(product for product, units in remaining.items() for _ in range(units))
    assert bool(broken(ours, spacing, history=history)) == (not possible(remaining, spacing, history))


def possible(remaining: dict[str, int], spacing: list[Spacing], line: list[str]) -> bool:
    """Whether any order keeps the rules."""
    for order in orders(remaining):
        whole = [*line, *order]
        if not any(breaks(whole[:end], spacing) for end in range(len(line) + 1, len(whole) + 1)):
            return True
    return False


def breaks(line: list[str], spacing: list[Spacing]) -> bool:
    return any(
        line[-1] in rule.products and sum(each in rule.products for each in line[-rule.within :]) > rule.most
        for rule in spacing
    )


def test_a_rule_looks_back_and_ahead() -> None:
    """Light ones are saved for between the heavy ones, whatever goal chasing would like to start with."""
    apart = [Spacing(frozenset({"heavy"}), 1, 2)]
    needs = {"light": [1.0], "heavy": [3.0]}
    assert goal_chasing({"light": 2, "heavy": 3}, needs, spacing=apart) == ["heavy", "light"] * 2 + ["heavy"]
    after = goal_chasing({"light": 3, "heavy": 3}, needs, history=["heavy"], spacing=apart)
    assert after == ["light", "heavy"] * 3


def test_what_cannot_be_kept_is_told() -> None:
    apart = [Spacing(frozenset({"heavy"}), 1, 2)]
    order = goal_chasing({"light": 1, "heavy": 3}, {"light": [1.0], "heavy": [3.0]}, spacing=apart)
    assert order == ["heavy", "light", "heavy", "heavy"]
    assert broken(order, apart) == [3]


@fixed
@given(most=st.integers(1, 3), within=st.integers(2, 5), places=st.integers(0, 40), before=st.lists(st.booleans()))
def test_how_many_have_room(most: int, within: int, places: int, before: list[bool]) -> None:
    assume(most < within)
    rule = Spacing(frozenset({"heavy"}), most, within)
    line = ["heavy" if each else "light" for each in before]
    known, seats = list(line), 0
    for _ in range(places):
        heavy = not rule.full(known)
        known.append("heavy" if heavy else "light")
        seats += heavy
    assert rule.fits(line, seats, places)
    assert not rule.fits(line, seats + 1, places)


def test_a_year_of_many_products_under_several_rules() -> None:
    rng = np.random.default_rng(4)
    remaining = {f"p{i}": int(n) for i, n in enumerate(rng.integers(10, 60, 9))}
    needs = {product: rng.uniform(1, 3, 6).tolist() for product in remaining}
    rules = [
        Spacing(frozenset({"p0", "p1"}), 1, 3),
        Spacing(frozenset({"p2", "p3"}), 2, 5),
        Spacing(frozenset({"p4"}), 1, 4),
    ]
    order = goal_chasing(remaining, needs, spacing=rules)
    assert {product: order.count(product) for product in remaining} == remaining
    assert broken(order, rules) == []


def test_nothing_left() -> None:
    assert goal_chasing({"A": 0}, PARTS) == goal_chasing({}, {}) == due_dates({}) == []
