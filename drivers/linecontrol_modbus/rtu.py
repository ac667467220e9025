"""Frames of Modbus RTU, on a serial line or through a plain serial server: one request at a time, no transaction ids.

A frame is unit id (1 byte), PDU and check sum (2). After a timeout or a damaged answer the line is left alone until it
is silent, and nothing is believed that could be an answer owed from before.
"""

import asyncio
from asyncio import Future
from collections.abc import Iterable

from typing_extensions import override

from linecontrol.driver import Traffic
from linecontrol_modbus.crc import crc16
from linecontrol_modbus.pdu import EXCEPTION, Misfit, Refused, Silent, answer_size, payload
from linecontrol_modbus.step import Steps
from linecontrol_modbus.turns import Rank, Turns
from linecontrol_modbus.wire import Pending, Wire

LONGEST_DRAIN_S = 2.0
"""A line that isn't silent for so long beyond what was waited for is given up."""

SHORTEST_QUIET_S = 0.02
"""A line on which something was wrong is left alone until it was silent for so long."""

_READS, _WRITES = (1, 2, 3, 4), (5, 6, 16)
_UNIT_AND_CHECK = 3
_LONGEST = 256


class LineWire(Wire):
    """A line shared by several units."""

    def __init__(
        self,
        where: str,
        timeout_s: float,
        traffic: Traffic,
        turns: Turns,
        planned: Iterable[tuple[int, bytes]],
        byte_s: float = 0.0,
    ) -> None:
        """``planned``: units and requests that will be sent; ``byte_s``: what a byte takes on the line."""
        super().__init__(where, timeout_s, traffic, turns)
        self._byte_s = byte_s
        self._gap_s = max(3.5 * byte_s, 0.00175) if byte_s else 0.0
        self._quiet_s = SHORTEST_QUIET_S
        self._heard = self._loop.time()
        self._pending: Pending | None = None
        self._fencing = self._fence_refused = False
        self._steps = Steps(planned)
        self._buffer = b""

    @override
    async def start(self, unit: int, pdu: bytes, rank: Rank) -> "Future[bytes]":
        while True:
            self.check()
            await self._turns.take(rank)
            try:
                await self._silent()
                self.check()
            except BaseException:
                self._turns.give_back()
                raise
            fence = self._steps.fence(unit, pdu)
            if fence is None:
                self._steps.sent(unit, pdu)
                return self._send(unit, pdu)
            settling = self._send(unit, fence)
            self._fencing, self._fence_refused = True, False
            try:
                await settling
            except Silent:
                return settling

    @override
    def _send(self, unit: int, pdu: bytes) -> "Future[bytes]":
        frame = bytes((unit,)) + pdu
        size = answer_size(pdu) + _UNIT_AND_CHECK
        answer: Future[bytes] = self._loop.create_future()
        deadline = self._loop.time() + self._timeout_s + (len(frame) + 2 + size) * self._byte_s
        self._pending = Pending(unit, pdu, size, deadline, answer)
        self._fencing = False
        self._timer = self._loop.call_at(deadline, self._expire)
        self._put(frame + crc16(frame))
        return answer

    @override
    def data_received(self, data: bytes) -> None:
        self._traffic.bytes_received += len(data)
        self._heard = self._loop.time()
        if self.broken:
            return
        self._buffer += data
        while self._buffer and (size := _size(self._buffer)) <= len(self._buffer):
            frame, self._buffer = self._buffer[:size], self._buffer[size:]
            if size == 0 or crc16(frame[:-2]) != frame[-2:] or not self._accept(frame[0], frame[1:-2]):
                self._garbled()
        if len(self._buffer) > _LONGEST:
            self._garbled()

    def _accept(self, unit: int, answer: bytes) -> bool:
        """Take a frame: the answer that is waited for, or one that is late. Whether it is one of them."""
        pending = self._pending
        if pending is not None and unit == pending.unit:
            try:
                data = payload(pending.pdu, answer)
            except Refused as refused:
                self._refused(pending, refused)
                return True
            except Misfit:
                pass
            else:
                self._steps.settled(unit, pending.pdu)
                self._done()
                self._turns.give_back()
                if not pending.answer.done():
                    pending.answer.set_result(data)
                return True
        if self._steps.late(unit, answer):
            self._traffic.late_answers += 1
            return True
        return False

    def _refused(self, pending: Pending, refused: Refused) -> None:
        """A refusal. While answers are owed nobody knows to what: then the regular one may still come."""
        if self._fencing:
            self._fence_refused = True
            return
        if not self._steps.in_step(pending.unit):
            self._steps.owes(pending.unit, pending.pdu)
        self._done()
        self._fail(pending, refused)

    def _garbled(self) -> None:
        """Something came that is no answer. What was asked is not answered; the rest of the noise is let pass."""
        self._traffic.misfits += 1
        self._buffer = b""
        self._quiet_s = max(self._quiet_s, SHORTEST_QUIET_S, 4 * self._gap_s)
        if self._pending is not None:
            self._missing(self._pending, "the answer was damaged, or to another request")

    def _expire(self) -> None:
        if (pending := self._pending) is None:
            return
        if self._fencing and self._fence_refused:  # that was all: nothing is owed from before
            self._steps.forgiven(pending.unit)
            self._done()
            self._turns.give_back()
            if not pending.answer.done():
                pending.answer.set_result(b"")
            return
        self._quiet_s = max(self._quiet_s, SHORTEST_QUIET_S, 4 * self._gap_s)
        self._missing(pending, "")

    def _missing(self, pending: Pending, why: str) -> None:
        self._steps.owes(pending.unit, pending.pdu)
        self._done()
        self._silence(pending, why)

    def _done(self) -> None:
        self._pending = None
        self._fencing = False
        if self._timer is not None:
            self._timer.cancel()

    async def _silent(self) -> None:
        """Wait until the line is silent; what has come until then is no answer to what will be asked."""
        latest = self._loop.time() + self._quiet_s + LONGEST_DRAIN_S
        while (left_s := self._heard + self._quiet_s - self._loop.time()) > 0:
            if self._loop.time() > latest:
                self._misfit("the line is never silent")
                return
            await asyncio.sleep(left_s)
        if self._buffer:
            self._traffic.misfits += 1
            self._buffer = b""
        self._quiet_s = self._gap_s

    @override
    def _take_all(self) -> list[Pending]:
        pending, self._pending = self._pending, None
        return [pending] if pending else []


def _size(frame: bytes) -> int:
    """Bytes of the frame that begins so; 0 if none does, more than there are if that can't be said yet."""
    if len(frame) < _UNIT_AND_CHECK:
        return _UNIT_AND_CHECK
    function = frame[1]
    if function & EXCEPTION:
        return 5
    if function in _READS:
        return _UNIT_AND_CHECK + 2 + frame[2]
    return 8 if function in _WRITES else 0
