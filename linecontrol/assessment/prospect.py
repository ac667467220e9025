"""From a plant's config, its calendars and what was counted to the prospects that forecasts start from."""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

from msgspec import Struct, field
from msgspec.structs import replace

from linecontrol.bottleneck.window import cut
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config, LineConfig
from linecontrol.flowline import Layout, LineLog
from linecontrol.line.standards import Standards
from linecontrol.target.forecast import Promise, in_order, serves
from linecontrol.target.outlook import exits
from linecontrol.target.plan import Plans
from linecontrol.target.prospect import Goal, Pledge, Prospect, Supply

NS = 1_000_000_000


class Counts(Struct, frozen=True):
    """What was counted until now: units done by target (openings included) and by commitment, kits in stock."""

    done: dict[str, int] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)
    stock: dict[str, int] = field(default_factory=dict)


class Prospects:
    """Makes the prospects of one plant's lines. ``calendars`` holds each line's working time."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar]) -> None:
        self._config, self._calendars = config, calendars
        self._plans = Plans(config, calendars)
        self._standards = {name: Standards(line, calendars[name]) for name, line in config.lines.items()}

    def of(self, line: str, log: LineLog, at_ns: int, counts: Counts) -> Prospect:
        """The prospect of a line at ``at_ns``, which is the end of its log.

        The log's times are the line's working seconds; its stations and products have the config's names. Foreseen
        are the targets of the present year, and the commitments that begin and are due from now on in it. Days reach
        to the end of the year after.
        """
        calendar = self._calendars[line]
        year = calendar.day_of(at_ns).year
        year_end = calendar.day_start(date(year + 1, 1, 1))

        def working(ns: int) -> float:
            return log.end + calendar.working_ns(at_ns, ns) / NS

        pledges = [
            Pledge(
                name,
                max(each.units - counts.served.get(name, 0), 0),
                working(calendar.day_start(each.start)),
                working(due_ns),
                self._products(each.family),
            )
            for name, each in self._config.commitments.items()
            if self._plans.home(each.family) == line
            and at_ns < (due_ns := calendar.day_start(date.fromordinal(each.due.toordinal() + 1))) <= year_end
        ]
        return Prospect(
            log=log,
            days=self._days(line, log, at_ns, date(year + 2, 1, 1)),
            goals=[
                Goal(
                    plan.name,
                    plan.target.units,
                    counts.done.get(plan.name, plan.opening),
                    working(plan.year.end_ns),
                    self._products(plan.target.family),
                )
                for plan in self._plans.of_line(line, year)
            ],
            pledges=pledges,
            supplies=self._supplies(line, at_ns, log.end, counts),
            mix=self._mix(line, year),
        )

    def recorded(self, line: str, log: LineLog, at_ns: int, until_ns: int) -> LineLog:
        """A record whose end is ``at_ns`` as it was known at ``until_ns``, in the config's words.

        Products may be told by their codes. Buffers and, where the record has none, planned times are the config's.
        """
        its = self._config.lines[line]
        codes = {str(product.code): name for name, product in self._config.products.items()}
        now = log.end + self._calendars[line].working_ns(at_ns, until_ns) / NS
        log = cut(log, log.begin, now)
        planned = [
            self._planned(line, name, until_ns) | {codes.get(key, key): time for key, time in log.planned[i].items()}
            for i, name in enumerate(log.stations)
        ]
        return replace(
            log,
            layout=_layout(its, log),
            products=[codes.get(product or "", product) for product in log.products],
            planned=planned,
        )

    def counted(self, line: str, log: LineLog, at_ns: int) -> Counts:
        """What a record tells of the counts at its end, which is ``at_ns``; the rest is the config's openings."""
        calendar = self._calendars[line]
        left = {
            family: [calendar_ns(calendar, at_ns, time - log.end) for time in exits(log, self._products(family))]
            for family in self._config.lines[line].families
        }
        done = {
            plan.name: plan.opening + sum(plan.from_ns <= ns < plan.year.end_ns for ns in left[plan.target.family])
            for plan in self._plans.all()
            if plan.target.line == line and plan.target.family in left
        }
        served: dict[str, int] = {}
        for family, moments in left.items():
            served |= self._served(family, moments, calendar)
        return Counts(done, served, self._stock(line, log, at_ns))

    def _served(self, family: str, moments: list[int], calendar: WorkCalendar) -> dict[str, int]:
        promises = in_order(
            [
                Promise(name, each.units, calendar.day_start(each.start), calendar.day_start(each.due))
                for name, each in self._config.commitments.items()
                if each.family == family
            ]
        )
        left = {promise.name: promise.units for promise in promises}
        for moment in moments:
            promise = serves(promises, left, moment)
            if promise is not None:
                left[promise.name] -= 1
        return {promise.name: promise.units - left[promise.name] for promise in promises}

    def _stock(self, line: str, log: LineLog, at_ns: int) -> dict[str, int]:
        calendar = self._calendars[line]
        takes = self._config.lines[line].takes_kits[0]
        station = log.stations.index(takes) if takes in log.stations else 0
        today = calendar.day_of(at_ns)
        stock = {}
        for name, kit in self._config.kits.items():
            products = {key for key, product in self._config.products.items() if product.kit == name}
            since = log.end - calendar.working_ns(calendar.day_start(kit.day), at_ns) / NS
            taken = sum(each.start >= since and log.products[each.unit] in products for each in log.passages[station])
            came = sum(
                each.kits.get(name, 0) for each in self._config.deliveries.values() if kit.day <= each.day <= today
            )
            stock[name] = kit.stock + came - taken
        return stock

    def _supplies(self, line: str, at_ns: int, now: float, counts: Counts) -> list[Supply]:
        calendar = self._calendars[line]
        today = calendar.day_of(at_ns)
        built = {name for family in self._config.lines[line].families for name in self._products(family)}
        found = []
        for name in self._config.kits:
            products = frozenset(key for key in built if self._config.products[key].kit == name)
            arrivals = [
                (now + calendar.working_ns(at_ns, calendar.day_start(each.day)) / NS, each.kits[name])
                for each in self._config.deliveries.values()
                if each.day > today and name in each.kits
            ]
            if products:
                found.append(Supply(name, products, counts.stock.get(name, 0), sorted(arrivals)))
        return found

    def _mix(self, line: str, year: int) -> dict[str, float]:
        """Families as their targets ask, products as their shares."""
        targets = {plan.target.family: float(plan.target.units) for plan in self._plans.of_line(line, year)}
        families = targets or dict.fromkeys(self._config.lines[line].families, 1.0)
        mix: dict[str, float] = {}
        for family, units in families.items():
            shares = {name: self._config.products[name].share for name in sorted(self._products(family))}
            mix |= {name: units * share / sum(shares.values()) for name, share in shares.items()}
        return mix

    def _products(self, family: str) -> frozenset[str]:
        return frozenset(name for name, product in self._config.products.items() if product.family == family)

    def _planned(self, line: str, station: str, at_ns: int) -> dict[str, float]:
        found = {name: self._standards[line].planned_ns(station, name, at_ns) for name in self._config.products}
        return {name: ns / NS for name, ns in found.items() if ns is not None}

    def _days(self, line: str, log: LineLog, at_ns: int, until: date) -> list[tuple[float, float]]:
        """Working days from the log's begin on, one beginning where the other ends."""
        calendar = self._calendars[line]
        begin_ns = calendar_ns(calendar, at_ns, log.begin - log.end)
        first_ns = calendar.day_start(calendar.day_of(begin_ns))
        last_ns = calendar.day_start(until)
        starts: dict[date, int] = {}
        for shift in calendar.shifts(first_ns, last_ns):
            starts.setdefault(shift.day, shift.start_ns)
        edges = [log.end + calendar.working_ns(at_ns, ns) / NS for ns in [*sorted(starts.values()), last_ns]]
        return [(start, end) for start, end in pairwise(edges) if end > start]


def calendar_ns(calendar: WorkCalendar, at_ns: int, seconds: float) -> int:
    """The moment so much working time after ``at_ns``, or before it where ``seconds`` are negative."""
    if seconds < 0:
        return calendar.back(at_ns, round(-seconds * NS))
    return calendar.add(at_ns, round(seconds * NS))


def _layout(line: LineConfig, log: LineLog) -> Layout:
    """The record's layout with the config's places behind its stations."""
    places = {buffer.after: buffer.capacity for buffer in line.buffers.values()}
    return replace(log.layout, places=tuple(places.get(name, 0) for name in log.stations))
