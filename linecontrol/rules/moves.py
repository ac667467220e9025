"""Which events move a condition, as told from what it reads."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from linecontrol.model import CycleCompleted, Event, Sampled
from linecontrol.rules.names import FORECASTS, Named
from linecontrol.rules.typed import CYCLES, DAYS, Leaf, Load, Passed, Since


class Move(Struct, frozen=True):
    """An event at a subject: ``side`` is a neighbour, a place, or empty for the own one; ``tag`` is a sample's."""

    side: str
    event: type[Event]
    tag: str = ""


def moves(inputs: Iterable[Leaf]) -> frozenset[Move]:
    """The events that move any of the inputs."""
    return frozenset(move for leaf in inputs for move in _of(leaf))


def moves_of(name: Named, side: str = "") -> Iterator[Move]:
    """The events that move a name."""
    tag = name.path.removeprefix("tag.") if name.path.startswith("tag.") else ""
    for event in name.moved_by:
        yield Move(side, event, tag)


def sights(inputs: Iterable[Leaf]) -> frozenset[str]:
    """The sides at which a station's being seen for the first time moves any of the inputs."""
    return frozenset(
        leaf.side if isinstance(leaf, Load) else ""
        for leaf in inputs
        if isinstance(leaf, Load | Since) and leaf.name.sight
    )


def _of(leaf: Leaf) -> Iterator[Move]:
    if isinstance(leaf, Load | Since):
        yield from moves_of(leaf.name, leaf.side if isinstance(leaf, Load) else "")
        return
    stream = (leaf.figure if isinstance(leaf, Passed) else leaf).source.stream
    if stream == DAYS:
        yield from (Move("", event) for event in FORECASTS)
    elif stream == CYCLES:
        yield Move("", CycleCompleted)
    else:
        yield Move("", Sampled, stream.removeprefix("tag."))
