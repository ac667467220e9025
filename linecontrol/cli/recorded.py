"""What commands take out of a journal that no gateway is using."""

from collections.abc import Iterator
from pathlib import Path

from linecontrol.gateway.journal_file import read_journal
from linecontrol.gateway.recall import JOURNAL
from linecontrol.model.record import Record

Span = tuple[int | None, int | None]
"""First moment, and the one before which it ends, in UTC nanoseconds; ``None``: all there is."""


def journal_path(given: Path) -> Path:
    """The journal's file: as given, or the one in a given folder."""
    return given / JOURNAL if given.is_dir() else given


def records(path: Path, span: Span) -> Iterator[Record]:
    """The records of that time, in order. Raises as ``read_journal``."""
    start_ns, end_ns = span
    for record in read_journal(path):
        if (start_ns is None or record.now_ns >= start_ns) and (end_ns is None or record.now_ns < end_ns):
            yield record
