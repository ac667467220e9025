"""A condition's text as tokens."""

import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from linecontrol.duration import duration_ns
from linecontrol.rules.tree import ExpressionError

LONGEST_TEXT = 2_000
"""Characters that a condition may have."""


class Sort(StrEnum):
    """What a token is."""

    NUMBER = "number"
    LENGTH = "duration"
    TEXT = "text"
    NAME = "name"
    SIGN = "sign"
    END = "end"


class Token(Struct, frozen=True):
    """A token, its text as written and, for numbers and durations, its value (seconds for durations)."""

    sort: Sort
    at: int
    text: str
    value: float = 0.0


_DIGITS = r"[0-9]{1,12}(?:\.[0-9]{1,12})?(?![0-9])"
_PART = rf"{_DIGITS}\s*(?:ms|min|d|h|m|s)(?![A-Za-z_])"
_TOKEN = re.compile(
    rf"(?P<duration>{_PART}(?:\s*{_PART})*)"
    rf"|(?P<percent>{_DIGITS}\s*%)"
    rf"|(?P<number>{_DIGITS})"
    r"|(?P<text>'[^'\n]*'|\"[^\"\n]*\")"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r"|(?P<sign>==|!=|<=|>=|[<>()+*/,.-])",
    re.ASCII,
)
_BLANK = re.compile(r"[ \t\r\n]*")


def tokens(text: str, params: Mapping[str, Token] | None = None) -> list[Token]:
    """The tokens of a condition, the last one being ``END``. A name of ``params`` stands for its token.

    Raises:
        ExpressionError: a character or number that has no meaning, or the text is too long.
    """
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(LONGEST_TEXT, f"the condition has more than {LONGEST_TEXT} characters")
    found: list[Token] = []
    at = _end_of_blank(text, 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(at, _complaint(text, at))
        token = _token(match.lastgroup or "", match[0], at)
        param = params.get(token.text) if params and token.sort is Sort.NAME else None
        found.append(token if param is None else Token(param.sort, at, param.text, param.value))
        at = _end_of_blank(text, match.end())
    found.append(Token(Sort.END, len(text), "the end"))
    return found


def token_of(value: float | str) -> Token:
    """The token for which a param of this value stands: a number (also ``60%``), a duration or a text."""
    if not isinstance(value, str):
        return Token(Sort.NUMBER, 0, str(value), float(value))
    match = _TOKEN.fullmatch(value.strip())
    if match and match.lastgroup in ("duration", "percent"):
        return _token(match.lastgroup, match[0], 0)
    return Token(Sort.TEXT, 0, f"'{value}'")


def _end_of_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _token(group: str, text: str, at: int) -> Token:
    match group:
        case "duration":
            return Token(Sort.LENGTH, at, text, duration_ns(text) / 1e9)
        case "percent":
            return Token(Sort.NUMBER, at, text, float(text[:-1]) / 100)
        case "number":
            return Token(Sort.NUMBER, at, text, float(text))
        case "text":
            return Token(Sort.TEXT, at, text)
        case "name":
            return Token(Sort.NAME, at, text)
        case _:
            return Token(Sort.SIGN, at, text)


def _complaint(text: str, at: int) -> str:
    char = text[at]
    if char in "'\"":
        return f"the text that begins here has no closing {char}"
    if char == "=":
        return f"'=' has no meaning here; to compare, write {'>=' if text[at + 1 : at + 2] == '>' else '=='!r}"
    if char.isdigit():
        return "a number may have 12 digits before and 12 after the point"
    if char in "‘’“”„‚«»`´":
        return f"{char} is no plain quote; write ' or \""
    if char.isspace() or not char.isprintable():
        return f"the character U+{ord(char):04X} here looks like nothing and means nothing; write a plain space"
    if char == ":":
        return "':' has no meaning in a condition; a duration is written 1h30m"
    word = {"&": "and", "|": "or", "!": "not", "[": "(", "]": ")"}.get(char)
    return f"{char!r} has no meaning in a condition{f'; write {word!r}' if word else ''}"
