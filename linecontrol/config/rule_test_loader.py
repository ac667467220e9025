"""Files of rule tests (``*.test.yaml``) to their types, every problem with its place."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from linecontrol.config.loader import failure
from linecontrol.config.rule_test import RuleTestConfig, RuleTestFile
from linecontrol.config.source import Places, Problem, Source
from linecontrol.config.wording import problems_of


@dataclass(frozen=True)
class LoadedTests:
    """The tests of one file, and where each is written."""

    file: Path
    tests: list[RuleTestConfig]
    places: Places


def load_tests(folder: Path) -> list[LoadedTests]:
    """All rule tests of a config folder.

    Raises:
        ConfigError: a file can't be read or has the wrong form; all such problems at once.
    """
    loaded, problems = [], []
    for file in sorted(folder.rglob("*.test.yaml")):
        places = Places(str(file))
        source = Source(file, places)
        data = source.read()
        found: list[Problem] = list(source.problems)
        if not found:
            try:
                loaded.append(LoadedTests(file, RuleTestFile.model_validate(data).tests, places))
            except ValidationError as error:
                found = problems_of(error, RuleTestFile, data, places)
        problems += found
    if problems:
        raise failure(problems)
    return loaded
