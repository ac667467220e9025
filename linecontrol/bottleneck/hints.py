"""What a record looks like although nobody said so: a pulse line, a limit of units in the line."""

from itertools import pairwise

from linecontrol.flowline import LineLog
from linecontrol.flowline.path import departures

_FEW = 20
_MOST = 0.9
_TOGETHER = 1.5


def hints(log: LineLog) -> list[str]:
    """What to say of the line if it is so; nothing where it was said."""
    if log.layout.stations < 2 or len(log.passages[log.layout.last]) < _FEW:
        return []
    paced = [] if log.layout.paced else _paced(log)
    limited = [] if log.layout.paced or log.layout.limit is not None or paced else _limited(log)
    return paced + limited


def _paced(log: LineLog) -> list[str]:
    """Few moments at which anything starts: about one for each unit, and not one for each of its stations.

    Two stations without places between them move together anyway.
    """
    starts = sorted(passage.start for its in log.passages for passage in its)
    moments = 1 + sum(later - earlier > log.resolution for earlier, later in pairwise(starts))
    units = max(len(its) for its in log.passages)
    if moments > _TOGETHER * (units + log.layout.stations) or log.layout.stations < 3:
        return []
    return ["all units seem to move on together: if the line is paced, say --paced"]


def _limited(log: LineLog) -> list[str]:
    """Most units come in at the moment when another one leaves the line, and then there are always as many in it."""
    entries = [station for station in range(log.layout.stations) if not log.layout.before(station)]
    if len(entries) > 1:
        return []
    first = log.passages[entries[0]]
    freed = [leave for leave in departures(log)[entries[0]] if leave is not None]
    leaves = sorted(leave for leave in departures(log)[log.layout.last] if leave is not None)
    waited = left = together = 0
    inside: list[int] = []
    for number, passage in enumerate(first[1:], 1):
        if number > len(freed) or passage.start <= freed[number - 1] + log.resolution:
            continue
        waited += 1
        while left < len(leaves) and leaves[left] <= passage.start + log.resolution:
            left += 1
        if left and leaves[left - 1] >= passage.start - log.resolution:
            together += 1
            inside.append(number + 1 - left)
    if waited < _FEW or together < _MOST * waited or inside.count(max(inside)) < _MOST * len(inside):
        return []
    return [f"units come in when another one leaves: if no more than {max(inside)} may be in the line, say --limit"]
