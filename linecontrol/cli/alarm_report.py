"""``linecontrol alarm report``: what flags asked of people, from the journal."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from linecontrol.calendar import line_calendars
from linecontrol.cli.backtest import From, JournalOption, To, moments
from linecontrol.cli.common import state_folder, telling_errors
from linecontrol.cli.recorded import journal_path, records
from linecontrol.config import Config
from linecontrol.config.holidays import public_holidays
from linecontrol.errors import LinecontrolError
from linecontrol.plant.load import load_plant
from linecontrol.rules.alarm_report import GOOD_FLOOD_SHARE, GOOD_PER_HOUR, MIX, MOST_PER_HOUR, AlarmReport, LineReport


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.")],
    from_: From = None,
    to: To = None,
    journal: JournalOption = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw the flags told in each hour.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Tell how many flags were told an hour and a shift, the time in flood, what is stale, and which come most often.

    The gateway has to be stopped, or the journal be a copy. Figures are held against ISA-18.2 and EEMUA 191.
    """
    with telling_errors():
        config = load_plant(folder).config
        report = AlarmReport(line_calendars(config, public_holidays(config.calendar.holidays)))
        last_ns = 0
        path = journal_path(state_folder(journal))
        for record in records(path, moments(config, from_, to)):
            last_ns = record.now_ns
            report.take(record.events, last_ns)
        if not last_ns:
            msg = f"{path} holds no record in that time"
            raise LinecontrolError(msg)
        lines = report.lines(last_ns)
        if picture is not None:
            from linecontrol.pictures.alarms import draw

            draw(lines, _titles(config), config.plant.timezone, picture)
    if as_json:
        print(json.dumps({"lines": msgspec.to_builtins(lines)}))
    else:
        show(lines, config, Console())


def show(lines: list[LineReport], config: Config, console: Console) -> None:
    """Print the report as tables."""
    if not lines:
        console.print("no flag was told in that time")
        return
    titles = _titles(config)
    table = Table(Column(no_wrap=True), *(titles[report.line] for report in lines), "good")
    for title, good, figure in _FIGURES:
        table.add_row(title, *(figure(report) for report in lines), good)
    console.print(table)
    for report in lines:
        top = Table("flag", "told", "share", title=f"{titles[report.line]}: told most often", title_justify="left")
        for flag, count in report.whole.top:
            top.add_row(flag, str(count), f"{count / report.whole.told:.0%}")
        if report.whole.top:
            console.print(top)


def _titles(config: Config) -> dict[str, str]:
    return {"": "of no line", **{name: line.title for name, line in config.lines.items()}}


def _most(report: LineReport) -> str:
    return str(max((hour.told for hour in report.hours), default=report.whole.told))


def _over(report: LineReport) -> str:
    hours = [hour.told > MOST_PER_HOUR for hour in report.hours]
    return f"{sum(hours) / len(hours):.0%}" if hours else "-"


def _shifts(report: LineReport) -> str:
    told = [shift.told for shift in report.shifts]
    return f"{sum(told) / len(told):.1f}" if told else "-"


def _mix(report: LineReport) -> str:
    return " / ".join("-" if share is None else f"{share:.0%}" for share in report.mix.values())


_FIGURES = (
    ("flags told", "", lambda report: str(report.whole.told)),
    ("an hour, mean", f"up to {GOOD_PER_HOUR:g}", lambda report: f"{report.whole.per_hour:.1f}"),
    ("an hour, most", f"up to {MOST_PER_HOUR:g}", _most),
    (f"hours with more than {MOST_PER_HOUR:g}", "under 1%", _over),
    ("a shift, mean", "", _shifts),
    ("most in ten minutes", "under 10", lambda report: str(report.whole.peak)),
    ("time in flood", f"under {GOOD_FLOOD_SHARE:.0%}", lambda report: f"{report.whole.flood_share:.1%}"),
    ("muted in floods", "", lambda report: str(report.whole.muted)),
    ("chattered", "0", lambda report: str(report.whole.chattering)),
    ("standing now", "", lambda report: str(report.whole.standing)),
    ("of these for over 24 h", "under 5", lambda report: str(report.whole.stale)),
    ("info / warning / critical", " / ".join(f"{share:.0%}" for share in MIX.values()), _mix),
)
