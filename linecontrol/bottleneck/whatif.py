"""What would have helped: the record replayed with something changed.

A share of the critical path tells what a small change yields; for one of 10 % the replay counts, because the next
station takes over. What came from outside (waits, gaps before a start, transport) stays as long as it was.
"""

from bisect import insort
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from linecontrol.flowline import LineLog, run
from linecontrol.flowline.layout import Layout
from linecontrol.flowline.links import Links, Node, beats

LOW, HIGH = 0.1, 0.9
"""The quantiles between which a gain is said to lie."""


class Times(Struct, frozen=True, tag=True):
    """All the station's own times, its stops too, multiplied by ``factor``."""

    station: int
    factor: float


class Workplaces(Struct, frozen=True, tag=True):
    """``more`` equal workplaces at the station: another operator, a twin."""

    station: int
    more: int = 1


class Places(Struct, frozen=True, tag=True):
    """``more`` places for units between the station and the following one."""

    station: int
    more: int = 1


class Mix(Struct, frozen=True, tag=True):
    """Another model mix: the products' weights. What isn't named is no longer built."""

    weights: dict[str, float]


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Change = Times | Workplaces | Places | Mix
"""What an engineer may ask about."""


class Gain(Struct, frozen=True):
    """More units in the same time, relative: 0.02 is 2 %. 80 % of resampled records say ``low`` to ``high``."""

    likely: float
    low: float
    high: float


def changed(layout: Layout, changes: Sequence[Change]) -> Layout:
    """The layout with the changes' workplaces and places."""
    servers, places = list(layout.servers), list(layout.places)
    for change in changes:
        if isinstance(change, Workplaces):
            servers[change.station] += change.more
        elif isinstance(change, Places):
            places[change.station] += change.more
    return msgspec.structs.replace(layout, servers=tuple(servers), places=tuple(places))


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
    return _Replay(Links(log), changes).log()


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
    sample = _Sample(links)
    if not sample.units:
        return [Gain(0.0, 0.0, 0.0) for _ in asked]
    rng = np.random.default_rng(seed)
    blocks = _blocks(rng, sample.units, draws)
    chances = rng.random((*blocks.shape, 2))
    found = []
    before: dict[bool, Floats] = {}
    for its in asked:
        mix = next((change for change in its if isinstance(change, Mix)), None)
        if (mix is None) not in before:
            drawn = blocks if mix is None else sample.mixed(sample.recorded_mix(), chances)
            before[mix is None] = sample.span(drawn, log.layout, ())
        drawn = blocks if mix is None else sample.mixed(mix.weights, chances)
        ratios = before[mix is None] / sample.span(drawn, changed(log.layout, its), its) - 1.0
        low, middle, high = (float(each) for each in np.quantile(ratios, (LOW, 0.5, HIGH)))
        likely = middle if mix is not None else _Replay(links, its).gain()
        found.append(Gain(likely, min(low, likely), max(high, likely)))
    return found


class _Replay:
    """The passages' new times, [station][number]."""

    def __init__(self, links: Links, changes: Sequence[Change]) -> None:
        layout = links.log.layout
        self._links = links
        self._old, self._new = layout, changed(layout, changes)
        self._factor = [1.0] * layout.stations
        for change in changes:
            if isinstance(change, Times):
                self._factor[change.station] *= change.factor
        self._resized = [a != b for a, b in zip(self._old.servers, self._new.servers, strict=True)]
        self._first = max(
            links.log.begin, min((starts[0] for starts in links.starts if starts), default=links.log.begin)
        )
        self.starts = [list(its) for its in links.starts]
        self.completes = [list(its) for its in links.completes]
        self.departs = [list(its) for its in links.departs]
        self._sorted: list[list[float]] = [[] for _ in self.starts]
        self._waits: dict[Node, tuple[list[Node], list[Node], Node | None, Node | None]] = {}
        self._before = [layout.before(station) for station in range(layout.stations)]
        if layout.paced:
            self._beat_by_beat()
        else:
            for node in self._order():
                self._move(node)

    def log(self) -> LineLog:
        """The record with the new times."""
        old = self._links.log
        passages = []
        for station, its in enumerate(old.passages):
            times = zip(its, self.starts[station], self.completes[station], self.departs[station], strict=True)
            moved = [
                msgspec.structs.replace(
                    passage, start=start, complete=complete, departure=depart, stops=self._stops(station, passage.stops)
                )
                for passage, start, complete, depart in times
            ]
            passages.append(sorted(moved, key=lambda passage: passage.start))
        return msgspec.structs.replace(old, layout=self._new, passages=passages)

    def gain(self) -> float:
        """More units in the same time, relative."""
        last = self._old.last
        exits = self._links.exits(last)
        if not exits:
            return 0.0
        before = max(time for time in self._links.departs[last] if time is not None) - self._first
        after = max(time for time in self.departs[last] if time is not None) - self._first
        return before / after - 1.0 if after > 0 and before > 0 else 0.0

    def _stops(self, station: int, stops: dict[str, float]) -> dict[str, float]:
        factor = self._factor[station]
        return stops if factor == 1.0 else {cause: its * factor for cause, its in stops.items()}

    def _order(self) -> list[Node]:
        """All passages, each after those that it waits for."""
        order: list[Node] = []
        state: dict[Node, bool] = {}
        for station, its in enumerate(self.starts):
            for number in range(len(its)):
                root = (station, number)
                if root in state:
                    continue
                state[root] = False
                stack = [(root, iter(self._needs(root, state)))]
                while stack:
                    node, rest = stack[-1]
                    for earlier in rest:
                        if earlier not in state:
                            state[earlier] = False
                            stack.append((earlier, iter(self._needs(earlier, state))))
                            break
                    else:
                        state[node] = True
                        order.append(node)
                        stack.pop()
        return order

    def _needs(self, node: Node, state: dict[Node, bool]) -> list[Node]:
        """What must be known before; who seems to wait for itself (within the resolution) doesn't."""
        old = self._starters(node, self._old)
        new = old if self._new == self._old else self._starters(node, self._new)
        freed_old = self._freed(node, self._old)
        freed_new = freed_old if self._new == self._old else self._freed(node, self._new)
        needs = [*old, *new, *(each for each in (freed_old, freed_new) if each is not None)]
        if self._resized[node[0]] and node[1]:
            needs.append((node[0], node[1] - 1))
        following = self._old.following[node[0]]
        if following >= 0 and self._resized[following]:
            entered = self._links.entered(*node)
            if entered:
                needs.append((following, min(entered, len(self.starts[following])) - 1))
        closed = {each for each in needs if state.get(each) is False}
        self._waits[node] = (
            [each for each in old if each not in closed],
            [each for each in new if each not in closed],
            None if freed_old in closed else freed_old,
            None if freed_new in closed else freed_new,
        )
        return [each for each in needs if each not in closed]

    def _starters(self, node: Node, layout: Layout) -> list[Node]:
        """Whose departures a start waits for."""
        station, number = node
        links = self._links
        found = links.came(station, number)
        if not (self._resized[station] and layout == self._new and layout != self._old):
            free = links.workplace(station, number, layout.servers[station])
            if free is not None:
                free = links.until(station, free, links.starts[station][number])
            if free is not None:
                found.append((station, free))
        if layout.limit is not None and not self._before[station]:
            leaver = links.leaver(station, number, layout.limit)
            if leaver is not None:
                found.append((layout.last, leaver))
        return [each for each in found if links.departs[each[0]][each[1]] is not None]

    def _freed(self, node: Node, layout: Layout) -> Node | None:
        station, number = node
        following = layout.following[station]
        leave = self._links.departs[station][number]
        if following < 0 or leave is None or (self._resized[following] and layout == self._new and layout != self._old):
            return None
        freed = self._links.place(station, number, layout.room(station))
        if freed is not None:
            freed = self._links.until(following, freed, leave)
        return None if freed is None else (following, freed)

    def _move(self, node: Node) -> None:
        station, number = node
        links = self._links
        old, new, freed_old, freed_new = self._waits[node]
        shift = 0.0
        if old:
            ready = [self._left(each) for each in new]
            if self._resized[station] and len(self._sorted[station]) >= self._new.servers[station]:
                ready.append(self._sorted[station][-self._new.servers[station]])
            shift = max(ready, default=self._first) - max(_time(links.departs, each) for each in old)
        self._push(node, shift)
        complete, leave = links.completes[station][number], links.departs[station][number]
        if complete is None or leave is None:
            return
        moved = _time(self.completes, node)
        before = complete if freed_old is None else max(complete, _time(links.departs, freed_old))
        after = moved if freed_new is None else max(moved, self._left(freed_new))
        following = self._old.following[station]
        if following >= 0 and self._resized[following]:
            room = self._new.room(station)
            if len(self._sorted[following]) >= room:
                after = max(after, self._sorted[following][-room])
        self.departs[station][number] = leave + (after - before)
        if self._resized[station]:
            insort(self._sorted[station], leave + (after - before))

    def _left(self, node: Node) -> float:
        return _time(self.departs, node)

    def outside(self, node: Node) -> tuple[float, float]:
        """What came from outside before the recorded start, and between completion and departure."""
        if self._old.paced:
            return 0.0, 0.0
        links = self._links
        station, number = node
        old, _, freed, _ = self._waits[node]
        start, leave = links.starts[station][number], links.departs[station][number]
        before = start - max((_time(links.departs, each) for each in old), default=start)
        complete = links.completes[station][number]
        if complete is None or leave is None:
            return max(before, 0.0), 0.0
        free = complete if freed is None else max(complete, _time(links.departs, freed))
        return max(before, 0.0), max(leave - free, 0.0)

    def _beat_by_beat(self) -> None:
        """A paced line moves on when the slowest is done."""
        links = self._links
        shift = 0.0
        moved: set[Node] = set()
        for _, nodes in beats(links):
            for node in nodes:
                self._push(node, shift)
            moved.update(nodes)
            shift = max(_time(self.completes, node) for node in nodes) - max(
                _time(links.completes, node) for node in nodes
            )
            for station, number in nodes:
                self.departs[station][number] = _time(links.departs, (station, number)) + shift
        for station, its in enumerate(self.starts):
            for number in range(len(its)):
                if (station, number) not in moved:
                    self._push((station, number), shift)

    def _push(self, node: Node, shift: float) -> None:
        """A start later by ``shift``, and the completion with the station's changed times."""
        station, number = node
        self.starts[station][number] += shift
        complete = self._links.completes[station][number]
        if complete is not None:
            own = self._links.log.passages[station][number].own or 0.0
            self.completes[station][number] = complete + shift + own * (self._factor[station] - 1.0)


class _Sample:
    """The units that passed the whole line, as times for the recursion."""

    def __init__(self, links: Links) -> None:
        log = links.log
        layout = log.layout
        shape = (len(log.units), layout.stations)
        own, waits, gaps = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        recorded = _Replay(links, ())
        for station, its in enumerate(log.passages):
            for number, passage in enumerate(its):
                if passage.complete is None or passage.own is None:
                    continue
                before, after = recorded.outside((station, number))
                own[passage.unit, station] += passage.own
                waits[passage.unit, station] += passage.complete - passage.start - passage.own + after
                gaps[passage.unit, station] += before
        through = {passage.unit for passage in log.passages[layout.last] if passage.complete is not None}
        entries = [station for station in range(layout.stations) if not layout.before(station)]
        entered = {passage.unit for station in entries for passage in log.passages[station]}
        chosen = sorted(through & entered) or sorted(through)
        self._own, self._waits, self._gaps = own[chosen], waits[chosen], gaps[chosen]
        self._products = [log.products[unit] for unit in chosen]
        self.units = len(chosen)

    def span(self, drawn: Ints, layout: Layout, changes: Sequence[Change]) -> Floats:
        """How long the line needs for the drawn units [unit, draw], from empty to empty."""
        factor = np.ones(layout.stations)
        for change in changes:
            if isinstance(change, Times):
                factor[change.station] *= change.factor
        times = _spread(self._own * factor, drawn)
        waits = _spread(self._waits, drawn) if self._waits.any() else None
        gaps = _spread(self._gaps, drawn) if self._gaps.any() else None
        return np.asarray(run(times, layout, waits=waits, start_waits=gaps).leaves.max(axis=0))

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
            its = np.flatnonzero([each == product for each in self._products])
            here = kind == number
            if not here.any():
                continue
            if not len(its):
                known = ", ".join(sorted({each for each in self._products if each is not None})) or "none"
                msg = f"model mix: no unit of product {product!r} went through the line; recorded products: {known}"
                raise ValueError(msg)
            drawn[here] = its[(chances[..., 1][here] * len(its)).astype(np.int64)]
        return drawn

    def recorded_mix(self) -> dict[str, float]:
        """How many units of each product were built."""
        counts: dict[str, float] = {}
        for product in self._products:
            if product is not None:
                counts[product] = counts.get(product, 0.0) + 1.0
        return counts


def _blocks(rng: np.random.Generator, units: int, draws: int) -> Ints:
    """Units [unit, draw] in blocks that followed each other, about the cube root of their number long."""
    length = max(1, round(units ** (1 / 3)))
    count = -(-units // length)
    first = rng.integers(0, units, size=(count, 1, draws))
    drawn = (first + np.arange(length)[None, :, None]) % units
    return np.asarray(drawn.reshape(count * length, draws)[:units])


def _spread(table: Floats, drawn: Ints) -> Floats:
    """The drawn units' rows of a table [unit, station] as [unit, station, draw]."""
    return np.ascontiguousarray(table[drawn].transpose(0, 2, 1))


def _time(times: list[list[float]] | list[list[float | None]], node: Node) -> float:
    time = times[node[0]][node[1]]
    return float("-inf") if time is None else time
