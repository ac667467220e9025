"""Whatever bytes arrive, in whatever pieces: a wire never fails otherwise than by its own rules."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from linecontrol.driver import ConnectionLost, Traffic
from linecontrol_modbus.crc import crc16
from linecontrol_modbus.mbap import TcpWire
from linecontrol_modbus.pdu import Refused, Silent, read_request
from linecontrol_modbus.rtu import LineWire
from linecontrol_modbus.tag import Table
from linecontrol_modbus.turns import Rank, Turns
from linecontrol_modbus.wire import Wire

calm = settings(derandomize=True, database=None, deadline=None, max_examples=200)
READ = read_request(Table.HOLDING, 0, 2)
RIGHT = bytes.fromhex("03 04 0001 0002")


class Line(asyncio.WriteTransport):
    aborted = False
    sent = b""

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent = bytes(data)

    @override
    def abort(self) -> None:
        self.aborted = True


def framed(request: bytes, unit: int, pdu: bytes) -> bytes:
    return request[:4] + (len(pdu) + 1).to_bytes(2) + bytes((unit,)) + pdu


def checked(request: bytes, unit: int, pdu: bytes) -> bytes:
    return bytes((unit,)) + pdu + crc16(bytes((unit,)) + pdu)


pieces = st.lists(
    st.binary(max_size=40)
    | st.sampled_from([b"\0\1\0\0\0\7\1\3\4", b"\0\1\0\0\xff\xff", b"\1\3\4", b"\1\x83\2\xc0\xf1", RIGHT]),
    max_size=6,
)


async def told(wire: Wire, line: Line, noise: list[bytes], answer: bytes) -> bytes | None:
    """What is believed of the noise and of the answer after it."""
    wire.connection_made(line)
    future = await wire.start(1, READ, Rank.CYCLE)
    for piece in [*noise, answer]:
        if not future.done():
            wire.data_received(piece)
        assert not wire.broken or (line.aborted and future.done())
    try:
        return future.result() if future.done() else None
    except (Refused, Silent, ConnectionLost):
        return None
    finally:
        wire.end("over")


def first_of_all() -> TcpWire:
    """A connection whose first transaction is 1."""
    wire = TcpWire("plc", 60.0, Traffic(), Turns(1))
    wire._id = 0
    return wire


@given(noise=pieces, right=st.booleans())
@calm
def test_tcp(noise: list[bytes], right: bool) -> None:
    async def run() -> bytes | None:
        line = Line()
        wire = first_of_all()
        return await told(wire, line, noise, framed(b"\0\1\0\0", 1, RIGHT) if right else b"")

    believed = asyncio.run(run())
    if right and not any(noise):
        assert believed == RIGHT[2:]
    if believed is not None and believed != RIGHT[2:]:
        assert b"\0\1\0\0\0\7\1\3\4" in b"".join(noise), "only a frame that fits in all is believed"


@given(noise=pieces, right=st.booleans())
@calm
def test_rtu(noise: list[bytes], right: bool) -> None:
    async def run() -> bytes | None:
        line = Line()
        wire = LineWire("bus", 60.0, Traffic(), Turns(1), [])
        wire._quiet_s = 0.0
        wire._steps.forgiven(1)
        return await told(wire, line, noise, checked(b"", 1, RIGHT) if right else b"")

    believed = asyncio.run(run())
    assert believed in (None, RIGHT[2:]), "the check sum lets no noise pass"
    if right and not any(noise):
        assert believed == RIGHT[2:]


@given(cuts=st.lists(st.integers(1, 8), max_size=12))
@calm
def test_pieces_are_put_together(cuts: list[int]) -> None:
    async def run(wire: Wire, frame: bytes) -> bytes | None:
        if isinstance(wire, LineWire):
            wire._quiet_s = 0.0
            wire._steps.forgiven(1)
        pieces, rest = [], frame
        for cut in cuts:
            pieces.append(rest[:cut])
            rest = rest[cut:]
        return await told(wire, Line(), pieces, rest)

    async def tcp() -> bytes | None:
        return await run(first_of_all(), framed(b"\0\1\0\0", 1, RIGHT))

    async def rtu() -> bytes | None:
        return await run(LineWire("bus", 60.0, Traffic(), Turns(1), []), checked(b"", 1, RIGHT))

    assert (asyncio.run(tcp()), asyncio.run(rtu())) == (RIGHT[2:], RIGHT[2:])
