"""The verdict on a line: which station holds it back, how probably, what that costs, and what others would say."""

from collections.abc import Sequence

from msgspec import Struct

from linecontrol.bottleneck.chances import chances
from linecontrol.bottleneck.opinions import opinions
from linecontrol.bottleneck.whatif import Gain, Times, gains
from linecontrol.bottleneck.window import REPLAYED, last_units
from linecontrol.flowline import LineLog
from linecontrol.flowline.path import Path, critical_path
from linecontrol.model import Opinion

COVERAGE = 0.8
"""The suspects hold the bottleneck with at least this probability."""
PROVISIONAL = 64
"""With fewer units than this a verdict is provisional."""
FASTER = 0.9
"""What a station's times are multiplied with to tell what improving it would have gained."""
_MOST_SUSPECTS = 5
_WORDS = ((0.95, "Almost surely"), (0.8, "Very likely"), (0.5, "Most likely"), (0.0, "Perhaps"))


class Verdict(Struct, frozen=True):
    """What the record says of a line. Stations are numbers, in the order of the log.

    ``probability`` [station] to be the bottleneck; the ``suspects``, most probable first, hold it with 80 %.
    ``shares`` [station] of the critical path and ``waits`` by cause from outside add up to 1. ``effective`` is a
    station's mean time per unit by its own doing. ``gains`` tell, of suspects at least, what 10 % off their times
    would have gained. ``units`` left the line in the record; ``throughput`` is per unit of working time.
    """

    probability: list[float]
    suspects: list[int]
    shares: list[float]
    waits: dict[str, float]
    effective: list[float | None]
    gains: dict[int, Gain]
    opinions: list[Opinion]
    units: int
    throughput: float
    provisional: bool
    notes: list[str]

    def holder(self, names: Sequence[str]) -> str:
        """Who holds the line back, in a sentence without its full stop; ``names`` are what people call the stations."""
        sure = self.probability[self.suspects[0]]
        word = next(word for least, word in _WORDS if sure >= least)
        first, *others = [f"{names[station]} ({self.probability[station]:.0%})" for station in self.suspects]
        return f"{word} {first} holds the line back" + (f", else {_listed(others, 'or')}" if others else "")

    def said(self, names: Sequence[str], per_year: float | None = None) -> str:
        """That, and what 10 % off its times would have gained, in sentences.

        Gains are in units a year, of which the line builds ``per_year`` as it is; without that in percent.
        """
        first = self.suspects[0]
        text = self.holder(names)
        gain = self.gains.get(first)
        if gain is not None:
            low, likely, high = (_gained(each, per_year) for each in (gain.low, gain.likely, gain.high))
            what = " more units a year" if per_year is not None else " % more units"
            text += f"; 10 % off the times of {names[first]} would have given {likely}{what} ({low} to {high})"
        return f"{text}.{' Provisional: little has been recorded yet.' if self.provisional else ''}"


def judge(log: LineLog, *, seed: int, titles: Sequence[str] | None = None, every: bool = False) -> Verdict:
    """The verdict on a record; the same record and seed give the same one.

    ``titles`` are what people call the stations. Gains are told of suspects, or if asked of ``every`` station.

    Raises:
        ValueError: there is neither a plan nor a completed cycle at any station.
    """
    names = list(titles) if titles is not None else log.stations
    path = critical_path(log, split=False)
    length = path.end - path.begin
    shares = [own / length if length > 0 else 0.0 for own in path.own]
    waits = {cause: wait / length for cause, wait in path.waits.items()} if length > 0 else {}
    late = last_units(log, REPLAYED)
    known = chances(log, seed=seed)
    suspects = suspects_of(known.probability)
    units = sum(passage.complete is not None for passage in log.passages[log.layout.last])
    throughput = units / length if length > 0 else 0.0
    told = range(log.layout.stations) if every else suspects
    found = (
        dict(zip(told, gains(late, [Times(each, FASTER) for each in told], seed=seed), strict=True)) if units else {}
    )
    tied = [names[station] for station in mostly_tied(critical_path(late))]
    return Verdict(
        probability=known.probability,
        suspects=suspects,
        shares=shares,
        waits=waits,
        effective=[_mean(log, station) for station in range(log.layout.stations)],
        gains=found,
        opinions=opinions(late, suspects[0], known.elasticity, names),
        units=units,
        throughput=throughput,
        provisional=units < PROVISIONAL,
        notes=[f"{_listed(tied)} tie: each of them alone gains nothing, all of them together do"]
        if len(tied) > 1
        else [],
    )


def mostly_tied(path: Path) -> list[int]:
    """The stations whose part of the path is mostly shared with others that were critical at the same time."""
    shared = [0.0] * len(path.own)
    for charge in path.charges:
        if charge.weight < 1.0 and not charge.outside:
            shared[charge.station] += (charge.end - charge.start) * charge.weight
    return [station for station, seconds in enumerate(shared) if seconds > path.own[station] / 2]


def _gained(gain: float, per_year: float | None) -> str:
    return f"{100 * gain:.1f}" if per_year is None else f"{gain * per_year:.0f}"


def suspects_of(probability: Sequence[float]) -> list[int]:
    """The fewest stations that hold the bottleneck with ``COVERAGE``, the most probable first; five at the most."""
    ranked = sorted(range(len(probability)), key=lambda station: (-probability[station], station))
    chosen: list[int] = []
    covered = 0.0
    for station in ranked:
        if covered >= COVERAGE or len(chosen) == _MOST_SUSPECTS:
            break
        chosen.append(station)
        covered += probability[station]
    return chosen


def _mean(log: LineLog, station: int) -> float | None:
    own = [time for passage in log.passages[station] if (time := passage.measured) is not None]
    return sum(own) / len(own) if own else None


def _listed(names: Sequence[str], word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
