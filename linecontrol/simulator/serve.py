"""The simulated plant on the wire: one PLC server per connection, all on loopback."""

import asyncio
import socket
from collections.abc import Iterator, Mapping

from linecontrol.calendar import WorkCalendar
from linecontrol.clock import Clock
from linecontrol.config import Config, Role
from linecontrol.config.binding import Bound
from linecontrol.config.holidays import public_holidays
from linecontrol.driver import PlcServer, Quality, Reading, Value
from linecontrol.registry import plc_server
from linecontrol.simulator.codes import state_text
from linecontrol.simulator.plant import Change, SimPlant

STEP_S = 0.5
"""Plant seconds between two looks at the plant, where the clock is slow enough."""


class ServedPlant:
    """A simulated plant behind the protocols of its drivers. ``start``, then ``run``, then ``close``."""

    def __init__(self, config: Config, bound: Mapping[str, Bound], clock: Clock, seed: int | None = None) -> None:
        """The plant begins at the clock's present; ``seed`` is the config's if not given."""
        self.clock = clock
        self.ports: dict[str, int] = {}
        self._config, self._bound = config, bound
        self._servers: dict[str, PlcServer] = {}
        holidays = public_holidays(config.calendar.holidays)
        calendars = {
            name: WorkCalendar.of(config.calendar, line.shifts, config.plant.timezone, holidays, line=name)
            for name, line in config.lines.items()
        }
        self._tags = {tag.signal: (name, tag) for name, one in bound.items() for tag in one.tags}
        bits = {signal: tag.settings.counter_bits() for signal, (_, tag) in self._tags.items()}
        known = {signal: width for signal, width in bits.items() if width is not None}
        self._start_ns = clock.now_ns()
        self.plant = SimPlant(config, calendars, self._start_ns, config.simulator.seed if seed is None else seed, known)
        self._turn = asyncio.Lock()
        self._frozen_ns: int | None = None
        self._sequence = 0

    async def start(self, ports: Mapping[str, int]) -> None:
        """Serve each connection at its port (0: any; not given: the one in config) or else at a free one.

        Raises:
            OSError: no port is free.
            LinecontrolError: a driver has no server.
        """
        for name, bound in self._bound.items():
            wanted = ports[name] if name in ports else bound.settings.endpoint()[1]
            await self._listen(name, bound, wanted)
        await self._publish([Change(signal, value, self._start_ns) for signal, value in self.plant.values.items()])

    async def run(self) -> None:
        """Let the plant live until cancelled."""
        while True:
            async with self._turn:
                if self._frozen_ns is None:
                    await self._step()
            await self.clock.sleep(STEP_S)

    async def freeze(self) -> int:
        """Stop the plant where it is, while its servers go on answering. Returns that plant time."""
        async with self._turn:
            if self._frozen_ns is None:
                self._frozen_ns = self.plant.truth().at_ns
            return self._frozen_ns

    async def close(self) -> None:
        """Stop serving. Never raises."""
        for server in self._servers.values():
            await server.close()

    async def _step(self) -> None:
        writes = [write for server in self._servers.values() for write in server.writes()]
        changes = self.plant.step(self.clock.now_ns(), writes)
        # a server keeps what clients wrote to it by itself; publishing it late could undo a newer write
        await self._publish([change for change in changes if not self._is_command(change.signal)])

    def _is_command(self, signal: str) -> bool:
        return signal in self._tags and self._tags[signal][1].writable

    async def _publish(self, changes: list[Change]) -> None:
        batches: dict[str, list[Reading]] = {}
        for signal, value, at_ns in changes:
            if signal in self._tags:
                name, tag = self._tags[signal]
                self._sequence += 1
                fitting = self._fit(signal, value, tag.settings.value_type())
                reading = Reading(signal, fitting, Quality.GOOD, at_ns, at_ns, sequence=self._sequence)
                batches.setdefault(name, []).append(reading)
        for name, batch in batches.items():
            await self._servers[name].publish(batch)

    def _fit(self, signal: str, value: Value, kind: type[bool] | type[int] | type[float] | type[str]) -> Value:
        """The value as its tag carries it."""
        line, station, name = signal.split("/")
        if kind is str and isinstance(value, int) and name == Role.STATE:
            return state_text(value, self._config.lines[line].stations[station])
        return _fit(value, kind)

    async def _listen(self, name: str, bound: Bound, wanted: int) -> None:
        trouble: OSError | None = None
        for port in _free_ports(wanted):
            server = plc_server(bound.driver)(name, bound.settings.on_loopback(port), bound.tags, self.clock)
            try:
                await server.start()
            except OSError as error:  # taken since
                trouble = error
                await server.close()
            else:
                self._servers[name], self.ports[name] = server, port
                return
        raise trouble or OSError(f"{name}: no free port")


def _free_ports(wanted: int) -> Iterator[int]:
    """``wanted`` and the ports after it, if they are free, then any free ones."""
    for port in [*range(wanted, min(wanted + 20, 65_536)), 0, 0, 0] if wanted else [0, 0, 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            free: int = probe.getsockname()[1]
        yield free


def _fit(value: Value, kind: type[bool] | type[int] | type[float] | type[str]) -> Value:
    """The value as its tag carries it."""
    if value is None or isinstance(value, kind):
        return value
    if kind is int and isinstance(value, float):
        return round(value)
    return kind(value)
