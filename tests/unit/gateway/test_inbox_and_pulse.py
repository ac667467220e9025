import asyncio
import os
import re
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.notify import Notifier
from linecontrol.gateway.pulse import Pulse, Stage
from linecontrol.model import LinkChange


def batch(number: int, size: int = 1) -> list[LinkChange]:
    return [LinkChange("plc", up=True, at_ns=number) for _ in range(size)]


def numbers(inbox: Inbox) -> list[int]:
    return [o.at_ns for arrival in inbox.take() for o in arrival.observations if isinstance(o, LinkChange)]


@given(sizes=st.lists(st.integers(1, 5), max_size=30), capacity=st.integers(1, 10))
async def test_the_inbox_is_bounded_and_keeps_each_source_in_order(sizes: list[int], capacity: int) -> None:
    inbox = Inbox(capacity)

    async def source() -> None:
        for number, size in enumerate(sizes):
            await inbox.put(batch(number, size))

    got: list[int] = []
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(source())
        while len(got) < sum(sizes):
            await inbox.filled(5)
            assert len(inbox) < capacity + 5
            got += numbers(inbox)
    assert got == [number for number, size in enumerate(sizes) for _ in range(size)]
    assert inbox.received == sum(sizes)
    assert len(inbox) == 0


async def test_an_empty_inbox_is_waited_for_no_longer_than_said() -> None:
    inbox = Inbox()
    await inbox.filled(0.0)
    assert inbox.take() == []


async def test_a_source_that_is_cancelled_while_it_waits_leaves_nothing_and_hinders_nobody() -> None:
    inbox = Inbox(1)
    await inbox.put(batch(1))
    async with asyncio.TaskGroup() as group:
        waits = [group.create_task(inbox.put(batch(number))) for number in (2, 3)]
        await asyncio.sleep(0)
        waits[0].cancel()
        await asyncio.sleep(0)
        assert numbers(inbox) == [1]
    assert numbers(inbox) == [3]


@given(looks=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=20))
def test_a_stage_is_stuck_if_work_waited_and_none_was_done_since(looks: list[tuple[int, int]]) -> None:
    done = waiting = 0
    pulse = Pulse([Stage("s", lambda: done, lambda: waiting)])
    waited = 0
    for progress, waiting in looks:
        done += progress
        assert pulse.stuck() == (["s"] if waited and not progress else [])
        waited = waiting


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_over_its_socket(tmp_path: Path, abstract: bool) -> None:
    name = f"@linecontrol-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        notifier = Notifier(name)
        notifier.ready()
        notifier.status("all\nis well")
        notifier.alive()
        notifier.stopping()
        said = [systemd.recv(100) for _ in range(4)]
        notifier.reloading()
        assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=[1-9]\d*", systemd.recv(100))
    assert said == [b"READY=1", b"STATUS=all is well", b"WATCHDOG=1", b"STOPPING=1"]
    notifier.alive()  # nobody listens any more


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [
        ("3000000", "", 3.0),
        ("3000000", str(os.getpid()), 3.0),
        ("3000000", "1", None),
        ("0", "", None),
        ("x", "", None),
    ],
    ids=["watched", "ours", "another's", "off", "nonsense"],
)
def test_the_watchdog_is_ours_only(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str, expected: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert Notifier("@x").watchdog_s == expected
    assert Notifier("").watchdog_s is None
