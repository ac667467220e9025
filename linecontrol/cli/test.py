"""``linecontrol test DIR``: the engineers' own tests of their rules."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from linecontrol.cli.common import OK, PROBLEMS, telling_errors
from linecontrol.config import Config
from linecontrol.config.rule_test_loader import load_tests
from linecontrol.errors import LinecontrolError
from linecontrol.plant.load import load_plant
from linecontrol.plant.rule_tests import Result, run_tests


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
        results = list(run_tests(config, files, only))
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


def _coverage(config: Config, results: list[Result]) -> dict[str, set[str]]:
    seen: dict[str, set[str]] = {rule: set() for rule in config.rules}
    for result in results:
        for rule, transitions in result.outcome.seen.items():
            seen.setdefault(rule, set()).update(transitions)
    return seen


def _covered(config: Config, rule: str, transitions: set[str]) -> bool:
    if rule in config.rules and config.rules[rule].only_notes:
        return "noted" in transitions
    return {"raised", "cleared"} <= transitions


def _show(console: Console, results: list[Result], seen: dict[str, set[str]], uncovered: list[str]) -> None:
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
