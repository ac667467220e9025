"""The tables of the InfluxDB reference, made from the schema. Pure."""

from collections.abc import Iterator

from linecontrol.config import Command
from linecontrol.model.state import TRANSITIONS, CommandResult, Severity, StationState, Timing
from linecontrol.sinks.schema import MEASUREMENTS, Measurement

CLOSED: dict[str, tuple[str, ...]] = {
    "state": tuple(StationState),
    "timing": tuple(Timing),
    "severity": tuple(Severity),
    "cycle.result": ("ok", "nok", "unknown"),
    "command_audit.result": ("issued", *CommandResult),
    "transition": TRANSITIONS,
    "period": ("shift", "day"),
    "alarm_kpi.period": ("hour", "shift"),
    "method": ("arrow", "active_period", "active_period_live"),
    "h": tuple(f"{n:02x}" for n in range(64)),
    "kind": (
        "counter_reset", "counter_rollover", "counter_jump", "missed_edge", "unknown_code", "unknown_product",
        "wrong_type", "unit_mismatch", "buffer_mismatch", "late_figure", "late_reading", "clock_set_back",
    ),
}  # fmt: skip
"""Values of the tags that don't depend on the config (by tag, or measurement and tag); ``none`` may come besides."""

_ABOUT = {
    "station_state": "State of a station: each change, and every five minutes (`hb` = 1)",
    "state_interval": "A state that ended",
    "cycle": "A completed cycle; `work_s` is `cycle_s` less what was lost in other states",
    "running_cycle": "Where a running cycle stands",
    "unit_index": "A unit that left its line; `h` is crc32(unit) & 63 in hexadecimal, to find a unit fast",
    "buffer": "A buffer between stations",
    "unobserved": "A gap: nobody saw what the station did",
    "anomaly": "Something odd in the signals that was handled",
    "andon": "Andon cord pulled (1) or released (0)",
    "target": "Where an annual target stands",
    "commitment": "Where a commitment stands",
    "kit": "Kits in store",
    "bottleneck": "How probably a station holds its line back, its `share` of the critical path, and the units a year "
    "that 10 % off its cycle times would have given, with an 80 % interval",
    "bottleneck_verdict": "The verdict on a line in a sentence; `waits` is the share of all waits from outside",
    "critical_path": "What the line waited for: the share of each station (`cause` is `none`) and of each cause from "
    "outside (`station` is `none`); together they are 1",
    "opinion": "What another method says, and why it disagrees",
    "forecast": "How an annual target will end: `_low`, `_likely` and `_high` are the 10, 50 and 90 % quantiles, "
    "`prior_share` is how much of the width comes from the plan rather than from what was measured",
    "forecast_fan": "Units that will be done by then, as last told at `told_ms`: 10, 50 and 90 % quantiles",
    "commitment_forecast": "How probably a commitment is met",
    "kit_forecast": "When a kit runs out at the forecast pace; no `runs_out_ms` if it lasts",
    "lag": "Working hours and units by which a line is behind since `since_ms`; negative when ahead. Besides, what"
    " planned stops took (`hours_stopped`) and why (`stops`): they are no working time",
    "lag_cause": "Part of the lag, by station (`none`: the plan's own, the line's filling) and cause",
    "release": "Which products to start next, in order, and whether to start the next one now (`go`)",
    "link": "A connection came up (1) or went down (0)",
    "flag": "A flag changed its state; `active`: it wants somebody, `raised`: its cause holds",
    "note": "A rule's entry into what happened",
    "rules": "Other rules count from then on: `text` says what changed, `kept` flags that stand went on; no `by` at a "
    "start of the gateway",
    "command_audit": "A command or a setpoint was issued, or closed",
    "kpi": "Figures of a period; station `ALL` is the line",
    "alarm_kpi": "What a line's flags (`none`: those of no line) asked of its people: how often one was told, by "
    "severity, the `peak` within ten minutes, those that a flood `muted`; at the end how many are `standing`, `stale` "
    "of them for more than 24 hours; how many were `chattering`; `top` are those told most often",
    "gateway_health": "The gateway itself",
    "gateway_link": "Its connections since it started: `up` is 1 or 0, `lives` how often it was tried",
    "gateway_sink": "Its sinks: journal records that wait, points delivered and refused since the start",
}
_TYPES = {int: "integer", float: "float", str: "string"}
_TIMES = {
    "state_interval": "end of the state", "cycle": "end of the cycle", "unit_index": "end of the unit's last cycle",
    "unobserved": "end of the gap", "kpi": "start of the period; a later point corrects it",
    "alarm_kpi": "start of the period",
    "forecast_fan": "the moment told of; a later forecast replaces it",
    "gateway_health": "when it was asked", "gateway_link": "when it was asked", "gateway_sink": "when it was asked",
}  # fmt: skip
_REAL = {"flood_s", "uptime_s", "lag_s", "latency_ms", "wall_s"}
_SHARES = {
    "probability",
    "share",
    "prior_share",
    "waits",
    "progress",
    "availability",
    "effectiveness",
    "quality_ratio",
    "oee",
    "flood_share",
}
_BITS = {"provisional", "go", "hb", "unit_inferred", "over", "good", "up", "active", "raised"}


def unit(measurement: str, field: str) -> str:
    """The unit of a field in words; empty for texts and counts."""
    if field in _SHARES:
        return "1 = 100 %"
    if field in _BITS and measurement != "kpi":
        return "0 or 1"
    if field == "per_hour":
        return "1/h"
    if field == "readings_per_s":
        return "1/s"
    if field in _REAL:
        return "ms" if field.endswith("_ms") else "s"
    if field.endswith("_ms"):
        return "ms since 1970, UTC"
    if field.endswith("_s"):
        return "working s"
    if field.startswith("hours"):
        return "working h"
    if field.startswith("gain_"):
        return "units a year"
    if field.endswith("_days"):
        return "working days"
    return ""


def closed(measurement: str, tag: str) -> tuple[str, ...] | None:
    """The values of a tag, ``none`` aside; ``None`` if they are names in the config."""
    return CLOSED.get(f"{measurement}.{tag}", CLOSED.get(tag))


def _values(measurement: str, tag: str) -> str:
    if tag == "cause":
        return "`down`, `setup`, `kit`, `material`, `operator`, `transport`, `blocked`, `unobserved` and others"
    if tag == "command":
        return ", ".join(f"`{command}`" for command in Command) + " or a setpoint of the config"
    if tag == "h":
        return "`00`…`3f`"
    values = closed(measurement, tag)
    return "names in the config" if values is None else ", ".join(f"`{value}`" for value in values)


def _table(measurement: Measurement) -> Iterator[str]:
    name = measurement.name
    yield f"### {name}\n"
    yield f"{_ABOUT[name]}. Database `{measurement.database}`; time: {_TIMES.get(name, 'when it happened')}.\n"
    yield "| tag or field | type | unit or values |\n|---|---|---|"
    yield from (f"| `{tag}` | tag | {_values(name, tag)} |" for tag in measurement.tags)
    yield from (f"| `{field}` | {_TYPES[kind]} | {unit(name, field)} |" for field, kind in measurement.fields.items())
    yield ""


def markdown() -> str:
    """All measurements but telemetry, as Markdown."""
    return "\n".join(line for measurement in MEASUREMENTS for line in _table(measurement))
