"""Durable events per second of the journal, against one SQLite row and commit per event. Prints one JSON line."""

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import msgspec

from linecontrol.gateway.journal import Journal
from linecontrol.model.event import Sampled
from linecontrol.model.reading import Quality, Reading

RECORDS = 20_000
ROWS = 2_000


def sampled(n: int) -> Sampled:
    """An event like any other."""
    return Sampled(at_ns=n, line="tractor", station="chassis", name="joint_torque", value=float(n))


async def journalled_s(path: Path) -> float:
    """Real seconds until all records, of one reading and one event each, are durable."""
    async with await Journal.open(path) as journal:
        start = time.perf_counter()
        ticket = journal.append(0, [], [])
        for n in range(RECORDS):
            reading = Reading("tractor/chassis/joint_torque", float(n), Quality.GOOD, n, n, sequence=n)
            ticket = journal.append(n, [reading], [sampled(n)])
            if n % 100 == 0:
                await asyncio.sleep(0)
        await ticket
        return time.perf_counter() - start


def row_by_row_s(path: Path) -> float:
    """Real seconds for one row and one commit per event, as durable as the journal."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB)")
        start = time.perf_counter()
        for n in range(ROWS):
            connection.execute("INSERT INTO event (body) VALUES (?)", (msgspec.msgpack.encode(sampled(n)),))
        return time.perf_counter() - start


def main() -> None:
    """Measure in the folder given (its disk matters), or a temporary one, and print."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        ours = min(asyncio.run(journalled_s(Path(folder, f"journal{n}"))) for n in range(3)) / RECORDS
        rows = min(row_by_row_s(Path(folder, f"rows{n}")) for n in range(3)) / ROWS
    figures = {
        "events_per_s": round(1 / ours),
        "us_per_event": round(ours * 1e6, 1),
        "row_us_per_event": round(rows * 1e6, 1),
    }
    print(json.dumps({"benchmark": "journal", **figures, "times_faster": round(rows / ours, 1)}))


if __name__ == "__main__":
    main()
