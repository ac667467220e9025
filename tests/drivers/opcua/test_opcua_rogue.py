"""The driver against a server that breaks the rules, or the line."""

import asyncio
import random
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua
from asyncua.ua.status_codes import StatusCodes

import linecontrol_opcua.resumption
import linecontrol_opcua.subscription
from linecontrol.clock import SystemClock
from linecontrol.driver import ConnectionLost, DeviceRefused, Quality, Reading, Tag
from linecontrol_opcua import OpcuaDriver
from linecontrol_opcua.fast import CANARY
from tests.drivers.opcua.rogue import FIRST, LIMITS, Link, Rogue, fault, status, value

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_T0 = 1_767_225_600_000_000_000


def _tags(rig: "Rig", count: int) -> list[Tag]:
    return [rig.tag(f"l/s/t{number}", f"ns=1;i={FIRST + number}", "double") for number in range(count)]


@asynccontextmanager
async def _rogue(count: int = 2) -> AsyncIterator[Rogue]:
    rogue = Rogue()
    rogue.values = {number: value(0.0) for number in range(count)}
    async with rogue.serve():
        yield rogue


@asynccontextmanager
async def _up(
    rig: "Rig", rogue: Rogue, tags: list[Tag] | None = None
) -> AsyncIterator[tuple[OpcuaDriver, "_Collector"]]:
    """A driver that has the first values."""
    tags = _tags(rig, len(rogue.values)) if tags is None else tags
    async with rig.drive(rig.connection(rogue.port, timeout="500ms"), tags) as driver, asyncio.TaskGroup() as group:
        collector = _Collector(driver)
        task = group.create_task(collector.run())
        await rogue.until("Publish")
        rogue.publish(*((handle, value(0.0)) for handle in rogue.handles))
        await collector.until(len(rogue.handles))
        collector.got.clear()
        try:
            yield driver, collector
        finally:
            task.cancel()


class _Collector:
    """All that a driver reads, until it ends."""

    def __init__(self, driver: OpcuaDriver) -> None:
        self.driver = driver
        self.got: list[Reading] = []
        self.ended: Exception | None = None
        self._more = asyncio.Event()

    async def run(self) -> None:
        try:
            async for batch in self.driver.readings():
                assert batch
                self.got += batch
                self._more.set()
        except (ConnectionLost, DeviceRefused) as error:
            self.ended = error
            self._more.set()

    async def until(self, count: int) -> list[Reading]:
        async with asyncio.timeout(10):
            while len(self.got) < count and self.ended is None:
                self._more.clear()
                await self._more.wait()
        if self.ended is not None:
            raise self.ended
        return self.got

    async def end(self) -> str:
        async with asyncio.timeout(10):
            while self.ended is None:
                self._more.clear()
                await self._more.wait()
        return str(self.ended)

    @property
    def values(self) -> list[object]:
        return [reading.value for reading in self.got]


async def test_several_publish_requests_are_under_way(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
        await rogue.until("Publish", 4)
        assert len(rogue.waiting) == 3
        for number in range(1, 4):
            rogue.publish((0, value(number, number)))
        await collector.until(3)
        assert collector.values == [1, 2, 3]


async def test_too_many_publish_requests_are_fewer_from_then_on(rig: "Rig") -> None:
    async with _rogue() as rogue:

        def one(link: Link, request: Any) -> Any:
            return fault(StatusCodes.BadTooManyPublishRequests) if rogue.waiting else rogue.on_Publish(link, request)

        rogue.answers["Publish"] = one
        async with _up(rig, rogue) as (_, collector):
            for number in range(1, 6):
                await rogue.until("Publish", 3 + number)
                rogue.publish((0, value(number, number)))
                await collector.until(number)
            assert collector.values == [1, 2, 3, 4, 5]


async def test_messages_out_of_order_are_put_in_order(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        await rogue.until("Publish", 4)
        messages = [rogue.message((0, value(number, number))) for number in (1, 2, 3)]
        for message in reversed(messages):
            rogue.send(message)
        await collector.until(3)
        assert collector.values == [1, 2, 3]
        assert driver.traffic.gaps == 0


@pytest.mark.parametrize("keep_alive", [False, True])
async def test_a_skipped_message_is_fetched(rig: "Rig", keep_alive: bool) -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        rogue.message((0, value(1, 1)))
        if keep_alive:
            rogue.keep_alive()
        else:
            rogue.publish((0, value(2, 2)))
        expected = [1] if keep_alive else [1, 2]
        await collector.until(len(expected))
        assert collector.values == expected
        assert {reading.quality for reading in collector.got} == {Quality.GOOD}
        assert driver.traffic.gaps == 0


async def test_a_lost_message_leaves_doubt_on_every_signal_once(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        rogue.message((0, value(1, 1)))
        rogue.retained.clear()
        rogue.values[1] = value(9, 5)
        rogue.publish((0, value(2, 2)))
        await collector.until(2)
        assert [(r.signal, r.value, r.quality) for r in collector.got] == [
            ("l/s/t0", 2, Quality.UNCERTAIN),
            ("l/s/t1", 9, Quality.UNCERTAIN),
        ]
        assert driver.traffic.gaps == 1
        # What is older than what was read does not come after it.
        await rogue.until("Publish", 5)
        rogue.publish((1, value(8, 4)), (1, value(9, 5)), (1, value(10, 6)))
        await collector.until(3)
        assert [(r.value, r.quality) for r in collector.got[2:]] == [(10, Quality.GOOD)]


async def test_a_message_that_came_twice_counts_once(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        await rogue.until("Publish", 4)
        message = rogue.message((0, value(1, 1)))
        rogue.send(message)
        rogue.send(message)
        rogue.publish((0, value(2, 2)))
        await collector.until(2)
        assert collector.values == [1, 2]
        assert driver.traffic.late_answers == 1


async def test_overflow_is_uncertain_and_a_gap(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        rogue.publish((0, value(5, 1, 0x0480)))
        await collector.until(1)
        assert collector.got[0].quality is Quality.UNCERTAIN
        assert driver.traffic.gaps == 1


async def test_a_status_change_ends_it_in_words(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
        rogue.send(rogue.message(body=ua.StatusChangeNotification(status(StatusCodes.BadTimeout))))
        assert "ended the subscription: BadTimeout" in await collector.end()


async def test_no_subscription_ends_it(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
        link, request, handle = rogue.waiting.pop(0)
        link.answer(request, handle, fault(StatusCodes.BadNoSubscription))
        assert "BadNoSubscription" in await collector.end()


async def test_an_undecodable_notification_ends_it_and_is_counted(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        link, request, _ = rogue.waiting.pop(0)
        header = b"\x01\x00\x3d\x03" + bytes(24) + struct.pack("<IiBIqi", 77, -1, 0, 2, 0, 1)
        link.body(request, header + b"\xff" * 40)
        assert "can't be understood" in await collector.end()
        assert driver.traffic.misfits == 1


async def test_publish_that_is_never_answered_is_silence(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "KEEP_ALIVE_S", 0.1)
    async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
        assert "fell silent" in await collector.end()


async def test_a_renewal_that_is_never_answered_is_silence(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "KEEP_ALIVE_S", 0.2)
    monkeypatch.setattr(linecontrol_opcua.subscription, "SHORTEST_RENEWAL_S", 0.1)
    async with _rogue() as rogue:
        settings = rig.connection(rogue.port, timeout="20s")
        async with rig.drive(settings, _tags(rig, 1)) as driver, asyncio.timeout(2):
            rogue.answers["OpenSecureChannel"] = lambda *_: None
            driver._session._renew_at = 0.0
            with pytest.raises(ConnectionLost):
                await anext(driver.readings())


async def test_a_server_with_slower_intervals_is_asked_for_fewer_of_them_in_silence(rig: "Rig") -> None:
    async with _rogue() as rogue:

        def slower(link: Link, request: Any) -> Any:
            request.Parameters.RequestedPublishingInterval = 100.0
            return rogue.on_CreateSubscription(link, request)

        def modified(_: Link, request: Any) -> Any:
            wanted = request.Parameters
            return ua.ModifySubscriptionResponse(
                Parameters=ua.ModifySubscriptionResult(
                    wanted.RequestedPublishingInterval, wanted.RequestedLifetimeCount, wanted.RequestedMaxKeepAliveCount
                )
            )

        rogue.answers["CreateSubscription"] = slower
        async with _up(rig, rogue) as (driver, _):
            assert driver._subscription._patience_s == pytest.approx(1.5 * 0.1 * 150)
        rogue.cut()
        rogue.calls.clear()
        rogue.sequence = 0
        rogue.answers["ModifySubscription"] = modified
        async with _up(rig, rogue) as (driver, _):
            assert driver._subscription._patience_s == pytest.approx(1.5 * 3.0)


async def test_a_clock_that_stands_still_is_a_stuck_server(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "CANARY_PATIENCE_S", 0.2)
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        rogue.handles[CANARY] = -1
        for second in (1, 2):
            stamp = ua.DateTime.fromtimestamp(1_767_225_600 + second)
            rogue.publish((CANARY, ua.DataValue(ua.Variant(stamp, ua.VariantType.DateTime))))
        for number in range(1, 100):
            if collector.ended is not None:
                break
            await rogue.until("Publish", 5 + number)
            if rogue.waiting:
                rogue.publish((0, value(number, number)))
            await asyncio.sleep(0.02)
        assert "fell silent" in await collector.end()
        assert driver.traffic.skew_ns is not None
        assert "" not in {reading.signal for reading in collector.got}


async def test_half_of_the_nodes_missing_hinders_nobody(rig: "Rig") -> None:
    async with _rogue(4) as rogue:
        tags = _tags(rig, 8)
        async with rig.drive(rig.connection(rogue.port), tags) as driver:
            readings = driver.readings()
            first = await anext(readings)
            assert [(r.signal, r.status) for r in first] == [
                (f"l/s/t{number}", StatusCodes.BadNodeIdUnknown) for number in range(4, 8)
            ]
            assert driver.traffic.refused == 4
            await readings.aclose()


async def test_a_cut_between_subscription_and_items_is_connection_lost(rig: "Rig") -> None:
    async with _rogue() as rogue:
        rogue.answers["CreateMonitoredItems"] = lambda _link, _request: rogue.cut()
        driver = OpcuaDriver("plc", rig.connection(rogue.port), _tags(rig, 2), SystemClock())
        with pytest.raises(ConnectionLost, match="plc"):
            await driver.connect()
        await driver.close()


async def test_limits_of_50_per_call_are_kept(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, 11714, 50)
    sizes: list[int] = []
    async with _rogue(120) as rogue:

        def counted(link: Link, request: Any) -> Any:
            sizes.append(len(request.Parameters.ItemsToCreate))
            return rogue.on_CreateMonitoredItems(link, request)

        rogue.answers["CreateMonitoredItems"] = counted
        async with _up(rig, rogue):
            assert sizes == [50, 50, 20, 1]


async def test_paths_are_looked_up_as_many_at_once_as_the_server_takes(
    rig: "Rig", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, 11712, 50)
    sizes: list[int] = []
    async with _rogue() as rogue:

        def counted(_: Link, request: Any) -> Any:
            paths = request.Parameters.BrowsePaths
            sizes.append(len(paths))
            return ua.TranslateBrowsePathsToNodeIdsResponse(Results=[ua.BrowsePathResult() for _ in paths])

        rogue.answers["TranslateBrowsePathsToNodeIds"] = counted
        tags = [rig.tag(f"l/s/p{number}", f"ns=1;path=Plant/P{number}", "double") for number in range(120)]
        async with _up(rig, rogue, [*_tags(rig, 1), *tags]):
            assert sizes == [50, 50, 20]


async def test_a_server_that_stamps_at_every_look_is_asked_for_changes_alone(rig: "Rig") -> None:
    triggers: list[int] = []
    looks = 0
    async with _rogue() as rogue:

        def read(link: Link, request: Any) -> Any:
            nonlocal looks
            looks += 1
            rogue.values[1] = value(0.0, at=looks)
            return rogue.on_Read(link, request)

        def monitored(link: Link, request: Any) -> Any:
            wanted = [item.RequestedParameters.Filter for item in request.Parameters.ItemsToCreate]
            triggers.extend(one.Trigger for one in wanted if hasattr(one, "Trigger"))
            return rogue.on_CreateMonitoredItems(link, request)

        rogue.answers |= {"Read": read, "CreateMonitoredItems": monitored}
        async with _up(rig, rogue):
            assert triggers == [ua.DataChangeTrigger.StatusValueTimestamp, ua.DataChangeTrigger.StatusValue]


@pytest.mark.parametrize("code", [StatusCodes.BadUserAccessDenied, StatusCodes.BadSecurityPolicyRejected])
async def test_a_session_that_is_not_let_in_is_not_left_over(rig: "Rig", code: int) -> None:
    async with _rogue() as rogue:
        rogue.answers["ActivateSession"] = lambda *_: fault(code)
        driver = OpcuaDriver("plc", rig.connection(rogue.port), _tags(rig, 1), SystemClock())
        with pytest.raises(DeviceRefused):
            await driver.connect()
        await driver.close()
        assert rogue.sessions == {}
        assert rogue.calls.count("ActivateSession") == 1


@pytest.mark.parametrize(
    "greeting",
    [
        pytest.param(b"ACKF" + struct.pack("<6I", 28, 0, 0, 0, 0, 0), id="R10 buffer size 0"),
        pytest.param(b"ACKF" + struct.pack("<I", 0xFFFF_FFFF), id="R04 a header of 4 GB"),
        pytest.param(b"ACKF" + struct.pack("<I", 3), id="a header shorter than itself"),
        pytest.param(b"\x00" * 64, id="zeros"),
        pytest.param(b"MSGF" + struct.pack("<I", 12) + bytes(4), id="a message before the channel"),
        pytest.param(b"ERRF" + struct.pack("<IIi", 16, StatusCodes.BadTcpServerTooBusy, -1), id="an error"),
    ],
)
async def test_a_strange_greeting_is_connection_lost_at_once(rig: "Rig", greeting: bytes) -> None:
    async with _rogue() as rogue:
        rogue.acknowledge = greeting
        driver = OpcuaDriver("plc", rig.connection(rogue.port), _tags(rig, 2), SystemClock())
        start = time.perf_counter()
        with pytest.raises(ConnectionLost, match="plc"):
            await driver.connect()
        assert time.perf_counter() - start < 1
        await driver.close()


async def test_endless_chunks_are_cut_off(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        link, request, _ = rogue.waiting.pop(0)
        for _ in range(70):
            link.body(request, bytes(64_000), chunk=b"C")
        assert "plc" in await collector.end()
        assert driver.traffic.bytes_received < 6 * 1024 * 1024


async def test_endless_empty_chunks_are_cut_off(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
        link, request, _ = rogue.waiting.pop(0)
        for _ in range(600):
            link.body(request, b"", chunk=b"C")
        assert "plc" in await collector.end()


async def test_an_answer_that_nobody_asked_for_is_not_believed(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        link, _, _ = rogue.waiting[0]
        link.answer(9_999, 1, ua.ReadResponse())
        assert "nobody sent" in await collector.end()
        assert driver.traffic.misfits == 1


async def test_a_read_with_another_number_of_results_is_not_believed(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, _):
        rogue.answers["Read"] = lambda _link, _request: ua.ReadResponse(Results=[value(1)])
        with pytest.raises(ConnectionLost, match="1 results for 2 nodes"):
            await driver.read(["l/s/t0", "l/s/t1"])


async def test_a_null_array_of_two_billion_is_refused_at_once(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, _):
        good = ua.ReadResponse()
        from asyncua.ua.ua_binary import struct_to_binary

        hostile = struct_to_binary(good)[:-8] + struct.pack("<i", 1) + b"\x01\x80\xff\xff\xff\x7f\xff\xff\xff\xff"
        rogue.answers["Read"] = lambda _link, _request: hostile
        start = time.perf_counter()
        with pytest.raises(ConnectionLost, match="can't be understood"):
            await driver.read(["l/s/t0"])
        assert time.perf_counter() - start < 0.5


async def test_damaged_frames_end_in_nothing_but_the_two_errors(rig: "Rig") -> None:
    chance = random.Random(11)
    ends: list[str] = []
    for _ in range(60):
        async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
            (link,) = rogue.links
            send = link.raw

            def damaged(data: bytes, send: Callable[[bytes], None] = send) -> None:
                body = bytearray(data)
                for _ in range(chance.randrange(1, 4)):
                    body[chance.randrange(len(body))] = chance.randrange(256)
                send(bytes(body))

            link.raw = damaged  # type: ignore[method-assign]
            rogue.publish((0, value(1, 1)), (1, value(2, 2)))
            await asyncio.sleep(0.005)
            ends.append(str(collector.ended))
            link.raw = send  # type: ignore[method-assign]
    assert sum("plc (opc.tcp://" in end for end in ends) > 20


# Short outages.


async def test_a_short_cut_loses_nothing(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        rogue.cut()
        rogue.message((0, value(1, 1)))
        rogue.message((0, value(2, 2)))
        await rogue.until("ActivateSession", 2)
        await rogue.until("Publish", 5)
        rogue.publish((0, value(3, 3)))
        await collector.until(3)
        assert collector.values == [1, 2, 3]
        assert {reading.quality for reading in collector.got} == {Quality.GOOD}
        assert (len(rogue.sessions), driver.traffic.gaps) == (1, 0)


async def test_a_value_that_is_sent_once_more_under_another_number_counts_once(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
        rogue.publish((0, value(1, 1)), (1, value(1, 1)))
        await collector.until(2)
        rogue.cut()
        rogue.message((0, value(1, 1)))
        rogue.message((0, value(2, 2)), (1, value(1, 2)))
        rogue.message((0, value(2, 2)))
        await collector.until(4)
        await rogue.until("Publish", 6)
        rogue.publish((0, value(2, 2)), (0, value(3, 2)), (0, value(2, 2)))
        await collector.until(6)
        counts = [reading.value for reading in collector.got if reading.signal == "l/s/t0"]
        assert counts == [1, 2, 3, 2]


async def test_a_session_that_is_gone_is_replaced_and_the_subscription_taken_over(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        rogue.sessions = {99: True}
        rogue.cut()
        rogue.message((0, value(1, 1)))
        await rogue.until("TransferSubscriptions")
        await collector.until(1)
        assert collector.values == [1]
        assert driver.traffic.gaps == 0


async def test_a_subscription_that_is_gone_is_connection_lost(rig: "Rig") -> None:
    async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
        rogue.sessions, rogue.subscriptions = {99: True}, {}
        rogue.cut()
        assert "gave the subscription up" in await collector.end()


async def test_a_cut_that_lasts_is_connection_lost(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "RESUME_S", 0.4)
    async with _rogue() as rogue, _up(rig, rogue) as (_, collector):
        rogue.refuse = True
        rogue.cut()
        assert "could not be reached again" in await collector.end()


async def test_the_session_of_a_life_that_broke_is_taken_up_by_the_next(
    rig: "Rig", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "RESUME_S", 0.02)
    async with _rogue() as rogue:
        for _ in range(20):
            rogue.refuse = False
            async with _up(rig, rogue) as (_, collector):
                rogue.refuse = True
                rogue.cut()
                assert "could not be reached again" in await collector.end()
            assert len(rogue.sessions) == 1
            rogue.calls.clear()
            rogue.sequence = 0
        rogue.refuse = False
        async with _up(rig, rogue):
            assert "DeleteSubscriptions" in rogue.calls
        assert rogue.sessions == {}


async def test_a_session_left_over_is_kept_in_mind_when_taking_it_up_fails(
    rig: "Rig", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "RESUME_S", 0.02)
    async with _rogue() as rogue:
        async with _up(rig, rogue) as (_, collector):
            rogue.refuse = True
            rogue.cut()
            await collector.end()
        rogue.refuse = False
        rogue.answers["ActivateSession"] = lambda *_: rogue.cut()
        driver = OpcuaDriver("plc", rig.connection(rogue.port, timeout="500ms"), _tags(rig, 2), SystemClock())
        with pytest.raises(ConnectionLost):
            await driver.connect()
        rogue.refuse = True
        await driver.close()
        rogue.refuse = False
        rogue.answers.clear()
        rogue.calls.clear()
        rogue.sequence = 0
        async with _up(rig, rogue):
            assert "DeleteSubscriptions" in rogue.calls
            assert len(rogue.sessions) == 1
        assert rogue.sessions == {}


async def test_a_hundred_cuts_lose_and_double_nothing(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.resumption, "PAUSE_S", 0.005)
    chance = random.Random(7)
    async with _rogue() as rogue, _up(rig, rogue) as (driver, collector):
        sent = 0
        for _ in range(100):
            rogue.refuse = True
            rogue.cut()
            for _ in range(chance.randrange(4)):
                sent += 1
                rogue.message((0, value(sent, sent)))
            await asyncio.sleep(chance.uniform(0.001, 0.03))
            rogue.refuse = False
            while not rogue.waiting:
                rogue.asked.clear()
                await rogue.asked.wait()
            for _ in range(chance.randrange(len(rogue.waiting) + 1)):
                sent += 1
                rogue.publish((0, value(sent, sent)))
        await collector.until(sent)
        assert collector.values == list(range(1, sent + 1))
        assert {reading.quality for reading in collector.got} == {Quality.GOOD}
        assert (len(rogue.sessions), driver.traffic.gaps) == (1, 0)
    assert rogue.sessions == {}
