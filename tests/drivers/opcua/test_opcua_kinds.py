"""Commands are sent in the data type that the node has at the server."""

from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from linecontrol.driver import ConnectionLost, DeviceRefused, Quality
from linecontrol_opcua.datatype import DataType
from linecontrol_opcua.server import OpcuaPlcServer
from tests.drivers.opcua.rogue import FIRST, Rogue, fault, status, value

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_ANDON = "l/s/command_andon"
_NODE = "ns=2;s=Andon"


async def _variable(plc: OpcuaPlcServer, name: str, initial: Any, kind: ua.VariantType, datatype: ua.NodeId) -> None:
    """A writable variable that config says nothing of."""
    assert plc._server is not None
    objects = plc._server.nodes.objects
    variable = await objects.add_variable(
        ua.NodeId(ua.String(name), ua.Int16(1)), ua.QualifiedName(name, ua.UInt16(1)), initial, kind, datatype=datatype
    )
    await variable.set_writable()


async def _written(plc: OpcuaPlcServer, name: str, namespace: int) -> ua.Variant:
    assert plc._server is not None
    data = await plc._server.get_node(ua.NodeId(ua.String(name), ua.Int16(namespace))).read_data_value()
    assert data.Value is not None
    return data.Value


@pytest.mark.parametrize(
    ("ours", "own", "sent"),
    [
        ("int16", "uint16", 40_000),
        ("int16", "int32", -70_000),
        ("uint32", "int8", -3),
        ("int64", "uint64", 2**63),
        ("float", "double", 0.1),
        ("double", "float", 0.5),
        ("int16", "double", 3),
        ("string", "string", "a"),
        ("bool", "bool", True),
    ],
)
async def test_values_are_written_as_the_node_wants_them(rig: "Rig", ours: str, own: str, sent: Any) -> None:
    settings = rig.connection()
    there = rig.tag(_ANDON, _NODE, own, writable=True)
    here = rig.tag(_ANDON, _NODE, ours, writable=True)
    async with rig.serve(settings, [there]) as plc, rig.drive(settings, [here]) as driver:
        await driver.write({_ANDON: sent})
        variant = await _written(plc, "Andon", 2)
    assert (variant.Value, variant.VariantType) == (sent, DataType(own).wire.variant)


@pytest.mark.parametrize(
    ("ours", "own", "sent", "why"),
    [
        ("int16", "uint16", -1, r"-1 is no uint16 \(0 to 65535\)"),
        ("int32", "int8", 128, r"128 is no int8 \(-128 to 127\)"),
        ("double", "float", 1e39, r"1e\+39 is no float"),
        ("double", "int16", 1.5, "1.5 is no int16"),
        ("int16", "bool", 1, "1 is no bool"),
    ],
)
async def test_what_does_not_fit_the_node_is_not_sent(rig: "Rig", ours: str, own: str, sent: Any, why: str) -> None:
    settings = rig.connection()
    there = rig.tag(_ANDON, _NODE, own, writable=True)
    here = rig.tag(_ANDON, _NODE, ours, writable=True)
    async with rig.serve(settings, [there]) as plc, rig.drive(settings, [here]) as driver:
        with pytest.raises(DeviceRefused, match=f"{_ANDON}: {why}"):
            await driver.write({_ANDON: sent})
        assert plc.writes() == []


async def test_a_command_is_read_back_as_it_was_written_and_other_readings_stay_strict(rig: "Rig") -> None:
    settings = rig.connection()
    there = rig.tag(_ANDON, _NODE, "uint16", writable=True)
    here = rig.tag(_ANDON, _NODE, "int16", writable=True)
    shown = rig.tag("l/s/shown", _NODE, "int16")
    async with rig.serve(settings, [there]), rig.drive(settings, [here, shown]) as driver:
        await driver.write({_ANDON: 3})
        command, strict = await driver.read([_ANDON, "l/s/shown"])
    assert (command.quality, command.value) == (Quality.GOOD, 3)
    assert (strict.quality, strict.value) == (Quality.BAD, None)


async def test_subtypes_are_sent_as_what_they_are_made_of(rig: "Rig") -> None:
    settings = rig.connection()
    names = ("enumeration", "duration", "derived", "any")
    tags = [rig.tag(f"l/s/command_{name}", f"ns=1;s={name}", "int16", writable=True) for name in names]
    async with rig.serve(settings, []) as plc:
        assert plc._server is not None
        colour = await plc._server.nodes.enum_data_type.add_data_type(1, "Colour")
        word = await plc._server.get_node(ObjectIds.UInt16).add_data_type(1, "Word")
        code = await word.add_data_type(1, "Code")
        await _variable(plc, "enumeration", 0, ua.VariantType.Int32, colour.nodeid)
        await _variable(plc, "duration", 0.0, ua.VariantType.Double, ua.NodeId(ua.Int32(ObjectIds.Duration)))
        await _variable(plc, "derived", 0, ua.VariantType.UInt16, code.nodeid)
        await _variable(plc, "any", 0, ua.VariantType.Byte, ua.NodeId(ua.Int32(ObjectIds.Number)))
        async with rig.drive(settings, tags) as driver:
            await driver.write({tag.signal: 3 for tag in tags})
            got = [(await _written(plc, name, 1)).VariantType.name for name in names]
    assert got == ["Int32", "Double", "UInt16", "Byte"]


def _tags(rig: "Rig") -> list[Any]:
    return [rig.tag(_ANDON, f"ns=1;i={FIRST}", "int16", writable=True)]


def _taken(rogue: Rogue) -> list[str]:
    taken: list[str] = []

    def write(_: object, request: Any) -> Any:
        taken.extend(wanted.Value.Value.VariantType.name for wanted in request.Parameters.NodesToWrite)
        return ua.WriteResponse(Results=[status(StatusCodes.Good)])

    rogue.answers["Write"] = write
    return taken


async def test_where_nothing_can_be_learned_the_configured_type_is_used(rig: "Rig") -> None:
    rogue = Rogue()
    taken = _taken(rogue)
    async with rogue.serve(), rig.drive(rig.connection(rogue.port), _tags(rig)) as driver:
        await driver.write({_ANDON: 3})
    assert taken == ["Int16"]


@pytest.mark.parametrize("code", [StatusCodes.BadServiceUnsupported, StatusCodes.BadNotSupported])
async def test_a_server_that_does_not_browse_is_asked_for_the_present_value(rig: "Rig", code: int) -> None:
    rogue = Rogue()
    taken, own, plain = _taken(rogue), ua.NodeId(ua.Int32(3002), ua.Int16(1)), rogue.on_Read
    rogue.values[0] = value(0.0)

    def read(link: Any, request: Any) -> Any:
        if request.Parameters.NodesToRead[0].AttributeId == AttributeIds.DataType:
            return ua.ReadResponse(Results=[ua.DataValue(ua.Variant(own, ua.VariantType.NodeId))])
        return plain(link, request)

    rogue.answers["Read"] = read
    rogue.answers["Browse"] = lambda _, __: fault(code)
    async with rogue.serve(), rig.drive(rig.connection(rogue.port), _tags(rig)) as driver:
        await driver.write({_ANDON: 3})
    assert taken == ["Double"]


async def test_types_in_a_circle_are_given_up_on(rig: "Rig") -> None:
    rogue = Rogue()
    taken, own, plain = _taken(rogue), ua.NodeId(ua.Int32(3002), ua.Int16(1)), rogue.on_Read

    def read(link: Any, request: Any) -> Any:
        if request.Parameters.NodesToRead[0].AttributeId == AttributeIds.DataType:
            return ua.ReadResponse(Results=[ua.DataValue(ua.Variant(own, ua.VariantType.NodeId))])
        return plain(link, request)

    reference = ua.ReferenceDescription(NodeId=ua.ExpandedNodeId(own.Identifier, own.NamespaceIndex))
    rogue.answers["Read"] = read
    rogue.answers["Browse"] = lambda _, __: ua.BrowseResponse(Results=[ua.BrowseResult(References=[reference])])
    async with rogue.serve(), rig.drive(rig.connection(rogue.port), _tags(rig)) as driver:
        await driver.write({_ANDON: 3})
    assert taken == ["Int16"]
    assert rogue.calls.count("Browse") == 5


async def test_a_server_that_falls_silent_over_it_is_connection_lost(rig: "Rig") -> None:
    rogue = Rogue()
    rogue.answers["Browse"] = lambda _, __: None
    rogue.values[0] = ua.DataValue(ua.Variant(ua.NodeId(ua.Int32(3002), ua.Int16(1)), ua.VariantType.NodeId))
    async with rogue.serve():
        with pytest.raises(ConnectionLost, match="did not answer in time"):
            async with rig.drive(rig.connection(rogue.port, timeout="300ms"), _tags(rig)):
                pass
