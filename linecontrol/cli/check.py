"""``linecontrol check DIR``: is the config right, and do the devices answer?"""

import asyncio
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from linecontrol.cli.common import OK, PROBLEMS
from linecontrol.cli.devices import Tried, show, try_devices
from linecontrol.config import Config, SetpointAction
from linecontrol.config.gateway import allowed_range
from linecontrol.config.plan import Plan
from linecontrol.errors import ConfigError
from linecontrol.plant.load import load_plant
from linecontrol.rules.budget import Most, budget
from linecontrol.rules.compile import compiled, not_watched
from linecontrol.rules.subjects import subjects


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.", exists=True, file_okay=False)
    ],
    *,
    connect: Annotated[bool, typer.Option("--connect", help="Also try each device, and read each signal.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Check a plant's config: every problem at once, each with its place."""
    plan: Plan | None = None
    problems: list[str] = []
    try:
        plan = load_plant(folder)
    except ConfigError as error:
        problems = error.problems
    tried = asyncio.run(_try(plan, quiet=as_json)) if plan and connect and not problems else []
    summary = summary_of(plan) if plan and not problems else {}
    taken = budget(plan.config, compiled(plan.config)) if plan and not problems and plan.config.rules else []
    if as_json:
        rules = {most.what: [most.is_, most.limit] for most in taken}
        told = {"problems": problems, "plant": summary, "rules": rules, "devices": msgspec.to_builtins(tried)}
        print(json.dumps(told))
    else:
        _print(problems, summary, taken)
        for text in (*refused(plan.config), *unwatched(plan.config)) if plan and not problems else ():
            print(text)
        show(tried, Console())
    bad = any(one.trouble or not all(signal.good for signal in one.signals) for one in tried)
    raise typer.Exit(PROBLEMS if problems or bad else OK)


def summary_of(plan: Plan) -> dict[str, int]:
    """How many there are of what."""
    config = plan.config
    return {
        "lines": len(config.lines),
        "stations": sum(len(line.stations) for line in config.lines.values()),
        "products": len(config.products),
        "connections": len(config.connections),
        "signals": sum(len(bound.tags) for bound in plan.bound.values()),
        "rules": len(config.rules),
    }


async def _try(plan: Plan, *, quiet: bool) -> list[Tried]:
    total = sum(len(bound.tags) for bound in plan.bound.values())
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as progress:
        task = progress.add_task("asking the devices", total=total)
        return await try_devices(plan, lambda signals: progress.advance(task, signals))


def refused(config: Config) -> Iterator[str]:
    """What rules would write and may not: it is refused and recorded, which may be what is wanted."""
    for name, rule in config.rules.items():
        for action in rule.writes:
            own = [about.name for about in subjects(config, rule.each, rule.only)]
            what = action.setpoint if isinstance(action, SetpointAction) else action.command
            targets = [action.station] if action.station else own
            setpoint = isinstance(action, SetpointAction)
            lacking = [each for each in targets if not _is_allowed(config, each, what, setpoint=setpoint)]
            if lacking:
                more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
                yield f"never written, as control: allow: does not list it: {what} of {lacking[0]}{more} (rule {name})"


def unwatched(config: Config) -> Iterator[str]:
    """Subjects that a rule's ``only`` names and that lack what the rule looks at."""
    for name, pairs in compiled(config).pairs.items():
        left_out = not_watched(config, pairs[0][0]) if pairs else {}
        for subject in filter(left_out.__contains__, config.rules[name].only):
            yield f"not watched, although only: names it: {subject}, {left_out[subject]} (rule {name})"


def _is_allowed(config: Config, station: str, what: str, *, setpoint: bool) -> bool:
    allow = config.control.allow
    if setpoint:
        return allowed_range(allow, station, what) is not None
    return any(what in each.commands and any(fnmatchcase(station, it) for it in each.stations) for each in allow)


def _print(problems: list[str], summary: dict[str, int], taken: list[Most]) -> None:
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problem{'s' * (len(problems) > 1)}")
    else:
        print("no problems: " + ", ".join(f"{count} {name}" for name, count in summary.items()))
    for most in taken:
        print(f"  {most.is_:,} of at most {most.limit:,} {most.what}{f' ({most.rule})' if most.rule else ''}")
