"""A bus of units that speak RTU, at the far end of a TCP connection or of a pty, and that can be late."""

import asyncio
import os
import tty
from collections.abc import Callable
from contextlib import suppress

from linecontrol_modbus.crc import crc16

Late = Callable[[int, bytes], float | None]
"""Seconds after which a unit answers a request (unit and PDU); ``None`` for never."""


def at_once(unit: int, pdu: bytes) -> float | None:
    return 0.0


class Bus:
    """Every register holds 1000 * unit + its address, or what was written. Answers of a unit come in order."""

    def __init__(self, late: Late = at_once) -> None:
        self.late = late
        self.asked: list[tuple[int, bytes]] = []
        self.most = 65_536
        self.refusing = False
        self.damage: Callable[[bytes], bytes] = lambda frame: frame
        self._written: dict[tuple[int, int], int] = {}
        self._rest = b""
        self._send: Callable[[bytes], None] = lambda data: None
        self._timers: set[asyncio.TimerHandle] = set()

    def plug(self, send: Callable[[bytes], None]) -> None:
        self._send = send

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def hear(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= 8:
            size = 9 + self._rest[6] if self._rest[1] == 16 else 8
            if len(self._rest) < size:
                return
            frame, self._rest = self._rest[:size], self._rest[size:]
            assert crc16(frame[:-2]) == frame[-2:]
            self._serve(frame[0], frame[1:-2])

    def _serve(self, unit: int, pdu: bytes) -> None:
        self.asked.append((unit, pdu))
        delay_s = self.late(unit, pdu)
        frame = bytes((unit,)) + self._answer(unit, pdu)
        if delay_s is not None:
            data = self.damage(frame + crc16(frame))
            self._timers.add(asyncio.get_running_loop().call_later(delay_s, lambda: self._send(data)))

    def _answer(self, unit: int, pdu: bytes) -> bytes:
        address, number = int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        if self.refusing:
            return bytes((pdu[0] | 0x80, 3))
        if pdu[0] == 6:
            self._written[unit, address] = number
            return pdu
        if address + number > self.most:
            return bytes((pdu[0] | 0x80, 2))
        if pdu[0] in (1, 2):
            return bytes((pdu[0], (number + 7) // 8)) + bytes((number + 7) // 8)
        words = [self._written.get((unit, n), 1000 * unit + n) for n in range(address, address + number)]
        return bytes((pdu[0], 2 * number)) + b"".join(word.to_bytes(2, "big") for word in words)


class TcpBus:
    """A bus behind a plain serial server. What is late also comes on a connection that was made meanwhile."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", port)

    async def close(self) -> None:
        self._bus.close()
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._bus.plug(writer.write)
        with suppress(OSError):
            while data := await reader.read(300):
                self._bus.hear(data)


class PtyBus:
    """A bus at the far end of a pseudo terminal."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.device = os.ttyname(self._slave)
        os.set_blocking(self._master, False)
        bus.plug(lambda data: None if self._master < 0 else void(os.write(self._master, data)))
        asyncio.get_running_loop().add_reader(self._master, lambda: bus.hear(os.read(self._master, 300)))

    async def close(self) -> None:
        self._bus.close()
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._slave)
            os.close(self._master)
            self._master = -1


def void(_: object) -> None:
    return None
