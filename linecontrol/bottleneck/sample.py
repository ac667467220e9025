"""The units of a record as times for the recursion: what they took, and what came from outside."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linecontrol.bottleneck.replaying import Change, Plan, Replay, Times
from linecontrol.flowline import LineLog, run
from linecontrol.flowline.layout import Layout
from linecontrol.flowline.links import Links
from linecontrol.flowline.log import UNOBSERVED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Sample:
    """The units that passed the whole line, as times for the recursion.

    ``own``, ``waits`` (lengthen a cycle) and ``gaps`` (delay its start) are [unit, station]; of ``seen_waits`` and
    ``seen_gaps`` a cause is known or at least that there was one: what nobody saw is not in them. ``left`` units left
    the line, ``before`` of them were in it when the record begins, ``after`` others when it ends.
    """

    def __init__(self, links: Links, plan: Plan) -> None:
        log = links.log
        layout = log.layout
        shape = (len(log.units), layout.stations)
        own, waits, gaps, unseen = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros((2, *shape))
        recorded = Replay(links, (), plan)
        for station, its in enumerate(log.passages):
            for number, passage in enumerate(its):
                if passage.complete is None or passage.own is None:
                    continue
                before, after = recorded.outside((station, number))
                own[passage.unit, station] += passage.own
                waits[passage.unit, station] += passage.complete - passage.start - passage.own + after
                gaps[passage.unit, station] += before
                unseen[0, passage.unit, station] += passage.waits.get(UNOBSERVED, 0.0)
                unseen[1, passage.unit, station] += min(passage.before.get(UNOBSERVED, 0.0), before)
        through = {passage.unit for passage in log.passages[layout.last] if passage.complete is not None}
        entries = [station for station in range(layout.stations) if not layout.before(station)]
        entered = {passage.unit for station in entries for passage in log.passages[station]}
        chosen = sorted(through & entered) or sorted(through)
        self.own, self.waits, self.gaps = own[chosen], waits[chosen], gaps[chosen]
        self.seen_waits = np.maximum(self.waits - unseen[0, chosen], 0.0)
        self.seen_gaps = self.gaps - unseen[1, chosen]
        self.products = [log.products[unit] for unit in chosen]
        self.units = len(chosen)
        began = {each.unit for at in entries for each in log.passages[at] if each.start >= log.begin}
        self.left, self.before = len(through), len(through - began)
        self.after = len({each.unit for its in log.passages for each in its} - through)

    @classmethod
    def of(cls, log: LineLog) -> "Sample":
        """The units of a record."""
        links = Links(log)
        return cls(links, Plan(links, log.layout))

    @property
    def drawn(self) -> int:
        """How many units to draw, so that as many leave a line as full at beginning and end as it was recorded."""
        return self.before + self.left + self.after

    def span(self, drawn: Ints, layout: Layout, changes: Sequence[Change]) -> Floats:
        """How long the line needs until the recorded number of the drawn units [unit, draw] have left it."""
        factor = np.ones(layout.stations)
        for change in changes:
            if isinstance(change, Times):
                factor[change.station] *= change.factor
        times = spread(self.own * factor, drawn)
        waits = spread(self.waits, drawn) if self.waits.any() else None
        gaps = spread(self.gaps, drawn) if self.gaps.any() else None
        leaves = np.maximum.accumulate(run(times, layout, waits=waits, start_waits=gaps).leaves, axis=0)
        return np.asarray(leaves[self.before + self.left - 1] - (leaves[self.before - 1] if self.before else 0.0))

    def mixed(self, weights: dict[str, float], chances: Floats) -> Ints:
        """Units drawn so that the products come in the wanted mix; ``chances`` [unit, draw, 2] are in [0, 1).

        Raises:
            ValueError: a product that the record doesn't know, or no weight above 0.
        """
        total = sum(weights.values())
        if total <= 0 or min(weights.values()) < 0:
            msg = f"model mix {weights}: weights must not be negative, and one must be above 0"
            raise ValueError(msg)
        bounds = np.cumsum([weight / total for weight in weights.values()])
        kind = np.minimum(np.searchsorted(bounds, chances[..., 0], side="right"), len(bounds) - 1)
        drawn = np.zeros(kind.shape, dtype=np.int64)
        for number, product in enumerate(weights):
            its = np.flatnonzero([each == product for each in self.products])
            here = kind == number
            if not here.any():
                continue
            if not len(its):
                known = ", ".join(sorted({each for each in self.products if each is not None})) or "none"
                msg = f"model mix: no unit of product {product!r} went through the line; recorded products: {known}"
                raise ValueError(msg)
            drawn[here] = its[(chances[..., 1][here] * len(its)).astype(np.int64)]
        return drawn

    def recorded_mix(self) -> dict[str, float]:
        """How many units of each product were built."""
        counts: dict[str, float] = {}
        for product in self.products:
            if product is not None:
                counts[product] = counts.get(product, 0.0) + 1.0
        return counts


def blocks(rng: np.random.Generator, units: int, drawn: int, draws: int) -> Ints:
    """So many ``drawn`` of the units [unit, draw] in blocks that followed each other, about their cube root long."""
    length = max(1, round(units ** (1 / 3)))
    count = -(-drawn // length)
    first = rng.integers(0, units, size=(count, 1, draws))
    chosen = (first + np.arange(length)[None, :, None]) % units
    return np.asarray(chosen.reshape(count * length, draws)[:drawn])


def spread(table: Floats, drawn: Ints) -> Floats:
    """The drawn units' rows of a table [unit, station] as [unit, station, draw]."""
    return np.ascontiguousarray(table[drawn].transpose(0, 2, 1))
