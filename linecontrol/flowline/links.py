"""Who waited for whom, from the record itself: which departure let a start or a departure happen.

Places and workplaces are counted, so overtaking needs no rule of its own: at a station with ``c`` workplaces the
``k``-th start needs the ``(k - c)``-th departure from it, whoever left; what enters as ``n``-th the ``room`` behind a
station needs the ``(n - room)``-th departure from the station that follows.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import inf
from operator import le
from typing import cast

from linecontrol.flowline.log import LineLog

Node = tuple[int, int]
"""A passage: its station and its number there, in the order of starts."""

_ROUNDING = 1e-12
_NEVER = float("-inf")


class Links:
    """A record's passages, linked. ``starts``, ``completes`` and ``departs`` are [station][number] times.

    ``departs`` holds also the departures that were not recorded, where they can be told (see ``departures``).
    """

    def __init__(self, log: LineLog) -> None:
        self.log = log
        self.tolerance = max(log.resolution, _ROUNDING * max(abs(log.begin), abs(log.end)))
        self.starts = [[passage.start for passage in its] for its in log.passages]
        self.completes = [[passage.complete for passage in its] for its in log.passages]
        self.departs = [[passage.departure for passage in its] for its in log.passages]
        self._exits: list[Sequence[int] | None] = [None] * log.layout.stations
        self._entries: list[int | list[int | None] | None] = [None] * log.layout.stations
        self._released: dict[int, dict[int, int]] = {}
        self._leavers: list[int] | None = None
        self._route: _InStep | _Routes = _InStep.of(log) or _Routes(log)
        self._offset = self._route.offset if isinstance(self._route, _InStep) else None
        for station in reversed(range(log.layout.stations)):
            if None in self.departs[station]:
                self._fill(station, log.layout.room(station))

    def refill(self, station: int, room: int) -> None:
        """Work out the departures from a station that were not recorded, as if that were the ``room`` behind it."""
        self.departs[station] = [passage.departure for passage in self.log.passages[station]]
        self._exits[station] = self._entries[station] = None
        self._leavers = None
        self._fill(station, room)

    def came(self, station: int, number: int) -> list[Node]:
        """The passages of the same unit after which this one could start."""
        return self._route.came(station, number)

    def onward(self, station: int, number: int) -> Node | None:
        """The same unit's next passage; ``None`` if there is none yet."""
        return self._route.onward(station, number)

    def exits(self, station: int) -> Sequence[int]:
        """The numbers of those who left, in the order of their departures."""
        known = self._exits[station]
        if known is None:
            known = self._exits[station] = _in_order(self.departs[station])
        return known

    def workplace(self, station: int, number: int, servers: int) -> int | None:
        """Whose departure freed a workplace for this start; ``None`` if one was free from the beginning."""
        return self._nth(self.exits(station), number - servers)

    def place(self, station: int, number: int, room: int) -> int | None:
        """Whose departure from the following station freed a place for this departure; ``None`` if one was free."""
        entered = self.entered(station, number)
        if entered is None:
            return None
        return self._nth(self.exits(self.log.layout.following[station]), entered - room)

    def entered(self, station: int, number: int) -> int | None:
        """As which one, counted from 0, this passage's unit entered the room behind ``station``.

        ``None`` if it did not: it is still there, or goes elsewhere. Units that were already behind the station when
        the record begins come first.
        """
        entries = self._entries[station]
        if entries is None:
            entries = self._entries[station] = self._count_entries(station)
        return number + entries if isinstance(entries, int) else entries[number]

    def released(self, station: int, number: int) -> int | None:
        """As which one, counted from 0, this passage's unit came into the line; ``None`` if it was in it before."""
        if station not in self._released:
            self._released[station] = self._count_released(station)
        return self._released[station].get(number)

    def leaver(self, station: int, number: int, limit: int) -> int | None:
        """Whose last departure from the last station let this unit into the line; ``None`` if there was room."""
        released = self.released(station, number)
        if released is None:
            return None
        if self._leavers is None:
            self._leavers = self._count_leavers()
        return self._nth(self._leavers, released - limit)

    def until(self, station: int, number: int, time: float) -> int | None:
        """``number``, or if it left after ``time`` (the record contradicts the layout) the last one that did not."""
        departs = self.departs[station]
        leave = departs[number]
        if leave is not None and leave <= time + self.tolerance:
            return number
        exits = self.exits(station)
        last = bisect_right(exits, time + self.tolerance, key=lambda each: _known(departs[each]))
        return exits[last - 1] if last else None

    @staticmethod
    def _nth(order: Sequence[int], n: int) -> int | None:
        if n < 0 or not order:
            return None
        return order[n] if n < len(order) else order[-1]

    def others(self, station: int) -> list[float]:
        """When those came to the following station that did not come from ``station``: rework, or before the record."""
        if self._offset is not None:
            return [_NEVER] * self._offset[station]
        following = self.log.layout.following[station]
        ways = [self.came(following, number) for number in range(len(self.starts[following]))]
        found = [
            start if came else _NEVER
            for start, came in zip(self.starts[following], ways, strict=True)
            if all(at != station for at, _ in came)
        ]
        return sorted(found)

    def _fill(self, station: int, room: int) -> None:
        """Departures that were not recorded: a workplace is left in order of completion, twins as units go on."""
        departs, completes = self.departs[station], self.completes[station]
        following = self.log.layout.following[station]
        onwards = [self.onward(station, number) for number in range(len(departs))]
        order = sorted(range(len(departs)), key=lambda each: _last_if_none(completes[each]))
        if self.log.layout.servers[station] > 1:
            order.sort(key=lambda each: _last_if_none(self._start(onwards[each])))
        others = self.others(station) if following >= 0 else []
        gone = 0
        for number in order:
            complete, onward = completes[number], onwards[number]
            if complete is None:
                continue
            through = following >= 0 and (onward is None or onward[0] == following)
            if departs[number] is None:
                departs[number] = self._moved(complete, onward) if self.log.layout.paced else complete
                if through and not self.log.layout.paced:
                    departs[number] = self._left(following, complete, gone - room, others, onward)
            gone += through

    def _left(self, following: int, complete: float, n: int, others: list[float], onward: Node | None) -> float | None:
        """When a unit found a place: after the ``n``-th departure from the following station, and one for each other.

        None need have departed if that is below 0. At the latest it left when it started there.
        """
        exits = self.exits(following)
        latest = inf if onward is None else max(complete, self.starts[onward[0]][onward[1]])
        leave = complete
        while leave < latest:
            needed = n + bisect_right(others, leave)
            if needed >= len(exits) and onward is None:
                return None if needed >= 0 else leave
            freed = self._nth(exits, needed)
            free = _NEVER if freed is None else _known(self.departs[following][freed])
            if free <= leave:
                break
            leave = min(free, latest)
        return leave

    def _start(self, node: Node | None) -> float | None:
        return None if node is None else self.starts[node[0]][node[1]]

    def _moved(self, complete: float, onward: Node | None) -> float | None:
        """On a paced line a unit leaves when all move on: with the first start anywhere after it was complete."""
        if onward is not None:
            return self.starts[onward[0]][onward[1]]
        later = [start for starts in self.starts for start in starts if start >= complete - self.tolerance]
        if later:
            return min(later)
        last = [each for its in self.completes for each in its]
        return None if None in last else max(each for each in last if each is not None)

    def _count_entries(self, station: int) -> int | list[int | None]:
        if self._offset is not None and isinstance(self.exits(station), range):
            return self._offset[station]
        following = self.log.layout.following[station]
        departs = self.departs[station]
        comers = [self._entry(station, following, number) for number in range(len(self.starts[following]))]
        for number, leave in enumerate(departs):
            if leave is not None and self.onward(station, number) is None:
                comers.append((leave, len(self.starts[following]) + number, number))
        entries: list[int | None] = [None] * len(departs)
        for count, (_, _, number) in enumerate(sorted(comers)):
            if number >= 0:
                entries[number] = count
        return entries

    def _entry(self, station: int, following: int, number: int) -> tuple[float, int, int]:
        """When a passage's unit came into the room behind ``station``, its order, its number there (-1: never)."""
        entry = _NEVER
        for at, before in self.came(following, number):
            if at == station:
                return (_known(self.departs[at][before]), number, before)
            if at in self._route.way(following) or station in self._route.way(at):
                entry = max(entry, _known(self.departs[at][before]))
        return (entry, number, -1)

    def _count_released(self, station: int) -> dict[int, int]:
        """As which one, counted from 0, each unit came into the line at ``station``, by the number of its passage."""
        first: dict[int, int] = {}
        for number, passage in enumerate(self.log.passages[station]):
            first.setdefault(passage.unit, number)
        inside = {passage.unit for at in self._route.way(station) for passage in self.log.passages[at]} - first.keys()
        return {number: len(inside) + count for count, number in enumerate(first.values())}

    def _count_leavers(self) -> list[int]:
        last = self.log.layout.last
        final = {passage.unit: number for number, passage in enumerate(self.log.passages[last])}
        kept = set(final.values())
        return [number for number in self.exits(last) if number in kept]


class _InStep:
    """Units that all pass all stations once and in one order: unit ``n`` here is unit ``n + offset`` at the next."""

    def __init__(self, log: LineLog, offset: list[int]) -> None:
        self.offset = offset
        self._log = log
        self._before = [log.layout.before(station) for station in range(log.layout.stations)]
        self._following = log.layout.following

    @classmethod
    def of(cls, log: LineLog) -> "_InStep | None":
        units = [[passage.unit for passage in its] for its in log.passages]
        if any(len(set(its)) < len(its) for its in units):
            return None
        offset = []
        for station, following in enumerate(log.layout.following):
            if following < 0:
                offset.append(0)
                continue
            here, there = units[station], units[following]
            first = there.index(here[0]) if here and here[0] in there else len(there)
            if there[first:] != here[: len(there) - first] or not set(there[:first]).isdisjoint(here):
                return None
            offset.append(first)
        return cls(log, offset)

    def came(self, station: int, number: int) -> list[Node]:
        return [(at, number - self.offset[at]) for at in self._before[station] if number >= self.offset[at]]

    def onward(self, station: int, number: int) -> Node | None:
        following = self._following[station]
        if following < 0 or number + self.offset[station] >= len(self._log.passages[following]):
            return None
        return following, number + self.offset[station]

    def way(self, station: int) -> set[int]:
        """The station itself and all that come after it."""
        return _way(self._following, station)


class _Routes:
    """Each unit's own way: with stations that it skips or comes back to, and others overtaking it."""

    def __init__(self, log: LineLog) -> None:
        layout = log.layout
        self._ways = [_way(layout.following, station) for station in range(layout.stations)]
        self._branches = [layout.before(station) for station in range(layout.stations)]
        routes: dict[int, list[tuple[float, int, int]]] = {}
        for station, its in enumerate(log.passages):
            for number, passage in enumerate(its):
                routes.setdefault(passage.unit, []).append((passage.start, station, number))
        self._came: dict[Node, list[Node]] = {}
        self._onward: dict[Node, Node] = {}
        for route in routes.values():
            route.sort()
            nodes = [(station, number) for _, station, number in route]
            for at, node in enumerate(nodes):
                self._came[node] = self._before(nodes[:at], node[0])
                onward = next((later for later in nodes[at + 1 :] if self._follows(node[0], later[0])), None)
                if onward is not None:
                    self._onward[node] = onward

    def came(self, station: int, number: int) -> list[Node]:
        return self._came[station, number]

    def onward(self, station: int, number: int) -> Node | None:
        return self._onward.get((station, number))

    def way(self, station: int) -> set[int]:
        """The station itself and all that come after it."""
        return self._ways[station]

    def _follows(self, here: int, there: int) -> bool:
        return there in self._ways[here] or here in self._ways[there]

    def _before(self, earlier: list[Node], station: int) -> list[Node]:
        """The last passage on each way to the station; only the last one at it or after it, if that was the latest."""
        found: list[Node] = []
        missing = list(self._branches[station])
        for node in reversed(earlier):
            if node[0] in self._ways[station]:
                return found or [node]
            branch = next((each for each in missing if each in self._ways[node[0]]), None)
            if branch is not None:
                found.append(node)
                missing.remove(branch)
                if not missing:
                    break
        return found


def beats(links: Links) -> list[tuple[float, list[Node]]]:
    """When a paced line moved on, and who left then, in order of time."""
    leaves = [(leave, i, n) for i, its in enumerate(links.departs) for n, leave in enumerate(its) if leave is not None]
    found: list[tuple[float, list[Node]]] = []
    for leave, station, number in sorted(leaves):
        if not found or leave > found[-1][0] + links.tolerance:
            found.append((leave, []))
        found[-1][1].append((station, number))
    return found


def departures(log: LineLog) -> list[list[float | None]]:
    """All departures [station][passage], also those that were not recorded.

    One that was not is the completion or, if later, the departure from the following station that freed a place,
    never later than the start at the next station (on a paced line: when all move on). ``None`` for who works still or
    finds no place yet.
    """
    return Links(log).departs


def _way(following: tuple[int, ...], station: int) -> set[int]:
    way = set()
    while station >= 0:
        way.add(station)
        station = following[station]
    return way


def _ascending(times: list[float | None]) -> int | None:
    """How many times are known, if they ascend and only the last ones are not known."""
    count = times.index(None) if None in times else len(times)
    known = cast("list[float]", times[:count])
    if any(time is not None for time in times[count:]) or not all(map(le, known, known[1:])):
        return None
    return count


def _in_order(times: list[float | None]) -> Sequence[int]:
    count = _ascending(times)
    if count is not None:
        return range(count)
    known = [(time, number) for number, time in enumerate(times) if time is not None]
    return [number for _, number in sorted(known)]


def _known(time: float | None) -> float:
    return _NEVER if time is None else time


def _last_if_none(time: float | None) -> float:
    return float("inf") if time is None else time
