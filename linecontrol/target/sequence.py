"""In which order to start what is left to build, so that every station's work comes evenly.

Goal chasing (Monden 1983): the next product is the one that brings what has been used of every part nearest to an even
use. Parts may be hours at stations: then it is the work that comes evenly. Spacing rules ("at most 1 of the heavy ones
in any 3") come first.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]
T = TypeVar("T")

_SAME = 9
"""Decimals in which distances must differ, as parts of the largest, not to be a tie."""
_TRIES = 20_000
"""Steps after which no sequence is looked for any more that keeps all spacing rules."""


class Spacing(Struct, frozen=True):
    """At most ``most`` of these ``products`` among any ``within`` units in a row."""

    products: frozenset[str]
    most: int
    within: int

    def full(self, before: Sequence[str]) -> bool:
        """Whether none of them may come right after the units ``before``."""
        return sum(product in self.products for product in _last(before, self.within - 1)) >= self.most

    def fits(self, before: Sequence[str], wanted: int, places: int) -> bool:
        """Whether ``wanted`` of them have room among the next ``places`` units: by this rule alone.

        Each comes as soon as it may; after at the most ``within`` units that repeats itself.
        """
        taken = [product in self.products for product in _last(before, self.within - 1)]
        known = len(taken)
        for _ in range(min(places, 2 * self.within)):
            taken.append(sum(_last(taken, self.within - 1)) < self.most)
        periods, rest = divmod(max(places - 2 * self.within, 0), self.within)
        period = taken[-self.within :]
        return wanted <= sum(taken[known:]) + periods * sum(period) + sum(period[:rest])


def goal_chasing(
    remaining: Mapping[str, int],
    needs: Mapping[str, Sequence[float]],
    *,
    history: Sequence[str] = (),
    spacing: Sequence[Spacing] = (),
) -> list[str]:
    """All that remains to be built, in the order in which to start it.

    Goal chasing I, of ties the product named first in ``remaining``; ``needs[product]`` is what a unit needs of each
    part. ``history`` are the units started last: their use counts, and the spacing rules look back on them. The rules
    are kept wherever that is possible; where it is not (`broken` tells), as far as each next unit allows.
    """
    if not any(remaining.values()):
        return []
    search = _Search(remaining, needs, history, spacing)
    return search.strict() or search.lenient()


def due_dates(remaining: Mapping[str, int]) -> list[str]:
    """By due dates (Inman & Bulfin 1991): unit c of q is due at (c - 1/2) Q / q. Looks at no parts and no rules."""
    total = sum(remaining.values())
    due = [
        ((2 * unit - 1) * total / (2 * units), place, product)
        for place, (product, units) in enumerate(remaining.items())
        for unit in range(1, units + 1)
    ]
    return [product for _, _, product in sorted(due)]


def unevenness(sequence: Sequence[str]) -> float:
    """How far the products are from coming evenly: sum of (units so far - k q / Q) squared; 0 is ideal."""
    total = len(sequence)
    uneven = 0.0
    for product in set(sequence):
        share, so_far = sequence.count(product) / total, 0
        for k, started in enumerate(sequence, 1):
            so_far += started == product
            uneven += (so_far - k * share) ** 2
    return uneven


def broken(sequence: Sequence[str], spacing: Sequence[Spacing], *, history: Sequence[str] = ()) -> list[int]:
    """Which units of the sequence (by place, from 0) break a spacing rule."""
    line = [*history, *sequence]
    return [
        place
        for place, product in enumerate(sequence)
        if any(product in rule.products and rule.full(line[: len(history) + place]) for rule in spacing)
    ]


def distances(needs: Floats, used: Floats, ideal: Floats) -> Floats:
    """For each product: how far from the ``ideal`` use [part] one more of it brings what is ``used`` [part].

    ``needs`` [product, part].
    """
    return np.asarray(np.sqrt(((ideal - used - needs) ** 2).sum(axis=1)))


class _Search:
    """The best next product first; back where the rest could no longer keep the rules."""

    def __init__(
        self,
        remaining: Mapping[str, int],
        needs: Mapping[str, Sequence[float]],
        history: Sequence[str],
        spacing: Sequence[Spacing],
    ) -> None:
        self._products = [product for product, units in remaining.items() if units > 0]
        self._counts = np.array([remaining[product] for product in self._products], dtype=int)
        self._needs = np.array([needs[product] for product in self._products], dtype=np.float64)
        self._history, self._spacing = list(history), spacing
        self._reach = max((rule.within - 1 for rule in spacing), default=0)
        known = [np.array(needs[product], dtype=np.float64) for product in history if product in needs]
        self._begun, self._used = len(known), np.sum(known, axis=0) if known else 0.0
        self._rate = (self._used + self._counts @ self._needs) / (self._begun + self._counts.sum())

    def strict(self) -> list[str] | None:
        """A sequence that keeps all rules; ``None`` if there is none, or none was found in so many steps."""
        left, line = self._counts.copy(), list(self._history)
        ways = [self._ways(left, line)]
        dead: set[tuple[bytes, tuple[str, ...]]] = set()
        while left.any():
            index = next(ways[-1], None)
            if index is None:
                ways.pop()
                if not ways or len(dead) == _TRIES:
                    return None
                dead.add((left.tobytes(), tuple(_last(line, self._reach))))
                left[self._products.index(line.pop())] += 1
                continue
            left[index] -= 1
            line.append(self._products[index])
            if (left.tobytes(), tuple(_last(line, self._reach))) in dead:
                left[self._products.index(line.pop())] += 1
            else:
                ways.append(self._ways(left, line))
        return line[len(self._history) :]

    def lenient(self) -> list[str]:
        """A sequence in which each unit breaks as few rules as can be at its place."""
        left, line = self._counts.copy(), list(self._history)
        while left.any():
            index = min(self._ranked(left), key=lambda each: len(self._broken(each, line)))
            left[index] -= 1
            line.append(self._products[index])
        return line[len(self._history) :]

    def _ways(self, left: Ints, line: list[str]) -> Iterator[int]:
        """What may come next and leaves room for the rest, the best first."""
        for index in self._ranked(left):
            if self._broken(index, line):
                continue
            after = [*_last(line, self._reach), self._products[index]]
            rest = {product: int(units) for product, units in zip(self._products, left, strict=True)}
            rest[self._products[index]] -= 1
            places = sum(rest.values())
            if all(
                rule.fits(after, sum(rest[product] for product in rest if product in rule.products), places)
                for rule in self._spacing
            ):
                yield index

    def _broken(self, index: int, line: Sequence[str]) -> list[Spacing]:
        product = self._products[index]
        return [rule for rule in self._spacing if product in rule.products and rule.full(line)]

    def _ranked(self, left: Ints) -> list[int]:
        """Products that are left, the nearest to an even use first."""
        done = self._counts - left
        away = distances(self._needs, self._used + done @ self._needs, (self._begun + done.sum() + 1) * self._rate)
        away = np.round(away / max(away.max(), 1e-300), _SAME)
        return [int(index) for index in np.argsort(away, kind="stable") if left[index]]


def _last(line: Sequence[T], units: int) -> Sequence[T]:
    return line[max(len(line) - units, 0) :]
