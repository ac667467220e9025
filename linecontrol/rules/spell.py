"""A typed tree as it could be written."""

from linecontrol.rules.kleene import AS_FALSE, AS_TRUE
from linecontrol.rules.message import duration_text
from linecontrol.rules.names import Kind
from linecontrol.rules.typed import Apply, Const, Figure, Load, Passed, Since, Typed

_SIDES = ("", "cycle", "upstream", "downstream")


def text_of(tree: Typed) -> str:
    """The text of a tree; brackets stand wherever an operation stands in another."""
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
        case Passed():
            return f"{text_of(tree.figure)} {tree.sign} {tree.limit:g}"
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
