"""Which signal is which: from signal ids to the roles of stations, with the types that roles demand."""

from collections.abc import Iterable
from math import inf

from msgspec import Struct

from linecontrol.config import Config, CycleBy, Role, StationConfig
from linecontrol.model import Value

BITS = frozenset(
    {
        Role.RUNNING,
        Role.FAULT,
        Role.BLOCKED,
        Role.STARVED,
        Role.CYCLE_START,
        Role.CYCLE_COMPLETE,
        Role.PART_PRESENT,
        Role.ANDON_CALL,
    }
)
"""Roles that are true or false."""

COUNTS = frozenset({Role.CYCLE_COUNT, Role.GOOD_COUNT, Role.REJECT_COUNT, Role.BUFFER_LEVEL})
"""Roles that are whole numbers from 0 up."""

TELLING = {
    CycleBy.START_COMPLETE: (Role.CYCLE_START, Role.CYCLE_COMPLETE),
    CycleBy.STATE: (Role.STATE,),
    CycleBy.COUNT: (Role.CYCLE_COUNT,),
    CycleBy.PART_PRESENT: (Role.PART_PRESENT,),
    CycleBy.CYCLE_TIME: (Role.CYCLE_TIME,),
}
"""Roles without which a station's cycles can't be told, by method."""


class SignalPlace(Struct, frozen=True):
    """Where a signal belongs: a role, or a telemetry name, of a station."""

    line: str
    station: str
    role: Role | None
    name: str


def essential_roles(station: StationConfig) -> tuple[Role, ...]:
    """The signals whose loss leaves a station unobserved: those that tell its cycles and its state."""
    telling = TELLING[station.cycle_by]
    return (*telling, *(role for role in (Role.STATE,) if role in station.signals and role not in telling))


def signal_places(config: Config) -> dict[str, SignalPlace]:
    """All signals that are read, by signal id ``line/station/name``."""
    places = {}
    for line_name, line in config.lines.items():
        for name, station in line.stations.items():
            for role in station.signals:
                places[f"{line_name}/{name}/{role}"] = SignalPlace(line_name, name, role, role)
            for telemetry in station.telemetry:
                places[f"{line_name}/{name}/{telemetry}"] = SignalPlace(line_name, name, None, telemetry)
    return places


def stations_on(config: Config, connection: str) -> Iterable[tuple[str, str, Role]]:
    """Line, station and role of each signal with a role that comes over the connection, in config order."""
    for line_name, line in config.lines.items():
        for name, station in line.stations.items():
            for role, signal in station.signals.items():
                if (signal.connection or line.connection) == connection:
                    yield line_name, name, role


def connection_names(config: Config) -> dict[str, str]:
    """The connection of each signal that is read, by signal id; an empty name where it has none."""
    names = {}
    for line_name, line in config.lines.items():
        for name, station in line.stations.items():
            for key, signal in [*station.signals.items(), *station.telemetry.items()]:
                names[f"{line_name}/{name}/{key}"] = signal.connection or line.connection or ""
    return names


def role_value(role: Role, value: Value) -> Value:
    """The value as its role wants it: bool, whole number, seconds or text as it came; ``None`` if it can't be."""
    if value is None:
        return None
    if role in BITS:
        return bool(value) if value in (0, 1) else None
    if role in COUNTS:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
    if role is Role.CYCLE_TIME:
        return float(value) if isinstance(value, int | float) and 0 <= value < inf else None
    if role is Role.UNIT_ID:
        return str(value).strip() if isinstance(value, str | int) else None
    return value
