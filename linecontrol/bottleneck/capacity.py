"""How much room a line has, where nobody says: found from the record itself."""

from bisect import bisect_right
from collections.abc import Collection

import msgspec
from msgspec import Struct

from linecontrol.flowline import LineLog
from linecontrol.flowline.links import Links


class Capacity(Struct, frozen=True):
    """Places behind each station and workplaces at each, and how sure they are.

    ``explained[i]`` is the part of the departures from station ``i`` that these places reproduce, ``None`` where
    departures weren't recorded or nothing follows; ``waited[i]`` counts those that had to wait for a place: without
    one, ``places[i]`` is only what was seen in use. ``notes[i]`` says so in words (empty for the last station).
    """

    places: list[int]
    servers: list[int]
    explained: list[float | None]
    waited: list[int]
    notes: list[str]


def capacity(log: LineLog) -> Capacity:
    """Places and workplaces from the record; the places of ``log.layout`` are not looked at.

    The room behind a station is the smallest with which most of the recorded departures come out as they were when
    blocked units wait for a place (blocking after service); if none ever waited, what was in use at once. Where only
    starts are recorded, a unit is taken to stand at its station until the next one starts there. Workplaces are the
    most units that were at a station at once (one start in a hundred may be wrong), at least those of the layout.
    """
    links = Links(log)
    servers = [_at_once(links, station) for station in range(log.layout.stations)]
    places, waited, notes = [], [], []
    explained: list[float | None] = []
    for station, following in enumerate(log.layout.following):
        if following < 0:
            places.append(0)
            explained.append(None)
            waited.append(0)
            notes.append("")
            continue
        where = f"places between {log.stations[station]} and {log.stations[following]}"
        if _recorded(log, station) and _recorded(log, following):
            room, part, count, known = _room(links, station, following, servers[following])
            places.append(max(room - servers[following], 0))
            explained.append(part)
            waited.append(count)
            if count:
                notes.append(
                    f"{where}: {places[-1]}, found from the record ({part:.0%} of {known} departures explained)"
                )
            else:
                notes.append(f"{where}: {places[-1]} or more, as no unit ever had to wait for one")
        else:
            places.append(_in_use(links, station, following, servers[station]))
            explained.append(None)
            waited.append(0)
            notes.append(f"{where}: {places[-1]} or more, seen from the starts as departures were not recorded")
    return Capacity(places, servers, explained, waited, notes)


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


def _room(links: Links, station: int, following: int, least: int) -> tuple[int, float, int, int]:
    """The room that explains most departures, what part it explains, how many waited, how many are known."""
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
    return best, score / len(rows) if rows else 1.0, waited, len(rows)


def _in_use(links: Links, station: int, following: int, servers: int) -> int:
    """The most units that were between the two stations at one time, by their starts alone."""
    starts, later = links.starts[station], links.starts[following]
    left = []
    for number in range(len(starts)):
        onward = links.onward(station, number)
        latest = [starts[number + servers]] if number + servers < len(starts) else []
        if onward is not None:
            latest.append(links.starts[onward[0]][onward[1]])
        if latest:
            left.append(min(latest))
    left.sort()
    before = len(later) - sum(links.onward(station, number) is not None for number in range(len(starts)))
    tolerance = links.tolerance
    return max(
        (before + n + 1 - bisect_right(later, time + tolerance) for n, time in enumerate(left)),
        default=0,
    )
