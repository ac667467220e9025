"""What several commands share: loading a plant, where state lives, how errors end the program."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console

from linecontrol.errors import ConfigError, JournalBusy, LinecontrolError
from linecontrol.plant.load import load_plant

OK, PROBLEMS, USAGE, BUSY = 0, 1, 2, 75
"""Exit codes; BUSY is EX_TEMPFAIL of sysexits.h."""


_WIDE = 120
"""Characters in a line where the output is no terminal."""


def wide_console() -> Console:
    """Where tables are printed: as wide as the terminal, or 120 columns where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


@contextmanager
def telling_errors() -> Iterator[None]:
    """Errors that people can do something about end the program with their text and an exit code, not a trace."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        raise typer.Exit(USAGE) from error
    except JournalBusy as error:
        print(f"linecontrol: {error}", file=sys.stderr)
        raise typer.Exit(BUSY) from error
    except BaseExceptionGroup as group:
        expected, _ = group.split(LinecontrolError)
        if expected is None:
            raise
        for leaf in _leaves(expected):
            print(f"linecontrol: {leaf}", file=sys.stderr)
        raise typer.Exit(PROBLEMS) from group
    except LinecontrolError as error:
        print(f"linecontrol: {error}", file=sys.stderr)
        raise typer.Exit(PROBLEMS) from error


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def ports(pairs: list[str], connections: list[str]) -> dict[str, int]:
    """``CONNECTION=PORT`` pairs as a table.

    Raises:
        typer.BadParameter: a pair isn't one, or names a connection that there isn't.
    """
    table = {}
    for pair in pairs:
        name, _, port = pair.partition("=")
        if name in connections and port.isdecimal() and int(port) > 65_535:
            msg = f"{pair!r}: {port} is no port; there are 1 to 65535, and 0 for any free one"
            raise typer.BadParameter(msg)
        if name not in connections or not port.isdecimal():
            msg = f"{pair!r}: expected CONNECTION=PORT, with one of the connections {', '.join(connections)}"
            raise typer.BadParameter(msg)
        table[name] = int(port)
    return table


def board_port(folder: Path, given: int | None) -> int:
    """The port of the running gateway's board: as given, or as the config in ``folder`` has it.

    Raises:
        ConfigError: none is given and the config can't be used.
        LinecontrolError: none is given and the config lets it take any.
    """
    port = given or load_plant(folder).config.board.port
    if not port:
        msg = "the config lets the board take any port; say which with --port (the gateway logs it at its start)"
        raise LinecontrolError(msg)
    return port


def example_plant() -> Path:
    """The folder of the example plant: beside the sources, or inside the installed package."""
    package = Path(__file__).parents[1]
    for folder in (package / "example", package.parent / "config" / "ganja"):
        if folder.is_dir():
            return folder
    msg = f"the example plant is missing from this installation (looked in {package / 'example'})"
    raise LinecontrolError(msg)


def state_folder(given: Path | None) -> Path:
    """Where the journal lives: as given, as systemd says, or in the user's own state folder."""
    if given is not None:
        return given
    if directory := os.environ.get("STATE_DIRECTORY"):
        return Path(directory.split(":")[0])
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "linecontrol"


def log_to_stderr(*, verbose: bool = False) -> None:
    """Log to stderr, where systemd picks it up; protocol libraries only from warnings up."""
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("linecontrol").setLevel(level)
