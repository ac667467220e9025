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
    """``5``, ``0.5`` or ``5%`` (``share``: written with a percent sign)."""

    value: float
    share: bool = False


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


class Of(Node, frozen=True):
    """``at("line/station").state`` or ``target("year").behind``: ``path`` of another subject."""

    kind: str
    name: str
    name_at: int
    path: str
    path_at: int


class Span(Struct, frozen=True):
    """How far a window looks back: ``size`` cycles or samples, or ``seconds`` of working time (then ``size`` is 0)."""

    stream: str
    size: int
    seconds: float


class Window(Node, frozen=True):
    """``function(item, last …, min least)``, for quantiles with the ``rank`` between. ``text`` is the item as written.

    ``least`` is ``None`` where it is not given.
    """

    function: str
    item: Node
    span: Span
    least: int | None
    rank: float
    text: str


class Absent(Node, frozen=True):
    """``absent(cycle, limit)``."""

    limit: Node


class Age(Node, frozen=True):
    """``age(name)``, or with ``seconds`` ``changed(name, last seconds)``."""

    item: Node
    seconds: float | None


class Step(Struct, frozen=True):
    """A condition of a sequence, and in how many seconds after the one before it has to become true."""

    condition: Node
    within: float


class Sequence(Node, frozen=True):
    """``first then condition within … unless broken``."""

    first: Node
    steps: tuple[Step, ...]
    unless: Node | None
