"""The token with which operators act on a running gateway: whoever can read the state folder may."""

import os
import secrets
from pathlib import Path

from linecontrol.errors import JournalError

TOKEN_FILE = "operator-token"  # noqa: S105 - the name of a file
_BYTES = 32


def operator_token(state: Path) -> str:
    """The token in the state folder, made at the first start; readable by the gateway's user alone.

    Raises:
        JournalError: the state folder can't be used.
    """
    path = state / TOKEN_FILE
    try:
        if path.exists():
            return _strong(path.read_text(encoding="ascii").strip(), path)
        token = secrets.token_urlsafe(_BYTES)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(token + "\n")
    except (OSError, ValueError) as error:
        msg = f"the operator token {path} can't be used: {error}"
        raise JournalError(msg) from error
    return token


def _strong(token: str, path: Path) -> str:
    """One that nobody guesses; a shorter one was not made by us."""
    if len(token) < _BYTES:
        msg = f"the operator token {path} is shorter than {_BYTES} characters; delete the file, a new one is made"
        raise JournalError(msg)
    return token
