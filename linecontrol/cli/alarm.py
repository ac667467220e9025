"""``linecontrol alarm``: what a person wants of a flag of the running gateway."""

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from linecontrol.board.operators import Wish
from linecontrol.cli import alarm_report
from linecontrol.cli.common import board_port, state_folder, telling_errors, wide_console
from linecontrol.cli.operator import operator_token_of, post
from linecontrol.cli.status import fetch
from linecontrol.duration import NS, duration_ns

PATIENCE_S = 10.0
"""What the gateway may take to answer."""

app = typer.Typer(no_args_is_help=True, help="Act on flags of the running gateway, and report on those of its journal.")

app.command("report")(alarm_report.command)

_Dir = Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the plant's config.")]
_Flag = Annotated[str, typer.Argument(metavar="FLAG", help="RULE/SUBJECT, such as down_long/tractor/engine.")]
_Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]
_For = Annotated[str | None, typer.Option("--for", metavar="TIME", help="For how long, such as 2h.")]
_User = Annotated[str | None, typer.Option(help="Who wants it [default: the user of this session].")]
_State = Annotated[Path | None, typer.Option(help="State folder of the gateway [default: as run has it].")]
_Port = Annotated[int | None, typer.Option(help="Port of its board on 127.0.0.1 [default: the config's].")]


@app.command("list")
def list_(
    folder: _Dir,
    port: _Port = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """The flags of the running gateway: those that want somebody, then those that were put aside or are muted.

    The first column is the state's letter in ISA-18.2.
    """
    with telling_errors():
        page = fetch(board_port(folder, port), "page.json", "flags")
    if as_json:
        print(json.dumps({"flags": page["flags"], "aside": page["aside"]}))
        return
    table = Table("", "flag", "", "since", "text", box=box.SIMPLE)
    for row in (*page["flags"], *page["aside"]):
        word = f"{row['word']} ({row['why']})" if row["why"] else row["word"]
        table.add_row(*map(escape, (row["letter"], row["flag"], word, row["since"], row["text"])))
    if table.row_count:
        wide_console().print(table)
    print(page["flag_figures"])


@app.command()
def ack(
    folder: _Dir, flag: _Flag, reason: _Reason = "", user: _User = None, state: _State = None, port: _Port = None
) -> None:
    """Acknowledge a flag: somebody has seen it and takes care."""
    _wish(folder, "ack", flag, reason, None, user, state, port)


@app.command()
def shelve(
    folder: _Dir,
    flag: _Flag,
    reason: _Reason,
    for_: _For = None,
    user: _User = None,
    state: _State = None,
    port: _Port = None,
) -> None:
    """Put a flag aside for a time, or until it clears, but never for longer than its rule's shelve_max."""
    _wish(folder, "shelve", flag, reason, for_, user, state, port)


@app.command()
def unshelve(
    folder: _Dir, flag: _Flag, reason: _Reason = "", user: _User = None, state: _State = None, port: _Port = None
) -> None:
    """Bring a shelved flag back."""
    _wish(folder, "unshelve", flag, reason, None, user, state, port)


@app.command("out-of-service")
def out_of_service(
    folder: _Dir,
    flag: _Flag,
    reason: _Reason,
    for_: _For = None,
    user: _User = None,
    state: _State = None,
    port: _Port = None,
) -> None:
    """Take a flag out of service for maintenance, for a time or until it is put back."""
    _wish(folder, "out_of_service", flag, reason, for_, user, state, port)


@app.command("in-service")
def in_service(
    folder: _Dir, flag: _Flag, reason: _Reason = "", user: _User = None, state: _State = None, port: _Port = None
) -> None:
    """Put a flag back into service."""
    _wish(folder, "in_service", flag, reason, None, user, state, port)


def _wish(
    folder: Path,
    verb: str,
    flag: str,
    reason: str,
    for_: str | None,
    user: str | None,
    state: Path | None,
    port: int | None,
) -> None:
    with telling_errors():
        at = board_port(folder, port)
        wish = Wish(verb, flag, user or getpass.getuser(), reason, _seconds(for_))
        body = {field: getattr(wish, field) for field in wish.__struct_fields__}
        done = post(at, "/flags", operator_token_of(state_folder(state)), body, PATIENCE_S)
        print(f"{done['flag']}: {done['transition'].replace('_', ' ')}; now {done['state'].replace('_', ' ')}")


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else duration_ns(text) / NS
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error
