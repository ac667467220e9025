"""Publish requests under way: several, so that a long round trip delays nothing."""

import asyncio
from collections import deque

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes

from linecontrol_opcua import decode
from linecontrol_opcua.decode import Refusal
from linecontrol_opcua.session import Session

MOST = 3
"""Publish requests under way at once; fewer if the server says that they are too many."""


class Publisher:
    """Keeps publish requests at the server, and hands over the responses."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._most = MOST
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._acknowledge: list[ua.SubscriptionAcknowledgement] = []

    def acknowledge(self, subscription: int, sequence: int) -> None:
        """Tell the server with the next request that a message has been taken."""
        self._acknowledge.append(ua.SubscriptionAcknowledgement(SubscriptionId=subscription, SequenceNumber=sequence))

    def forget(self) -> list[bytes]:
        """The connection is another one: no request is under way on it. What had come before is handed over."""
        came, self._waiting = self._waiting, deque()
        return [body for future in came if future.done() and (body := self._body(future, or_none=True)) is not None]

    def fill(self) -> None:
        """Have as many requests at the server as there may be.

        Raises:
            OSError: the connection is gone.
        """
        while len(self._waiting) < self._most:
            acknowledged, self._acknowledge = self._acknowledge, []
            self._waiting.append(self._session.ask_to_publish(acknowledged))

    async def responses(self, timeout_s: float) -> list[bytes]:
        """Bodies of the responses that have come, waiting for the first; none if it takes too long.

        Raises:
            OSError: the connection is gone.
            Refusal: the server does not publish.
        """
        if self._waiting and not any(future.done() for future in self._waiting):
            await asyncio.wait(self._waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        done = [future for future in self._waiting if future.done()]
        whole = [future for future in done if future.exception() is None] or done
        self._waiting = deque(future for future in self._waiting if future not in whole)
        return [body for future in whole if (body := self._body(future)) is not None]

    def _body(self, future: "asyncio.Future[bytes]", *, or_none: bool = False) -> bytes | None:
        if or_none and future.exception() is not None:
            return None
        body = bytes(future.result())
        try:
            decode.check_fault(body)
        except Refusal as refusal:
            if refusal.status == StatusCodes.BadTooManyPublishRequests and self._most > 1:
                self._most -= 1
                return None
            if or_none:
                return None
            raise
        return body
