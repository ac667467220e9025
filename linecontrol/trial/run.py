"""One rule test: the rules' room alone is told what is given, and what it says is held against what is expected."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import zip_longest
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar, to_ns
from linecontrol.config import Config, RuleConfig
from linecontrol.config.rule_test import ExpectConfig, GivenConfig, RuleTestConfig
from linecontrol.model import AlarmState, AnyEvent, FlagChanged
from linecontrol.rules import RulesRoom
from linecontrol.trial.given import Facts

TOLERANCE_NS = 1_000_000
"""How far apart in time what is expected and what happens may be."""
_QUIET = (AlarmState.NORMAL, AlarmState.RETURNED)


class Outcome(Struct):
    """What came of a test: why it failed (nothing if it passed), and which transitions each rule was seen to make."""

    failures: list[str] = field(default_factory=list)
    seen: dict[str, set[str]] = field(default_factory=dict)


Rules = Callable[[str], dict[str, RuleConfig]]
"""Reads the rules of a file that a test names.

Raises:
    ConfigError: it can't be read.
"""


def run_test(
    config: Config, calendars: dict[str, WorkCalendar], test: RuleTestConfig, recorded: Sequence[AnyEvent], rules: Rules
) -> Outcome:
    """Run a test; ``recorded`` are events cut from a journal, ``rules`` reads files of ``reload`` steps."""
    start_ns = start_of(config, calendars, test, recorded)
    trial = _Trial(config, calendars, start_ns, rules)
    outcome = Outcome()
    steps: list[tuple[int, int, GivenConfig | AnyEvent]] = []
    for given in test.given:
        for turn in range(given.times):
            steps.append((start_ns + given.at + turn * (given.every or 0), len(steps), given))
    steps += [(event.at_ns, len(steps) + place, event) for place, event in enumerate(recorded)]
    steps.sort(key=lambda step: step[:2])
    looks = sorted({start_ns + expect.at for expect in test.expect if expect.open is not None})
    last_ns = max([*(step[0] for step in steps), *(start_ns + expect.at for expect in test.expect), start_ns])
    end_ns = start_ns + test.until if test.until is not None else last_ns
    open_at: dict[int, list[str]] = {}
    try:
        for at_ns, _, step in steps:
            if at_ns > end_ns:
                break
            while looks and looks[0] < at_ns:
                look = looks.pop(0)
                open_at[look] = trial.open_at(look)
            trial.take(step, at_ns)
        for look in [look for look in looks if look <= end_ns]:
            open_at[look] = trial.open_at(look)
        trial.until(end_ns)
    except ValueError as error:
        outcome.failures.append(str(error))
        return outcome
    _compare(test, trial.said, open_at, start_ns, outcome)
    return outcome


def start_of(
    config: Config, calendars: dict[str, WorkCalendar], test: RuleTestConfig, recorded: Sequence[AnyEvent]
) -> int:
    """When a test starts."""
    if test.start is not None:
        return local_ns(config, test.start)
    if recorded:
        return recorded[0].at_ns
    year = min((target.year for target in config.targets.values()), default=2026)
    calendar = next(iter(calendars.values()))
    return calendar.next_change(calendar.day_start(date(year, 1, 1)))


def local_ns(config: Config, moment: datetime) -> int:
    """Nanoseconds (UTC) of a local time of the plant, or of a time with a zone of its own."""
    return to_ns(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(config.plant.timezone)))


class _Trial:
    """The rules' room under test."""

    def __init__(self, config: Config, calendars: dict[str, WorkCalendar], start_ns: int, rules: Rules) -> None:
        self._config, self._calendars, self._rules = config, calendars, rules
        self._facts = Facts(config, calendars)
        self._room = RulesRoom(config, calendars)
        self.said: list[FlagChanged] = []
        self._open: dict[str, None] = {}
        self.until(start_ns)

    def take(self, step: GivenConfig | AnyEvent, at_ns: int) -> None:
        """Let something happen."""
        if not isinstance(step, GivenConfig):
            self._hear(self._room.see(step))
        elif step.restart:
            self._again(self._config, at_ns)
        elif step.reload is not None:
            self._again(self._config.model_copy(update={"rules": self._rules(step.reload)}), at_ns)
        elif (operation := self._facts.operation(step, at_ns)) is not None:
            self._hear(self._room.operate(operation))
        else:
            for event in self._facts.events(step, at_ns):
                self._hear(self._room.see(event))

    def until(self, at_ns: int) -> None:
        """Let time pass."""
        self._hear(self._room.tick(at_ns))

    def open_at(self, at_ns: int) -> list[str]:
        """The flags that are raised at a moment."""
        self.until(at_ns)
        return sorted(self._open)

    def _again(self, config: Config, at_ns: int) -> None:
        self.until(at_ns)
        memory = self._room.memory()
        self._config = config
        self._room = RulesRoom(config, self._calendars)
        self._room.remember(memory)
        self.until(at_ns)

    def _hear(self, events: Sequence[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, FlagChanged):
                self.said.append(event)
                if event.transition == "raised":
                    self._open[event.flag] = None
                elif event.transition == "cleared":
                    self._open.pop(event.flag, None)


def _compare(
    test: RuleTestConfig, said: list[FlagChanged], open_at: dict[int, list[str]], start_ns: int, outcome: Outcome
) -> None:
    def concerns(flag: str) -> bool:
        return not test.rules or flag.partition("/")[0] in test.rules

    for event in said:
        outcome.seen.setdefault(event.rule, set()).add(event.transition)
    got = [event for event in said if concerns(event.flag)]
    wanted = sorted((expect for expect in test.expect if expect.transition), key=lambda expect: expect.at)
    matched = _matched(wanted, got, start_ns)
    for expect, met in matched:
        if expect is None and met is not None:
            when = _shown(met.at_ns - start_ns)
            outcome.failures.append(f"happened and wasn't expected: {when} {met.transition}: {met.flag} ({met.text})")
        elif expect is not None and met is None:
            outcome.failures.append(f"expected and didn't happen: {_wanted(expect)}")
        elif expect is not None and met is not None and expect.text is not None and expect.text not in met.text:
            outcome.failures.append(f"{_wanted(expect)}: expected in its message: {expect.text!r}; it is {met.text!r}")
    for expect in test.expect:
        if expect.open is not None:
            flags = [flag for flag in open_at.get(start_ns + expect.at, []) if concerns(flag)]
            if flags != sorted(expect.open):
                outcome.failures.append(
                    f"at {_shown(expect.at)} these are raised: {', '.join(flags) or 'none'}; "
                    f"expected: {', '.join(sorted(expect.open)) or 'none'}"
                )


def _matched(
    wanted: list[ExpectConfig], got: list[FlagChanged], start_ns: int
) -> list[tuple[ExpectConfig | None, FlagChanged | None]]:
    """Each expectation with the event that meets it; those left over with nothing."""
    rest = list(got)
    pairs: list[tuple[ExpectConfig | None, FlagChanged | None]] = []
    for expect in wanted:
        met = next((event for event in rest if _meets(expect, event, start_ns)), None)
        if met is not None:
            rest.remove(met)
        pairs.append((expect, met))
    return [*pairs, *zip_longest([], rest)]


def _meets(expect: ExpectConfig, event: FlagChanged, start_ns: int) -> bool:
    at_ns = start_ns + expect.at
    return (event.transition, event.flag) == expect.transition and abs(event.at_ns - at_ns) <= TOLERANCE_NS


def _wanted(expect: ExpectConfig) -> str:
    transition, flag = expect.transition or ("", "")
    return f"{_shown(expect.at)} {transition}: {flag}"


def _shown(ns: int) -> str:
    """A duration as test files say it: ``2h18m``, ``90s``, ``1.5s``."""
    hours, rest = divmod(round(ns / 1_000_000), 3_600_000)
    minutes, millis = divmod(rest, 60_000)
    seconds = f"{millis / 1000:g}s" if millis or not (hours or minutes) else ""
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if minutes else ''}{seconds}"
