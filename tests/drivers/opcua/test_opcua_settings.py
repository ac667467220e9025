"""What config may say of OPC UA connections and signals."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

import linecontrol_opcua
from linecontrol.config.plan import load_checked
from linecontrol.errors import ConfigError
from linecontrol.registry import driver, plc_server
from linecontrol_opcua import node
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag
from tests.unit.config.conftest import PLANT

_PACKAGE = Path(linecontrol_opcua.__file__).parent


def test_defaults() -> None:
    connection = OpcuaConnection(url="opc.tcp://127.0.0.1:4840")
    assert (connection.publish, connection.queue, connection.timeout) == (250_000_000, 100, 4_000_000_000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "10.0.0.1:4840"}, "write opc.tcp://HOST:PORT"),
        ({"url": "http://127.0.0.1:4840"}, "write opc.tcp://HOST:PORT"),
        ({"url": "opc.tcp://127.0.0.1"}, "write opc.tcp://HOST:PORT"),
        ({"url": "opc.tcp://:4840"}, "write opc.tcp://HOST:PORT"),
        ({"url": "opc.tcp://127.0.0.1:99999"}, "write opc.tcp://HOST:PORT"),
        ({"url": "opc.tcp://[::1:4840"}, "write opc.tcp://HOST:PORT"),
        ({"url": "opc.tcp://me:secret@127.0.0.1:4840"}, "clear text"),
        ({"url": "opc.tcp://10.20.0.11:4840"}, "allow_insecure: true"),
        ({"url": "opc.tcp://127.0.0.1:4840", "publish": "0s"}, "greater than 0"),
        ({"url": "opc.tcp://127.0.0.1:4840", "publish": 250}, "has no unit"),
        ({"url": "opc.tcp://127.0.0.1:4840", "queue": 0}, "greater than or equal to 1"),
        ({"url": "opc.tcp://127.0.0.1:4840", "server_uri": ""}, "at least 1 character"),
        ({"url": "opc.tcp://127.0.0.1:4840", "password": "x"}, "Extra inputs"),
    ],
)
def test_wrong_connections_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        OpcuaConnection.model_validate(settings)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_loopback_needs_no_consent(host: str) -> None:
    assert OpcuaConnection(url=f"opc.tcp://{host}:4840").endpoint() == (host.strip("[]"), 4840)


def test_on_loopback_keeps_all_but_the_address() -> None:
    there = OpcuaConnection.model_validate(
        {"url": "opc.tcp://10.20.0.11:4840/line", "publish": "1s", "allow_insecure": True}
    )
    here = there.on_loopback(50_000)
    assert (here.url, here.publish) == ("opc.tcp://127.0.0.1:50000/line", there.publish)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"node": "ST010.Run", "type": "bool"}, "is not a node id"),
        ({"node": "ns=x;s=A", "type": "bool"}, "is not a node id"),
        ({"node": "ns=2;s=", "type": "bool"}, "is not a node id"),
        ({"node": "ns=2;path=A//B", "type": "bool"}, "from Objects down"),
        ({"node": "ns=70000;s=A", "type": "bool"}, "at most 65535"),
        ({"node": "ns=2;i=ten", "type": "bool"}, "is no identifier"),
        ({"node": "ns=2;i=0", "type": "bool"}, "1 to 4294967295"),
        ({"node": "ns=2;i=4294967296", "type": "bool"}, "1 to 4294967295"),
        ({"node": "ns=2;g=1234", "type": "bool"}, "is no identifier"),
        ({"node": "ns=2;s=A", "type": "word"}, "uint16"),
        ({"node": "ns=2;s=A", "type": "bool", "deadband": 1}, "has no deadband"),
        ({"node": "ns=2;s=A", "type": "double", "deadband": 0}, "greater than 0"),
        ({"node": "ns=2;s=A", "type": "bool", "call": {"object": "A", "method": "ns=2;s=M"}}, "is not a node id"),
        ({"node": "ns=2;s=A", "type": "bool", "call": {"object": "ns=2;s=O"}}, "Field required"),
    ],
)
def test_wrong_tags_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        OpcuaTag.model_validate(settings)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("nsu=urn:ganja:tractor;s=ST010.CycleStart", "nsu=urn:ganja:tractor;s=ST010.CycleStart"),
        ("ns=2;s=A;b=c d", "ns=2;s=A;b=c d"),
        ("ns=02;i=0010", "ns=2;i=10"),
        ("ns=0;i=2258", "i=2258"),
        ("nsu=http://opcfoundation.org/UA/;i=2258", "i=2258"),
        ("i=2258", "i=2258"),
        ("nsu=urn:a;path=Line 1/ST010/0:Run", "nsu=urn:a;path=Line 1/ST010/0:Run"),
        ("ns=3;g=72962b91-fa75-4ae6-8d28-b404dc7daf63", "ns=3;g=72962b91-fa75-4ae6-8d28-b404dc7daf63"),
    ],
)
def test_one_place_has_one_name(text: str, canonical: str) -> None:
    tag = OpcuaTag.model_validate({"node": text, "type": "bool"})
    assert tag.places() == frozenset({canonical})


def test_a_method_of_an_object_is_a_place_of_its_own() -> None:
    call = {"object": "ns=2;s=O", "method": "ns=02;s=M"}
    one, two, other = (
        OpcuaTag.model_validate({"node": f"ns=2;s={number}", "type": "int16", "call": call | more}).places()
        for number, more in enumerate([{}, {}, {"object": "ns=2;s=P"}])
    )
    assert one & two == {"method ns=2;s=M of ns=2;s=O"}
    assert not one & other


@pytest.mark.parametrize("group", ["telemetry", "commands"])
def test_only_commands_call_methods(tmp_path: Path, group: str) -> None:
    address = '{connection: ua, node: "ns=2;s=A", type: int16, call: {object: "ns=2;s=O", method: "ns=2;s=M"}}'
    text = PLANT.replace("connections:\n", "connections:\n  ua: {driver: opcua, url: opc.tcp://127.0.0.1:4840}\n")
    text = text.replace(
        "        commands:\n          andon: {holding: 100}", f"        {group}:\n          andon: {address}"
    )
    (tmp_path / "all.yaml").write_text(text, encoding="utf-8")
    drivers = {name: driver(name) for name in ("modbus", "opcua")}
    if group == "commands":
        load_checked(tmp_path, drivers)
    else:
        with pytest.raises(ConfigError, match=r"first\.telemetry\.andon: call is for commands"):
            load_checked(tmp_path, drivers)


@given(
    st.integers(0, 0xFFFF),
    st.text('aZ9 .;="№ğ\U0001f69c', min_size=1),
    st.none() | st.text("abz:.", min_size=1).map("urn:".__add__),
)
def test_node_ids_keep_namespace_and_identifier(number: int, name: str, uri: str | None) -> None:
    where = f"ns={number}" if uri is None else f"nsu={uri}"
    place = node.parse(f"{where};s={name}")
    assert node.parse(str(place)) == place
    at = place.at([node.OPC_UA, "urn:own", uri or "urn:other"])
    assert at is not None
    assert (at.NamespaceIndex, at.Identifier) == (number if uri is None else 2, name)


@pytest.mark.parametrize(
    ("type_", "python", "bits"),
    [("bool", bool, None), ("uint16", int, 16), ("int16", int, None), ("uint64", int, 64), ("double", float, None)],
)
def test_value_type_and_counter_width(type_: str, python: type, bits: int | None) -> None:
    tag = OpcuaTag.model_validate({"node": "ns=2;s=A", "type": type_})
    assert (tag.value_type(), tag.counter_bits()) == (python, bits)


def test_the_sample_is_valid() -> None:
    sample = YAML(typ="safe").load(_PACKAGE / "sample.yaml")
    for settings in sample["connections"].values():
        assert settings.pop("driver") == "opcua"
        OpcuaConnection.model_validate(settings)
    station = sample["lines"]["tractor"]["stations"]["cab"]
    tags = [OpcuaTag.model_validate(tag) for part in ("signals", "commands") for tag in station[part].values()]
    assert len(frozenset().union(*(tag.places() for tag in tags))) == len(tags) > 3


def test_driver_and_server_are_found_by_name() -> None:
    assert driver("opcua") is linecontrol_opcua.OpcuaDriver
    assert plc_server("opcua").__module__ == "linecontrol_opcua.server"
