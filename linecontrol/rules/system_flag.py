"""Flags that the gateway raises about its other flags: floods and chatter. They live as all others do."""

from linecontrol.duration import NS
from linecontrol.model import Severity
from linecontrol.rules.alarm import Alarm, Life, Step, event_of, feel
from linecontrol.rules.watch import Told

LIFE = Life()
SHELVE_MAX_NS = 8 * 3600 * NS
"""For how long a person may shelve one at the most."""


class SystemFlag:
    """A flag ``RULE/SUBJECT`` of the gateway's own about ``line`` and ``station``."""

    def __init__(self, rule: str, subject: str, line: str, station: str, severity: Severity, alarm: Alarm) -> None:
        """``alarm`` is what is remembered of it."""
        self.flag = f"{rule}/{subject}"
        self.rule, self.line, self.station, self.severity = rule, line, station, severity
        self.alarm = alarm

    def put(self, *, raised: bool, at_ns: int, text: str) -> list[Told]:
        """Raise or clear it, or tell its new text."""
        alarm = self.alarm
        same_text, alarm.text = alarm.text == text, text
        if alarm.raised is not raised:
            return self.tell(feel(alarm, LIFE, True, at_ns))
        return [] if same_text or not raised else self.tell([Step("changed", at_ns)])

    def tell(self, steps: list[Step]) -> list[Told]:
        """Steps of it as events."""
        return [
            event_of(self.alarm, step, self.flag, rule=self.rule, line=self.line, station=self.station,
                     severity=self.severity)
            for step in steps
        ]  # fmt: skip
