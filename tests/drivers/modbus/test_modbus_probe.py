"""What a probe finds, and that it does nothing but read."""

import struct
from collections.abc import Callable
from importlib.metadata import entry_points

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.driver import ConnectionLost, Finding, Value
from linecontrol_modbus.guess import guesses
from linecontrol_modbus.probe import ModbusProbe
from linecontrol_modbus.settings import ModbusTag
from tests.drivers.modbus.plant import Plant, connection, frame, reading, tag

calm = settings(derandomize=True, database=None, deadline=None)


async def look(probe: ModbusProbe) -> tuple[list[Finding], list[tuple[float, str]]]:
    steps: list[tuple[float, str]] = []
    return [finding async for finding in probe.look(lambda share, where: steps.append((share, where)))], steps


def words(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))


@pytest.mark.parametrize(
    ("held", "type_", "order", "value"),
    [
        (struct.pack(">f", 21.5), "float32", "ABCD", "21.5"),
        (struct.pack("<f", 21.5), "float32", "DCBA", "21.5"),
        (struct.pack(">f", 1013.25)[2:] + struct.pack(">f", 1013.25)[:2], "float32", "CDAB", "1013.25"),
        (struct.pack(">d", 0.1), "float64", "ABCD", "0.1"),
        (struct.pack(">h", -40), "int16", "ABCD", "-40"),
        (struct.pack(">H", 1480), "uint16", "ABCD", "1480"),
        (struct.pack(">I", 70_000), "uint32", "ABCD", "70000"),
        (b"TR-0042\0", "string", "ABCD", "'TR-0042'"),
        (b"EBALUR\0S", "string", "BADC", "'BELARUS'"),
    ],
)
def test_what_an_engineer_would_recognise_is_among_the_guesses(held: bytes, type_: str, order: str, value: str) -> None:
    found = [(guess.type.value, guess.order.value, guess.value) for guess in guesses([*words(held), 0, 0])]
    assert (type_, order, value) in found


@given(held=st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=8))
@calm
def test_every_guess_is_a_tag_that_reads_so(held: list[int]) -> None:
    for guess in guesses(held):
        given = {"holding": 0, "type": guess.type, "order": guess.order, "length": guess.length}
        assert ModbusTag.model_validate(given).count <= len(held)
    assert guesses([0, 0, *held]) == []


async def test_a_device_is_swept() -> None:
    async with Plant() as plant:
        here = connection(port=None)
        tags = [
            tag("a", holding=3, unit=1),
            tag("b", holding=40, type="float32", order="CDAB", unit=1),
            tag("c", input=7, type="string", length=4, unit=3),
            tag("d", coil=12, unit=3),
        ]
        server = await plant.serve(here, *tags)
        values: dict[str, Value] = {"a": 815, "b": 21.5, "c": "BELARUS", "d": True}
        await server.publish([reading(signal, value) for signal, value in values.items()])
        port = here.endpoint()[1]
        url = f"modbus://127.0.0.1:{port}?unit=1-4&table=holding,input,coil&range=0-63"
        probe = ModbusProbe(url, {"rate": "200"})
        assert probe.connection() == {"driver": "modbus", "host": "127.0.0.1", "port": port}
        found, steps = await look(probe)
        shown = {(one.path[0], *one.path[1:], one.kind): (one.value, dict(one.tag)) for one in found}
        assert shown["unit 1", "holding", "3", "uint16"] == ("815", {"unit": 1, "holding": 3})
        pasted = {"unit": 1, "holding": 40, "type": "float32", "order": "CDAB"}
        assert shown["unit 1", "holding", "40", "float32 CDAB"] == ("21.5", pasted)
        pasted = {"unit": 3, "input": 7, "type": "string", "length": 4}
        assert shown["unit 3", "input", "7", "string"] == ("'BELARUS'", pasted)
        assert shown["unit 3", "coil", "12", "bit"] == ("on", {"unit": 3, "coil": 12})
        assert {one.path[0] for one in found} == {"unit 1", "unit 3"}
        shares = [share for share, _ in steps]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        for one in found:
            ModbusTag.model_validate(one.tag)


ANSWERS: list[Callable[[bytes], bytes | None]] = [
    lambda request: frame(request, bytes((request[7] | 0x80, 2)).hex()),
    lambda request: frame(request, bytes((request[7] | 0x80, 1)).hex()),
    lambda request: frame(request, bytes((request[7] | 0x80, 11)).hex()),
    lambda request: frame(request, "03 02 0001"),
    lambda request: b"",
    lambda request: None,
    lambda request: b"junk" * 20,
]


@pytest.mark.parametrize("answer", ANSWERS)
async def test_it_never_writes_whatever_the_device_says(answer: Callable[[bytes], bytes | None]) -> None:
    async with Plant() as plant:
        here = connection()
        requests = await plant.rogue(here, answer)
        options = {
            "rate": "200",
            "unit": "1-2",
            "range": "0-9",
            "timeout": "30ms",
            "table": "holding,coil,discrete,input",
        }
        found, _ = await look(ModbusProbe(f"modbus://127.0.0.1:{here.endpoint()[1]}", options))
        assert found == []
        assert requests
        assert {request[7] for request in requests} <= {1, 2, 3, 4}


async def test_nobody_there() -> None:
    probe = ModbusProbe(f"modbus://127.0.0.1:{connection().endpoint()[1]}", {})
    with pytest.raises(ConnectionLost, match="can't be reached"):
        await look(probe)


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("modbus://", {}, r"modbus://: write modbus://HOST"),
        ("opc.tcp://plc", {}, "write modbus://HOST"),
        ("modbus://plc?units=3", {}, "units; write"),
        ("modbus://plc?unit=3-1", {}, "3-1 is no range from 0 to 255"),
        ("modbus://plc?unit=256", {}, "256 is no range"),
        ("modbus://plc?range=0-70000", {}, "0-70000 is no range from 0 to 65535"),
        ("modbus://plc?range=a", {}, "invalid literal"),
        ("modbus://plc", {"table": "registers"}, "'registers' is not a valid Table"),
        ("modbus://plc", {"rate": "0"}, "rate 0 is none"),
        ("modbus://plc", {"transport": "serial"}, "transport serial"),
        ("modbus://plc", {"timeout": "5"}, "is not a duration"),
        ("modbus://plc:99999", {}, "Port out of range"),
    ],
)
def test_a_wrong_address_is_told_what_is_right(url: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModbusProbe(url, options)


def test_it_is_found_by_its_scheme() -> None:
    [found] = entry_points(group="linecontrol.probes", name="modbus")
    assert found.load() is ModbusProbe
