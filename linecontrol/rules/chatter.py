"""Chatter: a flag that is raised and cleared again and again, and the delay that would have calmed it."""

from linecontrol.config import ChatterConfig
from linecontrol.duration import NS
from linecontrol.rules.alarm import Alarm, Life

KEPT = 20
"""So many moments at which a flag was raised or cleared are remembered."""
_STEPS_NS = ((10 * NS, NS), (120 * NS, 5 * NS), (2**63, 60 * NS))
"""Up to what a delay is rounded up to a multiple of what."""


def turn(alarm: Alarm, settings: ChatterConfig, at_ns: int) -> bool:
    """Take in that the alarm was raised or cleared at ``at_ns``; whether it chatters."""
    alarm.turns.append(at_ns)
    del alarm.turns[:-KEPT]
    turns = alarm.turns
    return len(turns) >= settings.transitions and turns[-settings.transitions] > at_ns - settings.window


def calming_ns(alarm: Alarm, life: Life, window_ns: int) -> int:
    """The shortest ``off_delay``, rounded up, with which the alarm would not have cleared within its chatter.

    It had been over since ``off_delay`` before it cleared, and was to be raised ``for`` before it was raised again.
    """
    turns = alarm.turns if alarm.raised else alarm.turns[:-1]
    gaps = [turns[-n] - turns[-n - 1] for n in range(1, len(turns), 2)]
    chatter = [gap for gap in gaps if gap < window_ns]
    longest = max([gap + life.off_delay_ns - life.on_delay_ns for gap in chatter], default=0)
    step = next(step for limit, step in _STEPS_NS if longest <= limit)
    return max(1, -(-longest // step)) * step
