"""``linecontrol analyse LOG.csv``: the verdict on a line's own history, before anything is installed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from linecontrol.bottleneck.analysis import Asked, analyse, as_json
from linecontrol.bottleneck.asking import read_changes
from linecontrol.bottleneck.table import Table, read_table
from linecontrol.bottleneck.whatif import Change
from linecontrol.bottleneck.window import cut, last_units
from linecontrol.cli.analyse_options import give_places, read_scale, the_calendar, the_line
from linecontrol.cli.analyse_text import show
from linecontrol.cli.common import OK, PROBLEMS, USAGE, telling_errors, wide_console
from linecontrol.cli.table_file import lines_of
from linecontrol.errors import LogUnusable
from linecontrol.flowline import LineLog


def command(
    file: Annotated[Path, typer.Argument(metavar="LOG.csv", help="Table of unit, station, start, complete …")],
    *,
    stations: Annotated[str | None, typer.Option(metavar="A,B,C", help="Order of the flow [default: found].")] = None,
    buffers: Annotated[
        str | None,
        typer.Option(metavar="N", help="Places between stations: 1, or 1,0,2, or paint=2 (after it) [default: found]."),
    ] = None,
    servers: Annotated[
        list[str] | None, typer.Option(metavar="STATION=N", help="Equal workplaces (twins) of a station.")
    ] = None,
    feeder: Annotated[
        list[str] | None, typer.Option(metavar="A>B>C", help="Feeder line A, B that joins the line at C.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Most units in the line at once.")] = None,
    paced: Annotated[bool, typer.Option("--paced", help="All units move on together.")] = False,
    calendar: Annotated[
        Path | None,
        typer.Option(metavar="DIR", exists=True, file_okay=False, help="Working time from a plant's config folder."),
    ] = None,
    line: Annotated[str | None, typer.Option(metavar="NAME", help="Line of --calendar.")] = None,
    shift: Annotated[
        list[str] | None, typer.Option(metavar="SHIFT", help='Working time, such as "mon-fri 08:00-17:00".')
    ] = None,
    breaks: Annotated[
        list[str] | None, typer.Option("--break", metavar="SPAN", help="Pause in it, such as 12:00-13:00.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Of shifts and of dates without a zone, such as Asia/Baku.")
    ] = None,
    resolution: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="T", help="Differences up to it are none (seconds) [default: found]."),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Judge from then on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Judge up to then.")] = None,
    window: Annotated[int | None, typer.Option(min=1, metavar="N", help="Judge the last N units only.")] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(metavar="CHANGE", help='"paint -10%", "paint +1 operator", "buffer paint +2", "mix A=2,B=1".'),
    ] = None,
    per_year: Annotated[
        str | None, typer.Option(metavar="HOURS", help='Scale of gains: working hours a year, or "750 units".')
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random draws.")] = 1,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Also draw it, as .svg or .png.")] = None,
) -> None:
    """Say which station holds a line back, how sure that is and what would help, from a table of what units did.

    One row is one unit's stay at one station. Exit code 1 if rows were left out or not believed; they are listed by
    line.
    """
    if picture is not None and picture.suffix.lower() not in (".svg", ".png"):
        raise typer.BadParameter(f"--picture {picture}: the name must end in .svg or .png")
    if window is not None and (since is not None or until is not None):
        raise typer.BadParameter("--window and --since or --until each say what to judge: use one of them")
    with telling_errors():
        hours = the_calendar(calendar, line, shift or [], breaks or [], timezone)
        known = the_line(
            stations=stations,
            servers=servers or [],
            feeders=feeder or [],
            limit=limit,
            paced=paced,
            resolution=resolution,
            timezone=str(hours.zone) if calendar is not None and hours is not None else timezone,
            calendar=hours,
        )
        try:
            table = read_table(lines_of(file, quiet=as_json_), known)
            log, unknown = give_places(_judged(table, since, until, window), buffers)
            asked = Asked(
                file=str(file),
                seed=seed,
                questions=_questions(what_if or [], log),
                scale=read_scale(per_year, dates=table.clock.dates, calendar=hours),
                unknown_places=unknown,
            )
            analysis, log = analyse(table, log, asked)
        except LogUnusable as error:
            print(f"linecontrol: {file}: {error}", file=sys.stderr)
            raise typer.Exit(USAGE) from error
    if picture is not None:
        from linecontrol.pictures.analysis import draw  # matplotlib takes a second to import

        draw(analysis, log, picture)
    if as_json_:
        print(as_json(analysis))
    else:
        show(analysis, wide_console())
    raise typer.Exit(PROBLEMS if analysis.doubtful else OK)


def _judged(table: Table, since: str | None, until: str | None, window: int | None) -> LineLog:
    """The part of the log that is to be judged."""
    log = table.log
    if window is not None:
        return last_units(log, window)
    if since is None and until is None:
        return log
    begin = log.begin if since is None else _moment(since, "--since", table)
    end = log.end if until is None else _moment(until, "--until", table)
    if begin >= end or begin >= log.end or end <= log.begin:
        raise typer.BadParameter("--since and --until leave nothing of the table")
    return cut(log, begin, end)


def _moment(text: str, option: str, table: Table) -> float:
    try:
        return table.clock.working(table.clock.read(text))
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from error


def _questions(texts: list[str], log: LineLog) -> dict[str, list[Change]]:
    questions = {}
    for text in texts:
        try:
            questions[text] = read_changes(text, log)
        except ValueError as error:
            raise typer.BadParameter(f"--what-if: {error}") from error
    return questions
