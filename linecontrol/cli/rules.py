"""``linecontrol rules``: how two sets of rules differ over recorded time, and why a rule says what it says."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from linecontrol.cli.backtest import From, JournalOption, To, as_dict, moments, over_journal
from linecontrol.cli.common import OK, PROBLEMS, load_plant, rule_problems, state_folder, telling_errors
from linecontrol.cli.recorded import journal_path
from linecontrol.config import Config
from linecontrol.config.rules_file import with_rules
from linecontrol.errors import LinecontrolError
from linecontrol.trial.backtest import Difference, Episode, difference
from linecontrol.trial.explain import explain as explain_flag

app = typer.Typer(no_args_is_help=True, help="Compare sets of rules over recorded time, and explain what a rule says.")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Folder with the plant's config and the present rules.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The other rules: a file, or a config folder.")],
    from_: From = None,
    to: To = None,
    journal: JournalOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Which flags would appear, vanish or move if NEW took the place of the rules of OLD. Exit code 1 if any would."""
    with telling_errors():
        config = load_plant(old).config
        other = with_rules(config, new, rule_problems)
        span = moments(config, from_, to)
        trials, _ = over_journal(
            [config, other], journal_path(state_folder(journal)), span, Console(stderr=True), quiet=as_json
        )
        renamed = {rule.was: name for name, rule in other.rules.items() if rule.was}
        found_ = difference(trials[0].episodes(), trials[1].episodes(), renamed)
    if as_json:
        print(json.dumps({
            "appear": [as_dict(each) for each in found_.appear], "vanish": [as_dict(each) for each in found_.vanish],
            "move": [[as_dict(each) for each in pair] for pair in found_.move], "same": found_.same,
        }))  # fmt: skip
    else:
        _show(Console(), config, found_)
    raise typer.Exit(PROBLEMS if found_.appear or found_.vanish or found_.move else OK)


@app.command()
def explain(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.")],
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule.")],
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="Its subject, such as tractor/engine.")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The moment, such as 2026-03-01T08:00.")],
    journal: JournalOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """The value of every part of a rule's conditions for a subject at a recorded moment."""
    with telling_errors():
        config = load_plant(folder).config
        _, at_ns = moments(config, None, at)
        (trial,), _ = over_journal(
            [config], journal_path(state_folder(journal)), (None, at_ns), Console(stderr=True), quiet=as_json
        )
        if at_ns is not None:
            trial.until(at_ns)
        try:
            parts = explain_flag(trial.room, f"{rule}/{subject}")
        except KeyError as error:
            msg = f"no rule {rule} is watched for {subject}; linecontrol check tells what there is"
            raise LinecontrolError(msg) from error
    if as_json:
        print(json.dumps([{"condition": part.condition, "depth": part.depth, "text": part.text, "value": part.value}
                          for part in parts]))  # fmt: skip
        return
    table = Table("condition", "part", "value")
    for part in parts:
        table.add_row(part.condition if not part.depth else "", "  " * part.depth + part.text, part.value)
    Console().print(table)


def _show(console: Console, config: Config, found: Difference) -> None:
    zone = ZoneInfo(config.plant.timezone)
    for word, episodes in (("appears", found.appear), ("vanishes", found.vanish)):
        for episode in episodes:
            console.print(f"{word}: {_line(episode, zone)}", highlight=False, markup=False)
    for old, new in found.move:
        console.print(f"moves: {_line(old, zone)} -> {_times(new, zone)}", highlight=False, markup=False)
    console.print(
        f"{len(found.appear)} appear, {len(found.vanish)} vanish, {len(found.move)} move, {found.same} stay the same",
        highlight=False,
    )


def _line(episode: Episode, zone: ZoneInfo) -> str:
    return f"{episode.flag} {_times(episode, zone)}: {episode.text}"


def _times(episode: Episode, zone: ZoneInfo) -> str:
    return (
        f"{_local(episode.raised_ns, zone)} to {_local(episode.cleared_ns, zone) if episode.cleared_ns else 'the end'}"
    )


def _local(at_ns: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at_ns // 10**9, tz=UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"
