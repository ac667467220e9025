"""``linecontrol demo``: the simulated plant, the gateway and the board, on a fast clock."""

import asyncio
import signal
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from linecontrol.calendar import line_calendars, to_ns
from linecontrol.cli.common import PROBLEMS, example_plant, log_to_stderr, telling_errors
from linecontrol.cli.plant_process import PlantProcess
from linecontrol.cli.summary import StationSum, Summary, clock_text, show
from linecontrol.clock import ScaledClock
from linecontrol.config import BoardConfig, Config, InfluxConfig
from linecontrol.config.holidays import public_holidays
from linecontrol.config.plan import Plan
from linecontrol.daemon import Gateway, Setup, serve
from linecontrol.duration import NS, duration_ns
from linecontrol.errors import LinecontrolError
from linecontrol.gateway.operators import TOKEN_FILE
from linecontrol.gateway.recall import Pace
from linecontrol.model import Health
from linecontrol.plant.load import load_plant

SETTLED_S = 0.6
"""Real seconds without a new reading after which all that the frozen plant had to say has arrived."""

SAMPLING_S = 0.05
"""Real seconds by which a fast clock may blur a cycle time: two polls and a step of the simulated plant."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asked for; durations in seconds, ``through_ns`` of plant time."""

    folder: Path
    speed: float
    for_s: float | None
    through_ns: int | None
    headless: bool
    influx: str | None
    influx_token_file: str | None
    state: Path
    seed: int | None
    start: str | None


def command(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Folder with a plant's config [default: the example plant].")
    ] = None,
    speed: Annotated[float, typer.Option(min=1, help="Plant seconds per real second.")] = 3600,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="End after so much real time, such as 30s.")
    ] = None,
    through: Annotated[
        str | None, typer.Option(metavar="TIME", help="End after so much plant time, such as 90d.")
    ] = None,
    influx: Annotated[str | None, typer.Option(metavar="URL", help="Also stream to this InfluxDB server.")] = None,
    influx_token_file: Annotated[str | None, typer.Option(metavar="FILE", help="File with InfluxDB's token.")] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the journal here [default: a temporary folder].")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the simulated plant [default: the config's].")] = None,
    start: Annotated[
        str | None, typer.Option(metavar="DATE", help="First plant day [default: start of the first target's year].")
    ] = None,
    *,
    headless: Annotated[bool, typer.Option("--headless", help="No progress display.")] = False,
) -> None:
    """Show everything on a simulated plant: real OPC UA and Modbus on this machine, gateway, board, summary."""
    log_to_stderr()
    with telling_errors(), tempfile.TemporaryDirectory(prefix="linecontrol-demo-") as temporary:
        options = Options(
            folder=folder or example_plant(),
            speed=speed,
            for_s=_nanoseconds(for_, "--for") / NS if for_ else None,
            through_ns=_nanoseconds(through, "--through") if through else None,
            headless=headless,
            influx=influx,
            influx_token_file=influx_token_file,
            state=state or Path(temporary),
            seed=seed,
            start=start,
        )
        agrees = asyncio.run(_demo(options))
    if not agrees:
        raise typer.Exit(PROBLEMS)


def _nanoseconds(text: str, option: str) -> int:
    try:
        return duration_ns(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


async def _demo(options: Options) -> bool:
    console = Console(stderr=False)
    plan = load_plant(options.folder)
    plan = replace(plan, config=quickened(plan.config, options))
    start_ns = first_moment(plan.config, options.start)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    console.print(f"Simulated plant: {options.folder}, {options.speed:g} times as fast as real time")
    async with PlantProcess(options.folder, options.speed, start_ns, options.seed) as plant:
        return await _with_gateway(options, plan, plant, ScaledClock(options.speed, start_ns), stop, console)


async def _with_gateway(
    options: Options, plan: Plan, plant: PlantProcess, clock: ScaledClock, stop: asyncio.Event, console: Console
) -> bool:
    summary = Summary()
    running: asyncio.Future[Gateway] = asyncio.get_running_loop().create_future()
    setup = Setup(
        plan=plan,
        state=options.state,
        clock=clock,
        loopback=plant.ports,
        listeners=(summary.see,),
        started=running.set_result,
    )
    halt = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(setup, halt))
        gateway = await running
        for name, port in plant.ports.items():
            console.print(f"  {name}: 127.0.0.1:{port}")
        console.print(f"  board: http://127.0.0.1:{gateway.board_port}/   journal: {options.state}")
        console.print(
            f"  to act on flags there, sign in with the token in {options.state / TOKEN_FILE}", soft_wrap=True
        )
        await _links_up(gateway)
        await plant.start(clock.start())
        await _show_progress(options, gateway, summary, stop, console)
        frozen = await plant.freeze()
        clock.freeze(frozen["frozen_ns"])
        await _settled(gateway)
        health = gateway.health()
        halt.set()
    show(summary, plan.config, health, console)
    return compare(summary, frozen["truth"], SAMPLING_S * options.speed, console)


async def _links_up(gateway: Gateway) -> None:
    """Wait until every connection has delivered its first values, so that the plant starts before everyone's eyes."""
    async with asyncio.timeout(60):
        while not all(source.up for source in gateway.sources.values()):  # noqa: ASYNC110 - asked seldom
            await asyncio.sleep(0.05)
    await _settled(gateway)


async def _settled(gateway: Gateway) -> None:
    received, since = -1, time.monotonic()
    while (
        time.monotonic() - since < SETTLED_S
        or len(gateway.inbox)
        or gateway.pipeline.waiting
        or not gateway.assessor.idle
    ):
        if gateway.inbox.received != received:
            received, since = gateway.inbox.received, time.monotonic()
        await asyncio.sleep(0.05)


async def _show_progress(
    options: Options, gateway: Gateway, summary: Summary, stop: asyncio.Event, console: Console
) -> None:
    clock = gateway.setup.clock
    began_s, began_ns = time.monotonic(), clock.now_ns()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=console, transient=True, disable=options.headless) as progress:
        task = progress.add_task("Ctrl-C ends", total=1.0, said="")
        while not stop.is_set():
            now_ns = clock.now_ns()
            shares = [(time.monotonic() - began_s) / options.for_s] if options.for_s else []
            if options.through_ns:
                shares.append((now_ns - began_ns) / options.through_ns)
            health = gateway.health()
            progress.update(
                task,
                completed=max(shares) if shares else None,
                total=1.0 if shares else None,
                said=_said(summary, health),
            )
            if shares and max(shares) >= 1:
                return
            try:
                async with asyncio.timeout(0.1):
                    await stop.wait()
            except TimeoutError:
                continue


def _said(summary: Summary, health: Health) -> str:
    moment = datetime.fromtimestamp(health.at_ns // NS, tz=UTC)
    units = ", ".join(f"{line} {count}" for line, count in sorted(summary.units.items())) or "no units yet"
    return f"{moment:%a %Y-%m-%d %H:%M}Z  {units}  {sum(summary.flags.values())} flags  {health.readings_per_s:.0f}/s"


def quickened(config: Config, options: Options) -> Config:
    """The config for a fast clock: what is meant in real time (lateness, heartbeats) is stretched to plant time."""
    second = int(options.speed * NS)
    reorder = {name: round(connection.reorder * options.speed) for name, connection in config.connections.items()}
    engine = {
        "resolution": max(config.engine.resolution, second // 50),
        "lateness": max(config.engine.lateness, second * 3 // 10 + max(reorder.values(), default=0)),
        "progress_every": max(config.engine.progress_every, second // 2),
        "heartbeat_every": max(config.engine.heartbeat_every, second),
    }
    control = {
        "expire_after": max(config.control.expire_after, 2 * second),
        "spacing": max(config.control.spacing, second // 10),
    }
    influx = config.influx
    if options.influx:
        token = options.influx_token_file and str(Path(options.influx_token_file).resolve())
        influx = (influx or InfluxConfig(url=options.influx)).model_copy(
            update={"url": options.influx, "token_file": token}
        )
    else:
        influx = None
    config = Pace(engine, control, reorder).applied(config)
    return config.model_copy(update={"influx": influx, "board": BoardConfig(port=0)})


def first_moment(config: Config, start: str | None) -> int:
    """A quarter of an hour before the first shift of the day from which on the demo runs."""
    calendars = line_calendars(config, public_holidays(config.calendar.holidays))
    calendar = next(iter(calendars.values()))
    year = min((target.year for target in config.targets.values()), default=2026)
    try:
        day = datetime.fromisoformat(start) if start else datetime(year, 1, 1)  # noqa: DTZ001 - zone is set below
    except ValueError as error:
        raise typer.BadParameter(f"{start!r} is not a date; write YYYY-MM-DD", param_hint="--start") from error
    from_ns = to_ns(day.replace(tzinfo=calendar.zone))
    shifts = [
        shift.start_ns for each in calendars.values() for shift in each.shifts(from_ns, from_ns + 60 * 86_400 * NS)
    ]
    if not shifts:
        msg = f"no shift begins within 60 days of {day:%Y-%m-%d}"
        raise LinecontrolError(msg)
    return min(shifts) - 15 * 60 * NS


def compare(summary: Summary, truth: dict[str, Any], sampling_s: float, console: Console) -> bool:
    """Print whether the gateway agrees with what the plant says that it did: exact counts, and mean cycle times.

    The latter to within ``sampling_s`` plant seconds, for stations all of whose cycles were timed.
    """
    wrong, timed, untimed = list[str](), 0, list[str]()
    for line, told in truth["lines"].items():
        built = sum(told["completed"].values())
        if summary.units[line] != built:
            wrong.append(f"{line}: the plant built {built} units, the gateway counted {summary.units[line]}")
        for station, done in told["stations"].items():
            seen = summary.stations.get(f"{line}/{station}", StationSum())
            if seen.cycles != done["cycles"]:
                wrong.append(f"{line}/{station}: {done['cycles']} cycles in the plant, {seen.cycles} counted")
            elif seen.mean_s is None or seen.measured < seen.cycles:
                untimed.append(f"{line}/{station}")
            else:
                timed += 1
                if abs(seen.mean_s - done["cycle_mean_s"]) > sampling_s:
                    text = f"{done['cycle_mean_s']:.0f} s per cycle in the plant, {seen.mean_s:.0f} s measured"
                    wrong.append(f"{line}/{station}: {text}")
    for text in wrong:
        console.print(f"[red]{text}[/red]")
    if not wrong:
        says = f"units and cycles exactly, mean cycle times of {timed} stations within {clock_text(sampling_s)}"
        console.print(f"[green]Agrees with what the simulated plant says that it built:[/green] {says}.")
        if untimed:
            console.print(f"Not every cycle was seen from its start to its end at {', '.join(untimed)}.")
    return not wrong
