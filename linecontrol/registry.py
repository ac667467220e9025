"""Entry points to classes: the one door through which drivers, ours and strangers', come in."""

from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from linecontrol.driver import Driver, PlcServer, Probe
from linecontrol.errors import LinecontrolError

DRIVERS = "linecontrol.drivers"
SERVERS = "linecontrol.servers"
PROBES = "linecontrol.probes"
COMMANDS = "linecontrol.commands"

_T = TypeVar("_T")


def _named(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def driver_names() -> list[str]:
    """Names of the installed drivers, sorted."""
    return list(_named(DRIVERS))


def drivers() -> dict[str, type[Driver]]:
    """All installed drivers by name, loaded."""
    return {name: driver(name) for name in driver_names()}


def driver(name: str) -> type[Driver]:
    """The driver class of that name.

    Raises:
        LinecontrolError: there is none, or it can't be loaded, or it is no driver.
    """
    return _load(DRIVERS, name, Driver)  # type: ignore[type-abstract]


def plc_server(name: str) -> type[PlcServer]:
    """The simulated device of the driver of that name.

    Raises:
        LinecontrolError: there is none, or it can't be loaded, or it is no server.
    """
    return _load(SERVERS, name, PlcServer)  # type: ignore[type-abstract]


def probe(scheme: str) -> type[Probe]:
    """What probes devices at addresses that begin with ``scheme://``.

    Raises:
        LinecontrolError: nothing does, or it can't be loaded, or it is no probe.
    """
    return _load(PROBES, scheme, Probe)  # type: ignore[type-abstract]


def commands() -> dict[str, EntryPoint]:
    """Commands that driver packages add to the command line, by name, not loaded."""
    return _named(COMMANDS)


def _load(group: str, name: str, base: type[_T]) -> type[_T]:
    points = _named(group)
    if name not in points:
        msg = f"nothing named {name!r} in {group}; installed: {', '.join(points) or 'none'}"
        raise LinecontrolError(msg)
    try:
        loaded = points[name].load()
    except ImportError as error:
        msg = f"driver {name!r} ({points[name].value}) can't be imported: {error}"
        raise LinecontrolError(msg) from error
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        msg = f"driver {name!r} ({points[name].value}) is not a {base.__name__}"
        raise LinecontrolError(msg)
    return loaded
