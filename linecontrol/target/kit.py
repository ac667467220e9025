"""The store of kits: what is there, what tomorrow needs, what comes before that."""

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.model import CycleCompleted, CycleStarted, KitStockChanged, Timing
from linecontrol.target.plan import Plans

_NO_KIT = ""


class Kits:
    """Counts the kits that leave the store. A negative stock is shown as it is: the stock count was wrong."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar], plans: Plans) -> None:
        """``calendars`` holds each line's working time."""
        self._config = config
        self._calendars = calendars
        self._plans = plans
        self._calendar = next(iter(calendars.values()))  # for days only: all lines share the time zone
        self._from_ns = {name: self._calendar.day_start(kit.day) for name, kit in config.kits.items()}
        self._takes = {(line, station) for line, each in config.lines.items() for station in each.takes_kits}

    def started(self, event: CycleStarted, used: dict[str, int], open_starts: dict[str, str]) -> list[str]:
        """Take the kit of a unit whose cycle starts at a station that takes kits. Returns the kits that changed."""
        if (event.line, event.station) not in self._takes:
            return []
        kit = self._kit_of(event.product)
        open_starts[f"{event.line}/{event.station}"] = kit
        return self._take(kit, 1, used, event.at_ns)

    def completed(self, event: CycleCompleted, used: dict[str, int], open_starts: dict[str, str]) -> list[str]:
        """Make up for a start that was not seen, or at which the product was not known rightly."""
        if (event.line, event.station) not in self._takes:
            return []
        taken = open_starts.pop(f"{event.line}/{event.station}", None)
        if taken is None and event.timing is Timing.PARTIAL:
            return []  # it began before anyone counted
        kit = self._kit_of(event.product)
        at_ns = event.at_ns if event.start_ns is None else event.start_ns
        if kit in (taken, _NO_KIT):
            return []
        return [*self._take(taken or _NO_KIT, -1, used, at_ns), *self._take(kit, 1, used, at_ns)]

    def say(self, kit: str, used: Mapping[str, int], at_ns: int) -> KitStockChanged:
        """How a kit stands at ``at_ns``."""
        today = self._calendar.day_of(at_ns)
        needs = [self._need(kit, line, today) for line in self._config.lines]
        concerned = [day for need, day in needs if need > 0]
        next_day = min(concerned, default=self._calendar.next_working_day(today))
        return KitStockChanged(
            at_ns=at_ns,
            kit=kit,
            stock=self._config.kits[kit].stock
            + self._delivered(kit, self._config.kits[kit].day, today)
            - used.get(kit, 0),
            needed_next_day=ceil(sum(need for need, _ in needs) - 1e-9),
            arriving=self._delivered(kit, max(today + timedelta(days=1), self._config.kits[kit].day), next_day),
        )

    def _need(self, kit: str, line: str, today: date) -> tuple[float, date]:
        """Kits that the plan of a line uses on its next working day, and that day."""
        calendar = self._calendars[line]
        day = calendar.next_working_day(today)
        need = 0.0
        for family in self._config.lines[line].families:
            plan = self._plans.of(family, day.year)
            if plan is None or plan.target.line != line or plan.takt_planned_ns is None:
                continue
            products = [product for product in self._config.products.values() if product.family == family]
            share = sum(product.share for product in products if product.kit == kit)
            if share:
                start_ns, end_ns = calendar.day_start(day), calendar.day_start(day + timedelta(days=1))
                units = calendar.working_ns(start_ns, end_ns) / plan.takt_planned_ns
                need += units * share / sum(product.share for product in products)
        return need, day

    def _delivered(self, kit: str, first: date, last: date) -> int:
        """Kits planned to arrive from the day ``first`` to the day ``last``, both included."""
        arrivals = self._config.deliveries.values()
        return sum(arrival.kits.get(kit, 0) for arrival in arrivals if first <= arrival.day <= last)

    def _kit_of(self, product: str | None) -> str:
        known = self._config.products.get(product or "")
        return (known.kit if known is not None else None) or _NO_KIT

    def _take(self, kit: str, count: int, used: dict[str, int], at_ns: int) -> list[str]:
        if kit not in self._from_ns or at_ns < self._from_ns[kit]:
            return []
        used[kit] = used.get(kit, 0) + count
        return [kit]
