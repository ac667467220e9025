"""The schema in InfluxDB: which measurements there are, with which tags and fields. A field keeps its type for ever."""

from enum import StrEnum

from msgspec import Struct


class Database(StrEnum):
    """Which of the three buckets or databases a measurement goes to."""

    EVENTS = "events"
    KPI = "kpi"
    RAW = "raw"


class Measurement(Struct, frozen=True):
    """A measurement: tags besides ``site`` and ``area``, and fields with their types, in the order of the values."""

    name: str
    database: Database
    tags: tuple[str, ...]
    fields: dict[str, type[int] | type[float] | type[str]]
    exact: bool = False
    """Stored at the very nanosecond, so that a later point corrects it."""


def _m(
    name: str, tags: str, database: Database = Database.EVENTS, *, exact: bool = False, **fields: type
) -> Measurement:
    return Measurement(name, database, tuple(tags.split()), fields, exact)


_KPI = Database.KPI

STATION_STATE = _m("station_state", "line station", state=str, code=int, hb=int, since_ms=int, unit=str, product=str)
STATE_INTERVAL = _m("state_interval", "line station state shift", duration_s=float, wall_s=float, start_ms=int)
CYCLE = _m(
    "cycle", "line station product shift result timing", units=int, unit=str, unit_inferred=int, cycle_s=float,
    work_s=float, planned_s=float, delta_s=float, over=int, good=int, blocked_s=float, starved_s=float, down_s=float,
    setup_s=float, idle_s=float, unobserved_s=float, start_ms=int,
)  # fmt: skip
RUNNING_CYCLE = _m(
    "running_cycle", "line station", unit=str, unit_inferred=int, product=str, active_s=float, planned_s=float,
    progress=float, start_ms=int,
)  # fmt: skip
UNIT_INDEX = _m(
    "unit_index", "line h", units=int, unit=str, unit_inferred=int, product=str, family=str, shift=str, good=int,
    start_ms=int, end_ms=int,
)  # fmt: skip
BUFFER = _m("buffer", "line buffer", level=int, capacity=int)
UNOBSERVED = _m("unobserved", "line station", reason=str, unobserved_s=float, start_ms=int)
ANOMALY = _m("anomaly", "line station kind", signal=str, text=str, value_text=str)
ANDON = _m("andon", "line station", active=int)
TARGET = _m(
    "target", "target line family", year=int, units=int, done=int, units_today=int, due=float, ahead_units=float,
    ahead_days=float, units_left=int, working_left_s=float, takt_required_s=float, takt_planned_s=float,
)  # fmt: skip
COMMITMENT = _m(
    "commitment", "commitment family market", units=int, done=int, due_ms=int, forecast_ms=int, margin_days=float,
    takt_required_s=float,
)  # fmt: skip
KIT = _m("kit", "kit", stock=int, needed_next_day=int, arriving=int)
BOTTLENECK = _m(
    "bottleneck", "line station", probability=float, effective_cycle_s=float, rank=int, units=int, share=float,
    gain_units=float, gain_low=float, gain_high=float, provisional=int,
)  # fmt: skip
BOTTLENECK_VERDICT = _m(
    "bottleneck_verdict", "line", verdict=str, suspects=str, units=int, provisional=int, waits=float, notes=str
)  # fmt: skip
CRITICAL_PATH = _m("critical_path", "line station cause", share=float)
OPINION = _m("opinion", "line method", stations=str, reason=str)
FORECAST = _m(
    "forecast", "target line family", year=int, units=int, done=int, probability=float, units_low=float,
    units_likely=float, units_high=float, finish_low_ms=int, finish_likely_ms=int, finish_high_ms=int,
    takt_achieved_s=float, takt_required_s=float, prior_share=float, hours_needed=float, hours_left=float,
    kits_limit=int, evidence=int, replications=int, seed=int,
)  # fmt: skip
FORECAST_FAN = _m(
    "forecast_fan", "target line family", exact=True, low=float, likely=float, high=float, told_ms=int
)  # fmt: skip
COMMITMENT_FORECAST = _m(
    "commitment_forecast", "commitment family market", probability=float, due_ms=int, finish_low_ms=int,
    finish_likely_ms=int, finish_high_ms=int,
)  # fmt: skip
KIT_FORECAST = _m("kit_forecast", "kit", runs_out_ms=int, short=int)
LAG = _m("lag", "line", hours=float, units=float, since_ms=int, hours_stopped=float, stops=str)
LAG_CAUSE = _m("lag_cause", "line station cause", hours=float, units=float)
RELEASE = _m("release", "line", products=str, wip_limit=int, wip=int, go=int, reason=str)
LINK = _m("link", "connection", up=int, reason=str)
FLAG = _m(
    "flag", "line station rule severity transition", flag=str, state=str, active=int, text=str, unit=str, value=float,
    limit_value=float, raised_ms=int, raised=int, suppressed_by=str, until_ms=int,
)  # fmt: skip
NOTE = _m("note", "line station rule", flag=str, text=str, unit=str)
RULES = _m("rules", "", by=str, text=str, kept=int)
COMMAND_AUDIT = _m(
    "command_audit", "line station command result", command_id=str, value=float, reason=str, text=str,
    latency_ms=float, expires_ms=int,
)  # fmt: skip
KPI = _m(
    "kpi", "line station period shift", _KPI, exact=True, end_ms=int, pbt_s=float, apt_s=float, adet_s=float,
    blocked_s=float, starved_s=float, setup_s=float, idle_s=float, unobserved_s=float, produced=int, good=int,
    cycles_measured=int, cycle_mean_s=float, planned_mean_s=float, availability=float, effectiveness=float,
    quality_ratio=float, oee=float,
)  # fmt: skip
ALARM_KPI = _m(
    "alarm_kpi", "line period shift", _KPI, exact=True, end_ms=int, told=int, per_hour=float, peak=int, info=int,
    warning=int, critical=int, muted=int, flood_s=float, flood_share=float, standing=int, stale=int, chattering=int,
    top=str,
)  # fmt: skip
GATEWAY_HEALTH = _m(
    "gateway_health", "", _KPI, exact=True, uptime_s=float, readings=int, readings_per_s=float, events=int,
    lag_s=float, inbox=int, journal_records=int,
)  # fmt: skip
GATEWAY_LINK = _m(
    "gateway_link", "connection", _KPI, exact=True, up=int, lives=int, readings=int, batches=int, disbelieved=int,
    gaps=int, refused=int, late=int, late_answers=int, misfits=int, bytes_received=int, bytes_sent=int,
    last_good_ms=int, skew_s=float,
)  # fmt: skip
GATEWAY_SINK = _m(
    "gateway_sink", "sink", _KPI, exact=True, backlog=int, delivered=int, refused=int, trouble=str
)  # fmt: skip
SAMPLE = "sample"
"""Measurement of telemetry (raw; tags line and station): one float field for each tag, named as in config."""

MEASUREMENTS = (
    STATION_STATE, STATE_INTERVAL, CYCLE, RUNNING_CYCLE, UNIT_INDEX, BUFFER, UNOBSERVED, ANOMALY, ANDON, TARGET,
    COMMITMENT, KIT, BOTTLENECK, BOTTLENECK_VERDICT, CRITICAL_PATH, OPINION, FORECAST, FORECAST_FAN,
    COMMITMENT_FORECAST, KIT_FORECAST, LAG, LAG_CAUSE, RELEASE, LINK, FLAG, NOTE, RULES, COMMAND_AUDIT, KPI, ALARM_KPI,
    GATEWAY_HEALTH, GATEWAY_LINK, GATEWAY_SINK,
)  # fmt: skip
