"""``linecontrol simulate``: the PLCs that a config describes, on this machine."""

import asyncio
import json
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from linecontrol.calendar import to_ns
from linecontrol.cli.common import ports, telling_errors
from linecontrol.clock import Clock, ScaledClock, SystemClock
from linecontrol.config.plan import Plan
from linecontrol.duration import NS
from linecontrol.plant.load import load_plant
from linecontrol.simulator import PlantTruth
from linecontrol.simulator.serve import ServedPlant

_REFRESH_S = 0.5


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the config.")],
    seed: Annotated[int | None, typer.Option(help="Seed of the plant [default: the config's].")] = None,
    speed: Annotated[float, typer.Option(min=0.001, help="Plant seconds in a real second.")] = 1.0,
    start: Annotated[str | None, typer.Option(help="Local plant time to begin at, as 2026-03-02T08:00.")] = None,
    port: Annotated[
        list[str] | None,
        typer.Option(metavar="CONNECTION=PORT", help="Serve a connection at this port; 0 takes a free one."),
    ] = None,
    clock: Annotated[str | None, typer.Option(help="SPEED,PLANT_NS[,REAL_NS]: an exact clock.", hidden=True)] = None,
    control: Annotated[bool, typer.Option("--control", help="Be led by lines on stdin.", hidden=True)] = False,
) -> None:
    """Serve the PLCs that a config describes on this machine, with a plant behind them that behaves."""
    with telling_errors():
        plan = load_plant(folder)
        chosen = _clock(clock, speed, start, ZoneInfo(plan.config.plant.timezone))
        free = dict.fromkeys(plan.bound, 0) if control else {}
        served = ServedPlant(plan.config, plan.bound, chosen, seed)
        asyncio.run(_simulate(served, plan, free | ports(port or [], list(plan.bound)), control=control))


async def _simulate(served: ServedPlant, plan: Plan, at: dict[str, int], *, control: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await served.start(at)
        if isinstance(served.clock, ScaledClock) and served.clock.real_ns is None and not control:
            served.clock.start()
        async with asyncio.TaskGroup() as tasks:
            work = [tasks.create_task(served.run())]
            work.append(tasks.create_task(_obey(served, stop) if control else _show(served, plan)))
            await stop.wait()
            for task in work:
                task.cancel()
        if not control:
            Console().print(_table(served.plant.truth()))
    finally:
        await served.close()


async def _obey(served: ServedPlant, stop: asyncio.Event) -> None:
    """Answer each line on stdin with one line of JSON; end with ``quit`` or the end of input."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    _say({"ready": True, "ports": served.ports})
    while line := (await lines.readline()).decode().split():
        match line:
            case ["truth"]:
                _say({"truth": msgspec.to_builtins(served.plant.truth())})
            case ["freeze"]:
                frozen_ns = await served.freeze()
                _say({"frozen_ns": frozen_ns, "truth": msgspec.to_builtins(served.plant.truth())})
            case ["start", real_ns] if isinstance(served.clock, ScaledClock) and real_ns.isdecimal():
                _say({"started_ns": served.clock.start(int(real_ns))})
            case ["quit"]:
                break
            case _:
                _say({"error": "say truth, freeze, start REAL_NS or quit"})
    stop.set()


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


async def _show(served: ServedPlant, plan: Plan) -> None:
    console = Console()
    table = Table("connection", "driver", "address", "note")
    for name, port in served.ports.items():
        wanted = plan.bound[name].settings.endpoint()[1]
        note = "" if port == wanted else f"instead of port {wanted}"
        table.add_row(name, plan.bound[name].driver, f"127.0.0.1:{port}", note)
    console.print(table)
    if not console.is_terminal:
        return
    zone = ZoneInfo(plan.config.plant.timezone)
    with console.status("starting") as status:
        while True:
            status.update(f"{_progress(served.plant.truth(), zone)} · Ctrl-C ends")
            await asyncio.sleep(_REFRESH_S)


def _progress(truth: PlantTruth, zone: ZoneInfo) -> str:
    built = ", ".join(f"{name} {sum(line.completed.values())}" for name, line in truth.lines.items())
    return f"{datetime.fromtimestamp(truth.at_ns // NS, zone):%Y-%m-%d %H:%M} · units built: {built}"


def _table(truth: PlantTruth) -> Table:
    table = Table("line", "station", "cycles", "mean min", "planned min", "rejects", title="What was built")
    for name, line in truth.lines.items():
        for key, station in line.stations.items():
            means = [f"{s / 60:.1f}" if s else "-" for s in (station.cycle_mean_s, station.planned_mean_s)]
            table.add_row(name, key, str(station.cycles), *means, str(station.rejects))
        table.add_row(name, "units completed", str(sum(line.completed.values())), end_section=True)
    return table


def _clock(exact: str | None, speed: float, start: str | None, zone: ZoneInfo) -> Clock:
    try:
        if exact is not None:
            pace, plant_ns, *real_ns = exact.split(",")
            return ScaledClock(float(pace), int(plant_ns), int(real_ns[0]) if real_ns else None)
        if start is not None:
            return ScaledClock(speed, to_ns(datetime.fromisoformat(start).replace(tzinfo=zone)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return SystemClock() if speed == 1 else ScaledClock(speed, SystemClock().now_ns())
