"""A record's times worked out anew with something changed, passage by passage, as ``whatif`` tells."""

from bisect import insort
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from linecontrol.flowline import LineLog
from linecontrol.flowline.layout import Layout
from linecontrol.flowline.links import Links, Node, beats


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


Change = Times | Workplaces | Places | Mix
"""What an engineer may ask about."""


def changed(layout: Layout, changes: Sequence[Change]) -> Layout:
    """The layout with the changes' workplaces and places."""
    servers, places = list(layout.servers), list(layout.places)
    for change in changes:
        if isinstance(change, Workplaces):
            servers[change.station] += change.more
        elif isinstance(change, Places):
            places[change.station] += change.more
    return msgspec.structs.replace(layout, servers=tuple(servers), places=tuple(places))


class Plan:
    """In which ``order`` the passages' times follow from each other, and what each one ``waits`` for.

    ``waits[node]`` are those whose departures its start waits for, as it was and with the new layout, and whose
    departure freed a place for its own, likewise. ``resized[i]``: station ``i`` has other workplaces than before.
    """

    def __init__(self, links: Links, new: Layout) -> None:
        self._links = links
        self._old, self.layout = links.log.layout, new
        self._same = new == self._old
        self.resized = [a != b for a, b in zip(self._old.servers, new.servers, strict=True)]
        self._before = [new.before(station) for station in range(new.stations)]
        self.waits: dict[Node, tuple[list[Node], list[Node], Node | None, Node | None]] = {}
        self.order = [] if new.paced else self._order()

    def _order(self) -> list[Node]:
        """All passages, each after those that it waits for."""
        order: list[Node] = []
        state: dict[Node, bool] = {}
        for station, its in enumerate(self._links.starts):
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
        old = self._starters(node, self._old, moved=False)
        new = old if self._same else self._starters(node, self.layout, moved=True)
        freed_old = self._freed(node, self._old, moved=False)
        freed_new = freed_old if self._same else self._freed(node, self.layout, moved=True)
        needs = [*old, *new, *(each for each in (freed_old, freed_new) if each is not None)]
        if self.resized[node[0]] and node[1]:
            needs.append((node[0], node[1] - 1))
        following = self._old.following[node[0]]
        if following >= 0 and self.resized[following]:
            entered = self._links.entered(*node)
            if entered:
                needs.append((following, min(entered, len(self._links.starts[following])) - 1))
        released = self.let_in(node)
        if released:
            needs.append((self._old.last, min(released, len(self._links.starts[self._old.last])) - 1))
        closed = {each for each in needs if state.get(each) is False}
        self.waits[node] = (
            [each for each in old if each not in closed],
            [each for each in new if each not in closed],
            None if freed_old in closed else freed_old,
            None if freed_new in closed else freed_new,
        )
        return [each for each in needs if each not in closed]

    def _starters(self, node: Node, layout: Layout, *, moved: bool) -> list[Node]:
        """Whose departures a start waits for."""
        station, number = node
        links = self._links
        found = links.came(station, number)
        if not (moved and self.resized[station]):
            free = links.workplace(station, number, layout.servers[station])
            if free is not None:
                free = links.until(station, free, links.starts[station][number])
            if free is not None:
                found.append((station, free))
        if layout.limit is not None and not self._before[station] and not (moved and self.let_in(node)):
            leaver = links.leaver(station, number, layout.limit)
            if leaver is not None:
                found.append((layout.last, leaver))
        return [each for each in found if links.departs[each[0]][each[1]] is not None]

    def let_in(self, node: Node) -> int | None:
        """How many came into the line before, where a limit counts and the last station's workplaces change."""
        if self._old.limit is None or self._before[node[0]] or not self.resized[self._old.last]:
            return None
        return self._links.released(*node)

    def _freed(self, node: Node, layout: Layout, *, moved: bool) -> Node | None:
        station, number = node
        following = layout.following[station]
        leave = self._links.departs[station][number]
        if following < 0 or leave is None or (moved and self.resized[following]):
            return None
        freed = self._links.place(station, number, layout.room(station))
        if freed is not None:
            freed = self._links.until(following, freed, leave)
        return None if freed is None else (following, freed)


class Replay:
    """The passages' new times, [station][number]."""

    def __init__(self, links: Links, changes: Sequence[Change], plan: Plan) -> None:
        layout = links.log.layout
        self._links = links
        self._old, self._new, self._plan = layout, plan.layout, plan
        self._factor = [1.0] * layout.stations
        for change in changes:
            if isinstance(change, Times):
                self._factor[change.station] *= change.factor
        self._resized = plan.resized
        self._first = max(
            links.log.begin, min((starts[0] for starts in links.starts if starts), default=links.log.begin)
        )
        self.starts = [list(its) for its in links.starts]
        self.completes = [list(its) for its in links.completes]
        self.departs = [list(its) for its in links.departs]
        self._sorted: list[list[float]] = [[] for _ in self.starts]
        if layout.paced:
            self._beat_by_beat()
        else:
            for node in plan.order:
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

    def _move(self, node: Node) -> None:
        station, number = node
        links = self._links
        old, new, freed_old, freed_new = self._plan.waits[node]
        shift = 0.0
        if old:
            ready = [self._left(each) for each in new]
            if self._resized[station] and len(self._sorted[station]) >= self._new.servers[station]:
                ready.append(self._sorted[station][-self._new.servers[station]])
            limit = self._new.limit
            if limit is not None and self._plan.let_in(node) and len(self._sorted[self._old.last]) >= limit:
                ready.append(self._sorted[self._old.last][-limit])
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
        old, _, freed, _ = self._plan.waits[node]
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
        complete, factor = self._links.completes[station][number], self._factor[station]
        if complete is not None:
            own = 0.0 if factor == 1.0 else self._links.log.passages[station][number].own or 0.0
            self.completes[station][number] = complete + shift + own * (factor - 1.0)


def _time(times: list[list[float]] | list[list[float | None]], node: Node) -> float:
    time = times[node[0]][node[1]]
    return float("-inf") if time is None else time
