"""Signals: what a station can't do without, types of values, two tags in one place."""

from collections.abc import Iterator, Mapping

from linecontrol.config.binding import Binding, signals
from linecontrol.config.hints import nearest, unknown
from linecontrol.config.line import Command, CycleBy, Role, StationConfig
from linecontrol.config.root import Config
from linecontrol.config.source import Path_, Places
from linecontrol.driver import ConnectionSettings, Tag, TagSettings

Found = Iterator[tuple[Path_, str]]

NEEDED: Mapping[CycleBy, tuple[Role, ...]] = {
    CycleBy.START_COMPLETE: (Role.CYCLE_START, Role.CYCLE_COMPLETE),
    CycleBy.STATE: (Role.STATE,),
    CycleBy.COUNT: (Role.CYCLE_COUNT,),
    CycleBy.PART_PRESENT: (Role.PART_PRESENT,),
    CycleBy.CYCLE_TIME: (Role.CYCLE_TIME,),
}
"""Signals that tell a station's cycles."""

PACKML = (
    *("clearing", "stopped", "starting", "idle", "suspended", "execute", "stopping", "aborting"),
    *("aborted", "holding", "held", "unholding", "suspending", "unsuspending", "resetting", "completing", "complete"),
)
"""State names of OMAC PackML."""

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_WHOLE = frozenset({Role.CYCLE_COUNT, Role.GOOD_COUNT, Role.REJECT_COUNT, Role.BUFFER_LEVEL})
_CODES = frozenset({Role.STATE, Role.PRODUCT, Role.UNIT_ID})


def _types(group: str, name: str) -> tuple[type, ...]:
    if group == "commands":
        return (int,)
    if group == "setpoints":
        return (int, float)
    if group == "telemetry":
        return (bool, int, float, str)
    role = Role(name)
    if role in _WHOLE:
        return (int,)
    if role is Role.CYCLE_TIME:
        return (int, float)
    return (int, str) if role in _CODES else (bool,)


def signal_problems(config: Config, binding: Binding, place: Places) -> Found:
    """Path and text of what is wrong with stations' signals."""
    for line_name, line in config.lines.items():
        for name, station in line.stations.items():
            yield from _station(station, ("lines", line_name, "stations", name))
    for signal in signals(config):
        if signal.config.connection is not None and signal.config.connection not in config.connections:
            text = unknown("connection", signal.config.connection, config.connections)
            yield (*signal.path, "connection"), text
    for bound in binding.bound.values():
        for tag in bound.tags:
            path = binding.paths[tag.signal]
            allowed = _types(str(path[-2]), str(path[-1]))
            carried = tag.settings.value_type()
            if carried not in allowed:
                wanted = " or ".join(_WORDS[kind] for kind in allowed)
                yield path, f"the signal carries {_WORDS[carried]}, but {path[-1]} is {wanted}"
            if not tag.writable and (why := tag.settings.only_commands()):
                yield path, why
            if path[-1] == Role.PRODUCT and carried in (int, str):
                yield from _codes(config, str(path[1]), path, carried)
        yield from _shared(bound.tags, bound.settings, binding.paths, place)


def _codes(config: Config, line: str, path: Path_, carried: type) -> Found:
    families = config.lines[line].families
    wrong = [
        f"{product.code!r} ({name})"
        for name, product in config.products.items()
        if product.family in families and type(product.code) is not carried
    ]
    if wrong:
        other = "numbers" if carried is str else "texts"
        yield path, f"the signal carries {_WORDS[carried]}, but these product codes are {other}: {', '.join(wrong)}"


def _station(station: StationConfig, path: Path_) -> Found:
    for role in NEEDED[station.cycle_by]:
        if role not in station.signals:
            yield (*path, "signals"), f"cycle_by: {station.cycle_by.value} can't do without {role.value}"
    for name in station.setpoints:
        if name in list(Command):
            yield (*path, "setpoints", name), f"{name} is a command; call the setpoint otherwise"
    if station.states != "packml":
        texts = [key for key in station.states if isinstance(key, str)]
        if len(texts) < len(station.states):  # numbers too, so the signal is a number
            for key in texts:
                if key.lower() not in PACKML:
                    yield (*path, "states", key), f"{key!r} is no PackML state{nearest(key.lower(), PACKML)}"


def _shared(tags: list[Tag], connection: ConnectionSettings, paths: Mapping[str, Path_], place: Places) -> Found:
    owner: dict[str, str] = {}
    for tag in tags:
        where = sorted(_settled(tag.settings, connection).places())
        taken = [at for at in where if at in owner]
        if taken:
            first = owner[taken[0]]
            yield paths[tag.signal], f"{taken[0]} is that of {first} already, at {place(paths[first])}"
        for at in where:
            owner.setdefault(at, tag.signal)


def _settled(tag: TagSettings, connection: ConnectionSettings) -> TagSettings:
    """The tag with what it leaves to its connection (such as a unit id) filled in."""
    left = [
        name for name in type(tag).model_fields if getattr(tag, name) is None and name in type(connection).model_fields
    ]
    return tag.model_copy(update={name: getattr(connection, name) for name in left})
