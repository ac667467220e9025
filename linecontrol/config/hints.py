"""How a value and a name that isn't there are told to people."""

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches


def nearest(name: object, allowed: Iterable[str], *, after: str = ";") -> str:
    """``; did you mean 'x'?``, or nothing if no allowed name is near; ``after`` is the sign before it."""
    close = get_close_matches(str(name), list(allowed), n=1)
    return f"{after} did you mean {close[0]!r}?" if close else ""


def patterns_of(names: Iterable[str]) -> list[str]:
    """What a pattern of ``line/station`` may have been meant to be: the names, and those of a whole line or place."""
    known = list(names)
    pairs = [name.split("/") for name in known if "/" in name]
    wide = [pattern for line, station in pairs for pattern in (f"{line}/*", f"*/{station}")]
    return list(dict.fromkeys([*known, *wide]))


def unknown(kind: str, name: object, allowed: Iterable[str]) -> str:
    """Text for a name that isn't there: the nearest one, or all of them."""
    names = sorted(allowed)
    hint = nearest(name, names) or (f"; there are {', '.join(names)}" if names else "; there is none")
    return f"no {kind} named {shown(name)}{hint}"


def shown(value: object) -> str:
    """A value for people, not too long."""
    if isinstance(value, Mapping):
        return "a group of keys"
    text = "a list" if isinstance(value, list) else str(value) if isinstance(value, date) else repr(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 60 else text[:57] + "..."
