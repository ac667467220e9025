"""The load check: a target that asks more hours of a station than are left will certainly be missed."""

import numpy as np
from numpy.typing import NDArray

from linecontrol.flowline import Stage
from linecontrol.flowline.learn import Posterior
from linecontrol.flowline.live import Live
from linecontrol.target.future import mix_of
from linecontrol.target.prospect import Goal, Prospect

_SURE = 0.02


def hours_needed(
    goal: Goal, prospect: Prospect, posterior: Posterior, state: Live, ratios: NDArray[np.float64]
) -> tuple[float, int]:
    """Working time that the most loaded station needs at the least, with 98 %, and which one that is.

    For all targets that end no later than ``goal``; units in the line need what they have still before them. Running
    cycles count as over, a target without a product in the mix as nothing.
    """
    servers = np.array(prospect.log.layout.servers)
    load = np.zeros(len(servers))
    mix = mix_of(prospect)
    for each in prospect.goals:
        if each.end > goal.end:
            continue
        rows = [
            row
            for row, unit in enumerate(state.units)
            if not each.products or prospect.log.products[unit] in each.products
        ][: each.left]
        its = [prospect.log.products[state.units[row]] for row in rows]
        ahead = (state.stage[rows] == Stage.AHEAD).reshape(len(rows), len(servers))
        load += (posterior.standards.table(its) * ahead).sum(axis=0)
        shares = {name: share for name, share in mix.items() if not each.products or name in each.products}
        if shares:
            mean = np.array(list(shares.values())) @ posterior.standards.table(list(shares)) / sum(shares.values())
            load += (each.left - len(rows)) * mean
    least = load / servers * np.quantile(ratios, _SURE, axis=1)
    return float(least.max()), int(least.argmax())
