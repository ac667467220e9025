from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

import linecontrol_modbus
from linecontrol.driver import Tag
from linecontrol_modbus.layout import layout
from linecontrol_modbus.settings import ModbusConnection, ModbusTag


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ({}, "exactly one of holding, input, coil, discrete and reference, not none"),
        ({"holding": 1, "coil": 2}, "not holding and coil"),
        ({"coil": 1, "type": "uint16"}, "a coil is one bit: leave out type"),
        ({"discrete": 1, "scale": 2, "bit": 0}, "a discrete is one bit: leave out bit, scale"),
        ({"holding": 1, "bit": 3, "type": "uint32"}, "bit picks from one plain register"),
        ({"holding": 1, "bit": 3, "scale": 2}, "bit picks from one plain register"),
        ({"holding": 1, "type": "string"}, "a string needs its length"),
        ({"holding": 1, "type": "string", "length": 2, "order": "CDAB"}, "its order is ABCD or BADC"),
        ({"holding": 1, "type": "string", "length": 2, "offset": 1}, "a string can't be scaled"),
        ({"holding": 1, "type": "int32", "length": 2}, "length is for strings: int32 always takes 2"),
        ({"holding": 1, "scale": 0}, "a scale of 0"),
        ({"holding": 65533, "type": "float64"}, "4 registers from 65533 on reach beyond 65535"),
        ({"holding": 65536}, "less than or equal to 65535"),
        ({"holding": 1, "bit": 16}, "less than or equal to 15"),
        ({"holding": 1, "unit": 256}, "less than or equal to 255"),
        ({"holding": 1, "address": 3}, "Extra inputs are not permitted"),
        ({"holding": 1, "bit": 3, "bits": [1, 2]}, "leave out one of them"),
        ({"holding": 1, "bits": [5, 2]}, r"write \[2, 5\]"),
        ({"holding": 1, "bits": [1, 2], "sentinels": [3]}, "bits picks from one plain register"),
        ({"holding": 1, "type": "string", "length": 2, "sentinels": [3]}, "a string has no sentinels"),
        ({"coil": 1, "sentinels": [1]}, "a coil is one bit: leave out sentinels"),
        ({"reference": 20001}, "reference 20001 is none"),
        ({"reference": 40000}, "reference 40000 is none"),
        ({"reference": "465537"}, "reference 465537 is none"),
        ({"reference": "4x1"}, "reference 4x1 is none"),
        ({"reference": 40001, "holding": 0}, "not holding and reference"),
        ({"holding": 1, "poll": "0s"}, "greater than 0"),
    ],
)
def test_a_wrong_tag_is_told_what_is_wrong(address: Mapping[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModbusTag.model_validate(address)


@pytest.mark.parametrize(
    ("address", "kind", "counter"),
    [
        ({"coil": 1}, bool, None),
        ({"holding": 1, "bit": 0}, bool, None),
        ({"holding": 1}, int, 16),
        ({"input": 1, "type": "int32"}, int, None),
        ({"input": 1, "type": "uint64"}, int, 64),
        ({"input": 1, "scale": 10}, int, None),
        ({"input": 1, "scale": 0.1}, float, None),
        ({"input": 1, "type": "float32"}, float, None),
        ({"input": 1, "type": "string", "length": 4}, str, None),
        ({"input": 1, "bits": [4, 11]}, int, 8),
        ({"input": 1, "type": "bcd32"}, int, None),
        ({"reference": 30001, "type": "float64"}, float, None),
        ({"reference": 10001}, bool, None),
    ],
)
def test_what_a_tag_says_of_its_values(address: Mapping[str, object], kind: type, counter: int | None) -> None:
    tag = ModbusTag.model_validate(address)
    assert tag.value_type() is kind
    assert tag.counter_bits() == counter


def places(**address: object) -> frozenset[str]:
    return ModbusTag.model_validate(address).places()


def test_bits_of_a_register_share_it_but_not_with_the_whole() -> None:
    assert places(holding=100, bit=3, unit=1) == {"unit 1 holding 100 bit 3"}
    assert places(holding=100, bit=3).isdisjoint(places(holding=100, bit=4))
    assert places(holding=100, bit=3) & places(holding=99, type="uint32") == {"unit default holding 100 bit 3"}
    assert places(holding=100).isdisjoint(places(input=100))
    assert places(coil=100, unit=2) == {"unit 2 coil 100"}
    assert len(places(holding=0, type="string", length=5)) == 80


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ({"input": 7}, "l/s/andon: a command can't be written to input 7"),
        ({"discrete": 7}, "l/s/andon: a command can't be written to discrete 7"),
        ({"holding": 7, "bit": 1}, "l/s/andon: a command can't be written to one bit of holding 7"),
        ({"holding": 7, "type": "string", "length": 20}, "takes 20 registers, but max_registers is 10"),
    ],
)
def test_a_tag_that_cant_be_served_is_named(address: Mapping[str, object], message: str) -> None:
    settings = ModbusConnection(host="plc", max_registers=10)
    with pytest.raises(ValueError, match=message):
        layout(settings, [Tag("l/s/andon", ModbusTag.model_validate(address), writable=True)])


@pytest.mark.parametrize(
    ("reference", "table", "address"),
    [
        (40001, "holding", 0),
        (49999, "holding", 9998),
        (400001, "holding", 0),
        ("465536", "holding", 65535),
        (30017, "input", 16),
        (10008, "discrete", 7),
        ("00008", "coil", 7),
        (8, "coil", 7),
        ("000008", "coil", 7),
    ],
)
def test_references_of_manuals_are_places_as_on_the_wire(reference: int | str, table: str, address: int) -> None:
    tag = ModbusTag(reference=reference)
    assert (tag.table.value, tag.address) == (table, address)
    [point] = layout(ModbusConnection(host="plc"), [Tag("l/s/a", tag)]).values()
    assert (point.span.table.value, point.span.address) == (table, address)
    assert tag.places() == ModbusTag.model_validate({table: address}).places()


def test_places_may_be_counted_from_1() -> None:
    settings = ModbusConnection(host="plc", base=1)
    [point] = layout(settings, [Tag("l/s/a", ModbusTag(holding=1))]).values()
    assert point.span.address == 0
    with pytest.raises(ValueError, match="l/s/a: holding 0 is no place: they count from 1"):
        layout(settings, [Tag("l/s/a", ModbusTag(holding=0))])
    with pytest.raises(ValueError, match="two ways to count"):
        layout(settings, [Tag("l/s/a", ModbusTag(holding=1)), Tag("l/s/b", ModbusTag(reference=40001))])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "transport tcp needs host"),
        ({"transport": "serial"}, "transport serial needs device"),
        ({"transport": "serial", "device": "/dev/ttyS0", "host": "plc"}, "is no network: leave out host"),
        ({"host": "plc", "baudrate": 9600}, "transport tcp is no serial port: leave out baudrate"),
        ({"host": "plc", "ca": "ca.pem"}, "transport tcp knows no certificates: leave out ca"),
        ({"host": "plc", "transport": "tls"}, "transport tls needs ca"),
        ({"host": "plc", "transport": "tls", "ca": "a", "key": "k"}, "certificate and key belong together"),
        ({"host": "plc", "transport": "rtu_over_tcp", "in_flight": 2}, "one request at a time: leave out in_flight"),
        ({"host": "plc", "identity": [{"holding": 0, "equals": "A"}]}, "equals is 'A', but the place shows int"),
        ({"host": "plc", "in_flight": 9}, "less than or equal to 8"),
        ({"transport": "serial", "device": "/dev/ttyS0", "baudrate": 9601}, "9600"),
    ],
)
def test_a_wrong_connection_is_told_what_is_wrong(given: Mapping[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModbusConnection.model_validate(given)


def test_a_serial_bus_and_a_secure_device_are_simulated_at_loopback_too() -> None:
    serial = ModbusConnection.model_validate(
        {"transport": "serial", "device": "/dev/ttyS0", "baudrate": 9600, "unit": 3}
    )
    with pytest.raises(NotImplementedError):
        serial.endpoint()
    secure = ModbusConnection.model_validate({"transport": "tls", "host": "plc", "ca": "ca.pem"})
    assert secure.endpoint() == ("plc", 802)
    for settings in (serial, secure):
        simulated = settings.on_loopback(1502)
        assert (simulated.endpoint(), simulated.transport, simulated.unit) == (
            ("127.0.0.1", 1502), "tcp", settings.unit
        )  # fmt: skip
        again = simulated.model_dump(include={"host", "port", "unit"})
        assert ModbusConnection.model_validate(again).place == simulated.place


def test_a_simulated_device_is_at_loopback() -> None:
    settings = ModbusConnection(host="plc", unit=7)
    assert settings.endpoint() == ("plc", 502)
    assert settings.on_loopback(1502).endpoint() == ("127.0.0.1", 1502)
    assert settings.on_loopback(1502).unit == 7


def test_the_sample_is_valid() -> None:
    sample = YAML(typ="safe").load(Path(linecontrol_modbus.__file__).with_name("sample.yaml"))
    [given] = sample["connections"].values()
    assert given.pop("driver") == "modbus"
    settings = ModbusConnection.model_validate(given)
    tags = [Tag(name, ModbusTag.model_validate(place)) for name, place in sample["signals"].items()]
    commands = [Tag(name, ModbusTag.model_validate(place), writable=True) for name, place in sample["commands"].items()]
    taken = [place for tag in tags + commands for place in tag.settings.places()]
    assert len(taken) == len(set(taken))
    assert layout(settings, tags + commands).keys() == sample["signals"].keys() | sample["commands"].keys()
