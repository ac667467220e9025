"""The journal's file: an SQLite database, seen by one thread through one connection. All SQL is here."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path

import msgspec
from msgspec import Struct

from linecontrol.errors import JournalBusy, JournalUnusable
from linecontrol.model.event import AnyEvent
from linecontrol.model.observation import Observation
from linecontrol.model.record import Record

APPLICATION = 0x6C636A6C
"""SQLite ``application_id`` of a journal."""
VERSION = 1
"""SQLite ``user_version`` of a journal that this code reads and writes."""
LARGEST_READ = 4 << 20
"""Bytes after which a read of records ends early."""

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE record (seq INTEGER PRIMARY KEY, now_ns INTEGER NOT NULL, observations BLOB NOT NULL,
                     events BLOB NOT NULL);
CREATE TABLE snapshot (seq INTEGER PRIMARY KEY, now_ns INTEGER NOT NULL, memory BLOB NOT NULL);
CREATE TABLE cursor (sink TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""

_encoder = msgspec.msgpack.Encoder()
_observations = msgspec.msgpack.Decoder(list[Observation])
_events = msgspec.msgpack.Decoder(list[AnyEvent])


class Row(Struct, frozen=True):
    """A record on its way into the file, encoded."""

    now_ns: int
    observations: bytes
    events: bytes


class Statistics(Struct, frozen=True, kw_only=True):
    """Size of a journal: records and bytes in the file, and records that wait to be made durable."""

    records: int
    bytes: int
    queue: int


def encode(now_ns: int, observations: Sequence[Observation], events: Sequence[AnyEvent]) -> Row:
    """Encode a record.

    Raises:
        OverflowError: an integer doesn't fit into 64 bits.
        UnicodeEncodeError: a string is not valid Unicode.
    """
    return Row(now_ns, _encoder.encode(observations), _encoder.encode(events))


def decode(seq: int, now_ns: int, observations: bytes | None, events: bytes) -> Record:
    """Decode a record; without observations if they are None.

    Raises:
        JournalUnusable: it was not written by ``encode``.
    """
    try:
        return Record(
            seq=seq,
            now_ns=now_ns,
            observations=[] if observations is None else _observations.decode(observations),
            events=_events.decode(events),
        )
    except msgspec.MsgspecError as error:
        msg = f"record {seq} can't be read: {error}"
        raise JournalUnusable(msg) from error


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            msg = f"{path} is in use by another process"
            raise JournalBusy(msg) from error
        msg = f"{path}: {error}"
        raise JournalUnusable(msg) from error


def open_read_only(path: Path) -> sqlite3.Connection:
    """Connect to a journal without ever changing it.

    Raises:
        JournalUnusable: it is missing, damaged, no journal, or newer than this version.
        JournalBusy: a gateway is using it.
    """
    if not path.exists():
        msg = f"there is no journal {path}"
        raise JournalUnusable(msg)
    with _explained(path):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=0)
        try:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION:
                msg = f"{path} is not a journal"
                raise JournalUnusable(msg)
            if version != VERSION:
                msg = f"{path} has version {version}; this program reads version {VERSION}"
                raise JournalUnusable(msg)
        except BaseException:
            connection.close()
            raise
        return connection


class Store:
    """An open journal file. Every change is durable when its method returns.

    All methods raise ``sqlite3.Error`` if the file can't be read or written.
    """

    def __init__(self, path: Path) -> None:
        """Open or create.

        Raises:
            JournalUnusable: the file is damaged, no journal, or newer than this version; it is left untouched.
            JournalBusy: another process has it open.
        """
        if path.exists() and path.stat().st_size > 0:
            open_read_only(path).close()
        with _explained(path):
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        for pragma in (
            "auto_vacuum = INCREMENTAL",  # has an effect only before the first table
            "locking_mode = EXCLUSIVE",  # with two connections, SQLite before 3.51.3 could corrupt the log
            "journal_mode = WAL",
            "synchronous = FULL",
            "wal_autocheckpoint = 1000",
            "journal_size_limit = 16777216",
        ):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        if not self._one("PRAGMA user_version"):
            self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _one(self, sql: str, *values: object) -> int:
        row = self._db.execute(sql, values).fetchone()
        return int(row[0] or 0) if row else 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def last_seq(self) -> int:
        """Highest sequence number ever given out; 0 in a new file."""
        return self._one(
            "SELECT max(seq) FROM (SELECT max(seq) AS seq FROM record UNION ALL SELECT max(seq) FROM snapshot"
            " UNION ALL SELECT max(seq) FROM cursor)"
        )

    def write(self, first_seq: int, rows: Sequence[Row]) -> None:
        """Store records under consecutive numbers, all or none. Writing the same again changes nothing."""
        with self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)",
                [(seq, row.now_ns, row.observations, row.events) for seq, row in enumerate(rows, first_seq)],
            )

    def records(self, after_seq: int, limit: int, *, observations: bool = True) -> list[Record]:
        """Up to ``limit`` records after ``after_seq`` in order; fewer if they are large, none only at the end."""
        columns = "seq, now_ns, observations, events" if observations else "seq, now_ns, NULL, events"
        found: list[Record] = []
        size = 0
        sql = f"SELECT {columns} FROM record WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        with closing(self._db.execute(sql, (after_seq, limit))) as rows:
            for row in rows:
                found.append(decode(*row))
                size += len(row[2] or b"") + len(row[3])
                if size >= LARGEST_READ:
                    break
        return found

    def save_snapshot(self, seq: int, now_ns: int, memory: bytes) -> None:
        """Keep what the engine remembered right after record ``seq``; the last two are kept.

        Raises:
            ValueError: there is no such record yet.
        """
        if seq > self.last_seq():
            msg = f"snapshot of record {seq}, but the last durable one is {self.last_seq()}"
            raise ValueError(msg)
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?)", (seq, now_ns, memory))
            self._db.execute(
                "DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT 2)"
            )

    def load_snapshot(self, before_seq: int | None = None) -> tuple[int, int, bytes] | None:
        """Record number, plant time and memory of the latest snapshot (before a record, if given)."""
        sql = "SELECT seq, now_ns, memory FROM snapshot WHERE ?1 IS NULL OR seq < ?1 ORDER BY seq DESC LIMIT 1"
        row: tuple[int, int, bytes] | None = self._db.execute(sql, (before_seq,)).fetchone()
        return row

    def cursor(self, sink: str) -> int:
        """Last record that the sink has; 0, and from now on nothing is pruned before it, if the sink is new."""
        self._db.execute("INSERT OR IGNORE INTO cursor VALUES (?, 0)", (sink,))
        return self._one("SELECT seq FROM cursor WHERE sink = ?", sink)

    def advance(self, sink: str, seq: int) -> None:
        """The sink has all records up to ``seq``."""
        self._db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (sink, seq))

    def forget(self, sink: str) -> None:
        """The sink is gone: its cursor no longer keeps records."""
        self._db.execute("DELETE FROM cursor WHERE sink = ?", (sink,))

    def get_meta(self, key: str) -> bytes | None:
        """A value kept beside the records."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return bytes(row[0]) if row else None

    def put_meta(self, key: str, value: bytes) -> None:
        """Keep a value beside the records."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def prune(self, before_ns: int, limit: int) -> int:
        """Drop up to ``limit`` of the oldest records older than ``before_ns``; return how many.

        None that a sink still lacks, none after the older snapshot, none at all before the first snapshot.
        """
        sinks_have = "SELECT coalesce(min(seq), 9223372036854775807) FROM cursor"
        snapshots_cover = "SELECT coalesce(min(seq), 0) FROM snapshot"
        floor = min(self._one(sinks_have), self._one(snapshots_cover))
        sql = "SELECT seq, now_ns FROM record WHERE seq <= ? ORDER BY seq LIMIT ?"
        oldest = self._db.execute(sql, (floor, limit)).fetchall()
        old = [seq for seq, now_ns in takewhile(lambda row: row[1] < before_ns, oldest)]
        if old:
            self._db.execute("DELETE FROM record WHERE seq <= ?", (old[-1],))
            self._db.executescript("PRAGMA incremental_vacuum(256)")  # execute() would free a single page
        return len(old)

    def statistics(self, queue: int) -> Statistics:
        """Sizes; ``queue`` is passed through."""
        records = self._one("SELECT max(seq) - min(seq) + 1 FROM record")
        return Statistics(
            records=records, bytes=self._one("PRAGMA page_count") * self._one("PRAGMA page_size"), queue=queue
        )
