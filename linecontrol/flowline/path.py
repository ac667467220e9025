"""The critical path of a record: what its last departure waited for, step by step back to the beginning.

The share of it that a station takes is the elasticity of the throughput with respect to that station's times (Ho,
Eyler & Chien 1979). Not a formula but the record says who was waited for, so units may overtake, skip stations or
come back, and what nobody in the line explains is a wait from outside.
"""

from collections.abc import Iterator

from msgspec import Struct

from linecontrol.flowline.links import Links, Node, beats, departures
from linecontrol.flowline.log import LineLog, Passage

__all__ = ["Charge", "Path", "critical_path", "departures"]

OWN_STATES = frozenset({"down", "setup"})
"""States between two cycles that are the station's own doing."""

NO_CAUSE = frozenset({"blocked", "idle", "starved", "working"})
"""States that don't say why a station waited."""

UNKNOWN = "unknown"
TRANSPORT = "transport"


class Charge(Struct, frozen=True, gc=False):
    """A stretch of the critical path: ``weight`` of the time from ``start`` to ``end`` at ``station`` for ``unit``.

    ``cause`` is empty for the station's own work (and hand-over), else the state of its own that stopped it or, where
    ``outside``, what was missing from outside. Within a cycle work, stops and waits are drawn one after the other:
    their order isn't recorded.
    """

    station: int
    unit: int
    cause: str
    outside: bool
    start: float
    end: float
    weight: float


class Path(Struct, frozen=True):
    """What the time from ``begin`` to ``end`` was spent for on the critical path.

    ``own[i]`` is charged to station ``i``, ``stops`` is the part of it that its own stops took, by station and cause;
    ``waits`` and ``waits_at`` are from outside. ``sum(own) + sum(waits.values()) == end - begin``. ``tied`` are the
    stations on ways of which several were critical at once, each of which got its equal part. ``charges`` go
    backwards in time.
    """

    begin: float
    end: float
    own: list[float]
    waits: dict[str, float]
    waits_at: dict[tuple[int, str], float]
    stops: dict[tuple[int, str], float]
    tied: list[int]
    charges: list[Charge]


def critical_path(log: LineLog, *, split: bool = True) -> Path:
    """The critical path that ends with the last departure from the line, by one walk backwards over the record.

    A start waited for the latest of: the same unit's departures on all ways here, the departure that freed a
    workplace, with a CONWIP limit the departure that let the unit in; what is left of the gap was a wait from outside
    (``Passage.before`` tells the cause) or, if it is within the resolution, hand-over and the station's own. A
    departure after completion waited for the departure that freed a place; the rest is ``transport``. What is
    simultaneous within the resolution is critical in equal parts; without ``split`` one way is followed: out of a
    blocked station before through its cycle, to the workplace freed before to where the unit came from. The path begins at ``log.begin`` or the first
    recorded start; on a paced line each beat belongs to those that were the last to complete.
    """
    links = Links(log)
    first = min((starts[0] for starts in links.starts if starts), default=log.begin)
    begin = max(log.begin, first)
    walk = _Walk(links, begin, split)
    if log.layout.paced:
        walk.beats()
    else:
        walk.back()
    return walk.result()


class _Reason(Struct, frozen=True, gc=False):
    """What a departure and the start before it waited for, and when the last of each was there."""

    worked: bool
    freed: Node | None
    ready: float
    before: list[Node]
    ready_start: float


class _Walk:
    """Charges of a walk backwards; ``end`` is where it began."""

    def __init__(self, links: Links, begin: float, split: bool) -> None:
        self.links = links
        self.begin = begin
        self.end = begin
        self._split = split
        self.charges: list[Charge] = []
        self._tolerance = links.tolerance
        self._passages = links.log.passages
        self._layout = links.log.layout
        self._before = [self._layout.before(station) for station in range(self._layout.stations)]
        self._rooms = [self._layout.room(i) if each >= 0 else 0 for i, each in enumerate(self._layout.following)]

    def back(self) -> None:
        """Over all tight predecessors; mass is split equally where there are several."""
        last = self._layout.last
        exits = self.links.exits(last)
        if not exits:
            return
        self.end = max(self._leave((last, exits[-1])), self.begin)
        ends = [(last, n) for n in exits if self._leave((last, n)) >= self.end - self._tolerance]
        order, reasons = self._order(ends)
        mass: dict[Node, tuple[float, float]] = {}
        for node in ends:
            self._pass_on(mass, node, 1.0 / len(ends), self.end)
        for node in order:
            weight, missing = mass.get(node, (0.0, 0.0))
            if not weight:
                continue
            until = self._leave(node) - missing / weight
            if until > self.begin:
                self._spend(mass, node, reasons[node], until)

    def beats(self) -> None:
        """All units of a paced line move on together; each beat belongs to those that were the last to complete."""
        moves = beats(self.links)
        self.end = max([self.begin, *(end for end, nodes in moves if any(i == self._layout.last for i, _ in nodes))])
        moves = [(end, nodes) for end, nodes in moves if self.begin < end <= self.end]
        starts = [self.begin, *(end for end, _ in moves[:-1])]
        for start, (end, nodes) in zip(reversed(starts), reversed(moves), strict=False):
            latest = max(self._complete(node) for node in nodes)
            slowest = [node for node in nodes if self._complete(node) >= latest - self._tolerance]
            for node in slowest:
                self._beat(node, start, end, 1.0 / len(slowest))

    def result(self) -> Path:
        """The charges, summed up."""
        own = [0.0] * self._layout.stations
        waits: dict[str, float] = {}
        waits_at: dict[tuple[int, str], float] = {}
        stops: dict[tuple[int, str], float] = {}
        tied = set()
        for charge in self.charges:
            seconds = (charge.end - charge.start) * charge.weight
            place = (charge.station, charge.cause)
            if charge.outside:
                waits[charge.cause] = waits.get(charge.cause, 0.0) + seconds
                waits_at[place] = waits_at.get(place, 0.0) + seconds
            else:
                own[charge.station] += seconds
                if charge.cause:
                    stops[place] = stops.get(place, 0.0) + seconds
                if charge.weight < 1.0:
                    tied.add(charge.station)
        return Path(self.begin, self.end, own, waits, waits_at, stops, sorted(tied), self.charges)

    def _order(self, ends: list[Node]) -> tuple[list[Node], dict[Node, _Reason]]:
        """All nodes on tight ways, each before those that it waited for."""
        reasons: dict[Node, _Reason] = {}
        done: list[Node] = []
        open_: set[Node] = set()
        for end in ends:
            if end in reasons:
                continue
            stack = [(end, self._look(reasons, open_, end))]
            while stack:
                node, rest = stack[-1]
                for earlier in rest:
                    if earlier not in reasons:
                        stack.append((earlier, self._look(reasons, open_, earlier)))
                        break
                else:
                    done.append(node)
                    open_.discard(node)
                    stack.pop()
        done.reverse()
        return done, reasons

    def _look(self, reasons: dict[Node, _Reason], open_: set[Node], node: Node) -> Iterator[Node]:
        open_.add(node)
        reason = reasons[node] = self._reason(node, open_)
        if reason.freed is None:
            return iter(reason.before)
        return iter([reason.freed, *reason.before])

    def _reason(self, node: Node, open_: set[Node]) -> _Reason:
        """What is simultaneous could seem to wait for itself: not for those that are ``open_`` already."""
        complete, leave = self._complete(node), self._leave(node)
        ready, worked = complete, True
        freed = self._freed(node, leave)
        if freed is not None:
            free = self._leave(freed)
            if freed in open_ or free < complete - self._tolerance:
                freed = None
            else:
                ready, worked = max(complete, free), complete >= free - self._tolerance
                if worked and not self._split:
                    worked = complete >= leave - self._tolerance
                    freed = None if worked else freed
        if not worked or leave <= self.begin:
            return _Reason(worked, freed, ready, [], ready)
        before, ready_start = self._waited(node)
        return _Reason(worked, freed, ready, [each for each in before if each not in open_], ready_start)

    def _freed(self, node: Node, leave: float) -> Node | None:
        station, number = node
        following = self._layout.following[station]
        if following < 0:
            return None
        freed = self.links.place(station, number, self._rooms[station])
        if freed is not None:
            freed = self.links.until(following, freed, leave)
        return None if freed is None else (following, freed)

    def _waited(self, node: Node) -> tuple[list[Node], float]:
        """The departures that a start waited for, the latest ones, and when the last of them was."""
        station, number = node
        links, layout = self.links, self._layout
        start = links.starts[station][number]
        found: list[Node] = []
        free = links.workplace(station, number, layout.servers[station])
        if free is not None:
            free = links.until(station, free, start)
        if free is not None:
            found.append((station, free))
        found += links.came(station, number)
        if layout.limit is not None and not self._before[station]:
            leaver = links.leaver(station, number, layout.limit)
            if leaver is not None:
                found.append((layout.last, leaver))
        times = [links.departs[at][n] for at, n in found]
        latest = max([time for time in times if time is not None and time <= start + self._tolerance], default=None)
        if latest is None:
            return [], self.begin
        earliest, last = latest - self._tolerance, start + self._tolerance
        tight = [each for each, time in zip(found, times, strict=True) if time is not None and earliest <= time <= last]
        return list(dict.fromkeys(tight)) if self._split else tight[:1], latest

    def _spend(self, mass: dict[Node, tuple[float, float]], node: Node, reason: _Reason, until: float) -> None:
        """Charge a departure's part of the path, up to ``until``, and hand the rest on to what it waited for."""
        weight, _ = mass[node]
        passage = self._passages[node[0]][node[1]]
        if reason.freed is not None:
            part = weight / 2 if reason.worked else weight
            free = self._leave(reason.freed)
            self._handed_over(passage, free, until, part, self._leave(node) - reason.ready)
            self._pass_on(mass, reason.freed, part, min(until, free))
            weight -= part
        if not reason.worked:
            return
        complete, start = self._complete(node), passage.start
        self._handed_over(passage, complete, until, weight, self._leave(node) - reason.ready)
        until = min(until, complete)
        self._cycle(passage, start, until, weight)
        until = min(until, start)
        if not reason.before:
            self._gap(passage, self.begin, until, weight, start - self.begin)
            return
        part = weight / len(reason.before)
        for earlier in reason.before:
            leave = self._leave(earlier)
            self._gap(passage, leave, until, part, start - reason.ready_start)
            self._pass_on(mass, earlier, part, min(until, leave))

    def _beat(self, node: Node, start: float, end: float, weight: float) -> None:
        passage = self._passages[node[0]][node[1]]
        complete = min(self._complete(node), end)
        self._handed_over(passage, max(complete, start), end, weight, end - complete)
        self._cycle(passage, max(passage.start, start), complete, weight)
        self._gap(passage, start, min(passage.start, end), weight, passage.start - start)

    def _handed_over(self, passage: Passage, start: float, end: float, weight: float, waited: float) -> None:
        """From completion, or from when a place was free, to departure."""
        outside = waited > self._tolerance
        self._charge(passage, TRANSPORT if outside else "", outside, start, end, weight)

    def _cycle(self, passage: Passage, start: float, end: float, weight: float) -> None:
        """From start to completion: work, stops and waits, in proportion if it is only a part of the cycle."""
        if not passage.waits and not passage.stops:
            self._charge(passage, "", False, start, end, weight)
            return
        full = (passage.complete or passage.start) - passage.start
        waits = _shrunk(passage.waits, full)
        stops = _shrunk(passage.stops, full - sum(waits.values()))
        work = full - sum(waits.values()) - sum(stops.values())
        parts = [("", False, work), *((cause, False, its) for cause, its in stops.items())]
        self._parts(passage, [*parts, *((cause, True, its) for cause, its in waits.items())], start, end, weight)

    def _gap(self, passage: Passage, start: float, end: float, weight: float, waited: float) -> None:
        """From the departure that was waited for to the start."""
        if waited <= self._tolerance:
            self._charge(passage, "", False, start, end, weight)
            return
        causes = {cause: its for cause, its in passage.before.items() if cause not in NO_CAUSE}
        causes = _shrunk(causes, waited)
        rest = waited - sum(causes.values())
        parts = [("", False, rest) if rest <= self._tolerance else (UNKNOWN, True, rest)]
        parts += [(cause, cause not in OWN_STATES, its) for cause, its in causes.items()]
        self._parts(passage, parts, start, end, weight)

    def _parts(
        self, passage: Passage, parts: list[tuple[str, bool, float]], start: float, end: float, weight: float
    ) -> None:
        start = max(start, self.begin)
        full = sum(its for _, _, its in parts)
        at, passed = start, 0.0
        for cause, outside, its in parts:
            passed += its
            upto = end if passed >= full else start + (end - start) * passed / full
            self._charge(passage, cause, outside, at, upto, weight)
            at = upto

    def _charge(self, passage: Passage, cause: str, outside: bool, start: float, end: float, weight: float) -> None:
        start = max(start, self.begin)
        if end > start:
            self.charges.append(Charge(passage.station, passage.unit, cause, outside, start, end, weight))

    def _pass_on(self, mass: dict[Node, tuple[float, float]], node: Node, weight: float, until: float) -> None:
        had, missing = mass.get(node, (0.0, 0.0))
        mass[node] = (had + weight, missing + weight * (self._leave(node) - until))

    def _leave(self, node: Node) -> float:
        leave = self.links.departs[node[0]][node[1]]
        return self.begin if leave is None else leave

    def _complete(self, node: Node) -> float:
        complete = self.links.completes[node[0]][node[1]]
        return self._leave(node) if complete is None else complete


def _shrunk(causes: dict[str, float], most: float) -> dict[str, float]:
    """The causes' times, in proportion if they are more than there was."""
    total = sum(causes.values())
    if total <= most:
        return causes
    return {cause: its * max(most, 0.0) / total for cause, its in causes.items()}
