"""``linecontrol check DIR``: is the config right, and do the devices answer?"""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from linecontrol.cli.common import OK, PROBLEMS, load_plant
from linecontrol.cli.devices import Tried, show, try_devices
from linecontrol.config.plan import Plan
from linecontrol.errors import ConfigError


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
    if as_json:
        print(json.dumps({"problems": problems, "plant": summary, "devices": msgspec.to_builtins(tried)}))
    else:
        _print(problems, summary, tried)
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


def _print(problems: list[str], summary: dict[str, int], tried: list[Tried]) -> None:
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problem{'s' * (len(problems) > 1)}")
    else:
        print("no problems: " + ", ".join(f"{count} {name}" for name, count in summary.items()))
    show(tried, Console())
