"""A simulated PLC: an OPC UA server whose address space is what config says of a connection.

It listens on loopback only, and therefore asks neither for certificates nor for a user.
"""

import asyncio
import dataclasses
from collections.abc import Sequence
from contextlib import suppress

from asyncua import ua
from asyncua.common.callback import CallbackType, ServerItemCallback
from asyncua.common.node import Node
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaError
from typing_extensions import override

from linecontrol.driver import Clock, ConnectionSettings, PlcServer, Quality, Reading, Tag, Write
from linecontrol_opcua import node
from linecontrol_opcua.datatype import to_variant
from linecontrol_opcua.decode import moment
from linecontrol_opcua.session import quiet_asyncua
from linecontrol_opcua.settings import Call, OpcuaConnection, OpcuaTag

_APPLICATION_URI = "urn:linecontrol:simulator"
_STATUS = {
    Quality.GOOD: StatusCodes.Good,
    Quality.UNCERTAIN: StatusCodes.Uncertain,
    Quality.BAD: StatusCodes.Bad,
}


class OpcuaPlcServer(PlcServer):
    """The server's end of an OPC UA connection."""

    @override
    def __init__(self, name: str, settings: ConnectionSettings, tags: Sequence[Tag], clock: Clock) -> None:
        super().__init__(name, settings, tags, clock)
        quiet_asyncua()
        self._url = OpcuaConnection.model_validate(settings).url
        self._tags = {tag.signal: OpcuaTag.model_validate(tag.settings) for tag in tags}
        self._nodes: dict[str, ua.NodeId] = {}
        self._signals: dict[ua.NodeId, str] = {}
        self._folders: dict[str, Node] = {}
        self._methods: dict[tuple[ua.NodeId, ua.NodeId], str] = {}
        self._offered: set[ua.NodeId] = set()
        self._writes: list[Write] = []
        self._server: Server | None = None

    @override
    async def start(self) -> None:
        server = Server()
        # The server's own clock would show real time beside plant time, and holds up stopping for a second.
        server.disable_clock()
        server.set_force_server_timestamp(False)
        await server.init()
        await server.set_application_uri(_APPLICATION_URI)
        server.set_server_name(self.name)
        server.set_endpoint(self._url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        server.set_identity_tokens([ua.AnonymousIdentityToken])
        await self._build(server)
        server.subscribe_server_callback(CallbackType.PreWrite, self._stamp)
        server.subscribe_server_callback(CallbackType.PostWrite, self._note)
        await server.start()
        self._server = server

    async def _build(self, server: Server) -> None:
        places = {signal: node.parse(tag.node) for signal, tag in self._tags.items()}
        called = [tag.call for tag in self._tags.values() if tag.call]
        all_ = [*places.values(), *(node.parse(text) for call in called for text in (call.object, call.method))]
        namespaces = [node.OPC_UA, _APPLICATION_URI]
        uris = dict.fromkeys(place.uri for place in all_ if place.uri is not None)
        namespaces += [uri for uri in uris if uri not in namespaces]
        highest = max((place.number for place in all_), default=0)
        namespaces += [f"urn:linecontrol:namespace:{number}" for number in range(len(namespaces), highest + 1)]
        await server.nodes.namespace_array.write_value(namespaces)
        for tag in self.tags:
            node_id = places[tag.signal].at(namespaces)
            if node_id is not None:
                await self._add(server, tag, node_id)

    async def _add(self, server: Server, tag: Tag, node_id: ua.NodeId) -> None:
        datatype = self._tags[tag.signal].type
        name, parent = ua.QualifiedName(tag.signal, node_id.NamespaceIndex), server.nodes.objects
        steps = node.parse(self._tags[tag.signal].node).path(await server.get_namespace_array())
        if steps:
            *above, (namespace, last) = steps
            parent, name = await self._folder(server, above), ua.QualifiedName(last, ua.UInt16(namespace))
        variable = await parent.add_variable(
            node_id, name, datatype.initial, datatype.wire.variant, datatype=ua.NodeId(ua.Int32(datatype.wire.variant))
        )
        call = self._tags[tag.signal].call
        if call is not None:
            await self._offer(server, tag.signal, call)
        elif tag.writable:
            await variable.set_writable()
        self._nodes[tag.signal] = node_id
        self._signals[node_id] = tag.signal
        await self._put(server, Reading(tag.signal, datatype.initial, Quality.GOOD, self.clock.now_ns(), 0))

    async def _offer(self, server: Server, signal: str, call: Call) -> None:
        """A method that sets the signal's variable."""
        namespaces = await server.get_namespace_array()
        owner, it = node.parse(call.object), node.parse(call.method)
        parent = await self._object(server, owner, namespaces)
        node_id = it.at(namespaces)
        if parent is None or node_id is None:
            return
        self._methods[parent.nodeid, node_id] = signal
        if node_id in self._offered:
            return
        self._offered.add(node_id)
        above, name = parent, ua.QualifiedName(str(node_id.Identifier), node_id.NamespaceIndex)
        if steps := it.path(namespaces):
            above, name = (
                await self._folder(server, steps[:-1]),
                ua.QualifiedName(steps[-1][1], ua.UInt16(steps[-1][0])),
            )

        async def called(of: ua.NodeId, *arguments: ua.Variant) -> ua.CallMethodResult:
            return await self._called(server, self._methods.get((of, node_id)), arguments)

        datatype = ua.NodeId(ua.Int32(self._tags[signal].type.wire.variant))
        await above.add_method(node_id, name, called, [ua.Argument("value", datatype, ua.Int32(-1))])

    async def _object(self, server: Server, place: node.Node, namespaces: Sequence[str]) -> Node | None:
        """The object at a place, made if it isn't there."""
        if steps := place.path(namespaces):
            return await self._folder(server, steps)
        node_id = place.at(namespaces)
        if node_id is None:
            return None
        found = server.get_node(node_id)
        try:
            await found.read_node_class()
        except UaError:
            name = ua.QualifiedName(str(node_id.Identifier), node_id.NamespaceIndex)
            found = await server.nodes.objects.add_object(node_id, name)
        return found

    async def _called(self, server: Server, signal: str | None, arguments: Sequence[ua.Variant]) -> ua.CallMethodResult:
        """Do what a client called for."""
        if signal is None:
            return _ended(StatusCodes.BadMethodInvalid)
        if len(arguments) != 1:
            return _ended(StatusCodes.BadTooManyArguments if arguments else StatusCodes.BadArgumentsMissing)
        (argument,) = arguments
        if argument.VariantType != self._tags[signal].type.wire.variant or argument.is_array:
            return _ended(StatusCodes.BadInvalidArgument, StatusCodes.BadTypeMismatch)
        await self._put(server, Reading(signal, argument.Value, Quality.GOOD, self.clock.now_ns(), 0))
        self._writes.append(Write(signal, argument.Value))
        return _ended(StatusCodes.Good)

    async def _folder(self, server: Server, steps: Sequence[tuple[int, str]]) -> Node:
        """The object at the end of a path, made if it isn't there."""
        parent, key = server.nodes.objects, ""
        for namespace, name in steps:
            key = f"{key}/{namespace}:{name}"
            if key not in self._folders:
                self._folders[key] = await parent.add_object(
                    ua.NodeId(ua.String(f"folder={key}"), ua.Int16(namespace)),
                    ua.QualifiedName(name, ua.UInt16(namespace)),
                )
            parent = self._folders[key]
        return parent

    @override
    async def publish(self, readings: Sequence[Reading]) -> None:
        if self._server is not None:
            for reading in readings:
                await self._put(self._server, reading)

    async def _put(self, server: Server, reading: Reading) -> None:
        status = ua.StatusCode(ua.UInt32(reading.status or _STATUS[reading.quality]))
        variant = None if reading.value is None else to_variant(reading.value, self._tags[reading.signal].type)
        time = moment(reading.source_ns)
        data = ua.DataValue(variant, status, SourceTimestamp=time, ServerTimestamp=time)
        await server.write_attribute_value(self._nodes[reading.signal], data)

    def _stamp(self, event: ServerItemCallback, _service: object) -> None:
        """Stamp what a client writes with plant time, as a PLC does with its own."""
        if event.is_external:
            now = moment(self.clock.now_ns())
            for write in event.request_params.NodesToWrite:
                write.Value = dataclasses.replace(write.Value, SourceTimestamp=now, ServerTimestamp=now)

    def _note(self, event: ServerItemCallback, _service: object) -> None:
        """Keep what a client wrote, if it was taken."""
        if event.is_external:
            for write, status in zip(event.request_params.NodesToWrite, event.response_params, strict=True):
                signal = self._signals.get(write.NodeId)
                if signal is not None and status.is_good() and write.AttributeId == AttributeIds.Value:
                    self._writes.append(Write(signal, write.Value.Value.Value))

    @override
    def writes(self) -> list[Write]:
        taken, self._writes = self._writes, []
        return taken

    @override
    async def close(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        with suppress(Exception):
            for transport in list(server.iserver.asyncio_transports):
                transport.abort()
            await asyncio.sleep(0)
            # Sessions with subscriptions outlive their connection, and asyncua does not end them when it stops.
            for session in list(server.iserver._external_sessions.values()):  # noqa: SLF001
                await session.close_session()
            await server.stop()


def _ended(status: int, *arguments: int) -> ua.CallMethodResult:
    codes = [ua.StatusCode(ua.UInt32(code)) for code in arguments]
    return ua.CallMethodResult(ua.StatusCode(ua.UInt32(status)), codes)
