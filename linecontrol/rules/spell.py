"""A typed tree as it could be written."""

from linecontrol.duration import NS, exact
from linecontrol.rules.kleene import AS_FALSE, AS_TRUE
from linecontrol.rules.names import Kind
from linecontrol.rules.typed import Apply, Const, Figure, Load, Passed, Since, Typed

_STRENGTH = {
    AS_TRUE: 0, AS_FALSE: 0, "or": 1, "and": 2, "not": 3, "in": 4, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "neg": 7,
}  # fmt: skip
_SIDES = ("", "cycle", "upstream", "downstream")


def text_of(tree: Typed) -> str:
    """The text of a tree, with the brackets that it needs."""
    match tree:
        case Const():
            return _const(tree)
        case Load():
            return _load(tree)
        case Since():
            return f"age({tree.name.path})"
        case Figure():
            rank = f", {100 * tree.rank:g}%" if tree.function == "quantile" else ""
            least = f", min {tree.least}" if tree.source.size and tree.least not in (0, tree.source.size) else ""
            return f"{tree.function}({tree.source.text}{rank}, last {_reach(tree)}{least})"
        case Passed():
            limit = exact(round(tree.limit * NS)) if tree.figure.kind is Kind.DUR else f"{tree.limit:g}"
            return f"{text_of(tree.figure)} {tree.sign} {limit}"
        case Apply(op="in", items=(item, *options)):
            return f"{text_of(item)} in ({', '.join(map(text_of, options))})"
        case Apply(op=op, items=(item,)) if op in (AS_TRUE, AS_FALSE):
            return f"{text_of(item)}; {op}"
        case Apply(op="not", items=(item,)):
            return f"not {_within(item, _STRENGTH['not'])}"
        case Apply(op="neg", items=(item,)):
            return f"-{_within(item, _STRENGTH['neg'])}"
        case Apply(op=op, items=(left, *others)):
            right = "".join(f" {op} {_within(item, _STRENGTH[op] + 1)}" for item in others)
            return f"{_within(left, _STRENGTH[op] + (_STRENGTH[op] == _STRENGTH['==']))}{right}"
        case _:
            raise AssertionError(tree)


def _within(tree: Typed, strength: int) -> str:
    """The text of a part, in brackets if it binds less than what is around it."""
    weak = isinstance(tree, Apply) and _STRENGTH[tree.op] < strength
    return f"({text_of(tree)})" if weak else text_of(tree)


def _const(tree: Const) -> str:
    if isinstance(tree.value, bool):
        return "true" if tree.value else "false"
    if isinstance(tree.value, str):
        return f"'{tree.value}'"
    if tree.kind is Kind.DUR:
        return exact(round(tree.value * NS))
    return f"{round(100 * tree.value, 9):g}%" if tree.share else f"{tree.value:g}"


def _load(tree: Load) -> str:
    if tree.side in _SIDES:
        return f"{tree.side}.{tree.name.path}" if tree.side in ("upstream", "downstream") else tree.name.path
    kind, _, name = tree.side.partition(" ")
    return f"{'at' if kind == 'station' else kind}('{name}').{tree.name.path}"


def _reach(tree: Figure) -> str:
    source = tree.source
    if not source.size:
        return exact(source.span_ns)
    return f"{source.size} {'samples' if source.stream.startswith('tag.') else source.stream}"
