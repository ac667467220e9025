"""The store of kits: what is here, what is promised to a unit, what comes."""

from collections.abc import Callable, Mapping
from datetime import date

from linecontrol.config import Config
from linecontrol.simulator.agenda import Agenda


class KitStore:
    """Kits in stock. A unit reserves its kit when it is released, and takes it when the work on it begins."""

    def __init__(self, config: Config, agenda: Agenda, day_start: Callable[[date], int]) -> None:
        """Deliveries of days before the stock was counted are in the count; those of later days arrive in time."""
        self.stock = {name: kit.stock for name, kit in config.kits.items()}
        self._reserved = dict.fromkeys(config.kits, 0)
        self._config = config
        self._agenda = agenda
        for name, delivery in config.deliveries.items():
            kits = {kit: count for kit, count in delivery.kits.items() if delivery.day >= config.kits[kit].day}
            arrival_ns = day_start(delivery.day) + config.simulator.late_deliveries.get(name, 0)
            if arrival_ns <= agenda.now_ns:
                self._arrive(kits)
            else:
                agenda.at(arrival_ns, lambda kits=kits: self._deliver(kits))  # type: ignore[misc]
        self.on_delivery: Callable[[], None] = lambda: None

    def has(self, product: str) -> bool:
        """Whether a unit of the product can be released."""
        kit = self._config.products[product].kit
        return kit is None or self.stock[kit] > self._reserved[kit]

    def reserve(self, product: str) -> None:
        """Promise a kit to a unit of the product."""
        if (kit := self._config.products[product].kit) is not None:
            self._reserved[kit] += 1

    def take(self, product: str) -> None:
        """Give out the kit that was promised to a unit of the product."""
        if (kit := self._config.products[product].kit) is not None:
            self._reserved[kit] -= 1
            self.stock[kit] -= 1

    def _deliver(self, kits: Mapping[str, int]) -> None:
        self._arrive(kits)
        self.on_delivery()

    def _arrive(self, kits: Mapping[str, int]) -> None:
        for kit, count in kits.items():
            self.stock[kit] += count
