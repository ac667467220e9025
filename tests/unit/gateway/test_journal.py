import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from linecontrol.errors import JournalBusy, JournalError, JournalUnusable
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.journal_file import read_journal, read_meta
from linecontrol.gateway.journal_store import VERSION, Row, Store, encode
from linecontrol.gateway.lock import StateLock
from linecontrol.model.event import Sampled
from linecontrol.model.reading import LinkChange, Quality, Reading


def reading(n: int) -> Reading:
    return Reading("a/b/count", n, Quality.GOOD, n, n + 1, sequence=n)


def sampled(n: int) -> Sampled:
    return Sampled(at_ns=n, line="a", station="b", name="count", value=float(n))


@given(steps=st.lists(st.sampled_from(["append", "settle", "reopen"]), max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_acknowledged_is_there_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    journal = await Journal.open(path, commit_every_s=0.001)
    tickets: list[asyncio.Future[int]] = []
    for step in steps:
        if step == "append":
            n = len(tickets)
            tickets.append(journal.append(n, [reading(n), LinkChange("c", up=True, at_ns=n)], [sampled(n)]))
        elif step == "settle" and tickets:
            await tickets[-1]
        elif step == "reopen":
            await journal.close()
            journal = await Journal.open(path, commit_every_s=0.001)
    await journal.close()
    assert [await ticket for ticket in tickets] == list(range(1, len(tickets) + 1))
    found = list(read_journal(path))
    assert [record.seq for record in found] == list(range(1, len(tickets) + 1))
    assert [record.observations[0] for record in found] == [reading(n) for n in range(len(tickets))]
    assert [record.events for record in found] == [[sampled(n)] for n in range(len(tickets))]


async def test_snapshots_cursors_and_meta_survive(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with await Journal.open(path, commit_every_s=0.001) as journal:
        with pytest.raises(ValueError, match="durable"):
            await journal.save_snapshot(1, 0, b"early")
        for n in range(3):
            await journal.append(n, [], [sampled(n)])
            await journal.save_snapshot(n + 1, n, b"memory %d" % n)
        assert await journal.cursor("influx") == 0
        await journal.advance("influx", 2)
        await journal.put_meta("config", b"hash")
    async with await Journal.open(path) as journal:
        assert await journal.load_snapshot() == (3, 2, b"memory 2")
        assert await journal.load_snapshot(3) == (2, 1, b"memory 1")
        assert await journal.load_snapshot(2) is None
        assert await journal.cursor("influx") == 2
        assert await journal.get_meta("config") == b"hash"
    assert read_meta(path) == {"config": b"hash"}


async def test_prune_keeps_what_sinks_and_snapshots_need_and_numbers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with await Journal.open(path, commit_every_s=0.001) as journal:
        for n in range(10):
            await journal.append(n, [], [])
        assert await journal.prune(100) == 0
        await journal.save_snapshot(6, 5, b"")
        await journal.save_snapshot(10, 9, b"")
        await journal.cursor("influx")
        assert await journal.prune(100) == 0
        await journal.advance("influx", 4)
        assert await journal.prune(100) == 4
        await journal.forget("influx")
        assert await journal.prune(5) == 1
        assert [record.seq for record in await journal.records(0, 99)] == [6, 7, 8, 9, 10]
        await journal.save_snapshot(10, 9, b"")
    async with await Journal.open(path) as journal:
        assert journal.last_seq == 10
        assert await journal.append(10, [], []) == 11
        assert (await journal.statistics()).records == 6


async def test_an_alien_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(JournalUnusable):
        await Journal.open(path)
    assert path.read_bytes() == b"something else entirely" * 100


async def test_a_journal_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with await Journal.open(path) as journal:
        await journal.append(1, [], [])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(JournalUnusable, match=f"version {VERSION + 1}"):
        await Journal.open(path)
    with pytest.raises(JournalUnusable, match=f"version {VERSION + 1}"):
        list(read_journal(path))
    assert path.read_bytes() == before


async def test_only_one_process_at_a_time(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path / "journal.db") as journal:
        await journal.append(1, [], [])
        with pytest.raises(JournalBusy):
            await Journal.open(tmp_path / "journal.db")
    with StateLock(tmp_path), pytest.raises(JournalBusy, match="in use"):
        StateLock(tmp_path)
    StateLock(tmp_path).release()


async def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    await journal.close()
    with pytest.raises(JournalError, match="closed"):
        await journal.append(1, [], [])


FULL = """
import asyncio, resource, sys
from pathlib import Path
from linecontrol.errors import JournalError
from linecontrol.gateway.journal import Journal
from linecontrol.model.reading import Quality, Reading

async def main():
    path = Path(sys.argv[1])
    journal = await Journal.open(path, commit_every_s=0.001)
    acked = await journal.append(1, [], [])
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    try:
        while True:
            acked = await journal.append(2, [Reading("s", "x" * 50_000, Quality.GOOD, 0, 0)], [])
    except JournalError:
        pass
    try:
        journal.append(3, [], [])
        raise SystemExit("took a record after the failure")
    except JournalError:
        pass
    await journal.close()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    async with await Journal.open(path) as journal:
        assert journal.last_seq == acked > 1, (journal.last_seq, acked)
        assert await journal.append(4, [], []) == acked + 1

asyncio.run(main())
"""


def test_a_full_disk_acknowledges_nothing_and_loses_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "journal.db")], check=True, timeout=60)


async def test_an_io_error_is_overcome_once_by_a_new_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[int] = []

    class Failing(Store):
        @override
        def write(self, first_seq: int, rows: Sequence[Row]) -> None:
            if len(broken) < 1 and first_seq == 2:
                broken.append(first_seq)
                raise sqlite3.OperationalError("disk I/O error")
            super().write(first_seq, rows)

    monkeypatch.setattr("linecontrol.gateway.journal.Store", Failing)
    async with await Journal.open(tmp_path / "journal.db", commit_every_s=0.0) as journal:
        assert [await journal.append(n, [], [sampled(n)]) for n in range(3)] == [1, 2, 3]
        assert broken == [2]
        assert [record.seq for record in await journal.records(0, 9)] == [1, 2, 3]


@given(
    count=st.integers(1, 12),
    snapshots=st.lists(st.integers(1, 12), max_size=4),
    cursor=st.none() | st.integers(0, 12),
    before=st.integers(0, 14),
)
@settings(max_examples=40, deadline=None)
def test_pruning_stops_at_cursor_snapshots_and_age(
    tmp_path_factory: pytest.TempPathFactory, count: int, snapshots: list[int], cursor: int | None, before: int
) -> None:
    store = Store(tmp_path_factory.mktemp("prune") / "journal.db")
    store.write(1, [encode(n, [], []) for n in range(1, count + 1)])
    taken = sorted({seq for seq in snapshots if seq <= count})
    for seq in taken:
        store.save_snapshot(seq, seq, b"")
    if cursor is not None:
        store.advance("influx", min(cursor, count))
    store.prune(before, 99)
    floor = min(min(taken[-2:], default=0), count if cursor is None else min(cursor, count), before - 1)
    assert [record.seq for record in store.records(0, 99)] == list(range(max(floor, 0) + 1, count + 1))
    assert store.last_seq() == count
    store.close()
