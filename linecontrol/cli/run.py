"""``linecontrol run DIR``: the gateway."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from linecontrol.cli.common import log_to_stderr, ports, state_folder, telling_errors
from linecontrol.clock import SystemClock
from linecontrol.daemon import Gateway, Setup, serve
from linecontrol.plant.load import load_plant


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.")],
    state: Annotated[
        Path | None, typer.Option(help="Folder of the journal [default: $STATE_DIRECTORY, or the user's state folder].")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONNECTION=PORT",
            help="Send a connection to a simulated device at this port on 127.0.0.1 (see simulate); repeatable.",
        ),
    ] = None,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the gateway until it is told to stop (SIGTERM or Ctrl-C). On SIGHUP the folder's rules are taken up."""
    log_to_stderr(verbose=verbose)
    with telling_errors():
        plan = load_plant(folder)
        loopback = ports(at or [], list(plan.bound))
        reload = asyncio.Event()
        setup = Setup(
            plan=plan,
            state=state_folder(state),
            clock=SystemClock(),
            loopback=loopback,
            started=_say_where,
            folder=folder,
            reload=reload,
        )
        asyncio.run(_run(setup, reload))


async def _run(setup: Setup, reload: asyncio.Event) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    await serve(setup, stop)


def _say_where(gateway: Gateway) -> None:
    print(f"board: http://127.0.0.1:{gateway.board_port}/", file=sys.stderr)
    print(f"journal: {gateway.setup.state}", file=sys.stderr, flush=True)
