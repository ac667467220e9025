"""What other methods say of a record, and in words why they disagree with the verdict."""

from collections.abc import Callable, Sequence

from linecontrol.bottleneck.active import active_periods, settled
from linecontrol.bottleneck.arrow import Fractions, arrows, fractions
from linecontrol.flowline import LineLog
from linecontrol.model import Opinion

_CLOSE = 0.02
"""Elasticities that differ by less than this are as good as equal."""


def opinions(log: LineLog, verdict: int, elasticity: Sequence[float], names: Sequence[str]) -> list[Opinion]:
    """The arrow method, and the active period method settled and live, beside the ``verdict`` (a station).

    ``elasticity`` [station] is how much the throughput gains from each station, ``names`` what people call them.
    """
    parts = fractions(log)
    pointed = arrows(parts.blocked, parts.starved, following=log.layout.following, tolerance=1e-9)
    periods = active_periods(log)
    share = settled(periods, now=log.end).share
    longest = max(range(len(share)), key=lambda station: share[station])
    now = [(its[-1][0], station) for station, its in enumerate(periods) if its and its[-1][1] >= log.end]
    words = _Words(log, verdict, elasticity, names, parts)
    found = [
        _opinion("arrow", pointed.primary, words, words.waiting),
        _opinion("active_period", longest, words, words.active),
    ]
    if now:
        found.append(_opinion("active_period_live", min(now)[1], words, words.live))
    return found


def _opinion(method: str, station: int, words: "_Words", reason: Callable[[int], str]) -> Opinion:
    return Opinion(method, [words.log.stations[station]], "" if station == words.verdict else reason(station))


class _Words:
    """Reasons for a disagreement."""

    def __init__(
        self, log: LineLog, verdict: int, elasticity: Sequence[float], names: Sequence[str], parts: Fractions
    ) -> None:
        self.log, self.verdict = log, verdict
        self._elasticity, self._names, self._parts = elasticity, names, parts

    def waiting(self, station: int) -> str:
        """Why blocked and starved times can point to another station."""
        parts = self._parts
        mine, other = self._names[self.verdict], self._names[station]
        return (
            f"by waiting alone {other} looks tightest: it is blocked {parts.blocked[station]:.0%} and starved "
            f"{parts.starved[station]:.0%} of the time, {mine} {parts.blocked[self.verdict]:.0%} and "
            f"{parts.starved[self.verdict]:.0%}; {self._costs(station)}"
        )

    def active(self, station: int) -> str:
        """Why the station that is active longest without a pause need not be the one."""
        return (
            f"{self._names[station]} goes on longest without a pause, {self._parts.active[station]:.0%} of the time; "
            f"{self._costs(station)}"
        )

    def live(self, station: int) -> str:
        """Why who is active longest now may be another one."""
        return f"{self._names[station]} has been at work longest just now; that changes from hour to hour"

    def _costs(self, station: int) -> str:
        mine, other = self._elasticity[self.verdict], self._elasticity[station]
        if abs(mine - other) < _CLOSE:
            return f"both matter nearly alike ({mine:.0%} and {other:.0%} of a gain there reach the end of the line)"
        room = self._room(station)
        return (
            f"but of a gain there only {other:.0%} reach the end of the line, of one at {self._names[self.verdict]} "
            f"{mine:.0%}{room}"
        )

    def _room(self, station: int) -> str:
        """What lies between stations and explains it: room to work ahead, or none."""
        layout = self.log.layout
        behind = layout.places[station] if layout.following[station] >= 0 else 0
        if behind:
            return f", as {self._names[station]} can work ahead into {behind} places"
        mine = self.verdict
        sides = [*layout.before(mine), *([mine] if layout.following[mine] >= 0 else [])]
        if sides and all(layout.places[side] == 0 for side in sides):
            return f", as no places part {self._names[mine]} from its neighbours, so that they jam one another"
        return ""
