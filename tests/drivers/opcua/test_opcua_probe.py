"""Looking around in a server."""

from typing import TYPE_CHECKING

import pytest
from asyncua import ua

from linecontrol.driver import Finding
from linecontrol.registry import commands, probe
from linecontrol_opcua import node
from linecontrol_opcua.probe import OpcuaProbe
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag
from linecontrol_opcua.trust import app

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig


def test_probe_and_command_are_found_by_name() -> None:
    assert probe("opc.tcp") is OpcuaProbe
    assert commands()["trust"].load() is app


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("http://x", {}, "write opc.tcp://HOST:PORT"),
        ("opc.tcp://plc:4840", {"depth": "0"}, "a number from 1 to 64"),
        ("opc.tcp://plc:4840", {"colour": "red"}, "colour is no option"),
        ("opc.tcp://plc:4840", {"security": "some"}, "sign"),
    ],
)
def test_wrong_addresses_and_options_are_refused(url: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OpcuaProbe(url, options)


def test_the_connection_can_be_pasted() -> None:
    secure = OpcuaProbe("opc.tcp://plc:4840", {"security": "sign_and_encrypt"}).connection()
    assert secure == {"driver": "opcua", "url": "opc.tcp://plc:4840", "security": "sign_and_encrypt"}
    plain = dict(OpcuaProbe("opc.tcp://plc:4840", {"depth": "3"}).connection())
    assert plain.pop("driver") == "opcua"
    assert OpcuaConnection.model_validate(plain).warnings() != []


async def test_a_server_is_shown_as_a_tree_with_types_values_and_units(rig: "Rig") -> None:
    settings = rig.connection()
    tags = [rig.tag("l/s/torque", "nsu=urn:plant;s=ST010.Torque", "double")]
    async with rig.serve(settings, tags) as plc:
        assert plc._server is not None
        objects = plc._server.nodes.objects
        station = await objects.add_object(ua.NodeId(ua.String("ST"), ua.Int16(2)), "Station")
        force = await station.add_variable(ua.NodeId(ua.String("F"), ua.Int16(2)), "Force", 2.5)
        unit = ua.EUInformation("urn:u", 1, ua.LocalizedText("kN"), ua.LocalizedText("kilonewton"))
        await force.add_property(ua.NodeId(ua.String("F.EU"), ua.Int16(2)), ua.QualifiedName("EngineeringUnits"), unit)
        await force.set_writable()
        await station.add_variable(ua.NodeId(ua.String("A"), ua.Int16(2)), "Shape", [1, 2, 3])
        seen: list[tuple[float, str]] = []
        looker = OpcuaProbe(settings.url, {})
        found = [finding async for finding in looker.look(lambda share, where: seen.append((share, where)))]
        few = [finding async for finding in OpcuaProbe(settings.url, {"most": "2"}).look(lambda *_: None)]
    by_path = {finding.path: finding for finding in found}
    name = "nsu=urn:plant;s=F"
    assert by_path["Station", "Force"] == Finding(
        path=("Station", "Force"),
        tag={"node": name, "type": "double"},
        kind="double",
        value="2.5",
        unit="kN",
        note="writable",
    )
    assert OpcuaTag.model_validate(by_path["Station", "Force"].tag).node == name
    assert by_path["Station",] == Finding(path=("Station",))
    assert (by_path["Station", "Shape"].tag, by_path["Station", "Shape"].note) == ({}, "an array")
    assert by_path["l/s/torque",].tag == {"node": "nsu=urn:plant;s=ST010.Torque", "type": "double"}
    assert ("Server",) not in by_path
    assert seen[-1] == (1.0, "")
    assert [bool(finding.note.startswith("more was not")) for finding in few] == [False, False, True]


def test_nodes_are_named_by_namespace() -> None:
    namespaces = [node.OPC_UA, "urn:a", "urn:b"]
    for text in ("nsu=urn:b;s=X;Y", "nsu=urn:a;i=7", "i=2258"):
        at = node.parse(text).at(namespaces)
        assert at is not None
        assert node.named(at, namespaces) == text
    assert node.named(ua.NodeId(ua.Int32(7), ua.Int16(9)), namespaces) == "ns=9;i=7"
