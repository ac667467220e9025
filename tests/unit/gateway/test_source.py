"""Whatever a driver does, the source goes on, and says once what changed."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from typing_extensions import override

from linecontrol.driver import Driver
from linecontrol.errors import ConnectionLost, DeviceRefused
from linecontrol.gateway import source as module
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.source import Source
from linecontrol.model import ConnectionHealth, LinkChange, Observation, Quality, Reading
from linecontrol.testing import Life, ManualClock, Script, ScriptedDriver

START_NS = 1_700_000_000_000_000_000


def reading(value: object = 1, *, late_s: float = 0) -> Reading:
    source_ns = START_NS - round(late_s * 1e9)
    return Reading("l/s/count", value, Quality.GOOD, source_ns, START_NS)  # type: ignore[arg-type]


class Rig:
    """A source whose back-off is slept through by hand."""

    def __init__(self, *lives: Life, warnings: Sequence[str] = ()) -> None:
        self.clock, self.pauses, self.inbox = ManualClock(START_NS), ManualClock(), Inbox()
        self.script = Script(self.clock, *lives)
        self.source = Source("plc", self.script, self.inbox, self.clock, warnings=warnings, sleep=self.pauses.sleep)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            task = group.create_task(self.source.run())
            yield
            task.cancel()

    async def over(self) -> float:
        """Wait for the end of a life; how long the pause after it is. Then the next one begins."""
        pause_s = await self.pauses.asleep()
        self.pauses.advance(pause_s)
        return pause_s

    async def up(self, number: int) -> ScriptedDriver:
        """The driver of a life, once it is connected."""
        while len(self.script.drivers) < number:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
        driver = self.script.drivers[number - 1]
        await driver.connected.wait()
        return driver

    def taken(self) -> list[Observation]:
        return [observation for arrival in self.inbox.take() for observation in arrival.observations]


async def test_each_life_has_a_driver_of_its_own_and_each_change_is_told_once() -> None:
    lost, other = ConnectionLost("gone"), ConnectionLost("still gone")
    rig = Rig(Life(steps=[[reading()], lost]), Life(connect=lost), Life(connect=other), Life(steps=[lost]))
    async with rig.running():
        for _ in range(4):
            await rig.over()
        await rig.pauses.asleep()
    assert len({id(driver) for driver in rig.script.drivers}) == 5
    assert all(driver.closed.is_set() for driver in rig.script.drivers)
    told = [(o.up, o.reason) if isinstance(o, LinkChange) else o for o in rig.taken()]
    up, down = (True, ""), (False, "gone")
    assert told == [up, reading(), down, (False, "still gone"), up, down, (False, "nobody there")]


async def test_what_a_connection_carried_is_counted_over_all_its_lives() -> None:
    bad = Reading("l/s/count", None, Quality.BAD, START_NS, START_NS)
    lives = [Life(steps=[[reading(), bad], [reading()]]), Life(steps=[[reading()]])]
    rig = Rig(*lives, warnings=["in clear text"])
    async with rig.running():
        first = await rig.up(1)
        first.traffic.gaps, first.traffic.bytes_received, first.traffic.refused = 2, 100, 3
        first.tell(ConnectionLost("gone"))
        await rig.over()
        second = await rig.up(2)
        second.traffic.gaps, second.traffic.skew_ns = 1, 2_000_000_000
        while rig.source.health.batches < 3:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
        health = rig.source.health
    assert health == ConnectionHealth(
        up=True, lives=2, readings=4, batches=3, gaps=3, bytes_received=100, last_good_ns=START_NS, skew_s=2.0,
        warnings=["in clear text"],
    )  # fmt: skip
    told = [
        observation.warning for observation in rig.taken() if isinstance(observation, LinkChange) and observation.up
    ]
    assert told == ["in clear text"] * 2


async def test_the_back_off_grows_to_its_bound_and_only_a_steady_life_resets_it() -> None:
    rig = Rig(*[Life(steps=[ConnectionLost("flaps")]) for _ in range(6)], Life())
    async with rig.running():
        pauses = [await rig.over() for _ in range(6)]
        steady = await rig.up(7)
        while not rig.source.up:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
        rig.clock.advance(module.STEADY_S)
        steady.tell(ConnectionLost("after a while"))
        reset = await rig.over()
    for pause_s, bound_s in zip([*pauses, reset], [0.5, 1, 2, 4, 8, 8, 0.5], strict=True):
        assert 0.7 * bound_s <= pause_s <= bound_s


@pytest.mark.parametrize(
    "life",
    [
        Life(connect=DeviceRefused("no")),
        Life(connect=KeyError("own bug")),
        Life(connect=asyncio.CancelledError()),
        Life(steps=[ExceptionGroup("several", [ValueError("one")])]),
        Life(steps=[TimeoutError("its own")]),
        Life(steps=[asyncio.CancelledError()]),
        Life(steps=[AssertionError()], close=RuntimeError("can't close")),
        Life(steps=[ConnectionLost("gone")], close=asyncio.CancelledError()),
        Life(steps=[[None]]),  # type: ignore[list-item]
    ],
)
async def test_nothing_that_a_driver_raises_ends_the_source(life: Life) -> None:
    rig = Rig(life, Life())
    async with rig.running():
        await rig.over()
        await rig.up(2)
    assert rig.source.lives == 2


async def test_a_driver_that_can_not_be_made_does_not_end_the_source() -> None:
    def broken() -> Driver:
        raise ValueError("tag 7 makes no sense")

    rig = Rig()
    source = Source("plc", broken, rig.inbox, rig.clock, sleep=rig.pauses.sleep)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(source.run())
        await rig.over()
        await rig.pauses.asleep()
        task.cancel()
    (down,) = rig.taken()
    assert isinstance(down, LinkChange)
    assert "tag 7 makes no sense" in down.reason


async def test_connecting_and_closing_that_hang_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_PATIENCE_S", 0.01)
    monkeypatch.setattr(module, "CLOSE_PATIENCE_S", 0.01)
    rig = Rig(Life(hang=frozenset({"connect", "close"})), Life())
    async with rig.running():
        await rig.over()
        await rig.up(2)
    assert "no answer to connecting" in str(rig.taken()[0])


async def test_cancelled_it_closes_the_driver() -> None:
    rig = Rig(Life())
    async with rig.running():
        await rig.inbox.filled(5)
    assert rig.script.drivers[0].closed.is_set()
    assert not rig.source.up


async def test_what_can_not_be_right_is_replaced_and_counted() -> None:
    batch = [reading(late_s=299), reading(late_s=301), reading(late_s=-301), reading(2**64), reading("\ud800")]
    rig = Rig(Life(steps=[batch, ConnectionLost("gone")]))
    async with rig.running():
        await rig.pauses.asleep()
    bad = Reading("l/s/count", None, Quality.BAD, START_NS, START_NS)
    assert rig.taken()[1:-1] == [reading(late_s=299), reading(), reading(), bad, bad]
    assert rig.source.disbelieved == 4


async def test_our_own_clock_that_is_set_back_makes_no_reading_late() -> None:
    second = 1_000_000_000
    stamped = Reading("l/s/count", 2, Quality.GOOD, START_NS - second, START_NS - second)
    of_device = Reading("l/s/other", 2, Quality.GOOD, START_NS - 3 * second, START_NS - second)
    rig = Rig(Life(steps=[[reading()], [stamped, of_device], ConnectionLost("gone")]))
    async with rig.running():
        await rig.pauses.asleep()
    taken = [o for o in rig.taken() if isinstance(o, Reading)]
    assert [(o.source_ns, o.receive_ns) for o in taken] == [
        (START_NS, START_NS),
        (START_NS, START_NS),
        (START_NS - 3 * second, START_NS),
    ]
    assert rig.source.disbelieved == 0


async def test_a_full_inbox_holds_the_driver_back() -> None:
    rig = Rig(Life(steps=[[reading(n)] for n in range(20)]))
    rig.inbox.capacity = 3
    seen: list[Observation] = []
    async with rig.running():
        while len(seen) < 21:
            await rig.inbox.filled(5)
            assert len(rig.inbox) <= 3
            seen += rig.taken()
    assert seen[1:] == [reading(n) for n in range(20)]


async def test_it_ends_although_the_driver_swallows_the_cancellation_and_reads_on() -> None:
    class Deaf(ScriptedDriver):
        @override
        async def readings(self) -> AsyncGenerator[list[Reading], None]:
            yield [reading(0)]
            while True:
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
                yield [reading()]

    clock, inbox = ManualClock(START_NS), Inbox()
    source = Source("plc", lambda: Deaf("plc", (), clock, Life()), inbox, clock)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(source.run())
        while not (source.up and len(inbox) == 2):  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()
