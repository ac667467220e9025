"""The tree of a condition with types: every name known, every operation between types that go together."""

from collections.abc import Mapping

from msgspec import Struct

from linecontrol.config import Config, Subject
from linecontrol.duration import NS
from linecontrol.rules.meant import WRITE_UNIT, mend, name_meant
from linecontrol.rules.names import CYCLE, ENUMS, NAMES, SIDES, STATION, Clock, Kind, Named, is_told, of_line, tag
from linecontrol.rules.suggest import nearest
from linecontrol.rules.tree import (
    Absent,
    Age,
    Among,
    ExpressionError,
    Infix,
    Length,
    Name,
    Node,
    Number,
    Of,
    Prefix,
    Sequence,
    Text,
    Truth,
    Window,
)
from linecontrol.rules.typed import (
    CYCLES,
    DAYS,
    Apply,
    Chain,
    Const,
    Figure,
    Leaf,
    Load,
    Since,
    Source,
    Stage,
    Typed,
    is_timed,
    leaves,
)

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


class Vocabulary(Struct, frozen=True):
    """The names that there are: subjects by kind, telemetry tags, products, titles of stations; params of the rule."""

    subjects: dict[str, list[str]]
    tags: list[str]
    products: list[str]
    titles: dict[str, str] = {}
    params: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config) -> "Vocabulary":
        """Those of a config; stations as ``line/station``."""
        stations = {f"{line}/{name}": item for line, its in config.lines.items() for name, item in its.stations.items()}
        return cls(
            subjects={
                Subject.STATION: list(stations),
                Subject.LINE: list(config.lines),
                Subject.TARGET: list(config.targets),
                Subject.COMMITMENT: list(config.commitments),
                Subject.KIT: list(config.kits),
                Subject.CONNECTION: list(config.connections),
            },
            tags=list(dict.fromkeys(tag for item in stations.values() for tag in item.telemetry)),
            products=list(config.products),
            titles={name: item.title for name, item in stations.items()},
        )


def check(tree: Node, each: Subject, words: Vocabulary) -> Typed:
    """The typed tree of an expression about a subject.

    Raises:
        ExpressionError: an unknown name, or types that don't go together.
    """
    return _Checker(each, words).typed(tree)


def check_condition(tree: Node, each: Subject, words: Vocabulary) -> Typed:
    """The typed tree of a condition: an expression that is true or false.

    Raises:
        ExpressionError: as ``check``, or it is neither true nor false, or a sequence.
    """
    if isinstance(tree, Sequence):
        raise ExpressionError(tree.at, "a sequence can stand in 'when' only, and only by itself")
    return _condition(tree, _Checker(each, words))


def check_when(tree: Node, each: Subject, words: Vocabulary) -> Typed | Chain:
    """The typed tree of a ``when``: a condition or a sequence of conditions.

    Raises:
        ExpressionError: as ``check_condition``.
    """
    if not isinstance(tree, Sequence):
        return check_condition(tree, each, words)
    if each is not Subject.STATION:
        raise ExpressionError(tree.at, f"a sequence looks at a station; this rule is about a {each}")
    checker = _Checker(each, words)
    first = _condition(tree.first, checker)
    stages = tuple(Stage(_condition(step.condition, checker), round(step.within * NS)) for step in tree.steps)
    return Chain(first, stages, _condition(tree.unless, checker) if tree.unless else None)


def _condition(tree: Node, checker: "_Checker") -> Typed:
    typed = checker.typed(tree)
    if typed.kind is not Kind.BOOL:
        raise ExpressionError(tree.at, f"a condition is true or false; this is a {typed.kind}: compare it with one")
    return typed


class _Checker:
    def __init__(self, each: Subject, words: Vocabulary) -> None:
        self._each = each
        self._words = words
        self._in_window = False

    def typed(self, node: Node) -> Typed:
        match node:
            case Number():
                return Const(Kind.NUM, node.value, node.share)
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
            case Of():
                return self._of(node)
            case Age():
                return self._age(node)
            case _:
                raise ExpressionError(node.at, "this has no meaning in a condition")

    # --- names ----------------------------------------------------------------------------------------------

    def _name(self, node: Name) -> Typed:
        own = NAMES[self._each]
        side, _, rest = node.path.partition(".")
        if self._each is Subject.STATION and side in SIDES:
            if self._in_window:
                raise ExpressionError(node.at, "a window looks at the own station only")
            if rest.startswith("tag."):
                return self._tag(node, rest, side)
            return self._load(node, rest, STATION, side)
        if side == "cycle" and self._each is Subject.STATION:
            if not self._in_window:
                named = CYCLE.get(node.path, CYCLE["cycle.active"])
                example = f"{'count' if named.kind is Kind.BOOL else 'mean'}({named.path}, last 5 cycles)"
                raise ExpressionError(node.at, f"{node.path} is only known in a window, such as {example}")
            return self._load(node, node.path, CYCLE, "cycle")
        if side == "tag" and rest and self._each is Subject.STATION:
            return self._tag(node, node.path, "")
        return self._load(node, node.path, own, "")

    def _tag(self, node: Node, path: str, side: str) -> Load:
        name = path.removeprefix("tag.")
        if name not in self._words.tags:
            hint = nearest(name, self._words.tags) or f"; there are {', '.join(self._words.tags) or 'none'}"
            raise ExpressionError(node.at, f"no station has a telemetry tag {name}{hint}")
        named = tag(name)
        return Load(named.kind, side, named)

    def _of(self, node: Of) -> Typed:
        if self._in_window:
            raise ExpressionError(node.at, "a window looks at the own station only")
        known = self._words.subjects[node.kind]
        if node.name not in known:
            hint = nearest(node.name, known) or f"; there are {', '.join(known) or 'none'}"
            raise ExpressionError(node.name_at, f"there is no {node.kind} {node.name!r}{hint}")
        table = NAMES[Subject(node.kind)]
        if node.kind == Subject.STATION and node.path.startswith("tag."):
            return self._tag(node, node.path, f"{node.kind} {node.name}")
        if node.path not in table:
            hint = nearest(node.path, table) or f"; a {node.kind} has {', '.join(table)}"
            raise ExpressionError(node.path_at, f"unknown name {node.path}{hint}")
        named = table[node.path]
        if not is_told(named, Subject(node.kind)):
            raise ExpressionError(
                node.path_at, f"at(…) reads what a station tells by itself; {node.path} is no such name"
            )
        return Load(named.kind, f"{node.kind} {node.name}", named)

    def _load(self, node: Name, path: str, table: Mapping[str, Named], side: str) -> Load:
        if path not in table:
            allowed = list(table) if side in ("", "cycle") else [f"{side}.{name}" for name in table]
            if self._each is Subject.STATION and side == "":
                allowed += [f"{neighbour}.state" for neighbour in SIDES]
                allowed += CYCLE if self._in_window else ()
            words = self._words
            hint = name_meant(node.path, self._each, words.products, words.tags, [*allowed, *words.params])
            hint = hint or f"; a {self._each} has {', '.join(table)}"
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
            hint = f"; {WRITE_UNIT}" if {left.kind, right.kind} == {Kind.NUM, Kind.DUR} else ""
            raise ExpressionError(node.at, f"{left.kind} {node.op} {right.kind} has no meaning{hint}")
        if node.op == "/" and _runs(right):
            raise ExpressionError(node.right.at, "a time that runs can't divide; compare it instead")
        if node.op == "*" and _runs(left) and _runs(right):
            raise ExpressionError(node.at, "two times that run can't be multiplied; compare them instead")
        return Apply(kind, node.op, (left, right))

    def _comparison(self, node: Infix) -> Typed:
        left, right = self._alike(node, node.left, node.right)
        if node.op in _ORDERED and left.kind not in (Kind.NUM, Kind.DUR):
            raise ExpressionError(node.at, f"{node.op!r} needs numbers or durations, not a {left.kind}")
        clocks = {clock for side in (left, right) for clock in _clocks(side)}
        if node.op not in _ORDERED and clocks:
            raise ExpressionError(node.at, "what runs with time is equal for a moment only; write '>=' or '<' here")
        if len(clocks) > 1:
            raise ExpressionError(node.at, f"{' and '.join(sorted(clocks))} can't be compared with each other")
        return Apply(Kind.BOOL, node.op, (left, right))

    def _among(self, node: Among) -> Typed:
        pairs = [self._alike(node, node.item, option) for option in node.options]
        if any(_runs(side) for pair in pairs for side in pair):
            raise ExpressionError(
                node.at, "what runs with time is equal for a moment only; compare it with '>=' or '<'"
            )
        return Apply(Kind.BOOL, "in", (pairs[0][0], *(option for _, option in pairs)))

    def _alike(self, at: Node, one: Node, other: Node) -> tuple[Typed, Typed]:
        left, right = self.typed(one), self.typed(other)
        if left.kind in ENUMS and isinstance(right, Const):
            right = self._member(other, right, left.kind)
        elif right.kind in ENUMS and isinstance(left, Const):
            left = self._member(one, left, right.kind)
        if left.kind is not right.kind:
            raise ExpressionError(
                at.at, f"cannot compare a {left.kind} with a {right.kind}{mend(left, right) or mend(right, left)}"
            )
        self._known_word(other, left, right)
        self._known_word(one, right, left)
        return left, right

    def _known_word(self, node: Node, named: Typed, text: Typed) -> None:
        """A text that is compared with a name whose texts are listed has to be one of them."""
        if not isinstance(named, Load) or not isinstance(text, Const):
            return
        if named.name.among == "products":
            products = self._words.products
            if text.value not in products:
                hint = nearest(str(text.value), products) or f"; there are {', '.join(products) or 'none'}"
                raise ExpressionError(node.at, f"there is no product {text.value!r}{hint}")
        elif named.name.among == "titles" and text.value not in ("", *self._words.titles.values()):
            called = {name.rpartition("/")[2]: title for name, title in self._words.titles.items()}
            title = called.get(str(text.value))
            hint = f"; write its title, {title!r}" if title else nearest(str(text.value), called.values())
            raise ExpressionError(node.at, f"no station has the title {text.value!r}{hint}")

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
        if node.span.stream != DAYS:
            self._of_station(node, f"{node.function} over cycles or samples")
        elif self._each not in DAILY:
            subjects = " or a ".join(DAILY)
            raise ExpressionError(node.at, f"days are looked at for a {subjects}; this rule is about a {self._each}")
        if self._in_window:
            raise ExpressionError(node.at, "a window can't stand in another")
        self._in_window = True
        item = self.typed(node.item)
        self._in_window = False
        function, span = node.function, node.span
        wanted = (Kind.BOOL,) if function in ("count", "share") else (Kind.NUM, Kind.DUR)
        if item.kind not in wanted:
            needs = "a condition" if wanted == (Kind.BOOL,) else "a number or a duration"
            raise ExpressionError(node.item.at, f"{function} needs {needs}, not a {item.kind}")
        if function == "rate" and item.kind is not Kind.NUM:
            raise ExpressionError(node.item.at, f"rate needs a number, not a {item.kind}")
        if span.stream == DAYS and function in ("ewma", "rate"):
            raise ExpressionError(node.at, f"{function} doesn't look at days")
        if function == "ewma" and not span.size:
            raise ExpressionError(node.at, "ewma looks at the last N cycles or samples, not at a time")
        source = Source(
            self._stream(node, item), item, node.text, span.size, round(span.seconds * NS), smooth=function == "ewma"
        )
        kind = Kind.NUM if function in ("count", "share") else item.kind
        return Figure(kind, function, source, self._least(node), node.rank)

    def _stream(self, node: Window, item: Typed) -> str:
        """What a window keeps: the samples of the one tag that its item names, else cycles."""
        if node.span.stream == DAYS:
            return DAYS
        tags = list(dict.fromkeys(path for each in leaves(item) if (path := _tag_path(each))))
        cycles = any(isinstance(each, Load) and each.side == "cycle" for each in leaves(item))
        wanted = node.span.stream
        if len(tags) > 1:
            raise ExpressionError(node.item.at, f"a window looks at one tag; here are {' and '.join(tags)}")
        if wanted == "samples" or (not wanted and tags):
            if not tags:
                raise ExpressionError(node.item.at, "samples are those of a tag; name one, such as tag.torque")
            if cycles:
                raise ExpressionError(node.item.at, "a window looks at samples or at cycles, not at both")
            return tags[0]
        return CYCLES

    @staticmethod
    def _least(node: Window) -> int:
        fewest = 2 if node.function in ("delta", "rate") else 0 if node.function == "count" else 1
        if node.least is not None:
            return max(node.least, fewest)
        return max(node.span.size, fewest)

    def _age(self, node: Age) -> Typed:
        function = "age" if node.seconds is None else "changed"
        self._of_station(node, function)
        if self._in_window:
            raise ExpressionError(node.at, f"{function} can't stand in a window")
        item = self.typed(node.item)
        told = isinstance(item, Load) and item.side == "" and not is_timed(item) and not of_line(item.name)
        if not isinstance(item, Load) or not told:
            raise ExpressionError(node.item.at, f"{function} looks at what the own station tells and time doesn't move")
        since = Since(Kind.DUR, item.name)
        if node.seconds is None:
            return since
        return Apply(Kind.BOOL, "<", (since, Const(Kind.DUR, node.seconds)))

    def _absent(self, node: Absent) -> Typed:
        self._of_station(node, "absent")
        limit = self.typed(node.limit)
        if limit.kind is not Kind.DUR:
            raise ExpressionError(node.limit.at, f"absent needs a duration, not a {limit.kind}: {WRITE_UNIT}")
        since = STATION["since_cycle"]
        return Apply(Kind.BOOL, ">", (Load(since.kind, "", since), limit))

    def _of_station(self, node: Node, function: str) -> None:
        if self._each is not Subject.STATION:
            hint = (
                "; it may look at the last N days" if self._each in DAILY and function not in ("age", "absent") else ""
            )
            raise ExpressionError(
                node.at, f"{function} looks at a station's cycles; this rule is about a {self._each}{hint}"
            )


def _clocks(tree: Typed) -> set[str]:
    """The clocks with which a magnitude runs, in words."""
    found: set[str] = set()
    for leaf in leaves(tree):
        if isinstance(leaf, Since):
            found.add("working time")
        elif isinstance(leaf, Load) and leaf.name.slope and leaf.name.clock is Clock.WALL:
            found.add("wall time")
        elif isinstance(leaf, Load) and leaf.name.slope:
            found.add(f"working time of {leaf.side}" if leaf.side.startswith("line ") else "working time")
    return found


def _runs(tree: Typed) -> bool:
    return bool(_clocks(tree))


def _tag_path(leaf: Leaf) -> str:
    return leaf.name.path if isinstance(leaf, Load) and leaf.name.path.startswith("tag.") else ""
