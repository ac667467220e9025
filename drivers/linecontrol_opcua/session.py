"""One session at an OPC UA server: asyncua's channel and rare services, without its tasks.

Nothing runs in the background: a request is sent when asked for and the secure channel is renewed between two publish
responses, so there is nothing to leak. asyncua's publish loop, watchdogs and reconnect are not used.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from asyncua.ua.uaerrors import (
    BadSecureChannelIdInvalid,
    BadSecurityPolicyRejected,
    BadSessionClosed,
    BadSessionIdInvalid,
    BadSessionNotActivated,
    UaError,
    UaStatusCodeError,
)
from typing_extensions import override

from linecontrol.driver import Clock, ConnectionLost, DeviceRefused, Traffic
from linecontrol_opcua import decode, loose
from linecontrol_opcua.loose import Loose
from linecontrol_opcua.security import Security
from linecontrol_opcua.settings import OpcuaConnection
from linecontrol_opcua.transport import LARGEST_CHUNK, MOST_CHUNKS, Transport
from linecontrol_opcua.trouble import status_name, told
from linecontrol_opcua.wire import MOST_BYTES

SESSION_TIMEOUT_MS = 60_000
"""A session that was cut off is given up by the server after so long."""
MOST_PER_CALL = 500
"""Nodes in one request; fewer if the server says so."""
GOODBYE_S = 1.0
"""How long the server is given to answer the goodbye."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_LIMITS = (
    ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite,
    ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
    ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIds,
)
_FORGOTTEN = (BadSessionIdInvalid, BadSessionClosed, BadSessionNotActivated, BadSecureChannelIdInvalid)


def quiet_asyncua() -> None:
    """Keep asyncua's own logging to errors: what it warns of, the driver tells; at INFO it prints every value."""
    logger = logging.getLogger("asyncua")
    if logger.level < logging.WARNING:
        logger.setLevel(logging.ERROR)


class _Left(NamedTuple):
    """A session that could not be closed."""

    settings: OpcuaConnection
    token: ua.NodeId
    nonce: bytes | None
    tokens: list[ua.UserTokenPolicy]
    subscription: int


_left: dict[tuple[str, str], _Left] = {}
"""What the last life of each connection had to leave behind at the server."""


class _Client(Client):
    """asyncua's, which can leave out by which algorithm a password is encrypted: that of the channel.

    There are servers that refuse a password whose algorithm is named if their token policy names none.
    """

    names_algorithm = True

    @override
    def _encrypt_password(self, password: str, policy_uri: str) -> tuple[bytes, str]:
        data, algorithm = super()._encrypt_password(password, policy_uri)
        return data, algorithm if self.names_algorithm else ""

    def server_token_policy(self, kind: ua.UserTokenType) -> str:
        """The security policy that the server names for such tokens; empty if it is that of the channel."""
        return next((str(token.SecurityPolicyUri or "") for token in self._policy_ids if token.TokenType == kind), "")


class Session:
    """A session at one server, used once. Each method raises ``ConnectionLost`` or ``DeviceRefused``."""

    def __init__(self, name: str, settings: OpcuaConnection, clock: Clock, traffic: Traffic) -> None:
        """``settings.timeout`` is how long the server may take to answer one request; three times that to connect."""
        quiet_asyncua()
        self.name = name
        self.url = settings.url
        self.timeout_s = settings.timeout / 1e9
        self._address = settings.endpoint()
        self.namespaces: list[str] = []
        most = min(MOST_PER_CALL, settings.vendor.per_call)
        self._most_read = settings.vendor.per_read
        self._most_written = self._most_monitored = self.most_paths = most
        self._traffic = traffic
        self._security = Security(name, settings, clock)
        self._transport: Transport | None = None
        self._renew_at = 0.0
        self._settings = settings
        self._subscription = 0
        self._client = _Client(self.url, timeout=self.timeout_s)
        self._client.name = self._client.description = "linecontrol"
        self._client.session_timeout = SESSION_TIMEOUT_MS
        self._client.max_messagesize, self._client.max_chunkcount = MOST_BYTES, MOST_CHUNKS

    async def open(self) -> None:
        """Connect, open a session, and learn the server's namespaces and limits."""
        with told(self.name, self.url):
            async with asyncio.timeout(3 * self.timeout_s):
                await self._security.prepare(self._ask_endpoints)
                await self._open_channel()
                if not await self._carry_on_left():
                    await self._open_session()
                await self._learn()

    async def _ask_endpoints(self) -> list[ua.EndpointDescription]:
        """What the server offers, over a channel of its own that is closed again."""
        try:
            await self._open_channel(plain=True)
            endpoints: list[ua.EndpointDescription] = await self._client.get_endpoints()
            with suppress(OSError):
                await self._client.close_secure_channel()
            return endpoints
        finally:
            await self._drop()

    async def _open_channel(self, *, plain: bool = False) -> None:
        client, security = self._client, self._security
        policy: Any = security.new_policy(plain=plain)
        client.security_policy = policy
        client.uaclient.set_security(policy)
        transport = Transport(self.timeout_s, policy, self._traffic, self._transport)
        await asyncio.get_running_loop().create_connection(lambda: transport, *self._address)
        self._transport = client.uaclient.protocol = transport
        await client.send_hello()
        await client.open_secure_channel()
        self._plan_renewal()

    async def _open_session(self) -> None:
        client = self._client
        client.application_uri = self._security.application_uri
        try:
            created = await client.create_session()
        except UaStatusCodeError:
            raise
        except UaError as error:
            msg = f"{self.name} ({self.url}) refused: it does not offer the security that is configured ({error})"
            raise DeviceRefused(msg) from error
        client._policy_ids = self._security.tokens(created.ServerEndpoints)  # noqa: SLF001 - only those that are safe
        await self._activate()

    async def _carry_on_left(self) -> bool:
        """Take up the session that the life before could not close, if the server has it still: it is not left over."""
        left = _left.pop((self.name, self.url), None)
        if left is None or left.settings != self._settings:
            return False
        client = self._client
        client._server_nonce, client._policy_ids = left.nonce, left.tokens  # type: ignore[assignment]  # noqa: SLF001
        client.application_uri = self._security.application_uri
        client.uaclient.session.restore_authentication_token(left.token)
        self._subscription = left.subscription
        try:
            await self._activate()
        except UaError:
            client.uaclient.session.reset_authentication_token()
            self._subscription = 0
            return False
        if left.subscription:
            parameters = ua.DeleteSubscriptionsParameters(SubscriptionIds=[left.subscription])
            request = ua.DeleteSubscriptionsRequest(Parameters=parameters)
            await self.call(request, ua.DeleteSubscriptionsResponse)
            self._subscription = 0
        return True

    async def _activate(self) -> None:
        client = self._client
        client.names_algorithm = True
        user = self._security.user(client)
        try:
            await client.activate_session(**user)
        except BadSecurityPolicyRejected:
            if "password" not in user or client.server_token_policy(ua.UserTokenType.UserName):
                raise
            client.names_algorithm = False
            await client.activate_session(**user)

    async def reopen(self) -> bool:
        """Carry the session on over a new connection; whether the server still knew it.

        If it did not, there is a new session, and the subscription is not yet its own.

        Raises:
            OSError: there is no connection to be had now.
            UaError: the server refuses.
        """
        await self._drop()
        await self._open_channel()
        self._client.uaclient.session.rebind_authentication_token()
        try:
            await self._activate()
        except _FORGOTTEN:
            self._client.uaclient.session.reset_authentication_token()
            await self._open_session()
            return False
        return True

    async def _learn(self) -> None:
        ids = [ua.NodeId(ua.Int32(i)) for i in (ObjectIds.Server_NamespaceArray, *_LIMITS)]
        namespaces, *limits = await self.read_data(ids)
        if namespaces.status & 0x8000_0000 or not isinstance(namespaces.value, list):
            msg = f"{self.name} ({self.url}) does not tell its namespaces ({status_name(namespaces.status)})"
            raise ConnectionLost(msg)
        self.namespaces = [str(uri) for uri in namespaces.value]
        read, written, monitored, paths = (limit.value for limit in limits)
        self._most_read = _least(read, self._most_read)
        self._most_written = _least(written, self._most_written)
        self._most_monitored = _least(monitored, self._most_monitored)
        self.most_paths = _least(paths, min(self._most_read, self._most_written))

    async def close(self) -> None:
        """Say goodbye, if the server listens, and drop the connection. Never raises."""
        uaclient = self._client.uaclient
        token, said = uaclient.session.authentication_token, False
        try:
            with suppress(Exception):
                async with asyncio.timeout(GOODBYE_S):
                    await self._close_session()
                    said = True
                    await uaclient.close_secure_channel()
        finally:
            if not said and not token.is_null():
                nonce, tokens = self._client._server_nonce, self._client._policy_ids  # noqa: SLF001
                _left[self.name, self.url] = _Left(self._settings, token, nonce, tokens, self._subscription)
            uaclient.session.reset_authentication_token()
            await self._drop()

    async def _close_session(self) -> None:
        request = ua.CloseSessionRequest(DeleteSubscriptions=True)
        if not self._client.uaclient.session.authentication_token.is_null():
            await self.call(request, ua.CloseSessionResponse)

    async def _drop(self) -> None:
        transport = self._transport
        if transport is not None and transport.transport is not None:
            transport.transport.abort()
            # The loop tells the protocol in its next round.
            await asyncio.sleep(0)

    async def read_data(self, nodes: Sequence[ua.NodeId], attribute: int = AttributeIds.Value) -> list[Loose]:
        """An attribute of nodes, whatever it holds; one for each node, in order."""
        with told(self.name, self.url):
            return await _in_chunks(nodes, self._most_read, lambda chunk: self._read_data(chunk, attribute))

    async def _read_data(self, nodes: Sequence[ua.NodeId], attribute: int) -> list[Loose]:
        return loose.read(await self.ask(READ_REQUEST, encoded_read(nodes, attribute)), len(nodes))

    def encoded_reads(self, nodes: Sequence[ua.NodeId]) -> list[tuple[bytes, int]]:
        """Requests to read the nodes, in chunks that the server takes: each one's bytes and number of nodes."""
        most = self._most_read
        chunks = [nodes[start : start + most] for start in range(0, len(nodes), most)]
        return [(encoded_read(chunk), len(chunk)) for chunk in chunks]

    async def ask(self, type_id: int, parameters: bytes) -> bytes:
        """The body of the response to a request whose parameters are encoded already."""
        with told(self.name, self.url):
            async with asyncio.timeout(self.timeout_s):
                body = bytes(await self._live().ask(type_id, parameters, self.timeout_s))
            decode.check_fault(body)
            return body

    async def write(self, values: Sequence[tuple[ua.NodeId, ua.Variant]]) -> list[ua.StatusCode]:
        """Write values without status and times (many servers refuse those); one status each, in order."""
        with told(self.name, self.url):
            return await _in_chunks(values, self._most_written, self._write)

    async def _write(self, values: Sequence[tuple[ua.NodeId, ua.Variant]]) -> list[ua.StatusCode]:
        data = [ua.DataValue(variant, StatusCode=None) for _, variant in values]
        return await self._client.uaclient.session.write_attributes([node for node, _ in values], data)

    async def call(self, request: Any, kind: type) -> Any:
        """The response to a request that asyncua encodes and decodes."""
        with told(self.name, self.url):
            response: Any = struct_from_binary(kind, await self._live().send_request(request))
            response.ResponseHeader.ServiceResult.check()
            return response

    async def subscribe(self, parameters: ua.CreateSubscriptionParameters) -> ua.CreateSubscriptionResult:
        """Create a subscription; nothing is asked to be published yet."""
        response = await self.call(ua.CreateSubscriptionRequest(Parameters=parameters), ua.CreateSubscriptionResponse)
        created: ua.CreateSubscriptionResult = response.Parameters
        self._subscription = int(created.SubscriptionId)
        return created

    async def modify(self, parameters: ua.ModifySubscriptionParameters) -> ua.ModifySubscriptionResult:
        """Change how often a subscription publishes."""
        response = await self.call(ua.ModifySubscriptionRequest(Parameters=parameters), ua.ModifySubscriptionResponse)
        result: ua.ModifySubscriptionResult = response.Parameters
        return result

    async def take_over(self, subscription: int) -> bool:
        """Have a subscription of an earlier session moved to this one; whether the server did."""
        parameters = ua.TransferSubscriptionsParameters(SubscriptionIds=[subscription], SendInitialValues=False)
        request = ua.TransferSubscriptionsRequest(Parameters=parameters)
        response = await self.call(request, ua.TransferSubscriptionsResponse)
        results = response.Parameters.Results
        return len(results) == 1 and bool(results[0].StatusCode.is_good())

    async def monitor(
        self, subscription: int, items: Sequence[ua.MonitoredItemCreateRequest]
    ) -> list[ua.MonitoredItemCreateResult]:
        """Create monitored items, call after call and never at once; one result each, in order."""

        async def create(chunk: Sequence[ua.MonitoredItemCreateRequest]) -> list[ua.MonitoredItemCreateResult]:
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=subscription,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                ItemsToCreate=list(chunk),
            )
            return await self._client.uaclient.session.create_monitored_items(parameters)

        with told(self.name, self.url):
            return await _in_chunks(items, self._most_monitored, create)

    def ask_to_publish(self, acknowledged: Sequence[ua.SubscriptionAcknowledgement]) -> "asyncio.Future[bytes]":
        """Send a publish request; the future holds the body of the response.

        Raises:
            OSError: the connection is gone.
        """
        parameters = ua.PublishParameters(SubscriptionAcknowledgements=list(acknowledged))
        return self._live().ask(PUBLISH_REQUEST, struct_to_binary(parameters), 0)

    async def republish(self, subscription: int, sequence: int) -> bytes:
        """The body of the answer to the wish for a message of before.

        Raises:
            OSError: the connection is gone.
            Refusal: the server does not have it any more.
        """
        parameters = ua.RepublishParameters(SubscriptionId=subscription, RetransmitSequenceNumber=sequence)
        async with asyncio.timeout(self.timeout_s):
            body = bytes(await self._live().ask(REPUBLISH_REQUEST, struct_to_binary(parameters), self.timeout_s))
        decode.check_fault(body)
        return body

    async def renew_in_time(self, within_s: float) -> None:
        """Renew the secure channel, if half of its lifetime is over; the server may take that long to answer."""
        if asyncio.get_running_loop().time() >= self._renew_at:
            async with asyncio.timeout(min(self.timeout_s, within_s)):
                await self._client.open_secure_channel(renew=True)
            self._plan_renewal()

    def renewal_in_s(self) -> float:
        """How long the secure channel can wait for its renewal."""
        return max(0.0, self._renew_at - asyncio.get_running_loop().time())

    def _plan_renewal(self) -> None:
        lifetime_s = self._client.secure_channel_timeout / 1000
        self._renew_at = asyncio.get_running_loop().time() + lifetime_s / 2

    def _live(self) -> Transport:
        if self._transport is None:
            msg = f"{self.name} ({self.url}) is not connected"
            raise ConnectionLost(msg)
        return self._transport


READ_REQUEST, PUBLISH_REQUEST, REPUBLISH_REQUEST = 631, 826, 832
"""Numbers of the requests on the wire."""
assert LARGEST_CHUNK * MOST_CHUNKS >= MOST_BYTES  # noqa: S101


def encoded_read(nodes: Sequence[ua.NodeId], attribute: int = AttributeIds.Value) -> bytes:
    """What a request to read nodes holds after its header."""
    wanted = [ua.ReadValueId(NodeId=node, AttributeId=ua.UInt32(attribute)) for node in nodes]
    return struct_to_binary(ua.ReadParameters(TimestampsToReturn=ua.TimestampsToReturn.Both, NodesToRead=wanted))


async def _in_chunks(
    items: Sequence[_Item], most: int, call: Callable[[Sequence[_Item]], Coroutine[Any, Any, list[_Result]]]
) -> list[_Result]:
    results: list[_Result] = []
    for start in range(0, len(items), most):
        chunk = items[start : start + most]
        answered = await call(chunk)
        if len(answered) != len(chunk):
            msg = f"{len(answered)} results for {len(chunk)} nodes"
            raise ValueError(msg)
        results += answered
    return results


def _least(limit: object, ours: int) -> int:
    return min(limit, ours) if isinstance(limit, int) and limit > 0 else ours
