"""``linecontrol schema``: the config's types, for editors and for people."""

import sys
from typing import Annotated

import typer

from linecontrol.config.schema import json_schema, markdown


def command(
    *, as_markdown: Annotated[bool, typer.Option("--markdown", help="The reference page instead.")] = False
) -> None:
    """Print JSON Schema of the config, for editors."""
    sys.stdout.write(markdown() if as_markdown else json_schema())
