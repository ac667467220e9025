"""asyncua's client protocol with limits: no frame, message or response gets to its decoders unmeasured."""

import asyncio
from struct import Struct
from typing import Any

from asyncua import ua
from asyncua.client.ua_client import UASocketProtocol, UASocketState
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicy
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import header_from_binary, struct_from_binary, struct_to_binary
from typing_extensions import override

from linecontrol.driver import Traffic
from linecontrol_opcua import decode, grammar
from linecontrol_opcua.trouble import count
from linecontrol_opcua.wire import MOST_BYTES, Misfit

MOST_CHUNKS = 512
"""Chunks in one message."""
LARGEST_CHUNK, SMALLEST_CHUNK = 65_535, 8_192
"""Bytes in one chunk: what we take, and what a server must take at least."""

_HEADER = Struct("<3scI")
_KINDS = {b"ACK", b"ERR", b"OPN", b"MSG"}
_FROM_CHANNEL = {b"OPN", b"MSG"}


class Limits(TransportLimits):
    """Ours, which an acknowledgement can make smaller but never larger."""

    def __init__(self) -> None:
        super().__init__(LARGEST_CHUNK, LARGEST_CHUNK, MOST_CHUNKS, MOST_BYTES)

    @override
    def update_client_limits(self, msg: ua.Acknowledge) -> None:
        if msg.ReceiveBufferSize < SMALLEST_CHUNK:
            msg_ = f"it takes chunks of {msg.ReceiveBufferSize} bytes, where at least {SMALLEST_CHUNK} are due"
            raise Misfit(msg_)
        self.max_send_buffer = min(LARGEST_CHUNK, msg.ReceiveBufferSize)


class Transport(UASocketProtocol):
    """One TCP connection with one secure channel, used once."""

    def __init__(
        self, timeout_s: float, policy: SecurityPolicy, traffic: Traffic, before: "Transport | None" = None
    ) -> None:
        """``before`` is the connection that this one carries on: its requests are not mistaken for new ones."""
        super().__init__(timeout_s, policy, Limits())
        self._connection._limits = Limits()  # noqa: SLF001 - not the copy that it made
        self._traffic = traffic
        self._received = bytearray()
        self._request_id = self._first_id = before.last_id if before else 0
        self._why: Exception | None = None

    @property
    def last_id(self) -> int:
        """Number of the last request sent."""
        return self._request_id

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(self._why or exc)

    @override
    def _send_request(
        self, request: Any, timeout: float = 1, message_type: Any = ua.MessageType.SecureMessage
    ) -> asyncio.Future[Any]:
        self._setup_request_header(request.RequestHeader, timeout)
        return self._send(struct_to_binary(request), message_type)

    def ask(self, type_id: int, parameters: bytes, timeout_s: float) -> asyncio.Future[Any]:
        """Send a request whose parameters are encoded already; the future holds the body of the response."""
        header = ua.RequestHeader()
        self._setup_request_header(header, timeout_s)
        encoded = b"\x01\x00" + type_id.to_bytes(2, "little") + struct_to_binary(header) + parameters
        return self._send(encoded, ua.MessageType.SecureMessage)

    def _send(self, encoded: bytes, message_type: Any) -> asyncio.Future[Any]:
        if self.transport is None or self.state is not UASocketState.OPEN:
            msg = "the connection is closed"
            raise ConnectionError(msg)
        self.revolve_security_token()
        number = self._request_id + 1
        frames = self._connection.message_to_binary(encoded, message_type=message_type, request_id=number)
        self._request_id = number
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_seen)
        self._callbackmap[number] = future
        self._traffic.bytes_sent += len(frames)
        self.transport.write(frames)
        return future

    @override
    def data_received(self, data: bytes) -> None:
        self._traffic.bytes_received += len(data)
        received = self._received
        received += data
        try:
            while self.state is UASocketState.OPEN and len(received) >= _HEADER.size:
                kind, _, size = _HEADER.unpack_from(received)
                if kind not in _KINDS or not _HEADER.size < size <= LARGEST_CHUNK:
                    msg = f"a frame of kind {kind!r} and {size} bytes"
                    raise Misfit(msg)
                if len(received) < size:
                    return
                frame = bytes(received[:size])
                del received[:size]
                self._frame(frame, kind)
        except Exception as error:  # noqa: BLE001 - whatever a decoder raises on what a stranger sent
            self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """Drop the connection; whoever waits for an answer is told why."""
        if not isinstance(error, (OSError, Misfit, decode.Refusal)):
            error = Misfit(str(error) or type(error).__name__)
        if isinstance(error, Misfit):
            count(self._traffic, error)
        self._why = error
        self._fail_all_pending(error)
        self._received.clear()
        self.state = UASocketState.CLOSED
        if self.transport is not None:
            self.transport.abort()

    def _frame(self, frame: bytes, kind: bytes) -> None:
        buffer = Buffer(frame)
        header = header_from_binary(buffer)
        if kind == b"ERR":
            error = struct_from_binary(ua.ErrorMessage, buffer)
            raise decode.Refusal(int(error.Error.value) or int(StatusCodes.BadCommunicationError))
        message = self._connection.receive_from_header_and_body(header, buffer)
        if message is None:
            return
        if kind not in _FROM_CHANNEL:
            if 0 in self._callbackmap:
                self._call_callback(0, message)
            return
        body = message.body()
        raw = bytes(body)
        ours = grammar.check(raw) in grammar.OURS
        if kind == b"OPN":
            self._opened(body.copy())
        self._call_callback(message.request_id(), raw if ours else body)

    def _opened(self, body: Buffer) -> None:
        asked: Any = self._open_secure_channel_exchange
        if asked is None or isinstance(asked, ua.OpenSecureChannelResponse):
            msg = "a secure channel that nobody asked for"
            raise Misfit(msg)
        self.check_answer(body, "")
        response = struct_from_binary(ua.OpenSecureChannelResponse, body)
        response.ResponseHeader.ServiceResult.check()
        self._open_secure_channel_exchange = response
        self._connection.set_channel(response.Parameters, asked.RequestType, asked.ClientNonce)

    @override
    def _call_callback(self, request_id: int, body: Any) -> None:
        future = self._callbackmap.pop(request_id, None)
        if future is None and 0 < request_id <= self._first_id:
            self._traffic.late_answers += 1
        elif future is None:
            msg = f"an answer to request {request_id}, which nobody sent"
            raise Misfit(msg)
        elif future.done():
            self._traffic.late_answers += 1
        else:
            future.set_result(body)


def _seen(future: "asyncio.Future[Any]") -> None:
    """Nobody need ask what became of a request once the connection is closed."""
    if not future.cancelled():
        future.exception()
