"""The line room: observations in, what happened on the lines out."""

from collections.abc import Mapping, Sequence
from math import isfinite

import msgspec

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config, Role
from linecontrol.duration import NS
from linecontrol.line.cycles import StationPlace
from linecontrol.line.flow import UnitFlow
from linecontrol.line.memory import LineMemory, OrderMemory, RoomMemory, StationMemory
from linecontrol.line.order import NEVER_NS, Instant, ReadingOrder
from linecontrol.line.standards import Standards
from linecontrol.line.station import StationTracker
from linecontrol.line.values import connection_names, role_value, signal_places, stations_on
from linecontrol.model import (
    AndonCalled,
    Anomaly,
    AnyEvent,
    LinkChange,
    LinkChanged,
    Quality,
    Reading,
    Sampled,
    Value,
)
from linecontrol.snapshot import recalled

TELL_LATE_NS = 60 * NS
"""How often late readings are told of, for each connection; they are counted one by one."""


class LineRoom:
    """All lines of a plant. ``observe``, ``release`` and ``tick`` are its only inputs; memory is one struct."""

    def __init__(
        self,
        config: Config,
        calendars: Mapping[str, WorkCalendar],
        counter_bits: Mapping[str, int | None] | None = None,
    ) -> None:
        """``counter_bits`` tells the width of counters by signal id, where it is known."""
        self._config, self._calendars = config, calendars
        self._bits = dict(counter_bits or {})
        self._places = signal_places(config)
        stations = list(dict.fromkeys((place.line, place.station) for place in self._places.values()))
        self._ranks = {signal: stations.index((place.line, place.station)) for signal, place in self._places.items()}
        self._connections = connection_names(config)
        self._windows = dict.fromkeys(self._connections.values(), 0)
        self._windows |= {name: connection.reorder for name, connection in config.connections.items()}
        self._memory = RoomMemory(
            lines={
                name: LineMemory(
                    stations={station: StationMemory() for station in line.stations},
                    queues=[[] for _ in range(len(line.stations) - 1)],
                    owed=[0] * (len(line.stations) - 1),
                )
                for name, line in config.lines.items()
            },
            connections={name: OrderMemory() for name in self._windows},
        )
        self._build()

    def _build(self) -> None:
        connections = self._memory.connections
        self._orders = {name: ReadingOrder(window_ns, connections[name]) for name, window_ns in self._windows.items()}
        self._holding = [order for order in self._orders.values() if order.window_ns or order.memory.waiting]
        self._order_of = {signal: self._orders[connection] for signal, connection in self._connections.items()}
        families = {name: product.family for name, product in self._config.products.items()}
        self._flows: dict[str, UnitFlow] = {}
        self._trackers: dict[tuple[str, str], StationTracker] = {}
        for name, line in self._config.lines.items():
            memory, calendar = self._memory.lines[name], self._calendars[name]
            standards, flow = Standards(line, calendar), UnitFlow(name, line, memory)
            products: dict[Value, str] = {
                product.code: key for key, product in self._config.products.items() if product.family in line.families
            }
            self._flows[name] = flow
            for index, station in enumerate(line.stations):
                times = [ns for standard in line.standards for ns in standard.times.get(station, {}).values()]
                self._trackers[name, station] = StationTracker(
                    StationPlace(
                        name,
                        station,
                        index,
                        line.stations[station],
                        calendar,
                        standards,
                        flow,
                        memory,
                        products,
                        families,
                        line.families[0] if len(line.families) == 1 else None,
                        min(times, default=None),
                        self._bits.get(f"{name}/{station}/{Role.CYCLE_COUNT}"),
                    )
                )

    # --- observations ---------------------------------------------------------------------------------------

    def begin(self, at_ns: int) -> None:
        """Nothing was seen before this moment."""
        for name, line in self._memory.lines.items():
            if not line.boundary_ns:
                line.on_shift = self._calendars[name].shift_at(at_ns) is not None
                line.boundary_ns = self._boundary(name, at_ns)
            for station in line.stations.values():
                if not station.since_ns:
                    station.since_ns = station.last_ns = station.count_ns = at_ns

    @property
    def due_ns(self) -> int:
        """When ``release`` is due, because a reading has waited for as long as its connection's window."""
        return min([order.due_ns for order in self._holding]) if self._holding else NEVER_NS

    def late(self) -> dict[str, int]:
        """How many readings of each connection came late, ever."""
        return {name: order.memory.late for name, order in self._orders.items()}

    def observe(self, observations: Sequence[Reading | LinkChange], now_ns: int) -> list[AnyEvent]:
        """What observations say, in the order in which they arrive; readings of one time and station count at once.

        Readings of a connection with a window wait in it first.
        """
        out: list[AnyEvent] = []
        ready: list[Instant] = []
        order_of = self._order_of
        for observation in observations:
            if isinstance(observation, LinkChange):
                if (order := self._orders.get(observation.connection)) is not None:
                    order.flush(ready)
                self._read(ready, out)
                ready = []
                self._link(observation, out)
            elif (order := order_of.get(observation.signal)) is not None:
                back_ns = order.take(observation, now_ns, ready)
                if back_ns:
                    self._read(ready, out)
                    ready = []
                    out.append(self._set_back(observation, back_ns))
        self._read(ready, out)
        return out

    def release(self, now_ns: int) -> list[AnyEvent]:
        """What the readings say whose windows are over at ``now_ns``."""
        out: list[AnyEvent] = []
        ready: list[Instant] = []
        for order in self._holding:
            order.expire(now_ns, ready)
        self._read(ready, out)
        return out

    def _read(self, ready: list[Instant], out: list[AnyEvent]) -> None:
        places = self._places
        for at_ns, readings in ready:
            for batch in [readings] if len(readings) == 1 else self._by_station(readings):
                place = places[batch[0].signal]
                self._cross_boundaries(place.line, at_ns, out)
                self._station(self._trackers[place.line, place.station], at_ns, batch, out)

    def _by_station(self, readings: list[Reading]) -> list[list[Reading]]:
        """Readings of one time, in the order of the stations."""
        stations: dict[int, list[Reading]] = {}
        for reading in readings:
            stations.setdefault(self._ranks[reading.signal], []).append(reading)
        return [stations[rank] for rank in sorted(stations)]

    def _station(self, tracker: StationTracker, at_ns: int, batch: list[Reading], out: list[AnyEvent]) -> None:
        changes: dict[Role, Value] = {}
        uncertain = False
        for reading in batch:
            place = self._places[reading.signal]
            if place.role is None:
                self._sample(place.line, place.station, place.name, at_ns, reading, out)
                continue
            value = None if reading.quality is Quality.BAD else role_value(place.role, reading.value)
            if value is None and reading.quality is not Quality.BAD and reading.value is not None:
                out.append(self._wrong_type(tracker, reading, at_ns))
            if place.role in changes:  # several values at one instant: each counts, in order
                out.extend(self._apply(tracker, at_ns, changes))
                changes = {}
            changes[place.role] = value
            uncertain = uncertain or (reading.quality is Quality.UNCERTAIN and place.role in tracker.essential)
        if uncertain:
            out.extend(tracker.lose(at_ns, "values were lost on the way"))
        if changes:
            out.extend(self._apply(tracker, at_ns, changes))

    def _apply(self, tracker: StationTracker, at_ns: int, changes: Mapping[Role, Value]) -> list[AnyEvent]:
        called = tracker.memory.values.get(Role.ANDON_CALL)
        out = tracker.apply(at_ns, changes)
        now = changes.get(Role.ANDON_CALL)
        if isinstance(now, bool) and now is not bool(called):
            out.append(AndonCalled(at_ns=at_ns, line=tracker.line, station=tracker.name, active=now))
        level = changes.get(Role.BUFFER_LEVEL)
        if isinstance(level, int) and tracker.index:
            out.extend(self._flows[tracker.line].level(tracker.index - 1, at_ns, level))
        return out

    def _sample(self, line: str, station: str, name: str, at_ns: int, reading: Reading, out: list[AnyEvent]) -> None:
        value = reading.value
        if reading.quality is Quality.GOOD and isinstance(value, int | float) and isfinite(value):
            at_ns = min(at_ns, reading.source_ns)
            out.append(Sampled(at_ns=at_ns, line=line, station=station, name=name, value=float(value)))

    def _wrong_type(self, tracker: StationTracker, reading: Reading, at_ns: int) -> AnyEvent:
        return Anomaly(
            at_ns=at_ns,
            line=tracker.line,
            station=tracker.name,
            signal=reading.signal,
            kind="wrong_type",
            text=f"{reading.value!r} is no value that this signal can have",
            value=reading.value,
        )

    def _set_back(self, reading: Reading, back_ns: int) -> AnyEvent:
        connection, place = self._connections[reading.signal], self._places[reading.signal]
        return Anomaly(
            at_ns=self._memory.connections[connection].mark_ns,
            line=place.line,
            station=place.station,
            signal=reading.signal,
            kind="clock_set_back",
            text=f"the clock of {connection} was set back by about {back_ns / NS:.1f} s; it is believed again",
        )

    def _tell_late(self, at_ns: int, out: list[AnyEvent]) -> None:
        for name, memory in self._memory.connections.items():
            if not memory.untold:
                continue
            place = self._places.get(memory.behind)
            if place is not None:
                window_ns = self._windows[name]
                out.append(
                    Anomaly(
                        at_ns=at_ns,
                        line=place.line,
                        station=place.station,
                        signal=memory.behind,
                        kind="late_reading",
                        text=f"{memory.untold} readings of {name} came late, by up to {memory.behind_ns / NS:.3f} s; "
                        f"with reorder: {(window_ns + memory.behind_ns) / NS:.3f}s it would have waited for them",
                    )
                )
            memory.untold, memory.behind_ns, memory.behind = 0, 0, ""

    def _link(self, change: LinkChange, out: list[AnyEvent]) -> None:
        out.append(
            LinkChanged(
                at_ns=change.at_ns,
                connection=change.connection,
                up=change.up,
                reason=change.reason,
                warning=change.warning,
            )
        )
        if change.up:
            if (order := self._orders.get(change.connection)) is not None:
                order.come_up(change.at_ns)
            return
        lost: dict[tuple[str, str], list[Role]] = {}
        for line, station, role in stations_on(self._config, change.connection):
            lost.setdefault((line, station), []).append(role)
        for key, roles in lost.items():
            tracker = self._trackers[key]
            self._cross_boundaries(key[0], change.at_ns, out)
            for role in roles:
                tracker.forget(role)
            if any(role in roles for role in tracker.essential):
                out.extend(tracker.lose(change.at_ns, f"link {change.connection} down: {change.reason}"))

    # --- time -----------------------------------------------------------------------------------------------

    def tick(self, at_ns: int) -> list[AnyEvent]:
        """What the passing of time decides: shifts, open questions, progress, heartbeats."""
        out: list[AnyEvent] = []
        ready: list[Instant] = []
        settings, memory = self._config.engine, self._memory
        memory.grid_ns = at_ns
        for order in self._holding:
            order.release(at_ns, ready)
        self._read(ready, out)
        for name in memory.lines:
            self._cross_boundaries(name, at_ns, out)
        for tracker in self._trackers.values():
            out.extend(tracker.settle(at_ns, settings.lateness))
        progress_slot = at_ns // settings.progress_every
        if progress_slot != memory.progress_slot:
            memory.progress_slot = progress_slot
            for (line, _), tracker in self._trackers.items():
                if self._calendars[line].is_working(at_ns):
                    out.extend(tracker.progress(at_ns))
        late_slot = at_ns // TELL_LATE_NS
        if late_slot != memory.late_slot:
            memory.late_slot = late_slot
            self._tell_late(at_ns, out)
        heartbeat_slot = at_ns // settings.heartbeat_every
        if heartbeat_slot != memory.heartbeat_slot:
            memory.heartbeat_slot = heartbeat_slot
            out.extend(tracker.heartbeat(at_ns) for tracker in self._trackers.values())
        return out

    def _cross_boundaries(self, line_name: str, at_ns: int, out: list[AnyEvent]) -> None:
        line, calendar = self._memory.lines[line_name], self._calendars[line_name]
        while line.boundary_ns <= at_ns:
            boundary = line.boundary_ns
            line.on_shift = calendar.shift_at(boundary) is not None
            line.boundary_ns = self._boundary(line_name, boundary)
            for station in self._config.lines[line_name].stations:
                out.extend(self._trackers[line_name, station].shift_changed(boundary))

    def _boundary(self, line_name: str, at_ns: int) -> int:
        calendar = self._calendars[line_name]
        shift = calendar.shift_at(at_ns)
        if shift is not None:
            return shift.end_ns
        later = calendar.shifts(at_ns + 1, at_ns + 40 * 86_400 * 10**9)
        return later[0].start_ns if later else at_ns + 40 * 86_400 * 10**9

    # --- memory ---------------------------------------------------------------------------------------------

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode(self._memory)

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned, for the stations that there still are.

        Raises:
            SnapshotError: it is of another version.
        """
        decoded: RoomMemory = recalled(memory, RoomMemory, "the memory of the lines")
        for name, fresh in self._memory.lines.items():
            known = decoded.lines.get(name)
            if known is None or not known.stations.keys() & fresh.stations.keys():
                decoded.lines[name] = fresh
            elif list(known.stations) != list(fresh.stations):
                fresh.stations.update({key: known.stations[key] for key in fresh.stations if key in known.stations})
                fresh.on_shift, fresh.boundary_ns, fresh.inferred = known.on_shift, known.boundary_ns, known.inferred
                decoded.lines[name] = fresh
        decoded.lines = {name: decoded.lines[name] for name in self._memory.lines}
        decoded.connections = {name: decoded.connections.get(name, OrderMemory()) for name in self._windows}
        self._memory = decoded
        self._build()
        if decoded.grid_ns:
            self.begin(decoded.grid_ns)
