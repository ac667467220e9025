"""The life of one alarm, as a pure function of what its conditions say, of operators and of time.

The regions are those of OPC UA Part 9 and stand side by side: process (raised or not, with delays and latch),
acknowledgement, shelving, suppression by design, service. What gates the alarm never stops its process: only
``Alarm.state``, the word of ISA-18.2 for the whole, tells whether it wants somebody.
"""

from msgspec import Struct

from linecontrol.model import AlarmState, FlagChanged, Severity
from linecontrol.rules.chain import Progress

BLIND_AFTER_NS = 300 * 10**9
"""An alarm whose conditions were known once is blind when they have been unknown for longer than this, wall time."""


WANTING = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
"""States in which a raised flag is told of: not shelved, suppressed or out of service."""


FLOOD, CHATTERING = "flood", "chattering"
RESERVED = (FLOOD, CHATTERING)
"""Rules of the gateway's own; no other may have their names."""


class Life(Struct, frozen=True):
    """How an alarm lives: delays in wall nanoseconds, whether a person must acknowledge it, whether it latches.

    ``realarm_ns`` after an acknowledgement it asks again if it is still raised; 0: never.
    """

    on_delay_ns: int = 0
    off_delay_ns: int = 0
    ack: bool = False
    latch: bool = False
    realarm_ns: int = 0


class Step(Struct, frozen=True):
    """A transition and its moment, and of an operator's command who gave it and why."""

    transition: str
    at_ns: int
    by: str = ""
    reason: str = ""


class Gate(Struct, frozen=True):
    """Shelving or being out of service: by whom, why, until when; ``once``: until the alarm clears, if that is before.

    Without an end it lasts until it is taken back.
    """

    by: str
    reason: str
    until_ns: int | None
    once: bool = False


class Alarm(Struct, omit_defaults=True):
    """What is remembered of one alarm.

    ``signal`` is what would change it: that it is to be raised or, once raised, to be cleared; ``None`` if unknown.
    ``since_ns`` is since when that has held, an unknown in between not counting as a pause. ``told_ns`` is when the
    signal last became true from unknown, ``dark_ns`` since when it has been unknown after having been known.
    ``acked_ns`` is when it was acknowledged. ``suppressed`` tells whether its rule's condition suppresses it,
    ``first_out`` is the flag behind which its group suppresses it, ``muted`` tells whether a flood does. ``shelf`` is
    its shelving, ``service`` its being out of service. ``text`` and ``unit`` are what was told when it was raised: what
    they were about may be over when it clears. ``progress`` is how far its sequence has come, if it has one. ``turns``
    are the last moments at which it was raised or cleared, ``chatter_ns`` is when it chattered last, while it counts as
    chattering.
    """

    raised: bool = False
    acked: bool = True
    signal: bool | None = None
    raised_ns: int = 0
    since_ns: int | None = None
    told_ns: int = 0
    dark_ns: int | None = None
    blind: bool = False
    acked_ns: int | None = None
    suppressed: bool = False
    first_out: str = ""
    muted: bool = False
    shelf: Gate | None = None
    service: Gate | None = None
    text: str = ""
    unit: str | None = None
    progress: Progress | None = None
    turns: list[int] = []
    chatter_ns: int | None = None

    @property
    def is_suppressed(self) -> bool:
        """Whether anything suppresses it by design."""
        return self.suppressed or self.muted or bool(self.first_out)

    @property
    def wants(self) -> bool:
        """Whether it is annunciated: raised, and nothing stands between it and a person."""
        return self.raised and self.service is None and self.shelf is None and not self.is_suppressed

    @property
    def state(self) -> AlarmState:
        """The state in the words of ISA-18.2."""
        if self.service is not None:
            return AlarmState.OUT_OF_SERVICE
        if self.is_suppressed:
            return AlarmState.SUPPRESSED
        if self.shelf is not None:
            return AlarmState.SHELVED
        if self.raised:
            return AlarmState.ACKNOWLEDGED if self.acked else AlarmState.UNACKNOWLEDGED
        return AlarmState.NORMAL if self.acked else AlarmState.RETURNED


# --- process --------------------------------------------------------------------------------------------------


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
        steps += _turn(alarm, life, at_ns)
    return steps


def due_ns(alarm: Alarm, life: Life) -> int | None:
    """When time alone changes the alarm next, if its signal stays; ``None`` if never."""
    due = [at for at in (_turn_ns(alarm, life), _again_ns(alarm, life), _end(alarm.shelf), _end(alarm.service)) if at]
    return min(due, default=None)


def resume(alarm: Alarm, life: Life, at_ns: int) -> None:
    """Go on at ``at_ns`` with a life that may be another one: what it would have ended before ends then."""
    if (due := _turn_ns(alarm, life)) is not None and due < at_ns:
        alarm.told_ns = at_ns
    if (again := _again_ns(alarm, life)) is not None and again < at_ns:
        alarm.acked_ns = at_ns - life.realarm_ns


def expire(alarm: Alarm, life: Life, at_ns: int) -> list[Step]:
    """What time alone has done by ``at_ns``, stamped with the moments at which it did."""
    steps = _turn(alarm, life, at_ns)
    if (end := _end(alarm.shelf)) and end <= at_ns:
        alarm.shelf = None
        steps.append(Step("unshelved", end))
    if (end := _end(alarm.service)) and end <= at_ns:
        alarm.service = None
        steps.append(Step("in_service", end))
    if (again := _again_ns(alarm, life)) and again <= at_ns:
        alarm.acked, alarm.acked_ns = False, None
        steps.append(Step("realarmed", again))
    return steps


def _turn_ns(alarm: Alarm, life: Life) -> int | None:
    if alarm.signal and alarm.since_ns is not None:
        if alarm.raised and life.latch and not alarm.acked:
            return None
        return max(alarm.since_ns + _delay(alarm, life), alarm.told_ns)
    if alarm.dark_ns is not None and not alarm.blind:
        return alarm.dark_ns + BLIND_AFTER_NS
    return None


def _turn(alarm: Alarm, life: Life, at_ns: int) -> list[Step]:
    due = _turn_ns(alarm, life)
    if due is None or due > at_ns:
        return []
    if not alarm.signal:
        alarm.blind = True
        return [Step("blind", due)]
    alarm.since_ns = None
    alarm.signal = False
    if not alarm.raised:
        alarm.raised, alarm.raised_ns = True, due
        alarm.acked = not (life.ack or life.latch)
        alarm.acked_ns = None
        return [Step("raised", due)]
    alarm.raised = False
    steps = [Step("cleared", due)]
    if alarm.shelf is not None and alarm.shelf.once:
        alarm.shelf = None
        steps.append(Step("unshelved", due))
    return steps


def _delay(alarm: Alarm, life: Life) -> int:
    return life.off_delay_ns if alarm.raised else life.on_delay_ns


def _again_ns(alarm: Alarm, life: Life) -> int | None:
    asked = alarm.raised and alarm.acked and alarm.acked_ns is not None
    return (alarm.acked_ns or 0) + life.realarm_ns if asked and life.realarm_ns else None


def _end(gate: Gate | None) -> int | None:
    return None if gate is None else gate.until_ns


# --- operators ------------------------------------------------------------------------------------------------


def acknowledge(alarm: Alarm, life: Life, at_ns: int, by: str = "", reason: str = "") -> list[Step]:
    """What follows from a person's acknowledging the alarm; nothing if there is nothing to acknowledge."""
    if alarm.acked:
        return []
    alarm.acked, alarm.acked_ns = True, at_ns
    alarm.told_ns = at_ns
    return [Step("acknowledged", at_ns, by, reason), *_turn(alarm, life, at_ns)]


def shelve(alarm: Alarm, at_ns: int, gate: Gate) -> list[Step]:
    """Put the alarm aside until ``gate`` ends; one that is shelved already is shelved anew."""
    alarm.shelf = gate
    return [Step("shelved", at_ns, gate.by, gate.reason)]


def unshelve(alarm: Alarm, at_ns: int, by: str, reason: str) -> list[Step]:
    """Bring it back; nothing if it isn't shelved."""
    if alarm.shelf is None:
        return []
    alarm.shelf = None
    return [Step("unshelved", at_ns, by, reason)]


def take_out(alarm: Alarm, at_ns: int, gate: Gate) -> list[Step]:
    """Take it out of service (maintenance)."""
    alarm.service = gate
    return [Step("out_of_service", at_ns, gate.by, gate.reason)]


def put_back(alarm: Alarm, at_ns: int, by: str, reason: str) -> list[Step]:
    """Put it back into service; nothing if it is in service."""
    if alarm.service is None:
        return []
    alarm.service = None
    return [Step("in_service", at_ns, by, reason)]


# --- other rules ----------------------------------------------------------------------------------------------


def stands(alarm: Alarm) -> bool:
    """Whether there is anything to tell of it: raised, to be acknowledged, shelved or out of service."""
    return alarm.raised or not alarm.acked or alarm.shelf is not None or alarm.service is not None


def depart(alarm: Alarm, transition: str, at_ns: int, reason: str) -> list[Step]:
    """The alarm ends, as nothing is watched under its name any more."""
    alarm.raised, alarm.acked, alarm.signal, alarm.since_ns, alarm.dark_ns = False, True, None, None, None
    alarm.suppressed, alarm.first_out, alarm.muted, alarm.shelf, alarm.service = False, "", False, None, None
    return [Step(transition, at_ns, reason=reason)]


# --- design ---------------------------------------------------------------------------------------------------


def suppress(alarm: Alarm, suppressed: bool | None, at_ns: int) -> list[Step]:
    """What follows from its design's suppressing it, or not any more; unknown leaves it as it is."""
    if suppressed is None or suppressed is alarm.suppressed:
        return []
    alarm.suppressed = suppressed
    if not alarm.raised and alarm.acked:
        return []
    return [Step("suppressed" if suppressed else "unsuppressed", at_ns)]


# --- telling --------------------------------------------------------------------------------------------------


def event_of(
    alarm: Alarm,
    step: Step,
    flag: str,
    *,
    rule: str,
    line: str,
    station: str,
    severity: Severity,
    design: str = "",
    value: float | None = None,
    limit: float | None = None,
) -> FlagChanged:
    """A step as an event; ``design`` is the text of the condition that may suppress the alarm."""
    state = alarm.state
    gate = {AlarmState.OUT_OF_SERVICE: alarm.service, AlarmState.SHELVED: alarm.shelf}.get(state)
    return FlagChanged(
        at_ns=step.at_ns,
        flag=flag,
        rule=rule,
        line=line,
        station=station,
        transition=step.transition,
        state=state,
        severity=severity,
        raised_ns=alarm.raised_ns,
        text=alarm.text,
        unit=alarm.unit,
        value=value,
        limit=limit,
        by=step.by,
        reason=step.reason,
        raised=alarm.raised,
        suppressed_by=_suppressor(alarm, line, design) if state is AlarmState.SUPPRESSED else "",
        until_ns=_end(gate),
    )


def _suppressor(alarm: Alarm, line: str, design: str) -> str:
    if alarm.suppressed:
        return design
    return f"first out: {alarm.first_out}" if alarm.first_out else flood_flag(line)


def flood_flag(line: str) -> str:
    """The flag that stands while a line has a flood (without a line: what belongs to none)."""
    return f"{FLOOD}/{line or 'PLANT'}"
