"""What is told of alarms when there are many: the first of a group, floods, chatter.

It is asked when an alarm has taken steps, and by time; what it decides gates what is told and commanded, never how an
alarm is followed. An alarm *begins to want* somebody when nothing stands any more between it and a person: only then is
it counted, and may its group or a flood suppress it. What an operator brings back himself is never suppressed.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from linecontrol.config import Config
from linecontrol.model import Severity
from linecontrol.rules import chatter, flood
from linecontrol.rules.alarm import CHATTERING, FLOOD, Alarm, Gate, Step, due_ns, expire, flood_flag, shelve
from linecontrol.rules.flood import Flood
from linecontrol.rules.message import duration_text
from linecontrol.rules.moment import NEVER
from linecontrol.rules.system_flag import LIFE, SystemFlag
from linecontrol.rules.watch import Told, Watch

USER = "linecontrol"
"""Who shelves a flag that chatters."""
_TURNS = ("raised", "cleared")
_BACK = ("unshelved", "in_service")


class Annunciated(Struct):
    """What is remembered: the ``first`` flag of each group that has one, floods by line, the system's own flags."""

    first: dict[str, str] = field(default_factory=dict)
    floods: dict[str, Flood] = field(default_factory=dict)
    system: dict[str, Alarm] = field(default_factory=dict)


class Annunciator:
    """Decides what is told. ``bind`` before anything else, and again when the watches have other alarms."""

    def __init__(self, config: Config, watches: Sequence[Watch]) -> None:
        """``watches`` are all that there are; those that only note raise no flags."""
        watches = [watch for watch in watches if not watch.rule.config.only_notes]
        self._flood, self._chatter = config.alarms.flood, config.alarms.chatter
        self._titles = {name: line.title for name, line in config.lines.items()}
        self._watches = {watch.flag: watch for watch in watches}
        self._groups: dict[str, list[Watch]] = {}
        self._lines: dict[str, list[Watch]] = {}
        for watch in watches:
            self._lines.setdefault(watch.about.line, []).append(watch)
            if (group := _group(watch)) is not None:
                self._groups.setdefault(group, []).append(watch)
        self._wanting: set[str] = set()
        self._loose: list[str] = []  # groups whose first flag may have let go
        self._chattering: dict[str, Watch] = {}
        self._system: dict[str, SystemFlag] = {}
        self.flags: frozenset[str] = frozenset(
            [
                *self._watches,
                *(flood_flag(line) for line in self._lines),
                *(f"{CHATTERING}/{flag}" for flag in self._watches),
            ]
        )

    def bind(self, memory: Annunciated, renamed: Mapping[str, str] | None = None) -> Annunciated:
        """Go on with what is remembered, as far as it is about flags that there are; returns what is kept of it.

        ``renamed`` are the present names of flags by their former ones.
        """
        names = renamed or {}
        system = {names.get(flag, flag): alarm for flag, alarm in memory.system.items()}
        self._memory = Annunciated(
            first={group: names.get(flag, flag) for group, flag in memory.first.items()},
            floods={line: memory.floods.get(line, Flood()) for line in self._lines},
            system={flag: alarm for flag, alarm in system.items() if flag in self.flags},
        )
        self._system = {}
        for flag in self._memory.system:
            self.made(flag)
        self._wanting = {watch.flag for watch in self._watches.values() if watch.alarm.wants}
        self._chattering = {flag: watch for flag, watch in self._watches.items() if watch.alarm.chatter_ns is not None}
        self._loose = []
        return self._memory

    def resume(self, at_ns: int) -> list[Told]:
        """What follows from other rules than before: groups whose first flag is none any more let go of theirs."""
        said: list[Told] = []
        for group in [group for group in self._memory.first if group not in self._groups]:
            del self._memory.first[group]
        for group in self._groups:
            said += self._settle(group, at_ns)
        stray = [watch for watch in self._watches.values() if watch.alarm.first_out and _group(watch) is None]
        return said + [event for watch in stray for event in self._free(watch, at_ns)]

    # --- steps ----------------------------------------------------------------------------------------------

    def tell(self, watch: Watch, steps: list[Step]) -> list[Told]:
        """The steps of an alarm as events, and what follows from them for it and for others, but for ``settle``."""
        alarm, flag = watch.alarm, watch.flag
        if flag not in self._watches:
            return watch.tell(steps)
        at_ns = steps[-1].at_ns
        by_hand = bool(steps[0].by)
        brought_back = by_hand and steps[0].transition in _BACK
        if steps[0].transition == "raised" or (not alarm.raised and alarm.acked) or brought_back:
            alarm.first_out, alarm.muted = "", False
        wanted, begun, said = flag in self._wanting, False, list[Told]()
        if alarm.wants and not wanted:
            if (group := _group(watch)) in self._loose:
                self._loose.remove(group)
                said += self._settle(group, at_ns)
            begun = self._begin(watch, at_ns, by_hand=by_hand)
        if alarm.is_suppressed:
            steps = [Step("suppressed", at_ns) if step.transition == "unsuppressed" else step for step in steps]
        said += watch.tell(steps)
        self._note(watch)
        if begun:
            said += self._open(watch.about.line, at_ns)
        if wanted and not alarm.wants and (group := _group(watch)) is not None:
            self._loose.append(group)
        for step in steps:
            if step.transition in _TURNS and chatter.turn(alarm, self._chatter, step.at_ns):
                said += self._chatters(watch, step.at_ns)
        return said

    def _note(self, watch: Watch) -> None:
        if watch.alarm.wants:
            self._wanting.add(watch.flag)
        else:
            self._wanting.discard(watch.flag)

    def _begin(self, watch: Watch, at_ns: int, *, by_hand: bool) -> bool:
        """An alarm begins to want somebody, unless its group or a flood suppresses it; whether a flood begins."""
        group = _group(watch)
        first = None if group is None else self._memory.first.setdefault(group, watch.flag)
        if by_hand:
            return False
        if first is not None and first != watch.flag:
            watch.alarm.first_out = first
            return False
        return self._count(watch, at_ns)

    def _count(self, watch: Watch, at_ns: int) -> bool:
        """Count an annunciation, which a flood may mute; whether one begins after it."""
        line = self._memory.floods[watch.about.line]
        shown = watch.rule.severity.rank >= self._flood.show.rank or self._is_first(watch)
        watch.alarm.muted = line.since_ns is not None and not shown
        if watch.alarm.muted and line.tell_ns is None:
            line.tell_ns = (at_ns // flood.TELL_EVERY_NS + 1) * flood.TELL_EVERY_NS
        return flood.take(line, self._flood, at_ns)

    def _is_first(self, watch: Watch) -> bool:
        group = _group(watch)
        return group is not None and self._memory.first.get(group) == watch.flag

    # --- groups ---------------------------------------------------------------------------------------------

    def settle(self, at_ns: int) -> list[Told]:
        """What follows for groups whose first flag let go.

        To be asked when all that an event does is done, so that flags which are over with it don't come to the front;
        a group of which another flag begins to want somebody can't wait for that.
        """
        groups, self._loose = self._loose, []
        return [event for group in groups for event in self._settle(group, at_ns)]

    def _settle(self, group: str, at_ns: int) -> list[Told]:
        """If the first flag of a group wants nobody any more, those behind it come to the front."""
        watches, first = self._groups[group], self._memory.first.get(group)
        if first in self._wanting and any(watch.flag == first for watch in watches):
            return []
        waiting = [watch for watch in watches if watch.alarm.first_out]
        for watch in waiting:
            watch.alarm.first_out = ""
        standing = [
            watch for watch in watches if watch.alarm.wants and (watch in waiting or watch.flag in self._wanting)
        ]
        standing.sort(key=_age)
        self._memory.first.pop(group, None)
        if standing:
            self._memory.first[group] = standing[0].flag
        return [event for watch in sorted(waiting, key=_age) for event in self._free(watch, at_ns)]

    def _free(self, watch: Watch, at_ns: int) -> list[Told]:
        """An alarm that was suppressed behind another one, or by a flood, is suppressed so no longer."""
        watch.alarm.first_out = ""
        begun = watch.alarm.wants and self._count(watch, at_ns)
        self._note(watch)
        said = watch.tell([_let_go(watch, at_ns)])
        return said + (self._open(watch.about.line, at_ns) if begun else [])

    # --- floods ---------------------------------------------------------------------------------------------

    def _open(self, line: str, at_ns: int) -> list[Told]:
        return self._flooded(line).put(raised=True, at_ns=at_ns, text=self._flood_text(line, 0))

    def _flooded(self, line: str) -> SystemFlag:
        return self.made(flood_flag(line))

    def _flood_text(self, line: str, muted: int) -> str:
        where = self._titles.get(line, "the plant")
        window = duration_text(self._flood.window / 1e9)
        return (
            f"Flood of flags in {where}: {self._flood.enter} or more within {window}. {muted} muted; "
            f"told are {self._flood.show.value} ones and the first of each group."
        )

    def _ebb(self, line: str, at_ns: int) -> list[Told]:
        """A flood is over: what it muted and still stands is told."""
        its = self._memory.floods[line]
        muted = sorted((watch for watch in self._lines[line] if watch.alarm.muted), key=_age)
        said = self._flooded(line).put(raised=False, at_ns=at_ns, text=self._flood_text(line, len(muted)))
        flood.end(its)
        for watch in muted:
            watch.alarm.muted = False
            self._note(watch)
            if watch.alarm.wants and (group := _group(watch)) is not None:
                self._memory.first.setdefault(group, watch.flag)
            said += watch.tell([_let_go(watch, at_ns)])
        return said

    def _recount(self, line: str, at_ns: int) -> list[Told]:
        its = self._memory.floods[line]
        its.tell_ns, its.muted = None, sum(watch.alarm.muted for watch in self._lines[line])
        return self._flooded(line).put(raised=True, at_ns=at_ns, text=self._flood_text(line, its.muted))

    # --- chatter --------------------------------------------------------------------------------------------

    def _chatters(self, watch: Watch, at_ns: int) -> list[Told]:
        alarm, settings = watch.alarm, self._chatter
        alarm.chatter_ns = at_ns
        self._chattering[watch.flag] = watch
        system = self.made(f"{CHATTERING}/{watch.flag}")
        begins = not system.alarm.raised
        delay = duration_text(chatter.calming_ns(alarm, watch.rule.life, settings.window) / 1e9)
        text = (
            f"{watch.flag} chatters: {settings.transitions} or more changes within "
            f"{duration_text(settings.window / 1e9)}. An off_delay of {delay} would have calmed it."
        )
        said = system.put(raised=True, at_ns=at_ns, text=text)
        if begins and settings.shelve and alarm.shelf is None:
            until = at_ns + min(settings.shelve, watch.rule.config.shelve_max)
            said += self.tell(watch, shelve(alarm, at_ns, Gate(USER, CHATTERING, until)))
        return said

    def _calm(self, watch: Watch, at_ns: int) -> list[Told]:
        watch.alarm.chatter_ns = None
        del self._chattering[watch.flag]
        system = self.made(f"{CHATTERING}/{watch.flag}")
        return system.put(raised=False, at_ns=at_ns, text=system.alarm.text)

    # --- the system's own flags -----------------------------------------------------------------------------

    def systems(self) -> Iterable[SystemFlag]:
        """The gateway's own flags of which anything is remembered."""
        return self._system.values()

    def system(self, flag: str) -> SystemFlag | None:
        """One of the gateway's own flags, if it stands or something gates it."""
        self._forget()
        return self._system.get(flag)

    def made(self, flag: str) -> SystemFlag:
        """One of the gateway's own flags, which stands from now on if it never did."""
        if flag not in self._system:
            alarm = self._memory.system.setdefault(flag, Alarm())
            rule, _, subject = flag.partition("/")
            if rule == FLOOD:
                line = subject if subject in self._lines else ""
                self._system[flag] = SystemFlag(rule, subject, line, "", Severity.WARNING, alarm)
            else:
                about = self._watches[subject].about
                self._system[flag] = SystemFlag(rule, subject, about.line, about.station, Severity.INFO, alarm)
        return self._system[flag]

    # --- time -----------------------------------------------------------------------------------------------

    def due_ns(self) -> int:
        """When time alone changes something next; ``NEVER`` if it doesn't."""
        due = [due_ns(system.alarm, LIFE) for system in self._system.values()]
        for its in self._memory.floods.values():
            due += [flood.over_ns(its, self._flood), its.tell_ns]
        due += [self._calm_ns(watch) for watch in self._chattering.values()]
        return min((at for at in due if at is not None), default=NEVER)

    def expire(self, at_ns: int) -> list[Told]:
        """What time alone has done by ``at_ns``, which is when it did."""
        said: list[Told] = []
        for line, its in self._memory.floods.items():
            over = flood.over_ns(its, self._flood)
            if over is not None and over <= at_ns:
                said += self._ebb(line, at_ns)
            elif its.tell_ns is not None and its.tell_ns <= at_ns:
                said += self._recount(line, at_ns)
        calm = [watch for watch in self._chattering.values() if self._calm_ns(watch) <= at_ns]
        for watch in sorted(calm, key=lambda watch: watch.order):
            said += self._calm(watch, at_ns)
        for system in self._system.values():
            said += system.tell(expire(system.alarm, LIFE, at_ns))
        if said:
            self._forget()
        return said

    def _forget(self) -> None:
        """Drop what is over and gated by nobody."""
        for flag, system in list(self._system.items()):
            alarm = system.alarm
            if not alarm.raised and alarm.shelf is None and alarm.service is None:
                del self._system[flag], self._memory.system[flag]

    def _calm_ns(self, watch: Watch) -> int:
        return (watch.alarm.chatter_ns or 0) + self._chatter.calm


def _group(watch: Watch) -> str | None:
    """The group of a watch: its rule's, in its line."""
    group = watch.rule.config.group
    return None if group is None else f"{watch.about.line}/{group}"


def _let_go(watch: Watch, at_ns: int) -> Step:
    """What is told of a watch that one of its suppressors lets go."""
    return Step("suppressed" if watch.alarm.is_suppressed else "unsuppressed", at_ns)


def _age(watch: Watch) -> tuple[int, int]:
    return watch.alarm.raised_ns, watch.order
