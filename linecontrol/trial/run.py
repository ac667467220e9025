"""One rule test: the rules' room alone is told what is given, and what it says is held against what is expected."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar, to_ns
from linecontrol.config import Config
from linecontrol.config.rule_test import ExpectConfig, GivenConfig, RuleTestConfig
from linecontrol.model import AnyEvent, FlagChanged, Noted
from linecontrol.rules import RulesRoom
from linecontrol.rules.alarm import RESERVED
from linecontrol.rules.missing import missing, watched
from linecontrol.rules.suggest import nearest
from linecontrol.trial.expected import TOLERANCE_NS, Failure, Happened, compare, concerns, shown
from linecontrol.trial.given import Facts
from linecontrol.trial.writing import Writing


class Outcome(Struct):
    """What came of a test: why it failed (nothing if it passed), and all that the rules said."""

    failures: list[Failure] = field(default_factory=list)
    said: list[FlagChanged | Noted] = field(default_factory=list)

    @property
    def seen(self) -> dict[str, set[str]]:
        """The transitions that each rule was seen to make."""
        seen: dict[str, set[str]] = {}
        for event in self.said:
            seen.setdefault(event.rule, set()).add(event.transition)
        return seen


Reload = Callable[[str], Config]
"""The config with the rules of a file that a test names.

Raises:
    ConfigError: it can't be read.
"""


def run_test(
    config: Config,
    calendars: dict[str, WorkCalendar],
    test: RuleTestConfig,
    recorded: Sequence[AnyEvent],
    reload: Reload,
) -> Outcome:
    """Run a test; ``recorded`` are events cut from a journal, ``reload`` reads the files of such steps."""
    start_ns = start_of(config, calendars, test, recorded)
    trial = _Trial(config, calendars, start_ns, reload, lambda flag: concerns(test, flag))
    outcome = Outcome(said=trial.said)
    steps: list[tuple[int, int, GivenConfig | AnyEvent]] = []
    for place, given in enumerate(test.given):
        steps += [(start_ns + given.at + turn * (given.every or 0), place, given) for turn in range(given.times)]
    steps += [(event.at_ns, len(test.given) + place, event) for place, event in enumerate(recorded)]
    steps.sort(key=lambda step: step[:2])
    looks = sorted({start_ns + expect.at for expect in test.expect if expect.open is not None})
    last_ns = max([*(step[0] for step in steps), *(start_ns + expect.at for expect in test.expect), start_ns])
    end_ns = (last_ns if test.until is None else start_ns + test.until) + TOLERANCE_NS
    configs = [config, *(reload(given.reload) for given in test.given if given.reload)]
    outcome.failures += _never_told(test, configs, last_ns - start_ns)
    open_at: dict[int, list[str]] = {}
    for at_ns, place, step in steps if not outcome.failures else ():
        while looks and looks[0] < at_ns:
            look = looks.pop(0)
            open_at[look] = trial.open_at(look)
        try:
            trial.take(step, at_ns)
        except ValueError as error:
            outcome.failures.append(Failure(("given", place), str(error)))
            return outcome
    if not outcome.failures:
        for look in looks:
            open_at[look] = trial.open_at(look)
        trial.until(end_ns)
        happened = Happened(trial.said, trial.writing.said, trial.writing.refused, open_at)
        outcome.failures += compare(test, happened, start_ns)
    return outcome


def _never_told(test: RuleTestConfig, configs: Sequence[Config], last: int) -> list[Failure]:
    """What is wrong with a test before it runs: such a test could pass without showing anything."""
    flags = [flag for config in configs for flag in watched(config)]
    rules = {rule for config in configs for rule in config.rules}
    found = []
    for place, pattern in enumerate(test.rules):
        if pattern not in rules and not any(fnmatchcase(flag, pattern) for flag in flags) and not _is_own(pattern):
            found.append(Failure(("rules", place), missing(pattern, configs[-1])))
    for place, expect in enumerate(test.expect):
        unknown = [flag for flag in expect.flags if flag not in flags and not _is_own(flag)]
        found += [Failure(("expect", place), missing(flag, configs[-1])) for flag in unknown]
        others = [flag for flag in expect.flags if flag not in unknown and not concerns(test, flag)]
        found += [Failure(("expect", place), f"{flag} is not under test: rules: leaves it out") for flag in others]
        if text := _never_written(expect, configs[0]):
            found.append(Failure(("expect", place), text))
    if test.until is not None and test.until < last:
        found.append(Failure(("until",), f"the test ends before the last thing in it, at {shown(last)}"))
    return found


def _never_written(expect: ExpectConfig, config: Config) -> str:
    """Why what is expected to be written can't be."""
    if expect.station is None:
        return ""
    stations = {f"{line}/{name}": each for line, its in config.lines.items() for name, each in its.stations.items()}
    station = stations.get(expect.station)
    if station is None:
        return f"there is no station {expect.station}{nearest(expect.station, stations)}"
    what, name = ("command", expect.command) if expect.command else ("setpoint", expect.setpoint or "")
    known = [command.value for command in station.commands] if expect.command else list(station.setpoints)
    return "" if name in known else f"{expect.station} has no {what} {name}; it has {', '.join(known) or 'none'}"


def _is_own(flag: str) -> bool:
    """Whether it is a flag, or a pattern of flags, of the gateway's own."""
    return flag.partition("/")[0] in RESERVED


def start_of(
    config: Config, calendars: dict[str, WorkCalendar], test: RuleTestConfig, recorded: Sequence[AnyEvent]
) -> int:
    """When a test starts."""
    if test.start is not None:
        return local_ns(config, test.start)
    if test.journal is not None and test.journal.start is not None:
        return local_ns(config, test.journal.start)
    if recorded:
        return recorded[0].at_ns
    year = min((target.year for target in config.targets.values()), default=2026)
    calendar = next(iter(calendars.values()))
    return calendar.next_change(calendar.day_start(date(year, 1, 1)))


def local_ns(config: Config, moment: datetime) -> int:
    """Nanoseconds (UTC) of a local time of the plant, or of a time with a zone of its own."""
    return to_ns(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(config.plant.timezone)))


class _Trial:
    """The rules' room under test, and what the flags that it ``concerns`` have written."""

    def __init__(
        self,
        config: Config,
        calendars: dict[str, WorkCalendar],
        start_ns: int,
        reload: Reload,
        concerns: Callable[[str], bool],
    ) -> None:
        self._concerns = concerns
        self.writing = Writing(config)
        self._config, self._calendars, self._reload = config, calendars, reload
        self._facts = Facts(config, calendars)
        self._room = RulesRoom(config, calendars)
        self.said: list[FlagChanged | Noted] = []
        self._open: dict[str, None] = {}
        self.until(start_ns)

    def take(self, step: GivenConfig | AnyEvent, at_ns: int) -> None:
        """Let something happen."""
        if not isinstance(step, GivenConfig):
            self._hear(self._room.see(step))
        elif step.restart:
            self._restarted(at_ns)
        elif step.reload is not None:
            self._reloaded(self._reload(step.reload), at_ns)
        elif (operation := self._facts.operation(step, at_ns)) is not None:
            if operation.flag not in self._room.flags:
                raise ValueError(missing(operation.flag, self._config))
            self._hear(self._room.operate(operation))
        else:
            for event in self._facts.events(step, at_ns):
                self._hear(self._room.see(event))

    def until(self, at_ns: int) -> None:
        """Let time pass."""
        self._hear(self._room.tick(at_ns))
        self.writing.until(at_ns)

    def open_at(self, at_ns: int) -> list[str]:
        """The flags that are raised at a moment."""
        self.until(at_ns)
        return sorted(self._open)

    def _restarted(self, at_ns: int) -> None:
        self.until(at_ns)
        memory = self._room.memory()
        self._room = RulesRoom(self._config, self._calendars)
        self._room.remember(memory)
        self.writing.restart(self._config)
        self.until(at_ns)

    def _reloaded(self, config: Config, at_ns: int) -> None:
        self._config, old = config, self._room
        self._room = RulesRoom(config, self._calendars)
        self._hear(old.tick(at_ns))
        succession = self._room.succeed(old, at_ns)
        self._hear(succession.until)
        self._hear(succession.since)
        self.writing.follow(config, [flag for flag in self._room.raised() if self._concerns(flag.flag)], at_ns)
        self.until(at_ns)

    def _hear(self, events: Sequence[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, FlagChanged | Noted):
                self.said.append(event)
                if isinstance(event, FlagChanged) and self._concerns(event.flag):
                    self.writing.see(event)
                if event.transition == "raised":
                    self._open[event.flag] = None
                elif event.transition == "cleared":
                    self._open.pop(event.flag, None)
