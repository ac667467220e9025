"""What to start next on a line: what is due first, levelled over the stations, and only with its kit there."""

from collections.abc import Mapping, Sequence
from math import floor

from msgspec import Struct

from linecontrol.target.sequence import Spacing, goal_chasing

HORIZON = 4
"""So many times the units that are proposed are levelled together."""


class Order(Struct, frozen=True):
    """``units`` that are still to be started for something that people call ``title``.

    ``shares`` weigh the products that count for it.
    """

    title: str
    units: int
    shares: Mapping[str, float]


class Proposal(Struct, frozen=True):
    """The products to start next, in order, and for which order the first of them is."""

    products: list[str]
    order: str


def propose(
    orders: Sequence[Order],
    stock: Mapping[str, int | None],
    needs: Mapping[str, Sequence[float]],
    ahead: int,
    *,
    history: Sequence[str] = (),
    spacing: Sequence[Spacing] = (),
) -> Proposal:
    """The next ``ahead`` products for ``orders``, the one that is due first in front.

    ``stock[product]`` are units for which there are kits (``None``: it takes none), ``needs[product]`` the hours of
    each station. ``history`` are the products started last. Empty where nothing is due or no kit is there.
    """
    room = ahead * HORIZON
    left = {product: HORIZON * room if number is None else number for product, number in stock.items()}
    wanted: dict[str, int] = {}
    first = ""
    for order in orders:
        for product, number in _split(order, room, left).items():
            if number:
                first = first or order.title
                wanted[product] = wanted.get(product, 0) + number
                left[product] -= number
                room -= number
        if room <= 0:
            break
    if not wanted:
        return Proposal([], "")
    ordered = {product: wanted[product] for product in stock if product in wanted}
    products = goal_chasing(ordered, needs, history=history, spacing=spacing)
    return Proposal(products[:ahead], first)


def _split(order: Order, room: int, left: Mapping[str, int]) -> dict[str, int]:
    """How many of each product an order takes of ``room``: by its shares (largest remainders), within the kits left."""
    units = min(order.units, room)
    shares = {product: share for product, share in order.shares.items() if left.get(product, 0) > 0}
    total = sum(shares.values())
    if units <= 0 or total <= 0:
        return {}
    exact = {product: units * share / total for product, share in shares.items()}
    taken = {product: floor(number) for product, number in exact.items()}
    by_rest = sorted(exact, key=lambda product: taken[product] - exact[product])
    for product in by_rest[: units - sum(taken.values())]:
        taken[product] += 1
    taken = {product: min(number, left[product]) for product, number in taken.items()}
    for product in shares:
        more = min(units - sum(taken.values()), left[product] - taken[product])
        taken[product] += more
    return taken
