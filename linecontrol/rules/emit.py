"""Python code from a typed tree, and from nothing else: names come from the tables, values through ``repr``.

Inputs are read once. If all are known, one native expression decides; else the same tree is worked out with the
operations of ``kleene``, where unknowns pass through.
"""

from collections.abc import Callable
from typing import Any

from linecontrol.rules.kleene import OPERATIONS
from linecontrol.rules.typed import Apply, Const, Figure, Load, Typed, leaves

Compiled = Callable[..., Any]
"""``(own, line, upstream, downstream, moment, cycle) -> value or None``; facts of each, and the present."""

_WORDS = {"and": "both", "or": "either", "not": "negation", "neg": "minus", "in": "among"}
_SIGNS = {"/": "div", "+": "add", "-": "sub", "*": "mul", "==": "eq", "!=": "ne", "<": "lt", "<=": "le",
          ">": "gt", ">=": "ge"}  # fmt: skip
_CALLS = {op: f"k_{name}" for op, name in (_WORDS | _SIGNS).items()}
_SCOPE: dict[str, Any] = {_CALLS[op]: function for op, function in OPERATIONS.items()}
_ARGUMENTS = "own, line, upstream, downstream, moment, cycle=None"


def source(tree: Typed) -> str:
    """The code of a function named ``value`` that works out the tree."""
    locals_: dict[Typed, str] = {}
    lines = [f"def value({_ARGUMENTS}):"]
    for leaf in leaves(tree):
        if leaf not in locals_:
            locals_[leaf] = f"v{len(locals_)}"
            lines.append(f"    {locals_[leaf]} = {_read(leaf)}")
    if locals_ and not _may_divide_by_zero(tree):
        known = " and ".join(f"{name} is not None" for name in locals_.values())
        lines.append(f"    if {known}:")
        lines.append(f"        return {_native(tree, locals_)}")
    lines.append(f"    return {_kleene(tree, locals_)}")
    return "\n".join(lines) + "\n"


def function(tree: Typed) -> Compiled:
    """The function itself."""
    scope: dict[str, Any] = {"__builtins__": {}} | _SCOPE
    exec(compile(source(tree), "<rule>", "exec"), scope)  # noqa: S102 - the source is made of tables and reprs only
    value: Compiled = scope["value"]
    return value


def _read(leaf: Load | Figure) -> str:
    if isinstance(leaf, Figure):
        return f"own.windows[{leaf.key!r}].figure"
    return leaf.name.code.format(of=leaf.side or "own", line="line")


def _may_divide_by_zero(tree: Typed) -> bool:
    if not isinstance(tree, Apply):
        return False
    if tree.op == "/" and not (isinstance(tree.items[1], Const) and tree.items[1].value != 0):
        return True
    return any(map(_may_divide_by_zero, tree.items))


def _native(tree: Typed, locals_: dict[Typed, str]) -> str:
    match tree:
        case Const():
            return repr(tree.value)
        case Apply():
            items = [_native(item, locals_) for item in tree.items]
            if tree.op == "in":
                return f"({items[0]} in ({', '.join(items[1:])},))"
            if len(items) == 1:
                return f"({'-' if tree.op == 'neg' else 'not '}{items[0]})"
            return f"({items[0]} {tree.op} {items[1]})"
        case _:
            return locals_[tree]


def _kleene(tree: Typed, locals_: dict[Typed, str]) -> str:
    match tree:
        case Const():
            return repr(tree.value)
        case Apply():
            return f"{_CALLS[tree.op]}({', '.join(_kleene(item, locals_) for item in tree.items)})"
        case _:
            return locals_[tree]
