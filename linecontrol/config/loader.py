"""A folder of YAML 1.2 files to a ``Config``: all problems at once, each with its place."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from linecontrol.config.root import Config
from linecontrol.config.source import UNREADABLE, Path_, Place, Places, Problem, Source, in_order
from linecontrol.config.wording import problems_of
from linecontrol.errors import ConfigError


@dataclass(frozen=True)
class Loaded:
    """A config whose types are right, and where each part of it is written."""

    config: Config
    place: Places


def load(folder: Path) -> Loaded:
    """Read every ``*.yaml`` below ``folder``, except rule tests (``*.test.yaml``).

    Raises:
        ConfigError: something can't be read or has the wrong type; all such problems at once.
    """
    places = Places(str(folder))
    data, problems = _read(folder, places)
    if any(problem.text.startswith(UNREADABLE) for problem in problems):
        raise failure(problems)  # what is missing then may be in what could not be read
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        said = {problem.path for problem in problems}
        problems += [problem for problem in problems_of(error, Config, data, places) if problem.path not in said]
        raise failure(problems) from None
    if problems:
        raise failure(problems)
    return Loaded(config, places)


def failure(problems: list[Problem]) -> ConfigError:
    """The error that says all of them, in the order of their places."""
    return ConfigError([str(problem) for problem in in_order(problems)])


def _read(folder: Path, places: Places) -> tuple[dict[str, Any], list[Problem]]:
    data: dict[str, Any] = {}
    problems: list[Problem] = []
    files = sorted(file for file in folder.rglob("*.yaml") if not file.name.endswith(".test.yaml"))
    if not files:
        raise failure([Problem(Place(str(folder)), (), "no *.yaml file in this folder")])
    for file in files:
        own = Places(str(file))
        source = Source(file, own)
        found = source.read()
        problems += source.problems
        skipped: set[Path_] = set()
        for key, value in found.items():
            skipped |= _merge(data, key, value, (places, own), problems)
        for path in [path for path in {**own.keys, **own.values} if any(path[: len(its)] == its for its in skipped)]:
            own.forget(path)
        places.add(own)
    return data, problems


def _merge(
    data: dict[str, Any], key: str, value: Any, places: tuple[Places, Places], problems: list[Problem]
) -> set[Path_]:
    """Add a file's top-level key to ``data``; returns the paths that were there already."""
    ours, own = places
    if key not in data:
        data[key] = dict(value) if isinstance(value, dict) else value
        return set()
    if isinstance(value, dict) and isinstance(data[key], dict):
        twice: set[Path_] = {(key, name) for name in value if name in data[key]}
        data[key].update({name: item for name, item in value.items() if (key, name) not in twice})
    else:
        kind = "a group of keys" if isinstance(data[key], dict) else "a list"
        if isinstance(value, dict) != isinstance(data[key], dict):
            problems.append(
                Problem(own.of((key,)), (key,), f"is {kind} at {ours.of_key((key,))}, and must be here too")
            )
            return {(key,)}
        twice = {(key,)}
    problems += [Problem(own.of_key(path), path, f"is there already, at {ours.of_key(path)}") for path in twice]
    return twice
