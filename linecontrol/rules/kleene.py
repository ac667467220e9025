"""Arithmetic and logic with unknowns (``None``): what compiled conditions call where an input is unknown.

``and``, ``or`` and ``not`` are Kleene's: false and unknown is false, true or unknown is true. Everything else
with an unknown in it is unknown, and so is a division by zero.
"""

import operator
from collections.abc import Callable
from typing import Any


def negation(item: bool | None) -> bool | None:
    """``not item``."""
    return None if item is None else not item


def both(left: bool | None, right: bool | None) -> bool | None:
    """``left and right``."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def either(left: bool | None, right: bool | None) -> bool | None:
    """``left or right``."""
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def quotient(left: float | None, right: float | None) -> float | None:
    """``left / right``; unknown where ``right`` is zero."""
    return None if left is None or right is None or right == 0 else left / right


def minus(item: float | None) -> float | None:
    """``-item``."""
    return None if item is None else -item


def among(item: Any, *options: Any) -> bool | None:
    """``item in options``: true if one is equal, else unknown if anything is unknown."""
    if item is None:
        return None
    if any(option is not None and item == option for option in options):
        return True
    return None if None in options else False


def as_true(item: bool | None) -> bool:
    """Unknown counts as true."""
    return item is None or item


def as_false(item: bool | None) -> bool:
    """Unknown counts as false."""
    return item is not None and item


def _strict(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def known(left: Any, right: Any) -> Any:
        return None if left is None or right is None else operation(left, right)

    return known


AS_TRUE, AS_FALSE = "unknown is true", "unknown is false"
"""Signs of what ``on_unknown`` makes of a condition; nobody can write them."""

OPERATIONS: dict[str, Callable[..., Any]] = {
    "and": both,
    "or": either,
    "not": negation,
    "neg": minus,
    "in": among,
    AS_TRUE: as_true,
    AS_FALSE: as_false,
    "/": quotient,
    "+": _strict(operator.add),
    "-": _strict(operator.sub),
    "*": _strict(operator.mul),
    "==": _strict(operator.eq),
    "!=": _strict(operator.ne),
    "<": _strict(operator.lt),
    "<=": _strict(operator.le),
    ">": _strict(operator.gt),
    ">=": _strict(operator.ge),
}
"""The operations of the language by their signs."""
