"""Why a rule says what it says of a subject: the value of every part of its conditions."""

from collections.abc import Iterator

from msgspec import Struct

from linecontrol.rules import RulesRoom
from linecontrol.rules.emit import value_of
from linecontrol.rules.kleene import AS_FALSE, AS_TRUE
from linecontrol.rules.message import duration_text, show
from linecontrol.rules.names import Kind
from linecontrol.rules.typed import Apply, Chain, Const, Figure, Load, Since, Typed
from linecontrol.rules.watch import Watch

_SIDES = ("", "cycle", "upstream", "downstream")


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
    parts += _parts(watch, "clears", watch.rule.over, 0)
    if watch.rule.suppress is not None:
        parts += _parts(watch, "suppress", watch.rule.suppress, 0)
    return parts


def _parts(watch: Watch, condition: str, tree: Typed, depth: int) -> Iterator[Explained]:
    if isinstance(tree, Const):
        return
    value = value_of(tree)(*watch.facts)()
    yield Explained(condition, depth, text_of(tree), _value(tree.kind, value))
    if isinstance(tree, Apply):
        for item in tree.items:
            yield from _parts(watch, condition, item, depth + 1)


def text_of(tree: Typed) -> str:
    """A typed tree as it could be written."""
    match tree:
        case Const():
            return _const(tree)
        case Load():
            return _load(tree)
        case Since():
            return f"age({tree.name.path})"
        case Figure():
            rank = f", {tree.rank:g}" if tree.function == "quantile" else ""
            return f"{tree.function}({tree.source.text}{rank}, last {_reach(tree)})"
        case Apply(op="in", items=(item, *options)):
            return f"{text_of(item)} in ({', '.join(map(text_of, options))})"
        case Apply(op=op, items=(item,)) if op in (AS_TRUE, AS_FALSE):
            return f"{_wrapped(item)}; {op}"
        case Apply(op="not", items=(item,)):
            return f"not {_wrapped(item)}"
        case Apply(op="neg", items=(item,)):
            return f"-{_wrapped(item)}"
        case Apply(op=op, items=items):
            return f" {op} ".join(map(_wrapped, items))


def _wrapped(tree: Typed) -> str:
    return f"({text_of(tree)})" if isinstance(tree, Apply) else text_of(tree)


def _const(tree: Const) -> str:
    if isinstance(tree.value, bool):
        return "true" if tree.value else "false"
    if isinstance(tree.value, str):
        return f"'{tree.value}'"
    return duration_text(tree.value) if tree.kind is Kind.DUR else f"{tree.value:g}"


def _load(tree: Load) -> str:
    if tree.side in _SIDES:
        return f"{tree.side}.{tree.name.path}" if tree.side in ("upstream", "downstream") else tree.name.path
    kind, _, name = tree.side.partition(" ")
    return f"{'at' if kind == 'station' else kind}('{name}').{tree.name.path}"


def _reach(tree: Figure) -> str:
    source = tree.source
    if not source.size:
        return duration_text(source.span_ns / 1e9)
    return f"{source.size} {'samples' if source.stream.startswith('tag.') else source.stream}"


def _value(kind: Kind, value: bool | float | str | None) -> str:
    if value is None:
        return "unknown"
    if kind is Kind.NUM:
        return f"{value:.6g}"
    if kind is Kind.BOOL:
        return "true" if value else "false"
    return show(kind, value)
