"""The outbox against a real journal: everything, in order, until the sink has it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linecontrol.errors import JournalError, SinkAway
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.outbox import LONGEST_RETRY_AFTER_S, LONGEST_WAIT_S, SHORTEST_WAIT_S, Outbox
from linecontrol.model.event import Sampled
from linecontrol.model.record import Delivery, Record
from linecontrol.sinks.line_protocol import Encoder


class Shelf:
    """A sink that is away when its script says so (with the wish it then has), and else keeps all."""

    def __init__(self, script: Sequence[float | bool | None] = ()) -> None:
        self.got: list[Record] = []
        self.waits: list[float] = []
        self._script = list(script)

    async def deliver(self, records: Sequence[Record]) -> Delivery:
        step = self._script.pop(0) if self._script else True
        if step is not True:
            raise SinkAway("gone fishing", retry_after_s=step or None)
        self.got += records
        return Delivery(delivered=len(records) - 1, refused=1, trouble="one is bad")

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(outbox.run())
        yield
        await asyncio.wait_for(outbox.drained(), 10)
        task.cancel()


async def fill(journal: Journal, count: int) -> None:
    ticket = journal.append(0, [], [])
    for n in range(1, count):
        ticket = journal.append(n, [], [Sampled(at_ns=n, line="l", station="s", name="x", value=float(n))])
    await ticket


@given(
    count=st.integers(1, 30),
    batch=st.integers(1, 7),
    script=st.lists(st.sampled_from([True, None, 2.0]), max_size=12),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_all_in_order_and_none_twice_whatever_the_sink_says(
    tmp_path_factory: pytest.TempPathFactory, count: int, batch: int, script: list[float | bool | None]
) -> None:
    path = tmp_path_factory.mktemp("outbox") / "journal.db"
    async with await Journal.open(path, commit_every_s=0.0) as journal:
        shelf = Shelf(script)
        outbox = Outbox(journal, shelf, "shelf", batch=batch, sleep=shelf.sleep)
        await fill(journal, count)
        async with running(outbox):
            pass
        assert [record.seq for record in shelf.got] == list(range(1, count + 1))
        assert await journal.cursor("shelf") == count
        assert outbox.health.backlog == 0


async def test_waits_grow_with_jitter_and_the_wish_of_the_sink_comes_first(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path / "journal.db", commit_every_s=0.0) as journal:
        shelf = Shelf([None] * 10 + [7.0, 1e9])
        outbox = Outbox(journal, shelf, "shelf", sleep=shelf.sleep)
        await fill(journal, 1)
        async with running(outbox):
            pass
    for failures, wait in enumerate(shelf.waits[:10]):
        ceiling = min(SHORTEST_WAIT_S * 2**failures, LONGEST_WAIT_S)
        assert ceiling / 2 <= wait <= ceiling
    assert shelf.waits[10:] == [7.0, LONGEST_RETRY_AFTER_S]


async def test_health_tells_of_backlog_trouble_and_refusals(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path / "journal.db", commit_every_s=0.0) as journal:
        shelf, away = Shelf([None]), asyncio.Event()
        back = asyncio.Event()

        async def sleep(_: float) -> None:
            away.set()
            await back.wait()

        outbox = Outbox(journal, shelf, "shelf", sleep=sleep)
        await fill(journal, 5)
        async with running(outbox):
            await asyncio.wait_for(away.wait(), 5)
            assert (outbox.health.backlog, outbox.health.trouble) == (5, "gone fishing")
            assert await journal.cursor("shelf") == 0
            back.set()
        health = outbox.health
        assert (health.backlog, health.delivered, health.refused, health.trouble) == (0, 4, 1, "one is bad")


async def test_a_crash_between_delivery_and_cursor_brings_the_same_bytes_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    before, after = Shelf(), Shelf()
    async with await Journal.open(path, commit_every_s=0.0) as journal:
        await fill(journal, 20)
        assert await journal.cursor("shelf") == 0
        await before.deliver(await journal.records(0, 8, observations=False))
    async with (
        await Journal.open(path, commit_every_s=0.0) as journal,
        running(Outbox(journal, after, "shelf", batch=6)),
    ):
        pass
    encoder = Encoder("s", "a")
    first = [line for record in before.got for line in encoder.record(record)]
    second = [line for record in after.got for line in Encoder("s", "a").record(record)]
    assert len(first) == 7
    assert second[: len(first)] == first


async def test_what_comes_later_is_brought_too_and_a_closed_journal_ends_it(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db", commit_every_s=0.0)
    shelf = Shelf()
    outbox = Outbox(journal, shelf, "shelf")
    async with running(outbox):
        for _ in range(3):
            await fill(journal, 2)
            await asyncio.wait_for(outbox.drained(), 5)
    assert len(shelf.got) == 6
    await journal.close()
    with pytest.raises(JournalError, match="closed"):
        await outbox.run()
