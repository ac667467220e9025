"""The verdict on a line, in the words and units of the plant."""

from collections.abc import Mapping
from datetime import date
from zlib import crc32

from msgspec.structs import replace

from linecontrol.bottleneck.verdict import Verdict, judge
from linecontrol.bottleneck.whatif import Gain
from linecontrol.calendar import WorkCalendar
from linecontrol.flowline import LineLog
from linecontrol.model import BottleneckUpdated, Opinion, Suspect

_NS = 1e9


def seed_of(line: str, log: LineLog) -> int:
    """The seed for what is drawn about a line: it follows from how much was recorded."""
    return crc32(f"{line}/{sum(len(passages) for passages in log.passages)}".encode())


def working_year_s(calendar: WorkCalendar, at_ns: int) -> float:
    """Working seconds of the calendar year in which a moment lies."""
    year = calendar.day_of(at_ns).year
    start_ns, end_ns = (calendar.day_start(date(each, 1, 1)) for each in (year, year + 1))
    return calendar.working_ns(start_ns, end_ns) / _NS


def verdict_on(
    line: str, log: LineLog, titles: Mapping[str, str], calendar: WorkCalendar, at_ns: int
) -> BottleneckUpdated | None:
    """Which stations may hold the line back; ``None`` before anything was recorded.

    ``titles`` are what people call the stations; gains are in units of a year at the pace of the record.
    """
    if not any(log.passages):
        return None
    names = log.stations
    called = [titles[name] for name in names]
    verdict = judge(log, seed=seed_of(line, log), titles=called)
    pace = verdict.throughput * working_year_s(calendar, at_ns)
    by_title = dict(zip(called, names, strict=True))
    return BottleneckUpdated(
        at_ns=at_ns,
        line=line,
        suspects=[_suspect(names[station], station, verdict, pace) for station in verdict.suspects],
        units=verdict.units,
        provisional=verdict.provisional,
        shares=dict(zip(names, verdict.shares, strict=True)),
        waits=verdict.waits,
        opinions=[
            Opinion(each.method, [by_title.get(title, title) for title in each.stations], each.reason)
            for each in verdict.opinions
        ],
        verdict=f"{verdict.holder(called)}.",
        notes=verdict.notes,
    )


def _suspect(name: str, station: int, verdict: Verdict, pace: float) -> Suspect:
    gain: Gain | None = verdict.gains.get(station)
    suspect = Suspect(name, verdict.probability[station], verdict.effective[station], verdict.shares[station])
    if gain is None:
        return suspect
    return replace(suspect, gain_units=gain.likely * pace, gain_low=gain.low * pace, gain_high=gain.high * pace)
