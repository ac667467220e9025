"""The driver against the simulated PLC, and against peers that misbehave, all over real TCP."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
from pymodbus.client import AsyncModbusTcpClient

from linecontrol.clock import ScaledClock
from linecontrol.driver import ConnectionLost, DeviceRefused, Reading, Tag, Value, Write
from linecontrol.registry import driver, plc_server
from linecontrol_modbus import ModbusDriver
from linecontrol_modbus.registers import codec
from linecontrol_modbus.server import ModbusPlcServer
from linecontrol_modbus.settings import ModbusTag
from tests.drivers.modbus.plant import BAD, CLOCK, GOOD, Plant, connection, frame, reading, samples, tag

EVERYTHING: list[tuple[Tag, Value]] = [
    (tag("l/s/a", holding=0), 65535),
    (tag("l/s/b", holding=1, type="int16"), -5),
    (tag("l/s/c", holding=2, type="uint32"), 4_000_000_000),
    (tag("l/s/d", holding=4, type="int32", order="CDAB"), -70_000),
    (tag("l/s/e", holding=300, type="uint64", order="DCBA"), 2**63 + 1),
    (tag("l/s/f", holding=304, type="int64", order="BADC"), -(2**40)),
    (tag("l/s/g", input=0, type="float32", unit=2), 1.5),
    (tag("l/s/h", input=2, type="float64", order="CDAB", unit=2), 0.1),
    (tag("l/s/i", input=50, scale=0.5, offset=-10, unit=2), 12.5),
    (tag("l/s/j", holding=20, type="string", length=6, unit=3), "TR-0042 ə"),
    (tag("l/s/k", holding=30, type="string", length=3, order="BADC", unit=3), "abcde"),
    (tag("l/s/l", holding=40, bit=0, unit=3), True),
    (tag("l/s/m", holding=40, bit=15, unit=3), True),
    (tag("l/s/n", holding=40, bit=7, unit=3), False),
    (tag("l/s/o", coil=9), True),
    (tag("l/s/p", coil=10), False),
    (tag("l/s/q", coil=3000), True),
    (tag("l/s/r", discrete=17, unit=255), True),
]
TAGS = [one for one, _ in EVERYTHING]


async def test_the_first_batch_has_every_tag_and_later_ones_what_changed() -> None:
    async with Plant() as plant:
        settings = connection()
        server = await plant.serve(settings, *TAGS)
        await server.publish([reading(one.signal, value) for one, value in EVERYTHING])
        before_ns = CLOCK.now_ns()
        readings = (await plant.connected(settings, *TAGS)).readings()
        first = await anext(readings)
        assert samples(first) == {one.signal: (value, GOOD, 0) for one, value in EVERYTHING}
        assert all(before_ns <= one.source_ns == one.receive_ns <= CLOCK.now_ns() for one in first)
        await server.publish([reading("l/s/e", 7), reading("l/s/n", True), reading("l/s/a", 65535)])
        second = await anext(readings)
        assert samples(second) == {"l/s/e": (7, GOOD, 0), "l/s/n": (True, GOOD, 0)}
        assert [one.sequence for one in first + second] == list(range(1, len(TAGS) + 3))
        await readings.aclose()


async def test_the_type_of_a_value_is_the_one_that_its_tag_promises() -> None:
    async with Plant() as plant:
        settings = connection()
        await plant.serve(settings, *TAGS)
        for one, read in zip(
            TAGS, await (await plant.connected(settings, *TAGS)).read([t.signal for t in TAGS]), strict=True
        ):
            assert type(read.value) is one.settings.value_type()
            assert not read.value, "everything is 0 until it is published"


async def test_a_missing_address_is_bad_and_hinders_no_other() -> None:
    async with Plant() as plant:
        settings = connection()
        there = [tag(f"l/s/t{n}", holding=n) for n in (0, 1, 2, 5, 6)]
        server = await plant.serve(settings, *there)
        readings = (await plant.connected(settings, *there, tag("l/s/gone", holding=3))).readings()
        assert samples(await anext(readings)) == {one.signal: (0, GOOD, 0) for one in there} | {
            "l/s/gone": (None, BAD, 2)
        }
        await server.publish([reading("l/s/t1", 4)])
        assert samples(await anext(readings)) == {"l/s/t1": (4, GOOD, 0)}, "what stays bad isn't said again"
        await readings.aclose()


async def test_a_missing_address_is_asked_again_after_a_rest() -> None:
    async with Plant() as plant:
        settings = connection(poll="1s")
        answers = iter(["83 02", "83 02", "03 02 1234"])
        requests = await plant.rogue(settings, lambda request: frame(request, next(answers)))
        clock = ScaledClock(1000, 0)
        clock.start()
        driver = plant.driver(settings, tag("l/s/late", holding=3), clock=clock)
        await driver.connect()
        readings = driver.readings()
        [bad] = await anext(readings)
        [good] = await anext(readings)
        assert (bad.status, good.value) == (2, 0x1234)
        assert good.source_ns - bad.source_ns >= 5 * 10**9
        assert len(requests) == 3
        await readings.aclose()


async def test_a_silent_unit_costs_one_request_and_no_other_unit() -> None:
    async with Plant() as plant:
        settings = connection()
        asked: list[int] = []

        def reply(request: bytes) -> bytes:
            asked.append(request[6])
            return frame(request, "83 0B" if request[6] == 2 else f"03 02 {len(asked):04X}")

        await plant.rogue(settings, reply)
        tags = [tag("l/s/a", holding=0), tag("l/t/b", holding=0, unit=2), tag("l/t/c", holding=90, unit=2)]
        readings = (await plant.connected(settings, *tags)).readings()
        assert samples(await anext(readings)) == {
            "l/s/a": (2, GOOD, 0),
            "l/t/b": (None, BAD, 11),
            "l/t/c": (None, BAD, 11),
        }
        assert samples(await anext(readings)) == {"l/s/a": (4, GOOD, 0)}
        assert asked == [1, 1, 2, 1]
        await readings.aclose()


async def test_another_exception_is_bad_for_one_round() -> None:
    async with Plant() as plant:
        settings = connection()
        answers = iter(["83 06", "83 06", "03 02 0001", "83 06"])
        await plant.rogue(settings, lambda request: frame(request, next(answers)))
        readings = (await plant.connected(settings, tag("l/s/a", holding=0))).readings()
        assert [samples(await anext(readings))["l/s/a"] for _ in range(3)] == [
            (None, BAD, 6),
            (1, GOOD, 0),
            (None, BAD, 6),
        ]
        await readings.aclose()


COMMANDS = [
    tag("l/s/andon", holding=200, writable=True),
    tag("l/s/hold", holding=201, type="float32", order="CDAB", writable=True),
    tag("l/s/go", coil=3, unit=2, writable=True),
]


async def test_what_is_written_is_at_the_device() -> None:
    async with Plant() as plant:
        settings = connection()
        server = await plant.serve(settings, tag("l/s/a", holding=0), *COMMANDS)
        driver = await plant.connected(settings, tag("l/s/a", holding=0), *COMMANDS)
        await driver.write({"l/s/andon": 3, "l/s/hold": 2.5, "l/s/go": True})
        assert server.writes() == [Write("l/s/andon", 3), Write("l/s/hold", 2.5), Write("l/s/go", True)]
        assert server.writes() == []
        read = await driver.read(["l/s/go", "l/s/hold", "l/s/andon", "l/s/a"])
        assert [(one.signal, one.value) for one in read] == [
            ("l/s/go", True), ("l/s/hold", 2.5), ("l/s/andon", 3), ("l/s/a", 0)
        ]  # fmt: skip
        readings = driver.readings()
        assert [one.signal for one in await anext(readings)] == ["l/s/a"], "commands are never read cyclically"
        await readings.aclose()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"l/s/andon": 70_000}, "l/s/andon: 70000 is too large or too small for uint16"),
        ({"l/s/a": 1}, "l/s/a is no command"),
        ({"l/s/b": 1}, "l/s/b is no command"),
        ({"l/s/go": True, "l/s/andon": "red"}, "l/s/andon: 'red' is no number"),
    ],
)
async def test_what_cant_be_written_is_refused_before_anything_is_sent(
    values: Mapping[str, Value], message: str
) -> None:
    async with Plant() as plant:
        settings = connection()
        server = await plant.serve(settings, tag("l/s/a", holding=0), *COMMANDS)
        driver = await plant.connected(settings, tag("l/s/a", holding=0), *COMMANDS)
        with pytest.raises(DeviceRefused, match=message):
            await driver.write(values)
        assert server.writes() == []


async def test_a_refusal_names_the_place_and_the_reason() -> None:
    async with Plant() as plant:
        settings = connection()
        await plant.serve(settings, tag("l/s/andon", holding=200))
        driver = await plant.connected(settings, COMMANDS[0])
        with pytest.raises(
            DeviceRefused, match=r"paint \(127.0.0.1:\d+\): l/s/andon at unit 1 holding 200: .*illegal address"
        ):
            await driver.write({"l/s/andon": 1})
        [read] = await driver.read(["l/s/andon"])
        assert read.value == 0, "the connection is as good as before"


@pytest.mark.parametrize(
    ("pdu", "message"),
    [
        ("03 02 0001", "too short"),
        ("03 03 0001 02", "to function 3, not 6"),
        ("06 00C8 0002", "repeats another write"),
        ("06 00C9 0001", "repeats another write"),
    ],
)
async def test_a_write_whose_echo_is_another_is_lost_and_sent_once(pdu: str, message: str) -> None:
    async with Plant() as plant:
        settings = connection()
        requests = await plant.rogue(settings, lambda request: frame(request, pdu))
        driver = await plant.connected(settings, COMMANDS[0])
        with pytest.raises(ConnectionLost, match=message):
            await driver.write({"l/s/andon": 1})
        with pytest.raises(ConnectionLost):
            await driver.write({"l/s/andon": 1})
        assert len(requests) == 1


@pytest.mark.parametrize("code", [4, 5, 11])
async def test_a_write_that_may_have_been_carried_out_is_not_called_refused(code: int) -> None:
    async with Plant() as plant:
        settings = connection()
        requests = await plant.rogue(settings, lambda request: frame(request, f"86 {code:02X}"))
        driver = await plant.connected(settings, COMMANDS[0])
        with pytest.raises(ConnectionLost, match=rf"exception {code} .*whether the device has the value is unknown"):
            await driver.write({"l/s/andon": 1})
        assert len(requests) == 1


async def test_a_write_without_an_answer_is_lost_and_sent_once() -> None:
    async with Plant() as plant:
        settings = connection(timeout="50ms")
        requests = await plant.rogue(settings, lambda _: b"")
        driver = await plant.connected(settings, COMMANDS[0])
        with pytest.raises(
            ConnectionLost, match=r"no answer within 0.05 s \(writing l/s/andon at unit 1 holding 200\)"
        ):
            await driver.write({"l/s/andon": 1})
        assert len(requests) == 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (lambda request: frame(request, "03 02 0001"), "too short"),
        (lambda request: frame(request, "03 06 0001 0002 0003"), "too long"),
        (lambda request: frame(request, "04 04 0001 0002"), "to function 4, not 3"),
        (lambda request: frame(request, "63 04 0001 0002"), "to function 99"),
        (lambda request: b"\0\0" + frame(request, "03 04 0001 0002")[2:], "to another request"),
        (lambda request: frame(request, "03 04 0001 0002").replace(b"\1\3", b"\2\3"), "from unit 2"),
        (lambda request: b"GET / HTTP/1.1\r\n\r\n", "another request"),
        (lambda request: frame(request, "03 04 0001 0002") * 2, "answered twice"),
        (lambda request: None, "the device closed the connection"),
    ],
)
async def test_an_answer_that_does_not_fit_ends_the_connection(
    reply: Callable[[bytes], bytes | None], message: str
) -> None:
    async with Plant() as plant:
        settings = connection()
        await plant.rogue(settings, reply)
        driver = plant.driver(settings, tag("l/s/a", holding=0, type="uint32"))
        with pytest.raises(
            ConnectionLost, match=rf"paint \(127.0.0.1:\d+\): .*{message}.* \(reading unit 1 holding 0..1\)"
        ):
            await driver.connect()


@pytest.mark.parametrize("flood", [b"", b"\0" * 8, b"\xff" * 300, b"\0\1\0\0"])
async def test_noise_ends_the_connection_within_the_timeout(flood: bytes) -> None:
    async with Plant() as plant:
        settings = connection(timeout="50ms")
        await plant.rogue(settings, lambda _: flood)
        with pytest.raises(ConnectionLost):
            await plant.driver(settings, tag("l/s/a", holding=0)).connect()


async def test_an_answer_in_single_bytes_is_put_together() -> None:
    async with Plant() as plant:
        settings = connection()
        await plant.rogue(settings, lambda request: frame(request, "03 02 002A"), bytewise=True)
        driver = await plant.connected(settings, tag("l/s/a", holding=0))
        assert [one.value for one in await driver.read(["l/s/a"])] == [42]


async def test_a_device_that_goes_away_ends_the_readings() -> None:
    async with Plant() as plant:
        settings = connection()
        server = await plant.serve(settings, *TAGS)
        driver = await plant.connected(settings, *TAGS)
        readings = driver.readings()
        await anext(readings)
        await server.close()
        with pytest.raises(ConnectionLost, match="the device closed the connection"):
            await anext(readings)


async def test_a_connection_without_tags_to_read_still_notices_its_end() -> None:
    async with Plant() as plant:
        settings = connection()
        server = await plant.serve(settings, *COMMANDS)
        readings = (await plant.connected(settings, *COMMANDS)).readings()
        await server.close()
        with pytest.raises(ConnectionLost):
            await anext(readings)


async def test_nobody_there() -> None:
    async with Plant() as plant:
        driver = plant.driver(connection(), *TAGS)
        with pytest.raises(ConnectionLost, match=r"paint \(127.0.0.1:\d+\): can't be reached"):
            await driver.connect()


async def test_a_driver_that_is_not_connected_says_so() -> None:
    async with Plant() as plant:
        driver = plant.driver(connection(), *TAGS)
        for request in (driver.read(["l/s/a"]), driver.write({}), anext(driver.readings())):
            with pytest.raises(ConnectionLost, match="not connected"):
                await request
        await driver.close()


async def test_close_frees_who_waits_for_an_answer() -> None:
    async with Plant() as plant:
        settings = connection()
        asked = asyncio.Event()

        def reply(request: bytes) -> bytes:
            asked.set()
            return b""

        await plant.rogue(settings, reply)
        driver = plant.driver(settings, tag("l/s/a", holding=0))
        async with asyncio.timeout(2), asyncio.TaskGroup() as group:
            waiting = group.create_task(lost(driver))
            await asked.wait()
            await driver.close()
            await driver.close()
        assert "closed" in waiting.result()


async def lost(driver: ModbusDriver) -> str:
    with pytest.raises(ConnectionLost) as raised:
        await driver.connect()
    return str(raised.value)


async def test_an_abandoned_request_harms_no_other() -> None:
    async with Plant() as plant:
        settings = connection(timeout="50ms")
        await plant.rogue(settings, lambda request: frame(request, "03 02 0001") if request[9] == 0 else b"")
        driver = await plant.connected(settings, tag("l/s/a", holding=0), tag("l/s/b", holding=99))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await driver.read(["l/s/b"])
        assert [one.value for one in await driver.read(["l/s/a"])] == [1]


async def test_reads_and_writes_take_turns() -> None:
    async with Plant() as plant:
        settings = connection()
        server = await plant.serve(settings, *TAGS, *COMMANDS)
        driver = await plant.connected(settings, *TAGS, *COMMANDS)
        async with asyncio.TaskGroup() as group:
            for n in range(20):
                group.create_task(driver.read(["l/s/a", "l/s/g"]))
                group.create_task(driver.write({"l/s/andon": n}))
        assert [write.value for write in server.writes()] == list(range(20))


async def test_polling_keeps_its_pace_while_values_change() -> None:
    async with Plant() as plant:
        settings = connection()
        server = await plant.serve(settings, *TAGS)
        readings = (await plant.connected(settings, *TAGS)).readings()
        await anext(readings)
        started_ns = CLOCK.now_ns()
        for n in range(1, 51):
            await server.publish([reading("l/s/c", n)])
            assert samples(await anext(readings)) == {"l/s/c": (n, GOOD, 0)}
        assert CLOCK.now_ns() - started_ns < 5 * 10**9
        await readings.aclose()


async def test_the_simulated_plc_is_a_plc_to_others_too() -> None:
    async with Plant() as plant:
        settings = connection()
        server = await plant.serve(settings, tag("l/s/n", input=0), *COMMANDS)
        with pytest.raises(OSError, match=r"paint: can't listen at 127\.0\.0\.1:"):
            await plant.serve(settings)
        await server.publish([reading("l/s/n", 65_537), Reading("l/s/n", None, BAD, 0, 0)])
        client = AsyncModbusTcpClient("127.0.0.1", port=settings.endpoint()[1])
        assert await client.connect()
        assert (await client.read_input_registers(0, count=1)).registers == [1], "counters roll over"
        assert (await client.read_input_registers(0, count=2)).exception_code == 2
        assert (await client.read_coils(3, count=1)).exception_code == 2, "that coil is in unit 2"
        assert (await client.read_coils(3, count=1, device_id=2)).bits[0] is False
        assert (await client.read_coils(3, count=1, device_id=9)).exception_code == 11
        assert (await client.write_registers(200, [1, 0x4000, 0x4020])).isError() is False
        assert (await client.write_registers(199, [1, 1])).exception_code == 2
        assert server.writes() == [Write("l/s/andon", 1), Write("l/s/hold", reads([0x4020, 0x4000]))]
        with pytest.raises(ValueError, match="paint: l/s/andon: 'red' is no number"):
            await server.publish([reading("l/s/andon", "red")])
        client.close()


def reads(words: list[int]) -> Value:
    return codec(ModbusTag.model_validate({"holding": 0, "type": "float32"})).decode(words)


def test_config_finds_driver_and_server_by_name() -> None:
    assert driver("modbus") is ModbusDriver
    assert plc_server("modbus") is ModbusPlcServer
