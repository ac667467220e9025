"""``linecontrol backtest DIR``: what the rules would have said of recorded time."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from linecontrol.calendar import line_calendars
from linecontrol.cli.common import load_plant, state_folder, telling_errors
from linecontrol.cli.recorded import Span, journal_path, records
from linecontrol.config import Config
from linecontrol.config.holidays import public_holidays
from linecontrol.errors import LinecontrolError
from linecontrol.model import Operation
from linecontrol.trial import Backtest, Episode
from linecontrol.trial.backtest import rules_of
from linecontrol.trial.run import local_ns

From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="First moment, such as 2026-03-01 or 2026-03-01T08:00.")
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Moment before which it ends.")]
JournalOption = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", help="Journal or its folder [default: as run has it].")
]


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config and the rules to try.")],
    from_: From = None,
    to: To = None,
    journal: JournalOption = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw when each rule's flags were raised.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Run the rules over the journal: how often each would have raised its flags, for how long, and for what.

    The gateway has to be stopped, or the journal be a copy. Nothing is written to any device.
    """
    console = Console(stderr=True)
    with telling_errors():
        config = load_plant(folder).config
        span = moments(config, from_, to)
        (trial,), end_ns = over_journal([config], journal_path(state_folder(journal)), span, console, quiet=as_json)
        episodes = trial.episodes()
        if picture is not None:
            from linecontrol.pictures.episodes import draw

            draw(episodes, rules_of(config, episodes), end_ns, config.plant.timezone, picture)
    if as_json:
        print(json.dumps({"episodes": [as_dict(episode) for episode in episodes]}))
    else:
        Console().print(table_of(config, episodes, end_ns))


def moments(config: Config, from_: str | None, to: str | None) -> Span:
    """What --from and --to say, in UTC nanoseconds.

    Raises:
        typer.BadParameter: not a time.
    """
    found: list[int | None] = []
    for option, text in (("--from", from_), ("--to", to)):
        try:
            found.append(None if text is None else local_ns(config, datetime.fromisoformat(text)))
        except ValueError as error:
            msg = f"{text!r} is no time; write 2026-03-01 or 2026-03-01T08:00"
            raise typer.BadParameter(msg, param_hint=option) from error
    return found[0], found[1]


def over_journal(
    configs: list[Config], path: Path, span: Span, console: Console, *, quiet: bool
) -> tuple[list[Backtest], int]:
    """The rules of each config over the same records; also the moment of the last one.

    Raises:
        LinecontrolError: nothing was recorded in that time, or the journal can't be read.
    """
    calendars = [line_calendars(config, public_holidays(config.calendar.holidays)) for config in configs]
    trials = [Backtest(config, its) for config, its in zip(configs, calendars, strict=True)]
    last_ns = 0
    with Progress(console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("running the rules over the journal", total=None)
        for record in records(path, span):
            last_ns = record.now_ns
            operations = [each for each in record.observations if isinstance(each, Operation)]
            for trial in trials:
                trial.take(record.events, operations)
            progress.update(task, advance=1)
    if not last_ns:
        msg = f"{path} holds no record in that time"
        raise LinecontrolError(msg)
    for trial in trials:
        trial.until(last_ns)
    return trials, last_ns


def as_dict(episode: Episode) -> dict[str, Any]:
    """An episode for machines."""
    return {
        "flag": episode.flag,
        "raised_ns": episode.raised_ns,
        "cleared_ns": episode.cleared_ns,
        "text": episode.text,
        "suppressed_by": episode.suppressed_by,
    }


def table_of(config: Config, episodes: list[Episode], end_ns: int) -> Table:
    """One row for each rule: how often, how long, and its most frequent subject."""
    table = Table("rule", "raised", "hours raised", "longest, h", "still raised", "suppressed", "most often")
    for rule in rules_of(config, episodes):
        its = [episode for episode in episodes if episode.rule == rule]
        hours = [((episode.cleared_ns or end_ns) - episode.raised_ns) / 3.6e12 for episode in its]
        flags = [episode.flag.partition("/")[2] for episode in its]
        most = max(dict.fromkeys(flags), key=flags.count, default="")
        often = f"{most} ({flags.count(most)})" if most else ""
        going = sum(episode.cleared_ns is None for episode in its)
        kept = sum(bool(episode.suppressed_by) for episode in its)
        figures = (
            str(len(its)),
            f"{sum(hours):.1f}",
            f"{max(hours, default=0):.1f}",
            str(going or ""),
            str(kept or ""),
        )
        table.add_row(rule, *figures, often)
    return table
