"""A command reaches the device once or not at all, and always ends in a known state."""

import asyncio

import pytest

from linecontrol.errors import ConnectionLost, DeviceRefused
from linecontrol.gateway import commander as module
from linecontrol.gateway.commander import Commander
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.source import Source
from linecontrol.model import CommandIssued, CommandOutcome, CommandResult
from linecontrol.testing import Life, ManualClock, Script

NOW_NS = 1_700_000_000_000_000_000
SIGNAL = "l/s/command_andon"


def command(name: str = "andon", *, value: float = 1, left_s: float = 10) -> CommandIssued:
    return CommandIssued(
        at_ns=NOW_NS,
        command=f"{name} 1",
        line="l",
        station="s",
        name=name,
        value=value,
        expires_ns=NOW_NS + round(left_s * 1e9),
        reason="test",
    )


class Rig:
    """One connection for each life; ``andon`` is written over ``plc0``, ``hold`` over ``plc1``."""

    def __init__(self, *lives: Life) -> None:
        self.clock, self.inbox = ManualClock(NOW_NS), Inbox()
        self.scripts = [Script(self.clock, life) for life in lives]
        pause = ManualClock().sleep
        self.sources = {
            f"plc{n}": Source(f"plc{n}", script, Inbox(), self.clock, sleep=pause)
            for n, script in enumerate(self.scripts)
        }
        connections = {SIGNAL: "plc0", "l/s/command_hold": "plc1"}
        self.commander = Commander(self.sources, connections, self.inbox, self.clock)

    async def outcomes(self, *commands: CommandIssued, number: int = 1) -> list[CommandOutcome]:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            tasks = [group.create_task(source.run()) for source in self.sources.values()]
            for source, script in zip(self.sources.values(), self.scripts, strict=True):
                while not (source.up or (source.lives and script.drivers[0].closed.is_set())):  # noqa: ASYNC110
                    await asyncio.sleep(0)
            tasks += [group.create_task(self.commander.run(name)) for name in self.sources]
            for each in commands:
                self.commander.order(each)
            found: list[CommandOutcome] = []
            while len(found) < number:
                await self.inbox.filled(5)
                taken = [o for arrival in self.inbox.take() for o in arrival.observations]
                found += [o for o in taken if isinstance(o, CommandOutcome)]
            for task in tasks:
                task.cancel()
        return found


LOST = ConnectionLost("no answer")


@pytest.mark.parametrize(
    ("life", "result", "written"),
    [
        (Life(), CommandResult.VERIFIED, 1),
        (Life(refuse=DeviceRefused("interlock")), CommandResult.REFUSED, 0),
        (Life(write=LOST), CommandResult.VERIFIED, 1),
        (Life(refuse=LOST), CommandResult.UNKNOWN, 0),
        (Life(write=LOST, read=LOST), CommandResult.UNKNOWN, 1),
        (Life(write=KeyError("own bug"), read=LOST), CommandResult.UNKNOWN, 1),
        (Life(read=LOST), CommandResult.UNKNOWN, 1),
        (Life(connect=LOST), CommandResult.REFUSED, 0),
    ],
)
async def test_it_is_written_once_at_the_most_and_its_end_is_known(
    life: Life, result: CommandResult, written: int
) -> None:
    rig = Rig(life)
    (outcome,) = await rig.outcomes(command())
    assert (outcome.command, outcome.result) == ("andon 1", result)
    assert rig.scripts[0].drivers[0].written == [{SIGNAL: 1}] * written


async def test_a_device_that_never_answers_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_PATIENCE_S", 0.01)
    rig = Rig(Life(hang=frozenset({"write", "read"})))
    (outcome,) = await rig.outcomes(command())
    assert outcome.result == CommandResult.UNKNOWN
    assert "no answer to a write" in outcome.text
    assert len(rig.scripts[0].drivers[0].written) == 1


@pytest.mark.parametrize("left_s", [0, -1])
async def test_it_is_never_written_late(left_s: float) -> None:
    rig = Rig(Life())
    (outcome,) = await rig.outcomes(command(left_s=left_s))
    assert outcome.result == CommandResult.EXPIRED
    assert rig.scripts[0].drivers[0].written == []


async def test_a_silent_device_delays_no_other() -> None:
    rig = Rig(Life(hang=frozenset({"write"})), Life())
    (outcome,) = await rig.outcomes(command(), command("hold"))
    assert (outcome.command, outcome.result) == ("hold 1", CommandResult.VERIFIED)


async def test_commands_to_one_device_are_written_in_order() -> None:
    rig = Rig(Life())
    await rig.outcomes(*[command(value=n) for n in range(5)], number=5)
    assert rig.scripts[0].drivers[0].written == [{SIGNAL: n} for n in range(5)]


@pytest.mark.parametrize(
    ("shown", "same"), [(0.10000000149011612, True), (0.11, False), (None, False), (True, False), ("0.1", False)]
)
def test_a_float_is_the_same_within_what_a_device_can_keep(shown: float | str | None, same: bool) -> None:
    assert module._same(shown, 0.1) is same
