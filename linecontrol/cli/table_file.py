"""A table's lines, whatever program saved it; with a bar on long ones."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from linecontrol.errors import LogUnusable

_LONG = 20_000_000
"""Bytes from which on reading is shown."""
_EVERY = 20_000


def lines_of(file: Path, *, quiet: bool) -> Iterator[str]:
    """The lines, one after the other, with their ends.

    Raises:
        LogUnusable: it isn't there, can't be read, or is no text.
    """
    try:
        encoding = _encoding(file)
        size = file.stat().st_size
        with (
            file.open(encoding=encoding, errors="replace", newline="") as stream,
            Progress(console=Console(stderr=True), transient=True, disable=quiet or size < _LONG) as progress,
        ):
            task = progress.add_task("reading", total=size)
            read = 0
            for number, line in enumerate(stream):
                yield line
                read += len(line)
                if number % _EVERY == 0:
                    progress.update(task, completed=read)
    except OSError as error:
        raise LogUnusable(error.strerror or str(error)) from error


def _encoding(file: Path) -> str:
    """UTF-16 with its mark, UTF-8, or else what Windows used to write."""
    with file.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(b"PK"):
        raise LogUnusable("this is a workbook or an archive, not text: save the sheet as CSV")
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for _ in iter(partial(stream.read, 1 << 20), ""):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"
