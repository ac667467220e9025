"""A condition's tokens as a tree (Pratt's method: each operator has a strength with which it binds)."""

from linecontrol.rules.lexer import Sort, Token, tokens
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

MOST_NODES = 200
"""Operators, names and values that a condition may have."""
DEEPEST = 60
"""How deeply a condition may be nested; a chain of one operator nests too."""
LARGEST_WINDOW = 1_000
"""Cycles over which a window may look back."""
WINDOW_FUNCTIONS = ("count", "share", "mean", "min", "max")
"""Functions over the last cycles or days."""
WORDS = ("and", "or", "not", "in", "true", "false")
"""Words of the language itself."""

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_STRENGTH = {"or": 1, "and": 2, "in": 4} | dict.fromkeys(_COMPARISONS, 4) | {"+": 5, "-": 5, "*": 6, "/": 6}
_NOT, _MINUS = 3, 7


def parse(text: str) -> Node:
    """The tree of a condition.

    Raises:
        ExpressionError: it doesn't follow the grammar, or is too long or too deep.
    """
    parser = _Parser(text)
    tree = parser.expression(0, 0)[0]
    parser.expect_end()
    return tree


class _Parser:
    """Walks the tokens once, left to right. Each result comes with its depth."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0
        self._nodes = 0

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

    def expect_end(self) -> None:
        token = self._peek()
        if token.sort is not Sort.END:
            before = self._tokens[self._next - 1]
            hint = ""
            if before.sort is Sort.NUMBER and token.sort is Sort.NAME:
                hint = "; units are d, h, min (or m), s and ms"
            raise ExpressionError(token.at, f"{token.text} is not expected here{hint}")

    # --- values ---------------------------------------------------------------------------------------------

    def _first(self, level: int) -> tuple[Node, int]:
        token = self._take()
        self._count(token)
        match token.sort:
            case Sort.NUMBER:
                return Number(at=token.at, value=token.value), 1
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
                raise ExpressionError(token.at, f"a name or a value is expected here, not {token.text}")

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
            self._expect("cycle")
            self._expect(",")
            limit, depth = self.expression(0, level + 1)
            self._expect(")")
            return Absent(at=name.at, limit=limit), depth + 1
        if name.text not in WINDOW_FUNCTIONS:
            hint = nearest(name.text, (*WINDOW_FUNCTIONS, "absent"))
            raise ExpressionError(name.at, f"there is no function {name.text}{hint}")
        self._expect("(")
        item, depth = self.expression(0, level + 1)
        self._expect(",")
        self._expect("last")
        size = self._whole(LARGEST_WINDOW)
        daily = self._peek().text in ("day", "days")
        if daily or self._peek().text == "cycle":
            self._take()
        else:
            self._expect("cycles")
        least = size
        if self._peek().text == ",":
            self._take()
            self._expect("min")
            least = self._whole(size)
        end = self._expect(")")
        text = " ".join(self._text[name.at : end.at + 1].split())
        window = Window(at=name.at, function=name.text, item=item, size=size, least=least, daily=daily, text=text)
        return window, depth + 1

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
            raise ExpressionError(token.at, f"{text!r} is expected here, not {token.text}")
        return token

    def _count(self, token: Token) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise ExpressionError(token.at, f"the condition has more than {MOST_NODES} parts; make two rules of it")

    def _limit(self, depth: int) -> None:
        if depth > DEEPEST:
            raise ExpressionError(self._peek().at, f"the condition is nested more than {DEEPEST} levels deep")

    @staticmethod
    def _is_open_comparison(node: Infix | Among) -> bool:
        return isinstance(node, Among) or node.op in _COMPARISONS
