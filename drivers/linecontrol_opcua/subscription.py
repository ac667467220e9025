"""The one subscription of a session: what is asked of the server, and what it must send to be believed alive."""

from collections.abc import Mapping
from typing import NamedTuple

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from linecontrol.driver import ConnectionLost, Quality
from linecontrol_opcua import decode
from linecontrol_opcua.session import Session
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag
from linecontrol_opcua.trouble import told

SHORTEST_INTERVAL_S = 0.02
"""A fast clock never makes publishing and sampling more frequent than this."""
KEEP_ALIVE_S = 3.0
"""How long the server may be silent while nothing changes."""
PATIENCE = 1.5
"""A server that is silent for so many keep-alive intervals is gone."""
LIFETIME_S = 60.0
"""How long the server keeps the subscription while nobody asks for it."""
MOST_PER_PUBLISH = 10_000
"""Values in one publish response; the rest follows in the next."""

_NO_FILTER = {
    StatusCodes.BadFilterNotAllowed,
    StatusCodes.BadMonitoredItemFilterInvalid,
    StatusCodes.BadMonitoredItemFilterUnsupported,
}


class Item(NamedTuple):
    """A node to be monitored, and how."""

    node: ua.NodeId
    tag: OpcuaTag


class Subscription:
    """A subscription with its monitored items, each known by a handle of the caller's choice."""

    def __init__(self, session: Session, settings: OpcuaConnection, speed: float) -> None:
        """``speed`` is plant seconds per real second: intervals are plant time, keep-alives are real time."""
        self._session = session
        self._settings = settings
        self._speed = speed
        self._number = 0
        self._patience_s = PATIENCE * KEEP_ALIVE_S
        self._acknowledge: list[ua.SubscriptionAcknowledgement] = []
        self._last_sequence: int | None = None

    async def create(self) -> None:
        """Create it at the server, without items."""
        interval_s = self._real_s(self._settings.publish)
        keep_alives = max(1, round(KEEP_ALIVE_S / interval_s))
        created = await self._session.subscribe(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=interval_s * 1000,
                RequestedMaxKeepAliveCount=ua.UInt32(keep_alives),
                RequestedLifetimeCount=ua.UInt32(max(3 * keep_alives, round(LIFETIME_S / interval_s))),
                MaxNotificationsPerPublish=ua.UInt32(MOST_PER_PUBLISH),
                PublishingEnabled=True,
            )
        )
        self._number = created.SubscriptionId
        self._patience_s = PATIENCE * created.RevisedPublishingInterval / 1000 * created.RevisedMaxKeepAliveCount

    async def monitor(self, items: Mapping[int, Item]) -> dict[int, int]:
        """Have the items monitored; those that the server refuses come back, each handle with its status."""
        refused = await self._monitor(items, with_filter=True)
        plain = {handle: items[handle] for handle, status in refused.items() if status in _NO_FILTER}
        return {handle: status for handle, status in refused.items() if handle not in plain} | await self._monitor(
            plain, with_filter=False
        )

    async def _monitor(self, items: Mapping[int, Item], *, with_filter: bool) -> dict[int, int]:
        requests = [self._request(handle, item, with_filter=with_filter) for handle, item in items.items()]
        results = await self._session.monitor(self._number, requests)
        statuses = {handle: int(result.StatusCode.value) for handle, result in zip(items, results, strict=True)}
        return {handle: status for handle, status in statuses.items() if decode.quality(status) is Quality.BAD}

    def _request(self, handle: int, item: Item, *, with_filter: bool) -> ua.MonitoredItemCreateRequest:
        sampling = self._settings.publish if item.tag.sampling is None else item.tag.sampling
        parameters = ua.MonitoringParameters(
            ClientHandle=ua.UInt32(handle),
            SamplingInterval=self._real_s(sampling) * 1000,
            QueueSize=ua.UInt32(self._settings.queue),
            DiscardOldest=True,
        )
        if with_filter:
            parameters.Filter = _filter(item.tag)
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=item.node, AttributeId=AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=parameters,
        )

    async def publish(self) -> ua.PublishResult:
        """Wait for what the server publishes next: data changes, or a keep-alive without any.

        Raises:
            ConnectionLost: it stays silent, ended the subscription, or dropped a message.
        """
        body = await self._session.publish(self._acknowledge, self._patience_s)
        with told(self._session.name, self._session.url):
            result = decode.publish_result(body)
            self._acknowledge = []
            if result.NotificationMessage.NotificationData:
                self._take(result.SubscriptionId, result.NotificationMessage.SequenceNumber)
            return result

    def _take(self, subscription: int, sequence: int) -> None:
        expected = None if self._last_sequence is None else self._last_sequence % 0xFFFF_FFFF + 1
        if expected is not None and sequence != expected:
            msg = f"{self._session.name} ({self._session.url}) skipped from message {self._last_sequence} to {sequence}"
            raise ConnectionLost(msg)
        self._last_sequence = sequence
        self._acknowledge = [ua.SubscriptionAcknowledgement(SubscriptionId=subscription, SequenceNumber=sequence)]

    def _real_s(self, plant_ns: int) -> float:
        plant_s = plant_ns / 1e9
        return max(plant_s / self._speed, min(plant_s, SHORTEST_INTERVAL_S))


def _filter(tag: OpcuaTag) -> ua.DataChangeFilter:
    """Every value that the device stamped anew; with a deadband only those that differ by more."""
    if tag.deadband is None:
        return ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValueTimestamp)
    return ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue,
        DeadbandType=ua.UInt32(ua.DeadbandType.Absolute),
        DeadbandValue=tag.deadband,
    )
