"""``linecontrol backtest DIR``: what the rules would have said of recorded time."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from linecontrol.calendar import line_calendars
from linecontrol.cli.common import state_folder, telling_errors, wide_console
from linecontrol.cli.recorded import Span, journal_path
from linecontrol.config import Config
from linecontrol.config.holidays import public_holidays
from linecontrol.errors import LinecontrolError
from linecontrol.gateway.journal_file import read_journal
from linecontrol.model import Operation
from linecontrol.plant.load import load_plant
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
        path = journal_path(state_folder(journal))
        (trial,), covered = over_journal([config], path, span, console, quiet=as_json)
        episodes = trial.episodes(covered[0])
        if picture is not None:
            from linecontrol.pictures.episodes import draw

            draw(episodes, rules_of(config, episodes), covered[1], config.plant.timezone, picture)
    if as_json:
        print(json.dumps({"episodes": [as_dict(episode) for episode in episodes]}))
    else:
        show(config, episodes, covered)


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
    start_ns, end_ns = found
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        msg = f"{to} is not after --from, {from_}"
        raise typer.BadParameter(msg, param_hint="--to")
    return start_ns, end_ns


def over_journal(
    configs: list[Config], path: Path, span: Span, console: Console, *, quiet: bool
) -> tuple[list[Backtest], tuple[int, int]]:
    """The rules of each config over the same records; also the time that was looked at.

    What was recorded before it is taken in too: windows are full, and flags are raised that were.

    Raises:
        LinecontrolError: nothing was recorded in that time, or the journal can't be read.
    """
    calendars = [line_calendars(config, public_holidays(config.calendar.holidays)) for config in configs]
    trials = [Backtest(config, its) for config, its in zip(configs, calendars, strict=True)]
    first_ns, last_ns = 0, 0
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("running the rules over the journal", total=None)
        for record in read_journal(path):
            first_ns, last_ns = first_ns or record.now_ns, max(last_ns, record.now_ns)
            if span[1] is not None and record.now_ns >= span[1]:
                continue
            operations = [each for each in record.observations if isinstance(each, Operation)]
            for trial in trials:
                trial.take(record.events, operations)
            progress.update(task, advance=1)
    start_ns, end_ns = span[0] or first_ns, min(span[1] or last_ns, last_ns)
    if not last_ns or start_ns >= end_ns:
        zone = ZoneInfo(configs[0].plant.timezone)
        recorded = f"it goes from {local(first_ns, zone)} to {local(last_ns, zone)}" if last_ns else "it is empty"
        msg = f"{path} holds nothing of that time; {recorded}"
        raise LinecontrolError(msg)
    for trial in trials:
        trial.until(end_ns)
    return trials, (start_ns, end_ns)


def local(at_ns: int, zone: ZoneInfo) -> str:
    """A moment in the plant's time."""
    return f"{datetime.fromtimestamp(at_ns // 10**9, tz=zone):%Y-%m-%d %H:%M:%S}"


def as_dict(episode: Episode) -> dict[str, Any]:
    """An episode for machines."""
    return {
        "flag": episode.flag,
        "raised_ns": episode.raised_ns,
        "cleared_ns": episode.cleared_ns,
        "text": episode.text,
        "suppressed_by": episode.suppressed_by,
    }


def show(config: Config, episodes: list[Episode], span: tuple[int, int]) -> None:
    """How often each rule was raised in that time, for how long, and mostly where; then those that never were."""
    console, zone = wide_console(), ZoneInfo(config.plant.timezone)
    console.print(f"from {local(span[0], zone)} to {local(span[1], zone)}", highlight=False)
    table = Table(
        "rule", "raised", "hours", "longest", "open", "suppressed", "most often", box=box.SIMPLE, padding=(0, 1, 0, 0)
    )
    for column in table.columns[:6]:
        column.no_wrap = True
        column.justify = "left" if column is table.columns[0] else "right"
    table.columns[6].overflow = "fold"
    never = []
    for rule in rules_of(config, episodes):
        its = [episode for episode in episodes if episode.rule == rule]
        if not its:
            never.append(rule)
            continue
        hours = [(min(each.cleared_ns or span[1], span[1]) - max(each.raised_ns, span[0])) / 3.6e12 for each in its]
        flags = [episode.flag.partition("/")[2] for episode in its]
        most = max(dict.fromkeys(flags), key=flags.count)
        going = sum(episode.cleared_ns is None for episode in its)
        often = f"{most} ({flags.count(most)})"
        kept = sum(bool(episode.suppressed_by) for episode in its)
        figures = (str(len(its)), f"{sum(hours):.1f}", f"{max(hours):.1f}", str(going or ""), str(kept or ""))
        table.add_row(rule, *figures, often)
    if table.row_count:
        console.print(table)
    if never:
        console.print(f"never raised: {', '.join(never)}", highlight=False)
