"""The durable record of what came in and what followed from it.

A record is acknowledged only when it survives a power cut. If a batch can't be written, the file is closed,
reopened, and the same batch written once more; if that fails too, none of its records is acknowledged or
numbered, and the journal takes no further ones: a record with a hole in it would be untrue. What was acknowledged
before is in the file, and a new ``Journal.open`` goes on from there.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from linecontrol.errors import JournalError
from linecontrol.gateway.journal_store import Row, Statistics, Store, encode
from linecontrol.model.event import AnyEvent
from linecontrol.model.observation import Observation
from linecontrol.model.record import Record

__all__ = ["Journal", "Statistics"]

_PRUNE_STEP = 256
_T = TypeVar("_T")


class _Append:
    def __init__(self, row: Row, ticket: "asyncio.Future[int]") -> None:
        self.row = row
        self.ticket = ticket


class _Call:
    def __init__(self, work: Callable[[Store], Any], ticket: "asyncio.Future[Any]") -> None:
        self.work = work
        self.ticket = ticket


class _Close:
    pass


class Journal:
    """An open journal. Its methods belong to one event loop, which they never block: a thread does the work."""

    def __init__(self, path: Path, commit_every_s: float) -> None:
        """Use :meth:`open`."""
        self._path = path
        self._commit_every_s = commit_every_s
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Append | _Call | _Close] = queue.SimpleQueue()
        self._waiting = 0
        self._last_seq = 0
        self._grown = asyncio.Event()
        self._failure: JournalError | None = None
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._opened: asyncio.Future[int] = self._loop.create_future()
        self._closing = False

    @classmethod
    async def open(cls, path: Path, *, commit_every_s: float = 0.03) -> Self:
        """Open or create the file; records wait up to ``commit_every_s`` real seconds for companions.

        Raises:
            JournalUnusable: the file is damaged, no journal, or newer than this version; it is left untouched.
            JournalBusy: another process has it open.
        """
        journal = cls(path, commit_every_s)
        journal._thread.start()
        journal._last_seq = await journal._opened
        return journal

    async def close(self) -> None:
        """Make durable what was appended, and close the file. May be called more than once."""
        if not self._closing:
            self._closing = True
            self._jobs.put(_Close())
        await asyncio.to_thread(self._thread.join)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # --- records --------------------------------------------------------------------------------------------

    @property
    def last_seq(self) -> int:
        """Number of the last durable record; 0 if there never was one."""
        return self._last_seq

    def append(
        self, now_ns: int, observations: Sequence[Observation], events: Sequence[AnyEvent]
    ) -> "asyncio.Future[int]":
        """Add a record after all others. The future has its number once it is durable, or a ``JournalError``.

        Raises:
            JournalError: the journal failed before, or is closed.
            OverflowError: an integer doesn't fit into 64 bits.
            UnicodeEncodeError: a string is not valid Unicode.
        """
        self._check()
        ticket: asyncio.Future[int] = self._loop.create_future()
        self._jobs.put(_Append(encode(now_ns, observations, events), ticket))
        self._waiting += 1
        return ticket

    async def grown(self, after_seq: int) -> None:
        """Wait until there is a durable record after ``after_seq``.

        Raises:
            JournalError: the journal failed, or was closed.
        """
        while self._last_seq <= after_seq:
            self._check()
            await self._grown.wait()

    async def records(self, after_seq: int, limit: int, *, observations: bool = True) -> list[Record]:
        """Up to ``limit`` durable records after ``after_seq`` in order; fewer if large, none only at the end."""
        return await self._call(lambda store: store.records(after_seq, limit, observations=observations))

    async def prune(self, before_ns: int) -> int:
        """Drop records older than ``before_ns`` (plant time) in small steps; return how many.

        None that a sink still lacks, none after the older snapshot, none at all before the first snapshot.
        """
        total = 0
        while pruned := await self._call(lambda store: store.prune(before_ns, _PRUNE_STEP)):
            total += pruned
        return total

    # --- what is kept beside them ---------------------------------------------------------------------------

    async def save_snapshot(self, seq: int, now_ns: int, memory: bytes) -> None:
        """Keep what the engine remembered right after record ``seq``; the last two are kept.

        Raises:
            ValueError: record ``seq`` is not durable yet.
        """
        await self._call(lambda store: store.save_snapshot(seq, now_ns, memory))

    async def load_snapshot(self, before_seq: int | None = None) -> tuple[int, int, bytes] | None:
        """Record number, plant time and memory of the latest snapshot (before a record, if given)."""
        return await self._call(lambda store: store.load_snapshot(before_seq))

    async def cursor(self, sink: str) -> int:
        """Last record that the sink has; 0 for a new sink, for which records are kept from now on."""
        return await self._call(lambda store: store.cursor(sink))

    async def advance(self, sink: str, seq: int) -> None:
        """The sink has all records up to ``seq``."""
        await self._call(lambda store: store.advance(sink, seq))

    async def forget(self, sink: str) -> None:
        """The sink is gone: records are no longer kept for it."""
        await self._call(lambda store: store.forget(sink))

    async def get_meta(self, key: str) -> bytes | None:
        """A value kept beside the records."""
        return await self._call(lambda store: store.get_meta(key))

    async def put_meta(self, key: str, value: bytes) -> None:
        """Keep a value beside the records."""
        await self._call(lambda store: store.put_meta(key, value))

    async def statistics(self) -> Statistics:
        """Records and bytes in the file, and records that wait to be made durable."""
        return await self._call(lambda store: store.statistics(self._waiting))

    # --- in the event loop ----------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._failure:
            raise self._failure
        if self._closing:
            msg = f"{self._path} is closed"
            raise JournalError(msg)

    async def _call(self, work: Callable[[Store], _T]) -> _T:
        self._check()
        ticket: asyncio.Future[_T] = self._loop.create_future()
        self._jobs.put(_Call(work, ticket))
        return await ticket

    def _committed(self, first_seq: int, batch: list[_Append]) -> None:
        self._waiting -= len(batch)
        self._last_seq = first_seq + len(batch) - 1
        for seq, append in enumerate(batch, first_seq):
            if not append.ticket.done():
                append.ticket.set_result(seq)
        self._wake()

    def _failed(self, batch: Sequence[_Append | _Call], error: JournalError) -> None:
        self._failure = error
        for job in batch:
            _fail(job.ticket, error)
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    # --- in the thread --------------------------------------------------------------------------------------

    def _tell(self, tell: Callable[..., None], *values: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(tell, *values)

    def _work(self) -> None:
        try:
            store = Store(self._path)
            next_seq = store.last_seq() + 1
        except Exception as error:  # noqa: BLE001  (handed over to who waits)
            self._tell(_fail, self._opened, error)
            return
        self._tell(_succeed, self._opened, next_seq - 1)
        writer = _Writer(store, self._path, next_seq)
        try:
            self._serve(writer)
        except (sqlite3.Error, JournalError) as error:
            self._refuse(writer.batch, JournalError(f"{self._path} can't be written: {error}"))
        finally:
            writer.store.close()
            self._tell(self._wake)

    def _serve(self, writer: "_Writer") -> None:
        deadline = 0.0
        while True:
            try:
                job = self._jobs.get(timeout=max(0.0, deadline - time.monotonic()) if writer.batch else None)
            except queue.Empty:
                self._commit(writer)
                continue
            match job:
                case _Append():
                    if not writer.batch:
                        deadline = time.monotonic() + self._commit_every_s
                    writer.batch.append(job)
                    if time.monotonic() >= deadline:
                        self._commit(writer)
                case _Call():
                    try:
                        result = job.work(writer.store)
                    except Exception as error:  # noqa: BLE001  (handed over to who waits)
                        self._tell(_fail, job.ticket, error)
                    else:
                        self._tell(_succeed, job.ticket, result)
                case _Close():
                    self._commit(writer)
                    return

    def _commit(self, writer: "_Writer") -> None:
        if writer.batch:
            first_seq = writer.commit()
            self._tell(self._committed, first_seq, writer.batch)
            writer.batch = []

    def _refuse(self, batch: list[_Append], error: JournalError) -> None:
        self._tell(self._failed, batch, error)
        while not isinstance(job := self._jobs.get(), _Close):
            self._tell(self._failed, [job], error)


class _Writer:
    """The store and the batch that is to be written next."""

    def __init__(self, store: Store, path: Path, next_seq: int) -> None:
        self.store = store
        self.batch: list[_Append] = []
        self._path = path
        self._next_seq = next_seq

    def commit(self) -> int:
        rows = [append.row for append in self.batch]
        first_seq = self._next_seq
        try:
            self.store.write(first_seq, rows)
        except sqlite3.Error:
            # After a failed fsync the same descriptor may lie about later ones: only a new one may be believed.
            self.store.close()
            self.store = Store(self._path)
            self.store.write(first_seq, rows)
        self._next_seq += len(rows)
        return first_seq


def _succeed(ticket: "asyncio.Future[Any]", result: object) -> None:
    if not ticket.done():
        ticket.set_result(result)


def _fail(ticket: "asyncio.Future[Any]", error: Exception) -> None:
    if not ticket.done():
        ticket.set_exception(error)
