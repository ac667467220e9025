"""What would have helped: the record replayed with something changed.

A share of the critical path tells what a small change yields; for one of 10 % the replay counts, because the next
station takes over. What came from outside (waits, gaps before a start, transport) stays as long as it was.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.bottleneck.replaying import Change, Mix, Places, Plan, Replay, Times, Workplaces, changed
from linecontrol.bottleneck.sample import Sample, blocks
from linecontrol.flowline import LineLog
from linecontrol.flowline.links import Links

__all__ = ["Change", "Gain", "Mix", "Places", "Times", "Workplaces", "changed", "gain", "gains", "replay"]

LOW, HIGH = 0.1, 0.9
"""The quantiles between which a gain is said to lie."""

Floats = NDArray[np.float64]


class Gain(Struct, frozen=True):
    """More units in the same time, relative: 0.02 is 2 %. 80 % of resampled records say ``low`` to ``high``."""

    likely: float
    low: float
    high: float


def replay(log: LineLog, changes: Sequence[Change]) -> LineLog:
    """The record as it would have been: exact, each station's units in their recorded order.

    Whoever freed a place or a workplace frees it again, when the changed times let it; where workplaces change, the
    one that is free first is taken. Without a change all times come out as they were, to the last bit (departures
    that were not recorded as ``departures`` fills them in).

    Raises:
        ValueError: a ``Mix`` among the changes: other units are no replay, ask ``gain``.
    """
    if any(isinstance(change, Mix) for change in changes):
        msg = "a model mix can't be replayed: other units were built; ask gain() for it"
        raise ValueError(msg)
    links = Links(log)
    return Replay(links, changes, Plan(links, changed(log.layout, changes))).log()


def gain(log: LineLog, change: Change | Sequence[Change], *, seed: int, draws: int = 200) -> Gain:
    """What a change, or several at once, would have gained over the whole record."""
    return gains(log, [change], seed=seed, draws=draws)[0]


def gains(log: LineLog, changes: Sequence[Change | Sequence[Change]], *, seed: int, draws: int = 200) -> list[Gain]:
    """What each of the changes alone would have gained.

    ``likely`` is the exact replay; ``low`` and ``high`` come from ``draws`` records resampled in blocks of units that
    followed each other, the same for all changes. For a ``Mix`` units of the wanted products are drawn, and
    ``likely`` is the median.
    """
    asked = [[change] if isinstance(change, Times | Workplaces | Places | Mix) else list(change) for change in changes]
    links = Links(log)
    plan = Plan(links, log.layout)
    sample = Sample(links, plan)
    if not sample.units:
        return [Gain(0.0, 0.0, 0.0) for _ in asked]
    rng = np.random.default_rng(seed)
    drawn_units = blocks(rng, sample.units, sample.drawn, draws)
    chances = rng.random((*drawn_units.shape, 2))
    found = []
    before: dict[bool, Floats] = {}
    for its in asked:
        mix = next((change for change in its if isinstance(change, Mix)), None)
        if (mix is None) not in before:
            drawn = drawn_units if mix is None else sample.mixed(sample.recorded_mix(), chances)
            before[mix is None] = sample.span(drawn, log.layout, ())
        drawn = drawn_units if mix is None else sample.mixed(mix.weights, chances)
        layout = changed(log.layout, its)
        span = sample.span(drawn, layout, its)
        ratios = np.divide(before[mix is None], span, out=np.ones_like(span), where=span > 0) - 1.0
        low, middle, high = (float(each) for each in np.quantile(ratios, (LOW, 0.5, HIGH)))
        likely = middle
        if mix is None:
            likely = Replay(links, its, plan if layout == log.layout else Plan(links, layout)).gain()
        found.append(Gain(likely, min(low, likely), max(high, likely)))
    return found
