"""The flow of a line: release, buffers, hand-over with blocking after service."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from functools import partial

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config, TroubleConfig
from linecontrol.errors import LinecontrolError
from linecontrol.line.standards import Standards
from linecontrol.simulator.agenda import Agenda
from linecontrol.simulator.chance import Chance
from linecontrol.simulator.mix import Mix
from linecontrol.simulator.signals import Panel, Say
from linecontrol.simulator.station import Phase, SimStation, Unit
from linecontrol.simulator.store import KitStore
from linecontrol.simulator.truth import LineTruth


class SimLine:
    """One line, from the release of a unit at the first station to its completion at the last."""

    def __init__(
        self,
        config: Config,
        name: str,
        calendar: WorkCalendar,
        agenda: Agenda,
        store: KitStore,
        seed: int,
        bits: Mapping[str, int],
        say: Say,
    ) -> None:
        """A line that begins to release units when working time allows; empty, or full if config wants it so."""
        line = config.lines[name]
        self._config, self._name, self._calendar, self._agenda, self._store = config, name, calendar, agenda, store
        self._mix = Mix(config, name)
        self._standards = Standards(line, calendar)
        self._prefix = _prefix(name, list(config.lines))
        self._numbers: Counter[int] = Counter()
        self._released: Counter[str] = Counter()
        self._completed: Counter[str] = Counter()
        self._settling_ns = -1
        self._wanted: str | None = None
        self._kit_station = line.takes_kits[0]
        capacity = {buffer.before: buffer.capacity for buffer in line.buffers.values()}
        self.stations: dict[str, SimStation] = {}
        for key, station in line.stations.items():
            full = f"{name}/{key}"
            chance = Chance(seed, full, config.simulator.stations.get(full, TroubleConfig()))
            panel = Panel(full, station, chance, bits, say)
            begun: Callable[[Unit], tuple[int, int | str]] = partial(self._begun, key)
            self.stations[key] = SimStation(
                agenda, calendar, chance, panel, config.simulator.transfer, begun, self.settle
            )
        self._flow = list(self.stations.values())
        self._capacity = [capacity.get(key, 0) for key in self.stations]
        self._buffers: list[deque[Unit]] = [deque() for _ in self._flow]  # in front of each station
        if config.simulator.full:
            self._fill()
        agenda.at(agenda.now_ns, self.settle)

    def settle(self) -> None:
        """Move all units that can move now; outside of working time, when work begins again."""
        now = self._agenda.now_ns
        if self._calendar.is_working(now):
            for index in reversed(range(len(self._flow))):
                self._push(index)
                self._pull(index)
        else:
            opening = self._calendar.add(now, 1) - 1
            if opening > self._settling_ns:
                self._settling_ns = opening
                self._agenda.at(opening, self.settle)
        for station, buffer in zip(self._flow, self._buffers, strict=True):
            station.panel.level(len(buffer))
            station.show()

    def hold(self, station: str, seconds: float) -> None:
        """Let a station start no other unit for so many seconds on the wall; 0 releases."""
        self._agenda.at(self.stations[station].hold(seconds), self.settle)
        self.settle()

    def start_next(self, code: float) -> None:
        """Release the product with that code next, if its kit is there then; an unknown one is ignored."""
        families = self._config.lines[self._name].families
        self._wanted = next(
            (name for name, item in self._config.products.items() if item.family in families and item.code == code),
            None,
        )

    def truth(self) -> LineTruth:
        """What it did since the start."""
        released, completed = self._released, self._completed
        products = sorted(released)
        return LineTruth(
            released={product: released[product] for product in products},
            completed={product: completed[product] for product in products},
            in_progress=released.total() - completed.total(),
            stations={name: station.truth() for name, station in self.stations.items()},
        )

    def _push(self, index: int) -> None:
        station = self._flow[index]
        if station.phase is not Phase.COMPLETE:
            return
        if index + 1 == len(self._flow):
            self._completed[station.leave().product] += 1
        elif len(self._buffers[index + 1]) < self._capacity[index + 1]:
            self._buffers[index + 1].append(station.leave())
            self._pull(index + 1)
        elif self._flow[index + 1].free and not self._buffers[index + 1]:
            self._flow[index + 1].receive(station.leave())

    def _pull(self, index: int) -> None:
        if not self._flow[index].free:
            return
        if index == 0:
            self._release()
        elif self._buffers[index]:
            self._flow[index].receive(self._buffers[index].popleft())

    def _fill(self) -> None:
        """A unit at every station, the oldest at the last one; those behind the kits' station have theirs."""
        kits_at = list(self.stations).index(self._kit_station)
        for index in reversed(range(len(self._flow))):
            self._release(index, takes_kit=index <= kits_at)

    def _release(self, index: int = 0, *, takes_kit: bool = True) -> None:
        product, self._wanted = self._wanted, None
        if product is None or not self._store.has(product):
            product = self._mix.choose(self._store.has if takes_kit else lambda _: True)
        if product is None:
            return
        if takes_kit:
            self._store.reserve(product)
        self._released[product] += 1
        year = self._calendar.day_of(self._agenda.now_ns).year
        self._numbers[year] += 1
        self._flow[index].receive(Unit(f"{self._prefix}-{year}-{self._numbers[year]:05}", product))

    def _begun(self, station: str, unit: Unit) -> tuple[int, int | str]:
        if station == self._kit_station:
            self._store.take(unit.product)
        planned = self._standards.planned_ns(station, unit.product, self._agenda.now_ns)
        if planned is None:
            day = self._calendar.day_of(self._agenda.now_ns)
            msg = f"no planned time for {unit.product} at {self._name}/{station} on {day}"
            raise LinecontrolError(msg)
        return planned, self._config.products[unit.product].code


def _prefix(name: str, lines: list[str]) -> str:
    """The first letters of a line's name that tell it from the others, two at least."""
    for length in range(2, len(name)):
        if sum(other.startswith(name[:length]) for other in lines) == 1:
            return name[:length].upper()
    return name.upper()
