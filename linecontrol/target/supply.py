"""No kit, no build: from when on each coming unit can be started."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linecontrol.target.prospect import Goal, Supply

Floats = NDArray[np.float64]
Ints = NDArray[np.int16]


def available(supply: Supply, units: int, now: float) -> Floats:
    """When the first, second, ... kit is there [unit]; infinite for those that nobody announced."""
    times = [now] * max(supply.stock, 0)
    owed = max(-supply.stock, 0)
    for when, count in sorted(supply.arrivals):
        here = max(count - owed, 0)
        owed -= count - here
        times += [max(when, now)] * here
    times = times[:units]
    return np.array(times + [np.inf] * (units - len(times)))


def released(products: Ints, names: list[str], supplies: Sequence[Supply], now: float) -> Floats:
    """From when on each unit has its kits [unit, replication], one after the other in the order of ``products``."""
    out = np.full(products.shape, now)
    for supply in supplies:
        takes = np.array([name in supply.products for name in names])[products]
        times = available(supply, len(products), now)
        number = np.maximum(np.cumsum(takes, axis=0) - 1, 0)
        np.maximum(out, np.where(takes, times[number], now), out=out)
    return out


def overtaking(release: Floats, takt: float, now: float) -> NDArray[np.intp]:
    """The order in which units start [unit, replication] if those with kits overtake those that wait for theirs.

    ``takt`` is how fast units start; without a kit missing, the order stays.
    """
    wanted = now + takt * np.arange(len(release))
    return np.argsort(np.maximum(release, wanted[:, None]), axis=0, kind="stable")


def limit(goal: Goal, supplies: Sequence[Supply], names: Sequence[str], within: int) -> int | None:
    """How many units of a target kits allow: done, ``within`` the line, in stock, announced until its end.

    ``None`` if there are products without a kit. Kits that other targets need as well are counted for each.
    """
    wanted = goal.products or frozenset(names)
    kits = [supply for supply in supplies if supply.products & wanted]
    if not kits or wanted - frozenset[str]().union(*(supply.products for supply in kits)):
        return None
    coming = sum(count for supply in kits for when, count in supply.arrivals if when < goal.end)
    return goal.done + within + max(sum(supply.stock for supply in kits) + coming, 0)
