"""What drivers are told: their own keys of connections and signals, checked by their own types."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from linecontrol.config.hints import unknown
from linecontrol.config.line import LineConfig, SignalConfig, StationConfig
from linecontrol.config.root import Config
from linecontrol.config.source import Path_, Places, Problem
from linecontrol.config.wording import problems_of
from linecontrol.driver import ConnectionSettings, Driver, Tag

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Bound:
    """A connection that is ready to be made, and the tags it carries."""

    driver: str
    driver_class: type[Driver]
    settings: ConnectionSettings
    tags: list[Tag]


@dataclass(frozen=True)
class Binding:
    """All connections by name, and what is wrong with the rest. ``paths`` says where each signal is written."""

    bound: dict[str, Bound]
    paths: dict[str, Path_]
    problems: list[Problem]


@dataclass(frozen=True)
class _Signal:
    signal: str
    path: Path_
    connection: str | None
    config: SignalConfig
    writable: bool


def signals(config: Config) -> Iterator[_Signal]:
    """Every signal, telemetry value, command and setpoint of the plant, in the order of the config."""
    for line_name, line in config.lines.items():
        for station_name, station in line.stations.items():
            yield from _of_station(line_name, line, station_name, station)


def bind(config: Config, drivers: Mapping[str, type[Driver]], place: Places) -> Binding:
    """Hand the drivers' keys of connections and signals to the drivers' types."""
    binding = Binding({}, {}, [])
    for name, connection in config.connections.items():
        path = ("connections", name)
        driver = drivers.get(connection.driver)
        if driver is None:
            text = unknown("driver", connection.driver, drivers)
            binding.problems.append(Problem(place.of((*path, "driver")), (*path, "driver"), text))
        elif settings := _checked(driver.connection_settings, connection.settings, path, place, binding.problems):
            binding.bound[name] = Bound(connection.driver, driver, settings, [])
    for signal in signals(config):
        _add(signal, config, drivers, place, binding)
    return binding


def _add(signal: _Signal, config: Config, drivers: Mapping[str, type[Driver]], place: Places, binding: Binding) -> None:
    if signal.connection is None:
        text = "has no connection: name one here, or one for the whole line"
        binding.problems.append(Problem(place.of(signal.path), signal.path, text))
        return
    connection = config.connections.get(signal.connection)
    driver = drivers.get(connection.driver) if connection else None
    if driver is None:
        return
    settings = _checked(driver.tag_settings, signal.config.address, signal.path, place, binding.problems)
    if settings is not None:
        binding.paths[signal.signal] = signal.path
        if bound := binding.bound.get(signal.connection):
            bound.tags.append(Tag(signal.signal, settings, signal.writable))


def _of_station(line_name: str, line: LineConfig, station_name: str, station: StationConfig) -> Iterator[_Signal]:
    base = ("lines", line_name, "stations", station_name)
    groups: list[tuple[str, str, Mapping[Any, SignalConfig]]] = [
        ("signals", "", station.signals),
        ("telemetry", "", station.telemetry),
        ("commands", "command_", station.commands),
        ("setpoints", "command_", station.setpoints),
    ]
    for group, prefix, members in groups:
        for name, config in members.items():
            signal = f"{line_name}/{station_name}/{prefix}{name}"
            path = (*base, group, str(name))
            yield _Signal(
                signal, path, config.connection or line.connection, config, group in ("commands", "setpoints")
            )


def _checked(
    model: type[_Model], data: dict[str, Any], path: Path_, place: Places, problems: list[Problem]
) -> _Model | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems += problems_of(error, model, data, place, path)
        return None
