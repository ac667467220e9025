"""What data type nodes have of their own, so that a command can be sent in it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import nodeid_from_binary
from asyncua.ua.uaerrors import UaStatusCodeError

from linecontrol.driver import ConnectionLost, DeviceRefused
from linecontrol_opcua.browse import properties
from linecontrol_opcua.datatype import DataType
from linecontrol_opcua.decode import Refusal
from linecontrol_opcua.loose import NODE_ID, Loose
from linecontrol_opcua.session import Session
from linecontrol_opcua.trouble import told
from linecontrol_opcua.wire import Reader

MOST_STEPS = 5
"""So far up a data type's supertypes are looked at."""
_BUILT_IN = {int(datatype.wire.variant): datatype for datatype in DataType}
_HAS_SUBTYPE = ua.NodeId(ua.Int32(ObjectIds.HasSubtype))
_DATA_TYPES, _NOTHING_MORE = 64, 0
_LAST_BUILT_IN = 25
_ARGUMENT = 298


async def of_nodes(session: Session, nodes: Mapping[str, ua.NodeId]) -> dict[str, DataType]:
    """The data type of each variable node that can be learned: declared, inherited, or else that of its value.

    Raises:
        ConnectionLost: the connection ended.
    """
    known: dict[str, DataType] = {}
    async with _if_it_tells(session):
        declared = await session.read_data(list(nodes.values()), AttributeIds.DataType)
        known = await of_types(session, {key: as_node_id(it) for key, it in zip(nodes, declared, strict=True)})
    unknown = {key: node_id for key, node_id in nodes.items() if key not in known}
    async with _if_it_tells(session):
        values = await session.read_data(list(unknown.values()))
        for key, value in zip(unknown, values, strict=True):
            if value.kind in _BUILT_IN and not isinstance(value.value, list):
                known[key] = _BUILT_IN[value.kind]
    return known


async def of_arguments(session: Session, methods: Mapping[str, ua.NodeId]) -> dict[str, DataType]:
    """The data type of the single argument of each method that tells.

    Raises:
        ConnectionLost: the connection ended.
    """
    known: dict[str, DataType] = {}
    async with _if_it_tells(session):
        found = dict(zip(methods, await properties(session, list(methods.values()), "InputArguments"), strict=True))
        there = {key: node_id for key, node_id in found.items() if node_id is not None}
        answers = await session.read_data(list(there.values()))
        known |= await of_types(session, {key: _argument(it) for key, it in zip(there, answers, strict=True)})
    return known


def _argument(arguments: Loose) -> ua.NodeId | None:
    """Data type of the only argument."""
    if len(arguments.parts) != 1 or arguments.parts[0][0] != _ARGUMENT:
        return None
    reader = Reader(arguments.parts[0][1])
    reader.octets()
    start = reader.pos
    reader.node_id()
    return as_node_id(Loose(NODE_ID, raw=reader.data[start : reader.pos]))


async def of_types(session: Session, types: Mapping[str, ua.NodeId | None]) -> dict[str, DataType]:
    """What values of these data types are sent as, where that can be learned.

    Raises:
        ConnectionLost: the connection ended.
    """
    at = {key: node_id for key, node_id in types.items() if node_id is not None}
    known: dict[str, DataType] = {}
    for step in range(MOST_STEPS + 1):
        known |= {key: found for key, node_id in at.items() if (found := _sent_as(node_id)) is not None}
        at = {key: node_id for key, node_id in at.items() if key not in known and not _built_in(node_id)}
        if not at or step == MOST_STEPS:
            break
        above: dict[ua.NodeId, ua.NodeId] = {}
        async with _if_it_tells(session):
            above = await _above(session, list(dict.fromkeys(at.values())))
        at = {key: above[node_id] for key, node_id in at.items() if node_id in above}
    return known


def as_node_id(attribute: Loose) -> ua.NodeId | None:
    """The node id that an attribute holds."""
    if attribute.kind != NODE_ID or not attribute.raw:
        return None
    there = nodeid_from_binary(Buffer(attribute.raw))
    return ua.NodeId(there.Identifier, there.NamespaceIndex, there.NodeIdType)


def _sent_as(datatype: ua.NodeId) -> DataType | None:
    if datatype.NamespaceIndex or not isinstance(datatype.Identifier, int):
        return None
    if datatype.Identifier == ObjectIds.Enumeration:
        return DataType.INT32
    return _BUILT_IN.get(datatype.Identifier)


def _built_in(datatype: ua.NodeId) -> bool:
    number = datatype.Identifier
    return not datatype.NamespaceIndex and isinstance(number, int) and number <= _LAST_BUILT_IN


async def _above(session: Session, types: Sequence[ua.NodeId]) -> dict[ua.NodeId, ua.NodeId]:
    """The supertype of each data type that has one."""
    found: dict[ua.NodeId, ua.NodeId] = {}
    most = session.most_paths
    for start in range(0, len(types), most):
        chunk = types[start : start + most]
        request = ua.BrowseRequest()
        request.Parameters.RequestedMaxReferencesPerNode = ua.UInt32(1)
        request.Parameters.NodesToBrowse = [_upwards(node_id) for node_id in chunk]
        results = (await session.call(request, ua.BrowseResponse)).Results
        for node_id, result in zip(chunk, results, strict=True):
            for reference in result.References or ():
                there = reference.NodeId
                found[node_id] = ua.NodeId(there.Identifier, there.NamespaceIndex, there.NodeIdType)
    return found


def _upwards(node_id: ua.NodeId) -> ua.BrowseDescription:
    wanted = ua.BrowseDescription()
    wanted.NodeId, wanted.ReferenceTypeId, wanted.IncludeSubtypes = node_id, _HAS_SUBTYPE, False
    wanted.BrowseDirection = ua.BrowseDirection.Inverse
    wanted.NodeClassMask, wanted.ResultMask = ua.UInt32(_DATA_TYPES), ua.UInt32(_NOTHING_MORE)
    return wanted


@asynccontextmanager
async def _if_it_tells(session: Session) -> AsyncIterator[None]:
    """Do without what a server answers no to: it may lack the service, or the right may be missing."""
    try:
        with told(session.name, session.url):
            yield
    except (ConnectionLost, DeviceRefused) as error:
        if not isinstance(error.__cause__, (UaStatusCodeError, Refusal)):
            raise
