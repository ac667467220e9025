"""A file that holds ``rules:`` and nothing else: other rules for the same plant."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from linecontrol.config.loader import failure
from linecontrol.config.rule import RuleConfig
from linecontrol.config.source import Places, Problem, Source
from linecontrol.config.types import ConfigModel, Name
from linecontrol.config.wording import problems_of


class _RulesFile(ConfigModel):
    rules: dict[Name, RuleConfig] = {}


def load_rules(path: Path) -> dict[str, RuleConfig]:
    """The rules of a file, or of all ``*.yaml`` files below a folder (other keys are passed over there).

    Raises:
        ConfigError: something can't be read or has the wrong form; all such problems at once.
    """
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    rules: dict[str, RuleConfig] = {}
    problems: list[Problem] = []
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
            rules |= _RulesFile.model_validate(data).rules
        except ValidationError as error:
            problems += problems_of(error, _RulesFile, data, places)
    if problems:
        raise failure(problems)
    return rules
