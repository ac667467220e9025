"""What is told of flags when there are many, as the reference page tells it: first out, floods, chatter.

All moments at which flags began to want somebody, were raised or cleared are kept; whatever is asked is counted anew.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from linecontrol.config import AlarmsConfig
from linecontrol.model import Operation
from tests.unit.rules.naive.hours import S
from tests.unit.rules.naive.life import Flag, Ways

Say = Callable[..., None]
"""Takes the name of a flag, a transition, the flag, a note, and of a rule's flag both sides of its comparison."""
BROUGHT_BACK = ("unshelved", "in_service")
EIGHT_HOURS = 8 * 3_600 * S


class Member(Protocol):
    """A flag of a rule. ``line`` is empty for what belongs to none; ``steps`` tells its transitions as its own."""

    name: str
    line: str
    group: str | None
    severity: str
    flag: Flag

    def tell(self, steps: Iterable[str]) -> None:
        """Say these transitions of it."""


class Crowd:
    """All flags of a plant. ``members`` are in the order of the rules."""

    def __init__(self, alarms: AlarmsConfig, members: list[Member], say: Say) -> None:
        self._alarms, self._members, self._say = alarms, members, say
        self.now = 0
        self._wanting: set[str] = set()
        self._first: dict[tuple[str, str], Member] = {}
        self._let_go: list[tuple[str, str]] = []
        self._began: dict[str, list[int]] = {member.line: [] for member in members}
        self._floods: dict[str, Flag] = {line: Flag(Ways(shelve_max=EIGHT_HOURS)) for line in self._began}
        self._count_at: dict[str, int] = {}
        self._said: dict[str, int] = {}
        self._turned: dict[str, list[int]] = {}
        self._chatters: dict[str, Flag] = {}
        self._chattered_at: dict[str, int] = {}

    def tell(self, member: Member, steps: list[str], *, by_hand: bool = False) -> None:
        """Transitions that a flag made."""
        flag = member.flag
        over = not flag.raised and flag.acked
        if steps[0] == "raised" or over or (by_hand and steps[0] in BROUGHT_BACK):
            flag.behind, flag.muted = "", False
        wanted, floods = member.name in self._wanting, False
        if flag.wants and not wanted:
            floods = self._begins(member, by_hand=by_hand)
        member.tell("suppressed" if step == "unsuppressed" and flag.is_suppressed else step for step in steps)
        self._note(member)
        if floods:
            self._flood(member.line)
        if wanted and not flag.wants and (group := _group(member)):
            self._let_go.append(group)
        for _ in [step for step in steps if step in ("raised", "cleared")]:
            self._turns(member)

    def operate(self, wish: Operation) -> None:
        """What a person does about a flag of the gateway's own."""
        kind, _, name = wish.flag.partition("/")
        flag = (
            self._floods.get("" if name == "PLANT" else name) if kind == "flood" else self._chatters.get(name)
        )  # a flood of a line PLANT is none of this plant's
        if flag is not None and (flag.raised or flag.shelved or flag.out):
            for step in flag.operate(wish, self.now):
                self._say(wish.flag, step, flag, "")

    def settle(self) -> None:
        """All that one event, or one moment, does is done: groups whose first flag let go."""
        groups, self._let_go = self._let_go, []
        for group in groups:
            self._advance(group)

    def pass_time(self) -> None:
        """What time alone ends: floods, chatter, and what people did about their flags."""
        flood = self._alarms.flood
        for line, flag in self._floods.items():
            if flag.raised and self._lately(self._began[line], flood.window) < flood.leave:
                self._ebb(line)
            elif flag.raised and self.now >= self._count_at.get(line, self.now + 1):
                del self._count_at[line]
                number = self._muted(line)
                if number != self._said[line]:
                    self._said[line] = number
                    self._say(_flood(line), "changed", flag, f"{number} muted")
        for name, at in list(self._chattered_at.items()):
            if self.now >= at + self._alarms.chatter.calm:
                del self._chattered_at[name]
                self._put(f"chattering/{name}", self._chatters[name], "")
        named = [(_flood(line), flag) for line, flag in self._floods.items()]
        named += [(f"chattering/{name}", flag) for name, flag in self._chatters.items()]
        for name, flag in named:
            for step in flag.pass_time(self.now):
                self._say(name, step, flag, "")

    # --- groups -----------------------------------------------------------------------------------------------

    def _begins(self, member: Member, *, by_hand: bool) -> bool:
        """A flag begins to want somebody, unless something suppresses it; whether a flood begins with it."""
        if group := _group(member):
            if group in self._let_go:
                self._let_go.remove(group)
                self._advance(group)
            first = self._first.setdefault(group, member)
            if first is not member and not by_hand:
                member.flag.behind = first.name
                return False
        return not by_hand and self._counts(member)

    def _advance(self, group: tuple[str, str]) -> None:
        """If its first flag wants nobody any more, those behind it come to the front."""
        first = self._first.pop(group, None)
        if first is not None and first.name in self._wanting:
            self._first[group] = first
            return
        its = sorted((each for each in self._members if _group(each) == group), key=lambda each: each.flag.raised_at)
        waiting = [each for each in its if each.flag.behind]
        for each in waiting:
            each.flag.behind = ""
        standing = [each for each in its if each.flag.wants and (each in waiting or each.name in self._wanting)]
        if standing:
            self._first[group] = standing[0]
        for each in waiting:
            floods = each.flag.wants and self._counts(each)
            self._note(each)
            each.tell(["suppressed" if each.flag.is_suppressed else "unsuppressed"])
            if floods:
                self._flood(each.line)

    def _note(self, member: Member) -> None:
        (self._wanting.add if member.flag.wants else self._wanting.discard)(member.name)

    # --- floods -----------------------------------------------------------------------------------------------

    def _counts(self, member: Member) -> bool:
        """Count it, and mute it if there is a flood; else whether one begins."""
        began, flood = self._began[member.line], self._alarms.flood
        began.append(self.now)
        if not self._floods[member.line].raised:
            return self._lately(began, flood.window) >= flood.enter
        ranks = ["info", "warning", "critical"]
        group = _group(member)
        first = group is not None and self._first.get(group) is member
        if ranks.index(member.severity) < ranks.index(flood.show.value) and not first:
            member.flag.muted = True
            self._count_at.setdefault(member.line, (self.now // (10 * S) + 1) * 10 * S)
        return False

    def _flood(self, line: str) -> None:
        self._said[line] = 0
        self._put(_flood(line), self._floods[line], "0 muted")

    def _ebb(self, line: str) -> None:
        self._put(_flood(line), self._floods[line], f"{self._muted(line)} muted")
        self._count_at.pop(line, None)
        for each in sorted(self._members, key=lambda each: each.flag.raised_at):
            if each.line == line and each.flag.muted:
                each.flag.muted = False
                self._note(each)
                if each.flag.wants and (group := _group(each)):
                    self._first.setdefault(group, each)
                each.tell(["suppressed" if each.flag.is_suppressed else "unsuppressed"])

    def _muted(self, line: str) -> int:
        return sum(each.flag.muted for each in self._members if each.line == line)

    def _lately(self, moments: list[int], window: int) -> int:
        return sum(moment > self.now - window for moment in moments)

    # --- chatter ----------------------------------------------------------------------------------------------

    def _turns(self, member: Member) -> None:
        """It was raised or cleared."""
        chatter, turned = self._alarms.chatter, self._turned.setdefault(member.name, [])
        turned.append(self.now)
        if self._lately(turned, chatter.window) < chatter.transitions:
            return
        self._chattered_at[member.name] = self.now
        system = self._chatters.setdefault(member.name, Flag(Ways(shelve_max=EIGHT_HOURS)))
        if system.raised:
            return  # may tell another delay, which the page doesn't say how to round
        self._put(f"chattering/{member.name}", system, "")
        if chatter.shelve and not member.flag.shelved:
            wish = Operation("shelve", member.name, "linecontrol", "", self.now, self.now + chatter.shelve)
            self.tell(member, member.flag.operate(wish, self.now))

    def _put(self, name: str, flag: Flag, note: str) -> None:
        """Raise or clear a flag of the gateway's own."""
        for step in flag.feel(True, self.now):
            self._say(name, step, flag, note if step in ("raised", "cleared") else "")


def _group(member: Member) -> tuple[str, str] | None:
    return None if member.group is None else (member.line, member.group)


def _flood(line: str) -> str:
    return f"flood/{line or 'PLANT'}"
