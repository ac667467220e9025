"""How the stations of a line hang together."""

from msgspec import Struct


class Layout(Struct, frozen=True):
    """Stations in an order in which each comes after all that feed it; every unit passes all of them.

    ``following[i]`` is the station after station ``i``, -1 after the last one. In a plain line that is ``i + 1``; a
    feeder line is stations whose last one is followed by the station that its sub-assemblies join, where a unit starts
    once it is there on all ways. ``places[i]`` are the places between ``i`` and what follows (stations not counted;
    the last one's is ignored), ``servers[i]`` how many equal workplaces (twins) share station ``i``. Units keep their
    order: behind twins none goes ahead of one that started before it. At the most ``limit`` units are in the line
    (CONWIP). On a ``paced`` line all units move on together, by one station or place; there are no twins.

    Raises:
        ValueError: The stations do not hang together so.
    """

    following: tuple[int, ...]
    places: tuple[int, ...]
    servers: tuple[int, ...]
    limit: int | None = None
    paced: bool = False

    def __post_init__(self) -> None:
        stations = len(self.following)
        if not len(self.places) == len(self.servers) == stations > 0:
            counts = f"{stations}, {len(self.places)} and {len(self.servers)}"
            raise ValueError(f"following, places and servers need one entry per station, not {counts}")
        if self.following[-1] != -1 or not all(i < self.following[i] < stations for i in range(stations - 1)):
            raise ValueError(f"each station but the last is followed by a later one, not {self.following}")
        if min(self.servers) < 1 or min(self.places) < 0:
            raise ValueError(f"servers of 1 or more and places of 0 or more, not {self.servers} and {self.places}")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"at the most {self.limit} units in the line: nothing could enter; 1 or more, or None")
        if self.paced and max(self.servers) > 1:
            raise ValueError("stations of a paced line have no twins: make them stations one after the other")

    @classmethod
    def chain(
        cls,
        places: tuple[int, ...],
        *,
        servers: tuple[int, ...] | None = None,
        limit: int | None = None,
        paced: bool = False,
    ) -> "Layout":
        """A plain line of ``len(places) + 1`` stations; ``places[i]`` lie between ``i`` and ``i + 1``."""
        stations = len(places) + 1
        following = (*range(1, stations), -1)
        return cls(following, (*places, 0), servers or (1,) * stations, limit, paced)

    @property
    def stations(self) -> int:
        """How many there are."""
        return len(self.following)

    @property
    def last(self) -> int:
        """The station from which units leave the line."""
        return len(self.following) - 1

    def before(self, station: int) -> list[int]:
        """The stations that hand over to ``station``; none if units enter the line there."""
        return [other for other, following in enumerate(self.following) if following == station]

    def room(self, station: int) -> int:
        """How many units fit behind ``station``: the places and the workplaces of the station that follows."""
        return self.places[station] + self.servers[self.following[station]]

    def reversed(self) -> "Layout":
        """The same line with the flow turned round.

        Raises:
            ValueError: It is not a plain line.
        """
        if self.following[:-1] != tuple(range(1, self.stations)):
            raise ValueError("only a plain line can be turned round: with feeder lines, units would have to split up")
        places = self.places[:-1][::-1]
        return Layout.chain(places, servers=self.servers[::-1], limit=self.limit, paced=self.paced)
