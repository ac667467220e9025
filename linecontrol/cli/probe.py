"""``linecontrol probe URL``: looks around in a device, and prints config to paste."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer
from msgspec import structs
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.tree import Tree
from ruamel.yaml import YAML

from linecontrol import registry
from linecontrol.cli.common import telling_errors
from linecontrol.driver import Finding, Probe


def command(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Such as opc.tcp://10.20.0.11:4840 or modbus://10.20.0.21.")
    ],
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the driver; repeatable.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Look around in a device without changing anything, and print config to paste."""
    with telling_errors():
        probe = _probe(url, _options(options or []))
        found = asyncio.run(_look(probe, quiet=as_json))
    if as_json:
        print(json.dumps({"connection": probe.connection(), "found": [structs.asdict(one) for one in found]}))
    else:
        console = Console()
        console.print(tree_of(url, found))
        print(config_of(probe.connection(), found), end="")


def _options(pairs: Sequence[str]) -> dict[str, str]:
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            msg = f"{pair!r}: expected KEY=VALUE"
            raise typer.BadParameter(msg, param_hint="--set")
        options[key] = value
    return options


def _probe(url: str, options: Mapping[str, str]) -> Probe:
    scheme = urlsplit(url).scheme
    try:
        return registry.probe(scheme)(url, options)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from error


async def _look(probe: Probe, *, quiet: bool) -> list[Finding]:
    found: list[Finding] = []
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f} %  {task.fields[found]} found  {task.description}"))
    with Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=quiet) as progress:
        task = progress.add_task("", total=1.0, found=0)

        def say(share: float, where: str) -> None:
            progress.update(task, completed=share, description=escape(where), found=len(found))

        async for one in probe.look(say):
            found.append(one)  # noqa: PERF401 - the progress display counts them as they come
    return found


def tree_of(title: str, found: Sequence[Finding]) -> Tree:
    """What was found, each thing below what it belongs to."""
    root = Tree(escape(title))
    branches: dict[tuple[str, ...], Tree] = {(): root}
    for one in found:
        for depth in range(1, len(one.path)):
            parent = one.path[:depth]
            if parent not in branches:
                branches[parent] = branches[parent[:-1]].add(escape(parent[-1]))
        parts = [escape(one.path[-1])]
        if one.tag:
            parts.append(f"[dim]{escape(one.kind)}[/dim] [bold]{escape(one.value)}[/bold] {escape(one.unit)}".strip())
        if one.note:
            parts.append(f"[yellow]{escape(one.note)}[/yellow]")
        branches[one.path] = branches[one.path[:-1]].add("  ".join(parts))
    return root


def config_of(connection: Mapping[str, object], found: Sequence[Finding]) -> str:
    """The connection and, as telemetry, all that can be read: YAML to paste and to cut down."""
    telemetry: dict[str, object] = {}
    for one in found:
        if one.tag:
            telemetry[_free(_name(one.path[-1]), telemetry)] = dict(one.tag)
    writer = YAML()
    writer.width = 200
    pasted = {"connections": {"device": dict(connection)}, "telemetry": telemetry}
    out = _Text()
    writer.dump(pasted, out)
    return "".join(out.parts)


class _Text:
    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, data: bytes | str) -> None:
        self.parts.append(data if isinstance(data, str) else data.decode())


def _name(text: str) -> str:
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in text.lower()).strip("_")
    return name if name and name[0].isalpha() else f"tag_{name}"


def _free(name: str, taken: Mapping[str, object]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
