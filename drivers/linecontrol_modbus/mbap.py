"""Frames of Modbus TCP (and of its TLS variant): several requests may be under way, told apart by transaction ids.

A frame is transaction id (2 bytes), protocol id (2, always 0), length of the rest (2), unit id (1) and PDU.
"""

import random
import socket
from asyncio import BaseTransport, Future
from asyncio.trsock import TransportSocket
from struct import Struct

from typing_extensions import override

from linecontrol_modbus.pdu import LONGEST, Misfit, Refused, answer_size, payload
from linecontrol_modbus.wire import Pending, Wire

MOST_OWED = 16_384
"""So many answers may be outstanding for ever; then transaction ids would soon mean two things."""

_HEADER = Struct(">HHHB")
_START = Struct(">HHH")
_REFUSAL = 3


class TcpWire(Wire):
    """A timeout leaves the connection in place: the answer, should it still come, is known by its id and dropped."""

    def __init__(self, *arguments: object) -> None:
        """As any wire."""
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._pending: dict[int, Pending] = {}
        self._owed: set[int] = set()
        self._id = random.randrange(0xFFFF)  # noqa: S311 - a gateway may still hold answers to the connection before
        self._rest = b""
        self._socket: TransportSocket | None = None

    @override
    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._socket = transport.get_extra_info("socket")

    @override
    def _send(self, unit: int, pdu: bytes) -> Future[bytes]:
        number = self._next_id()
        answer: Future[bytes] = self._loop.create_future()
        deadline = self._loop.time() + self._timeout_s
        self._pending[number] = Pending(unit, pdu, answer_size(pdu) + 1, deadline, answer)
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._expire)
        self._put(_HEADER.pack(number, 0, len(pdu) + 1, unit) + pdu)
        return answer

    @override
    def data_received(self, data: bytes) -> None:
        self._traffic.bytes_received += len(data)
        if self.broken:
            return
        if self._rest:
            data = self._rest + data
        answered: list[tuple[int, bytes]] = []
        at, size = 0, len(data)
        try:
            while size - at >= _START.size:
                number, length = self._header(data, at)
                end = at + _START.size + length
                if end > size:
                    break
                if number in self._pending:
                    answered.append((number, data[at + _START.size : end]))
                elif number in self._owed:
                    self._owed.discard(number)
                    self._traffic.late_answers += 1
                at = end
            self._rest = data[at:]
            self._believe(answered)
        except Misfit as misfit:
            self._misfit(str(misfit))
        if self._pending and self._socket is not None:
            # Many devices send no small answer before the one before it is acknowledged, which takes 40 ms by itself.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _header(self, data: bytes, at: int) -> tuple[int, int]:
        """Transaction id and length of the frame that begins at ``at``.

        Raises:
            Misfit: no frame that we wait for begins so.
        """
        number, protocol, length = _START.unpack_from(data, at)
        pending = self._pending.get(number)
        if pending is None and number not in self._owed:
            msg = f"the answer is to another request: transaction {number} was not asked"
        elif protocol:
            msg = f"the answer is not Modbus: protocol {protocol}, not 0"
        elif not _REFUSAL <= length <= LONGEST + 1 or (pending and length not in (_REFUSAL, pending.size)):
            expected = pending.size if pending else f"{_REFUSAL} to {LONGEST + 1}"
            msg = f"the answer is too short or too long: length {length}, not {expected}"
        else:
            return number, length
        raise Misfit(msg)

    def _believe(self, answered: list[tuple[int, bytes]]) -> None:
        """Hand over answers, all of one piece of the stream or none: where one doesn't fit, the one before may lie too.

        Raises:
            Misfit: one doesn't fit its request.
        """
        results: list[tuple[int, bytes | Refused]] = []
        if len(dict(answered)) < len(answered):
            msg = "the answer is to another request: a transaction was answered twice"
            raise Misfit(msg)
        for number, frame in answered:
            pending = self._pending[number]
            if frame[0] != pending.unit:
                msg = f"the answer is from unit {frame[0]}, not {pending.unit}: if it always is, set unit: {frame[0]}"
                raise Misfit(msg)
            try:
                results.append((number, payload(pending.pdu, frame[1:])))
            except Refused as refused:
                results.append((number, refused))
        for number, result in results:
            pending = self._pending.pop(number)
            if isinstance(result, Refused):
                self._fail(pending, result)
                continue
            self._turns.give_back()
            if not pending.answer.done():
                pending.answer.set_result(result)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        late = [number for number, pending in self._pending.items() if pending.deadline <= now]
        if late and self._rest:
            self._misfit(f"the device stopped in the middle of an answer for {self._timeout_s:g} s")
            return
        for number in late:
            self._owed.add(number)
            self._silence(self._pending.pop(number))
        if len(self._owed) > MOST_OWED:
            self.end(f"the device owes {len(self._owed)} answers")
        elif self._pending:
            self._timer = self._loop.call_at(min(p.deadline for p in self._pending.values()), self._expire)

    @override
    def _take_all(self) -> list[Pending]:
        pending, self._pending = list(self._pending.values()), {}
        return pending

    def _next_id(self) -> int:
        while True:
            self._id = self._id % 0xFFFF + 1
            if self._id not in self._pending and self._id not in self._owed:
                return self._id
