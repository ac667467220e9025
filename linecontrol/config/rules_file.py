"""Other rules for the same plant: a file that holds ``rules:`` and nothing else, or another config folder."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from linecontrol.config.check import rule_names
from linecontrol.config.loader import failure
from linecontrol.config.plan import Check
from linecontrol.config.root import Config
from linecontrol.config.rule import RuleConfig
from linecontrol.config.source import Places, Problem, Source
from linecontrol.config.types import ConfigModel, Name
from linecontrol.config.wording import problems_of


class _RulesFile(ConfigModel):
    rules: dict[Name, RuleConfig] = {}


def with_rules(config: Config, path: Path, further: Check) -> Config:
    """The config with other rules: those of a file, or of all files below a folder (its other keys are passed over).

    Raises:
        ConfigError: something can't be read, has the wrong form, or is refused by ``further``; all such problems.
    """
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    rules: dict[str, RuleConfig] = {}
    problems: list[Problem] = []
    all_places = Places(str(path))
    for file in files:
        if path.is_dir() and file.name.endswith(".test.yaml"):
            continue
        places = Places(str(file))
        source = Source(file, places)
        data: dict[str, Any] = source.read()
        problems += source.problems
        if path.is_dir():
            data = {"rules": data.get("rules", {})}
        try:
            found = _RulesFile.model_validate(data).rules
        except ValidationError as error:
            problems += problems_of(error, _RulesFile, data, places)
            continue
        for name in rules.keys() & found.keys():
            at = ("rules", name)
            problems.append(Problem(places.of_key(at), at, f"is there already, at {all_places.of_key(at)}"))
        rules |= found
        all_places.add(places)
    if not problems and not rules:
        problems.append(Problem(all_places.of(()), (), "there is no rule: a rules file holds rules: at its top"))
    if problems:
        raise failure(problems)
    other = config.model_copy(update={"rules": rules})
    problems = [Problem(all_places.of(at), at, text) for at, text in rule_names(other)]
    problems += further(other, all_places)
    if problems:
        raise failure(problems)
    return other
