import random
import subprocess
import sys
from pathlib import Path

import pytest

from linecontrol.gateway.journal_file import read_journal

pytestmark = pytest.mark.system

WRITER = """
import asyncio, sys
from pathlib import Path
from linecontrol.gateway.journal import Journal
from linecontrol.model.reading import Quality, Reading

async def main():
    async with await Journal.open(Path(sys.argv[1]), commit_every_s=0.002) as journal:
        n = journal.last_seq
        while True:
            tickets = []
            for _life in range(20):
                n += 1
                tickets.append(journal.append(n, [Reading("s", n, Quality.GOOD, n, n)], []))
            for ticket in tickets:
                print(await ticket, flush=True)

asyncio.run(main())
"""


def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    chance = random.Random(7)
    for _life in range(20):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 300)):
                assert writer.stdout.readline()
            writer.kill()
            acked = [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        found = list(read_journal(path))
        assert [record.seq for record in found] == list(range(1, len(found) + 1))
        assert [record.observations[0].value for record in found] == list(range(1, len(found) + 1))  # type: ignore[union-attr]
        assert not acked or acked[-1] <= len(found)
