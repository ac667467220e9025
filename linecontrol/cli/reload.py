"""``linecontrol reload``: the running gateway takes up the rules of its folder."""

import getpass
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from linecontrol.cli.common import PROBLEMS, state_folder, telling_errors
from linecontrol.cli.operator import operator_token_of, post
from linecontrol.daemon import PORT_FILE
from linecontrol.errors import LinecontrolError, ReloadRefused

PATIENCE_S = 300.0
"""What trying the rules out may take."""


def command(
    state: Annotated[Path | None, typer.Option(help="State folder of the gateway [default: as run has it].")] = None,
    user: Annotated[str | None, typer.Option(help="Who wants it [default: the user of this session].")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
) -> None:
    """Have the running gateway take up the rules of its folder, once they load and their own tests pass.

    Tells what changed. Exit code 1 if they are refused, with every reason: then those that counted go on.
    """
    with telling_errors():
        folder = state_folder(state)
        body = {"user": user or getpass.getuser()}
        try:
            done = post(_port(folder), "/reload", operator_token_of(folder), body, PATIENCE_S)
        except ReloadRefused as refused:
            _refused(refused.problems, as_json=as_json)
            raise typer.Exit(PROBLEMS) from refused
        if as_json:
            print(json.dumps(done))
        else:
            print(_text(done))


def _port(state: Path) -> int:
    try:
        return int((state / PORT_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        msg = (
            f"{state / PORT_FILE}, where a running gateway tells the port of its board, can't be read: {error}; "
            "run this as the gateway's user, and say its state folder with --state"
        )
        raise LinecontrolError(msg) from error


def _refused(problems: list[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"problems": problems}))
        return
    for problem in problems:
        print(problem, file=sys.stderr)
    print("linecontrol: not reloaded; the rules that counted go on", file=sys.stderr)


def _text(done: dict[str, Any]) -> str:
    if done["changed"] is None:
        return "nothing changed: the rules on disk count already"
    kept = done["changed"]["kept"]
    return f"{done['text']}\n{kept} {'flag that stands goes' if kept == 1 else 'flags that stand go'} on"
