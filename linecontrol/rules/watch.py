"""One rule watched for one subject: the compiled rule, the facts that it reads, its alarm."""

from collections.abc import Callable, Sequence
from typing import Any

from linecontrol.model import FlagChanged, Noted
from linecontrol.rules.alarm import WANTING, Alarm, Step, due_ns, event_of
from linecontrol.rules.chain import Progress, advance
from linecontrol.rules.compile import Rule
from linecontrol.rules.emit import value_of
from linecontrol.rules.moment import NEVER, Moment
from linecontrol.rules.subjects import About
from linecontrol.rules.typed import Chain

Told = FlagChanged | Noted
"""What is said of an alarm."""


class Watch:
    """A rule and a subject of it. ``bind`` before anything else.

    ``wakes`` is when time alone changes its condition next, ``turns`` when its alarm; ``queued`` is when it is seen to
    at the latest, and not later than both. It is ``quiet`` while its alarm isn't raised and its condition was false.
    """

    __slots__ = ("_conditions", "_limit", "_over", "_suppress", "_value", "about", "alarm", "facts", "flag", "moment",
                 "order", "queued", "quiet", "rule", "signal", "turns", "wake", "wakes")  # fmt: skip

    facts: tuple[Any, ...]
    moment: Moment
    signal: Callable[[], bool | None]
    """Whether it is to be raised or, once raised, to be cleared; looking at a sequence takes it further."""

    def __init__(self, rule: Rule, about: About, order: int) -> None:
        """``order`` is the watch's place among all, by which ties in time are broken."""
        self.rule = rule
        self.about = about
        self.order = order
        self.flag = f"{rule.name}/{about.name}"
        self.alarm = Alarm()
        self.queued = self.wakes = self.turns = NEVER
        self.quiet = False
        self.wake: Callable[[int], int] | None = None

    def bind(self, facts: tuple[Any, ...]) -> None:
        """Read these facts from now on: what factories of values bind."""
        rule = self.rule
        self.facts, self.moment = facts, facts[4]
        self.wake = rule.wake(*self.facts) if rule.wake else None
        self._value = rule.value(*self.facts) if rule.value else None
        self._limit = rule.limit(*self.facts) if rule.limit else None
        suppress = rule.suppress
        self._suppress = value_of(suppress)(*self.facts) if suppress is not None else None
        if rule.signal is not None:
            self.signal = rule.signal(*self.facts, self.alarm)
        if isinstance(rule.when, Chain):
            self.signal = self._follow
            self.alarm.progress = Progress(rule.config.when)
            self._conditions: Sequence[Callable[[], bool | None]] = [
                value_of(each)(*self.facts) for each in rule.when.conditions
            ]
            self._over: Callable[[], bool | None] = value_of(rule.over)(*self.facts)

    def take_over(self, old: Alarm) -> None:
        """Go on with the life of an alarm; the steps of another sequence are no steps of this one."""
        for name in old.__struct_fields__:
            if name != "progress":
                setattr(self.alarm, name, getattr(old, name))
        if isinstance(self.rule.when, Chain) and old.progress and old.progress.text == self.rule.config.when:
            self.alarm.progress = old.progress

    def _follow(self) -> bool | None:
        chain, progress = self.rule.when, self.alarm.progress
        if not isinstance(chain, Chain) or progress is None:
            return None
        complete = advance(progress, chain, [each() for each in self._conditions], self.moment.worked)
        if not self.alarm.raised:
            return complete
        return False if complete else self._over()

    def suppressed(self) -> bool | None:
        """Whether its design suppresses it now."""
        return self._suppress() if self._suppress else False

    def turned(self) -> int:
        """Work out when time alone changes the alarm; the moment at which it changes that or the condition next.

        To be called whenever the alarm or its signal changed.
        """
        self.quiet = not self.alarm.raised and self.alarm.signal is False
        due = due_ns(self.alarm, self.rule.life)
        self.turns = NEVER if due is None else due
        return min(self.turns, self.wakes)

    def tell(self, steps: list[Step]) -> list[Told]:
        """The alarm's steps as events."""
        events: list[Told] = []
        for step in steps:
            if step.transition == "raised" or not self.alarm.text:
                self.alarm.text = self.rule.message.fill(self.about.titles, self.facts)
                self.alarm.unit = self.facts[0].unit if self.about.station else None
            if not self.rule.config.only_notes:
                events.append(self._event(step))
            if step.transition == "raised" and self.rule.notes and self.alarm.state in WANTING:
                events.append(self._note(step))
        return events

    def _note(self, step: Step) -> Noted:
        rule, about, alarm = self.rule, self.about, self.alarm
        return Noted(
            at_ns=step.at_ns, flag=self.flag, rule=rule.name, line=about.line, station=about.station, text=alarm.text,
            unit=alarm.unit,
        )  # fmt: skip

    def _event(self, step: Step) -> FlagChanged:
        rule, about, alarm = self.rule, self.about, self.alarm
        return event_of(
            alarm,
            step,
            self.flag,
            rule=rule.name,
            line=about.line,
            station=about.station,
            severity=rule.severity,
            design=rule.config.suppress or "",
            value=self._value() if self._value else None,
            limit=self._limit() if self._limit else None,
        )
