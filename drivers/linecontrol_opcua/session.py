"""One session at an OPC UA server: asyncua's transport and services, without its tasks.

Nothing runs in the background: a request is sent when asked for and the secure channel is renewed between two publish
responses, so there is nothing to leak. asyncua's publish loop, watchdogs and reconnect are not used.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.utils import Buffer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from linecontrol.driver import ConnectionLost, DeviceRefused
from linecontrol_opcua.trouble import told

APPLICATION_URI = "urn:linecontrol:opcua"
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
)


def quiet_asyncua() -> None:
    """Keep asyncua's own logging to errors: what it warns of, the driver tells; at INFO it prints every value."""
    logger = logging.getLogger("asyncua")
    if logger.level < logging.WARNING:
        logger.setLevel(logging.ERROR)


class Session:
    """A session at one server, used once. Each method raises ``ConnectionLost`` or ``DeviceRefused``."""

    def __init__(self, name: str, url: str, timeout_s: float) -> None:
        """``timeout_s`` is how long the server may take to answer one request; three times that to connect."""
        quiet_asyncua()
        self.name = name
        self.url = url
        self.timeout_s = timeout_s
        self.namespaces: list[str] = []
        self._most_read = self._most_written = self._most_monitored = MOST_PER_CALL
        self._renew_at = 0.0
        self._client = Client(url, timeout=timeout_s)
        self._client.application_uri = APPLICATION_URI
        self._client.name = self._client.description = "linecontrol"
        self._client.session_timeout = SESSION_TIMEOUT_MS

    async def open(self) -> None:
        """Connect, open a session as an anonymous client, and learn the server's namespaces and limits."""
        with told(self.name, self.url):
            async with asyncio.timeout(3 * self.timeout_s):
                await self._client.connect_socket()
                await self._client.send_hello()
                await self._client.open_secure_channel()
                self._plan_renewal()
                await self._create_session()
                await self._client.activate_session()
                await self._learn()

    async def _create_session(self) -> None:
        try:
            await self._client.create_session()
        except UaStatusCodeError:
            raise
        except UaError as error:
            msg = f"{self.name} ({self.url}) refused: it only takes encrypted messages, which this driver lacks yet"
            raise DeviceRefused(msg) from error

    async def _learn(self) -> None:
        namespaces, *limits = await self._read(
            [ua.NodeId(ua.Int32(i)) for i in (ObjectIds.Server_NamespaceArray, *_LIMITS)]
        )
        if namespaces.StatusCode is not None:
            namespaces.StatusCode.check()
        self.namespaces = [str(uri) for uri in namespaces.Value.Value or ()] if namespaces.Value else []
        self._most_read, self._most_written, self._most_monitored = (_limit(data) for data in limits)

    async def close(self) -> None:
        """Say goodbye, if the server listens, and drop the connection. Never raises."""
        uaclient = self._client.uaclient
        protocol = uaclient.protocol
        if protocol is None:
            return
        try:
            with suppress(Exception):
                async with asyncio.timeout(GOODBYE_S):
                    await uaclient.close_session(delete_subscriptions=True)
                    await uaclient.close_secure_channel()
        finally:
            if protocol.transport is not None:
                protocol.transport.abort()
                # The loop tells the protocol in its next round.
                await asyncio.sleep(0)

    async def read(self, nodes: Sequence[ua.NodeId]) -> list[ua.DataValue]:
        """Values with source and server times, one for each node, in order."""
        with told(self.name, self.url):
            return await _in_chunks(nodes, self._most_read, self._read)

    async def _read(self, nodes: Sequence[ua.NodeId]) -> list[ua.DataValue]:
        wanted = [ua.ReadValueId(NodeId=node, AttributeId=AttributeIds.Value) for node in nodes]
        parameters = ua.ReadParameters(TimestampsToReturn=ua.TimestampsToReturn.Both, NodesToRead=wanted)
        return await self._client.uaclient.session.read(parameters)

    async def write(self, values: Sequence[tuple[ua.NodeId, ua.Variant]]) -> list[ua.StatusCode]:
        """Write values without status and times (many servers refuse those); one status each, in order."""
        with told(self.name, self.url):
            return await _in_chunks(values, self._most_written, self._write)

    async def _write(self, values: Sequence[tuple[ua.NodeId, ua.Variant]]) -> list[ua.StatusCode]:
        data = [ua.DataValue(variant, StatusCode=None) for _, variant in values]
        return await self._client.uaclient.session.write_attributes([node for node, _ in values], data)

    async def subscribe(self, parameters: ua.CreateSubscriptionParameters) -> ua.CreateSubscriptionResult:
        """Create a subscription; nothing is asked to be published yet."""
        with told(self.name, self.url):
            body = await self._protocol().send_request(ua.CreateSubscriptionRequest(Parameters=parameters))
            response: ua.CreateSubscriptionResponse = struct_from_binary(ua.CreateSubscriptionResponse, body)
            response.ResponseHeader.ServiceResult.check()
            created: ua.CreateSubscriptionResult = response.Parameters
            return created

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

    async def publish(self, acknowledged: Sequence[ua.SubscriptionAcknowledgement], timeout_s: float) -> Buffer:
        """The body of the next publish response. The secure channel is renewed first if it is time."""
        with told(self.name, self.url):
            if asyncio.get_running_loop().time() >= self._renew_at:
                await self._client.open_secure_channel(renew=True)
                self._plan_renewal()
            request = ua.PublishRequest(
                Parameters=ua.PublishParameters(SubscriptionAcknowledgements=list(acknowledged))
            )
            async with asyncio.timeout(timeout_s):
                return await self._protocol().send_request(request, timeout=0)

    def _plan_renewal(self) -> None:
        lifetime_s = self._client.secure_channel_timeout / 1000
        self._renew_at = asyncio.get_running_loop().time() + lifetime_s / 2

    def _protocol(self) -> UASocketProtocol:
        protocol = self._client.uaclient.protocol
        if protocol is None:
            msg = f"{self.name} ({self.url}) is not connected"
            raise ConnectionLost(msg)
        return protocol


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


def _limit(data: ua.DataValue) -> int:
    limit = data.Value.Value if data.Value else None
    return min(limit, MOST_PER_CALL) if isinstance(limit, int) and limit > 0 else MOST_PER_CALL
