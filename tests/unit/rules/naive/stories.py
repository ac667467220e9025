"""A plant with very short shifts, and random streams of events and wishes about it."""

from random import Random
from typing import Any

from linecontrol.config import Config
from linecontrol.model import (
    AndonCalled,
    AnyEvent,
    BottleneckUpdated,
    CommitmentForecast,
    CommitmentUpdated,
    CycleCompleted,
    CycleEnded,
    CycleProgress,
    CycleStarted,
    KitForecast,
    KitStockChanged,
    LagExplained,
    LedgerUpdated,
    LinkChanged,
    Operation,
    Sampled,
    StateChanged,
    StateHeld,
    StationState,
    Suspect,
    TargetForecast,
    Timing,
)
from linecontrol.model.observation import VERBS
from tests.unit.rules.naive.hours import AUTUMN, MINUTE, SPRING, Hours, S, Shift, Zone
from tests.unit.rules.naive.plant import Layout

MONDAY = 1_767_556_800 * S
"""2026-01-05 00:00 in Baku."""
WEEK = (0, 1, 2, 3, 4)
LINES = {"line": ["first", "second", "third"], "other": ["left", "right"]}
SHIFTS = {
    "line": {
        "a": Shift(WEEK, 480, 486, ((482, 483),)),
        "b": Shift(WEEK, 488, 500, ((490, 491), (493, 494))),
        "n": Shift(WEEK, 1_436, 1_446, ((1_439, 1_441),)),
    },
    "other": {
        "c": Shift(WEEK, 478, 484, ((481, 482),)),
        "d": Shift(WEEK, 485, 492),
        "m": Shift(WEEK, 1_430, 1_437),
        "o": Shift((1, 2, 3, 4, 5), 1, 9),
    },
}
LONG = {
    "line": {"a": Shift(WEEK, 480, 1_020, ((720, 780),)), "n": Shift(WEEK, 1_320, 1_800, ((1_500, 1_560),))},
    "other": {"c": Shift((0, 1, 2, 3, 4, 5), 360, 840, ((600, 660),))},
}
DAILY = (0, 1, 2, 3, 4, 5, 6)
NIGHT = {
    "line": {
        "a": Shift(DAILY, 110, 124, ((115, 117), (119, 121))),
        "b": Shift(DAILY, 175, 250, ((178, 179), (183, 184))),
        "n": Shift(DAILY, 1_436, 1_446, ((1_439, 1_441),)),
    },
    "other": {"c": Shift(DAILY, 60, 200, ((121, 182),)), "d": Shift(DAILY, 1_390, 1_480, ((1_439, 1_443),))},
}
"""Around the times that clocks skip or show twice, and over midnight."""
NIGHTS = {
    "line": {"a": Shift(DAILY, 480, 1_020, ((720, 780),)), "n": Shift(DAILY, 1_320, 1_800, ((1_560, 1_620),))},
    "other": {"c": Shift(DAILY, 60, 840, ((120, 180), (600, 660)))},
}
TAGS = {"line/first": ("torque",), "line/second": ("torque", "temp"), "other/left": ("torque",)}
STATIONS = [f"{line}/{station}" for line, stations in LINES.items() for station in stations]
TARGETS = {"year": "line", "side": "other"}
COMMITMENTS = {"turkey": "line", "brno": ""}


def config_of(shifts: dict[str, dict[str, Shift]], zone: Zone) -> Config:
    """The plant without rules."""

    def station(line: str, name: str) -> dict[str, Any]:
        tags = TAGS.get(f"{line}/{name}", ())
        return {"title": name.title(), "cycle_by": "start_complete", "signals": {}, "commands": {"andon": {}},
                "telemetry": {tag: {} for tag in tags}}  # fmt: skip

    return Config.model_validate(
        {
            "plant": {"site": "s", "area": "a", "timezone": zone.name},
            "calendar": {"shifts": {name: _written(shift) for its in shifts.values() for name, shift in its.items()}},
            "families": {"tractors": {"title": "Tractors"}, "gears": {"title": "Gears"}, "all": {"title": "All"}},
            "products": {
                "mtz": {"title": "MTZ", "family": "tractors", "code": 1},
                "gear": {"title": "Gear", "family": "gears", "code": 2},
            },
            "targets": {
                "year": {"family": "tractors", "line": "line", "year": 2026, "units": 800},
                "side": {"family": "gears", "line": "other", "year": 2026, "units": 400},
            },
            "commitments": {
                "turkey": {
                    "family": "tractors",
                    "market": "T",
                    "units": 10,
                    "start": "2026-01-01",
                    "due": "2026-06-30",
                },
                "brno": {"family": "all", "market": "B", "units": 10, "start": "2026-01-01", "due": "2026-06-30"},
            },
            "kits": {"cab": {"title": "Cab", "day": "2026-01-01"}, "axle": {"title": "Axle", "day": "2026-01-01"}},
            "connections": {"plc": {"driver": "opcua"}, "edge": {"driver": "opcua"}},
            "lines": {
                line: {
                    "title": line.title(),
                    "shifts": list(shifts[line]),
                    "families": ["tractors"],
                    "stations": {name: station(line, name) for name in names},
                    "standards": [{"start": "2026-01-01", "times": {names[0]: {"mtz": "2h35m"}}}],
                }
                for line, names in LINES.items()
            },
            "rules": {},
        }
    )


def layout_of(shifts: dict[str, dict[str, Shift]], start: int, days: int, zone: Zone) -> Layout:
    """The same plant for the reference."""
    return Layout(
        zone=zone,
        lines=LINES,
        hours={line: Hours(list(its.values()), start, days, zone) for line, its in shifts.items()},
        tags=TAGS,
        targets=TARGETS,
        commitments=COMMITMENTS,
        kits=["cab", "axle"],
        connections=["plc", "edge"],
        titles={name: name.partition("/")[2].title() for name in STATIONS},
    )


def _written(shift: Shift) -> dict[str, Any]:
    def at(minute: int) -> str:
        return f"{minute // 60 % 24:02d}:{minute % 60:02d}"

    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return {
        "days": [days[day] for day in shift.days],
        "start": at(shift.start),
        "end": at(shift.end),
        "breaks": [{"start": at(start), "end": at(end)} for start, end in shift.breaks],
    }


STARTS = tuple(
    MONDAY + minutes * MINUTE for minutes in (477, 479, 481, 484, 487, 1_433, 1_435, 1_438, 1_440 * 4 + 1_436)
)
"""Beginnings shortly before shifts, breaks and midnight."""
CHANGES = tuple(
    change + minutes * MINUTE
    for change in (SPRING, AUTUMN)
    for minutes in (-61, -9, -5, -3, -1, 1, -125, -171, 1_262, 1_317, 1_377)
)
"""Beginnings near a change of clocks, and near the midnights around it."""


def story(chance: Random, start: int, steps: int, step: int, flags: list[str]) -> list[AnyEvent | Operation]:
    """Events and wishes at the steps after ``start``, in the order in which they are told; some of them late.

    Most wishes are about flags of which there were some before.

    Mostly it begins with a little of everything, so that little stays unknown for long.
    """
    told: list[AnyEvent | Operation] = []
    wished: list[str] = []
    if chance.random() < 0.8:
        told += [tell(chance, start, step, station) for station in STATIONS for tell in (_state, _start, _end)]
        told += [tell(chance, start, step, station) for tell in _TELLERS for station in chance.sample(STATIONS, 2)]
    busy = chance.choice([0.15, 0.3, 0.6, 0.7])
    stations = ["line/second", *chance.sample(STATIONS, chance.choice([0, 1, 5]))]
    kinds = [*_AT_STATIONS, *chance.sample(_TELLERS, chance.randint(0, len(_TELLERS)))]
    for place in range(steps):
        while chance.random() < busy:
            at = start + place * step
            stamp = at - chance.choice([1, 2, 3]) * step if chance.random() < 0.04 else at
            if flags and chance.random() < 0.15:
                wished.append(chance.choice(wished[-3:] if wished and chance.random() < 0.6 else flags))
                told.append(_wish(chance, at, step, wished[-1]))
            else:
                told.append(chance.choice(kinds)(chance, stamp, step, chance.choice(stations)))
    return told


def _wish(chance: Random, at: int, step: int, flag: str) -> Operation:
    until = None if chance.random() < 0.5 else at + chance.randint(1, 8) * step
    return Operation(chance.choice((*VERBS, "ack", "ack", "shelve")), flag, "ali", "so", at, until)


def _state(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    line, _, name = station.partition("/")
    state = chance.choice([StationState.WORKING, StationState.STARVED, StationState.DOWN, StationState.UNOBSERVED,
                           StationState.BLOCKED, StationState.SETUP])  # fmt: skip
    unit, product = chance.choice([None, "U1", "U2"]), chance.choice([None, "mtz", "gear"])
    if chance.random() < 0.25:
        since = at - chance.randint(0, 3) * step
        return StateHeld(at_ns=at, line=line, station=name, state=state, since_ns=since, unit=unit, product=product)
    return StateChanged(
        at_ns=at, line=line, station=name, state=state, previous=StationState.IDLE, since_ns=at, previous_s=0.0,
        shift="a", unit=unit, product=product,
    )  # fmt: skip


def _planned(chance: Random, step: int) -> float | None:
    return None if chance.random() < 0.2 else chance.choice([0, 2, 2, 4, 4]) * step / S


def _start(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    line, _, name = station.partition("/")
    common: dict[str, Any] = {
        "at_ns": at, "line": line, "station": name, "unit": chance.choice([None, "U1", "U2"]), "unit_inferred": False,
        "product": chance.choice([None, "mtz"]), "planned_s": _planned(chance, step),
    }  # fmt: skip
    if chance.random() < 0.25:
        return CycleProgress(**common, start_ns=at, active_s=chance.randint(0, 4) * step / S)
    return CycleStarted(**common)


def _end(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    line, _, name = station.partition("/")
    if chance.random() < 0.15:
        return CycleEnded(at_ns=at, line=line, station=name)
    timing = chance.choice([Timing.MEASURED, Timing.MEASURED, Timing.MEASURED, Timing.PARTIAL, Timing.UNKNOWN])
    return CycleCompleted(
        at_ns=at, line=line, station=name, unit="U1", unit_inferred=False, product=chance.choice([None, "mtz"]),
        start_ns=None, active_s=chance.choice([20.0, 30.1, 80.1, 80.1, 0.1, 99.7]), planned_s=_planned(chance, step),
        lost_s=chance.choice([{}, {StationState.DOWN: 5.0}, {StationState.DOWN: 0.1, StationState.BLOCKED: 0.2}]),
        timing=timing, good=chance.choice([True, False, None]), shift="a",
    )  # fmt: skip


def _andon(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    line, _, name = station.partition("/")
    return AndonCalled(at_ns=at, line=line, station=name, active=chance.random() < 0.5)


def _sample(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    station = chance.choice([station, *TAGS]) if station in TAGS else chance.choice(list(TAGS))
    line, _, name = station.partition("/")
    value = chance.choice([0.0, 0.1, 0.3, 1.0, 3.0, 7.0, -2.0, 4e3])
    return Sampled(at_ns=at, line=line, station=name, name=chance.choice(TAGS[station]), value=value)


def _verdict(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    line = station.partition("/")[0]
    names = chance.sample(LINES[line], chance.randint(0, len(LINES[line])))
    probabilities = sorted((chance.choice([0.2, 0.5, 0.6, 0.7, 0.9]) for _ in names), reverse=True)
    return BottleneckUpdated(
        at_ns=at, line=line, units=30, provisional=chance.random() < 0.2, verdict=chance.choice(["v", "w"]),
        suspects=[Suspect(name, probability, 1.0, 0.5, chance.choice([None, 3.0]))
                  for name, probability in zip(names, probabilities, strict=True)],
        shares={name: 0.5 for name in LINES[line] if chance.random() < 0.7},
    )  # fmt: skip


def _lag(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    line = station.partition("/")[0]
    return LagExplained(at_ns=at, line=line, since_ns=at, hours=chance.choice([0.5, 2.0]), units=1.0, causes=[])


def _ledger(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    target = chance.choice(list(TARGETS))
    ahead = chance.choice([0.0, -1.0, -3.0, 4.0])
    return LedgerUpdated(
        at_ns=at, target=target, line=TARGETS[target], family="tractors", year=2026, units=800, done=10, today=1,
        due=10 - ahead, ahead_units=ahead, ahead_days=ahead / 4, left=chance.choice([0, 3]), working_left_s=1e6,
        takt_required_s=chance.choice([None, 2.0 * step / S, 6.0 * step / S]), takt_planned_s=8.0 * step / S,
    )  # fmt: skip


def _forecast(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    target = chance.choice(list(TARGETS))
    return TargetForecast(
        at_ns=at, target=target, line=TARGETS[target], family="tractors", year=2026, units=800, done=3,
        probability=chance.choice([0.2, 0.3, 0.5, 0.8]), units_low=1.0, units_likely=2.0, units_high=3.0,
        finish_low_ns=None, finish_likely_ns=None, finish_high_ns=None,
        takt_achieved_s=chance.choice([None, 3.0 * step / S]), takt_required_s=None, prior_share=0.5,
        hours_needed=chance.choice([1.0, 3.0]), hours_left=2.0, kits_limit=chance.choice([None, 0, 7]), evidence=9,
        replications=1000, seed=1, fan=[],
    )  # fmt: skip


def _commitment(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    common: dict[str, Any] = {"at_ns": at, "commitment": chance.choice(list(COMMITMENTS)), "family": "tractors",
                              "market": "T", "due_ns": at}  # fmt: skip
    if chance.random() < 0.5:
        return CommitmentForecast(
            **common, probability=chance.choice([0.2, 0.5, 0.8]), finish_low_ns=None, finish_likely_ns=None,
            finish_high_ns=None,
        )  # fmt: skip
    return CommitmentUpdated(
        **common, units=10, done=chance.choice([7, 10]), forecast_ns=None, margin_days=chance.choice([None, 0.5, 2.0]),
        takt_required_s=chance.choice([None, 3.0 * step / S]),
    )  # fmt: skip


def _kit(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    kit = chance.choice(["cab", "axle"])
    if chance.random() < 0.5:
        until = chance.choice([None, at + chance.randint(0, 30) * step])
        return KitForecast(at_ns=at, kit=kit, runs_out_ns=until, short=chance.choice([0, 3]))
    return KitStockChanged(at_ns=at, kit=kit, stock=chance.choice([0, 2, 3]), needed_next_day=2, arriving=0)


def _link(chance: Random, at: int, step: int, station: str) -> AnyEvent:
    return LinkChanged(at_ns=at, connection=chance.choice(["plc", "edge"]), up=chance.random() < 0.5, reason="",
                       warning=chance.choice(["", "w"]))  # fmt: skip


_AT_STATIONS = [_state, _state, _start, _end, _andon]
_TELLERS = [_state, _state, _start, _start, _end, _end, _andon, _sample, _sample, _verdict, _lag, _ledger, _forecast,
            _commitment, _kit, _link]  # fmt: skip
