"""``linecontrol status DIR``: what a running gateway says of itself."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from linecontrol.cli.common import OK, PROBLEMS, board_port, telling_errors
from linecontrol.errors import LinecontrolError

PATIENCE_S = 5.0
"""What the gateway may take to answer."""


def _age(link: dict[str, Any], now_ns: int) -> str:
    last_ns = link["last_good_ns"]
    return "never" if last_ns is None else f"{(now_ns - last_ns) / 1e9:,.0f} s ago"


FIGURES: dict[str, Callable[[dict[str, Any], int], str]] = {
    "state": lambda link, _: "up" if link["up"] else "[bold red]down[/bold red]",
    "last good value": _age,
    "readings": lambda link, _: f"{link['readings']:,} in {link['batches']:,}",
    "lives": lambda link, _: f"{link['lives']:,}",
    "values lost": lambda link, _: f"{link['gaps']:,} times",
    "refused signals": lambda link, _: f"{link['refused']:,}",
    "late readings": lambda link, _: f"{link['late']:,}",
    "late answers": lambda link, _: f"{link['late_answers']:,}",
    "not believed": lambda link, _: f"{link['disbelieved'] + link['misfits']:,}",
    "received": lambda link, _: f"{link['bytes_received'] / 1000:,.0f} kB",
    "sent": lambda link, _: f"{link['bytes_sent'] / 1000:,.0f} kB",
    "device's clock": lambda link, _: "-" if link["skew_s"] is None else f"{link['skew_s']:+.1f} s",
}
"""What is shown of a connection; the plant time of the health comes second."""


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.")],
    port: Annotated[int | None, typer.Option(help="Port of its board on 127.0.0.1 [default: the config's].")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Show how a running gateway is: its connections, its sinks, and how far it is behind.

    Exit code 1 if it doesn't run, or if a connection or a sink is in trouble.
    """
    with telling_errors():
        health = ask(board_port(folder, port))
        if as_json:
            print(json.dumps(health))
        else:
            show(health, Console())
    raise typer.Exit(PROBLEMS if in_trouble(health) else OK)


def ask(port: int) -> dict[str, Any]:
    """The health of the gateway whose board listens at a port of this machine.

    Raises:
        LinecontrolError: it doesn't answer, or is no gateway.
    """
    return fetch(port, "healthz", "connections")


def fetch(port: int, page: str, holds: str) -> dict[str, Any]:
    """A page of the board that listens at a port of this machine; ``holds`` is a key that it has.

    Raises:
        LinecontrolError: it doesn't answer, or is no gateway.
    """
    url = f"http://127.0.0.1:{port}/{page}"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            told = json.load(answer)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        msg = f"no gateway answers at {url}: {reason}; is it running (systemctl status linecontrol)?"
        raise LinecontrolError(msg) from error
    if not isinstance(told, dict) or holds not in told:
        msg = f"what answers at {url} is no gateway"
        raise LinecontrolError(msg)
    return told


def in_trouble(health: dict[str, Any]) -> bool:
    """Whether somebody should look: a connection is down, or the gateway or a sink says so."""
    down = any(not link["up"] for link in health["connections"].values())
    return down or bool(health["trouble"]) or any(sink["trouble"] for sink in health["sinks"].values())


def show(health: dict[str, Any], console: Console) -> None:
    """Print it as tables."""
    console.print(
        f"up {health['uptime_s'] / 3600:.1f} h, {health['readings_per_s']:.1f} readings/s, "
        f"{health['events']:,} events, {health['journal_records']:,} journal records, "
        f"from reading to durable {health['lag_s'] * 1000:.0f} ms"
    )
    table = Table("")
    for name in health["connections"]:
        table.add_column(name, justify="right", no_wrap=True)
    for title, figure in FIGURES.items():
        table.add_row(title, *(figure(link, health["at_ns"]) for link in health["connections"].values()))
    console.print(table)
    for trouble in health["trouble"]:
        console.print(f"[bold red]{escape(trouble)}[/bold red]", highlight=False)
    for name, link in health["connections"].items():
        for warning in link["warnings"]:
            console.print(f"[yellow]{name}: {warning}[/yellow]")
    for name, sink in health["sinks"].items():
        lost = f"; [bold red]{sink['trouble']}[/bold red]" if sink["trouble"] else ""
        console.print(f"{name}: {sink['backlog']:,} records wait, {sink['delivered']:,} points delivered{lost}")
