"""What the parser makes of a condition: a tree of nodes, each with the offset in the text at which it stands."""

from msgspec import Struct


class ExpressionError(Exception):
    """A condition that can't be used; ``offset`` counts characters from the start of its text."""

    def __init__(self, offset: int, text: str) -> None:
        """``text`` says what was found and what to write instead."""
        super().__init__(text)
        self.offset = offset
        self.text = text


class Node(Struct, frozen=True, kw_only=True):
    """Base of all nodes."""

    at: int


class Number(Node, frozen=True):
    """``5``, ``0.5`` or ``5%``."""

    value: float


class Length(Node, frozen=True):
    """``2h30m``, in seconds."""

    value: float


class Text(Node, frozen=True):
    """``'starved'``."""

    value: str


class Truth(Node, frozen=True):
    """``true`` or ``false``."""

    value: bool


class Name(Node, frozen=True):
    """``running.active``."""

    path: str


class Prefix(Node, frozen=True):
    """``not x`` or ``-x``."""

    op: str
    item: Node


class Infix(Node, frozen=True):
    """``a op b``."""

    op: str
    left: Node
    right: Node


class Among(Node, frozen=True):
    """``item in (a, b)``."""

    item: Node
    options: tuple[Node, ...]


class Window(Node, frozen=True):
    """``function(item, last size cycles, min least)``, or of days if it is ``daily``.

    ``text`` is the call as written, blanks normalised.
    """

    function: str
    item: Node
    size: int
    least: int
    daily: bool
    text: str


class Absent(Node, frozen=True):
    """``absent(cycle, limit)``."""

    limit: Node
