"""Nothing is told that is not durable, and what is durable is told once, in order."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from linecontrol.engine import Engine
from linecontrol.errors import JournalError
from linecontrol.gateway import pipeline as module
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.pipeline import Pipeline
from linecontrol.model import AnyEvent, LinkChange, Observation, Quality, Reading, Sampled
from linecontrol.testing import ManualClock

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS


class Echo(Engine):
    """An engine that says what it was shown, and at which times it was asked."""

    def __init__(self) -> None:
        self.ticks: list[int] = []
        self.due: int = 2**63 - 1

    @property
    @override
    def due_ns(self) -> int:
        return self.due

    @override
    def step(self, observations: Sequence[Observation], now_ns: int) -> list[AnyEvent]:
        self.ticks.append(now_ns)
        numbers = [o.value for o in observations if isinstance(o, Reading)]
        return [Sampled(at_ns=now_ns, line="l", station="s", name="n", value=float(n or 0)) for n in numbers]

    @override
    def tick(self, now_ns: int) -> list[AnyEvent]:
        self.ticks.append(now_ns)
        return []

    @override
    def snapshot(self) -> bytes:
        return b"%d" % len(self.ticks)


class Watched(Inbox):
    """An inbox that remembers for how long it was waited at the most."""

    def __init__(self) -> None:
        super().__init__()
        self.rests_s: list[float] = []

    @override
    async def filled(self, patience_s: float) -> None:
        self.rests_s.append(patience_s)
        await super().filled(patience_s)


class Rig:
    def __init__(self, journal: Journal) -> None:
        self.journal, self.engine, self.inbox, self.clock = journal, Echo(), Watched(), ManualClock(START_NS)
        self.told: list[float] = []
        self.durable_when_told: list[int] = []
        self.pipeline = Pipeline(
            self.engine,
            journal,
            self.inbox,
            self.clock,
            resolution_ns=NS,
            snapshot_every_ns=3600 * NS,
            tell=self._tell,
        )

    def _tell(self, events: Sequence[AnyEvent]) -> None:
        self.told += [event.value for event in events if isinstance(event, Sampled) and isinstance(event.value, float)]
        self.durable_when_told.append(self.journal.last_seq)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.pipeline.think()), group.create_task(self.pipeline.forward())]
            yield
            for task in tasks:
                task.cancel()


def reading(value: int) -> Reading:
    return Reading("l/s/n", value, Quality.GOOD, START_NS, START_NS)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncGenerator[Rig]:
    async with await Journal.open(tmp_path / "journal.sqlite", commit_every_s=0.002) as journal:
        yield Rig(journal)


async def test_told_in_order_once_and_only_when_durable(rig: Rig) -> None:
    async with rig.running():
        for number in range(50):
            await rig.inbox.put([reading(number)])
            await asyncio.sleep(0)
    await rig.pipeline.finish()
    assert rig.told == list(range(50))
    records = await rig.journal.records(0, 1000)
    assert [o.value for r in records for o in r.observations if isinstance(o, Reading)] == list(range(50))
    with_events = [record.seq for record in records if record.events]
    assert all(durable >= seq for durable, seq in zip(rig.durable_when_told, with_events, strict=True))


async def test_finish_saves_a_snapshot_of_the_last_turn(rig: Rig) -> None:
    await rig.inbox.put([reading(7)])
    await rig.pipeline.finish()
    assert await rig.journal.load_snapshot() == (1, START_NS, b"1")
    assert rig.told == [7.0]
    assert rig.pipeline.waiting == 0


async def test_an_interruption_is_a_record_at_the_time_when_it_began(rig: Rig) -> None:
    rig.pipeline.interrupted(["a", "b"], START_NS - 60 * NS)
    await rig.pipeline.finish()
    record = (await rig.journal.records(0, 10))[0]
    assert record.now_ns == START_NS - 60 * NS
    assert [(o.connection, o.up) for o in record.observations if isinstance(o, LinkChange)] == [
        ("a", False),
        ("b", False),
    ]


async def test_a_long_silence_is_caught_up_in_slices_before_what_came_is_shown(rig: Rig) -> None:
    rig.pipeline.interrupted([], START_NS - 1200 * NS)
    await rig.inbox.put([reading(1)])
    await rig.pipeline.finish()
    assert [(at_ns - START_NS) // NS for at_ns in rig.engine.ticks] == [-1200, -700, -200, 0]


async def test_cancelled_while_it_catches_up_nothing_is_lost(rig: Rig) -> None:
    rig.pipeline.interrupted([], START_NS - 100_000 * NS)
    await rig.inbox.put([reading(1)])
    async with rig.running():
        while len(rig.engine.ticks) < 3:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
    assert len(rig.inbox) == 1
    await rig.pipeline.finish()
    assert rig.told == [1.0]


async def test_empty_turns_leave_no_record(rig: Rig) -> None:
    await rig.pipeline.finish()
    before = rig.journal.last_seq
    async with rig.running():
        while rig.pipeline.turns < 4:
            await rig.inbox.put([])
            await asyncio.sleep(0)
    assert rig.pipeline.waiting == 0
    assert rig.journal.last_seq == before


async def test_the_engine_rests_while_too_much_waits_for_the_disk(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNDURABLE", 2)
    most = 0
    async with rig.running():
        for number in range(30):
            await rig.inbox.put([reading(number)])
            await asyncio.sleep(0)
            most = max(most, rig.pipeline.waiting)
    await rig.pipeline.finish()
    assert most <= 3
    assert rig.told == list(range(30))


@pytest.mark.parametrize(
    ("due_ns", "rest_s"), [(2**63 - 1, 0.5), (START_NS + 20_000_000, 0.02), (START_NS - NS, 0.001)]
)
async def test_the_engine_rests_no_longer_than_until_a_reading_has_waited_long_enough(
    rig: Rig, due_ns: int, rest_s: float
) -> None:
    rig.engine.due = due_ns
    async with rig.running():
        while not rig.inbox.rests_s:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
    assert rig.inbox.rests_s[0] == pytest.approx(rest_s)


async def test_what_can_not_be_made_durable_is_never_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await (await Journal.open(path)).close()
    with sqlite3.connect(path) as disk:
        full = "CREATE TRIGGER full BEFORE INSERT ON record WHEN NEW.seq > 1 BEGIN SELECT raise(ABORT, 'full'); END"
        disk.execute(full)
    disk.close()
    journal = await Journal.open(path, commit_every_s=0.002)
    rig = Rig(journal)
    await rig.inbox.put([reading(1)])
    await rig.pipeline.finish()
    await rig.inbox.put([reading(2)])
    with pytest.raises(JournalError):
        await rig.pipeline.finish()
    assert rig.told == [1.0]
    with pytest.raises(JournalError):
        await rig.pipeline.forward()
    await rig.inbox.put([reading(3)])
    with pytest.raises(JournalError):
        await rig.pipeline.think()
    assert rig.told == [1.0]
    await journal.close()
