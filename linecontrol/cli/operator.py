"""How commands ask the running gateway for what only operators may want, over its board's port."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from linecontrol.board.access import TOKEN_HEADER
from linecontrol.errors import LinecontrolError, ReloadRefused
from linecontrol.gateway.operators import TOKEN_FILE


def operator_token_of(state: Path) -> str:
    """The operator token of the gateway with that state folder.

    Raises:
        LinecontrolError: it can't be read.
    """
    try:
        return (state / TOKEN_FILE).read_text(encoding="ascii").strip()
    except OSError as error:
        msg = (
            f"the operator token {state / TOKEN_FILE} can't be read: {error.strerror}; "
            "run this as the gateway's user, and say its state folder with --state"
        )
        raise LinecontrolError(msg) from error


def post(port: int, path: str, token: str, body: dict[str, Any], patience_s: float) -> dict[str, Any]:
    """Send a wish to the gateway whose board listens at a port of this machine; what came of it.

    Raises:
        ReloadRefused: it says that other rules can't count.
        LinecontrolError: it doesn't answer, or refuses.
    """
    headers = {TOKEN_HEADER: token, "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=patience_s) as answer:  # noqa: S310 - http
            done: dict[str, Any] = json.load(answer)
            return done
    except urllib.error.HTTPError as error:
        raise _why(error) from error
    except (OSError, ValueError) as error:
        msg = f"no gateway answers at {url}: {error}; is it running (systemctl status linecontrol)?"
        raise LinecontrolError(msg) from error


def _why(error: urllib.error.HTTPError) -> LinecontrolError:
    try:
        said = json.load(error)
        if "problems" in said:
            return ReloadRefused([str(problem) for problem in said["problems"]])
        return LinecontrolError(said["error"])
    except (ValueError, KeyError, TypeError):
        return LinecontrolError(f"the gateway refused: {error}")
