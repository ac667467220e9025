"""``linecontrol alarm``: what a person wants of a flag of the running gateway."""

import getpass
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer

from linecontrol.board.access import TOKEN_HEADER
from linecontrol.board.operators import Wish
from linecontrol.cli import alarm_report
from linecontrol.cli.common import board_port, state_folder, telling_errors
from linecontrol.duration import NS, duration_ns
from linecontrol.errors import LinecontrolError
from linecontrol.gateway.operators import TOKEN_FILE

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
        done = ask(at, _token(state_folder(state)), wish)
        print(f"{done['flag']}: {done['transition'].replace('_', ' ')}; now {done['state'].replace('_', ' ')}")


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else duration_ns(text) / NS
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error


def _token(state: Path) -> str:
    try:
        return (state / TOKEN_FILE).read_text(encoding="ascii").strip()
    except OSError as error:
        msg = (
            f"the operator token {state / TOKEN_FILE} can't be read: {error.strerror}; "
            "run this as the gateway's user, and say its state folder with --state"
        )
        raise LinecontrolError(msg) from error


def ask(port: int, token: str, wish: Wish) -> dict[str, Any]:
    """Send a wish to the gateway whose board listens at a port of this machine; what came of it.

    Raises:
        LinecontrolError: it doesn't answer, or refuses.
    """
    body = {field: getattr(wish, field) for field in wish.__struct_fields__}
    headers = {TOKEN_HEADER: token, "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/flags"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - http
            done: dict[str, Any] = json.load(answer)
            return done
    except urllib.error.HTTPError as error:
        raise LinecontrolError(_why(error)) from error
    except (OSError, ValueError) as error:
        msg = f"no gateway answers at {url}: {error}; is it running (systemctl status linecontrol)?"
        raise LinecontrolError(msg) from error


def _why(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the gateway refused: {error}"
