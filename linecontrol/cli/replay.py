"""``linecontrol replay DIR JOURNAL``: the same engine over what was recorded."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from linecontrol.cli.common import PROBLEMS, telling_errors
from linecontrol.cli.recorded import journal_path
from linecontrol.gateway.journal_file import read_journal
from linecontrol.gateway.recall import as_recorded, new_engine
from linecontrol.plant.load import load_plant


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.")],
    journal: Annotated[
        Path, typer.Argument(metavar="JOURNAL", help="journal.sqlite, or its folder; no gateway may use it.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run the engine over a recorded journal and compare what it says now with what was recorded, byte for byte.

    The rules are those that counted at the time, all else is the folder's. Exit code 1 if anything differs: then the
    config or the program is another one than at the time.
    """
    console = Console(stderr=True)
    journal = journal_path(journal)
    with telling_errors():
        engine = new_engine(as_recorded(load_plant(folder), journal))
        records = observations = events = 0
        different: list[int] = []
        with Progress(console=console, transient=True, disable=as_json) as progress:
            task = progress.add_task("replaying", total=None)
            for record in read_journal(journal):
                said = engine.step(record.observations, record.now_ns)
                records += 1
                observations += len(record.observations)
                events += len(said)
                if msgspec.msgpack.encode(said) != msgspec.msgpack.encode(record.events):
                    different.append(record.seq)
                progress.update(task, advance=1)
    figures = {"records": records, "observations": observations, "events": events, "different": len(different)}
    if as_json:
        print(json.dumps({**figures, "first_different": different[:1]}))
    else:
        print(f"{records} records, {observations} observations, {events} events")
        print("all events as recorded" if not different else f"{len(different)} records differ, first {different[0]}")
    if different:
        raise typer.Exit(PROBLEMS)
