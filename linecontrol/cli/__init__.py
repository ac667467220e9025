"""The ``linecontrol`` command: one thin file per sub-command.

Exit codes: 0 ok, 1 problems were found, 2 wrong usage or config, 75 another gateway is running.
"""

from collections.abc import Callable
from importlib import import_module

import typer

from linecontrol import registry
from linecontrol.cli import alarm, rules

_COMMANDS = ("demo", "run", "reload", "status", "check", "probe", "schema", "simulate", "replay", "analyse", "forecast",
             "test", "backtest")  # fmt: skip


def _app() -> typer.Typer:
    app = typer.Typer(
        name="linecontrol",
        help="Watch and steer an assembly line.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name in _COMMANDS:
        command: Callable[..., None] = import_module(f"linecontrol.cli.{name}").command
        app.command(name)(command)
    app.add_typer(alarm.app, name="alarm")
    app.add_typer(rules.app, name="rules")
    for name, point in registry.commands().items():
        if name not in (*_COMMANDS, "alarm", "rules"):
            app.add_typer(point.load(), name=name)
    return app


def main() -> None:
    """Entry point of the ``linecontrol`` script."""
    _app()()
