"""The recent part of a record, where more would only cost time."""

import msgspec

from linecontrol.flowline import LineLog

UNITS = 800
"""So many units are a year of the lines that this is for."""


def recent(log: LineLog, units: int = UNITS) -> LineLog:
    """The log of the last ``units`` units that came into the line, and of those only."""
    entries = [station for station in range(log.layout.stations) if not log.layout.before(station)]
    came = list(dict.fromkeys(passage.unit for station in entries for passage in log.passages[station]))
    if len(came) <= units:
        return log
    kept = frozenset(came[-units:])
    passages = [[passage for passage in its if passage.unit in kept] for its in log.passages]
    begin = min(its[0].start for its in passages if its)
    return msgspec.structs.replace(log, passages=passages, begin=max(begin, log.begin))
