"""What is remembered of a line's cycles: plain structs, times in working milliseconds since the record's origin.

Structs that lists hold are frozen, so that a copy of the lists is a copy of the record.
"""

from msgspec import Struct, field

from linecontrol.model import StationState

Parts = dict[str, int]
"""Milliseconds by cause."""


class Spell(Struct, frozen=True, array_like=True, gc=False):
    """A station was in a state from ``start`` to ``end``."""

    state: StationState
    start: int
    end: int


class Finished(Struct, frozen=True, array_like=True, gc=False):
    """A passage that is over: ``work`` from start to completion, ``stay`` from then to departure, if that was seen.

    ``waits``, ``before`` and ``stops`` as in ``flowline.Passage``; ``None`` for none.
    """

    unit: int
    start: int
    work: int
    stay: int | None = None
    waits: Parts | None = None
    before: Parts | None = None
    stops: Parts | None = None


class Running(Struct, frozen=True, array_like=True, gc=False):
    """A cycle that is going on, or over and not told yet; ``unit`` is ``None`` until it is known which one it is."""

    unit: int | None
    start: int


class Waiting(Struct, frozen=True, array_like=True, gc=False):
    """A unit between two stations, done at the first one at ``ready``; ``passed`` units have overtaken it."""

    unit: int
    ready: int
    passed: int = 0


class UnitNote(Struct, frozen=True, array_like=True, gc=False):
    """A unit by its names (the last is the best), ``seen`` last at the completion of one of its ``passages``."""

    names: tuple[str, ...]
    product: str | None
    passages: int = 0
    seen: int = 0
    gone: bool = False


class StationMemory(Struct):
    """What is known of a station.

    ``spells`` in other states than working since its last completion, the present state being held since ``since``.
    ``ended`` is when a cycle ended whose figures are still to come. While it is ``leaving``, the state will tell when
    the finished unit departs; ``left`` is when it did, if its figures are still to come.
    """

    state: StationState = StationState.UNOBSERVED
    since: int = 0
    spells: list[Spell] = field(default_factory=list)
    running: Running | None = None
    ended: int | None = None
    leaving: bool = False
    left: int | None = None
    finished: list[Finished] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)


class Dry(Struct, frozen=True, array_like=True, gc=False):
    """A kit was not in stock from ``start`` to ``end``; still isn't where that is ``None``."""

    start: int
    end: int | None


class RecordMemory(Struct):
    """The record of a line with the stations ``names``. Nothing is known of what came before ``begin``.

    ``units`` are those of which passages are kept or that are still in the line, ``gone`` those that left it.
    """

    names: list[str]
    stations: list[StationMemory]
    origin_ns: int = 0
    begin: int = 0
    last_unit: int = 0
    units: dict[int, UnitNote] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    dry: dict[str, Dry] = field(default_factory=dict)

    def copy(self) -> "RecordMemory":
        """The same, untouched by what is recorded later; as fast as lists are copied."""
        stations = [
            StationMemory(
                each.state,
                each.since,
                each.spells.copy(),
                each.running,
                each.ended,
                each.leaving,
                each.left,
                each.finished.copy(),
                each.waiting.copy(),
            )
            for each in self.stations
        ]
        return RecordMemory(
            self.names,
            stations,
            self.origin_ns,
            self.begin,
            self.last_unit,
            self.units.copy(),
            self.gone.copy(),
            self.dry.copy(),
        )
