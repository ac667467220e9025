"""Throughput of simple lines by formula, independent of the recursion."""

from collections.abc import Sequence
from math import exp


def bernoulli_share(p1: float, p2: float, places: float) -> float:
    """Q: the part of slots in which the buffer between two Bernoulli machines is empty, per ``p2``."""
    if p1 == p2:
        return (1 - p1) / (places + 1 - p1)
    alpha = p1 * (1 - p2) / (p2 * (1 - p1))
    return float((1 - p1) * (1 - alpha) / (1 - p1 / p2 * alpha**places))


def bernoulli_two(p1: float, p2: float, places: float) -> float:
    """Units per slot of two Bernoulli machines."""
    return p2 * (1 - bernoulli_share(p1, p2, places))


class Aggregation:
    """A Bernoulli line by aggregation, forward and backward in turn until nothing changes."""

    def __init__(self, p: Sequence[float], places: Sequence[float]) -> None:
        count = len(p)
        forward, backward = list(p), list(p)
        change = 1.0
        while change > 1e-14:
            before = forward[-1]
            for i in range(count - 2, -1, -1):
                backward[i] = p[i] * (1 - bernoulli_share(backward[i + 1], forward[i], places[i]))
            for i in range(1, count):
                forward[i] = p[i] * (1 - bernoulli_share(forward[i - 1], backward[i], places[i - 1]))
            change = abs(forward[-1] - before)
        self.throughput = forward[-1]
        self.starved = [0.0]
        self.starved += [p[i] * bernoulli_share(forward[i - 1], backward[i], places[i - 1]) for i in range(1, count)]
        self.blocked = [p[i] * bernoulli_share(backward[i + 1], forward[i], places[i]) for i in range(count - 1)]
        self.blocked.append(0.0)


def fluid_share(l1: float, m1: float, l2: float, m2: float, buffer: float) -> float:
    """Q of two exponential machines (failure rates l, repair rates m) of speed 1 with a fluid buffer between them."""
    e1, e2 = m1 / (l1 + m1), m2 / (l2 + m2)
    total = l1 + l2 + m1 + m2
    if abs(l1 / m1 - l2 / m2) < 1e-12:
        both = (l1 + l2) * (m1 + m2)
        return l1 * both / ((l1 + m1) * (both + l2 * m1 * total * buffer))
    phi = e1 * (1 - e2) / (e2 * (1 - e1))
    beta = total * (l1 * m2 - l2 * m1) / ((l1 + l2) * (m1 + m2))
    return (1 - e1) * (1 - phi) / (1 - phi * exp(-beta * buffer))


def fluid_two(l1: float, m1: float, l2: float, m2: float, buffer: float) -> float:
    """Units per time of the same."""
    return m2 / (l2 + m2) * (1 - fluid_share(l1, m1, l2, m2, buffer))


def exponential_two(tau: Sequence[float], places: int) -> float:
    """Units per time of two exponential stations that block after service."""
    rho, capacity = tau[1] / tau[0], places + 2
    if rho == 1:
        return capacity / (capacity + 1) / tau[0]
    return (1 - (1 - rho) / (1 - rho ** (capacity + 1))) / tau[1]


def closed_loop(tau: Sequence[float], units: int) -> float:
    """Units per time of exponential stations in a loop with so many units: mean value analysis."""
    length = [0.0] * len(tau)
    throughput = 0.0
    for w in range(1, units + 1):
        waits = [t * (1 + queue) for t, queue in zip(tau, length, strict=True)]
        throughput = w / sum(waits)
        length = [throughput * wait for wait in waits]
    return throughput
