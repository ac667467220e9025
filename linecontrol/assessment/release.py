"""What to start next on a line and how many units it should hold, as an event."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace

from linecontrol.assessment.bottleneck import seed_of
from linecontrol.assessment.prospect import Counts
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.flowline import LineLog
from linecontrol.flowline.learn import learn
from linecontrol.flowline.live import live
from linecontrol.model import ReleaseProposed
from linecontrol.target.conwip import smallest_limit
from linecontrol.target.plan import Plans
from linecontrol.target.release import Order, Proposal, propose
from linecontrol.target.sequence import Spacing

_UNITS, _REPLICATIONS = 120, 24
_FEWEST = 16
"""Units that have to have left the line before a limit is found."""


class Releases:
    """Proposes the next units of one plant's lines."""

    def __init__(self, config: Config, calendars: Mapping[str, WorkCalendar], plans: Plans) -> None:
        """``calendars`` holds each line's working time."""
        self._config, self._calendars, self._plans = config, calendars, plans

    def of(self, line: str, log: LineLog, counts: Counts, at_ns: int) -> ReleaseProposed | None:
        """The proposal; ``None`` where nothing is due in this year."""
        orders = self._orders(line, counts, at_ns)
        if not orders:
            return None
        release = self._config.lines[line].release
        spacing = [Spacing(frozenset(rule.products), rule.most, rule.within) for rule in release.spacing]
        products = [name for name, item in self._config.products.items() if item.family in self._families(line)]
        needs = {name: [times.get(name, 0.0) for times in log.planned] for name in products}
        started = [log.products[passage.unit] for passage in log.passages[0]]
        inside = [log.products[unit] for unit in live(log).units]
        orders = self._to_start(orders, Counter(self._family(product) for product in inside))
        proposal = propose(
            [order for _, order in orders],
            {name: self._kits(name, counts) for name in products},
            needs,
            release.ahead,
            history=[product for product in started[-20:] if product in needs],
            spacing=spacing,
        )
        wip = len(inside)
        limit = self._limit(log, seed_of(line, log)) if release.limit == "auto" else release.limit
        held = limit is not None and wip >= limit
        return ReleaseProposed(
            at_ns=at_ns,
            line=line,
            products=proposal.products,
            limit=limit,
            wip=wip,
            go=bool(proposal.products) and not held,
            reason=self._reason(proposal, due=bool(orders), held=held),
        )

    def _families(self, line: str) -> list[str]:
        return list(self._config.lines[line].families)

    def _kits(self, product: str, counts: Counts) -> int | None:
        kit = self._config.products[product].kit
        return None if kit is None else max(counts.stock.get(kit, 0), 0)

    def _family(self, product: str | None) -> str | None:
        item = None if product is None else self._config.products.get(product)
        return None if item is None else item.family

    @staticmethod
    def _to_start(orders: list[tuple[str, Order]], inside: Mapping[str | None, int]) -> list[tuple[str, Order]]:
        """The orders without the units of each family that are in the line already: they serve the first ones."""
        covered = dict(inside)
        left = []
        for family, order in orders:
            served = min(covered.get(family, 0), order.units)
            covered[family] = covered.get(family, 0) - served
            if served < order.units:
                left.append((family, replace(order, units=order.units - served)))
        return left

    def _orders(self, line: str, counts: Counts, at_ns: int) -> list[tuple[str, Order]]:
        """What is not done yet, with its family: commitments by due day, then what the year's targets want besides."""
        config, calendar = self._config, self._calendars[line]
        today = calendar.day_of(at_ns)
        promised: dict[str, int] = {}
        orders = []
        for name, item in sorted(config.commitments.items(), key=lambda pair: (pair[1].due, pair[0])):
            left = item.units - counts.served.get(name, 0)
            if item.family in self._families(line) and item.start <= today and left > 0:
                promised[item.family] = promised.get(item.family, 0) + left
                title = f"{item.market}'s order, due {item.due}"
                orders.append((item.family, Order(title, left, self._shares(item.family))))
        for plan in self._plans.of_line(line, today.year):
            family = plan.target.family
            left = plan.target.units - counts.done.get(plan.name, 0) - promised.get(family, 0)
            title = f"the year's {config.families[family].title}"
            orders.append((family, Order(title, max(left, 0), self._shares(family))))
        return [(family, order) for family, order in orders if order.units]

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

    @staticmethod
    def _reason(proposal: Proposal, *, due: bool, held: bool) -> str:
        if not due:
            return "All that is due is in the line."
        if not proposal.products:
            return "No kit is there for what is due."
        return "More would only wait." if held else f"For {proposal.order}."
