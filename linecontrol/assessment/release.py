"""What to start next on a line and how many units it should hold, as an event."""

from collections.abc import Mapping

import numpy as np

from linecontrol.assessment.prospect import Counts
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.flowline import LineLog
from linecontrol.flowline.learn import learn
from linecontrol.flowline.live import live
from linecontrol.model import ReleaseProposed
from linecontrol.target.conwip import smallest_limit
from linecontrol.target.plan import Plans
from linecontrol.target.release import Order, propose
from linecontrol.target.sequence import Spacing

_UNITS, _REPLICATIONS = 120, 24
_FEWEST = 16
"""Units that have to have left the line before a limit is found."""


class Releases:
    """Proposes the next units of one plant's lines."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar], plans: Plans) -> None:
        """``calendars`` holds each line's working time."""
        self._config, self._calendars, self._plans = config, calendars, plans

    def of(self, line: str, log: LineLog, counts: Counts, at_ns: int, seed: int) -> ReleaseProposed | None:
        """The proposal; ``None`` where nothing is due in this year."""
        orders = self._orders(line, counts, at_ns)
        if not orders:
            return None
        release = self._config.lines[line].release
        spacing = [Spacing(frozenset(rule.products), rule.most, rule.within) for rule in release.spacing]
        products = [name for name, item in self._config.products.items() if item.family in self._families(line)]
        needs = {name: [times.get(name, 0.0) for times in log.planned] for name in products}
        started = [log.products[passage.unit] for passage in log.passages[0]]
        proposal = propose(
            orders,
            {name: self._kits(name, counts) for name in products},
            needs,
            release.ahead,
            history=[product for product in started[-20:] if product in needs],
            spacing=spacing,
        )
        wip = len(live(log).units)
        limit = self._limit(log, seed) if release.limit == "auto" else release.limit
        held = limit is not None and wip >= limit
        return ReleaseProposed(
            at_ns=at_ns,
            line=line,
            products=proposal.products,
            limit=limit,
            wip=wip,
            go=bool(proposal.products) and not held,
            reason=self._reason(proposal.products, proposal.order, wip, limit, held=held),
        )

    def _families(self, line: str) -> list[str]:
        return list(self._config.lines[line].families)

    def _kits(self, product: str, counts: Counts) -> int | None:
        kit = self._config.products[product].kit
        return None if kit is None else max(counts.stock.get(kit, 0), 0)

    def _orders(self, line: str, counts: Counts, at_ns: int) -> list[Order]:
        """Commitments in order of their due days, then what the year's targets want besides."""
        config, calendar = self._config, self._calendars[line]
        today = calendar.day_of(at_ns)
        promised: dict[str, int] = {}
        orders = []
        for name, item in sorted(config.commitments.items(), key=lambda pair: (pair[1].due, pair[0])):
            left = item.units - counts.served.get(name, 0)
            if item.family in self._families(line) and item.start <= today and left > 0:
                promised[item.family] = promised.get(item.family, 0) + left
                orders.append(Order(f"{item.market}'s order, due {item.due}", left, self._shares(item.family)))
        for plan in self._plans.all():
            target = plan.target
            if (target.line, target.year) == (line, today.year):
                left = target.units - counts.done.get(plan.name, 0) - promised.get(target.family, 0)
                title = f"the year's {config.families[target.family].title}"
                orders.append(Order(title, max(left, 0), self._shares(target.family)))
        return [order for order in orders if order.units]

    def _shares(self, family: str) -> dict[str, float]:
        return {name: item.share for name, item in self._config.products.items() if item.family == family}

    @staticmethod
    def _limit(log: LineLog, seed: int) -> int | None:
        """The smallest limit that keeps 98 % of the throughput; ``None`` while little was recorded."""
        came = [log.products[passage.unit] for passage in log.passages[log.layout.last] if passage.complete is not None]
        if len(came) < _FEWEST or log.layout.paced:
            return None
        rng = np.random.default_rng(seed)
        posterior = learn(log)
        products = [came[place % len(came)] for place in range(_UNITS)]
        ratios = np.repeat(posterior.ratios[:, None], _REPLICATIONS, axis=1)
        times = posterior.times(rng, ratios, posterior.standards.table(products))
        return smallest_limit(times, log.layout).limit

    def _reason(self, products: list[str], order: str, wip: int, limit: int | None, *, held: bool) -> str:
        full = f"{wip} units are in the line" if limit is None else f"{wip} of {limit} units are in the line"
        if not products:
            return f"Nothing to start: no kit is there for what is due; {full}."
        title = self._config.products[products[0]].title
        if held:
            return f"Wait before starting {title}: {full}, more would only wait on each other."
        return f"{title} next, for {order}; {full}."
