"""The lag of a line by station and cause, as an event."""

from linecontrol.calendar import WorkCalendar
from linecontrol.flowline import LineLog
from linecontrol.flowline.path import critical_path
from linecontrol.model import LagCause, LagExplained
from linecontrol.target.lag import explain, line_takt
from linecontrol.target.plan import Plans

_NS = 1_000_000_000


def lag_of(line: str, log: LineLog, plans: Plans, calendar: WorkCalendar, at_ns: int) -> LagExplained | None:
    """Where the line lost its time since its record begins; ``None`` without a target or a record."""
    known = [plan.takt_planned_ns for plan in plans.of_line(line, calendar.day_of(at_ns).year)]
    takt_s = line_takt([takt_ns / _NS for takt_ns in known if takt_ns is not None])
    if takt_s is None or not any(log.passages):
        return None
    path = critical_path(log)
    if path.end <= path.begin:
        return None
    parts = explain(log, path, takt_s)
    total_s = sum(part.seconds for part in parts)
    since_ns = calendar.back(at_ns, round((log.end - path.begin) * _NS))
    return LagExplained(
        at_ns=at_ns,
        line=line,
        since_ns=since_ns,
        hours=total_s / 3600,
        units=total_s / takt_s,
        causes=[
            LagCause(
                log.stations[part.station] if part.station >= 0 else "",
                part.cause,
                part.seconds / 3600,
                part.seconds / takt_s,
            )
            for part in parts
        ],
        stops={reason: ns / _NS / 3600 for reason, ns in calendar.stopped_ns(since_ns, at_ns).items()},
    )
