"""What people may have meant by a word or sign that has no place where it stands."""

from linecontrol.rules.lexer import Sort, Token

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
