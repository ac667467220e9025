"""A condition's tokens as a tree (Pratt's method: each operator has a strength with which it binds)."""

from collections.abc import Mapping

from linecontrol.rules.lexer import Sort, Token, tokens
from linecontrol.rules.meant import meant
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
    Span,
    Step,
    Text,
    Truth,
    Window,
)

MOST_NODES = 200
"""Operators, names and values that a condition may have."""
DEEPEST = 60
"""How deeply a condition may be nested; a chain of one operator nests too."""
LARGEST_WINDOW = 1_000
"""Cycles, samples or days over which a window may look back."""
LONGEST_SPAN_S = 1_000 * 3_600.0
"""Working time over which a window may look back."""
MOST_STEPS = 5
"""Conditions that a sequence may have."""
WINDOW_FUNCTIONS = ("count", "share", "mean", "median", "quantile", "min", "max", "ewma", "delta", "rate")
"""Functions over the last cycles, samples or days."""
SUBJECT_FUNCTIONS = {"at": "station", "target": "target", "commitment": "commitment", "kit": "kit",
                     "connection": "connection",
                     "line": "line"}  # fmt: skip
"""Functions that reach for another subject."""
FUNCTIONS = (*WINDOW_FUNCTIONS, *SUBJECT_FUNCTIONS, "absent", "age", "changed")
"""All functions of the language."""
WORDS = ("and", "or", "not", "in", "true", "false", "then", "within", "unless")
"""Words of the language itself."""

_CALLED = {"avg": "mean", "average": "mean", "percentile": "quantile", "ratio": "share", "since": "age",
           "abs": "x > 5 or x < -5"}  # fmt: skip
"""What functions are called elsewhere."""
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_STRENGTH = {"or": 1, "and": 2, "in": 4} | dict.fromkeys(_COMPARISONS, 4) | {"+": 5, "-": 5, "*": 6, "/": 6}
_NOT, _MINUS = 3, 7


def parse(text: str, params: Mapping[str, Token] | None = None) -> Node:
    """The tree of an expression; names of ``params`` stand for their values.

    Raises:
        ExpressionError: it doesn't follow the grammar, or is too long or too deep.
    """
    parser = _Parser(text, params)
    tree = parser.expression(0, 0)[0]
    parser.expect_end()
    return tree


def size(text: str, params: Mapping[str, Token] | None = None) -> tuple[int, int]:
    """How many parts a condition has, and how deeply it is nested.

    Raises:
        ExpressionError: as ``parse``.
    """
    parser = _Parser(text, params)
    parser.sequence()
    parser.expect_end()
    return parser.parts, parser.deepest


def parse_condition(text: str, params: Mapping[str, Token] | None = None) -> Node:
    """The tree of a condition, which may be a sequence.

    Raises:
        ExpressionError: as ``parse``.
    """
    parser = _Parser(text, params)
    tree = parser.sequence()
    parser.expect_end()
    return tree


class _Parser:
    """Walks the tokens once, left to right. Each result comes with its depth."""

    def __init__(self, text: str, params: Mapping[str, Token] | None) -> None:
        self._tokens = tokens(text, params)
        self._next = 0
        self.parts = 0
        self.deepest = 0

    def expression(self, strength: int, level: int) -> tuple[Node, int]:
        self._limit(level)
        left, depth = self._first(level)
        while True:
            token = self._peek()
            binds = _STRENGTH.get(token.text, 0) if token.sort in (Sort.SIGN, Sort.NAME) else 0
            if binds <= strength:
                return left, depth
            if binds == 4 and isinstance(left, Infix | Among) and self._is_open_comparison(left):
                raise ExpressionError(token.at, "comparisons don't chain; join two of them with 'and'")
            self._take()
            self._count(token)
            if token.text == "in":
                options, below = self._options(level)
                left, depth = Among(at=token.at, item=left, options=options), max(depth, below) + 1
            else:
                right, below = self.expression(binds, level + 1)
                left, depth = Infix(at=token.at, op=token.text, left=left, right=right), max(depth, below) + 1
            self._limit(depth)

    def sequence(self) -> Node:
        first = self.expression(0, 0)[0]
        if self._peek().text != "then":
            return first
        at = self._peek().at
        steps: list[Step] = []
        while self._peek().text == "then":
            word = self._take()
            if len(steps) == MOST_STEPS:
                raise ExpressionError(word.at, f"a sequence has at most {MOST_STEPS} steps after the first")
            condition = self.expression(0, 0)[0]
            self._expect("within")
            steps.append(Step(condition, self._seconds()))
        unless = None
        if self._peek().text == "unless":
            self._take()
            unless = self.expression(0, 0)[0]
        return Sequence(at=at, first=first, steps=tuple(steps), unless=unless)

    def expect_end(self) -> None:
        token = self._peek()
        if token.sort is not Sort.END:
            hint = "; no '(' is open" if token.text == ")" else self._meant(self._next)
            if any(each.text == "within" for each in self._tokens[: self._next]) and token.text in ("and", "or"):
                hint = "; a sequence stands by itself: put this into one of its conditions"
            raise ExpressionError(token.at, f"{token.text} is not expected here{hint}")

    # --- values ---------------------------------------------------------------------------------------------

    def _first(self, level: int) -> tuple[Node, int]:
        token = self._take()
        self._count(token)
        match token.sort:
            case Sort.NUMBER:
                return Number(at=token.at, value=token.value, share=token.text.endswith("%")), 1
            case Sort.LENGTH:
                return Length(at=token.at, value=token.value), 1
            case Sort.TEXT:
                return Text(at=token.at, value=token.text[1:-1]), 1
            case Sort.NAME:
                return self._word(token, level)
            case _ if token.text == "-":
                item, depth = self.expression(_MINUS, level + 1)
                return Prefix(at=token.at, op="-", item=item), depth + 1
            case _ if token.text == "(":
                item, depth = self.expression(0, level + 1)
                self._expect(")")
                return (Prefix(at=token.at, op="()", item=item), depth + 1)
            case _:
                hint = "; write 0.5 for .5" if token.text == "." else ""
                hint = "; say once more what is compared" if token.text in _COMPARISONS else hint
                raise ExpressionError(token.at, f"a name or a value is expected here, not {token.text}{hint}")

    def _word(self, token: Token, level: int) -> tuple[Node, int]:
        if token.text == "not":
            item, depth = self.expression(_NOT, level + 1)
            return Prefix(at=token.at, op="not", item=item), depth + 1
        if token.text in ("true", "false"):
            return Truth(at=token.at, value=token.text == "true"), 1
        if token.text in WORDS:
            raise ExpressionError(token.at, f"a name or a value is expected here, not {token.text}")
        if self._peek().text == "(" and self._peek().sort is Sort.SIGN:
            return self._call(token, level)
        return Name(at=token.at, path=token.text), 1

    def _options(self, level: int) -> tuple[tuple[Node, ...], int]:
        self._expect("(")
        options, deepest = [], 0
        while True:
            option, depth = self.expression(4, level + 1)
            options.append(option)
            deepest = max(deepest, depth)
            if self._peek().text != ",":
                self._expect(")")
                return tuple(options), deepest
            self._take()

    # --- functions ------------------------------------------------------------------------------------------

    def _call(self, name: Token, level: int) -> tuple[Node, int]:
        if name.text == "absent":
            self._expect("(")
            for word in ("cycle", ","):
                if self._peek().text != word:
                    raise ExpressionError(self._peek().at, "absent looks at cycles: write absent(cycle, 2 * planned)")
                self._take()
            limit, depth = self.expression(0, level + 1)
            self._expect(")")
            return Absent(at=name.at, limit=limit), depth + 1
        if name.text in SUBJECT_FUNCTIONS:
            return self._of(name), 2
        if name.text in ("age", "changed"):
            return self._age(name, level), 2
        if name.text not in WINDOW_FUNCTIONS:
            close = nearest(name.text, FUNCTIONS) if name.text not in _CALLED else f"; write {_CALLED[name.text]}"
            raise ExpressionError(name.at, f"there is no function {name.text}{close}")
        self._expect("(")
        first = self._next
        item, depth = self.expression(0, level + 1)
        text = " ".join(token.text for token in self._tokens[first : self._next])
        if self._peek().text == ")":
            raise ExpressionError(self._peek().at, f"{name.text} needs a window, such as last 5 cycles or last 2h")
        self._expect(",")
        rank = 0.0
        if name.text == "quantile":
            rank = self._rank()
            self._expect(",")
        self._expect("last")
        span = self._span()
        least = None
        if self._peek().text == ",":
            self._take()
            self._expect("min")
            least = self._whole(span.size or LARGEST_WINDOW)
        self._expect(")")
        return Window(
            at=name.at, function=name.text, item=item, span=span, least=least, rank=rank, text=text
        ), depth + 1

    def _of(self, function: Token) -> Node:
        self._expect("(")
        name = self._take()
        if name.sort is not Sort.TEXT:
            kind = SUBJECT_FUNCTIONS[function.text]
            raise ExpressionError(name.at, f"the name of a {kind} in quotes is expected here, not {name.text}")
        self._expect(")")
        path = self._tokens[self._next + 1] if self._peek().text == "." else self._peek()
        if path.sort is not Sort.NAME or self._take().text != ".":
            what = f"{function.text}({name.text})"
            raise ExpressionError(path.at, f"a point and a name of {what} is expected here, not {path.text}")
        self._take()
        return Of(
            at=function.at, kind=SUBJECT_FUNCTIONS[function.text], name=name.text[1:-1], name_at=name.at,
            path=path.text, path_at=path.at,
        )  # fmt: skip

    def _age(self, function: Token, level: int) -> Node:
        self._expect("(")
        item, _ = self._first(level + 1)
        if not isinstance(item, Name | Of):
            raise ExpressionError(item.at, f"{function.text} looks at one name, such as {function.text}(state …)")
        seconds = None
        if function.text == "changed":
            self._expect(",")
            self._expect("last")
            seconds = self._seconds()
        self._expect(")")
        return Age(at=function.at, item=item, seconds=seconds)

    def _span(self) -> Span:
        if self._peek().sort is Sort.LENGTH:
            length = self._peek()
            span = Span("", 0, self._seconds())
            if (of := self._peek().text) in ("cycles", "samples", "days"):
                raise ExpressionError(length.at, f"{length.text} is a duration; write a number of {of}, or no {of}")
            return span
        size = self._whole(LARGEST_WINDOW)
        word = self._take()
        if word.text in ("cycle", "cycles"):
            return Span("cycles", size, 0.0)
        if word.text in ("sample", "samples"):
            return Span("samples", size, 0.0)
        if word.text in ("day", "days"):
            return Span("days", size, 0.0)
        raise ExpressionError(word.at, f"'cycles', 'samples' or 'days' is expected here, not {word.text}")

    def _seconds(self) -> float:
        token = self._take()
        if token.sort is not Sort.LENGTH or not 0 < token.value <= LONGEST_SPAN_S:
            limit = f"{LONGEST_SPAN_S / 3600:.0f} h"
            raise ExpressionError(
                token.at, f"a duration of up to {limit}, such as 30 min, is expected here, not {token.text}"
            )
        return token.value

    def _rank(self) -> float:
        token = self._take()
        if token.sort is not Sort.NUMBER or not 0 < token.value <= 1:
            raise ExpressionError(
                token.at, f"a share above 0 and up to 1, such as 90%, is expected here, not {token.text}"
            )
        return token.value

    def _whole(self, most: int) -> int:
        token = self._take()
        if token.sort is not Sort.NUMBER or not token.text.isdigit() or not 1 <= token.value <= most:
            raise ExpressionError(token.at, f"a whole number from 1 to {most} is expected here, not {token.text}")
        return int(token.value)

    # --- tokens ---------------------------------------------------------------------------------------------

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _expect(self, text: str) -> Token:
        token = self._take()
        if token.text != text or token.sort not in (Sort.SIGN, Sort.NAME):
            hint = self._meant(self._next - (token.sort is not Sort.END))
            raise ExpressionError(token.at, f"{text!r} is expected here, not {token.text}{hint}")
        return token

    def _meant(self, place: int) -> str:
        return meant(self._tokens[place - 1] if place else None, self._tokens[place])

    def _count(self, token: Token) -> None:
        self.parts += 1
        if self.parts > MOST_NODES:
            raise ExpressionError(token.at, f"the condition has more than {MOST_NODES} parts; make two rules of it")

    def _limit(self, depth: int) -> None:
        self.deepest = max(self.deepest, depth)
        if depth > DEEPEST:
            raise ExpressionError(self._peek().at, f"the condition is nested more than {DEEPEST} levels deep")

    @staticmethod
    def _is_open_comparison(node: Infix | Among) -> bool:
        return isinstance(node, Among) or node.op in _COMPARISONS
