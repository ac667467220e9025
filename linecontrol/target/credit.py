"""Which units count for what: targets by product, commitments in order of their due dates."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.target.prospect import Pledge

Floats = NDArray[np.float64]
Ints = NDArray[np.int16]
Bools = NDArray[np.bool_]


class Output(Struct, frozen=True):
    """Units as they leave the line: when, ascending [unit, replication], and their product's number in ``names``."""

    leaves: Floats
    products: Ints
    names: list[str]

    def of(self, products: frozenset[str]) -> Bools:
        """Which units are of some products (all if empty) [unit, replication]."""
        if not products:
            return np.ones(self.products.shape, dtype=bool)
        return np.asarray(np.array([name in products for name in self.names])[self.products])

    def count(self, products: frozenset[str], until: float) -> NDArray[np.int_]:
        """How many units of some products have left until then [replication]."""
        return np.asarray((self.of(products) & (self.leaves <= until)).sum(axis=0))


def nth(leaves: Floats, counted: Bools, units: int) -> Floats:
    """When the ``units``-th of the counted ones leaves [replication]; infinite if there are not so many."""
    reached = np.cumsum(counted, axis=0) >= units
    first = reached.argmax(axis=0)
    lanes = np.arange(leaves.shape[1])
    return np.where(reached[first, lanes], leaves[first, lanes], np.inf)


def served(output: Output, pledges: Sequence[Pledge]) -> dict[str, Floats]:
    """When each commitment's last unit leaves [replication]; infinite if it does not.

    A unit counts for the earliest due of the open commitments that have begun and ask for its product (then by name).
    """
    free = np.isfinite(output.leaves)
    found: dict[str, Floats] = {}
    for pledge in sorted(pledges, key=lambda each: (each.due, each.name)):
        if pledge.left <= 0:
            continue
        fits = free & output.of(pledge.products) & (output.leaves >= pledge.start)
        found[pledge.name] = nth(output.leaves, fits, pledge.left)
        free &= ~(fits & (np.cumsum(fits, axis=0) <= pledge.left))
    return found
