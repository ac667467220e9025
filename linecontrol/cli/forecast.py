"""``linecontrol forecast DIR``: the rest of the year, from what a gateway knows or from a recorded table."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from linecontrol.assessment.prospect import Prospects, calendar_ns
from linecontrol.bottleneck.table import Line, Table, read_table
from linecontrol.calendar import WorkCalendar, line_calendars, to_ns
from linecontrol.cli import findings
from linecontrol.cli.common import OK, PROBLEMS, USAGE, state_folder, telling_errors
from linecontrol.cli.forecast_text import sentences
from linecontrol.cli.table_file import lines_of
from linecontrol.config import Config
from linecontrol.config.holidays import public_holidays
from linecontrol.errors import LinecontrolError, LogUnusable
from linecontrol.plant.load import load_plant
from linecontrol.target.outlook import Finish, Outlook, foresee


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.")],
    *,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="LOG.csv",
            help="Table of unit, station, start, complete … of the line [default: ask the gateway, or its journal].",
        ),
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="State folder of the gateway [default: as for run].")
    ] = None,
    line: Annotated[str | None, typer.Option(metavar="NAME", help="Line of the table [default: the only one].")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Foresee from then [default: the table's last moment].")
    ] = None,
    replications: Annotated[int, typer.Option(min=10, max=100_000, help="Futures to simulate.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the random draws.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Also draw it, as .svg or .png.")] = None,
) -> None:
    """Say how the year's targets and commitments may end, and how sure that is.

    The running gateway is asked, or the journal that it left. With --log, a table tells what the line did until then;
    targets, commitments, kits, buffers, planned times and working time are those of the config, units built before
    the table began the target's opening. Exit code 1 if rows of the table were left out.
    """
    if picture is not None and picture.suffix.lower() not in (".svg", ".png"):
        raise typer.BadParameter(f"--picture {picture}: the name must end in .svg or .png")
    if log is None:
        _ask_gateway(folder, state_folder(state), as_json=as_json)
        return
    with telling_errors():
        config = load_plant(folder).config
        name = _line(line, config)
        calendar = line_calendars(config, public_holidays(config.calendar.holidays))
        zone = ZoneInfo(str(config.plant.timezone))
        known = Line(stations=list(config.lines[name].stations), zone=zone, calendar=calendar[name])
        try:
            table = read_table(lines_of(log, quiet=as_json), known)
            if not table.clock.dates:
                raise LogUnusable("times are numbers; a year's calendar needs dates such as 2026-03-02 08:15:00")
            end_ns = calendar_ns(
                calendar[name], table.clock.first, table.log.end - table.clock.working(table.clock.first)
            )
            now_ns = end_ns if at is None else _moment(at, zone)
            prospects = Prospects(config, calendar)
            record = prospects.recorded(name, table.log, end_ns, now_ns)
            if not any(record.passages):
                raise LogUnusable("nothing in the table began before that moment")
        except LogUnusable as error:
            print(f"linecontrol: {log}: {error}", file=sys.stderr)
            raise typer.Exit(USAGE) from error
        prospect = prospects.of(name, record, now_ns, prospects.counted(name, record, now_ns))
        try:
            outlook = foresee(prospect, replications=replications, seed=seed)
        except ValueError as error:
            raise LinecontrolError(f"{log}: no forecast can be made: {error}") from error
    moments = Moments(calendar[name], now_ns, record.end, zone)
    if picture is not None:
        from linecontrol.pictures.forecast import draw  # matplotlib takes a second to import

        draw(outlook, moments.when, picture)
    left_out = _left_out(table)
    if as_json:
        print(json.dumps(_as_json(name, outlook, moments, left_out)))
    else:
        titles = {key: station.title for key, station in config.lines[name].stations.items()}
        for sentence in sentences(outlook, moments.day, [titles[key] for key in record.stations]):
            print(sentence)
        for text in left_out:
            print(f"{log}:{text}", file=sys.stderr)
    raise typer.Exit(PROBLEMS if left_out else OK)


def _ask_gateway(folder: Path, state: Path, *, as_json: bool) -> None:
    with telling_errors():
        config, found = findings.findings(folder, state)
        if as_json:
            print(findings.as_json(found))
        else:
            print(*findings.sentences(found, config), sep="\n")


class Moments:
    """Working seconds of a record as moments on the wall."""

    def __init__(self, calendar: WorkCalendar, now_ns: int, now: float, zone: ZoneInfo) -> None:
        self._calendar, self._now_ns, self._now, self._zone = calendar, now_ns, now, zone

    def when(self, working: float) -> datetime:
        """In the plant's time zone."""
        ns = calendar_ns(self._calendar, self._now_ns, working - self._now)
        return datetime.fromtimestamp(ns // 10**9, tz=self._zone)

    def day(self, working: float) -> str:
        """The day, as people write it."""
        moment = self.when(working)
        return f"{moment.day} {moment:%b %Y}"


def _line(given: str | None, config: Config) -> str:
    if given is None and len(config.lines) == 1:
        return next(iter(config.lines))
    if given not in config.lines:
        raise typer.BadParameter(f"--line: expected one of {', '.join(config.lines)}, found {given}")
    return given


def _moment(text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--at {text!r}: expected a date and time such as 2026-03-02T17:00") from error
    return to_ns(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _left_out(table: Table) -> list[str]:
    return [f"{each.line}: {each.text}" for each in table.complaints if each.level == "error"]


def _as_json(line: str, outlook: Outlook, moments: Moments, left_out: list[str]) -> dict[str, Any]:
    def finish(its: Finish) -> dict[str, str | None]:
        named = {"low": its.low, "likely": its.likely, "high": its.high}
        return {key: None if time is None else moments.when(time).isoformat() for key, time in named.items()}

    return {
        "line": line,
        "replications": outlook.replications,
        "seed": outlook.seed,
        "days_seen": outlook.days,
        "units_seen": outlook.evidence,
        "targets": {
            goal.name: {
                "units": goal.units,
                "done": goal.done,
                "probability": goal.probability,
                "low": goal.low,
                "likely": goal.likely,
                "high": goal.high,
                "finish": finish(goal.finish),
                "prior_share": goal.prior_share,
                "takt_achieved_s": goal.takt_achieved,
                "takt_required_s": goal.takt_required,
                "hours_needed": goal.hours_needed / 3600,
                "hours_left": goal.hours_left / 3600,
                "overload": goal.overload,
                "kits_limit": goal.kits_limit,
                "fan": [[moments.when(m.at).isoformat(), m.low, m.likely, m.high] for m in goal.fan],
                "totals": goal.totals.tolist(),
            }
            for goal in outlook.goals.values()
        },
        "commitments": {
            pledge.name: {"probability": pledge.probability, "finish": finish(pledge.finish)}
            for pledge in outlook.pledges.values()
        },
        "kits": {
            supply.name: {
                "runs_out": None if supply.runs_out is None else moments.when(supply.runs_out).isoformat(),
                "short": supply.short,
            }
            for supply in outlook.supplies.values()
        },
        "left_out": left_out,
    }
