"""The tree of a condition with types: every name known, every operation between types that go together."""

from collections.abc import Mapping

from linecontrol.config import Subject
from linecontrol.rules.names import CYCLE, ENUMS, NAMES, SIDES, STATION, Kind, Named
from linecontrol.rules.suggest import nearest
from linecontrol.rules.tree import (
    Absent,
    Among,
    ExpressionError,
    Infix,
    Length,
    Name,
    Node,
    Number,
    Prefix,
    Text,
    Truth,
    Window,
)
from linecontrol.rules.typed import Apply, Const, Figure, Load, Typed

_ORDERED = ("<", "<=", ">", ">=")
_SUMS = {("+", Kind.NUM, Kind.NUM): Kind.NUM, ("+", Kind.DUR, Kind.DUR): Kind.DUR}
_RESULTS = (
    _SUMS
    | {("-", left, right): kind for (_, left, right), kind in _SUMS.items()}
    | {
        ("*", Kind.NUM, Kind.NUM): Kind.NUM,
        ("*", Kind.NUM, Kind.DUR): Kind.DUR,
        ("*", Kind.DUR, Kind.NUM): Kind.DUR,
        ("/", Kind.NUM, Kind.NUM): Kind.NUM,
        ("/", Kind.DUR, Kind.NUM): Kind.DUR,
        ("/", Kind.DUR, Kind.DUR): Kind.NUM,
    }
)
DAILY = (Subject.TARGET, Subject.COMMITMENT)
"""Subjects of which there is a forecast each working day."""
_WRITE_UNIT = "write a unit, such as 5 s, 15 min or 2h30m"


def check(tree: Node, each: Subject) -> Typed:
    """The typed tree of an expression about a subject.

    Raises:
        ExpressionError: an unknown name, or types that don't go together.
    """
    return _Checker(each).typed(tree)


def check_condition(tree: Node, each: Subject) -> Typed:
    """The typed tree of a condition: an expression that is true or false.

    Raises:
        ExpressionError: as ``check``, or it is neither true nor false.
    """
    typed = check(tree, each)
    if typed.kind is not Kind.BOOL:
        raise ExpressionError(tree.at, f"a condition is true or false; this is a {typed.kind}: compare it with one")
    return typed


class _Checker:
    def __init__(self, each: Subject) -> None:
        self._each = each
        self._in_window = False

    def typed(self, node: Node) -> Typed:
        match node:
            case Number():
                return Const(Kind.NUM, node.value)
            case Length():
                return Const(Kind.DUR, node.value)
            case Text():
                return Const(Kind.TEXT, node.value)
            case Truth():
                return Const(Kind.BOOL, node.value)
            case Name():
                return self._name(node)
            case Prefix():
                return self._prefix(node)
            case Infix(op="and" | "or"):
                items = (self._bool(node.left, node.op), self._bool(node.right, node.op))
                return Apply(Kind.BOOL, node.op, items)
            case Infix(op="+" | "-" | "*" | "/"):
                return self._arithmetic(node)
            case Infix():
                return self._comparison(node)
            case Among():
                return self._among(node)
            case Window():
                return self._window(node)
            case Absent():
                return self._absent(node)
            case _:
                raise ExpressionError(node.at, "this has no meaning in a condition")

    # --- names ----------------------------------------------------------------------------------------------

    def _name(self, node: Name) -> Typed:
        own = NAMES[self._each]
        side, _, rest = node.path.partition(".")
        if self._each is Subject.STATION and side in SIDES:
            if self._in_window:
                raise ExpressionError(node.at, "a window looks at the own station only")
            return self._load(node, rest, STATION, side)
        if side == "cycle" and self._each is Subject.STATION:
            if not self._in_window:
                raise ExpressionError(
                    node.at,
                    f"{node.path} is only known in a window, such as count({node.path} > planned, last 5 cycles)",
                )
            return self._load(node, node.path, CYCLE, "cycle")
        return self._load(node, node.path, own, "")

    def _load(self, node: Name, path: str, table: Mapping[str, Named], side: str) -> Load:
        if path not in table:
            allowed = list(table) if side in ("", "cycle") else [f"{side}.{name}" for name in table]
            if self._each is Subject.STATION and side == "":
                allowed += [f"{neighbour}.state" for neighbour in SIDES]
                allowed += CYCLE if self._in_window else ()
            hint = nearest(node.path, allowed) or f"; a {self._each} has {', '.join(table)}"
            raise ExpressionError(node.at, f"unknown name {node.path}{hint}")
        return Load(table[path].kind, side, table[path])

    # --- operators ------------------------------------------------------------------------------------------

    def _bool(self, node: Node, op: str) -> Typed:
        typed = self.typed(node)
        if typed.kind is not Kind.BOOL:
            raise ExpressionError(node.at, f"{op!r} joins what is true or false; this is a {typed.kind}")
        return typed

    def _prefix(self, node: Prefix) -> Typed:
        if node.op == "()":
            return self.typed(node.item)
        if node.op == "not":
            return Apply(Kind.BOOL, "not", (self._bool(node.item, "not"),))
        item = self.typed(node.item)
        if item.kind not in (Kind.NUM, Kind.DUR):
            raise ExpressionError(node.at, f"'-' needs a number or a duration, not a {item.kind}")
        return Apply(item.kind, "neg", (item,))

    def _arithmetic(self, node: Infix) -> Typed:
        left, right = self.typed(node.left), self.typed(node.right)
        kind = _RESULTS.get((node.op, left.kind, right.kind))
        if kind is None:
            hint = f"; {_WRITE_UNIT}" if {left.kind, right.kind} == {Kind.NUM, Kind.DUR} else ""
            raise ExpressionError(node.at, f"{left.kind} {node.op} {right.kind} has no meaning{hint}")
        return Apply(kind, node.op, (left, right))

    def _comparison(self, node: Infix) -> Typed:
        left, right = self._alike(node, node.left, node.right)
        if node.op in _ORDERED and left.kind not in (Kind.NUM, Kind.DUR):
            raise ExpressionError(node.at, f"{node.op!r} needs numbers or durations, not a {left.kind}")
        return Apply(Kind.BOOL, node.op, (left, right))

    def _among(self, node: Among) -> Typed:
        pairs = [self._alike(node, node.item, option) for option in node.options]
        return Apply(Kind.BOOL, "in", (pairs[0][0], *(option for _, option in pairs)))

    def _alike(self, at: Node, one: Node, other: Node) -> tuple[Typed, Typed]:
        left, right = self.typed(one), self.typed(other)
        if left.kind in ENUMS and isinstance(right, Const):
            right = self._member(other, right, left.kind)
        elif right.kind in ENUMS and isinstance(left, Const):
            left = self._member(one, left, right.kind)
        if left.kind is not right.kind:
            hint = f": {_WRITE_UNIT}" if {left.kind, right.kind} == {Kind.NUM, Kind.DUR} else ""
            raise ExpressionError(at.at, f"cannot compare a {left.kind} with a {right.kind}{hint}")
        return left, right

    def _member(self, node: Node, text: Const, kind: Kind) -> Const:
        if text.kind is not Kind.TEXT or not isinstance(text.value, str):
            return text
        if text.value == "unobserved":
            raise ExpressionError(node.at, "a station that can't be seen has no state; write 'not observed'")
        if text.value not in ENUMS[kind]:
            hint = nearest(text.value, ENUMS[kind]) or f"; there are {', '.join(ENUMS[kind])}"
            raise ExpressionError(node.at, f"there is no {kind} {text.value!r}{hint}")
        return Const(kind, text.value)

    # --- functions ------------------------------------------------------------------------------------------

    def _window(self, node: Window) -> Typed:
        if not node.daily:
            self._of_station(node, f"{node.function} over cycles")
        elif self._each not in DAILY:
            subjects = " or a ".join(DAILY)
            raise ExpressionError(node.at, f"days are looked at for a {subjects}; this rule is about a {self._each}")
        if self._in_window:
            raise ExpressionError(node.at, "a window can't stand in another")
        self._in_window = True
        item = self.typed(node.item)
        self._in_window = False
        if node.function in ("count", "share"):
            if item.kind is not Kind.BOOL:
                raise ExpressionError(node.item.at, f"{node.function} needs a condition, not a {item.kind}")
            return Figure(Kind.NUM, node.text, node.function, item, node.size, node.least, node.daily)
        if item.kind not in (Kind.NUM, Kind.DUR):
            raise ExpressionError(node.item.at, f"{node.function} needs a number or a duration, not a {item.kind}")
        return Figure(item.kind, node.text, node.function, item, node.size, node.least, node.daily)

    def _absent(self, node: Absent) -> Typed:
        self._of_station(node, "absent")
        limit = self.typed(node.limit)
        if limit.kind is not Kind.DUR:
            raise ExpressionError(node.limit.at, f"absent needs a duration, not a {limit.kind}: {_WRITE_UNIT}")
        since = STATION["since_cycle"]
        return Apply(Kind.BOOL, ">", (Load(since.kind, "", since), limit))

    def _of_station(self, node: Node, function: str) -> None:
        if self._each is not Subject.STATION:
            raise ExpressionError(node.at, f"{function} looks at a station's cycles; this rule is about a {self._each}")
