"""A config folder to a plan: the config, its connections and its rules, with everything that is wrong with them."""

from pathlib import Path

from linecontrol import registry
from linecontrol.config import Config
from linecontrol.config.plan import Plan, load_checked
from linecontrol.config.source import Places, Problem
from linecontrol.rules.budget import excesses
from linecontrol.rules.compile import compiled
from linecontrol.rules.doubts import doubts


def load_plant(folder: Path) -> Plan:
    """The plant that a folder describes, rules included.

    Raises:
        ConfigError: with all problems.
    """
    return load_checked(folder, registry.drivers(), more=[rule_problems])


def rule_problems(config: Config, place: Places) -> list[Problem]:
    """What is wrong with the rules' conditions, messages and actions, each with its place."""
    found = []
    rules = compiled(config)
    for problem in [*rules.problems, *doubts(config, rules), *excesses(config, rules)]:
        parts = (int(part) if part.isdecimal() else part for part in problem.field.split("."))
        path = ("rules", problem.rule, *parts)
        found.append(Problem(place.of(path, problem.offset), path, problem.text))
    return found
