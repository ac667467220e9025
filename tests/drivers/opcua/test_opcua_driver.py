"""The driver against the simulated PLC, over real TCP."""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

import pytest
from asyncua import ua
from asyncua.server.monitored_item_service import MonitoredItemService
from asyncua.ua.status_codes import StatusCodes
from typing_extensions import override

import linecontrol_opcua.driver
import linecontrol_opcua.subscription
from linecontrol.clock import ScaledClock, SystemClock
from linecontrol.driver import ConnectionLost, DeviceRefused, Quality, Reading, Tag
from linecontrol_opcua import OpcuaDriver
from linecontrol_opcua.decode import Published

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_MS = 1_000_000
_T0 = 1_767_225_600_000_000_000


def _plant(rig: "Rig") -> list[Tag]:
    return [
        rig.tag("l/s/running", "nsu=urn:plant;s=ST010.Running", "bool"),
        rig.tag("l/s/cycle_count", "nsu=urn:plant;s=ST010.Count", "uint16"),
        rig.tag("l/s/torque", "ns=4;i=1001", "double"),
        rig.tag("l/s/unit_id", "nsu=urn:plant;s=ST010.Unit;Id", "string"),
        rig.tag("l/s/command_andon", "nsu=urn:plant;s=ST010.Andon", "int16", writable=True),
    ]


def _signals(readings: list[Reading]) -> set[str]:
    return {reading.signal for reading in readings}


async def test_first_batches_hold_every_cyclic_tag(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags), rig.drive(settings, tags) as driver:
        first = await rig.until(driver.readings(), lambda got: len(got) >= 4)
    assert {reading.signal: reading.value for reading in first} == {
        "l/s/running": False,
        "l/s/cycle_count": 0,
        "l/s/torque": 0.0,
        "l/s/unit_id": "",
    }
    assert {reading.quality for reading in first} == {Quality.GOOD}
    assert [reading.sequence for reading in first] == [1, 2, 3, 4]


async def test_changes_arrive_once_in_order_with_their_source_times(rig: "Rig") -> None:
    settings, tags = rig.connection(queue=2_500), _plant(rig)
    sent = [Reading("l/s/cycle_count", count, Quality.GOOD, _T0 + count * 1_000, 0) for count in range(1, 2_001)]
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        for reading in sent:
            await plc.publish([reading])
        got = await rig.until(readings, lambda got: len(got) >= 2_000)
    assert [(reading.value, reading.source_ns) for reading in got] == [
        (reading.value, reading.source_ns) for reading in sent
    ]
    assert [reading.sequence for reading in got] == list(range(5, 2_005))


async def test_batches_are_in_the_order_of_source_times(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        await plc.publish(
            [
                Reading("l/s/torque", 1.5, Quality.GOOD, _T0 + 3 * _MS, 0),
                Reading("l/s/running", True, Quality.GOOD, _T0 + 1 * _MS, 0),
                Reading("l/s/unit_id", "MTZ-82 №7", Quality.GOOD, _T0 + 2 * _MS, 0),
            ]
        )
        got = await rig.until(readings, lambda got: len(got) >= 3)
    assert [reading.value for reading in got] == [True, "MTZ-82 №7", 1.5]


async def test_the_same_value_with_a_new_source_time_is_a_reading(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        await plc.publish([Reading("l/s/torque", 7.0, Quality.GOOD, _T0 + at, 0) for at in (0, 1_000)])
        got = await rig.until(readings, lambda got: len(got) >= 2)
    assert [(reading.value, reading.source_ns) for reading in got] == [(7.0, _T0), (7.0, _T0 + 1_000)]


async def test_a_deadband_holds_small_changes_back(rig: "Rig") -> None:
    settings, tags = rig.connection(), [rig.tag("l/s/torque", "ns=2;i=1", "double", deadband=1.0)]
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 1)
        await plc.publish([Reading("l/s/torque", value, Quality.GOOD, _T0, 0) for value in (5.0, 5.5, 9.0)])
        got = await rig.until(readings, lambda got: got != [] and got[-1].value == 9.0)
    assert [reading.value for reading in got] == [5.0, 9.0]


async def test_bad_and_uncertain_values_keep_their_status(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    failure, old = int(StatusCodes.BadSensorFailure), int(StatusCodes.UncertainLastUsableValue)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        await plc.publish(
            [
                Reading("l/s/cycle_count", None, Quality.BAD, _T0, 0, failure),
                Reading("l/s/torque", 3.0, Quality.UNCERTAIN, _T0 + 1_000, 0, old),
            ]
        )
        got = await rig.until(readings, lambda got: len(got) >= 2)
    assert [(reading.value, reading.quality, reading.status) for reading in got] == [
        (None, Quality.BAD, failure),
        (3.0, Quality.UNCERTAIN, old),
    ]


async def test_nodes_that_the_server_lacks_are_bad_and_hinder_nobody(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    strangers = [
        rig.tag("l/s/no_node", "nsu=urn:plant;s=Nowhere", "bool"),
        rig.tag("l/s/no_namespace", "nsu=urn:elsewhere;s=A", "bool"),
    ]
    wrong = rig.tag("l/s/wrong_type", "nsu=urn:plant;s=ST010.Count", "int32")
    async with rig.serve(settings, tags), rig.drive(settings, [*strangers, *tags, wrong]) as driver:
        first = await rig.until(driver.readings(), lambda got: len(got) >= 7)
        read = await driver.read(["l/s/no_namespace", "l/s/torque", "l/s/no_node"])
    bad = {reading.signal: (reading.value, reading.status) for reading in first if reading.quality is Quality.BAD}
    assert bad == {
        "l/s/no_node": (None, StatusCodes.BadNodeIdUnknown),
        "l/s/no_namespace": (None, StatusCodes.BadNodeIdUnknown),
        "l/s/wrong_type": (None, StatusCodes.BadTypeMismatch),
    }
    assert _signals(first) - set(bad) == {"l/s/running", "l/s/cycle_count", "l/s/torque", "l/s/unit_id"}
    assert [reading.quality for reading in read] == [Quality.BAD, Quality.GOOD, Quality.BAD]


async def test_nodes_that_appear_later_are_taken_up(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.driver, "_ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(linecontrol_opcua.subscription, "KEEP_ALIVE_S", 0.02)
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags[1:]) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        first = await rig.until(readings, lambda got: len(got) >= 4)
        assert first[0].signal == "l/s/running"
        assert first[0].quality is Quality.BAD
        assert plc._server is not None
        plc._tags["l/s/running"] = tags[0].settings  # type: ignore[assignment]
        await plc._add(plc._server, tags[0], driver._nodes["l/s/running"])  # type: ignore[index, arg-type]
        got = await rig.until(readings, lambda got: len(got) >= 1)
    assert [(reading.signal, reading.value, reading.quality) for reading in got] == [
        ("l/s/running", False, Quality.GOOD)
    ]


async def test_more_tags_than_the_server_takes_in_one_call(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    settings = rig.connection()
    tags = [rig.tag(f"l/s/t{number}", f"ns=2;i={number}", "int32") for number in range(1, 26)]
    async with rig.serve(settings, tags) as plc:
        assert plc._server is not None
        calls: list[int] = []
        service = plc._server.iserver.subscription_service
        create = service.create_monitored_items

        async def counted(params):  # type: ignore[no-untyped-def]
            calls.append(len(params.ItemsToCreate))
            return await create(params)

        monkeypatch.setattr(service, "create_monitored_items", counted)
        limit = plc._server.get_node("i=11714")
        await limit.write_value(10, await limit.read_data_type_as_variant_type())
        async with rig.drive(settings, tags) as driver:
            first = await rig.until(driver.readings(), lambda got: len(got) >= 25)
    assert calls == [10, 10, 5, 1]  # the last is the server's clock
    assert len(_signals(first)) == 25


async def test_a_server_that_takes_no_filter_is_asked_without(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    create = MonitoredItemService._create_data_change_monitored_item

    async def choosy(self: MonitoredItemService, params: ua.MonitoredItemCreateRequest) -> ua.MonitoredItemCreateResult:
        if isinstance(params.RequestedParameters.Filter, ua.DataChangeFilter):
            status = ua.StatusCode(ua.UInt32(StatusCodes.BadMonitoredItemFilterUnsupported))
            return ua.MonitoredItemCreateResult(StatusCode=status)
        return await create(self, params)

    monkeypatch.setattr(MonitoredItemService, "_create_data_change_monitored_item", choosy)
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags), rig.drive(settings, tags) as driver:
        first = await rig.until(driver.readings(), lambda got: len(got) >= 4)
    assert {reading.quality for reading in first} == {Quality.GOOD}


async def test_what_is_written_can_be_read_back(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        await driver.write({"l/s/command_andon": 3})
        (reading,) = await driver.read(["l/s/command_andon"])
        written = [(write.signal, write.value) for write in plc.writes()]
        assert plc.writes() == []
    assert (reading.value, reading.quality) == (3, Quality.GOOD)
    assert written == [("l/s/command_andon", 3)]


@pytest.mark.parametrize(
    ("signal", "value", "why"),
    [
        ("l/s/cycle_count", 3, "BadUserAccessDenied"),
        ("l/s/command_andon", 40_000, "40000 is no int16"),
        ("l/s/command_andon", True, "True is no int16"),
        ("l/s/nowhere", 1, "BadNodeIdUnknown"),
    ],
)
async def test_refused_writes_name_signal_and_status(rig: "Rig", signal: str, value: int, why: str) -> None:
    settings, tags = rig.connection(), _plant(rig)
    more = [*tags, rig.tag("l/s/nowhere", "nsu=urn:elsewhere;i=9", "int16", writable=True)]
    async with rig.serve(settings, tags) as plc, rig.drive(settings, more) as driver:
        with pytest.raises(DeviceRefused, match=rf"{signal}: .*{why}"):
            await driver.write({signal: value})
        assert plc.writes() == []


async def test_a_faster_clock_publishes_faster_within_bounds(rig: "Rig") -> None:
    settings, tags = rig.connection(publish="1s"), _plant(rig)
    intervals = []
    async with rig.serve(settings, tags) as plc:
        assert plc._server is not None
        for speed in (1.0, 10.0, 100_000.0):
            async with rig.drive(settings, tags, ScaledClock(speed, _T0)):
                (subscription,) = plc._server.iserver.subscription_service.subscriptions.values()
                intervals.append(subscription.data.RevisedPublishingInterval)
    assert intervals == [1_000.0, 100.0, 20.0]


async def test_a_short_interval_is_kept_at_any_speed(rig: "Rig") -> None:
    settings, tags = rig.connection(publish="10ms"), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags, ScaledClock(50.0, _T0)):
        assert plc._server is not None
        (subscription,) = plc._server.iserver.subscription_service.subscriptions.values()
        assert subscription.data.RevisedPublishingInterval == 10.0


async def test_receive_time_is_plant_time(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    clock = ScaledClock(1_000.0, _T0)
    async with rig.serve(settings, tags, clock), rig.drive(settings, tags, clock) as driver:
        first = await rig.until(driver.readings(), lambda got: len(got) >= 4)
        after = clock.now_ns()
    assert all(_T0 <= reading.source_ns <= reading.receive_ns <= after for reading in first)


async def test_a_server_that_goes_is_connection_lost(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "RESUME_S", 0.2)
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        await plc.close()
        with pytest.raises(ConnectionLost, match="plc"):
            await rig.until(readings, lambda _: False)
        with pytest.raises(ConnectionLost, match="plc"):
            await driver.read(["l/s/torque"])
        with pytest.raises(ConnectionLost, match="plc"):
            await driver.write({"l/s/command_andon": 1})


async def test_a_silent_server_is_connection_lost(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "KEEP_ALIVE_S", 0.2)
    settings, tags = rig.connection(), _plant(rig)
    loop = asyncio.get_running_loop()
    async with (
        rig.serve(settings, tags),
        rig.proxy(settings.endpoint()[1]) as proxy,
        rig.drive(settings.on_loopback(proxy.port), tags) as driver,
    ):
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        proxy.flows.clear()
        with pytest.raises(ConnectionLost, match="did not answer in time"):
            await rig.until(readings, lambda _: False)
        closing = loop.time()
        await driver.close()
        assert loop.time() - closing < 2.0


async def test_an_idle_server_stays_connected(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "KEEP_ALIVE_S", 0.1)
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        publish, messages = driver._subscription.publish, 0

        async def counted() -> list[Published]:
            nonlocal messages
            result = await publish()
            messages += len(result)
            if messages == 5:
                await plc.publish([Reading("l/s/torque", 1.0, Quality.GOOD, _T0, 0)])
            return result

        monkeypatch.setattr(driver._subscription, "publish", counted)
        got = await rig.until(readings, lambda got: len(got) >= 1)
    assert messages == 6
    assert got[0].value == 1.0


async def test_a_subscription_that_the_server_ends_is_connection_lost(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        assert plc._server is not None
        (subscription,) = plc._server.iserver.subscription_service.subscriptions.values()
        await subscription.enqueue_statuschange(ua.StatusCode(ua.UInt32(StatusCodes.BadShutdown)))
        await plc.publish([Reading("l/s/torque", 1.0, Quality.GOOD, _T0, 0)])
        with pytest.raises(ConnectionLost, match="BadShutdown"):
            await rig.until(readings, lambda _: False)


async def test_a_message_that_is_gone_is_told(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        assert plc._server is not None
        (subscription,) = plc._server.iserver.subscription_service.subscriptions.values()
        subscription._notification_seq += 1
        await plc.publish([Reading("l/s/torque", 1.0, Quality.GOOD, _T0, 0)])
        after = await rig.until(readings, lambda got: len(got) >= 4)
        assert driver.traffic.gaps == 1
        await plc.publish([Reading("l/s/torque", 2.0, Quality.GOOD, _T0 + 1_000, 0)])
        later = await rig.until(readings, lambda got: len(got) >= 1)
    assert sorted((reading.signal, reading.value, reading.quality) for reading in after) == [
        ("l/s/cycle_count", 0, Quality.UNCERTAIN),
        ("l/s/running", False, Quality.UNCERTAIN),
        ("l/s/torque", 1.0, Quality.UNCERTAIN),
        ("l/s/unit_id", "", Quality.UNCERTAIN),
    ]
    assert [(reading.value, reading.quality) for reading in later] == [(2.0, Quality.GOOD)]


async def test_a_subscription_without_values_is_connection_lost(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "KEEP_ALIVE_S", 0.1)
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        assert plc._server is not None
        (subscription,) = plc._server.iserver.subscription_service.subscriptions.values()
        subscription._triggered_datachanges.clear()
        with pytest.raises(ConnectionLost, match="sends no value"):
            await rig.until(driver.readings(), lambda _: False)


async def test_commands_alone_need_no_values(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "KEEP_ALIVE_S", 0.02)
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags[-1:]) as driver:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await anext(driver.readings())
        await driver.write({"l/s/command_andon": 2})
        assert [write.value for write in plc.writes()] == [2]


async def test_a_server_that_wants_a_user_is_refused_in_words(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc:
        assert plc._server is not None
        plc._server.iserver.supported_tokens = (ua.UserNameIdentityToken,)  # type: ignore[assignment]
        driver = OpcuaDriver("plc", settings, tags, SystemClock())
        with pytest.raises(DeviceRefused, match="wants a user and password"):
            await driver.connect()
        await driver.close()


async def test_nobody_listening_is_connection_lost(rig: "Rig") -> None:
    driver = OpcuaDriver("plc", rig.connection(), [], SystemClock())
    with pytest.raises(ConnectionLost, match="is the OPC UA server running at that port"):
        await driver.connect()
    await driver.close()


async def test_a_peer_that_never_answers_is_connection_lost(rig: "Rig") -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        driver = OpcuaDriver("plc", rig.connection(mute.getsockname()[1], timeout="100ms"), [], SystemClock())
        with pytest.raises(ConnectionLost, match="did not answer in time"):
            await driver.connect()
        await driver.close()


async def test_a_peer_that_talks_nonsense_is_connection_lost(rig: "Rig") -> None:
    gone = asyncio.Event()

    class Nonsense(asyncio.Protocol):
        @override
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        @override
        def connection_lost(self, exc: Exception | None) -> None:
            gone.set()

    server = await asyncio.get_running_loop().create_server(Nonsense, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        driver = OpcuaDriver("plc", rig.connection(port, timeout="200ms"), [], SystemClock())
        with pytest.raises(ConnectionLost, match="plc"):
            await driver.connect()
        await driver.close()
        await gone.wait()


async def test_a_connect_that_is_cancelled_leaves_nothing(rig: "Rig") -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        driver = OpcuaDriver("plc", rig.connection(mute.getsockname()[1]), [], SystemClock())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await driver.connect()
        await driver.close()
        await driver.close()


async def test_close_ends_the_session_at_the_server_and_a_waiting_reader(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc:
        assert plc._server is not None
        iserver = plc._server.iserver
        before = asyncio.all_tasks()
        async with rig.drive(settings, tags) as driver:
            readings = driver.readings()
            await rig.until(readings, lambda got: len(got) >= 4)
            assert len(iserver._external_sessions) == 1

            async def wait() -> None:
                with pytest.raises(ConnectionLost):
                    await rig.until(readings, lambda _: False)

            async with asyncio.TaskGroup() as group:
                group.create_task(wait())
                await asyncio.sleep(0)
                await driver.close()
        assert iserver._external_sessions == {}
        assert iserver.subscription_service.subscriptions == {}
    assert asyncio.all_tasks() <= before


async def test_a_driver_is_used_once_and_only_when_connected(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    fresh = OpcuaDriver("plc", settings, tags, SystemClock())
    with pytest.raises(ConnectionLost, match="not connected"):
        await fresh.read(["l/s/torque"])
    async with rig.serve(settings, tags), rig.drive(settings, tags) as driver:
        with pytest.raises(RuntimeError, match="used once"):
            await driver.connect()


async def test_the_secure_channel_is_renewed_without_losing_a_value(rig: "Rig") -> None:
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc:
        driver = OpcuaDriver("plc", settings, tags, SystemClock())
        driver._session._client.secure_channel_timeout = 50
        await driver.connect()
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        token = driver._session._live()._connection.security_token.TokenId
        sent = [Reading("l/s/cycle_count", count, Quality.GOOD, _T0 + count * _MS, 0) for count in range(1, 51)]
        got: list[Reading] = []
        for reading in sent:
            await plc.publish([reading])
            got += await rig.until(readings, lambda got: len(got) >= 1)
        assert driver._session._live()._connection.security_token.TokenId != token
        await driver.close()
    assert [reading.value for reading in got] == [reading.value for reading in sent]


async def test_nodes_may_be_known_by_their_path(rig: "Rig") -> None:
    settings = rig.connection()
    tags = [
        rig.tag("l/s/torque", "nsu=urn:plant;path=Line 1/ST010/Torque", "double"),
        rig.tag("l/s/force", "nsu=urn:plant;path=Line 1/ST010/Force", "double"),
        rig.tag("l/s/clock", "path=Server/ServerStatus/CurrentTime", "double"),
        rig.tag("l/s/nowhere", "nsu=urn:plant;path=Line 1/ST020/Torque", "double"),
        rig.tag("l/s/elsewhere", "nsu=urn:elsewhere;path=A", "double"),
    ]
    async with rig.serve(settings, tags[:2]) as plc, rig.drive(settings, tags) as driver:
        await plc.publish([Reading("l/s/torque", 2.5, Quality.GOOD, SystemClock().now_ns(), 0)])
        first = await rig.until(driver.readings(), lambda got: any(reading.value == 2.5 for reading in got))
        assert driver._nodes is not None
        assert driver._nodes["l/s/clock"] == ua.NodeId(ua.Int32(2258))
    by_signal = {reading.signal: (reading.value, reading.status) for reading in first}
    assert by_signal == {
        "l/s/torque": (2.5, 0),
        "l/s/force": (0.0, 0),
        "l/s/clock": (None, StatusCodes.BadTypeMismatch),
        "l/s/nowhere": (None, StatusCodes.BadNodeIdUnknown),
        "l/s/elsewhere": (None, StatusCodes.BadNodeIdUnknown),
    }


async def test_no_session_is_left_over_after_many_lives(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecontrol_opcua.subscription, "RESUME_S", 0.0)
    settings, tags = rig.connection(), _plant(rig)
    async with rig.serve(settings, tags) as plc:
        assert plc._server is not None
        server = plc._server.iserver
        for _ in range(30):
            async with rig.drive(settings, tags) as driver:
                readings = driver.readings()
                await rig.until(readings, lambda got: len(got) >= 4)
                for transport in list(server.asyncio_transports):
                    transport.abort()
                with pytest.raises(ConnectionLost):
                    await rig.until(readings, lambda _: False)
            assert (len(server._external_sessions), len(server.subscription_service.subscriptions)) == (1, 1)
        async with rig.drive(settings, tags):
            pass
        assert (len(server._external_sessions), len(server.subscription_service.subscriptions)) == (0, 0)


async def test_cuts_of_a_real_server_lose_and_double_nothing(rig: "Rig") -> None:
    settings, tags = rig.connection(queue=1_000), _plant(rig)
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        readings = driver.readings()
        await rig.until(readings, lambda got: len(got) >= 4)
        assert plc._server is not None
        got: list[Reading] = []
        for number in range(1, 41):
            await plc.publish([Reading("l/s/cycle_count", number, Quality.GOOD, _T0 + number * _MS, 0)])
            if number % 4 == 0:
                for transport in list(plc._server.iserver.asyncio_transports):
                    transport.abort()
            if number % 3 == 0:
                got += await rig.until(readings, lambda got: len(got) >= 1)
        missing = 40 - len(got)
        got += await rig.until(readings, lambda more: len(more) >= missing)
    assert [reading.value for reading in got] == list(range(1, 41))
    assert driver.traffic.gaps == 0


async def test_asyncua_does_not_log_values(rig: "Rig") -> None:
    OpcuaDriver("plc", rig.connection(), [], SystemClock())
    assert logging.getLogger("asyncua.common.subscription").getEffectiveLevel() >= logging.WARNING
