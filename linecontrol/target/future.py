"""Futures of a line: its units go on from where they are, with times as they may be, replication by replication."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline import Stage, leaves
from linecontrol.flowline.learn import Posterior
from linecontrol.flowline.live import Live
from linecontrol.target.credit import Ints, Output
from linecontrol.target.hindsight import Past
from linecontrol.target.lost import Hours
from linecontrol.target.prospect import Prospect
from linecontrol.target.supply import overtaking, released

Floats = NDArray[np.float64]

_SPARE = 1.05
_GROWTH = 1.4
MOST_UNITS = 20_000
"""More units than this to come are beyond a forecast unit by unit."""
_TOLERATED = 0.005
"""Part of the replications in which the units drawn may be used up before the end."""


class TooManyUnits(ValueError):
    """A line makes so many units till the end of the forecast that they can't be simulated one by one."""

    def __init__(self, units: int) -> None:
        """``units`` are to come."""
        super().__init__(f"about {units:,} units are to come; {MOST_UNITS:,} can be forecast one by one")


class Future(Struct, frozen=True):
    """What came out. ``starved`` tells by kit when a unit first waits for it [replication]; infinite: never."""

    output: Output
    starved: dict[str, Floats]


class Simulator:
    """Draws futures of a line; ``ratios`` [station, replication], ``hours`` and ``curve`` of practice are drawn."""

    def __init__(
        self,
        prospect: Prospect,
        posterior: Posterior,
        state: Live,
        ratios: Floats,
        hours: Hours,
        curve: NDArray[np.intp],
        past: Past,
    ) -> None:
        self._prospect, self._posterior, self._state, self._curve = prospect, posterior, state, curve
        self._ratios, self._hours, self._past = ratios, hours, past
        self._now = prospect.log.end
        mix = mix_of(prospect)
        within = [prospect.log.products[unit] or "" for unit in state.units]
        self.names = list(dict.fromkeys([*mix, *prospect.sequence, *within]))
        self._shares = np.array([mix.get(name, 0.0) for name in self.names]) / sum(mix.values())
        self._within = np.array([self.names.index(name) for name in within], dtype=np.int16)
        self._table = posterior.standards.table(self.names)

    @property
    def takt(self) -> float:
        """Time per unit at the least: what the most loaded station needs for the mean unit to come."""
        load = self._shares @ self._table * self._posterior.ratios / np.array(self._prospect.log.layout.servers)
        return float(load.max())

    def run(self, rng: np.random.Generator, until: float, least: int = 0) -> Future:
        """All units that leave until the working time ``until``, and ``least`` new ones if the days are enough.

        Raises:
            TooManyUnits: they are too many.
        """
        inside = len(self._within)
        end = self._hours.at(np.array([until]))[0]
        coming = max(self._fit(until), min(least, self._fit(float(self._hours.edges[-1]))))
        started = -1
        while True:
            if coming > MOST_UNITS:
                raise TooManyUnits(coming)
            products = self._products(rng, coming)
            release, order = self._release(products[inside:])
            products[inside:] = np.take_along_axis(products[inside:], order, axis=0)
            productive = self._leaves(rng, products, release)
            productive /= self._past.pace(rng, productive)
            finite = np.isfinite(productive)
            used_up = np.mean(np.where(finite, productive, 0.0).max(axis=0, initial=0.0) < end)
            if used_up <= _TOLERATED or finite.sum() == started:
                break
            coming, started = int(coming * _GROWTH) + 1, finite.sum()
        working = self._hours.working(productive)
        starved = self._starved(products, release, working)
        order = np.argsort(working, axis=0, kind="stable")
        leaving = Output(
            np.take_along_axis(working, order, axis=0), np.take_along_axis(products, order, axis=0), self.names
        )
        return Future(leaving, starved)

    def _fit(self, until: float) -> int:
        """How many units are surely enough until then, as far as can be told without simulating."""
        return int(_SPARE * max(until - self._now, 0.0) / self.takt) + 10

    def _products(self, rng: np.random.Generator, coming: int) -> Ints:
        """Numbers of the products [unit, replication]; a unit in the line that tells none is of any."""
        replications = self._ratios.shape[1]
        known = [self.names.index(name) for name in self._prospect.sequence[:coming]]
        first = np.concatenate([self._within, np.array(known, dtype=np.int16)])
        out = np.empty((len(self._within) + coming, replications), dtype=np.int16)
        out[: len(first)] = first[:, None]
        reached = np.cumsum(self._shares)
        reached[np.flatnonzero(self._shares)[-1] :] = 1.0
        out[len(first) :] = np.searchsorted(reached, rng.random((len(out) - len(first), replications)))
        if "" in self.names and self._shares[self.names.index("")] == 0:
            unknown = out == self.names.index("")
            out[unknown] = np.searchsorted(reached, rng.random(int(unknown.sum())))
        return out

    def _release(self, coming: Ints) -> tuple[Floats, NDArray[np.intp]]:
        """From when on units may start [unit, replication] in productive time, and their order before."""
        if not self._prospect.supplies:
            return np.zeros((len(coming), 1)), np.broadcast_to(np.arange(len(coming))[:, None], coming.shape)
        working = released(coming, self.names, self._prospect.supplies, self._now)
        order = overtaking(working, self.takt, self._now)
        times, number = np.unique(np.take_along_axis(working, order, axis=0), return_inverse=True)
        lanes = np.arange(coming.shape[1])
        return self._hours.at(times)[number.reshape(coming.shape), lanes], order

    def _leaves(self, rng: np.random.Generator, products: Ints, release: Floats) -> Floats:
        """When units leave, in productive time [unit, replication]."""
        inside = len(self._within)
        stage = self._state.stage if inside else None
        held = np.concatenate([np.zeros((inside, release.shape[1])), release])
        units, replications = products.shape
        times = self._times(rng, products)
        return leaves(times, self._prospect.log.layout, units, replications, release=held, stage=stage)

    def _times(self, rng: np.random.Generator, products: Ints) -> Iterator[Floats]:
        """Each unit's times [station, replication], those in the line first."""
        replications = products.shape[1]
        running = {(each.row, each.station): each.elapsed for each in self._state.running}
        practice = self._posterior.practice
        excess = practice.excess(self._curve, self._posterior.age)
        fade = np.exp(-1 / practice.units[self._curve])
        for unit, its in enumerate(products):
            planned = self._table[its].T
            times = self._posterior.residual(rng, replications)
            times *= self._ratios
            times *= planned
            times *= 1 + excess
            if unit < len(self._within):
                excess[self._state.stage[unit] == Stage.AHEAD] *= fade
            else:
                excess *= fade
            if unit < len(self._within):
                for at in np.flatnonzero(self._state.stage[unit] == Stage.STARTED).tolist():
                    elapsed = running.get((unit, at))
                    times[at] = 0.0
                    if elapsed is not None:
                        times[at] = self._posterior.left(
                            rng, self._ratios[at] * (1 + excess[at]), planned[at], at, elapsed
                        )
            yield times

    def _starved(self, products: Ints, release: Floats, working: Floats) -> dict[str, Floats]:
        """When a unit first waits for its kit: it is not there when the line has room for the unit.

        A unit finds room when the one so many before it leaves as are in the line now.
        """
        inside = max(len(self._within), 1)
        coming = products[len(self._within) :]
        room = np.full(coming.shape, self._now)
        ahead = working[: max(len(working) - inside, 0)]
        late = len(coming) - len(ahead)
        room[late:] = ahead
        found: dict[str, Floats] = {}
        for supply in self._prospect.supplies:
            takes = np.array([name in supply.products for name in self.names])[coming]
            there = self._hours.working(np.broadcast_to(release, coming.shape))
            waits = takes & (there > room)
            found[supply.name] = np.where(waits, room, np.inf).min(axis=0, initial=np.inf)
        return found


def mix_of(prospect: Prospect) -> dict[str, float]:
    """Weights of the products of the units to come: as told, else as in the log, else as planned."""
    if prospect.mix:
        return prospect.mix
    counts: dict[str, float] = {}
    for product in prospect.log.products:
        counts[product or ""] = counts.get(product or "", 0.0) + 1.0
    return counts or dict.fromkeys(prospect.log.planned[0], 1.0) or {"": 1.0}
