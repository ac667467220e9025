"""What conditions can be at all: one that is never or always true, or contradicts another, is a mistake.

Each thing that a condition compares is taken to be anything it can be, and independent of all others; so what is found
impossible is impossible.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, product
from math import inf, prod
from typing import Any

from linecontrol.rules.kleene import OPERATIONS
from linecontrol.rules.names import ENUMS, Kind
from linecontrol.rules.spell import text_of
from linecontrol.rules.typed import Apply, Const, Figure, Load, Since, Typed, is_share

MOST_CASES = 4_000
"""A condition with more cases than this is not looked at."""

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_FROM_ZERO = frozenset(
    ["state_for", "since_cycle", "running.active", "running.progress", "cycles_today", "bottleneck_for", "down_for"]
)
_SAME_RANGE = ("mean", "median", "quantile", "min", "max", "ewma")

Case = Mapping[Typed, Any]
"""What each thing is, in one case."""


def mistakes(when: Typed, clear: Typed | None, suppress: Typed | None) -> Iterator[tuple[str, str]]:
    """The conditions of a rule (``when``, ``clear_when``, ``suppress``) that can't be meant, with the reason."""
    when = _folded(when)
    clear, suppress = (tree if tree is None else _folded(tree) for tree in (clear, suppress))
    trees = [tree for tree in (when, clear, suppress) if tree is not None]
    things = _things(trees)
    if prod(map(len, things.values())) > MOST_CASES:
        return
    cases = [dict(zip(things, values, strict=True)) for values in product(*things.values())]
    raises = [case for case in cases if _holds(when, case)]
    if not raises:
        yield "when", f"can never be true{_reason(when)}"
    elif len(raises) == len(cases):
        yield "when", f"is always true{_reason(when)}"
    if clear is not None and raises:
        over = [case for case in cases if _holds(clear, case)]
        if not over or len(over) == len(cases):
            yield "clear_when", f"{'is always true' if over else 'can never be true'}{_reason(clear)}"
        elif not any(not _holds(when, case) for case in over):
            yield "clear_when", "never holds while 'when' does not, so the flag would never clear"
        elif len(_things([when, clear])) == 1 and any(_holds(when, case) for case in over):
            yield (
                "clear_when",
                "overlaps 'when', and while both hold the flag stays: there is no hysteresis; leave a gap, such as "
                "behind > 5 and behind < 3, or leave clear_when out",
            )
    if suppress is not None and raises:
        if not any(_holds(suppress, case) for case in cases):
            yield "suppress", f"can never be true{_reason(suppress)}"
        elif all(_holds(suppress, case) for case in raises):
            yield "suppress", "holds whenever 'when' does, so nobody would ever be told"


def _folded(tree: Typed) -> Typed:
    """The tree with the arithmetic of values worked out."""
    if not isinstance(tree, Apply):
        return tree
    items = tuple(map(_folded, tree.items))
    if tree.op in ("+", "-", "*", "/", "neg") and all(isinstance(item, Const) for item in items):
        value = OPERATIONS[tree.op](*(item.value for item in items if isinstance(item, Const)))
        if value is not None:
            return Const(tree.kind, value)
    return Apply(tree.kind, tree.op, items)


def _things(trees: Iterable[Typed]) -> dict[Typed, list[Any]]:
    """What is compared, with all values that make a difference."""
    limits: dict[Typed, set[Any]] = {}
    for tree in trees:
        for thing, limit in _compared(tree):
            limits.setdefault(thing, set()).update(limit)
    return {thing: _values(thing, its) for thing, its in limits.items()}


def _compared(tree: Typed) -> Iterator[tuple[Typed, tuple[Any, ...]]]:
    match tree:
        case Const():
            return
        case Apply(op="and" | "or" | "not", items=items):
            for item in items:
                yield from _compared(item)
        case Apply(op="in", items=(item, *options)) if all(isinstance(option, Const) for option in options):
            yield item, tuple(option.value for option in options if isinstance(option, Const))
        case Apply(op=op, items=(left, right)) if op in _FLIPPED:
            if isinstance(right, Const) and not isinstance(left, Const):
                yield left, (right.value,)
            elif isinstance(left, Const) and not isinstance(right, Const):
                yield right, (left.value,)
            elif not isinstance(left, Const):
                yield _difference(left, right), (0.0,)
        case _:
            yield tree, ()


def _difference(left: Typed, right: Typed) -> Apply:
    first, second = sorted((left, right), key=repr)
    return Apply(Kind.NUM, "-", (first, second))


def _values(thing: Typed, limits: set[Any]) -> list[Any]:
    if thing.kind is Kind.BOOL:
        return [True, False]
    if thing.kind in ENUMS:
        return list(ENUMS[thing.kind])
    if thing.kind is Kind.TEXT:
        return [*sorted(limits), None]  # None stands for any other text
    low, high = _range(thing)
    ordered = sorted(float(limit) for limit in limits)
    between = [(one + other) / 2 for one, other in pairwise(ordered)]
    points = [ordered[0] - 1, *ordered, *between, ordered[-1] + 1, low, high]
    return sorted({point for point in points if low <= point <= high and abs(point) != inf})


def _range(thing: Typed) -> tuple[float, float]:
    match thing:
        case Apply(op="-", items=(one, other)) if one == other:
            return 0.0, 0.0
        case Apply(op="neg", items=(item,)):
            low, high = _range(item)
            return -high, -low
        case Figure(function="count", source=source) if source.size:
            return 0.0, float(source.size)
        case Figure(function="count"):
            return 0.0, inf
        case Figure(function="share"):
            return 0.0, 1.0
        case Figure(function=function, source=source) if function in _SAME_RANGE:
            return _range(source.item)
        case Load(name=named) if named.share and not named.timed:
            return 0.0, 1.0
        case Load(name=named) if named.path in _FROM_ZERO:
            return 0.0, inf
        case Since():
            return 0.0, inf
        case _:
            return -inf, inf


def _holds(tree: Typed, case: Case) -> bool:
    return bool(_worth(tree, case))


def _worth(tree: Typed, case: Case) -> Any:
    match tree:
        case Const():
            return tree.value
        case Apply(op="and" | "or" | "not" as op, items=items):
            return OPERATIONS[op](*(_worth(item, case) for item in items))
        case Apply(op="in", items=(item, *options)) if all(isinstance(option, Const) for option in options):
            return case[item] in [_worth(option, case) for option in options]
        case Apply(op=op, items=(left, right)) if op in _FLIPPED:
            return _compare(op, left, right, case)
        case _:
            return case[tree]


def _compare(op: str, left: Typed, right: Typed, case: Case) -> bool:
    if isinstance(left, Const) and isinstance(right, Const):
        return bool(OPERATIONS[op](left.value, right.value))
    if isinstance(right, Const):
        value, limit = case[left], right.value
    elif isinstance(left, Const):
        value, limit, op = case[right], left.value, _FLIPPED[op]
    else:
        difference = _difference(left, right)
        value, limit = case[difference], 0.0
        op = op if difference.items[0] == left else _FLIPPED[op]
    if value is None or isinstance(value, str):
        return (value == limit) is (op == "==")
    return bool(OPERATIONS[op](value, limit))


def _reason(tree: Typed) -> str:
    """Which of the things compared has a range, in words."""
    things = _things([tree])
    if not things:
        return ": it looks at nothing"
    ranges = [(thing, _range(thing)) for thing in things]
    said = [
        f"{text_of(thing)} is {f'from {low:g} to {high:g}' if high < inf else 'never below 0'}"
        for thing, (low, high) in ranges
        if -inf < low < high
    ]
    percent = "; a share is written 60%" if any(is_share(thing) and high == 1 for thing, (_, high) in ranges) else ""
    return f": {', '.join(said)}{percent}" if said else ""
