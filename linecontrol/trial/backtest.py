"""Rules over recorded events: when each flag would have been raised, and how two sets of rules differ."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.model import AnyEvent, CommandClosed, CommandIssued, FlagChanged, Noted, Operation
from linecontrol.rules import RulesRoom
from linecontrol.rules.alarm import RESERVED


class Episode(Struct, frozen=True, order=True):
    """A flag from being raised to clearing (``None``: still raised at the end), in UTC nanoseconds.

    What is only noted is raised and clears at once. ``suppressed_by`` is what kept it from being told when raised.
    """

    raised_ns: int
    flag: str
    cleared_ns: int | None
    text: str
    suppressed_by: str = ""

    @property
    def rule(self) -> str:
        """The rule that raised it."""
        return self.flag.partition("/")[0]

    def overlaps(self, other: "Episode") -> bool:
        """Whether both are about the same flag and have a moment in common."""
        if self.flag != other.flag:
            return False
        return (self.cleared_ns is None or other.raised_ns <= self.cleared_ns) and (
            other.cleared_ns is None or self.raised_ns <= other.cleared_ns
        )


_OWN = (FlagChanged, Noted, CommandIssued, CommandClosed)


def others(events: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
    """The events that come before the rules: no flags and notes, and no commands that followed from them."""
    return (event for event in events if event.__class__ not in _OWN)


class Backtest:
    """Runs the rules of a config over events in the order in which they were recorded."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        """Nothing was told yet.

        Raises:
            ConfigError: a rule has problems.
        """
        self.room = RulesRoom(config, calendars)
        self._open: dict[str, FlagChanged] = {}
        self._episodes: list[Episode] = []

    def take(self, events: Iterable[AnyEvent], operations: Iterable[Operation]) -> None:
        """One recorded turn: events of other rooms and what people did; flags and commands are passed over."""
        see = self.room.see
        for event in events:
            if event.__class__ not in _OWN and (said := see(event)):
                self._hear(said)
        for operation in operations:
            self._hear(self.room.operate(operation))

    def until(self, at_ns: int) -> None:
        """Let time pass."""
        self._hear(self.room.tick(at_ns))

    def episodes(self, start_ns: int = 0) -> list[Episode]:
        """Those that weren't over by ``start_ns``, in order of time; those that go on have no end."""
        going = [
            Episode(event.at_ns, flag, None, event.text, event.suppressed_by) for flag, event in self._open.items()
        ]
        found = [each for each in (*self._episodes, *going) if each.cleared_ns is None or each.cleared_ns >= start_ns]
        return sorted(found, key=lambda episode: (episode.raised_ns, episode.flag))

    def _hear(self, events: Iterable[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, Noted) and event.flag not in self.room.flags:
                self._episodes.append(Episode(event.at_ns, event.flag, event.at_ns, event.text))
            if not isinstance(event, FlagChanged):
                continue
            if event.transition == "raised":
                self._open[event.flag] = event
            elif event.transition == "cleared" and (raised := self._open.pop(event.flag, None)):
                self._episodes.append(Episode(raised.at_ns, event.flag, event.at_ns, raised.text, raised.suppressed_by))


def rules_of(config: Config, episodes: Iterable[Episode]) -> list[str]:
    """The config's rules, and the gateway's own of which there are any episodes."""
    seen = {episode.rule for episode in episodes}
    return [*config.rules, *(rule for rule in RESERVED if rule in seen)]


class Difference(Struct):
    """How two sets of rules differ over the same events. Pairs are of the old and the new episode."""

    appear: list[Episode] = field(default_factory=list)
    vanish: list[Episode] = field(default_factory=list)
    move: list[tuple[Episode, Episode]] = field(default_factory=list)
    same: int = 0


def difference(old: list[Episode], new: list[Episode], renamed: Mapping[str, str] | None = None) -> Difference:
    """What changes from ``old`` to ``new``; ``renamed`` maps former names of rules to their present ones."""
    names = renamed or {}
    found = Difference()
    rest = list(new)
    for episode in old:
        known = _under(episode, names)
        twin = next((other for other in rest if known.overlaps(other)), None)
        if twin is None:
            found.vanish.append(episode)
            continue
        rest.remove(twin)
        if (twin.raised_ns, twin.cleared_ns) == (episode.raised_ns, episode.cleared_ns):
            found.same += 1
        else:
            found.move.append((episode, twin))
    found.appear = rest
    return found


def _under(episode: Episode, names: Mapping[str, str]) -> Episode:
    rule, _, subject = episode.flag.partition("/")
    return Episode(episode.raised_ns, f"{names.get(rule, rule)}/{subject}", episode.cleared_ns, episode.text)
