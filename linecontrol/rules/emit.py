"""Python code from a typed tree, and from nothing else: names come from the tables, values through ``repr``.

Each function is made by a factory that binds the facts which it reads, so that one text serves all subjects of a rule.
Inputs are read once. If all are known, one native expression decides; else the same tree is worked out with the
operations of ``kleene``, where unknowns pass through.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from linecontrol.rules.kleene import AS_FALSE, AS_TRUE, OPERATIONS
from linecontrol.rules.moment import NEVER
from linecontrol.rules.names import Clock
from linecontrol.rules.typed import Apply, Const, Figure, Leaf, Load, Since, Typed, is_timed, leaves, nodes

Made = Callable[..., Any]
"""What a factory makes."""
Factory = Callable[..., Made]
"""``(own, line, upstream, downstream, moment, others) -> function``; ``others`` are facts by place, moments by line."""

_WORDS = {"and": "both", "or": "either", "not": "negation", "neg": "minus", "in": "among", AS_TRUE: "as_true",
          AS_FALSE: "as_false"}  # fmt: skip
_PREFIXES = {"not": "not ", "neg": "-", AS_TRUE: "", AS_FALSE: ""}
_SIGNS = {"/": "div", "+": "add", "-": "sub", "*": "mul", "==": "eq", "!=": "ne", "<": "lt", "<=": "le",
          ">": "gt", ">=": "ge"}  # fmt: skip
_CALLS = {op: f"k_{name}" for op, name in (_WORDS | _SIGNS).items()}
_SCOPE: dict[str, Any] = {_CALLS[op]: function for op, function in OPERATIONS.items()} | {
    "round": round, "min": min, "max": max, "len": len, "NEVER": NEVER, "FAR": 1e9
}  # fmt: skip
_BOUND = "own, line, upstream, downstream, moment, others"
_SIDES = ("upstream", "downstream", "cycle")
_MAGNITUDES = ("<", "<=", ">", ">=")
_LINES = {"share": "mean"}


def value_of(tree: Typed) -> Factory:
    """Makes ``value(cycle=None)``: what the tree is worth now; ``None`` if unknown."""
    writer = _Writer()
    body = [*writer.read(leaves(tree)), f"return {writer.worth(tree)}"]
    return _factory(writer.setup, "value(cycle=None)", body)


def wake_of(trees: Iterable[Typed]) -> Factory | None:
    """Makes ``wake()``: the next moment at which time alone may change a condition; ``None`` if it never does."""
    trees = list(trees)
    inputs = [leaf for tree in trees for leaf in leaves(tree)]
    if not any(map(is_timed, inputs)):
        return None
    writer = _Writer()
    body = [*writer.read(inputs), "at = NEVER"]
    for node in (node for tree in trees for node in nodes(tree)):
        if isinstance(node, Apply) and node.op in _MAGNITUDES:
            body += writer.crossing(node)
    for figure in (leaf for leaf in dict.fromkeys(inputs) if isinstance(leaf, Figure) and leaf.source.span_ns):
        body += [f"n = {writer.window(figure)}.oldest()", "if n is not None:", "    at = min(at, moment.when(n))"]
    if any(isinstance(leaf, Load) and leaf.name.clock is Clock.CALENDAR for leaf in inputs):
        body.append("at = min(at, moment.turn())")
    return _factory(writer.setup, "wake()", [*body, "return at"])


def group_of(pairs: Sequence[tuple[Typed, Typed]]) -> Factory:
    """Makes ``look(now)`` for several rules of one subject: each condition that changed is told to ``edge``.

    ``pairs`` holds what raises and what clears each rule. The factory takes two more arguments: the watches in the
    same order, and ``edge(watch, signal, now)``.
    """
    writer = _Writer()
    body = writer.read(leaf for pair in pairs for tree in pair for leaf in leaves(tree))
    setup = []
    for place, (when, over) in enumerate(pairs):
        setup.append(f"w{place} = watches[{place}]; a{place} = w{place}.alarm")
        body += [
            f"if a{place}.raised:",
            f"    s = {writer.worth(over)}",
            "else:",
            f"    s = {writer.worth(when)}",
            f"if s is not a{place}.signal:",
            f"    edge(w{place}, s, now)",
        ]
    return _factory([*writer.setup, *setup], "look(now)", body, f"{_BOUND}, watches, edge")


def _factory(setup: list[str], signature: str, body: list[str], bound: str = _BOUND) -> Factory:
    lines = [f"def make({bound}):"]
    lines += [f"    {line}" for line in setup]
    lines.append(f"    def {signature}:")
    lines += [f"        {line}" for line in body]
    lines.append(f"    return {signature.partition('(')[0]}")
    return _compiled("\n".join(lines) + "\n")


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Factory:
    scope: dict[str, Any] = {"__builtins__": {}} | _SCOPE
    exec(compile(source, "<rule>", "exec"), scope)  # noqa: S102 - the source is made of tables and reprs only
    factory: Factory = scope["make"]
    return factory


class _Writer:
    """Writes the parts of one function; ``setup`` is what its factory binds."""

    def __init__(self) -> None:
        self.setup: list[str] = []
        self._locals: dict[Leaf, str] = {}
        self._bound: dict[str, str] = {}

    def read(self, inputs: Iterable[Leaf]) -> list[str]:
        """Code that reads each input once."""
        code = []
        for leaf in inputs:
            if leaf not in self._locals:
                self._locals[leaf] = f"v{len(self._locals)}"
                code.append(f"{self._locals[leaf]} = {self._reading(leaf)}")
        return code

    def worth(self, tree: Typed) -> str:
        """An expression for a tree whose inputs were read."""
        inputs = list(dict.fromkeys(leaves(tree)))
        if isinstance(tree, Const) or not inputs:
            return self._kleene(tree)
        if _may_divide_by_zero(tree):
            return self._kleene(tree)
        known = " and ".join(f"{self._locals[leaf]} is not None" for leaf in inputs)
        return f"({self._native(tree)}) if {known} else {self._kleene(tree)}"

    def crossing(self, node: Apply) -> list[str]:
        """Code that brings ``at`` forward to the moment at which both sides of a comparison meet, if they do."""
        left, right = node.items
        slope = self._slope(node)
        if slope == "0.0":
            return []
        inputs = list(dict.fromkeys(leaf for leaf in leaves(node)))
        known = " and ".join(f"{self._locals[leaf]} is not None" for leaf in inputs)
        wall = any(isinstance(leaf, Load) and leaf.name.clock is Clock.WALL for leaf in inputs)
        sides = [leaf.side for leaf in inputs if isinstance(leaf, Load) and leaf.name.clock is Clock.WORKING]
        clock = self._clock(next(iter(sides), ""))
        moment = "moment.now + n" if wall else f"{clock}.when({clock}.worked + n)"
        return [
            f"if {known}:",
            f"    g = ({self._kleene(left)}); h = ({self._kleene(right)}); s = {slope}",
            "    if s != 0 and g is not None and h is not None and 0 <= (h - g) / s < FAR:",
            "        n = max(1, round((h - g) / s * 1e9))",
            f"        at = min(at, {moment})",
        ]

    def window(self, figure: Figure) -> str:
        """The name to which a figure's window is bound."""
        table = "smooth" if figure.source.smooth else "windows"
        return self._bind(f"own.{table}[{figure.source.key!r}]")

    # --- inputs ---------------------------------------------------------------------------------------------

    def _reading(self, leaf: Leaf) -> str:
        match leaf:
            case Load():
                code = leaf.name.code.replace("(moment)", f"({self._clock(leaf.side)})")
                return code.format(of=self._facts(leaf.side), line="line")
            case Since():
                return f"{self._bind(f'own.ages[{leaf.name.path!r}]')}.age(moment.worked)"
            case Figure():
                return self._figure(leaf)

    def _figure(self, figure: Figure) -> str:
        window, least = self.window(figure), figure.least
        if figure.source.size and figure.function in ("count", "share", "mean"):
            number = f"len({window}.values) - {window}.head"
            worth = f"{window}.total" if figure.function == "count" else f"{window}.total / ({number})"
            return f"({worth} if {number} >= {least} else None)"
        rank = f", {figure.rank!r}" if figure.function == "quantile" else ""
        return f"{window}.{_LINES.get(figure.function, figure.function)}(moment.worked, {least}{rank})"

    def _facts(self, side: str) -> str:
        if not side:
            return "own"
        return side if side in _SIDES else self._bind(f"others[{side!r}]")

    def _clock(self, side: str) -> str:
        """The moment by which the times of a side run: another line's by its own."""
        return self._bind(f"others[{f'moment {side}'!r}]") if side.startswith("line ") else "moment"

    def _bind(self, code: str) -> str:
        if code not in self._bound:
            self._bound[code] = f"b{len(self._bound)}"
            self.setup.append(f"{self._bound[code]} = {code}")
        return self._bound[code]

    # --- operations -----------------------------------------------------------------------------------------

    def _native(self, tree: Typed) -> str:
        match tree:
            case Const():
                return repr(tree.value)
            case Apply():
                items = [self._native(item) for item in tree.items]
                if tree.op == "in":
                    return f"({items[0]} in ({', '.join(items[1:])},))"
                if len(items) == 1:
                    return f"({_PREFIXES[tree.op]}{items[0]})"
                return f"({items[0]} {tree.op} {items[1]})"
            case _:
                return self._locals[tree]

    def _kleene(self, tree: Typed) -> str:
        match tree:
            case Const():
                return repr(tree.value)
            case Apply():
                return f"{_CALLS[tree.op]}({', '.join(self._kleene(item) for item in tree.items)})"
            case _:
                return self._locals[tree]

    def _slope(self, tree: Typed) -> str:
        """How much a magnitude grows in a second; for a comparison, its left side against its right side."""
        match tree:
            case Load() if tree.name.slope:
                return tree.name.slope.format(of=self._facts(tree.side))
            case Since():
                return "1.0"
            case Apply(op="neg", items=(item,)):
                return _negated(self._slope(item))
            case Apply(op="+", items=(left, right)):
                return _joined(self._slope(left), "+", self._slope(right))
            case Apply(op="-" | "<" | "<=" | ">" | ">=", items=(left, right)):
                return _joined(self._slope(left), "-", self._slope(right))
            case Apply(op="*", items=(left, right)):
                slope = self._slope(left)
                runs, factor = (slope, right) if slope != "0.0" else (self._slope(right), left)
                return _scaled(runs, "*", self._kleene(factor))
            case Apply(op="/", items=(left, right)):
                return _scaled(self._slope(left), "/", self._kleene(right))
            case _:
                return "0.0"


def _negated(slope: str) -> str:
    return slope if slope == "0.0" else f"(-{slope})"


def _joined(left: str, op: str, right: str) -> str:
    if right == "0.0":
        return left
    return f"({left} {op} {right})" if left != "0.0" or op == "-" else right


def _scaled(slope: str, op: str, factor: str) -> str:
    if slope == "0.0":
        return slope
    return f"({slope} * ({factor} or 0.0))" if op == "*" else f"({slope} / {factor} if {factor} else 0.0)"


def _may_divide_by_zero(tree: Typed) -> bool:
    if not isinstance(tree, Apply):
        return False
    if tree.op == "/" and not (isinstance(tree.items[1], Const) and tree.items[1].value != 0):
        return True
    return any(map(_may_divide_by_zero, tree.items))
