"""What all transports have in common: turns, time limits, and an end that nothing survives."""

import asyncio
from typing import cast

from typing_extensions import override

from linecontrol.driver import ConnectionLost, Traffic
from linecontrol_modbus.pdu import Silent
from linecontrol_modbus.turns import Rank, Turns


class Pending:
    """A request that was sent. ``answer`` gets its payload, or says why there is none."""

    __slots__ = ("answer", "deadline", "pdu", "size", "unit")

    def __init__(self, unit: int, pdu: bytes, size: int, deadline: float, answer: asyncio.Future[bytes]) -> None:
        """``size``: bytes of a regular answer as the transport counts them; ``deadline`` in the loop's time."""
        self.unit, self.pdu, self.size, self.deadline, self.answer = unit, pdu, size, deadline, answer


class Wire(asyncio.Protocol):
    """One connection, used once. Every request ends: answered, refused, silent, or lost with the connection.

    A turn is given back when its request has ended, not when whoever asked has gone: a cancelled request still
    occupies the device.
    """

    def __init__(self, where: str, timeout_s: float, traffic: Traffic, turns: Turns) -> None:
        """``where`` names the connection in messages; ``timeout_s`` is how long an answer may take."""
        self.where = where
        self.broken: str | None = None
        self._timeout_s = timeout_s
        self._traffic = traffic
        self._turns = turns
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, unit: int, pdu: bytes, rank: Rank) -> asyncio.Future[bytes]:
        """Send a request as soon as it is its turn; what is returned will have the payload, ``Refused`` or ``Silent``.

        Raises:
            ConnectionLost: nothing was sent, for the connection is gone.
        """
        self.check()
        await self._turns.take(rank)
        if self.broken:
            self._turns.give_back()
        self.check()
        return self._send(unit, pdu)

    def check(self) -> None:
        """Nothing, if the connection stands.

        Raises:
            ConnectionLost: it doesn't.
        """
        if self.broken:
            raise self._lost()

    def end(self, reason: str) -> None:
        """Give up, for the first reason that there is; requests under way fail now, not after their timeout."""
        if self.broken:
            return
        self.broken = reason
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        for pending in self._take_all():
            self._fail(pending, self._lost())

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"the device closed the connection ({exc})" if exc else "the device closed the connection")

    def _send(self, unit: int, pdu: bytes) -> asyncio.Future[bytes]:
        raise NotImplementedError

    def _take_all(self) -> list[Pending]:
        """Requests under way, which are then no more."""
        raise NotImplementedError

    def _put(self, frame: bytes) -> None:
        if self._transport is not None:
            self._traffic.bytes_sent += len(frame)
            self._transport.write(frame)

    def _misfit(self, reason: str) -> None:
        self._traffic.misfits += 1
        self.end(reason)

    def _silence(self, pending: Pending, why: str = "") -> None:
        self._fail(pending, Silent(why or f"no answer within {self._timeout_s:g} s"))

    def _fail(self, pending: Pending, error: Exception) -> None:
        self._turns.give_back()
        if not pending.answer.done():
            pending.answer.set_exception(error)
            pending.answer.exception()  # nobody has to look: whoever asked may be gone

    def _lost(self) -> ConnectionLost:
        return ConnectionLost(f"{self.where}: {self.broken}")
