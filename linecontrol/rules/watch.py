"""One rule watched for one subject: the compiled rule, the facts that it reads, its alarm."""

from typing import Any

from linecontrol.model import FlagChanged
from linecontrol.rules.alarm import Alarm, Step, due_ns, expire, feel
from linecontrol.rules.compile import Rule
from linecontrol.rules.facts import CycleFacts, LineFacts, Memory
from linecontrol.rules.moment import Moment
from linecontrol.rules.subjects import About


class Watch:
    """A rule and a subject of it. ``bind`` before anything else."""

    __slots__ = ("about", "alarm", "arguments", "flag", "order", "rule")

    alarm: Alarm
    arguments: tuple[Any, ...]

    def __init__(self, rule: Rule, about: About, order: int) -> None:
        """``order`` is the watch's place among all, by which ties in time are broken."""
        self.rule = rule
        self.about = about
        self.order = order
        self.flag = f"{rule.name}/{about.name}"

    def bind(self, alarm: Alarm, facts: Memory, line: LineFacts | None, moment: Moment) -> None:
        """Read these facts from now on, and keep this alarm."""
        self.alarm = alarm
        about = self.about
        own = getattr(facts, about.kind.value)[about.name]
        upstream = facts.station[about.upstream] if about.upstream else None
        downstream = facts.station[about.downstream] if about.downstream else None
        self.arguments = (own, line, upstream, downstream, moment)

    def look(self, at_ns: int) -> list[FlagChanged] | None:
        """Work the condition out; what follows if its outcome has changed, else ``None``."""
        alarm, rule = self.alarm, self.rule
        signal = (rule.over if alarm.raised else rule.when)(*self.arguments)
        if signal is alarm.signal:
            return None
        return self.tell(feel(alarm, rule.life, signal, at_ns))

    def due_ns(self) -> int | None:
        """When time alone changes the alarm next."""
        return due_ns(self.alarm, self.rule.life)

    def expire(self, at_ns: int) -> list[FlagChanged]:
        """What time alone has changed by ``at_ns``."""
        return self.tell(expire(self.alarm, self.rule.life, at_ns))

    def push(self, key: str, cycle: CycleFacts | None = None) -> None:
        """Let a cycle, or a day's forecast, enter the window ``key`` of the rule, unless its value is unknown."""
        own, line, upstream, downstream, moment = self.arguments
        for window in self.rule.windows:
            if window.figure.key == key:
                value = window.item(own, line, upstream, downstream, moment, cycle)
                if value is not None:
                    figure = window.figure
                    own.windows[key].push(float(value), figure.function, figure.size, figure.least)

    def tell(self, steps: list[Step]) -> list[FlagChanged]:
        """The alarm's steps as events."""
        return [self._event(step) for step in steps] if steps else []

    def _event(self, step: Step) -> FlagChanged:
        rule, about, alarm = self.rule, self.about, self.alarm
        if step.transition == "raised" or not alarm.text:
            alarm.text = rule.message.fill(about.titles, self.arguments)
            alarm.unit = self.arguments[0].unit if about.station else None
        value = rule.value(*self.arguments) if rule.value else None
        limit = rule.limit(*self.arguments) if rule.limit else None
        return FlagChanged(
            at_ns=step.at_ns,
            flag=self.flag,
            rule=rule.name,
            line=about.line,
            station=about.station,
            transition=step.transition,
            state=alarm.state,
            severity=rule.severity,
            raised_ns=alarm.raised_ns,
            text=alarm.text,
            unit=alarm.unit,
            value=value,
            limit=limit,
        )
