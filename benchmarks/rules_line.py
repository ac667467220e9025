"""The line that the rules' benchmarks watch: 20 stations, takt 60 s, 16 hours a day, and what is told of it."""

import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from linecontrol.calendar import WorkCalendar, line_calendars
from linecontrol.config import Config
from linecontrol.model import (
    AnyEvent,
    BufferChanged,
    CycleCompleted,
    CycleProgress,
    CycleStarted,
    LedgerUpdated,
    Sampled,
    ShiftKpi,
    StateChanged,
    StateHeld,
    StationState,
    Timing,
    UnitCompleted,
)
from linecontrol.rules import RulesRoom

S = 10**9
MONDAY = 1_767_578_400 * S
"""2026-01-05, 06:00 in Baku."""
DAY_S, TAKT_S, UNITS_A_DAY = 86_400, 60.0, 960
GRID_S = 300

STATEFUL: dict[str, dict[str, Any]] = {
    "over_takt": {
        "when": "count(cycle.active > takt, last 5 cycles) >= 3 and downstream.state == 'starved'",
        "for": "30s",
        "message": "{station}: slower than {takt}, and {downstream} waits",
    },
    "no_cycle": {
        "when": "absent(cycle, 2 * planned) and shift",
        "for": "1min",
        "severity": "critical",
        "message": "{station}: no unit for {since_cycle}",
    },
    "not_good": {
        "when": "share(not cycle.good, last 20 cycles) > 5%",
        "latch": True,
        "ack": "required",
        "message": "{station}: too many units are not good",
    },
    "slow": {
        "when": "quantile(cycle.active, 90%, last 50 cycles, min 20) > 1.2 * takt",
        "clear_when": "quantile(cycle.active, 90%, last 50 cycles, min 20) < 1.1 * takt",
        "for": "5min",
        "message": "{station}: one cycle in ten is slow",
    },
    "starved_long": {
        "when": "state == 'starved' and state_for > 10 min and upstream.state != 'starved'",
        "message": "{station}: without work for {state_for}",
    },
}
"""Five rules with windows, neighbours, absence, hysteresis, delays and latch."""
MORE: dict[str, dict[str, Any]] = {
    "mean_slow": {
        "when": "mean(cycle.active, last 50 cycles) > 1.05 * planned",
        "clear_when": "mean(cycle.active, last 50 cycles) < planned",
        "off_delay": "1min",
        "message": "{station}: slower than planned",
    },
    "torque_high": {
        "when": "mean(tag.torque, last 5 min) > 12",
        "clear_when": "mean(tag.torque, last 5 min) < 11",
        "message": "{station}: torque {tag.torque}",
    },
    "over_plan": {
        "when": "running and running.active > 1.5 * running.planned",
        "message": "{station}: {unit} takes {running.active} instead of {running.planned}",
    },
}
"""Three more, one of them over samples."""


def plant(rules: dict[str, dict[str, Any]], lines: int = 1, stations: int = 20) -> Config:
    """Lines of 20 stations, of which events tell of the first; each rule is about every station."""
    names = ["line", *(f"other{n}" for n in range(1, lines))]
    station = {
        "cycle_by": "start_complete",
        "signals": {},
        "telemetry": {"torque": {"connection": "plc"}, "speed": {"connection": "plc"}},
    }
    return Config.model_validate(
        {
            "plant": {"site": "s", "area": "a", "timezone": "Asia/Baku"},
            "calendar": {
                "shifts": {
                    "long": {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "06:00", "end": "22:00"},
                }
            },
            "families": {"engines": {"title": "Engines"}},
            "products": {"d240": {"title": "D240", "family": "engines", "code": 1}},
            "targets": {"year": {"family": "engines", "line": "line", "year": 2026, "units": 240_000}},
            "connections": {"plc": {"driver": "opcua"}},
            "lines": {
                name: {
                    "title": "The line",
                    "shifts": ["long"],
                    "families": ["engines"],
                    "standards": [
                        {"start": "2026-01-01", "times": {f"s{n:03}": {"d240": "60s"} for n in range(stations)}}
                    ],
                    "stations": {f"s{n:03}": {"title": f"Station {n}", **station} for n in range(stations)},
                }
                for name in names
            },
            "rules": {name: {"each": "station", **rule} for name, rule in rules.items()},
        }
    )


def calendars(config: Config) -> dict[str, WorkCalendar]:
    """Its working calendar."""
    return line_calendars(config)


def room_of(config: Config) -> RulesRoom:
    """The rules' room of a plant."""
    return RulesRoom(config, calendars(config))


# --- what is told -------------------------------------------------------------------------------------------


def day_of(day: int, stations: int = 20, *, samples: int = 6, seed: int = 1) -> list[AnyEvent]:
    """All events of a working day (the first is a Monday) in order of time.

    ``samples`` a cycle of a telemetry tag, half of them of one that no rule reads.
    """
    rng = np.random.default_rng((seed, day))
    start_s = (day // 5 * 7 + day % 5) * DAY_S
    begin, end, leave = _times(rng, stations)
    parts = [
        _station(n, MONDAY + start_s * S, begin[:, n], end[:, n], leave[:, n], samples, rng) for n in range(stations)
    ]
    parts.append(list(_line(MONDAY + start_s * S, day, end[:, -1])))
    return sorted(chain(*parts), key=lambda event: event.at_ns)


def _times(rng: np.random.Generator, stations: int) -> tuple[Any, Any, Any]:
    """When each unit begins, ends and leaves [unit, station]; no buffers, blocking after service."""
    work = 57.0 * np.exp(0.06 * rng.standard_normal((UNITS_A_DAY, stations)))
    work *= np.where(rng.random(work.shape) < 0.0005, 5.0, 1.0)
    begin, end, leave = np.zeros_like(work), np.zeros_like(work), np.zeros_like(work)
    for unit in range(UNITS_A_DAY):
        for n in range(stations):
            ready = leave[unit, n - 1] if n else unit * 1.0
            begin[unit, n] = max(ready, leave[unit - 1, n] if unit else 0.0)
            end[unit, n] = begin[unit, n] + work[unit, n]
            free = leave[unit - 1, n + 1] if unit and n + 1 < stations else 0.0
            leave[unit, n] = max(end[unit, n], free)
    scale = UNITS_A_DAY * TAKT_S / leave[-1, -1]
    return begin * scale, end * scale, leave * scale


def _station(
    n: int, zero: int, begin: Any, end: Any, leave: Any, samples: int, rng: np.random.Generator
) -> list[AnyEvent]:
    here: dict[str, Any] = {"line": "line", "station": f"s{n:03}"}
    out: list[AnyEvent] = []
    there: str | None
    state, since_ns, there = StationState.IDLE, zero, None

    def enter(at_ns: int, new: StationState, unit: str | None) -> None:
        nonlocal state, since_ns, there
        out.append(
            StateChanged(
                at_ns=at_ns, state=new, previous=state, since_ns=since_ns, previous_s=(at_ns - since_ns) / S,
                shift="long", unit=unit, product="d240", **here,
            )
        )  # fmt: skip
        state, since_ns, there = new, at_ns, unit

    good = rng.random(len(begin)) > 0.01
    torque = rng.normal(10.0, 0.5, (len(begin), max(samples, 1)))
    beat = zero
    for unit in range(len(begin)):
        name = f"U{unit}"
        starts, ends, leaves = (zero + int(times[unit] * S) for times in (begin, end, leave))
        while beat < starts:
            beat += GRID_S * S
            held = StateHeld(
                at_ns=min(beat, starts), state=state, since_ns=since_ns, unit=there, product="d240", **here
            )
            out += [held, _kpi(n, beat, "shift"), _kpi(n, beat, "day")]
        enter(starts, StationState.WORKING, name)
        cycle: dict[str, Any] = {"unit": name, "unit_inferred": False, "product": "d240", "planned_s": TAKT_S} | here
        out.append(CycleStarted(at_ns=starts, **cycle))
        for turn in range(samples):
            at_ns = starts + (ends - starts) * (turn + 1) // (samples + 2)
            tag = "torque" if turn % 2 else "speed"
            out.append(Sampled(at_ns=at_ns, name=tag, value=float(torque[unit, turn]), **here))
        if unit % 5 == 0:
            at_ns, active_s = (starts + ends) // 2, (ends - starts) / 2 / S
            out.append(CycleProgress(at_ns=at_ns, start_ns=starts, active_s=active_s, **cycle))
        out.append(
            CycleCompleted(
                at_ns=ends, start_ns=starts, active_s=(ends - starts) / S, lost_s={}, timing=Timing.MEASURED,
                good=bool(good[unit]), shift="long", **cycle,
            )
        )  # fmt: skip
        if leaves - ends > S:
            enter(ends, StationState.BLOCKED, name)
        following = zero + int(begin[unit + 1] * S) if unit + 1 < len(begin) else leaves
        if following - leaves > S:
            enter(leaves, StationState.STARVED, None)
        out.append(BufferChanged(at_ns=leaves, line="line", buffer=f"b{n}", level=0, capacity=1))
    return out


def _kpi(n: int, at_ns: int, period: str) -> ShiftKpi:
    return ShiftKpi(
        at_ns=at_ns, line="line", station=f"s{n:03}", period=period, start_ns=0, end_ns=at_ns, shift="long", pbt_s=1.0,
        apt_s=1.0, adet_s=0.0, blocked_s=0.0, starved_s=0.0, setup_s=0.0, idle_s=0.0, unobserved_s=0.0, produced=1,
        good=1, cycles_measured=1, cycle_mean_s=1.0, planned_mean_s=1.0, availability=1.0, effectiveness=1.0,
        quality_ratio=1.0, oee=1.0,
    )  # fmt: skip


def _line(zero: int, day: int, ends: Any) -> Iterator[AnyEvent]:
    for unit, at_s in enumerate([0.0, *ends]):
        at_ns, done = zero + int(at_s * S), day * UNITS_A_DAY + unit
        if unit:
            yield UnitCompleted(
                at_ns=at_ns, line="line", unit=f"U{unit}", unit_inferred=False, product="d240", family="engines",
                start_ns=None, good=True, shift="long",
            )  # fmt: skip
        yield LedgerUpdated(
            at_ns=at_ns, target="year", line="line", family="engines", year=2026, units=240_000, done=done, today=unit,
            due=float(done), ahead_units=0.0, ahead_days=0.0, left=240_000 - done, working_left_s=1.0,
            takt_required_s=TAKT_S + 0.0001 * (unit % 7), takt_planned_s=TAKT_S,
        )  # fmt: skip


# --- how it is measured -------------------------------------------------------------------------------------


def cpu_s(run: Callable[[], object], repeats: int = 5) -> float:
    """The shortest CPU time of several runs."""
    took = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
    return min(took)
