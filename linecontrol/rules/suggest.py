"""The nearest allowed name for one that isn't, and names in a row."""

from collections.abc import Iterable, Sequence

from linecontrol.config import hints


def nearest(name: str, allowed: Iterable[str]) -> str:
    """``, did you mean 'x'?`` for the nearest allowed name, or nothing if none is near."""
    return hints.nearest(name, allowed, after=",")


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "nothing"
