"""Messages with values: ``{station} runs {running.active} of {running.planned}``."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from msgspec import Struct

from linecontrol.config import Subject
from linecontrol.rules.check import Vocabulary, check
from linecontrol.rules.emit import Factory, value_of
from linecontrol.rules.lexer import Token
from linecontrol.rules.names import SIDES, Kind
from linecontrol.rules.parser import parse
from linecontrol.rules.suggest import nearest
from linecontrol.rules.tree import ExpressionError
from linecontrol.rules.typed import Typed, is_share

LABELS = {
    Subject.STATION: ("station", "line", *SIDES),
    Subject.LINE: ("line",),
    Subject.TARGET: ("target", "line"),
    Subject.COMMITMENT: ("commitment", "market"),
    Subject.KIT: ("kit",),
    Subject.CONNECTION: ("connection",),
}
"""Placeholders that stand for titles, by subject."""

_PLACE = re.compile(r"\{([^{}]*)\}")


class Hole(Struct, frozen=True):
    """A place in a message: a title, or an expression with its kind (``share``: shown as a percentage) and code."""

    label: str = ""
    kind: Kind = Kind.TEXT
    share: bool = False
    tree: Typed | None = None
    value: Factory | None = None


class Message(Struct, frozen=True):
    """A message's literal parts, and the holes between them."""

    parts: tuple[str, ...]
    holes: tuple[Hole, ...]

    def trees(self) -> list[Typed]:
        """The expressions in it."""
        return [hole.tree for hole in self.holes if hole.tree is not None]

    def fill(self, titles: Mapping[str, str], facts: tuple[Any, ...]) -> str:
        """The text with values out of ``facts`` (what factories bind); one that isn't known is shown as ``?``."""
        text = [self.parts[0]]
        for hole, part in zip(self.holes, self.parts[1:], strict=True):
            if hole.value is None:
                text.append(titles.get(hole.label, "?"))
            else:
                text.append(show(hole.kind, hole.value(*facts)(), share=hole.share))
            text.append(part)
        return "".join(text)


def message(text: str, each: Subject, words: Vocabulary, params: Mapping[str, Token] | None = None) -> Message:
    """A message ready to be filled; names of ``params`` stand for their values.

    Raises:
        ExpressionError: a placeholder is neither a title nor an expression, or a brace stands alone.
    """
    parts: list[str] = []
    holes: list[Hole] = []
    at = 0
    for match in _PLACE.finditer(text):
        parts.append(_literal(text, at, match.start()))
        holes.append(_hole(match[1], match.start(1), each, words, params))
        at = match.end()
    parts.append(_literal(text, at, len(text)))
    return Message(tuple(parts), tuple(holes))


def expressions(text: str) -> list[str]:
    """What stands in a message's braces."""
    return [match[1] for match in _PLACE.finditer(text)]


def show(kind: Kind, value: Any, *, share: bool = False) -> str:
    """A value as people read it: durations as ``2h35m``, numbers rounded, shares as ``35 %``, unknown as ``?``."""
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return "?"
    match kind:
        case Kind.DUR:
            return duration_text(value)
        case Kind.NUM if share:
            return f"{show(kind, 100 * value)} %"
        case Kind.NUM:
            rounded = round(value, 0 if abs(value) >= 10 else 1) + 0.0
            return f"{rounded:.0f}" if rounded == int(rounded) else f"{rounded:.1f}"
        case Kind.BOOL:
            return "yes" if value else "no"
        case _:
            return str(value)


def duration_text(seconds: float) -> str:
    """``2h35m``, ``12m``, ``45s``: minutes from two minutes on, seconds below, tenths below ten seconds."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if rest < 10 and round(rest, 1) != int(rest):
        return f"{sign}{rest:.1f}s"
    if rest < 120:
        return f"{sign}{rest:.0f}s"
    hours, minutes = divmod(round(rest / 60), 60)
    if not hours:
        return f"{sign}{minutes}m"
    return f"{sign}{hours}h{minutes:02d}m" if minutes else f"{sign}{hours}h"


def _literal(text: str, start: int, end: int) -> str:
    for at in range(start, end):
        if text[at] in "{}":
            raise ExpressionError(at, f"{text[at]!r} stands alone; values are written {{name}}")
    return text[start:end]


def _hole(text: str, at: int, each: Subject, words: Vocabulary, params: Mapping[str, Token] | None) -> Hole:
    if text in LABELS[each]:
        return Hole(label=text)
    try:
        tree = check(parse(text, params), each, words)
    except ExpressionError as error:
        title = nearest(text.strip(), LABELS[each])
        said = f"unknown name {text}{title}" if title else f"{error.text}; titles are {', '.join(LABELS[each])}"
        raise ExpressionError(at + error.offset, said) from None
    return Hole(kind=tree.kind, share=is_share(tree), tree=tree, value=value_of(tree))
