"""What people may have meant by what has no meaning where it stands."""

from collections.abc import Sequence

from linecontrol.config import Subject
from linecontrol.rules.lexer import Sort, Token
from linecontrol.rules.names import ENUMS, NAMES, SIDES, STATION, Kind, is_told
from linecontrol.rules.suggest import nearest
from linecontrol.rules.typed import Const, Typed

WRITE_UNIT = "write a unit, such as 5 s, 15 min or 2h30m"

_UNITS = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("percent", "pct"), "%"),
}
_STRAY = {
    "is": "to compare, write '=='",
    "equals": "to compare, write '=='",
    "for": "how long a condition has to hold is the rule's key for:",
    "unless": "it ends a sequence (first then second within …); elsewhere write 'and not'",
    "not": "write 'not x in (…)'",
    "then": "a sequence stands by itself, without brackets",
    "within": "it belongs to a sequence: first then second within 30 min",
}


def meant(before: Token | None, token: Token) -> str:
    """What to write instead of ``token`` after ``before``, after a semicolon; nothing if that can't be guessed."""
    hint = ""
    if before is not None and before.text in ("if", "when") and token.sort is not Sort.END:
        hint = f"a condition begins without {before.text!r}"
    elif before is not None and before.text == "last":
        hint = "a window stands in a function, such as count(cycle.active > takt, last 5 cycles)"
    elif token.text in _STRAY:
        hint = _STRAY[token.text]
    elif token.text.lower() in ("and", "or", "not", "in", "then", "within", "unless"):
        hint = f"write {token.text.lower()!r}" if token.text != token.text.lower() else ""
    elif before is not None and before.sort is Sort.NUMBER:
        hint = _after_number(token)
    elif before is not None and before.sort is Sort.LENGTH and token.sort is Sort.NUMBER:
        hint = f"{token.text} of what? units are d, h, min (or m), s and ms"
    return f"; {hint}" if hint else ""


def _after_number(token: Token) -> str:
    if token.text in _UNITS:
        return f"write {_UNITS[token.text]!r}"
    if token.text == ",":
        return "the decimal sign is a point"
    if token.sort is Sort.NAME:
        return "units are d, h, min (or m), s, ms and %; other numbers have none"
    return ""


def name_meant(path: str, each: Subject, products: Sequence[str], tags: Sequence[str], allowed: Sequence[str]) -> str:
    """What to write instead of a name that there isn't; ``allowed`` are those that there are."""
    head, _, rest = path.partition(".")
    if path in products or any(path in texts for texts in ENUMS.values()):
        return f"; a text stands in quotes: '{path}'"
    if path.lower() in ("null", "none", "nil", "unknown"):
        return "; what isn't known can't be compared: on_unknown: says what it does"
    if path in ("now", "time", "hour", "date", "weekday"):
        return "; there is no clock in conditions: shift tells whether it is working time"
    if path == "tag":
        return f"; say which, such as tag.{next(iter(tags), 'torque')}"
    if path in tags:
        return f", did you mean 'tag.{path}'?"
    if path in SIDES:
        return f"; say what of it, such as {path}.state"
    if head in SIDES and rest.startswith(SIDES):
        return "; what is further away is written at('line/station')"
    if head == each:
        return f"; its own names stand alone: {rest or 'state'}"
    for kind, table in NAMES.items():
        if kind is not each and (of := table.get(rest if head == kind else path)) and is_told(of, kind):
            return f"; of a {kind} it is written {'at' if kind is Subject.STATION else kind}('…').{of.path}"
    if each is Subject.STATION and rest in STATION:
        close = [side for side in SIDES if side.startswith(head) or nearest(head, [side])]
        return f"; neighbours are written {' and '.join(f'{side}.{rest}' for side in close or SIDES)}"
    return nearest(path, allowed)


def mend(one: Typed, other: Typed) -> str:
    """What to write where ``one``, if it is a value, is compared with what is of another type."""
    if not isinstance(one, Const):
        return ": it is true or false by itself; write it alone, or 'not' before it" if one.kind is Kind.BOOL else ""
    match one.kind, other.kind:
        case Kind.NUM, Kind.DUR:
            return f": {WRITE_UNIT}"
        case Kind.DUR, Kind.NUM:
            return ": that is a number, which has no unit"
        case Kind.TEXT, Kind.NUM | Kind.DUR:
            return ": a value stands without quotes"
        case Kind.NUM, Kind.TEXT if not one.share:
            return ": a text stands in quotes"
        case _:
            return ""
