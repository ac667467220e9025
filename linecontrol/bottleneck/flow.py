"""In which order units pass the stations: as told, or as most of them did."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf

from linecontrol.bottleneck.complaint import Row
from linecontrol.errors import LogUnusable
from linecontrol.flowline import Layout

Orders = Counter[tuple[int, ...]]
"""How many units passed stations in which order (each station where it was first passed)."""


def main_order(orders: Orders, stations: Sequence[str], among: Iterable[int]) -> list[int]:
    """The stations ``among`` them in the order in which most units passed each two of them.

    Raises:
        LogUnusable: there is no such order, because as many units went one way as the other, or they go in a circle.
    """
    rest = list(among)
    ahead = {(a, b): 0 for a in rest for b in rest}
    for order, units in orders.items():
        ours = [station for station in order if station in set(rest)]
        for place, earlier in enumerate(ours):
            for later in ours[place + 1 :]:
                ahead[earlier, later] += units
    for a in rest:
        for b in rest:
            if a < b and ahead[a, b] == ahead[b, a] > 0:
                _refuse(stations, a, b, ahead)
    return _sorted(rest, stations, ahead)


def _sorted(rest: list[int], stations: Sequence[str], ahead: dict[tuple[int, int], int]) -> list[int]:
    """Take away, again and again, a station that comes before all others (as far as any unit passed both)."""
    found = []
    rest = list(rest)
    while rest:
        first = [a for a in rest if all(ahead[a, b] >= ahead[b, a] for b in rest)]
        if not first:
            a, b = next((a, b) for a in rest for b in rest if ahead[a, b] < ahead[b, a])
            _refuse(stations, a, b, ahead)
        chosen = max(first, key=lambda a: sum(ahead[a, b] for b in rest))
        found.append(chosen)
        rest.remove(chosen)
    return found


def _refuse(stations: Sequence[str], a: int, b: int, ahead: dict[tuple[int, int], int]) -> None:
    msg = (
        f"the order of the stations can't be found: {ahead[a, b]} units passed {stations[a]} before {stations[b]}, "
        f"{ahead[b, a]} the other way round; say the order with --stations {','.join(stations)}"
    )
    raise LogUnusable(msg)


def find_orders(rows: list[list[Row]], units: int) -> Orders:
    """In which order units passed the stations, by their first starts. Stations that nobody passed are not in it."""
    passed: list[list[tuple[float, float, int, int]]] = [[] for _ in range(units)]
    for station, each in enumerate(rows):
        for row in each:
            passed[row.unit].append((row.start, inf if row.complete is None else row.complete, row.line, station))
    return Counter(tuple(dict.fromkeys(station for *_, station in sorted(each))) for each in passed if each)


def strangers(orders: Orders, order: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbours in the order that no unit passed both of."""
    met = {(a, b) for each in orders for a in each for b in each}
    return [(a, b) for a, b in pairwise(order) if (a, b) not in met]


def make_layout(
    main: list[str], feeders: Sequence[Sequence[str]], *, limit: int | None, paced: bool
) -> tuple[Layout, list[str]]:
    """The layout without twins or places between stations, and its stations in an order that goes with the flow.

    A feeder is a chain of stations; its last one is where it joins, a station of ``main`` or of an earlier feeder.

    Raises:
        LogUnusable: a feeder joins nowhere.
    """
    names = list(main)
    following = dict(pairwise(main))
    for chain in feeders:
        joined = chain[-1]
        if joined not in names:
            msg = f"feeder {'>'.join(chain)}: its last station must be one that it joins: {', '.join(names)}"
            raise LogUnusable(msg)
        own = [name for name in chain[:-1] if name not in names]
        names[names.index(joined) : names.index(joined)] = own
        following |= dict(pairwise(chain))
    layout = Layout(
        tuple(names.index(following[name]) if name in following else -1 for name in names),
        (0,) * len(names),
        (1,) * len(names),
        limit,
        paced,
    )
    return layout, names


def measure_waits(rows: list[list[Row]], layout: Layout) -> None:
    """How long the waits were for which a cause was told: since the place was free and the unit was there."""
    free: dict[tuple[int, int], float] = {}
    for station, each in enumerate(rows):
        previous: list[float] = []
        servers = layout.servers[station]
        for row in each:
            if row.before:
                sources = [(upstream, row.unit) for upstream in layout.before(station)]
                arrived = [free[source] for source in sources if source in free]
                arrived += previous[-servers:][:1] if len(previous) >= servers else []
                wait = row.start - max(arrived, default=row.start)
                row.before = dict.fromkeys(row.before, wait) if wait > 0 else {}
            gone = row.departure if row.departure is not None else row.complete
            if gone is not None:
                free[station, row.unit] = gone
                previous.append(gone)
                previous.sort()
                del previous[:-servers]
