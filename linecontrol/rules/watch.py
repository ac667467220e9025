"""One rule watched for one subject: the compiled rule, the facts that it reads, its alarm."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from linecontrol.model import FlagChanged, Noted
from linecontrol.rules.alarm import WANTING, Alarm, Step, due_ns, event_of
from linecontrol.rules.chain import Progress, advance
from linecontrol.rules.compile import Rule
from linecontrol.rules.emit import value_of
from linecontrol.rules.facts import LineFacts, Memory
from linecontrol.rules.moment import NEVER, Moment
from linecontrol.rules.subjects import About
from linecontrol.rules.typed import Chain

Told = FlagChanged | Noted
"""What is said of an alarm."""


class Watch:
    """A rule and a subject of it. ``bind`` before anything else. ``queued`` is when it is looked at for time alone."""

    __slots__ = ("_conditions", "_limit", "_over", "_suppress", "_value", "_wake", "about", "alarm", "facts", "flag",
                 "moment", "order", "queued", "rule")  # fmt: skip

    alarm: Alarm
    facts: tuple[Any, ...]
    moment: Moment

    def __init__(self, rule: Rule, about: About, order: int) -> None:
        """``order`` is the watch's place among all, by which ties in time are broken."""
        self.rule = rule
        self.about = about
        self.order = order
        self.flag = f"{rule.name}/{about.name}"
        self.queued = NEVER
        self._wake: Callable[[], int] | None = None

    def bind(
        self, alarm: Alarm, memory: Memory, line: LineFacts | None, moment: Moment, others: Mapping[str, Any]
    ) -> None:
        """Read these facts from now on, and keep this alarm.

        ``others`` are the facts of all places and the moments of all lines.
        """
        rule, about = self.rule, self.about
        self.alarm, self.moment, self.queued = alarm, moment, NEVER
        upstream = memory.station[about.upstream] if about.upstream else None
        downstream = memory.station[about.downstream] if about.downstream else None
        self.facts = (others[about.place], line, upstream, downstream, moment, others)
        self._wake = rule.wake(*self.facts) if rule.wake else None
        self._value = rule.value(*self.facts) if rule.value else None
        self._limit = rule.limit(*self.facts) if rule.limit else None
        suppress = rule.suppress
        self._suppress = value_of(suppress)(*self.facts) if suppress is not None else None
        if not isinstance(rule.when, Chain):
            alarm.progress = None
        else:
            if alarm.progress is None or alarm.progress.text != rule.config.when:
                alarm.progress = Progress(rule.config.when)
            self._conditions: Sequence[Callable[[], bool | None]] = [
                value_of(each)(*self.facts) for each in rule.when.conditions
            ]
            self._over: Callable[[], bool | None] = value_of(rule.over)(*self.facts)

    def signal(self) -> bool | None:
        """Of a sequence: whether it is to be raised or, once raised, to be cleared."""
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

    def due_ns(self) -> int:
        """When time alone changes the alarm or its condition next; ``NEVER`` if it doesn't."""
        due = due_ns(self.alarm, self.rule.life)
        wake = self._wake() if self._wake else NEVER
        return wake if due is None else min(due, wake)

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
