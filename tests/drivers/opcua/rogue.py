"""A scripted OPC UA server over bare TCP: it does right until a test tells it otherwise."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, struct_to_binary
from typing_extensions import override

_T0 = datetime(2026, 1, 1, tzinfo=UTC)
NAMESPACES, STATE = 2255, 2259
FIRST = 1000
"""Number of the first node, in namespace 1."""
LIMITS = {11705: 0, 11707: 0, 11714: 0}
LARGEST = 64_500
"""Bytes of a message in one chunk."""
Answer = Callable[["Link", Any], Any]


def status(code: int) -> ua.StatusCode:
    return ua.StatusCode(ua.UInt32(code))


def fault(code: int) -> ua.ServiceFault:
    response = ua.ServiceFault()
    response.ResponseHeader.ServiceResult = status(code)
    return response


def value(number: float, at: int = 0, code: int = 0) -> ua.DataValue:
    stamp = ua.DateTime.fromtimestamp(_T0.timestamp() + at, UTC)
    return ua.DataValue(ua.Variant(number, ua.VariantType.Double), status(code), stamp, stamp)


class Rogue:
    """The server: what it holds, whom it serves, and how it answers."""

    def __init__(self) -> None:
        self.port = 0
        self.links: list[Link] = []
        self.sessions: dict[int, bool] = {}
        self.subscriptions: dict[int, bool] = {}
        self.handles: dict[int, int] = {}
        self.values: dict[int, ua.DataValue] = {}
        self.waiting: list[tuple[Link, int, int]] = []
        self.retained: dict[int, ua.NotificationMessage] = {}
        self.sequence = 0
        self.keep_alives = True
        self.calls: list[str] = []
        self.acknowledge: bytes | None = None
        self.answers: dict[str, Answer] = {}
        self.refuse = False
        self.asked = asyncio.Event()
        """Set whenever a request has been answered or kept."""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Rogue"]:
        server = await asyncio.get_running_loop().create_server(lambda: Link(self), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await asyncio.sleep(0)

    def cut(self) -> None:
        """Drop every connection; sessions and subscriptions stay."""
        for link in self.links:
            if link.transport is not None:
                link.transport.abort()
        self.links.clear()
        self.waiting.clear()

    async def until(self, call: str, times: int = 1) -> None:
        while self.calls.count(call) < times:
            self.asked.clear()
            await self.asked.wait()

    def message(self, *changes: tuple[int, ua.DataValue], body: Any = None) -> ua.NotificationMessage:
        """The next message, kept for republishing but not sent."""
        self.sequence += 1
        items = [ua.MonitoredItemNotification(ua.UInt32(handle), data) for handle, data in changes]
        data = ua.DataChangeNotification(MonitoredItems=items) if body is None else body
        message = ua.NotificationMessage(ua.UInt32(self.sequence), NotificationData=[data])
        self.retained[self.sequence] = message
        return message

    def publish(self, *changes: tuple[int, ua.DataValue]) -> None:
        for handle, data in changes:
            self.values[self.handles[handle]] = data
        self.send(self.message(*changes))

    def keep_alive(self) -> None:
        self.send(ua.NotificationMessage(ua.UInt32(self.sequence + 1)))

    def send(self, message: ua.NotificationMessage) -> None:
        """Answer the oldest publish request."""
        link, request, handle = self.waiting.pop(0)
        result = ua.PublishResult(ua.UInt32(77), NotificationMessage=message, MoreNotifications=False)
        link.answer(request, handle, ua.PublishResponse(Parameters=result))

    # What it does on each request.

    def answer(self, link: "Link", name: str, request: Any) -> Any:
        self.calls.append(name)
        self.asked.set()
        special = self.answers.get(name)
        if special is not None:
            return special(link, request)
        act = getattr(self, f"on_{name}", None)
        return fault(StatusCodes.BadServiceUnsupported) if act is None else act(link, request)

    def on_OpenSecureChannel(self, link: "Link", request: Any) -> Any:  # noqa: N802
        response = ua.OpenSecureChannelResponse()
        link.token += 1
        response.Parameters.SecurityToken.ChannelId = 5
        response.Parameters.SecurityToken.TokenId = link.token
        response.Parameters.SecurityToken.RevisedLifetime = request.Parameters.RequestedLifetime
        return response

    def endpoints(self) -> list[ua.EndpointDescription]:
        endpoint = ua.EndpointDescription(SecurityMode=ua.MessageSecurityMode.None_)
        endpoint.EndpointUrl = f"opc.tcp://127.0.0.1:{self.port}"
        endpoint.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#None"
        endpoint.UserIdentityTokens = [ua.UserTokenPolicy("anonymous", ua.UserTokenType.Anonymous)]
        return [endpoint]

    def on_GetEndpoints(self, _: "Link", __: Any) -> Any:  # noqa: N802
        return ua.GetEndpointsResponse(Endpoints=self.endpoints())

    def on_CreateSession(self, _: "Link", request: Any) -> Any:  # noqa: N802
        number = 100 + len(self.sessions)
        self.sessions[number] = False
        result = ua.CreateSessionResult(ua.NodeId(ua.Int32(1)), ua.NodeId(ua.Int32(number)))
        result.RevisedSessionTimeout = request.Parameters.RequestedSessionTimeout
        result.ServerEndpoints = self.endpoints()
        return ua.CreateSessionResponse(Parameters=result)

    def on_ActivateSession(self, _: "Link", request: Any) -> Any:  # noqa: N802
        number = request.RequestHeader.AuthenticationToken.Identifier
        if number not in self.sessions:
            return fault(StatusCodes.BadSessionIdInvalid)
        self.sessions[number] = True
        return ua.ActivateSessionResponse()

    def on_CloseSession(self, _: "Link", request: Any) -> Any:  # noqa: N802
        self.sessions.pop(request.RequestHeader.AuthenticationToken.Identifier, None)
        self.subscriptions.clear()
        return ua.CloseSessionResponse()

    def on_Read(self, _: "Link", request: Any) -> Any:  # noqa: N802
        return ua.ReadResponse(Results=[self.read(wanted.NodeId) for wanted in request.Parameters.NodesToRead])

    def read(self, node: ua.NodeId) -> ua.DataValue:
        number = int(str(node.Identifier))
        if node.NamespaceIndex:
            return self.values.get(number - FIRST) or ua.DataValue(StatusCode=status(StatusCodes.BadNodeIdUnknown))
        if number == NAMESPACES:
            return ua.DataValue(ua.Variant(["http://opcfoundation.org/UA/", "urn:rogue"], ua.VariantType.String))
        if number == STATE:
            return ua.DataValue(ua.Variant(0, ua.VariantType.Int32))
        if number in LIMITS:
            return ua.DataValue(ua.Variant(LIMITS[number], ua.VariantType.UInt32))
        return ua.DataValue(StatusCode=status(StatusCodes.BadNodeIdUnknown))

    def on_CreateSubscription(self, _: "Link", request: Any) -> Any:  # noqa: N802
        self.subscriptions[77] = True
        wanted = request.Parameters
        return ua.CreateSubscriptionResponse(
            Parameters=ua.CreateSubscriptionResult(
                ua.UInt32(77),
                wanted.RequestedPublishingInterval,
                wanted.RequestedLifetimeCount,
                wanted.RequestedMaxKeepAliveCount,
            )
        )

    def on_DeleteSubscriptions(self, _: "Link", __: Any) -> Any:  # noqa: N802
        self.subscriptions.clear()
        return ua.DeleteSubscriptionsResponse(Results=[status(StatusCodes.Good)])

    def on_CreateMonitoredItems(self, _: "Link", request: Any) -> Any:  # noqa: N802
        results = []
        for item in request.Parameters.ItemsToCreate:
            node = item.ItemToMonitor.NodeId
            number = int(str(node.Identifier)) - FIRST
            known = node.NamespaceIndex == 1 and number in self.values
            if known:
                self.handles[item.RequestedParameters.ClientHandle] = number
            code = StatusCodes.Good if known else StatusCodes.BadNodeIdUnknown
            queue = item.RequestedParameters.QueueSize
            results.append(ua.MonitoredItemCreateResult(status(code), RevisedQueueSize=queue))
        return ua.CreateMonitoredItemsResponse(Results=results)

    def on_Publish(self, link: "Link", _: Any) -> Any:  # noqa: N802
        self.waiting.append((link, link.request, link.handle))

    def on_Republish(self, _: "Link", request: Any) -> Any:  # noqa: N802
        message = self.retained.get(request.Parameters.RetransmitSequenceNumber)
        if message is None:
            return fault(StatusCodes.BadMessageNotAvailable)
        return ua.RepublishResponse(NotificationMessage=message)

    def on_TransferSubscriptions(self, _: "Link", __: Any) -> Any:  # noqa: N802
        code = StatusCodes.Good if self.subscriptions else StatusCodes.BadSubscriptionIdInvalid
        results = [ua.TransferResult(status(code))]
        return ua.TransferSubscriptionsResponse(Parameters=ua.TransferSubscriptionsResult(Results=results))


class Link(asyncio.Protocol):
    """One connection to the rogue."""

    def __init__(self, rogue: Rogue) -> None:
        self.rogue = rogue
        self.transport: asyncio.Transport | None = None
        self.token = self.sent = self.request = self.handle = 0
        self._received = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.rogue.refuse:
            transport.abort()
        else:
            self.rogue.links.append(self)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= 8:
            (size,) = struct.unpack_from("<I", self._received, 4)
            if len(self._received) < size:
                return
            frame, self._received = self._received[:size], self._received[size:]
            self._frame(frame)

    def _frame(self, frame: bytes) -> None:
        kind = frame[:3]
        if kind == b"HEL":
            body = struct.pack("<5I", 0, 65535, 65535, 0, 0)
            self.raw(self.rogue.acknowledge or b"ACKF" + struct.pack("<I", 8 + len(body)) + body)
            return
        buffer = Buffer(frame[12:])
        if kind == b"OPN":
            struct_from_binary(ua.AsymmetricAlgorithmHeader, buffer)
        else:
            buffer.read(4)
        (_, self.request) = struct.unpack("<II", buffer.read(8))
        if kind == b"CLO":
            return
        number = nodeid_from_binary(buffer.copy()).Identifier
        cls = ua.extension_objects_by_typeid[ua.NodeId(ua.Int32(number))]
        request: Any = struct_from_binary(cls, buffer)
        self.handle = request.RequestHeader.RequestHandle
        response = self.rogue.answer(self, cls.__name__.removesuffix("Request"), request)
        if response is not None:
            self.answer(self.request, self.handle, response, b"OPN" if kind == b"OPN" else b"MSG")

    def answer(self, request: int, handle: int, response: Any, kind: bytes = b"MSG") -> None:
        body = response if isinstance(response, bytes) else None
        if body is None:
            response.ResponseHeader.RequestHandle = handle
            body = struct_to_binary(response)
        self.body(request, body, kind)

    def body(self, request: int, body: bytes, kind: bytes = b"MSG", chunk: bytes = b"F") -> None:
        while len(body) > LARGEST:
            self.body(request, body[:LARGEST], kind, b"C")
            body = body[LARGEST:]
        self.sent += 1
        if kind == b"OPN":
            header = ua.AsymmetricAlgorithmHeader()
            header.SecurityPolicyURI = ua.String("http://opcfoundation.org/UA/SecurityPolicy#None")
            security = struct_to_binary(header)
        else:
            security = struct.pack("<I", self.token)
        inner = security + struct.pack("<II", self.sent, request) + body
        channel = 0 if kind == b"OPN" and self.token == 1 else 5
        self.raw(kind + chunk + struct.pack("<II", 12 + len(inner), channel) + inner)

    def raw(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)
