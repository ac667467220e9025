"""Reading a journal that no gateway is using: for replay and inspection."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from linecontrol.gateway.journal_store import decode, open_read_only
from linecontrol.model.record import Record


def read_journal(path: Path, after_seq: int = 0) -> Iterator[Record]:
    """The records after ``after_seq`` in order.

    The file is not changed; it may have been left behind by a killed process.

    Raises:
        JournalUnusable: it is missing, damaged, no journal, or newer than this version.
        JournalBusy: a gateway is using it.
    """
    with closing(open_read_only(path)) as connection:
        sql = "SELECT seq, now_ns, observations, events FROM record WHERE seq > ? ORDER BY seq"
        for row in connection.execute(sql, (after_seq,)):
            yield decode(*row)


def read_snapshot(path: Path) -> tuple[int, int, bytes] | None:
    """Record number, plant time and memory of the latest snapshot. Raises as ``read_journal``."""
    with closing(open_read_only(path)) as connection:
        sql = "SELECT seq, now_ns, memory FROM snapshot ORDER BY seq DESC LIMIT 1"
        row: tuple[int, int, bytes] | None = connection.execute(sql).fetchone()
        return row


def read_meta(path: Path) -> dict[str, bytes]:
    """The values kept beside the records. Raises as ``read_journal``."""
    with closing(open_read_only(path)) as connection:
        return dict(connection.execute("SELECT key, value FROM meta ORDER BY key").fetchall())
