"""Peers that are late, broken or hostile: nothing wrong is ever good, and the end comes soon."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from linecontrol.driver import ConnectionLost, DeviceRefused, Driver, Reading, Traffic
from linecontrol_modbus.link import Link
from linecontrol_modbus.settings import ModbusConnection
from linecontrol_modbus.show import UNANSWERED
from linecontrol_modbus.tag import Table
from tests.drivers.modbus.plant import GOOD, Plant, connection, frame, samples, tag

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(talk: Talk) -> AsyncGenerator[ModbusConnection]:
    """A peer of which each connection is a ``talk``."""
    talks: list[asyncio.Task[None]] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            talks.append(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.transport.abort()

    settings = connection(timeout="60ms", gap=0)
    server = await asyncio.start_server(served, *settings.endpoint())
    try:
        yield settings
    finally:
        server.close()
        for one in talks:
            one.cancel()
        await asyncio.gather(*talks)
        await asyncio.sleep(0.01)


def honest(request: bytes) -> bytes:
    """What a device says whose registers hold 1000 * unit + address."""
    address, count = int.from_bytes(request[8:10]), int.from_bytes(request[10:12])
    words = b"".join((1000 * request[6] + n).to_bytes(2, "big") for n in range(address, address + count))
    return frame(request, (bytes((request[7], len(words))) + words).hex())


NAMES = {"1.10": 1010, "1.20": 1020, "1.30": 1030, "2.10": 2010}
TAGS = [tag(name, unit=int(name[0]), holding=int(name[2:])) for name in NAMES]


async def live(driver: Driver, found: list[Reading]) -> None:
    """A life of the driver, until its end."""
    await driver.connect()
    async for batch in driver.readings():
        found += batch


def right(found: list[Reading]) -> bool:
    return all(one.quality is not GOOD or one.value == NAMES[one.signal] for one in found)


@pytest.mark.parametrize("depth", [1, 4])
async def test_late_answers_are_known_by_their_transaction_and_dropped(depth: int) -> None:
    """Every eleventh answer comes after the timeout, in the midst of the next ones."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        loop = asyncio.get_running_loop()
        while True:
            request = await reader.readexactly(12)
            number += 1
            loop.call_later(0.09 if number % 11 == 7 else 0, writer.write, honest(request))

    async with Plant() as plant, peer(talk) as settings:
        driver = plant.driver(settings.model_copy(update={"in_flight": depth}), *TAGS)
        await driver.connect()
        found: list[Reading] = []
        readings = driver.readings()
        with suppress(TimeoutError, ConnectionLost):
            async with asyncio.timeout(0.5):
                async for batch in readings:
                    found += batch
        await readings.aclose()
        assert right(found)
        assert {one.signal for one in found if one.quality is GOOD} == set(NAMES)
        assert any(one.status == UNANSWERED for one in found)
        assert driver.traffic.late_answers >= 1
        assert driver.traffic.misfits == 0


async def test_answers_may_come_in_any_order_when_several_are_under_way() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(honest(await reader.readexactly(12)))
        waiting: list[bytes] = []
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(0.02):
                    waiting.append(await reader.readexactly(12))
        most.append(len(waiting))
        writer.write(b"".join(honest(request) for request in reversed(waiting)))
        await reader.readexactly(12)

    most: list[int] = []
    async with Plant() as plant, peer(talk) as settings:
        driver = plant.driver(settings.model_copy(update={"in_flight": 3}), *TAGS[:3])
        await driver.connect()
        readings = driver.readings()
        batch = await anext(readings)
        assert {name: value for name, (value, _, _) in samples(batch).items()} == {
            n: NAMES[n] for n in NAMES if n[0] == "1"
        }
        assert most == [3]
        await readings.aclose()


async def test_a_device_that_waits_for_acknowledgement_holds_up_nothing() -> None:
    """As servers do that leave Nagle's algorithm on: each small answer waits until the one before is acknowledged."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        while True:
            writer.write(honest(await reader.readexactly(12)))

    async with peer(talk) as settings:
        link = Link("paint", settings.model_copy(update={"in_flight": 4, "timeout": 5_000_000_000}), Traffic())
        await link.connect()
        start = time.monotonic()
        for _ in range(40):
            await asyncio.gather(*(link.read(1, Table.HOLDING, address, 1) for address in range(4)))
        took_s = time.monotonic() - start
        await link.close()
    assert took_s < 0.6, "40 ms each time otherwise"


def short(request: bytes) -> bytes:
    return frame(request, "03 02 0001" if request[11] == 2 else "03 00")


ROGUES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a register too few": (short, "too short"),
    "an odd number of bytes": (lambda r: frame(r, "03 03 000102"), "too short or too long"),
    "another transaction": (lambda r: b"\x7f\xff" + honest(r)[2:], "another request"),
    "transaction 0": (lambda r: b"\0\0" + honest(r)[2:], "another request"),
    "another protocol": (lambda r: r[:2] + b"\0\1" + honest(r)[4:], "not Modbus"),
    "unit 255": (lambda r: honest(r)[:6] + b"\xff" + honest(r)[7:], "from unit 255, not 1.*set unit: 255"),
    "unit 0": (lambda r: honest(r)[:6] + b"\0" + honest(r)[7:], "from unit 0, not 1"),
    "another function": (lambda r: honest(r)[:7] + b"\4" + honest(r)[8:], "to function 4, not 3"),
    "a count of its own": (lambda r: honest(r)[:8] + b"\1" + honest(r)[9:], "too little or too much"),
    "length 65535": (lambda r: r[:4] + b"\xff\xff" + honest(r)[6:], "too short or too long"),
    "length 0": (lambda r: r[:4] + b"\0\0" + honest(r)[6:], "too short or too long"),
    "two answers": (lambda r: honest(r) * 2, "answered twice|was not asked"),
    "half an answer": (lambda r: honest(r)[:9], "stopped in the middle of an answer"),
    "the answer and half of another": (lambda r: honest(r) + honest(r)[:7], "another request|answered twice"),
    "junk": (lambda r: b"\xde\xad\xbe\xef" * 64, "another request"),
}


@pytest.mark.parametrize("rogue", ROGUES)
async def test_what_does_not_fit_ends_the_connection_and_shows_no_value(rogue: str) -> None:
    reply, message = ROGUES[rogue]
    honestly = 3

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(1000):
            request = await reader.readexactly(12)
            writer.write(honest(request) if number < honestly else reply(request))

    async with Plant() as plant, peer(talk) as settings:
        driver = plant.driver(settings, *TAGS)
        found: list[Reading] = []
        with pytest.raises(ConnectionLost, match=message):
            await live(driver, found)
        assert right(found)
        assert driver.traffic.misfits == 1


async def test_a_flood_ends_the_connection_at_once() -> None:
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(honest(await reader.readexactly(12)))
        while True:
            writer.write(b"\0\7\0\0\0\5\1\3\2\0\0" * 4000)
            sent += 44_000
            await writer.drain()

    async with Plant() as plant, peer(talk) as settings:
        driver = plant.driver(settings, *TAGS)
        started = time.monotonic()
        with pytest.raises(ConnectionLost, match="another request"):
            await live(driver, [])
        assert time.monotonic() - started < 0.5
        assert driver.traffic.bytes_received < 1_000_000


async def test_a_peer_that_is_frozen_is_lost_after_two_timeouts() -> None:
    """Half-open: the socket stands, nobody answers any more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(5):
            writer.write(honest(await reader.readexactly(12)))
        await asyncio.sleep(60)

    async with Plant() as plant, peer(talk) as settings:
        driver = plant.driver(settings, *TAGS[:3])
        await driver.connect()
        readings = driver.readings()
        first = await anext(readings)
        started = time.monotonic()
        with pytest.raises(ConnectionLost, match="no answer to 2 requests"):
            await anext(readings)
        assert time.monotonic() - started < 0.5
        assert right(first)


async def test_a_request_under_way_fails_at_once_when_the_device_dies() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(honest(await reader.readexactly(12)))
        await reader.readexactly(12)
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    async with Plant() as plant, peer(talk) as settings:
        driver = plant.driver(settings.model_copy(update={"timeout": 60 * 10**9}), *TAGS)
        await driver.connect()
        async with asyncio.timeout(1):
            with pytest.raises(ConnectionLost, match="the device closed the connection"):
                await driver.read(["1.10"])


async def test_a_write_that_is_answered_late_is_unknown_sent_once_and_can_be_read_back() -> None:
    writes = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal writes
        while True:
            request = await reader.readexactly(12)
            if request[7] == 6:
                writes += 1
                asyncio.get_running_loop().call_later(0.09, writer.write, request)
            else:
                writer.write(frame(request, "03 02 0005"))

    async with Plant() as plant, peer(talk) as settings:
        command = tag("l/s/go", holding=7, writable=True)
        driver = plant.driver(settings, command)
        await driver.connect()
        with pytest.raises(ConnectionLost, match=r"writing l/s/go at unit 1 holding 7\); whether .* is unknown"):
            await driver.write({"l/s/go": 5})
        assert [one.value for one in await driver.read(["l/s/go"])] == [5]
        await asyncio.sleep(0.05)
        assert [one.value for one in await driver.read(["l/s/go"])] == [5]
        assert (writes, driver.traffic.late_answers, driver.traffic.misfits) == (1, 1, 0)


async def test_a_value_of_two_registers_is_never_of_two_moments() -> None:
    """The device counts on between any two requests; high and low register always agree."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        moment = 0
        while True:
            request = await reader.readexactly(12)
            moment += 1
            count = int.from_bytes(request[10:12])
            if count > most:
                writer.write(frame(request, "83 02"))
            else:
                writer.write(frame(request, bytes((3, 2 * count)).hex() + moment.to_bytes(2, "big").hex() * count))

    most = 3
    async with Plant() as plant, peer(talk) as settings:
        pairs = [tag(f"p{n}", holding=2 * n, type="uint32") for n in range(12)]
        driver = plant.driver(settings, *pairs)
        await driver.connect()
        readings = driver.readings()
        for _ in range(3):
            values = [one.value for one in await anext(readings) if one.quality is GOOD]
            assert values
            assert all(isinstance(value, int) and value >> 16 == value & 0xFFFF for value in values)
        await readings.aclose()


@pytest.mark.parametrize(("seed", "depth"), [(1, 1), (2, 1), (3, 4), (4, 8)])
async def test_whatever_happens_no_wrong_value_is_good(seed: int, depth: int) -> None:
    """Answers late, lost, cut, doubled, broken and out of order at random; connections that break."""
    chance = random.Random(seed)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            request = await reader.readexactly(12)
            fate = chance.random()
            answer = honest(request)
            if fate < 0.02:
                answer = ROGUES[chance.choice(list(ROGUES))][0](request)
            elif fate < 0.03:
                return
            elif fate < 0.05:
                answer = answer[: chance.randrange(len(answer))]
            elif fate < 0.08:
                continue
            loop.call_later(chance.choice([0, 0, 0, 0, 0.005, 0.02]) if fate > 0.12 else 0.07, writer.write, answer)

    async with Plant() as plant, peer(talk) as settings:
        found: list[Reading] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                while True:
                    driver = plant.driver(settings.model_copy(update={"in_flight": depth}), *TAGS)
                    with suppress(ConnectionLost):
                        await live(driver, found)
                    await driver.close()
        assert right(found)
        assert {one.signal for one in found if one.quality is GOOD} == set(NAMES)


def mixed_up(request: bytes) -> bytes:
    """What unit 3 holds, under the name of another."""
    answer = honest(request[:6] + b"\3" + request[7:])
    return answer[:6] + request[6:7] + answer[7:]


KNOWN = {"identity": [{"unit": 2, "holding": 0, "equals": 2000}]}


async def test_another_device_is_refused() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await reader.readexactly(12)
            writer.write(honest(request) if request[6] == 1 else mixed_up(request))

    async with Plant() as plant, peer(talk) as settings:
        settings = ModbusConnection.model_validate({**settings.model_dump(include={"host", "port"}), **KNOWN})
        message = r"paint \(127.0.0.1:\d+\): unit 2 holding 0 shows 3000, not 2000: another device is there"
        with pytest.raises(DeviceRefused, match=message):
            await live(plant.driver(settings, *TAGS), [])


async def test_nothing_is_believed_of_a_round_in_which_another_device_answers() -> None:
    asked = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while True:
            request = await reader.readexactly(12)
            asked += request[6] == 2
            if asked > 5 and request[6] == 2:  # a gateway that mixes up its devices
                writer.write(mixed_up(request))
            else:
                writer.write(honest(request))

    async with Plant() as plant, peer(talk) as settings:
        given = {**settings.model_dump(include={"host", "port"}), **KNOWN, "poll": "10ms"}
        driver = plant.driver(ModbusConnection.model_validate(given), *TAGS)
        found: list[Reading] = []
        with pytest.raises(ConnectionLost, match="unit 2 holding 0 shows 3000, not 2000"):
            await live(driver, found)
        assert right(found)
        assert {one.signal for one in found} == set(NAMES), "what identifies a device is no signal"


async def test_a_simulated_device_shows_its_identity() -> None:
    async with Plant() as plant:
        settings = connection(**KNOWN)
        await plant.serve(settings, *TAGS)
        driver = await plant.connected(settings, *TAGS)
        readings = driver.readings()
        assert {one.signal for one in await anext(readings)} == set(NAMES)
        await readings.aclose()
