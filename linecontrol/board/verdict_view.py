"""A verdict on the bottleneck, in words."""

from collections.abc import Mapping, Sequence

from linecontrol.board.page import OpinionRow, SuspectRow, VerdictBox
from linecontrol.board.words import cause_text, percent
from linecontrol.config.line import LineConfig
from linecontrol.model.event import BottleneckUpdated, Opinion, Suspect

MOST_SUSPECTS = 3
"""So many bottleneck suspects are shown."""
METHOD_WORDS = {"arrow": "Arrow method", "active_period": "Active periods", "active_period_live": "Active just now"}
_LEAST_WAIT = 0.005


def verdict_box(event: BottleneckUpdated, line: LineConfig) -> VerdictBox:
    """What the board says of it; stations that the line doesn't have are passed over."""
    numbers = {name: number for number, name in enumerate(line.stations, 1)}
    suspects = [each for each in event.suspects if each.station in numbers and each.probability >= 0.005]
    return VerdictBox(
        sentence=event.verdict or _sentence(suspects, line),
        evidence=f"from {event.units} units" if event.units != 1 else "from 1 unit",
        provisional=event.provisional,
        suspects=[_suspect(each, line, numbers) for each in suspects[:MOST_SUSPECTS]],
        outside=_outside(event.waits),
        opinions=[_opinion(each, line) for each in event.opinions],
        notes=event.notes,
    )


def _sentence(suspects: Sequence[Suspect], line: LineConfig) -> str:
    if not suspects:
        return "No station stands out yet."
    first = suspects[0]
    return f"{line.stations[first.station].title} holds the line back with {percent(first.probability)}."


def _suspect(suspect: Suspect, line: LineConfig, numbers: Mapping[str, int]) -> SuspectRow:
    low, high = suspect.gain_low, suspect.gain_high
    return SuspectRow(
        number=numbers[suspect.station],
        title=line.stations[suspect.station].title,
        probability=round(100 * suspect.probability),
        cycle_s=suspect.effective_cycle_s,
        gain="" if suspect.gain_units is None else f"{suspect.gain_units:+.0f}",
        gain_range="" if low is None or high is None else f"{low:.0f} to {high:.0f}",
    )


def _outside(waits: Mapping[str, float]) -> str:
    """What the line waited for that is no station's doing, as parts of the time on the critical path."""
    shown = sorted(((share, cause) for cause, share in waits.items() if share >= _LEAST_WAIT), reverse=True)
    return ", ".join(f"{cause_text(cause)} {100 * share:.0f} %" for share, cause in shown)


def _opinion(opinion: Opinion, line: LineConfig) -> OpinionRow:
    titles = [line.stations[name].title if name in line.stations else name for name in opinion.stations]
    return OpinionRow(
        method=METHOD_WORDS.get(opinion.method, opinion.method.replace("_", " ")),
        stations=" or ".join(titles) or "nobody",
        reason=opinion.reason,
    )
