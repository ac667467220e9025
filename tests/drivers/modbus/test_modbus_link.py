import asyncio
import random

import pytest
from typing_extensions import override

from linecontrol.driver import ConnectionLost, Traffic
from linecontrol_modbus.mbap import TcpWire
from linecontrol_modbus.turns import Rank, Turns


class Line(asyncio.WriteTransport):
    """A transport that keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.aborted = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    @override
    def abort(self) -> None:
        self.aborted = True


def tcp(line: Line, *, turns: int = 1) -> TcpWire:
    wire = TcpWire("paint", 60.0, Traffic(), Turns(turns))
    wire.connection_made(line)
    return wire


async def ask(wire: TcpWire) -> bytes:
    return await (await wire.start(1, b"\3\0\0\0\1", Rank.NOW))


async def lost(wire: TcpWire) -> ConnectionLost:
    with pytest.raises(ConnectionLost) as error:
        await ask(wire)
    return error.value


def answer(request: bytes, value: str) -> bytes:
    return request[:5] + bytes.fromhex(f"05 01 03 02 {value}")


async def test_a_cancellation_that_comes_with_the_answer_is_heeded() -> None:
    wire = tcp(line := Line())
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask(wire))
        await asyncio.sleep(0)
        wire.data_received(answer(line.sent[0], "0001"))
        asking.cancel()
    assert asking.cancelled()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask(wire))
        await asyncio.sleep(0)
        wire.data_received(answer(line.sent[1], "0002"))
    assert asking.result() == b"\0\2", "the turn was given back"
    wire.end("over")


async def test_an_answer_to_the_connection_before_is_not_believed() -> None:
    random.seed(1)
    before, line = Line(), Line()
    old, wire = tcp(before), tcp(line)
    async with asyncio.TaskGroup() as group:
        group.create_task(lost(old))
        asking = group.create_task(lost(wire))
        await asyncio.sleep(0)
        old.end("over")
        wire.data_received(answer(before.sent[0], "0001"))
    assert "was not asked" in str(asking.result())


async def test_a_cancelled_request_keeps_its_turn_until_it_is_answered() -> None:
    wire = tcp(line := Line())
    async with asyncio.TaskGroup() as group:
        given_up, waiting, never = (group.create_task(ask(wire)) for _ in range(3))
        await asyncio.sleep(0)
        given_up.cancel()
        never.cancel()
        await asyncio.sleep(0)
        assert len(line.sent) == 1, "the device still works on it"
        wire.data_received(answer(line.sent[0], "0001"))
        await asyncio.sleep(0)
        assert len(line.sent) == 2
        wire.data_received(answer(line.sent[1], "0002"))
    assert waiting.result() == b"\0\2"
    wire.end("over")


async def test_requests_under_way_fail_at_once_when_the_device_goes_away() -> None:
    wire = tcp(Line(), turns=2)

    async def lost() -> str:
        with pytest.raises(ConnectionLost) as raised:
            await ask(wire)
        return str(raised.value)

    async with asyncio.timeout(1), asyncio.TaskGroup() as group:
        asking = [group.create_task(lost()) for _ in range(4)]
        await asyncio.sleep(0)
        wire.connection_lost(None)
    assert {one.result() for one in asking} == {"paint: the device closed the connection"}
