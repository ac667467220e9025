"""The typed tree of a condition: all that code is ever made from."""

from collections.abc import Iterator

from msgspec import Struct

from linecontrol.rules.names import Kind, Named


class Const(Struct, frozen=True):
    """A value; durations in seconds."""

    kind: Kind
    value: bool | float | str


class Load(Struct, frozen=True):
    """A name of the subject (``side`` empty), of a neighbour, or of a cycle in a window."""

    kind: Kind
    side: str
    name: Named


class Figure(Struct, frozen=True):
    """The present figure of a window of the own subject. ``key`` is the same for the same definition.

    A window takes in the cycles of a station or, if it is ``daily``, the first forecast of each working day.
    """

    kind: Kind
    key: str
    function: str
    item: "Typed"
    size: int
    least: int
    daily: bool


class Apply(Struct, frozen=True):
    """An operation of ``kleene.OPERATIONS``."""

    kind: Kind
    op: str
    items: tuple["Typed", ...]


Typed = Const | Load | Figure | Apply


def leaves(tree: Typed) -> Iterator[Load | Figure]:
    """The inputs of a tree in the order in which they stand, windows as a whole."""
    match tree:
        case Apply():
            for item in tree.items:
                yield from leaves(item)
        case Load() | Figure():
            yield tree
        case Const():
            pass


def comparison(tree: Typed) -> tuple[Typed, Typed] | None:
    """Both sides of the first comparison of magnitudes that the whole tree depends on, if there is one."""
    match tree:
        case Apply(op="<" | "<=" | ">" | ">=", items=(left, right)):
            return left, right
        case Apply(op="and", items=items):
            return next(filter(None, map(comparison, items)), None)
        case _:
            return None
