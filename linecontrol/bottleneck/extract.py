"""From a line's record to what verdict and forecast work with."""

from itertools import count

from linecontrol.bottleneck.memory import Finished, Parts, RecordMemory, StationMemory
from linecontrol.bottleneck.record import HANDOVER_MS, TRANSPORT, LineRecord, Telling
from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config, LineConfig
from linecontrol.flowline import Layout, LineLog, Passage
from linecontrol.line.standards import Standards
from linecontrol.model import StationState

_AWAY = (StationState.STARVED, StationState.OFF_SHIFT, StationState.UNOBSERVED)


class LineRecords:
    """What is needed to record a line and to read its record."""

    def __init__(self, config: Config, name: str, calendar: WorkCalendar) -> None:
        """``calendar`` is the line's working time."""
        self.line = config.lines[name]
        self._calendar = calendar
        self._standards = Standards(self.line, calendar)
        self._resolution = config.engine.resolution / 1e9
        self._kits = {key: item.kit for key, item in config.products.items() if item.family in self.line.families}

    def record(self, memory: RecordMemory | None = None) -> LineRecord:
        """A record that goes on with ``memory``, or an empty one."""
        record = LineRecord(self.line, self._calendar, self._kits)
        if memory is not None:
            record.remember(memory)
        return record

    def log(self, memory: RecordMemory, at_ns: int) -> LineLog:
        """The record as it stands at ``at_ns``, in working seconds since its origin; planned times are the day's.

        A passage of an unknown unit gets a unit without a name. Units that are not coming any more are left out.
        """
        record = self.record(memory)
        end = record.worked_ms(at_ns)
        last = len(memory.stations) - 1
        left = {
            unit
            for unit, note in memory.units.items()
            if note.gone and not any(each.unit == unit for each in memory.stations[last].finished)
        }
        numbers: dict[int, int] = {}
        fresh = count(-1, -1)
        passages: list[list[Passage]] = []
        for index, station in enumerate(memory.stations):
            here = [_finished(each, index, numbers) for each in station.finished if each.unit not in left]
            here.sort(key=lambda passage: passage.start)
            running = self._running(record, index, station, end, next(fresh))
            if running is not None:
                unit, start, before = running
                here.append(Passage(_number(unit, numbers), index, start / 1000, before=_seconds(before)))
            _moved(here, passages[-1] if passages else [])
            passages.append(here)
        notes = [memory.units.get(unit) for unit in numbers]
        products = list(self._kits)
        return LineLog(
            layout=_layout(self.line),
            stations=list(self.line.stations),
            units=["" if note is None or not note.names else note.names[-1] for note in notes],
            products=[None if note is None else note.product for note in notes],
            passages=passages,
            planned=[
                {
                    product: planned_ns / 1e9
                    for product in products
                    if (planned_ns := self._standards.planned_ns(name, product, at_ns)) is not None
                }
                for name in self.line.stations
            ],
            begin=memory.begin / 1000,
            end=end / 1000,
            resolution=self._resolution,
        )

    def _running(
        self, record: LineRecord, index: int, station: StationMemory, end: int, fresh: int
    ) -> tuple[int, int, Parts] | None:
        """Unit, start and what was before it, of the cycle that is going on at a station."""
        running = station.running
        if running is None:
            if not (Telling.of(list(self.line.stations.values())[index]).starts_at_end and station.waiting):
                return None
            if station.state in _AWAY:
                return None
            unit, start = station.waiting[0].unit, max(record.free(station), station.waiting[0].ready)
        else:
            unit, start = fresh if running.unit is None else running.unit, running.start
        note = record.memory.units.get(unit)
        ready = station.waiting[0].ready if running is None else record.ready(index, unit)
        return unit, min(start, end), record.before(index, start, ready, None if note is None else note.product)


def _number(unit: int, numbers: dict[int, int]) -> int:
    return numbers.setdefault(unit, len(numbers))


def _finished(each: Finished, index: int, numbers: dict[int, int]) -> Passage:
    complete = each.start + each.work
    return Passage(
        _number(each.unit, numbers),
        index,
        each.start / 1000,
        complete / 1000,
        None if each.stay is None else (complete + each.stay) / 1000,
        _seconds(each.waits),
        _seconds(each.before),
        _seconds(each.stops),
    )


def _moved(here: list[Passage], upstream: list[Passage]) -> None:
    """Name the short gap between a unit's coming free and its start at an idle station: it was being moved."""
    ready = {each.unit: each.complete if each.departure is None else each.departure for each in upstream}
    free: float | None = None
    for each in here:
        times = [time for time in (free, ready.get(each.unit)) if time is not None]
        gap = each.start - max(times, default=each.start)
        if not each.before and 0 < gap <= HANDOVER_MS / 1000:
            each.before = {TRANSPORT: gap}
        free = each.complete if each.departure is None else each.departure


def _seconds(parts: Parts | None) -> dict[str, float]:
    return {} if parts is None else {cause: ms / 1000 for cause, ms in parts.items()}


def _layout(line: LineConfig) -> Layout:
    places = {buffer.after: buffer.capacity for buffer in line.buffers.values()}
    return Layout.chain(tuple(places.get(name, 0) for name in list(line.stations)[:-1]))
