"""What types can't see: names that aren't there, times that overlap, signals that are needed."""

from collections.abc import Container, Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase
from math import inf
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from linecontrol.config.binding import Binding
from linecontrol.config.check_calendar import overlapping, pauses
from linecontrol.config.check_days import single_days
from linecontrol.config.check_line import line_problems
from linecontrol.config.check_signal import signal_problems
from linecontrol.config.hints import nearest, patterns_of, unknown
from linecontrol.config.holidays import public_holidays
from linecontrol.config.line import Command, StationConfig
from linecontrol.config.root import Config
from linecontrol.config.rule import CommandAction, Plain, SetpointAction, Subject
from linecontrol.config.source import Path_, Places, Problem, in_order
from linecontrol.config.types import NS

Found = Iterator[tuple[Path_, str]]


def check(config: Config, binding: Binding, place: Places) -> list[Problem]:
    """All problems of a config whose types are right, in the order of their places."""
    found = [*_plant(config), *_products(config), *_targets(config), *rule_names(config), *_simulator(config)]
    for name, line in config.lines.items():
        found += line_problems(config, name, line)
    found += signal_problems(config, binding, place)
    found += _connections(config, binding)
    found += _whole_numbers(config, binding)
    return in_order(Problem(place.of(path), path, text) for path, text in found)


def _known(path: Path_, kind: str, name: str | None, allowed: Iterable[str]) -> Found:
    names = list(allowed)
    if name is not None and name not in names:
        yield path, unknown(kind, name, names)


def _plant(config: Config) -> Found:
    zone = config.plant.timezone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield ("plant", "timezone"), f"no time zone named {zone!r}{nearest(zone, available_timezones())}"
    holidays: Container[date] = frozenset()
    try:
        holidays = public_holidays(config.calendar.holidays)
    except ValueError as error:
        yield ("calendar", "holidays"), str(error)
    yield from pauses(config.calendar.shifts)
    yield from single_days(config, holidays)
    told: set[str] = set()
    for name, line in config.lines.items():
        for path, text in overlapping(config.calendar.shifts, line.shifts, ("lines", name, "shifts")):
            if text not in told:
                yield path, text
            told.add(text)
    stations = station_names(config)
    for index, allow in enumerate(config.control.allow):
        here: Path_ = ("control", "allow", index)
        yield from _patterns((*here, "stations"), "station", allow.stations, stations)
        there = [name for name in stations if any(fnmatchcase(name, pattern) for pattern in allow.stations)]
        for setpoint in allow.setpoints if there else ():
            known = {name for station in there for name in station_of(config, station).setpoints}
            yield from _known((*here, "setpoints", setpoint), "setpoint", setpoint, known)


def station_names(config: Config) -> list[str]:
    """All stations as ``line/station``."""
    return [f"{name}/{station}" for name, line in config.lines.items() for station in line.stations]


def station_of(config: Config, name: str) -> StationConfig:
    """The station ``line/station``."""
    line, _, station = name.partition("/")
    return config.lines[line].stations[station]


def _patterns(path: Path_, kind: str, patterns: list[str], names: list[str]) -> Found:
    for index, pattern in enumerate(patterns):
        if not any(fnmatchcase(name, pattern) for name in names):
            yield (*path, index), f"{pattern!r} fits no {kind}{_meant(pattern, names)}"
        elif pattern in patterns[:index]:
            yield (*path, index), f"{pattern!r} is there twice"


def _meant(pattern: str, names: list[str]) -> str:
    if any(sign in pattern for sign in "{}()|!^"):
        return "; a pattern has *, ? and [ab] only: list several patterns instead"
    return nearest(pattern, patterns_of(names))


def _connections(config: Config, binding: Binding) -> Found:
    """What belongs to one moment must not arrive further apart than the engine waits, nor be held back for longer."""
    lateness = config.engine.lateness
    for name, bound in binding.bound.items():
        reorder, interval = config.connections[name].reorder, bound.settings.interval()
        if reorder and reorder >= (fastest := _fastest(config, name)):
            yield ("connections", name, "reorder"), _holds_cycles(reorder, fastest)
        elif reorder and lateness < reorder + 2 * interval:
            yield ("connections", name, "reorder"), _holds_too_long(reorder, interval, lateness)
        elif lateness < 2 * interval:
            yield ("connections", name), _too_late(interval, lateness)
        else:
            for tag in bound.tags:
                path, interval = binding.paths[tag.signal], tag.settings.interval() or 0
                if path[-2] == "signals" and lateness < reorder + 2 * interval:
                    yield path, _too_late(interval, lateness, reorder)


def _fastest(config: Config, connection: str) -> float:
    """The shortest planned cycle time of the stations that have a signal on the connection."""
    times = [
        time
        for line in config.lines.values()
        for station, signals in ((name, line.stations[name].signals.values()) for name in line.stations)
        if any((signal.connection or line.connection) == connection for signal in signals)
        for standard in line.standards
        for time in standard.times.get(station, {}).values()
    ]
    return min(times, default=inf)


def _holds_cycles(reorder: int, fastest: float) -> str:
    return (
        f"readings would be held back for {reorder / NS:g}s, as long as a whole cycle: the shortest planned one of its "
        f"stations takes {fastest / NS:g}s; a window need only be as long as one reading may take longer than another"
    )


def _holds_too_long(reorder: int, interval: int, lateness: int) -> str:
    return (
        f"readings are held back for {reorder / NS:g}s, and time does not wait for them: engine: lateness: is "
        f"{lateness / NS:g}s; set lateness to {(reorder + 2 * interval) / NS:g}s or more, or hold back for less"
    )


def _too_late(interval: int, lateness: int, reorder: int = 0) -> str:
    return (
        f"signals of one moment may arrive {interval / NS:g}s apart, one round after the other, which "
        f"engine: lateness: {lateness / NS:g}s does not wait for; look more often, or set lateness to "
        f"{(reorder + 2 * interval) / NS:g}s or more"
    )


def _products(config: Config) -> Found:
    for name, product in config.products.items():
        yield from _known(("products", name, "family"), "family", product.family, config.families)
        yield from _known(("products", name, "kit"), "kit", product.kit, config.kits)
    for name, delivery in config.deliveries.items():
        for kit in delivery.kits:
            yield from _known(("deliveries", name, "kits", kit), "kit", kit, config.kits)


def _targets(config: Config) -> Found:
    seen: dict[tuple[str, str, int], str] = {}
    for name, target in config.targets.items():
        path = ("targets", name)
        yield from _known((*path, "family"), "family", target.family, config.families)
        yield from _known((*path, "line"), "line", target.line, config.lines)
        line = config.lines.get(target.line)
        known = line is not None and all(family in config.families for family in (target.family, *line.families))
        if line and known and target.family not in line.families:
            yield (*path, "family"), f"line {target.line!r} doesn't build family {target.family!r}"
        key = (target.family, target.line, target.year)
        if key in seen:
            yield path, f"the same family, line and year as target {seen[key]!r}"
        seen.setdefault(key, name)
        if target.opening and not date(target.year, 1, 1) <= target.opening.day <= date(target.year, 12, 31):
            yield (*path, "opening", "day"), f"{target.opening.day} is not in {target.year}"
    for name, promise in config.commitments.items():
        yield from _known(("commitments", name, "family"), "family", promise.family, config.families)
        if promise.due < promise.start:
            yield ("commitments", name, "due"), f"{promise.due} is before the start, {promise.start}"


def rule_names(config: Config) -> Found:
    """What rules name and the config doesn't have: subjects, stations, commands."""
    subjects: dict[Subject, list[str]] = {
        Subject.STATION: station_names(config),
        Subject.LINE: list(config.lines),
        Subject.TARGET: list(config.targets),
        Subject.COMMITMENT: list(config.commitments),
        Subject.KIT: list(config.kits),
        Subject.CONNECTION: list(config.connections),
    }
    for name, rule in config.rules.items():
        yield from _patterns(("rules", name, "only"), rule.each.value, rule.only, subjects[rule.each])
        for index, action in enumerate(rule.actions):
            if not isinstance(action, Plain):
                path = ("rules", name, "actions", index)
                yield from _known((*path, "station"), "station", action.station, subjects[Subject.STATION])
                if action.station is None and rule.each is not Subject.STATION:
                    yield path, f"a rule about a {rule.each.value} has no station of its own: name one with station:"
                elif action.station is None or action.station in subjects[Subject.STATION]:
                    targets = [action.station] if action.station else _matching(rule.only, station_names(config))
                    if not (isinstance(action, CommandAction) and action.command is Command.NEXT_PRODUCT):
                        yield from _writable(config, path, action, targets)


def _whole_numbers(config: Config, binding: Binding) -> Found:
    """Numbers of rules that a setpoint's signal can't carry."""
    whole = {tag.signal for bound in binding.bound.values() for tag in bound.tags if tag.settings.value_type() is int}
    for name, rule in config.rules.items():
        for index, action in enumerate(rule.actions):
            if not isinstance(action, SetpointAction):
                continue
            for subject in [action.station] if action.station else _matching(rule.only, station_names(config)):
                values = rule.values(subject)
                for key, written in (("value", action.value), ("on_clear", action.on_clear)):
                    value = values.get(written) if isinstance(written, str) else written
                    fraction = isinstance(value, str) or (value is not None and value != int(value))
                    if fraction and f"{subject}/command_{action.setpoint}" in whole:
                        text = f"the signal of {subject} carries whole numbers, not {value}"
                        yield ("rules", name, "actions", index, key), text


def _matching(patterns: list[str], names: list[str]) -> list[str]:
    return [name for name in names if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]


def _writable(config: Config, path: Path_, action: CommandAction | SetpointAction, targets: list[str]) -> Found:
    lacking = []
    known: dict[str, None] = {}
    for target in targets:
        station = station_of(config, target)
        if isinstance(action, SetpointAction):
            known |= dict.fromkeys(station.setpoints)
            there = action.setpoint in station.setpoints
        else:
            there = action.command in station.commands
        lacking += [] if there else [target]
    if not lacking:
        return
    if isinstance(action, SetpointAction) and action.setpoint not in known:
        yield from _known((*path, "setpoint"), "setpoint", action.setpoint, known)
        return
    what = (
        f"setpoint {action.setpoint!r}" if isinstance(action, SetpointAction) else f"command {action.command.value!r}"
    )
    yield path, f"no {what} is configured at {_some(lacking)}; narrow the rule with only: or station:"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _simulator(config: Config) -> Found:
    for name in config.simulator.stations:
        yield from _known(("simulator", "stations", name), "station", name, station_names(config))
    for name in config.simulator.late_deliveries:
        yield from _known(("simulator", "late_deliveries", name), "delivery", name, config.deliveries)
