"""Flags as the board shows them: what wants somebody, what was put aside and why, what closed last."""

from collections import deque
from zoneinfo import ZoneInfo

from msgspec import Struct

from linecontrol.board.page import FlagRow
from linecontrol.board.words import SEVERITY_WORDS, URGENCY, moment_text
from linecontrol.config import Config
from linecontrol.model.event import AnyEvent, FlagChanged, Noted, RulesChanged
from linecontrol.model.state import AlarmState, Severity
from linecontrol.rules.kpi import HOUR_NS
from linecontrol.rules.tally import STALE_NS, Account, take

OPEN = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED)
"""States in which a flag is shown as open."""
ASIDE = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)
"""States in which a flag wants nobody for now."""
CLOSED_KEPT = 4
"""So many closed flags and notes are still listed."""
LETTERS = {
    AlarmState.NORMAL: "A", AlarmState.UNACKNOWLEDGED: "B", AlarmState.ACKNOWLEDGED: "C", AlarmState.RETURNED: "D",
    AlarmState.SHELVED: "G", AlarmState.SUPPRESSED: "H", AlarmState.OUT_OF_SERVICE: "I",
}  # fmt: skip
"""The states' letters in ISA-18.2."""
VERBS = {
    AlarmState.UNACKNOWLEDGED: ("ack", "shelve", "out_of_service"),
    AlarmState.ACKNOWLEDGED: ("shelve", "out_of_service"),
    AlarmState.RETURNED: ("ack", "shelve", "out_of_service"),
    AlarmState.SHELVED: ("unshelve", "out_of_service"),
    AlarmState.SUPPRESSED: ("shelve", "out_of_service"),
    AlarmState.OUT_OF_SERVICE: ("in_service",),
}
"""What a person may want of a flag in each state."""


class _Flag(Struct):
    event: FlagChanged
    blind: bool
    by: str
    reason: str


class FlagsView:
    """Flags, folded from events."""

    def __init__(self, config: Config, zone: ZoneInfo) -> None:
        """``zone`` is the plant's time zone."""
        self._config = config
        self._zone = zone
        self._flags: dict[str, _Flag] = {}
        self._closed: deque[FlagChanged | Noted] = deque(maxlen=CLOSED_KEPT)
        self._account = Account()
        self._told: deque[int] = deque(maxlen=1000)

    def apply(self, event: AnyEvent) -> None:
        """Fold an event; those about other things are passed over."""
        if isinstance(event, FlagChanged):
            self._flag(event)
        elif isinstance(event, Noted):
            self._closed.appendleft(event)
        elif isinstance(event, RulesChanged):
            text = f"{event.by or 'start of the gateway'}: {event.text}"
            self._closed.appendleft(Noted(at_ns=event.at_ns, flag="", rule="", line="", station="", text=text))

    def follow(self, config: Config) -> None:
        """These rules count from now on."""
        self._config = config

    def _flag(self, event: FlagChanged) -> None:
        known = self._flags.pop(event.flag, None)
        if take(self._account, event):
            self._told.append(event.at_ns)
        if event.state is AlarmState.NORMAL:
            if known is not None and known.event.state in OPEN and event.transition != "renamed":
                self._closed.appendleft(event)
            return
        if event.state is AlarmState.SUPPRESSED and not event.raised:
            return
        blind = event.transition == "blind" or (known is not None and known.blind and event.transition != "sighted")
        by, reason = event.by, event.reason
        if known is not None and not by and event.state is known.event.state:
            by, reason = known.by, known.reason
        self._flags[event.flag] = _Flag(event, blind, by, reason)

    def alerts(self, line: str) -> dict[str, Severity]:
        """The severity of the worst open flag of each station of a line that has one."""
        worst: dict[str, Severity] = {}
        for flag in self._flags.values():
            event = flag.event
            if event.line == line and event.station and event.state in (AlarmState.UNACKNOWLEDGED,
                                                                        AlarmState.ACKNOWLEDGED):  # fmt: skip
                known = worst.get(event.station)
                if known is None or URGENCY[event.severity] > URGENCY[known]:
                    worst[event.station] = event.severity
        return worst

    def open(self, now_ns: int) -> list[FlagRow]:
        """Open flags, the most severe first and of those the newest."""
        return self._rows(OPEN, now_ns)

    def aside(self, now_ns: int) -> list[FlagRow]:
        """Flags that want nobody for now, although they are raised or somebody put them aside; in the same order."""
        return self._rows(ASIDE, now_ns)

    def _rows(self, states: tuple[AlarmState, ...], now_ns: int) -> list[FlagRow]:
        shown = [flag for flag in self._flags.values() if flag.event.state in states]
        shown.sort(key=lambda flag: (-URGENCY[flag.event.severity], -flag.event.raised_ns))
        return [self._row(flag, flag.event.raised_ns, now_ns) for flag in shown]

    def figures(self, now_ns: int) -> str:
        """How much flags ask of people, in short."""
        hour = sum(at > now_ns - HOUR_NS for at in self._told)
        raised = self._account.standing.values()
        stale = sum(at <= now_ns - STALE_NS for at in raised)
        parts = [f"{hour} told in the last hour", f"{len(raised)} standing"]
        parts += [f"{stale} of them for over a day"] if stale else []
        parts += [f"{len(self._account.chattering)} chattering"] if self._account.chattering else []
        return ", ".join(parts)

    def closed(self, now_ns: int) -> list[FlagRow]:
        """The flags that closed last and what was noted, the newest first; ``since`` is when."""
        return [
            self._noted(event, now_ns)
            if isinstance(event, Noted)
            else self._row(_Flag(event, blind=False, by=event.by, reason=event.reason), event.at_ns, now_ns)
            for event in self._closed
        ]

    def _noted(self, event: Noted, now_ns: int) -> FlagRow:
        return FlagRow(
            flag=event.flag,
            severity=Severity.INFO,
            word="noted",
            letter="",
            why="",
            where=self._where(event),
            text=event.text,
            since=moment_text(event.at_ns, now_ns, self._zone),
            verbs=[],
        )

    def _row(self, flag: _Flag, since_ns: int, now_ns: int) -> FlagRow:
        event = flag.event
        words = [SEVERITY_WORDS[event.severity], self._state(event, now_ns)]
        if flag.blind:
            words.append("can't be checked now")
        return FlagRow(
            flag=event.flag,
            severity=event.severity,
            word=", ".join(word for word in words if word),
            letter=LETTERS[event.state],
            why=": ".join(part for part in (flag.by, flag.reason) if part),
            where=self._where(event),
            text=event.text,
            since=moment_text(since_ns, now_ns, self._zone) if event.raised_ns else "",
            verbs=list(VERBS.get(event.state, ())),
        )

    def _state(self, event: FlagChanged, now_ns: int) -> str:
        """The state of a flag in plain words."""
        until = "" if event.until_ns is None else f" until {moment_text(event.until_ns, now_ns, self._zone)}"
        over = "" if event.raised else ", not raised now"
        match event.state:
            case AlarmState.UNACKNOWLEDGED:
                return "not acknowledged"
            case AlarmState.ACKNOWLEDGED:
                return "acknowledged" if self._wants_person(event) else "standing"
            case AlarmState.RETURNED:
                return "over, not acknowledged"
            case AlarmState.SHELVED:
                return f"shelved{until}{over}"
            case AlarmState.OUT_OF_SERVICE:
                return f"out of service{until}{over}"
            case AlarmState.SUPPRESSED:
                return f"suppressed by {self._suppressor(event)}"
            case _:
                return ""

    def _suppressor(self, event: FlagChanged) -> str:
        first = event.suppressed_by.removeprefix("first out: ")
        if first != event.suppressed_by:
            known = self._flags.get(first)
            return f"what came first: {known.event.text if known else first}"
        return "a flood of flags" if event.suppressed_by.startswith("flood/") else event.suppressed_by or "its design"

    def _wants_person(self, event: FlagChanged) -> bool:
        rule = self._config.rules.get(event.rule)
        return rule is not None and (rule.ack == "required" or rule.latch)

    def _where(self, event: FlagChanged | Noted) -> str:
        line = self._config.lines.get(event.line)
        station = line.stations.get(event.station) if line else None
        return station.title if station else line.title if line else ""
