"""The life of one alarm, as a pure function of what its conditions say and of time (ISA-18.2)."""

from msgspec import Struct

from linecontrol.model import AlarmState
from linecontrol.rules.chain import Progress

BLIND_AFTER_NS = 300 * 10**9
"""An alarm whose conditions were known once is blind when they have been unknown for longer than this, wall time."""


class Life(Struct, frozen=True):
    """How an alarm lives: delays in wall nanoseconds, whether a person must acknowledge it, whether it latches."""

    on_delay_ns: int = 0
    off_delay_ns: int = 0
    ack: bool = False
    latch: bool = False


class Step(Struct, frozen=True):
    """A transition (``raised``, ``cleared``, ``acknowledged``, ``blind``, ``sighted``) and its moment."""

    transition: str
    at_ns: int


class Alarm(Struct):
    """What is remembered of one alarm.

    ``signal`` is what would change it: that it is to be raised or, once raised, to be cleared; ``None`` if unknown.
    ``since_ns`` is since when that has held, an unknown in between not counting as a pause. ``told_ns`` is when the
    signal last became true from unknown, ``dark_ns`` since when it has been unknown after having been known.
    ``text`` and ``unit`` are what was told when it was raised: what they were about may be over when it clears.
    ``progress`` is how far its sequence has come, if it has one.
    """

    raised: bool = False
    acked: bool = True
    signal: bool | None = None
    raised_ns: int = 0
    since_ns: int | None = None
    told_ns: int = 0
    dark_ns: int | None = None
    blind: bool = False
    text: str = ""
    unit: str | None = None
    progress: Progress | None = None

    @property
    def state(self) -> AlarmState:
        """The state in the words of ISA-18.2."""
        if self.raised:
            return AlarmState.ACKNOWLEDGED if self.acked else AlarmState.UNACKNOWLEDGED
        return AlarmState.NORMAL if self.acked else AlarmState.RETURNED


def feel(alarm: Alarm, life: Life, signal: bool | None, at_ns: int) -> list[Step]:
    """What follows from the signal having become ``signal`` at ``at_ns``; delays that end then are for ``expire``."""
    steps: list[Step] = []
    if signal is None:
        if alarm.signal is not None:
            alarm.dark_ns = at_ns
    else:
        alarm.dark_ns = None
        if alarm.blind:
            alarm.blind = False
            steps.append(Step("sighted", at_ns))
    if signal and alarm.signal is None:
        alarm.told_ns = at_ns
    if signal and alarm.since_ns is None:
        alarm.since_ns = at_ns
    elif signal is False:
        alarm.since_ns = None
    alarm.signal = signal
    if signal and not _delay(alarm, life):
        steps += expire(alarm, life, at_ns)
    return steps


def due_ns(alarm: Alarm, life: Life) -> int | None:
    """When time alone changes the alarm next, if its signal stays; ``None`` if never."""
    if alarm.signal and alarm.since_ns is not None:
        if alarm.raised and life.latch and not alarm.acked:
            return None
        return max(alarm.since_ns + _delay(alarm, life), alarm.told_ns)
    if alarm.dark_ns is not None and not alarm.blind:
        return alarm.dark_ns + BLIND_AFTER_NS
    return None


def expire(alarm: Alarm, life: Life, at_ns: int) -> list[Step]:
    """What time alone has done by ``at_ns``, stamped with the moments at which it did."""
    due = due_ns(alarm, life)
    if due is None or due > at_ns:
        return []
    if not alarm.signal:
        alarm.blind = True
        return [Step("blind", due)]
    alarm.since_ns = None
    alarm.signal = False
    if alarm.raised:
        alarm.raised = False
        return [Step("cleared", due)]
    alarm.raised = True
    alarm.raised_ns = due
    alarm.acked = not (life.ack or life.latch)
    return [Step("raised", due)]


def acknowledge(alarm: Alarm, life: Life, at_ns: int) -> list[Step]:
    """What follows from a person's acknowledging the alarm; nothing if there is nothing to acknowledge."""
    if alarm.acked:
        return []
    alarm.acked = True
    alarm.told_ns = at_ns
    return [Step("acknowledged", at_ns), *expire(alarm, life, at_ns)]


def _delay(alarm: Alarm, life: Life) -> int:
    return life.off_delay_ns if alarm.raised else life.on_delay_ns
