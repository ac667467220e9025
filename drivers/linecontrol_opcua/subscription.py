"""The one subscription of a session: what is asked of the server, and what it must send to be believed alive."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from linecontrol.driver import ConnectionLost, DeviceRefused, Quality, Traffic
from linecontrol_opcua import decode
from linecontrol_opcua.decode import Published, Refusal
from linecontrol_opcua.echoes import Echoes
from linecontrol_opcua.fast import CANARY, quality
from linecontrol_opcua.order import Order, after
from linecontrol_opcua.publisher import Publisher
from linecontrol_opcua.resumption import RESUME_S, resume
from linecontrol_opcua.scribe import Scribe
from linecontrol_opcua.session import Session
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag
from linecontrol_opcua.trouble import count, status_name, told
from linecontrol_opcua.wire import Misfit

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
CANARY_S = 1.0
"""How often the server's own clock is looked at."""
CANARY_PATIENCE_S = 4.5
"""A server whose clock was seen to run, and is not heard of for so long, is stuck."""

SHORTEST_RENEWAL_S = 0.5
"""How long the server may at least take to renew the secure channel, however long it has been silent."""

_log = logging.getLogger(__name__)
_NO_FILTER = {
    StatusCodes.BadFilterNotAllowed,
    StatusCodes.BadMonitoredItemFilterInvalid,
    StatusCodes.BadMonitoredItemFilterUnsupported,
}
_NOT_AVAILABLE = {StatusCodes.BadMessageNotAvailable, StatusCodes.BadServiceUnsupported}


class Item(NamedTuple):
    """A node to be monitored, and how."""

    node: ua.NodeId
    tag: OpcuaTag
    stamped: bool = True
    """Whether a new source time means a new reading."""


class Subscription:
    """A subscription with its monitored items, each known by a handle of the caller's choice."""

    def __init__(
        self, session: Session, settings: OpcuaConnection, speed: float, scribe: Scribe, traffic: Traffic
    ) -> None:
        """``speed`` is plant seconds per real second: intervals are plant time, keep-alives are real time."""
        self._session, self._settings, self._speed = session, settings, speed
        self._scribe, self._traffic = scribe, traffic
        self._who = f"{session.name} ({session.url})"
        self._number = 0
        self._patience_s = PATIENCE * KEEP_ALIVE_S
        self._publisher = Publisher(session)
        self._order = Order()
        self._echoes = Echoes()
        self._idle = 0
        self._heard_at = 0.0
        self._clock_seen_ns = 0
        self._clock_seen_at: float | None = None

    async def create(self) -> None:
        """Create it at the server, without items."""
        interval_s = self._real_s(self._settings.publish)
        keep_alives, lifetime = _counts(interval_s)
        created = await self._session.subscribe(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=interval_s * 1000,
                RequestedMaxKeepAliveCount=ua.UInt32(keep_alives),
                RequestedLifetimeCount=ua.UInt32(lifetime),
                MaxNotificationsPerPublish=ua.UInt32(MOST_PER_PUBLISH),
                PublishingEnabled=True,
            )
        )
        self._number = created.SubscriptionId
        revised_s, keep_alives = created.RevisedPublishingInterval / 1000, int(created.RevisedMaxKeepAliveCount)
        if revised_s > interval_s and _counts(revised_s)[0] < keep_alives:
            with suppress(ConnectionLost, DeviceRefused):
                revised_s, keep_alives = await self._keep_alive_sooner(revised_s)
        self._patience_s = PATIENCE * revised_s * keep_alives
        self._heard_at = asyncio.get_running_loop().time()

    async def _keep_alive_sooner(self, interval_s: float) -> tuple[float, int]:
        """Ask for the usual keep-alives at an interval that the server made longer; interval and number revised."""
        keep_alives, lifetime = _counts(interval_s)
        revised = await self._session.modify(
            ua.ModifySubscriptionParameters(
                SubscriptionId=self._number,
                RequestedPublishingInterval=interval_s * 1000,
                RequestedMaxKeepAliveCount=ua.UInt32(keep_alives),
                RequestedLifetimeCount=ua.UInt32(lifetime),
                MaxNotificationsPerPublish=ua.UInt32(MOST_PER_PUBLISH),
            )
        )
        return revised.RevisedPublishingInterval / 1000, int(revised.RevisedMaxKeepAliveCount)

    async def monitor(self, items: Mapping[int, Item]) -> dict[int, int]:
        """Have the items monitored; those that the server refuses come back, each handle with its status."""
        takes_filters = self._settings.vendor.filters
        refused = await self._monitor(items, with_filter=takes_filters)
        if not takes_filters:
            return refused
        plain = {handle: items[handle] for handle, status in refused.items() if status in _NO_FILTER}
        return {handle: status for handle, status in refused.items() if handle not in plain} | await self._monitor(
            plain, with_filter=False
        )

    async def _monitor(self, items: Mapping[int, Item], *, with_filter: bool) -> dict[int, int]:
        requests = [self._request(handle, item, with_filter=with_filter) for handle, item in items.items()]
        results = await self._session.monitor(self._number, requests)
        statuses = {handle: int(result.StatusCode.value) for handle, result in zip(items, results, strict=True)}
        self._mind_queues([int(result.RevisedQueueSize) for result in results if result.StatusCode.is_good()])
        return {handle: status for handle, status in statuses.items() if quality(status) is Quality.BAD}

    def _mind_queues(self, sizes: list[int]) -> None:
        """What the server can't keep is lost at the next break, and some servers don't say so."""
        short = [size for size in sizes if size < self._settings.queue]
        if short:
            words = "%s keeps only %d values of %d signals while they can't be sent, not %d (queue)"
            _log.warning(words, self._who, min(short), len(short), self._settings.queue)

    def _request(self, handle: int, item: Item, *, with_filter: bool) -> ua.MonitoredItemCreateRequest:
        sampling = self._settings.publish if item.tag.sampling is None else item.tag.sampling
        extra = _filter(item) if with_filter else None
        return _create(item.node, handle, self._real_s(sampling), self._settings.queue, extra)

    async def watch_clock(self) -> None:
        """Have the server's own clock monitored, if it has one."""
        clock = ua.NodeId(ua.Int32(ObjectIds.Server_ServerStatus_CurrentTime))
        await self._session.monitor(self._number, [_create(clock, CANARY, CANARY_S, 1, None)])

    async def publish(self) -> list[Published]:
        """Wait for what the server publishes next, in order: data changes, or keep-alives without any.

        A connection that breaks is carried on over a new one, once and for a few seconds at most. A message that
        can't be had any more is told by ``lost``.

        Raises:
            ConnectionLost: it stays silent, or ended the subscription.
        """
        with told(self._session.name, self._session.url):
            try:
                messages = await self._hear()
            except Misfit as error:
                count(self._traffic, error)
                raise
            except TimeoutError:
                raise
            except OSError as error:
                messages = await self._resume(error)
            with suppress(OSError):
                self._publisher.fill()
            return messages

    async def _hear(self) -> list[Published]:
        await self._session.renew_in_time(max(SHORTEST_RENEWAL_S, self._silent_at() - self._now()))
        self._publisher.fill()
        bodies = await self._publisher.responses(self._wait_s())
        now = self._now()
        if bodies:
            self._heard_at = now
        if now >= self._silent_at():
            msg = f"{self._who} fell silent: it did not answer in time, and is stuck or unreachable"
            raise ConnectionLost(msg)
        self._arrive(bodies)
        return await self._in_turn()

    def _arrive(self, bodies: list[bytes]) -> None:
        for body in bodies:
            subscription, number, keep_alive = decode.place(body)
            if subscription != self._number:
                self._traffic.misfits += 1
            elif keep_alive:
                self._order.kept_alive(number)
                self._idle += 1
            else:
                self._order.came(number, body)

    def _silent_at(self) -> float:
        silent_at = self._heard_at + self._patience_s
        if self._clock_seen_at is not None:
            silent_at = min(silent_at, self._clock_seen_at + CANARY_PATIENCE_S)
        return silent_at

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _wait_s(self) -> float:
        until_silent = self._silent_at() - self._now()
        return max(0.0, min(until_silent, self._session.renewal_in_s()))

    async def _in_turn(self) -> list[Published]:
        """The messages whose turn it is; those that are missing are asked for."""
        messages = [Published(keep_alive=True)] * self._idle
        self._idle = 0
        while (turn := self._order.next()) is not None:
            number, body = turn
            if body is None:
                try:
                    body = await self._fetch(number)
                except OSError:
                    self._order.back(number)
                    if not messages:
                        raise
                    break
            if body is None:
                self._traffic.gaps += 1
                messages.append(Published(lost=True))
            else:
                messages.append(self._take(self._scribe.published(body)))
        self._traffic.late_answers += self._order.doubled
        self._order.doubled = 0
        return messages

    async def _fetch(self, number: int) -> bytes | None:
        """The message, if the server still has it or it came meanwhile; ``None`` if it is lost for good."""
        try:
            body = await self._session.republish(self._number, number) if number else None
            if body is not None and decode.number_of(body) == number:
                return body
        except Refusal as refusal:
            if refusal.status not in _NOT_AVAILABLE:
                raise
        self._arrive(await self._publisher.responses(0.0))
        return self._order.take(number)

    def _take(self, message: Published) -> Published:
        self._publisher.acknowledge(self._number, message.sequence)
        self._traffic.misfits += message.unread
        if message.ended:
            msg = f"{self._who} ended the subscription: {status_name(message.ended)}"
            raise ConnectionLost(msg)
        if message.clock_ns:
            self._see_clock(message.clock_ns)
        return message._replace(readings=self._echoes.without(message.readings))

    def _see_clock(self, clock_ns: int) -> None:
        """A clock that never goes on is none."""
        if self._clock_seen_ns and clock_ns > self._clock_seen_ns:
            self._clock_seen_at = asyncio.get_running_loop().time()
            self._traffic.skew_ns = clock_ns - self._scribe.now_ns()
        self._clock_seen_ns = clock_ns

    async def _resume(self, cause: OSError) -> list[Published]:
        """Carry on over a new connection, and fetch what was sent in between."""
        loop = asyncio.get_running_loop()
        until = loop.time() + RESUME_S
        if self._clock_seen_at is not None:
            until = min(until, self._clock_seen_at + CANARY_PATIENCE_S)
        while True:
            self._arrive(self._publisher.forget())
            if not await resume(self._session, until, cause) and not await self._session.take_over(self._number):
                msg = f"{self._who} broke, and the server gave the subscription up meanwhile"
                raise ConnectionLost(msg)
            self._echoes.resumed()
            self._heard_at = loop.time()
            if self._clock_seen_at is not None:
                self._clock_seen_at = self._heard_at
            try:
                await self._fetch_missed()
                return await self._in_turn()
            except TimeoutError:
                raise
            except OSError as error:
                cause = error

    async def _fetch_missed(self) -> None:
        number = self._order.expected or 1
        while True:
            try:
                body = await self._session.republish(self._number, number)
            except Refusal as refusal:
                if refusal.status not in _NOT_AVAILABLE:
                    raise
                return
            if decode.number_of(body) != number:
                return
            self._order.came(number, body)
            number = after(number)

    def _real_s(self, plant_ns: int) -> float:
        plant_s = plant_ns / 1e9
        return max(plant_s / self._speed, min(plant_s, SHORTEST_INTERVAL_S))


def _counts(interval_s: float) -> tuple[int, int]:
    """After how many intervals there is a keep-alive, and after how many the server gives a subscription up."""
    keep_alives = max(1, round(KEEP_ALIVE_S / interval_s))
    return keep_alives, max(3 * keep_alives, round(LIFETIME_S / interval_s))


def _create(
    node: ua.NodeId, handle: int, sampling_s: float, queue: int, extra: ua.DataChangeFilter | None
) -> ua.MonitoredItemCreateRequest:
    parameters = ua.MonitoringParameters(
        ClientHandle=ua.UInt32(handle),
        SamplingInterval=sampling_s * 1000,
        QueueSize=ua.UInt32(queue),
        DiscardOldest=True,
    )
    if extra is not None:
        parameters.Filter = extra
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=parameters,
    )


def _filter(item: Item) -> ua.DataChangeFilter:
    """Every value that the device stamped anew; with a deadband only those that differ by more."""
    deadband = item.tag.deadband
    if deadband is None:
        trigger = ua.DataChangeTrigger
        return ua.DataChangeFilter(Trigger=trigger.StatusValueTimestamp if item.stamped else trigger.StatusValue)
    return ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue,
        DeadbandType=ua.UInt32(ua.DeadbandType.Absolute),
        DeadbandValue=deadband,
    )
