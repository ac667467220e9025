"""``linecontrol test DIR``: the engineers' own tests of their rules."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from linecontrol.calendar import line_calendars
from linecontrol.cli.common import OK, PROBLEMS, load_plant, rule_problems, telling_errors
from linecontrol.cli.recorded import records
from linecontrol.config import Config
from linecontrol.config.holidays import public_holidays
from linecontrol.config.rule_test import JournalCut
from linecontrol.config.rule_test_loader import LoadedTests, load_tests
from linecontrol.config.rules_file import with_rules
from linecontrol.errors import LinecontrolError
from linecontrol.model import AnyEvent
from linecontrol.trial import Outcome, run_test
from linecontrol.trial.backtest import others
from linecontrol.trial.run import local_ns


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with the plant's config and *.test.yaml files.")
    ],
    only: Annotated[
        str | None, typer.Option("--only", metavar="TEXT", help="Only tests with this in their names.")
    ] = None,
    *,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Fail if a rule was never seen raised and cleared.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Run the rule tests of a config folder: what is given, against every transition that is expected.

    Exit code 1 if a test fails, or with --coverage if a rule was not seen both raised and cleared.
    """
    console = Console()
    with telling_errors():
        config = load_plant(folder).config
        files = load_tests(folder)
        if not files:
            msg = f"there are no rule tests below {folder}: files named *.test.yaml (see docs/how-to/test-rules.md)"
            raise LinecontrolError(msg)
        results = list(_run(config, files, only))
    failed = [result for result in results if result.failures]
    seen = _coverage(config, results)
    uncovered = [rule for rule, transitions in seen.items() if not _covered(config, rule, transitions)]
    if as_json:
        tests = [{"test": result.name, "at": result.at, "failures": result.failures} for result in results]
        print(json.dumps({"tests": tests, "failed": len(failed), "not_covered": uncovered}))
    else:
        told = seen if only is None else {rule: its for rule, its in seen.items() if its}
        _show(console, results, told, [rule for rule in uncovered if rule in told])
    if not results:
        msg = f"no test has {only!r} in its name"
        raise typer.BadParameter(msg, param_hint="--only")
    raise typer.Exit(PROBLEMS if failed or (coverage and uncovered) else OK)


@dataclass(frozen=True)
class _Result:
    """A test that was run: where it is written, and each failure with its place."""

    name: str
    at: str
    failures: list[str]
    outcome: Outcome


def _run(config: Config, files: list[LoadedTests], only: str | None) -> Iterator[_Result]:
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
                yield _Result(test.name, str(loaded.places.of(at)), failures, outcome)


def _cut(config: Config, folder: Path, cut: JournalCut) -> list[AnyEvent]:
    start_ns = None if cut.start is None else local_ns(config, cut.start)
    end_ns = None if cut.end is None else local_ns(config, cut.end)
    told = (event for record in records(folder / cut.file, (start_ns, end_ns)) for event in others(record.events))
    found = [event for event in told if start_ns is None or event.at_ns >= start_ns]
    if not found:
        msg = f"{folder / cut.file} holds no event between {cut.start or 'its beginning'} and {cut.end or 'its end'}"
        raise LinecontrolError(msg)
    return found


def _coverage(config: Config, results: list[_Result]) -> dict[str, set[str]]:
    seen: dict[str, set[str]] = {rule: set() for rule in config.rules}
    for result in results:
        for rule, transitions in result.outcome.seen.items():
            seen.setdefault(rule, set()).update(transitions)
    return seen


def _covered(config: Config, rule: str, transitions: set[str]) -> bool:
    if rule in config.rules and config.rules[rule].only_notes:
        return "noted" in transitions
    return {"raised", "cleared"} <= transitions


def _show(console: Console, results: list[_Result], seen: dict[str, set[str]], uncovered: list[str]) -> None:
    for result in results:
        if result.failures:
            console.print(f"[bold red]FAILED[/bold red] {escape(result.name)}", highlight=False)
            for failure in result.failures:
                console.print(f"  {failure}", highlight=False, markup=False, soft_wrap=True)
    table = Table("rule", "raised", "cleared", title="seen in the tests")
    for rule, transitions in seen.items():
        if "noted" in transitions and "raised" not in transitions:
            table.add_row(rule, "noted", "")
            continue
        table.add_row(rule, *("yes" if each in transitions else "[red]never[/red]" for each in ("raised", "cleared")))
    console.print(table)
    failed = sum(bool(result.failures) for result in results)
    passed, covered = len(results) - failed, len(seen) - len(uncovered)
    console.print(
        f"{passed} of {len(results)} tests passed; {covered} of {len(seen)} rules seen raised and cleared",
        highlight=False,
    )
