"""Why a rule says what it says of a subject: the value of every part of its conditions."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from linecontrol.duration import NS, exact
from linecontrol.rules import RulesRoom
from linecontrol.rules.emit import value_of
from linecontrol.rules.kleene import AS_FALSE, AS_TRUE
from linecontrol.rules.message import show
from linecontrol.rules.names import Kind
from linecontrol.rules.spell import text_of
from linecontrol.rules.typed import Apply, Chain, Const, Typed, is_share
from linecontrol.rules.watch import Watch


class Explained(Struct, frozen=True):
    """A part of a condition: how deep it lies, which condition it is of, its text and its value as people read it."""

    condition: str
    depth: int
    text: str
    value: str


def explain(room: RulesRoom, flag: str) -> list[Explained]:
    """The parts of a flag's conditions, each before what it is made of, at the room's present moment.

    Raises:
        KeyError: there is no such flag.
    """
    watch = room.watched(flag)
    when = watch.rule.when
    parts: list[Explained] = []
    if isinstance(when, Chain):
        names = ["first", *(f"then {place}" for place in range(1, len(when.stages) + 1)), "unless"]
        for name, condition in zip(names, when.conditions, strict=False):
            parts += _parts(watch, f"when ({name})", condition, 0)
    else:
        parts += _parts(watch, "when", when, 0)
    if watch.rule.config.clear_when is not None or isinstance(when, Chain):
        parts += _parts(watch, "clear_when", _written(watch.rule.over), 0)
    if watch.rule.suppress is not None:
        parts += _parts(watch, "suppress", watch.rule.suppress, 0)
    return parts


def _written(over: Typed) -> Typed:
    """The ``clear_when`` in what clears a rule: that, and not ``when``."""
    match over:
        case Apply(op=op, items=(item,)) if op in (AS_TRUE, AS_FALSE):
            return _written(item)
        case Apply(op="and", items=(clear, Apply(op="not"))):
            return clear
        case _:
            return over


def _parts(watch: Watch, condition: str, tree: Typed, depth: int) -> Iterator[Explained]:
    if isinstance(tree, Const):
        return
    value = value_of(tree)(*watch.facts)()
    yield Explained(condition, depth, text_of(tree), _value(tree, value))
    if isinstance(tree, Apply):
        for item in tree.items:
            yield from _parts(watch, condition, item, depth + 1)


def _value(tree: Typed, value: Any) -> str:
    if value is None:
        return "unknown"
    match tree.kind:
        case Kind.NUM:
            return f"{100 * value:.6g} %" if is_share(tree) else f"{value:.6g}"
        case Kind.BOOL:
            return "true" if value else "false"
        case Kind.DUR:
            return exact(round(round(value * NS), -6))
        case _:
            return show(tree.kind, value)
