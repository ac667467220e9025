"""How much room a line has, where nobody says: found from the record itself."""

from bisect import bisect_right
from collections.abc import Collection
from math import inf

import msgspec
from msgspec import Struct

from linecontrol.flowline import LineLog
from linecontrol.flowline.links import Links


class Capacity(Struct, frozen=True):
    """Places behind each station and workplaces at each, and how sure they are.

    ``explained[i]`` is the part of the departures from station ``i`` that these places reproduce, or where departures
    weren't recorded, of the starts there; ``None`` where nothing follows. ``waited[i]`` counts the units that had to
    wait for a place: without one, ``places[i]`` is only what was seen in use. ``notes[i]`` says so in words (empty for
    the last station).
    """

    places: list[int]
    servers: list[int]
    explained: list[float | None]
    waited: list[int]
    notes: list[str]


class _Room(Struct, frozen=True):
    """The room behind a station; of ``known`` departures or starts it explains ``right``, ``waited`` had to wait."""

    room: int
    right: int
    known: int
    waited: int


def capacity(log: LineLog) -> Capacity:
    """Places and workplaces from the record; the places of ``log.layout`` are not looked at.

    The room behind a station is the smallest with which most of the recorded departures come out as they were when
    blocked units wait for a place (blocking after service); if none ever waited, what was in use at once. Where
    departures are not recorded, the starts at the station tell: a unit that stands there until it finds a place keeps
    the next one waiting. Workplaces are the most units that were at a station at once (one start in a hundred may be
    wrong), at least those of the layout.
    """
    links = Links(log)
    servers = [_at_once(links, station) for station in range(log.layout.stations)]
    links = Links(msgspec.structs.replace(log, layout=msgspec.structs.replace(log.layout, servers=tuple(servers))))
    last = log.layout.last
    found = Capacity([0] * (last + 1), servers, [None] * (last + 1), [0] * (last + 1), [""] * (last + 1))
    for station in reversed(range(last)):
        following = log.layout.following[station]
        told = _recorded(log, station)
        its = (_by_departures if told else _by_starts)(links, station, following, servers[following])
        found.places[station] = places = its.room - servers[following]
        found.explained[station] = part = its.right / its.known if its.known else 1.0
        found.waited[station] = its.waited
        where = f"places between {log.stations[station]} and {log.stations[following]}: {places}"
        what = f"{its.known} departures" if told else f"{its.known} starts, departures not being recorded,"
        found.notes[station] = (
            f"{where}, found from the record ({part:.0%} of {what} explained)"
            if its.waited
            else f"{where} or more, as no unit ever had to wait for one"
        )
    return found


def find_places(log: LineLog, unknown: Collection[int]) -> tuple[LineLog, list[str]]:
    """The same record of a line with the places that were found behind the stations ``unknown``, and notes on them.

    Where more units were at a station at once than it has workplaces, it gets as many, and a note says so.
    """
    found = capacity(log)
    old = log.layout
    places = [found.places[i] if i in unknown else its for i, its in enumerate(old.places)]
    layout = msgspec.structs.replace(old, places=tuple(places), servers=tuple(found.servers))
    notes = [note for i, note in enumerate(found.notes) if i in unknown]
    notes += [
        f"{log.stations[i]}: taken as {more} workplaces, as so many units were there at once"
        for i, (more, its) in enumerate(zip(found.servers, old.servers, strict=True))
        if more > its
    ]
    return msgspec.structs.replace(log, layout=layout), notes


def _recorded(log: LineLog, station: int) -> bool:
    """Whether departures were recorded of all who are done, but the last ones."""
    done = [passage.departure is not None for passage in log.passages[station] if passage.complete is not None]
    return bool(done) and all(done[: -log.layout.servers[station]])


def _at_once(links: Links, station: int) -> int:
    """The most units that were at the station at one time, but for a start in a hundred."""
    passages = links.log.passages[station]
    left = sorted(
        leave for each in passages if (leave := each.complete if each.departure is None else each.departure) is not None
    )
    starts = enumerate(links.starts[station])
    counts = sorted(number + 1 - bisect_right(left, start + links.tolerance) for number, start in starts)
    wrong = len(counts) // 100
    return max([links.log.layout.servers[station], *counts[len(counts) - wrong - 1 : len(counts) - wrong]])


def _by_departures(links: Links, station: int, following: int, least: int) -> _Room:
    """The room that explains most of the recorded departures."""
    exits = [leave for n in links.exits(following) if (leave := links.departs[following][n]) is not None]
    tolerance = links.tolerance
    rows: list[tuple[int, float, float]] = []
    for number, passage in enumerate(links.log.passages[station]):
        entered = links.entered(station, number)
        if entered is not None and passage.departure is not None and passage.complete is not None:
            rows.append((entered, passage.complete, passage.departure))
    most = max((n + 1 - bisect_right(exits, leave + tolerance) for n, _, leave in rows), default=least)
    best, score = least, -1
    for room in range(least, max(most, least) + 1):
        right = 0
        for entered, complete, leave in rows:
            n = entered - room
            free = exits[n] if 0 <= n < len(exits) else complete if n < 0 else float("inf")
            right += abs(leave - max(complete, free)) <= tolerance
        if right > score:
            best, score = room, right
    waited = sum(leave - complete > tolerance for _, complete, leave in rows)
    return _Room(best, max(score, 0), len(rows), waited)


def _by_starts(links: Links, station: int, following: int, least: int) -> _Room:
    """The room that explains most starts: each when its unit was ready and those before had left, as far as known."""
    starts = links.starts[station]
    ready = [_ready(links, station, number) for number in range(len(starts))]
    onwards = [links.onward(station, number) for number in range(len(starts))]
    going = [number for number, onward in enumerate(onwards) if onward is None or onward[0] == following]
    done = sorted(time for number in going if (time := links.completes[station][number]) is not None)
    servers = links.log.layout.servers[station]
    gone = [max(a, b) for a, b in zip(done, starts[servers:], strict=False)] if len(going) == len(starts) else []
    others = links.others(station)
    least = max(least, _most(links, following, gone + others))
    best, score = least, -1
    for room in range(least, max(_most(links, following, done + others), least) + 1):
        links.refill(station, room)
        right = _explained(links, station, ready)
        if right > score:
            best, score = room, right
    links.refill(station, best)
    stays = zip(links.completes[station], links.departs[station], strict=True)
    waited = sum(a is not None and b is not None and b > a + links.tolerance for a, b in stays)
    return _Room(best, score, len(ready), waited)


def _most(links: Links, following: int, times: list[float]) -> int:
    """The most units on the way or at the following station, if one came at each of the times; 1 % may be wrong."""
    left = [leave for n in links.exits(following) if (leave := links.departs[following][n]) is not None]
    counts = sorted(n + 1 - bisect_right(left, time + links.tolerance) for n, time in enumerate(sorted(times)))
    return counts[-1 - len(counts) // 100] if counts else 0


def _explained(links: Links, station: int, ready: list[float]) -> int:
    """How many starts at a station were when its unit was ``ready`` and a workplace had been left."""
    servers, departs = links.log.layout.servers[station], links.departs[station]
    right = 0
    for number, start in enumerate(links.starts[station]):
        freed = links.workplace(station, number, servers)
        free = None if freed is None else departs[freed]
        at = ready[number] if free is None else max(ready[number], free)
        right += at == -inf or abs(start - at) <= links.tolerance
    return right


def _ready(links: Links, station: int, number: int) -> float:
    """When the unit was done before; one that was blocked there came as soon as others left, so that is enough."""
    done = [links.log.passages[at][n] for at, n in links.came(station, number)]
    times = [each.complete if each.departure is None else each.departure for each in done]
    return max((time for time in times if time is not None), default=-inf)
