"""``linecontrol check DIR``: is the config right, and do the devices answer?"""

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct, structs

from linecontrol.cli.common import OK, PROBLEMS, load_plant
from linecontrol.clock import SystemClock
from linecontrol.config.binding import Bound
from linecontrol.config.plan import Plan
from linecontrol.errors import ConfigError, DriverError

_CONNECT_TIMEOUT_S = 10.0


class Tried(Struct, frozen=True):
    """How a device answered: after ``seconds``, with ``trouble`` or without."""

    connection: str
    seconds: float
    trouble: str = ""


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.", exists=True, file_okay=False)
    ],
    *,
    connect: Annotated[bool, typer.Option("--connect", help="Also try each device.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Check a plant's config: every problem at once, each with its place."""
    plan: Plan | None = None
    problems: list[str] = []
    try:
        plan = load_plant(folder)
    except ConfigError as error:
        problems = error.problems
    tried = asyncio.run(try_devices(plan)) if plan and connect and not problems else []
    summary = summary_of(plan) if plan and not problems else {}
    if as_json:
        print(json.dumps({"problems": problems, "plant": summary, "devices": [structs.asdict(one) for one in tried]}))
    else:
        _print(problems, summary, tried)
    raise typer.Exit(PROBLEMS if problems or any(one.trouble for one in tried) else OK)


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


async def try_devices(plan: Plan) -> list[Tried]:
    """Connect to each device once, all at the same time."""
    return list(await asyncio.gather(*(_try(name, bound) for name, bound in plan.bound.items())))


async def _try(name: str, bound: Bound) -> Tried:
    driver = bound.driver_class(name, bound.settings, bound.tags, SystemClock())
    start = time.perf_counter()
    trouble = ""
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await driver.connect()
    except TimeoutError:
        trouble = f"no answer within {_CONNECT_TIMEOUT_S:g} s"
    except DriverError as error:
        trouble = str(error)
    seconds = time.perf_counter() - start
    await driver.close()
    return Tried(name, round(seconds, 3), trouble)


def _print(problems: list[str], summary: dict[str, int], tried: list[Tried]) -> None:
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problem{'s' * (len(problems) > 1)}")
    else:
        print("no problems: " + ", ".join(f"{count} {name}" for name, count in summary.items()))
    for one in tried:
        print(f"{one.connection}: {one.trouble or f'answers, {one.seconds * 1000:.0f} ms'}")
