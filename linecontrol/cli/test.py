"""``linecontrol test DIR``: the engineers' own tests of their rules."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from linecontrol.calendar import line_calendars
from linecontrol.cli.common import OK, PROBLEMS, load_plant, telling_errors
from linecontrol.cli.recorded import records
from linecontrol.config import Config, RuleConfig
from linecontrol.config.holidays import public_holidays
from linecontrol.config.rule_test import JournalCut
from linecontrol.config.rule_test_loader import LoadedTests, load_tests
from linecontrol.config.rules_file import load_rules
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
    failed = [result for result in results if result[2].failures]
    seen = _coverage(config, [outcome for _, _, outcome in results])
    uncovered = [rule for rule, transitions in seen.items() if not {"raised", "cleared"} <= transitions]
    if as_json:
        tests = [{"test": name, "at": place, "failures": outcome.failures} for place, name, outcome in results]
        print(json.dumps({"tests": tests, "failed": len(failed), "not_covered": uncovered}))
    else:
        _show(console, results, seen)
    raise typer.Exit(PROBLEMS if failed or (coverage and uncovered) else OK)


def _run(config: Config, files: list[LoadedTests], only: str | None) -> Iterator[tuple[str, str, Outcome]]:
    calendars = line_calendars(config, public_holidays(config.calendar.holidays))
    for loaded in files:

        def rules(name: str, folder: Path = loaded.file.parent) -> dict[str, RuleConfig]:
            return load_rules(folder / name)

        for index, test in enumerate(loaded.tests):
            if only is None or only in test.name:
                recorded = _cut(config, loaded.file.parent, test.journal) if test.journal else []
                place = str(loaded.places.of(("tests", index)))
                yield place, test.name, run_test(config, calendars, test, recorded, rules)


def _cut(config: Config, folder: Path, cut: JournalCut) -> list[AnyEvent]:
    start_ns = None if cut.start is None else local_ns(config, cut.start)
    end_ns = None if cut.end is None else local_ns(config, cut.end)
    return [event for record in records(folder / cut.file, (start_ns, end_ns)) for event in others(record.events)]


def _coverage(config: Config, outcomes: list[Outcome]) -> dict[str, set[str]]:
    seen: dict[str, set[str]] = {rule: set() for rule in config.rules}
    for outcome in outcomes:
        for rule, transitions in outcome.seen.items():
            seen.setdefault(rule, set()).update(transitions)
    return seen


def _show(console: Console, results: list[tuple[str, str, Outcome]], seen: dict[str, set[str]]) -> None:
    for place, name, outcome in results:
        if outcome.failures:
            console.print(f"[bold red]FAILED[/bold red] {place}: {name}", highlight=False)
            for failure in outcome.failures:
                console.print(f"  {failure}", highlight=False, markup=False)
    table = Table("rule", "raised", "cleared", title="seen in the tests")
    for rule, transitions in seen.items():
        table.add_row(rule, *("yes" if each in transitions else "[red]never[/red]" for each in ("raised", "cleared")))
    console.print(table)
    failed = sum(bool(outcome.failures) for _, _, outcome in results)
    console.print(f"{len(results) - failed} of {len(results)} tests passed", highlight=False)
