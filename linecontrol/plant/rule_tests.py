"""The engineers' own tests of a folder (``*.test.yaml``), run over its config."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from linecontrol.calendar import line_calendars
from linecontrol.config import Config
from linecontrol.config.holidays import public_holidays
from linecontrol.config.rule_test import JournalCut
from linecontrol.config.rule_test_loader import LoadedTests
from linecontrol.config.rules_file import with_rules
from linecontrol.errors import LinecontrolError
from linecontrol.gateway.journal_file import read_journal
from linecontrol.model import AnyEvent
from linecontrol.plant.load import rule_problems
from linecontrol.trial import Outcome, run_test
from linecontrol.trial.backtest import others
from linecontrol.trial.run import local_ns


@dataclass(frozen=True)
class Result:
    """A test that was run: where it is written, and each failure with its place."""

    name: str
    at: str
    failures: list[str]
    outcome: Outcome


def run_tests(config: Config, files: list[LoadedTests], only: str | None = None) -> Iterator[Result]:
    """Run the tests of some files one after the other; those with ``only`` in their names if it is given.

    Raises:
        LinecontrolError: a file that a test names can't be read.
    """
    calendars = line_calendars(config, public_holidays(config.calendar.holidays))
    for loaded in files:

        def reloaded(name: str, folder: Path = loaded.file.parent) -> Config:
            return with_rules(config, folder / name, rule_problems)

        for index, test in enumerate(loaded.tests):
            if only is None or only in test.name:
                recorded = _cut(config, loaded.file.parent, test.journal) if test.journal else []
                outcome = run_test(config, calendars, test, recorded, reloaded)
                at = ("tests", index)
                failures = [f"{loaded.places.of((*at, *each.path))}: {each.text}" for each in outcome.failures]
                yield Result(test.name, str(loaded.places.of(at)), failures, outcome)


def _cut(config: Config, folder: Path, cut: JournalCut) -> list[AnyEvent]:
    start_ns = 0 if cut.start is None else local_ns(config, cut.start)
    end_ns = None if cut.end is None else local_ns(config, cut.end)
    told = (
        event
        for record in read_journal(folder / cut.file)
        if record.now_ns >= start_ns and (end_ns is None or record.now_ns < end_ns)
        for event in others(record.events)
    )
    found = [event for event in told if event.at_ns >= start_ns]
    if not found:
        msg = f"{folder / cut.file} holds no event between {cut.start or 'its beginning'} and {cut.end or 'its end'}"
        raise LinecontrolError(msg)
    return found
