"""Planned times of a line's stations, and what stands in for them where there are none."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline.log import LineLog, Passage
from linecontrol.flowline.path import OWN_STATES

_SHRINKAGE = 3.0
"""A product's mean at a station weighs as much as the station's own mean after so many cycles."""


def own_time(passage: Passage) -> float | None:
    """What the station needed by its own doing, its own stops before the start included; ``None`` if not measured."""
    own = passage.measured
    if own is None:
        return None
    return own + sum(seconds for cause, seconds in passage.before.items() if cause in OWN_STATES)


class Standards(Struct, frozen=True):
    """``by_product[i]`` are the times at station ``i``, ``usual[i]`` that of a product that is not known there.

    ``planned[i]`` tells whether they are a plan: if not, they are means of what was measured (or if nothing was, of
    the other stations).
    """

    by_product: list[dict[str, float]]
    usual: list[float]
    planned: NDArray[np.bool_]

    def of(self, station: int, product: str | None) -> float:
        """The time of a product at a station."""
        return self.by_product[station].get(product or "", self.usual[station])

    def table(self, products: Sequence[str | None]) -> NDArray[np.float64]:
        """The times of some products [product, station]."""
        stations = range(len(self.usual))
        return np.array([[self.of(i, product) for i in stations] for product in products]).reshape(-1, len(stations))


def standards(log: LineLog) -> Standards:
    """Planned times where the log has them, else means by product, drawn towards the station's mean.

    Raises:
        ValueError: there is neither a plan nor a completed cycle at any station.
    """
    by_product: list[dict[str, float]] = []
    usual: list[float | None] = []
    for station, passages in enumerate(log.passages):
        plan = {product: time for product, time in log.planned[station].items() if time > 0}
        if plan:
            known = [plan[product] for each in passages if (product := log.products[each.unit] or "") in plan]
            by_product.append(plan)
            usual.append(float(np.mean(known or list(plan.values()))))
        else:
            times = _measured(log, passages)
            total = [time for its in times.values() for time in its]
            mean = float(np.mean(total)) if total else None
            usual.append(mean)
            by_product.append({} if mean is None else {name: _shrunk(its, mean) for name, its in times.items()})
    others = [each for each in usual if each]
    if not others:
        raise ValueError("neither a planned time nor a completed cycle at any station: nothing can be learnt")
    filled = [each or float(np.mean(others)) for each in usual]
    return Standards(by_product, filled, np.array([any(time > 0 for time in its.values()) for its in log.planned]))


def _measured(log: LineLog, passages: list[Passage]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}
    for passage in passages:
        own = own_time(passage)
        if own is not None and own > 0:
            times.setdefault(log.products[passage.unit] or "", []).append(own)
    return times


def _shrunk(times: list[float], mean: float) -> float:
    return (sum(times) + _SHRINKAGE * mean) / (len(times) + _SHRINKAGE)
