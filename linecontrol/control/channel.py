"""One thing that can be written (``line/station/name``): who wants what of it, and what was written last."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from linecontrol.config import Command
from linecontrol.model import Andon

Written = bool | int | float
"""What is written to a station."""


class Demand(Struct, frozen=True):
    """A raised flag's wish: ``value`` as it is written, and what to write when no wish is left (``None``: nothing)."""

    flag: str
    rule: str
    rank: int
    value: Written
    on_clear: Written | None
    lease_ns: int
    reason: str


class Open(Struct, frozen=True):
    """A command whose end is not known yet."""

    command: str
    value: Written
    issued_ns: int
    reason: str


class Channel(Struct):
    """What is remembered of a target: a command's, or a setpoint's (which others may have changed in between).

    ``wanted`` is what should stand there (``None``: no matter), ``sent`` what was written last (``None``: unknown),
    ``changed`` that the flags have made it another since, ``renew_ns`` when a lease is to be renewed.
    """

    line: str
    station: str
    name: str
    setpoint: bool = False
    demands: list[Demand] = field(default_factory=list)
    wanted: Written | None = None
    sent: Written | None = None
    changed: bool = False
    reason: str = ""
    renew_ns: int | None = None
    issued_ns: int | None = None
    open: Open | None = None

    def has(self, flag: str) -> bool:
        """Whether a flag's wish stands."""
        return any(demand.flag == flag for demand in self.demands)

    def demand(self, demand: Demand) -> None:
        """A flag was raised."""
        self.demands = [*(other for other in self.demands if other.flag != demand.flag), demand]
        self._decide(None)
        if self.setpoint and self._strongest(self.demands) is demand:
            self.changed = True

    def drop(self, flag: str, reason: str) -> None:
        """A flag was cleared."""
        gone = [demand for demand in self.demands if demand.flag == flag]
        if gone:
            self.demands = [demand for demand in self.demands if demand.flag != flag]
            self._decide(gone[-1].on_clear, reason)

    def settle(self, wanted: Mapping[str, Demand], reason: str) -> None:
        """Have these wishes of flags and no others; those that are there stay in their order."""
        if not self.demands and not wanted:
            return
        was = self._strongest(self.demands)
        kept = [wanted[demand.flag] for demand in self.demands if demand.flag in wanted]
        known = {demand.flag for demand in kept}
        demands = [*kept, *(demand for flag, demand in wanted.items() if flag not in known)]
        if demands != self.demands:
            self.demands = demands
            self._decide(None if was is None else was.on_clear, reason)

    def want(self, value: Written, reason: str) -> None:
        """Have a value stand there that no flag asks for."""
        self.wanted, self.reason = value, reason
        self.changed = value != self.sent

    def due_ns(self, spacing_ns: int) -> int | None:
        """From when on something is to be written; ``None`` if nothing is, or not before the open command ends."""
        if self.open is not None or self.wanted is None or not (self.changed or self.renew_ns is not None):
            return None
        earliest = 0 if self.issued_ns is None else self.issued_ns + spacing_ns
        return earliest if self.changed else max(earliest, self.renew_ns or 0)

    def lease_ns(self) -> int:
        """Length of the lease that is wanted; 0 if none is."""
        return max((demand.lease_ns for demand in self.demands), default=0)

    def _decide(self, left: Written | None, reason: str = "") -> None:
        chosen = self._strongest(self.demands)
        if chosen is not None:
            self.wanted, self.reason = chosen.value, chosen.reason
        else:
            self.wanted, self.reason, self.renew_ns = left, reason, None
        self.changed = self.wanted != self.sent

    def _strongest(self, demands: Sequence[Demand]) -> Demand | None:
        if self.name == Command.HOLD and not self.setpoint:
            return max(demands, key=lambda demand: demand.lease_ns, default=None)
        return max(reversed(demands), key=lambda demand: demand.rank, default=None)


def colour_code(colour: Andon | None) -> int | None:
    """The number that is written for an andon colour."""
    return None if colour is None else colour.code
