"""The one door to a config folder: everything that can be checked without the plant is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linecontrol.config.binding import Bound, bind
from linecontrol.config.check import check
from linecontrol.config.loader import failure, load
from linecontrol.config.root import Config
from linecontrol.config.source import Places, Problem
from linecontrol.driver import Driver


@dataclass(frozen=True)
class Plan:
    """A config without known problems, its connections ready for their drivers."""

    config: Config
    bound: dict[str, Bound]
    place: Places


Check = Callable[[Config, Places], list[Problem]]
"""A check that config can't do by itself, because it belongs to a room above."""


def load_checked(folder: Path, drivers: Mapping[str, type[Driver]], *, more: Sequence[Check] = ()) -> Plan:
    """Read and check the folder; ``drivers`` are the installed ones by name, ``more`` are further checks.

    Raises:
        ConfigError: all problems that could be found.
    """
    loaded = load(folder)
    binding = bind(loaded.config, drivers, loaded.place)
    problems = binding.problems + check(loaded.config, binding, loaded.place)
    problems += [problem for further in more for problem in further(loaded.config, loaded.place)]
    if problems:
        raise failure(problems)
    return Plan(loaded.config, binding.bound, loaded.place)
