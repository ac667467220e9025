"""One connection to one OPC UA server: a subscription for the readings, direct reads and writes beside it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from typing_extensions import override

from linecontrol.driver import (
    Clock,
    ConnectionLost,
    ConnectionSettings,
    Driver,
    Reading,
    Tag,
    Value,
)
from linecontrol_opcua import browse, node, stamps
from linecontrol_opcua.doubts import Doubts
from linecontrol_opcua.fast import overflowed
from linecontrol_opcua.scribe import Places, Scribe
from linecontrol_opcua.session import READ_REQUEST, Session
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag
from linecontrol_opcua.subscription import Item, Subscription
from linecontrol_opcua.trouble import count, told
from linecontrol_opcua.wire import Misfit
from linecontrol_opcua.writer import Writer

_log = logging.getLogger(__name__)
_ASK_AGAIN_S = 30.0
"""How often the server is asked anew for the nodes that it refused to monitor."""
_SILENT_KEEP_ALIVES = 2
"""So many keep-alives without a single value before mean that the subscription is stuck."""
_MOST_PREPARED = 16
"""Reads that are kept ready to be sent again."""
_UNKNOWN = int(StatusCodes.BadNodeIdUnknown)


class OpcuaDriver(Driver):
    """An OPC UA server as a linecontrol device."""

    connection_settings = OpcuaConnection
    tag_settings = OpcuaTag

    @override
    def __init__(self, name: str, settings: ConnectionSettings, tags: Sequence[Tag], clock: Clock) -> None:
        super().__init__(name, settings, tags, clock)
        connection = OpcuaConnection.model_validate(settings)
        self._who = f"{name} ({connection.url})"
        self._connection = connection
        self._tags = {tag.signal: OpcuaTag.model_validate(tag.settings) for tag in tags}
        self._cyclic = [tag.signal for tag in tags if not tag.writable]
        self._scribe = Scribe(self._cyclic, self._tags, clock)
        self._session = Session(name, connection, clock, self.traffic)
        self._writer = Writer(self._session, self._tags, self.traffic)
        self._subscription = Subscription(self._session, connection, clock.speed, self._scribe, self.traffic)
        self._nodes: dict[str, ua.NodeId | None] | None = None
        self._refused: dict[int, int] = {}
        self._made_up: set[int] = set()
        self._doubts = Doubts()
        self._prepared: dict[tuple[str, ...], list[tuple[bytes, Places]]] = {}
        self._used = False

    @override
    async def connect(self) -> None:
        if self._used:
            msg = f"{self._who}: a driver is used once"
            raise RuntimeError(msg)
        self._used = True
        self._mind_the_limit()
        await self._session.open()
        places = {signal: node.parse(tag.node) for signal, tag in self._tags.items()}
        self._nodes = await browse.locate(self._session, places)
        self._scribe.learn(await self._writer.learn(self._nodes, [tag.signal for tag in self.tags if tag.writable]))
        await self._mind_the_stamps()
        await self._subscription.create()
        self._refuse_to_serve(await self._monitor(range(len(self._cyclic))))
        if self._cyclic and self._connection.vendor.canary:
            await self._subscription.watch_clock()

    async def _mind_the_stamps(self) -> None:
        nodes = {handle: node_id for handle, signal in enumerate(self._cyclic) if (node_id := self._node(signal))}
        with told(self.name, self._connection.url):
            places = await stamps.made_up(self._session, list(nodes.values()))
        handles = list(nodes)
        self._made_up = {handles[place] for place in places}
        if places:
            words = "%s stamps %d signals anew whenever it looks at them: only a change is a new reading of theirs"
            _log.info(words, self._who, len(places))

    def _mind_the_limit(self) -> None:
        vendor = self._connection.vendor
        if vendor.most_items is not None and len(self._cyclic) > vendor.most_items:
            _log.warning(
                "%s: %d signals, but a server of profile %s carries about %d monitored items (%s)",
                self._who,
                len(self._cyclic),
                self._connection.profile,
                vendor.most_items,
                vendor.note,
            )

    def _refuse_to_serve(self, refused: dict[int, int]) -> None:
        self._refused = refused
        self.traffic.refused = len(refused)

    async def _monitor(self, handles: Iterable[int]) -> dict[int, int]:
        """Monitor the cyclic signals with these handles; refused ones come back, each with its status."""
        nodes = {handle: self._node(self._cyclic[handle]) for handle in handles}
        items = {
            handle: Item(node_id, self._tags[self._cyclic[handle]], handle not in self._made_up)
            for handle, node_id in nodes.items()
            if node_id is not None
        }
        refused = await self._subscription.monitor(items)
        return {handle: refused.get(handle, _UNKNOWN) for handle in nodes if handle in refused or handle not in items}

    @override
    async def readings(self) -> AsyncGenerator[list[Reading], None]:
        loop = asyncio.get_running_loop()
        ask_again_at = loop.time() + _ASK_AGAIN_S
        silent_for = 0
        waiting = len(self._refused) < len(self._cyclic)
        if self._refused:
            yield [self._scribe.bad(self._cyclic[handle], status) for handle, status in self._refused.items()]
        while True:
            for message in await self._subscription.publish():
                if message.lost:
                    self._doubts.lost(self._served())
                batch = self._doubts.marked(message.readings)
                self.traffic.gaps += any(overflowed(reading.status) for reading in batch if reading.status)
                if batch:
                    waiting = False
                    yield batch
                elif waiting and message.keep_alive:
                    silent_for += 1
                    if silent_for == _SILENT_KEEP_ALIVES:
                        msg = f"{self._who} took the subscription but sends no value"
                        raise ConnectionLost(msg)
            if self._doubts.signals:
                yield self._doubts.settled(await self.read(list(self._doubts.signals)))
            if self._refused and loop.time() >= ask_again_at:
                self._refuse_to_serve(await self._monitor(list(self._refused)))
                ask_again_at = loop.time() + _ASK_AGAIN_S

    def _served(self) -> list[str]:
        return [signal for handle, signal in enumerate(self._cyclic) if handle not in self._refused]

    @override
    async def read(self, signals: Sequence[str]) -> list[Reading]:
        key = tuple(signals)
        if key not in self._prepared:
            if len(self._prepared) >= _MOST_PREPARED:
                self._prepared.clear()
            self._prepared[key] = self._prepare(dict.fromkeys(signals))
        got: list[Reading] = []
        for request, places in self._prepared[key]:
            body = await self._session.ask(READ_REQUEST, request)
            try:
                got += self._scribe.read(body, places)
            except Misfit as error:
                count(self.traffic, error)
                msg = f"{self._who} sent what can't be understood: {error}"
                raise ConnectionLost(msg) from error
        if len(got) == len(signals):
            return got
        found = {reading.signal: reading for reading in got}
        return [found.get(signal) or self._scribe.bad(signal, _UNKNOWN) for signal in signals]

    def _prepare(self, signals: Iterable[str]) -> list[tuple[bytes, Places]]:
        """Requests to read the signals that the server knows, each with the signals in it."""
        nodes = {signal: node_id for signal in signals if (node_id := self._node(signal)) is not None}
        names, prepared = list(nodes), []
        for request, size in self._session.encoded_reads(list(nodes.values())):
            chunk, names = names[:size], names[size:]
            prepared.append((request, self._scribe.places(chunk)))
        return prepared

    @override
    async def write(self, values: Mapping[str, Value]) -> None:
        self._located()
        await self._writer.write(values)

    def _node(self, signal: str) -> ua.NodeId | None:
        return self._located()[signal]

    def _located(self) -> dict[str, ua.NodeId | None]:
        if self._nodes is None:
            msg = f"{self._who} is not connected"
            raise ConnectionLost(msg)
        return self._nodes

    @override
    async def close(self) -> None:
        await self._session.close()
