"""Lines that no `Layout` describes, piece by piece: the same recursion with their own rules. Many lanes at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def bernoulli_pace(p: Sequence[float], places: Sequence[int], units: int, lanes: int, seed: int) -> float:
    """Units per slot of Bernoulli machines, which block before service.

    ``D_i(j) = max(D_{i-1}(j), D_i(j-1), D_{i+1}(j-N_i) - 1) + Geometric(p_i)``: a machine works in the slot in which
    the place behind it is freed.
    """
    rng = np.random.default_rng(seed)
    left = np.zeros((units, len(p), lanes))
    for j in range(units):
        for i in range(len(p)):
            start = np.zeros(lanes)
            if i:
                np.maximum(start, left[j, i - 1], out=start)
            if j:
                np.maximum(start, left[j - 1, i], out=start)
            if i < len(places) and j >= places[i]:
                np.maximum(start, left[j - places[i], i + 1] - 1, out=start)
            left[j, i] = start + rng.geometric(p[i], lanes)
    return _pace(left[:, -1])


def fluid_pace(rates: Sequence[tuple[float, float]], buffer: float, units: int, lanes: int, seed: int) -> float:
    """Volume per time of two machines of speed 1 that fail whether they work or not, in pieces of a quarter."""
    rng = np.random.default_rng(seed)
    piece, room = 0.25, round(buffer / 0.25)
    machines = [_Machine(failure, repair, lanes, rng) for failure, repair in rates]
    first, second = np.zeros((units, lanes)), np.zeros((units, lanes))
    for j in range(units):
        first[j] = machines[0].finish(first[j - 1] if j else np.zeros(lanes), piece)
        if j >= room:
            first[j] = np.maximum(first[j], second[j - room])
        second[j] = machines[1].finish(np.maximum(first[j], second[j - 1]) if j else first[j], piece)
    return piece * _pace(second)


def _pace(leaves: Floats) -> float:
    warm = len(leaves) // 10
    return float((len(leaves) - 1 - warm) / (leaves[-1] - leaves[warm]).mean())


class _Machine:
    def __init__(self, failure: float, repair: float, lanes: int, rng: np.random.Generator) -> None:
        self.means = np.array([1 / repair, 1 / failure])
        self.up = rng.random(lanes) < repair / (failure + repair)
        self.until = rng.exponential(self.means[self.up.astype(int)])
        self.rng = rng

    def finish(self, start: Floats, work: float) -> Floats:
        """When so much work is done that begins then."""
        now, left = start.copy(), np.full(start.shape, work)
        while (pending := left > 1e-12).any():
            over = pending & (self.until <= now)
            self.up ^= over
            self.until += np.where(over, self.rng.exponential(self.means[self.up.astype(int)]), 0.0)
            most = np.where(self.up, np.minimum(left, self.until - now), self.until - now)
            step = np.where(pending & ~over & (self.until > now), most, 0.0)
            now += step
            left -= np.where(self.up, step, 0.0)
        return now
