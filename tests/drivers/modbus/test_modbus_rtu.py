"""RTU, over TCP and over a pseudo terminal: a late answer is never taken for another."""

import asyncio
import random
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from linecontrol.clock import SystemClock
from linecontrol.driver import ConnectionLost, DeviceRefused, Quality, Reading, Tag
from linecontrol_modbus import ModbusDriver
from linecontrol_modbus.crc import crc16
from linecontrol_modbus.settings import ModbusConnection, ModbusTag
from linecontrol_modbus.show import UNANSWERED
from tests.drivers.modbus.rtu_peer import Bus, Late, PtyBus, TcpBus, at_once

Rig = tuple[Bus, Callable[[list[Tag]], ModbusDriver]]


def tag(signal: str, *, writable: bool = False, **address: object) -> Tag:
    return Tag(signal, ModbusTag.model_validate(address), writable)


def value(signal: str) -> int:
    """What the tag u.a of unit u at address a shows."""
    unit, address = signal.split(".")
    return 1000 * int(unit) + int(address)


def tags(*signals: str) -> list[Tag]:
    return [tag(s, holding=int(s.split(".")[1]), unit=int(s.split(".")[0])) for s in signals]


@asynccontextmanager
async def rig(transport: str, late: Late = at_once, **given: object) -> AsyncGenerator[Rig]:
    bus = Bus(late)
    drivers: list[ModbusDriver] = []
    settings: dict[str, object] = {"transport": transport, "poll": "10ms", "timeout": "60ms", "gap": 0, **given}
    peer: PtyBus | TcpBus
    if transport == "serial":
        peer = PtyBus(bus)
        settings |= {"device": peer.device, "baudrate": 115200}
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        peer = TcpBus(bus)
        await peer.start(port)
        settings |= {"host": "127.0.0.1", "port": port}

    def driver(tags: list[Tag]) -> ModbusDriver:
        drivers.append(ModbusDriver("bus", ModbusConnection.model_validate(settings), tags, SystemClock()))
        return drivers[-1]

    try:
        yield bus, driver
    finally:
        for one in drivers:
            await one.close()
        await peer.close()


both = pytest.mark.parametrize("transport", ["rtu_over_tcp", "serial"])


def test_the_check_sum_is_that_of_the_specification() -> None:
    assert crc16(b"\x02\x07") == b"\x41\x12"
    assert crc16(b"123456789") == b"\x37\x4b"


@both
async def test_reads_and_writes(transport: str) -> None:
    async with rig(transport) as (bus, new):
        command = tag("go", holding=7, unit=2, writable=True)
        driver = new([*tags("1.5", "2.9"), command, tag("long", input=3, type="uint32", unit=9)])
        await driver.connect()
        readings = driver.readings()
        first = {one.signal: one.value for one in await anext(readings)}
        assert first == {"1.5": 1005, "2.9": 2009, "long": 9003 << 16 | 9004}
        await driver.write({"go": 42})
        assert [one.value for one in await driver.read(["go"])] == [42]
        bus.refusing = True
        with pytest.raises(DeviceRefused, match="go at unit 2 holding 7: refused, exception 3"):
            await driver.write({"go": 43})
        await readings.aclose()


async def collect(new: Callable[[list[Tag]], ModbusDriver], names: list[str], seconds: float) -> list[Reading]:
    """All readings of several lives, as a gateway would have them."""
    found: list[Reading] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                driver = new(tags(*names))
                try:
                    await driver.connect()
                    async for batch in driver.readings():
                        found += batch
                except ConnectionLost:
                    found.append(Reading("the connection", None, Quality.BAD, 0, 0, UNANSWERED))
                    await asyncio.sleep(0.01)
                finally:
                    await driver.close()
    return found


@both
@pytest.mark.parametrize("late_s", [0.07, 0.1, 0.13, 0.25])
async def test_one_late_answer_is_never_taken_for_the_next(transport: str, late_s: float) -> None:
    """Blocks of one size, of which the third answer comes after the timeout; every register says where it is."""
    names = ["1.10", "1.20", "1.30", "1.40"]
    asked, due = 0, 0.0

    def late(unit: int, pdu: bytes) -> float:
        nonlocal asked, due
        asked += 1
        now = asyncio.get_running_loop().time()
        due = max(due, now + (late_s if asked == 5 else 0.0))
        return due - now

    async with rig(transport, late) as (_, new):
        found = await collect(new, names, 0.6)
    good = [one for one in found if one.quality is Quality.GOOD]
    assert {one.signal for one in good} == set(names)
    assert [one for one in good if one.value != value(one.signal)] == []
    assert any(one.status == UNANSWERED for one in found)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_late_no_wrong_value_is_good(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of three units late, lost, refused and damaged at random, in the order in which each was asked."""
    monkeypatch.setattr("linecontrol_modbus.schedule.FIRST_REST_NS", 10**6)
    monkeypatch.setattr("linecontrol_modbus.schedule.DEAREST", 0)
    chance = random.Random(seed)
    due: dict[int, float] = {}

    def late(unit: int, pdu: bytes) -> float | None:
        now = asyncio.get_running_loop().time()
        delay_s = chance.choice([0, 0, 0, 0, 0, 0, 0, 0, 0.03, 0.05, 0.08, 0.15, None])
        if delay_s is not None:
            due[unit] = max(due.get(unit, 0.0), now + delay_s)
            return due[unit] - now
        return None

    names = [f"{unit}.{address}" for unit in (1, 2, 3) for address in (10, 20, 30)]
    async with rig("rtu_over_tcp", late, timeout="40ms") as (bus, new):
        bus.damage = lambda frame: frame if chance.random() > 0.05 else frame[:-1] + b"?"
        found = await collect(new, names, 1.5)
    good = [one for one in found if one.quality is Quality.GOOD]
    assert good
    assert [one for one in good if one.value != value(one.signal)] == []


@both
async def test_a_late_answer_is_dropped_and_counted_while_another_unit_is_asked(transport: str) -> None:
    def late(unit: int, pdu: bytes) -> float:
        return 0.07 if unit == 2 and pdu[4] == 1 and bus.asked.count((unit, pdu)) == 1 else 0.0

    async with rig(transport, late) as (bus, new):
        driver = new(tags("1.1", "2.1"))
        await driver.connect()
        readings = driver.readings()
        batch = await anext(readings)
        assert {one.signal: (one.value, one.status) for one in batch} == {"1.1": (1001, 0), "2.1": (None, UNANSWERED)}
        while not driver.traffic.late_answers:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await driver.read(["1.1"])
        [back] = await driver.read(["2.1"])
        assert (back.value, back.quality) == (2001, Quality.GOOD)
        await readings.aclose()


async def test_a_unit_that_refuses_the_fence_comes_back_too() -> None:
    """One register, the last that the unit has: no read of another length is allowed there."""
    asked = 0

    def late(unit: int, pdu: bytes) -> float | None:
        nonlocal asked
        asked += 1
        return None if asked == 4 else 0.0

    async with rig("rtu_over_tcp", late) as (bus, new):
        bus.most = 11
        driver = new(tags("1.10"))
        await driver.connect()
        readings = driver.readings()
        seen: list[Reading] = []
        while len(seen) < 3:
            seen += await anext(readings)
        assert [(one.value, one.status) for one in seen] == [(1010, 0), (None, UNANSWERED), (1010, 0)]
        await readings.aclose()


@both
async def test_damage_is_not_believed(transport: str) -> None:
    async with rig(transport) as (bus, new):
        driver = new(tags("1.1"))
        await driver.connect()
        bus.damage = lambda frame: frame[:3] + bytes((frame[3] ^ 1,)) + frame[4:]
        [one] = await driver.read(["1.1"])
        assert (one.value, one.quality) == (None, Quality.BAD)
        assert driver.traffic.misfits
        bus.damage = lambda frame: frame
        [one] = await driver.read(["1.1"])
        assert one.value == 1001


async def read_on(driver: ModbusDriver) -> None:
    while True:
        await driver.read(["1.1"])


async def test_a_line_that_is_never_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linecontrol_modbus.rtu.LONGEST_DRAIN_S", 0.1)
    async with rig("rtu_over_tcp") as (bus, new):
        driver = new(tags("1.1"))
        await driver.connect()

        async def babble() -> None:
            while True:
                bus._send(b"babble")
                await asyncio.sleep(0.001)

        async def give_up() -> None:
            with pytest.raises(ConnectionLost, match="never silent"):
                await read_on(driver)
            babbling.cancel()

        async with asyncio.timeout(3), asyncio.TaskGroup() as group:
            babbling = group.create_task(babble())
            group.create_task(give_up())


async def test_a_serial_port_that_is_unplugged_ends_the_connection() -> None:
    bus = Bus()
    pty = PtyBus(bus)
    settings = ModbusConnection.model_validate(
        {"transport": "serial", "device": pty.device, "poll": "10ms", "timeout": "50ms"}
    )
    driver = ModbusDriver("bus", settings, tags("1.1"), SystemClock())
    await driver.connect()
    readings = driver.readings()
    await anext(readings)
    await pty.close()
    with pytest.raises(ConnectionLost, match=r"bus \(/dev/pts/\d+\): "):
        await anext(readings)
    await driver.close()
    again = ModbusDriver("bus", settings, tags("1.1"), SystemClock())
    with pytest.raises(ConnectionLost, match="can't be reached"):
        await again.connect()


async def test_a_serial_port_has_one_user() -> None:
    async with rig("serial") as (_, new):
        await new(tags("1.1")).connect()
        with pytest.raises(ConnectionLost, match="in use by another connection"):
            await new(tags("1.1")).connect()
