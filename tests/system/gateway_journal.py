"""What a journal says, for tests to hold against the plant's own words."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from linecontrol.gateway.journal_file import read_journal
from linecontrol.model import CycleCompleted, Quality, Reading
from linecontrol.model.record import Record

_Event = TypeVar("_Event")


def records_in(state: Path) -> list[Record]:
    """All records of the journal in a state folder."""
    return list(read_journal(state / "journal.sqlite"))


def events(records: Sequence[Record], kind: type[_Event]) -> list[_Event]:
    """All events of one kind, in order."""
    return [event for record in records for event in record.events if isinstance(event, kind)]


def cycles(records: Sequence[Record]) -> dict[str, list[CycleCompleted]]:
    """Completed cycles in order, by ``line/station``."""
    found: dict[str, list[CycleCompleted]] = {}
    for cycle in events(records, CycleCompleted):
        found.setdefault(f"{cycle.line}/{cycle.station}", []).append(cycle)
    return found


def counter_readings(records: Sequence[Record]) -> dict[str, list[int]]:
    """What the PLCs' cycle counters showed, in order, by ``line/station``."""
    return {station: [value for _, value in told] for station, told in timed_counter_readings(records).items()}


def timed_counter_readings(records: Sequence[Record]) -> dict[str, list[tuple[int, int]]]:
    """The same with the time (ns since 1970, UTC) of each reading."""
    found: dict[str, list[tuple[int, int]]] = {}
    for record in records:
        for reading in record.observations:
            if isinstance(reading, Reading) and reading.quality is Quality.GOOD and isinstance(reading.value, int):
                station, _, name = reading.signal.rpartition("/")
                if name == "cycle_count":
                    found.setdefault(station, []).append((reading.source_ns, reading.value))
    return found


def counted(records: Sequence[Record]) -> Counter[str]:
    """Cycles that the PLCs' counters tell of, by ``line/station``; a counter that fell began again at 0."""
    return Counter(
        {
            station: sum(now - last if now >= last else now for last, now in pairwise(values))
            for station, values in counter_readings(records).items()
        }
    )
