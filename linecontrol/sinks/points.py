"""Events to points: which measurement, tags and values an event becomes. Pure."""

from collections.abc import Iterator
from zlib import crc32

from msgspec import Struct

from linecontrol.model.event import (
    AlarmKpi,
    AndonCalled,
    Anomaly,
    AnyEvent,
    BottleneckUpdated,
    BufferChanged,
    CommandClosed,
    CommandIssued,
    CommitmentForecast,
    CommitmentUpdated,
    CycleCompleted,
    CycleProgress,
    CycleStarted,
    FlagChanged,
    KitForecast,
    KitStockChanged,
    LagExplained,
    LedgerUpdated,
    LinkChanged,
    Noted,
    ReleaseProposed,
    RulesChanged,
    Sampled,
    ShiftKpi,
    StateChanged,
    StateHeld,
    StationUnobserved,
    TargetForecast,
    UnitCompleted,
)
from linecontrol.model.health import Health
from linecontrol.model.state import AlarmState, StationState
from linecontrol.sinks import schema
from linecontrol.sinks.schema import Measurement

FieldValue = int | float | str | None
_CODES = {state: code for code, state in enumerate(StationState, 1)}
_LOST = ("blocked", "starved", "down", "setup", "idle", "unobserved")


class Point(Struct, frozen=True):
    """Tag and field values in the order of the measurement's schema; ``None`` is left out (a tag: ``none``)."""

    measurement: Measurement
    tags: tuple[str | None, ...]
    values: tuple[FieldValue, ...]
    at_ns: int


def _ms(ns: int | None) -> int | None:
    return None if ns is None else ns // 1_000_000


def _bit(value: bool | None) -> int | None:
    return None if value is None else int(value)


def unit_hash(unit: str | None) -> str:
    """The value of ``unit_index``'s tag ``h``: two hexadecimal digits, 64 of them."""
    return "none" if unit is None else f"{crc32(unit.encode(errors='replace')) & 63:02x}"


def _state(e: StateChanged | StateHeld) -> Point:
    held = isinstance(e, StateHeld)
    since = e.since_ns if isinstance(e, StateHeld) else e.at_ns
    values = (e.state.value, _CODES[e.state], int(held), _ms(since), e.unit, e.product)
    return Point(schema.STATION_STATE, (e.line, e.station), values, e.at_ns)


def _cycle(e: CycleCompleted) -> Point:
    lost = {state.value: seconds for state, seconds in e.lost_s.items()}
    work = None if e.active_s is None else e.active_s - sum(e.lost_s.values())
    delta = None if e.active_s is None or e.planned_s is None else e.active_s - e.planned_s
    result = {None: "unknown", True: "ok", False: "nok"}[e.good]
    over = None if delta is None else int(delta > 0)
    head = (1, e.unit, int(e.unit_inferred), e.active_s, work, e.planned_s, delta, over, _bit(e.good))
    tail = tuple(None if e.active_s is None else lost.get(state, 0.0) for state in _LOST)
    tags = (e.line, e.station, e.product, e.shift, result, e.timing.value)
    return Point(schema.CYCLE, tags, (*head, *tail, _ms(e.start_ns)), e.at_ns)


def _running(e: CycleStarted | CycleProgress) -> Point:
    start, active = (e.start_ns, e.active_s) if isinstance(e, CycleProgress) else (e.at_ns, 0.0)
    progress = active / e.planned_s if e.planned_s else None
    values = (e.unit, int(e.unit_inferred), e.product, active, e.planned_s, progress, _ms(start))
    return Point(schema.RUNNING_CYCLE, (e.line, e.station), values, e.at_ns)


def _command(e: CommandIssued | CommandClosed) -> Point:
    result, text, latency, expires = (
        (e.result.value, e.text, (e.at_ns - e.issued_ns) / 1e6, None)
        if isinstance(e, CommandClosed)
        else ("issued", None, None, _ms(e.expires_ns))
    )
    values = (e.command, float(e.value), e.reason, text, latency, expires)
    return Point(schema.COMMAND_AUDIT, (e.line, e.station, e.name, result), values, e.at_ns)


def _plain(measurement: Measurement, e: Struct, tags: tuple[str | None, ...], at_ns: int, **other: FieldValue) -> Point:
    values = tuple(other[name] if name in other else getattr(e, name) for name in measurement.fields)
    return Point(measurement, tags, values, at_ns)


def _bottleneck(e: BottleneckUpdated) -> Iterator[Point]:
    provisional = int(e.provisional)
    for rank, suspect in enumerate(e.suspects, 1):
        tags = (e.line, suspect.station)
        yield _plain(schema.BOTTLENECK, suspect, tags, e.at_ns, rank=rank, units=e.units, provisional=provisional)
    yield _plain(
        schema.BOTTLENECK_VERDICT, e, (e.line,), e.at_ns, suspects=", ".join(each.station for each in e.suspects),
        provisional=provisional, waits=sum(e.waits.values()), notes="; ".join(e.notes),
    )  # fmt: skip
    for station, share in e.shares.items():
        yield Point(schema.CRITICAL_PATH, (e.line, station, None), (share,), e.at_ns)
    for cause, share in e.waits.items():
        yield Point(schema.CRITICAL_PATH, (e.line, None, cause), (share,), e.at_ns)
    for each in e.opinions:
        yield _plain(schema.OPINION, each, (e.line, each.method), e.at_ns, stations=", ".join(each.stations))


def _finish(e: TargetForecast | CommitmentForecast) -> dict[str, int | None]:
    return {
        "finish_low_ms": _ms(e.finish_low_ns),
        "finish_likely_ms": _ms(e.finish_likely_ns),
        "finish_high_ms": _ms(e.finish_high_ns),
    }


def _forecast(e: TargetForecast) -> Iterator[Point]:
    tags = (e.target, e.line, e.family)
    yield _plain(schema.FORECAST, e, tags, e.at_ns, **_finish(e))
    for each in e.fan:
        yield _plain(schema.FORECAST_FAN, each, tags, each.at_ns, told_ms=_ms(e.at_ns))


def points(event: AnyEvent) -> Iterator[Point]:
    """The points of an event; none for ``Sampled``, whose fields are named by config."""
    at, e = event.at_ns, event
    match e:
        case StateChanged():
            yield _state(e)
            interval = (e.previous_s, (at - e.since_ns) / 1e9, _ms(e.since_ns))
            yield Point(schema.STATE_INTERVAL, (e.line, e.station, e.previous.value, e.shift), interval, at)
        case StateHeld():
            yield _state(e)
        case CycleStarted() | CycleProgress():
            yield _running(e)
        case CycleCompleted():
            yield _cycle(e)
        case UnitCompleted():
            yield _plain(
                schema.UNIT_INDEX, e, (e.line, unit_hash(e.unit)), at, units=1, unit_inferred=int(e.unit_inferred),
                good=_bit(e.good), start_ms=_ms(e.start_ns), end_ms=_ms(at),
            )  # fmt: skip
        case BufferChanged():
            yield _plain(schema.BUFFER, e, (e.line, e.buffer), at)
        case StationUnobserved():
            yield _plain(schema.UNOBSERVED, e, (e.line, e.station), at, start_ms=_ms(e.start_ns))
        case Anomaly():
            text = None if e.value is None else str(e.value)
            yield _plain(schema.ANOMALY, e, (e.line, e.station, e.kind), at, value_text=text)
        case AndonCalled():
            yield _plain(schema.ANDON, e, (e.line, e.station), at, active=int(e.active))
        case Sampled():
            return
        case ShiftKpi():
            tags = (e.line, e.station, e.period, e.shift)
            yield _plain(schema.KPI, e, tags, e.start_ns, end_ms=_ms(e.end_ns))
        case LedgerUpdated():
            tags3 = (e.target, e.line, e.family)
            yield _plain(schema.TARGET, e, tags3, at, units_today=e.today, units_left=e.left)
        case CommitmentUpdated():
            due, forecast = _ms(e.due_ns), _ms(e.forecast_ns)
            tags3 = (e.commitment, e.family, e.market)
            yield _plain(schema.COMMITMENT, e, tags3, at, due_ms=due, forecast_ms=forecast)
        case KitStockChanged():
            yield _plain(schema.KIT, e, (e.kit,), at)
        case BottleneckUpdated():
            yield from _bottleneck(e)
        case TargetForecast():
            yield from _forecast(e)
        case CommitmentForecast():
            tags3 = (e.commitment, e.family, e.market)
            yield _plain(schema.COMMITMENT_FORECAST, e, tags3, at, due_ms=_ms(e.due_ns), **_finish(e))
        case KitForecast():
            yield _plain(schema.KIT_FORECAST, e, (e.kit,), at, runs_out_ms=_ms(e.runs_out_ns))
        case LagExplained():
            stops = {"hours_stopped": sum(e.stops.values()), "stops": ", ".join(e.stops)}
            yield _plain(schema.LAG, e, (e.line,), at, since_ms=_ms(e.since_ns), **stops)
            for each in e.causes:
                yield _plain(schema.LAG_CAUSE, each, (e.line, each.station or None, each.cause), at)
        case ReleaseProposed():
            products = ", ".join(e.products)
            yield _plain(schema.RELEASE, e, (e.line,), at, products=products, wip_limit=e.limit, go=int(e.go))
        case LinkChanged():
            yield _plain(schema.LINK, e, (e.connection,), at, up=int(e.up))
        case FlagChanged():
            active = int(e.state in {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})
            yield _plain(
                schema.FLAG, e, (e.line, e.station, e.rule, e.severity.value, e.transition), at, state=e.state.value,
                active=active, limit_value=e.limit, raised_ms=_ms(e.raised_ns), raised=int(e.raised),
                suppressed_by=e.suppressed_by or None, until_ms=_ms(e.until_ns),
            )  # fmt: skip
        case Noted():
            yield _plain(schema.NOTE, e, (e.line, e.station, e.rule), at)
        case RulesChanged():
            yield _plain(schema.RULES, e, (), at, by=e.by or None)
        case AlarmKpi():
            top = ", ".join(f"{flag} {count}" for flag, count in e.top)
            where = (e.line or None, e.period, e.shift or None)
            yield _plain(schema.ALARM_KPI, e, where, e.start_ns, end_ms=_ms(e.end_ns), top=top)
        case CommandIssued() | CommandClosed():
            yield _command(e)


def health_points(health: Health) -> Iterator[Point]:
    """The points of the gateway's health."""
    at = health.at_ns
    yield _plain(schema.GATEWAY_HEALTH, health, (), at)
    for name, link in health.connections.items():
        yield _plain(schema.GATEWAY_LINK, link, (name,), at, up=int(link.up), last_good_ms=_ms(link.last_good_ns))
    for name, sink in health.sinks.items():
        yield _plain(schema.GATEWAY_SINK, sink, (name,), at)
