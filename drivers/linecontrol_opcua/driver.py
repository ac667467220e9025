"""One connection to one OPC UA server: a subscription for the readings, direct reads and writes beside it."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Never

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from typing_extensions import override

from linecontrol.driver import (
    Clock,
    ConnectionLost,
    ConnectionSettings,
    DeviceRefused,
    Driver,
    Quality,
    Reading,
    Tag,
    Value,
)
from linecontrol_opcua import decode, node
from linecontrol_opcua.datatype import to_variant
from linecontrol_opcua.session import Session
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag
from linecontrol_opcua.subscription import Item, Subscription
from linecontrol_opcua.trouble import status_name, told

_ASK_AGAIN_S = 30.0
"""How often the server is asked anew for the nodes that it refused to monitor."""
_SILENT_KEEP_ALIVES = 2
"""So many keep-alives without a single value before mean that the subscription is stuck."""
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
        self._session = Session(name, connection.url, connection.timeout / 1e9)
        self._subscription = Subscription(self._session, connection, clock.speed)
        self._tags = {tag.signal: OpcuaTag.model_validate(tag.settings) for tag in tags}
        self._cyclic = [tag.signal for tag in tags if not tag.writable]
        self._nodes: dict[str, ua.NodeId | None] | None = None
        self._refused: dict[int, int] = {}
        self._sequence = 0
        self._used = False

    @override
    async def connect(self) -> None:
        if self._used:
            msg = f"{self._who}: a driver is used once"
            raise RuntimeError(msg)
        self._used = True
        await self._session.open()
        namespaces = self._session.namespaces
        self._nodes = {signal: node.parse(tag.node).at(namespaces) for signal, tag in self._tags.items()}
        await self._subscription.create()
        self._refused = await self._monitor(range(len(self._cyclic)))

    async def _monitor(self, handles: Iterable[int]) -> dict[int, int]:
        """Monitor the cyclic signals with these handles; refused ones come back, each with its status."""
        nodes = {handle: self._node(self._cyclic[handle]) for handle in handles}
        items = {
            handle: Item(node_id, self._tags[self._cyclic[handle]])
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
            yield self._bad_readings()
        while True:
            result = await self._subscription.publish()
            with told(self.name, self._session.url):
                batch = self._batch(result)
            if batch:
                waiting = False
                yield batch
            elif waiting:
                silent_for += 1
                if silent_for == _SILENT_KEEP_ALIVES:
                    msg = f"{self._who} took the subscription but sends no value"
                    raise ConnectionLost(msg)
            if self._refused and loop.time() >= ask_again_at:
                self._refused = await self._monitor(list(self._refused))
                ask_again_at = loop.time() + _ASK_AGAIN_S

    def _batch(self, result: ua.PublishResult) -> list[Reading]:
        """The readings in a publish response, by source time."""
        now = self.clock.now_ns()
        changes = [
            (decode.source_ns(data, now), handle, data)
            for handle, data in decode.data_changes(result)
            if handle < len(self._cyclic)
        ]
        changes.sort(key=itemgetter(0))
        return [self._reading(self._cyclic[handle], data, now) for _, handle, data in changes]

    def _bad_readings(self) -> list[Reading]:
        now = self.clock.now_ns()
        return [self._reading(self._cyclic[handle], _bad(status), now) for handle, status in self._refused.items()]

    def _reading(self, signal: str, data: ua.DataValue, now_ns: int) -> Reading:
        self._sequence += 1
        return decode.reading(signal, data, self._tags[signal].type, now_ns, self._sequence)

    @override
    async def read(self, signals: Sequence[str]) -> list[Reading]:
        nodes = {signal: self._node(signal) for signal in signals}
        known = {signal: node_id for signal, node_id in nodes.items() if node_id is not None}
        values = dict(zip(known, await self._session.read(list(known.values())), strict=True))
        now = self.clock.now_ns()
        with told(self.name, self._session.url):
            return [self._reading(signal, values.get(signal, _bad(_UNKNOWN)), now) for signal in signals]

    @override
    async def write(self, values: Mapping[str, Value]) -> None:
        writes = []
        for signal, value in values.items():
            node_id = self._node(signal)
            if node_id is None:
                self._refuse(signal, status_name(_UNKNOWN))
            try:
                writes.append((node_id, to_variant(value, self._tags[signal].type)))
            except ValueError as error:
                self._refuse(signal, str(error))
        statuses = await self._session.write(writes)
        codes = {signal: int(status.value) for signal, status in zip(values, statuses, strict=True)}
        bad = {signal: code for signal, code in codes.items() if decode.quality(code) is Quality.BAD}
        if bad:
            self._refuse(", ".join(bad), ", ".join(status_name(code) for code in bad.values()))

    def _refuse(self, signal: str, why: str) -> Never:
        msg = f"{self._who} refused the write of {signal}: {why}"
        raise DeviceRefused(msg)

    def _node(self, signal: str) -> ua.NodeId | None:
        if self._nodes is None:
            msg = f"{self._who} is not connected"
            raise ConnectionLost(msg)
        return self._nodes[signal]

    @override
    async def close(self) -> None:
        await self._session.close()


def _bad(status: int) -> ua.DataValue:
    return ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(status)))
