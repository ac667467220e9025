"""What to start next: due first, levelled, within the kits and the rules of the sequence."""

from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.target.release import Order, propose
from linecontrol.target.sequence import Spacing

NEEDS = {"light": [2.0, 2.0], "heavy": [3.0, 2.5]}
MIX = {"light": 3.0, "heavy": 1.0}


def test_what_is_due_first_comes_first() -> None:
    orders = [Order("Turkey", 3, {"heavy": 1.0}), Order("the year", 100, {"light": 1.0})]
    proposal = propose(orders, {"light": None, "heavy": None}, NEEDS, 2)
    assert proposal.order == "Turkey"
    assert "heavy" in propose(orders, {"light": None, "heavy": None}, NEEDS, 8).products


def test_the_mix_is_levelled() -> None:
    proposal = propose([Order("the year", 400, MIX)], {"light": None, "heavy": None}, NEEDS, 8)
    assert proposal.products.count("heavy") == 2
    assert "heavy heavy" not in " ".join(proposal.products)


def test_without_a_kit_nothing_of_it_is_started() -> None:
    orders = [Order("the year", 400, MIX)]
    assert propose(orders, {"light": 10, "heavy": 0}, NEEDS, 4).products == ["light"] * 4
    assert propose(orders, {"light": 0, "heavy": 0}, NEEDS, 4).products == []
    assert propose(orders, {"light": 1, "heavy": 1}, NEEDS, 4).products.count("heavy") == 1


def test_a_rule_of_the_sequence_is_kept() -> None:
    rule = Spacing(frozenset({"heavy"}), 1, 3)
    orders = [Order("the year", 400, {"light": 1.0, "heavy": 1.0})]
    found = propose(
        orders, {"light": None, "heavy": None}, NEEDS, 6, history=["light", "heavy"], spacing=[rule]
    ).products
    line = ["light", "heavy", *found]
    assert all(line[place : place + 3].count("heavy") <= 1 for place in range(len(line) - 2))


def test_nothing_is_due() -> None:
    assert propose([], {"light": None}, NEEDS, 4).products == []


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(
    units=st.lists(st.integers(0, 30), min_size=1, max_size=3),
    kits=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    ahead=st.integers(1, 10),
)
def test_never_more_than_is_ordered_or_than_there_are_kits(units: list[int], kits: tuple[int, int], ahead: int) -> None:
    orders = [Order(str(number), each, MIX) for number, each in enumerate(units)]
    products = propose(orders, dict(zip(NEEDS, kits, strict=True)), NEEDS, ahead).products
    assert len(products) == min(ahead, sum(units), sum(kits))
    assert all(products.count(name) <= number for name, number in zip(NEEDS, kits, strict=True))
