"""How an annual target will end: in words, and as a fan against the target."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from linecontrol.board.page import Fan, FanStep, ForecastBox
from linecontrol.board.words import chance, local, percent
from linecontrol.calendar import to_ns
from linecontrol.duration import NS
from linecontrol.model.event import LedgerUpdated, TargetForecast

MOSTLY_PLAN = 0.6
"""From this part of its width on, a forecast is called mostly the plan's."""
PARTLY_PLAN = 0.25
"""From this part of its width on, a forecast is called partly the plan's."""
_SHORTEST_NS = 30 * 86_400 * NS
_MOST_MONTHS_NS = 70 * 86_400 * NS


class Progress:
    """What an annual target had at the end of each day of which the board was told."""

    def __init__(self, zone: ZoneInfo) -> None:
        """``zone`` is the plant's time zone."""
        self._zone = zone
        self._year = 0
        self._days: dict[int, tuple[int, float]] = {}

    def add(self, ledger: LedgerUpdated) -> None:
        """One more word of the ledger; another year starts afresh."""
        if ledger.year != self._year:
            self._year, self._days = ledger.year, {}
        self._days[ledger.at_ns // (86_400 * NS)] = (ledger.at_ns, float(ledger.done))

    def box(self, forecast: TargetForecast, title: str, now_ns: int) -> ForecastBox | None:
        """The forecast as the board shows it; ``None`` once its year is over."""
        begin_ns, end_ns = (_midnight(date(year, 1, 1), self._zone) for year in (forecast.year, forecast.year + 1))
        if not begin_ns <= now_ns < end_ns:
            return None
        met = forecast.done >= forecast.units
        low, likely, high = (f"{u:.0f}" for u in (forecast.units_low, forecast.units_likely, forecast.units_high))
        return ForecastBox(
            title=title,
            outcome=f"{likely} units likely ({low}–{high})",
            chance=f"{forecast.units} are met"
            if met
            else f"{forecast.units} will be met with {percent(forecast.probability)}",
            standing="good" if met else chance(forecast.probability),
            certainty=_certainty(forecast),
            alarm=_alarm(forecast),
            fan=self._fan(forecast, now_ns, begin_ns, end_ns),
        )

    def _fan(self, forecast: TargetForecast, now_ns: int, begin_ns: int, end_ns: int) -> Fan:
        """The picture looks back as far as it looks ahead, so that it is as large late in the year as early."""
        made_ns = min(max(forecast.at_ns, begin_ns), now_ns)
        left_ns = max(begin_ns, min(made_ns - (end_ns - made_ns), end_ns - _SHORTEST_NS))
        told = sorted(self._days.values()) if self._year == forecast.year else []
        known = [*(day for day in told if begin_ns < day[0] < made_ns), (made_ns, float(forecast.done))]
        done = _from(left_ns, known)
        unseen = _from(left_ns, [(begin_ns, 0.0), known[0]])

        def part(at_ns: int) -> float:
            return round((at_ns - left_ns) / (end_ns - left_ns), 5)

        now = float(forecast.done)
        ahead = [point for point in forecast.fan if made_ns < point.at_ns < end_ns]
        steps = [FanStep(part(made_ns), now, now, now)]
        steps += [FanStep(part(point.at_ns), point.low, point.likely, point.high) for point in ahead]
        steps.append(FanStep(1.0, forecast.units_low, forecast.units_likely, forecast.units_high))
        lowest = min([units for _, units in done + unseen] + [step.low for step in steps])
        highest = max(float(forecast.units), *(step.high for step in steps))
        room = 0.06 * max(highest - lowest, 1.0)
        return Fan(
            bottom=max(0.0, lowest - room),
            top=highest + room,
            target=float(forecast.units),
            done=[(part(at_ns), units) for at_ns, units in done],
            unseen=[(part(at_ns), units) for at_ns, units in unseen],
            steps=steps,
            ticks=[(part(at_ns), text) for at_ns, text in _ticks(left_ns, end_ns, self._zone)],
        )


def _from(left_ns: int, line: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The part of a line from ``left_ns`` on; where it crosses that, the point is on the straight way between."""
    kept = [point for point in line if point[0] >= left_ns]
    for (start_ns, start), (end_ns, end) in pairwise(line):
        if start_ns < left_ns < end_ns:
            return [(left_ns, start + (end - start) * (left_ns - start_ns) / (end_ns - start_ns)), *kept]
    return kept if len(kept) > 1 else []


def _certainty(forecast: TargetForecast) -> str:
    units = f"{forecast.evidence} unit{'' if forecast.evidence == 1 else 's'}"
    if forecast.prior_share >= MOSTLY_PLAN:
        return f"early: mostly the plan, {units} measured"
    if forecast.prior_share >= PARTLY_PLAN:
        return f"partly still the plan, {units} measured"
    return f"from {units} measured"


def _alarm(forecast: TargetForecast) -> str:
    """What makes the target impossible, whatever happens."""
    if forecast.done >= forecast.units:
        return ""
    if forecast.hours_needed > forecast.hours_left:
        needed, left = f"{forecast.hours_needed:,.0f}", f"{forecast.hours_left:,.0f}"
        return f"Overload is certain: {needed} h needed, {left} h left"
    if forecast.kits_limit is not None and forecast.kits_limit < forecast.units:
        return f"Kits in stock and announced allow {forecast.kits_limit} units"
    return ""


def _ticks(left_ns: int, end_ns: int, zone: ZoneInfo) -> list[tuple[int, str]]:
    """Starts of months, or of weeks where the picture shows few days."""
    first = local(left_ns, zone).date()
    days = [first + timedelta(days=day) for day in range(1, (end_ns - left_ns) // (86_400 * NS) + 1)]
    if end_ns - left_ns > _MOST_MONTHS_NS:
        return [(_midnight(day, zone), f"{day:%b}") for day in days if day.day == 1 and _midnight(day, zone) < end_ns]
    return [(_midnight(day, zone), f"{day.day} {day:%b}") for day in days if day.weekday() == 0]


def _midnight(day: date, zone: ZoneInfo) -> int:
    return to_ns(datetime(day.year, day.month, day.day, tzinfo=zone))
