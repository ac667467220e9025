"""Counters that step, roll over, are reset, or jump."""

from typing import Literal

from msgspec import Struct

PLAUSIBLE_SHARE = 0.1
"""No unit takes less than this share of its planned time; more steps than that allows are no cycles."""


class CounterStep(Struct, frozen=True):
    """How far a counter moved (0 or more) and whether that was anything but a plain step."""

    delta: int
    kind: Literal["", "counter_rollover", "counter_reset", "counter_jump"] = ""


STILL = CounterStep(0)
"""A counter that did not move, or isn't known."""


def most_steps(elapsed_ns: int, planned_ns: int | None) -> int:
    """The most cycles that can have happened in ``elapsed_ns``; at least 2, to forgive coarse polling."""
    if planned_ns is None or planned_ns <= 0:
        return 1_000_000
    return int(elapsed_ns / (planned_ns * PLAUSIBLE_SHARE)) + 2


def counter_step(last: int, now: int, bits: int | None, most: int) -> CounterStep:
    """How a counter came from ``last`` to ``now``.

    A fall is a roll-over where the width is known and the step that it implies is plausible, else a reset, after
    which ``now`` is what was counted since. A step of more than ``most`` is a jump: it counts for nothing.
    """
    delta = now - last
    if delta >= 0:
        return CounterStep(delta) if delta <= most else CounterStep(0, "counter_jump")
    if bits is not None and (rolled := delta + (1 << bits)) <= most:
        return CounterStep(rolled, "counter_rollover")
    return CounterStep(now if 0 <= now <= most else 0, "counter_reset")
