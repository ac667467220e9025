"""The life of a flag as the reference page tells it; at each look all looks since the last turn are read again."""

from msgspec import Struct, field

from linecontrol.model import Operation
from tests.unit.rules.naive.hours import S


class Ways(Struct, frozen=True):
    """How a rule's flags live: delays, and what a person has to do. Nanoseconds."""

    hold_for: int = 0
    off_delay: int = 0
    ack: bool = False
    latch: bool = False
    realarm: int = 0
    shelve_max: int = 0


class Look(Struct, frozen=True):
    """What was found at a look: whether the flag is to turn (be raised or, once raised, be cleared)."""

    at: int
    signal: bool | None


class Flag(Struct):
    """A flag and its looks since it last turned.

    ``behind`` is the first flag of its group, which suppresses it; ``muted`` tells whether a flood does.
    """

    ways: Ways
    raised: bool = False
    raised_at: int = 0
    acked: bool = True
    acked_at: int | None = None
    told_at: int = 0
    looks: list[Look] = field(default_factory=list)
    blind: bool = False
    suppressed: bool = False
    behind: str = ""
    muted: bool = False
    shelved: bool = False
    shelved_once: bool = False
    shelved_until: int = 0
    out: bool = False
    out_until: int | None = None

    @property
    def is_suppressed(self) -> bool:
        """Whether anything suppresses it by design."""
        return self.suppressed or self.behind != "" or self.muted

    @property
    def wants(self) -> bool:
        """Whether it wants somebody."""
        return self.raised and not (self.out or self.shelved or self.is_suppressed)

    @property
    def state(self) -> str:
        """In the words of ISA-18.2."""
        if self.out:
            return "out_of_service"
        if self.is_suppressed:
            return "suppressed_by_design"
        if self.shelved:
            return "shelved"
        if self.raised:
            return "acknowledged" if self.acked else "unacknowledged"
        return "normal" if self.acked else "returned_unacknowledged"

    def feel(self, signal: bool | None, at: int) -> list[str]:
        """A look."""
        if self.looks and self.looks[-1].signal is signal:
            return []
        if not self.looks and signal is None:
            return []
        self.looks.append(Look(at, signal))
        steps = []
        if signal is not None and self.blind:
            self.blind = False
            steps.append("sighted")
        if signal and not self._delay():
            steps += self.turn(at)
        return steps

    def turn(self, at: int) -> list[str]:
        """Be raised or cleared if that is due."""
        if not self._due(at):
            return []
        self.looks = [Look(at, False)]
        self.raised = not self.raised
        if self.raised:
            self.raised_at = at
            self.acked, self.acked_at = not (self.ways.ack or self.ways.latch), None
            return ["raised"]
        if self.shelved and self.shelved_once:
            self.shelved = False
            return ["cleared", "unshelved"]
        return ["cleared"]

    def pass_time(self, at: int) -> list[str]:
        """What time alone has brought about."""
        steps = self.turn(at)
        if not self.blind and self._dark_for(at) >= 300 * S:
            self.blind = True
            steps.append("blind")
        if self.shelved and at >= self.shelved_until:
            self.shelved = False
            steps.append("unshelved")
        if self.out and self.out_until is not None and at >= self.out_until:
            self.out = False
            steps.append("in_service")
        asked = self.raised and self.acked and self.acked_at is not None
        if asked and self.ways.realarm and at - (self.acked_at or 0) >= self.ways.realarm:
            self.acked, self.acked_at = False, None
            steps.append("realarmed")
        return steps

    def gate(self, suppressed: bool | None) -> list[str]:
        """A look at what suppresses it."""
        if suppressed is None or suppressed is self.suppressed:
            return []
        self.suppressed = suppressed
        if not self.raised and self.acked:
            return []
        return ["suppressed" if suppressed else "unsuppressed"]

    def operate(self, wish: Operation, at: int) -> list[str]:
        """What a person does."""
        until = wish.until_ns
        match wish.verb:
            case "ack" if not self.acked:
                self.acked, self.acked_at = True, at
                return ["acknowledged", *self.turn(at)]
            case "shelve":
                latest = at + self.ways.shelve_max
                self.shelved, self.shelved_once = True, until is None
                self.shelved_until = latest if until is None else min(until, latest)
                return ["shelved"]
            case "unshelve" if self.shelved:
                self.shelved = False
                return ["unshelved"]
            case "out_of_service":
                self.out, self.out_until = True, until
                return ["out_of_service"]
            case "in_service" if self.out:
                self.out = False
                return ["in_service"]
            case _:
                return []

    def _delay(self) -> int:
        return self.ways.off_delay if self.raised else self.ways.hold_for

    def _due(self, at: int) -> bool:
        """Whether it has been to turn for long enough, an unknown in between not counting as a pause."""
        if not self.looks or not self.looks[-1].signal:
            return False
        if self.raised and self.ways.latch and not self.acked:
            return False
        since = at
        for look in reversed(self.looks):
            if look.signal is False:
                break
            if look.signal:
                since = look.at
        return at - since >= self._delay()

    def _dark_for(self, at: int) -> int:
        """How long it has been unknown, if it was known before."""
        if not self.looks or self.looks[-1].signal is not None:
            return -1
        return at - self.looks[-1].at
