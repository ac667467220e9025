"""Python code from a typed tree, and from nothing else: names come from the tables, values through ``repr``.

Each function is made by a factory that binds the facts which it reads, so that one text serves all subjects of a rule.
Inputs are read once. If all are known, one native expression decides; else the same tree is worked out with the
operations of ``kleene``, where unknowns pass through.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from linecontrol.model import Timing
from linecontrol.rules.kleene import AS_FALSE, AS_TRUE, OPERATIONS
from linecontrol.rules.moment import NEVER
from linecontrol.rules.names import Clock
from linecontrol.rules.typed import (
    EXTREMES,
    Apply,
    Const,
    Figure,
    Leaf,
    Load,
    Passed,
    Since,
    Typed,
    counting,
    is_timed,
    leaves,
    nodes,
)
from linecontrol.rules.window import rank_of

Made = Callable[..., Any]
"""What a factory makes."""
Factory = Callable[..., Made]
"""``(own, line, upstream, downstream, moment, others) -> function``; ``others`` are facts by place, moments by line."""
BOUND = "own, line, upstream, downstream, moment, others"
"""What the factories of values bind."""

_WORDS = {"and": "both", "or": "either", "not": "negation", "neg": "minus", "in": "among", AS_TRUE: "as_true",
          AS_FALSE: "as_false"}  # fmt: skip
_PREFIXES = {"not": "not ", "neg": "-", AS_TRUE: "", AS_FALSE: ""}
_SIGNS = {"/": "div", "+": "add", "-": "sub", "*": "mul", "==": "eq", "!=": "ne", "<": "lt", "<=": "le",
          ">": "gt", ">=": "ge"}  # fmt: skip
_CALLS = {op: f"k_{name}" for op, name in (_WORDS | _SIGNS).items()}
SCOPE: dict[str, Any] = {_CALLS[op]: function for op, function in OPERATIONS.items()} | {
    "round": round, "sum": sum, "bisect_left": bisect_left, "insort": insort, "MEASURED": Timing.MEASURED,
    "NEVER": NEVER, "FAR": 1e9,
    "BY_ZERO": ZeroDivisionError,
}  # fmt: skip
_SIDES = ("upstream", "downstream", "cycle")
MAGNITUDES = ("<", "<=", ">", ">=")
_LINES = {"share": "mean"}


def value_of(tree: Typed) -> Factory:
    """Makes ``value(event=None)``: what the tree is worth now; ``None`` if unknown. ``event`` is a cycle's."""
    writer = Writer()
    body = [*writer.read(leaves(tree)), f"return {writer.worth(tree)}"]
    timed = any("worked" in line or "moment" in line for line in (*writer.setup, *body))
    return factory(writer.setup, "value(event=None)", ["worked = moment.worked", *body] if timed else body)


def signal_of(when: Typed, over: Typed) -> Factory:
    """Makes ``signal()``, bound to an ``alarm`` besides: what ``over`` is worth if that is raised, else ``when``."""
    when, over = counting(when), counting(over)
    writer = Writer(ordered=True)
    raised = writer.aside()
    body = ["if alarm.raised:", *indented([*raised.read(leaves(over)), f"return {raised.worth(over)}"])]
    body += [*writer.read(leaves(when)), f"return {writer.worth(when)}"]
    timed = any("worked" in line or "moment" in line for line in (*writer.setup, *body))
    return factory(writer.setup, "signal()", ["worked = moment.worked", *body] if timed else body, f"{BOUND}, alarm")


def wake_of(trees: Sequence[Typed]) -> Factory | None:
    """Makes ``wake(now)``: the next moment at which time alone may change a condition; ``None`` if it never does."""
    if not any(is_timed(leaf) for tree in trees for leaf in leaves(tree)):
        return None
    writer = Writer()
    body = [*writer.waking(trees), "return at"]
    return factory(writer.setup, "wake(now)", present(body))


def moving(trees: Iterable[Typed]) -> Iterator[Leaf]:
    """The inputs that decide when time alone changes a condition: those of what runs with time, and windows of it."""
    for node in (node for tree in trees for node in nodes(tree)):
        if isinstance(node, Apply) and node.op in MAGNITUDES and any(map(is_timed, leaves(node))):
            yield from leaves(node)
        elif isinstance(node, Figure) and is_timed(node):
            yield node


def on_calendar(tree: Typed) -> bool:
    """Whether the end of a working period or of a day moves a tree."""
    return any(isinstance(leaf, Load) and leaf.name.clock is Clock.CALENDAR for leaf in leaves(tree))


def present(body: list[str]) -> list[str]:
    """Code of a function that knows ``now``, preceded by what it needs of the line's present."""
    if any("worked" in line for line in body):
        return [TURN, "worked = now + moment.offset if moment.working else moment.level", *body]
    return [TURN, *body] if any("moment" in line for line in body) else body


def indented(lines: Iterable[str]) -> list[str]:
    """Code one level further in."""
    return [f"    {line}" for line in lines]


TURN = "if now >= moment.turns: moment.turn()"


def factory(setup: list[str], signature: str, body: list[str], bound: str = BOUND) -> Factory:
    """A function that binds ``bound`` and makes another one of this signature."""
    lines = [f"def make({bound}):"]
    lines += indented(setup)
    lines.append(f"    def {signature}:")
    lines += indented(indented(body))
    lines.append(f"    return {signature.partition('(')[0]}")
    return compiled("\n".join(lines) + "\n")


@lru_cache(maxsize=4096)
def compiled(source: str) -> Factory:
    """The factory that a text makes; the same text is compiled once."""
    scope: dict[str, Any] = {"__builtins__": {}} | SCOPE
    exec(compile(source, "<rule>", "exec"), scope)  # noqa: S102 - the source is made of tables and reprs only
    made: Factory = scope["make"]
    return made


class Writer:
    """Writes the parts of one function; ``setup`` is what its factory binds."""

    def __init__(self, *, ordered: bool = False) -> None:
        """``ordered``: the windows that are asked for quantiles keep their values in order."""
        self.setup: list[str] = []
        self._ordered = ordered
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
        if may_divide_by_zero(tree):
            return self._kleene(tree)
        known = " and ".join(f"{self._locals[leaf]} is not None" for leaf in inputs)
        return f"({self.native(tree)}) if {known} else {self._kleene(tree)}"

    def aside(self) -> "Writer":
        """A writer for a branch: it knows what has been read, and what it reads isn't known afterwards."""
        other = Writer(ordered=self._ordered)
        other.setup, other._bound, other._locals = self.setup, self._bound, self._locals.copy()
        return other

    def names(self, inputs: Iterable[Leaf]) -> list[str]:
        """The names under which inputs were read."""
        return [self._locals[leaf] for leaf in inputs]

    def unknown(self, inputs: Iterable[Leaf]) -> list[str]:
        """Expressions, one of which is true if any of the inputs, which were read, is unknown."""
        return [f"{name} is None" for name in self.names(dict.fromkeys(inputs))]

    def crossing(self, tree: Typed) -> str | None:
        """The seconds until time moves a tree, whose inputs are known; ``None`` if that is no matter of one sum."""
        timed = [node for node in dict.fromkeys(nodes(tree)) if any(map(is_timed, leaves(node)))]
        if any(isinstance(node, Figure) for node in timed):
            return None
        slopes = {node: self._slope(node) for node in timed if isinstance(node, Apply) and node.op in MAGNITUDES}
        moving = [node for node, slope in slopes.items() if slope != "0.0"]
        if len(moving) != 1 or slopes[moving[0]] != "1.0" or may_divide_by_zero(moving[0]):
            return None
        left, right = moving[0].items
        return f"{self.native(right)} - {self.native(left)}"

    def waking(self, trees: Sequence[Typed]) -> list[str]:
        """Code that sets ``at`` to the next moment at which time alone may change a condition; it needs ``now``."""
        code = ["at = NEVER"]
        for node in dict.fromkeys(node for tree in trees for node in nodes(tree)):
            if isinstance(node, Apply) and node.op in MAGNITUDES:
                code += self._crossing(node)
        inputs = dict.fromkeys(leaf for tree in trees for leaf in leaves(tree))
        for figure in inputs:
            if isinstance(figure, Figure) and figure.source.span_ns:
                oldest = f"{self.window(figure)}.oldest(worked)"
                code += [f"n = {oldest}", "if n is not None:", "    n = moment.when(n)", "    if n < at: at = n"]
        if any(map(on_calendar, trees)):
            code.append("if moment.turns < at: at = moment.turns")
        return code

    def window(self, figure: Figure) -> str:
        """The name to which a figure's window is bound."""
        return self.bind(f"own.{figure.source.table}[{figure.source.key!r}]")

    def bind(self, code: str) -> str:
        """The name to which the factory binds something that stays the same."""
        if code not in self._bound:
            self._bound[code] = f"b{len(self._bound)}"
            self.setup.append(f"{self._bound[code]} = {code}")
        return self._bound[code]

    def _crossing(self, node: Apply) -> list[str]:
        """Code that brings ``at`` forward to the moment at which both sides of a comparison meet, if they do."""
        left, right = node.items
        inputs = list(dict.fromkeys(leaves(node)))
        if not any(map(is_timed, inputs)):
            return []
        reading = self.read(inputs)
        slope = self._slope(node)
        if slope == "0.0":
            return reading
        known = " and ".join(f"{self._locals[leaf]} is not None" for leaf in inputs)
        wall = any(isinstance(leaf, Load) and leaf.name.clock is Clock.WALL for leaf in inputs)
        sides = [leaf.side for leaf in inputs if isinstance(leaf, Load) and leaf.name.clock is Clock.WORKING]
        clock = self._clock(next(iter(sides), ""))
        when = f"{clock}.when({clock}.worked + n)"
        if clock == "moment":
            when = "now + n if moment.working and now + n <= moment.turns else moment.when(worked + n)"
        if slope == "1.0" and not may_divide_by_zero(node):
            gap = [f"n = {self.native(right)} - {self.native(left)}"]
        else:
            gap = [
                f"g = {self._kleene(left)}; h = {self._kleene(right)}; s = {slope}",
                "n = -1.0 if s == 0 or g is None or h is None else (h - g) / s",
            ]
        return [
            *reading,
            f"if {known}:",
            *indented(gap),
            "    if 0 <= n < FAR:",
            "        n = round(n * 1e9) or 1",
            f"        n = {'now + n' if wall else when}",
            "        if n < at: at = n",
        ]

    # --- inputs ---------------------------------------------------------------------------------------------

    def _reading(self, leaf: Leaf) -> str:
        match leaf:
            case Load():
                clock, code = self._clock(leaf.side), leaf.name.code
                if clock != "moment":
                    code = code.replace("moment", clock).replace("worked", f"{clock}.worked")
                return code.format(of=self._facts(leaf.side), line="line")
            case Since():
                return f"{self.bind(f'own.ages[{leaf.name.path!r}]')}.age(worked)"
            case Figure():
                return self._figure(leaf)
            case Passed():
                return self._passed(leaf)

    def _figure(self, figure: Figure) -> str:
        window, source, function = self.window(figure), figure.source, figure.function
        rank = f", {figure.rank!r}" if function == "quantile" else ""
        then = "worked" if source.table == "spans" else "0"
        asked = f"{window}.{_LINES.get(function, function)}({then}, {figure.least}{rank})"
        if source.table != "rings":
            return asked
        full = {
            "count": "{}.total",
            "share": f"{{}}.total / {source.size}",
            "mean": f"({{0}}.total + {{0}}.rest) / {source.size}",
        }.get(function)
        if full:
            full = full.format(self.bind(f"{window}.sum"))
        if self._ordered and function in EXTREMES | {"quantile": 0.0}:
            place = rank_of(source.size, EXTREMES.get(function, figure.rank))
            full = f"{self.bind(f'{window}.order')}[{place}]"
        return f"({full} if {window}.at >= 0 else {asked})" if full else asked

    def _passed(self, passed: Passed) -> str:
        figure = passed.figure
        window = self.window(figure)
        enough = figure.source.size - rank_of(figure.source.size, figure.rank)
        above = self.bind(f"{window}.above[{passed.key!r}]")
        growing = f"{window}.passed({figure.least}, {figure.rank!r}, {above}[0])"
        return f"({above}[0] >= {enough} if {window}.at >= 0 else {growing})"

    def _facts(self, side: str) -> str:
        if not side:
            return "own"
        return side if side in _SIDES else self.bind(f"others[{side!r}]")

    def _clock(self, side: str) -> str:
        """The moment by which the times of a side run: another line's by its own."""
        return self.bind(f"others[{f'moment {side}'!r}]") if side.startswith("line ") else "moment"

    # --- operations -----------------------------------------------------------------------------------------

    def native(self, tree: Typed) -> str:
        """An expression for a tree whose inputs were read and are known."""
        match tree:
            case Const():
                return repr(tree.value)
            case Apply():
                items = [self.native(item) for item in tree.items]
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


def may_divide_by_zero(tree: Typed) -> bool:
    """Whether working out a tree may raise ``ZeroDivisionError``."""
    if not isinstance(tree, Apply):
        return False
    if tree.op == "/" and not (isinstance(tree.items[1], Const) and tree.items[1].value != 0):
        return True
    return any(map(may_divide_by_zero, tree.items))
