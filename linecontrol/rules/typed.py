"""The typed tree of a condition: all that code is ever made from."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from linecontrol.rules.kleene import AS_FALSE, AS_TRUE
from linecontrol.rules.names import Kind, Named

CYCLES = "cycles"
"""The stream of a station's measured cycles; other streams are named as their telemetry tag (``tag.torque``)."""
DAYS = "days"
"""The stream of a subject's first forecast on each working day."""


class Const(Struct, frozen=True):
    """A value; durations in seconds. ``share``: a number written with a percent sign."""

    kind: Kind
    value: bool | float | str
    share: bool = False


class Load(Struct, frozen=True):
    """A name of the subject (``side`` empty), a neighbour, a cycle in a window, or another subject (its place)."""

    kind: Kind
    side: str
    name: Named


class Since(Struct, frozen=True):
    """Working time since a name of the own station last changed."""

    kind: Kind
    name: Named


class Source(Struct, frozen=True):
    """What a window keeps: the values of ``item`` over the last ``size`` elements of a stream, or ``span_ns``.

    ``text`` is the item as written; the same text, stream and span are the same window.
    """

    stream: str
    item: "Typed"
    text: str
    size: int
    span_ns: int
    smooth: bool = False

    @property
    def key(self) -> str:
        """The window's name in a station's memory."""
        reach = f"{self.size}" if self.size else f"{self.span_ns} ns"
        return f"{'ewma ' if self.smooth else ''}{self.text} | {self.stream} {reach}"

    @property
    def table(self) -> str:
        """Where a subject's facts keep the window."""
        return "smooth" if self.smooth else "rings" if self.size else "spans"


class Figure(Struct, frozen=True):
    """The present figure of a window of the own station."""

    kind: Kind
    function: str
    source: Source
    least: int
    rank: float = 0.0


class Passed(Struct, frozen=True):
    """Whether a quantile of the last N elements is beyond a constant: ``sign`` is ``>`` or ``>=``.

    That is so if enough of the elements are beyond it, and counting them is all that has to be done.
    """

    kind: Kind
    figure: Figure
    sign: str
    limit: float

    @property
    def key(self) -> str:
        """The name under which a window counts what is beyond the limit."""
        return f"{self.sign} {self.limit!r}"


class Apply(Struct, frozen=True):
    """An operation of ``kleene.OPERATIONS``."""

    kind: Kind
    op: str
    items: tuple["Typed", ...]


Typed = Const | Load | Since | Figure | Passed | Apply
Leaf = Load | Since | Figure | Passed


class Stage(Struct, frozen=True):
    """A condition of a chain, and in how much working time after the one before it has to become true."""

    condition: Typed
    within_ns: int


class Chain(Struct, frozen=True):
    """A sequence of conditions."""

    first: Typed
    stages: tuple[Stage, ...]
    unless: Typed | None

    @property
    def conditions(self) -> list[Typed]:
        """All of them: the first, those of the stages, what breaks it."""
        return [self.first, *(stage.condition for stage in self.stages), *([self.unless] if self.unless else [])]


def leaves(tree: Typed) -> Iterator[Leaf]:
    """The inputs of a tree in the order in which they stand, windows as a whole."""
    match tree:
        case Apply():
            for item in tree.items:
                yield from leaves(item)
        case Const():
            pass
        case _:
            yield tree


def nodes(tree: Typed) -> Iterator[Typed]:
    """All nodes of a tree, windows as a whole."""
    yield tree
    if isinstance(tree, Apply):
        for item in tree.items:
            yield from nodes(item)


def is_timed(leaf: Leaf) -> bool:
    """Whether time alone moves an input."""
    match leaf:
        case Load():
            return leaf.name.timed
        case Figure():
            return leaf.source.span_ns > 0
        case Passed():
            return False
        case Since():
            return True


def is_share(tree: Typed) -> bool:
    """Whether a number is a share of something (1 is all of it): a name or figure that is one, ``5%``, or their sum."""
    match tree:
        case Const():
            return tree.share
        case Load():
            return tree.name.share
        case Figure(function="share"):
            return True
        case Figure(function="count"):
            return False
        case Figure():
            return is_share(tree.source.item)
        case Apply(op="+" | "-" | "neg", items=items):
            return all(map(is_share, items))
        case _:
            return False


def comparison(tree: Typed) -> tuple[Typed, Typed] | None:
    """Both sides of the first comparison of magnitudes that the whole tree depends on, if there is one."""
    match tree:
        case Apply(op="<" | "<=" | ">" | ">=", items=(left, right)):
            return left, right
        case Apply(op="and", items=items):
            return next(filter(None, map(comparison, items)), None)
        case _:
            return None


def quick(tree: Typed) -> Typed | None:
    """The part of a conjunction that is looked at first: if it is false, all is. It reads the fewest facts, no time."""
    parts = [part for part in _parts(tree) if part is not tree and _is_plain(part)]
    return min(parts, key=lambda part: len(list(leaves(part))), default=None)


def _parts(tree: Typed) -> Iterator[Typed]:
    match tree:
        case Apply(op="and", items=items):
            for item in items:
                yield from _parts(item)
        case Apply(op=op, items=(item,)) if op in (AS_TRUE, AS_FALSE):
            yield from _parts(item)
        case _:
            yield tree


def _is_plain(tree: Typed) -> bool:
    inputs = list(leaves(tree))
    divided = any(isinstance(node, Apply) and node.op == "/" for node in nodes(tree))
    return bool(inputs) and not divided and all(isinstance(leaf, Load) and not is_timed(leaf) for leaf in inputs)


EXTREMES = {"min": 0.0, "max": 1.0}
"""Functions of a window that are quantiles, and which."""
_BEYOND = {">": (">", False), ">=": (">=", False), "<": (">=", True), "<=": (">", True)}
_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


def counting(tree: Typed) -> Typed:
    """The same condition with quantiles of the last N elements against constants as ``Passed``."""
    match tree:
        case Apply(op="<" | "<=" | ">" | ">=" as op, items=(Figure() as figure, Const(value=float() | int() as limit))):
            return _passed(tree, figure, op, float(limit))
        case Apply(op="<" | "<=" | ">" | ">=" as op, items=(Const(value=float() | int() as limit), Figure() as figure)):
            return _passed(tree, figure, _TURNED[op], float(limit))
        case Apply(kind, op, items):
            return Apply(kind, op, tuple(map(counting, items)))
        case _:
            return tree


def _passed(tree: Typed, figure: Figure, op: str, limit: float) -> Typed:
    if not figure.source.size or figure.function not in ("quantile", *EXTREMES):
        return tree
    sign, turned = _BEYOND[op]
    rank = EXTREMES.get(figure.function, figure.rank)
    passed = Passed(Kind.BOOL, msgspec.structs.replace(figure, function="quantile", rank=rank), sign, limit)
    return Apply(Kind.BOOL, "not", (passed,)) if turned else passed
