"""The simulated PLC, seen by asyncua's own client as any other client would see it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaerrors import BadTypeMismatch, BadUserAccessDenied

from linecontrol.clock import ScaledClock, SystemClock
from linecontrol.driver import Quality, Reading, Write
from linecontrol_opcua.datatype import DataType
from linecontrol_opcua.server import OpcuaPlcServer

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_T0 = 1_767_225_600_000_000_000


def _time_ns(moment: datetime | None) -> int:
    assert moment is not None
    return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[Client]:
    client = Client(url, timeout=2)
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


async def test_the_address_space_is_what_the_tags_say(rig: "Rig") -> None:
    settings = rig.connection()
    tags = [rig.tag(f"l/s/{type_}", f"nsu=urn:plant;s=T.{type_}", type_) for type_ in DataType]
    tags.append(rig.tag("l/s/numbered", "ns=5;i=1001", "int16"))
    async with rig.serve(settings, tags), _client(settings.url) as client:
        plant = await client.get_namespace_index("urn:plant")
        for type_ in DataType:
            data = await client.get_node(f"ns={plant};s=T.{type_}").read_data_value()
            assert data.Value is not None
            assert (data.Value.Value, data.Value.VariantType) == (type_.initial, type_.wire.variant)
            declared = await client.get_node(f"ns={plant};s=T.{type_}").read_data_type()
            assert declared.Identifier == type_.wire.variant.value
        assert await client.get_node("ns=5;i=1001").read_value() == 0


async def test_published_values_carry_their_source_times(rig: "Rig") -> None:
    settings, tags = rig.connection(), [rig.tag("l/s/torque", "ns=2;s=T", "double")]
    async with rig.serve(settings, tags) as plc, _client(settings.url) as client:
        await plc.publish([Reading("l/s/torque", 81.5, Quality.GOOD, _T0 + 123_456_789, 0)])
        data = await client.get_node("ns=2;s=T").read_data_value()
    assert data.Value is not None
    assert data.Value.Value == 81.5
    assert _time_ns(data.SourceTimestamp) == _T0 + 123_456_000


async def test_clients_write_only_what_is_writable_and_of_the_right_type(rig: "Rig") -> None:
    settings = rig.connection()
    tags = [
        rig.tag("l/s/torque", "ns=2;s=T", "double"),
        rig.tag("l/s/command_andon", "ns=2;s=A", "int16", writable=True),
    ]
    clock = ScaledClock(1.0, _T0)
    async with rig.serve(settings, tags, clock) as plc, _client(settings.url) as client:
        andon = client.get_node("ns=2;s=A")
        for colour in (1, 3):
            await andon.write_attribute(AttributeIds.Value, ua.DataValue(ua.Variant(colour, ua.VariantType.Int16)))
        with pytest.raises(BadTypeMismatch):
            await andon.write_value(2, ua.VariantType.Double)
        with pytest.raises(BadUserAccessDenied):
            await client.get_node("ns=2;s=T").write_value(2.0, ua.VariantType.Double)
        data = await andon.read_data_value()
        await plc.publish([Reading("l/s/command_andon", 0, Quality.GOOD, _T0, 0)])
        assert plc.writes() == [Write("l/s/command_andon", 1), Write("l/s/command_andon", 3)]
        assert plc.writes() == []
    stamped = _time_ns(data.SourceTimestamp)
    assert stamped is not None
    assert _T0 <= stamped <= clock.now_ns()


async def test_a_taken_port_is_an_os_error(rig: "Rig") -> None:
    settings = rig.connection()
    async with rig.serve(settings, []):
        second = OpcuaPlcServer("plc", settings, [], SystemClock())
        with pytest.raises(OSError, match="address already in use"):
            await second.start()
        await second.close()


async def test_close_drops_clients_quietly_and_frees_the_port(rig: "Rig", caplog: pytest.LogCaptureFixture) -> None:
    settings, tags = rig.connection(), [rig.tag("l/s/torque", "ns=2;s=T", "double")]
    plc = OpcuaPlcServer("plc", settings, tags, SystemClock())
    with caplog.at_level(logging.WARNING):
        await plc.start()
        async with rig.drive(settings, tags) as driver:
            await rig.until(driver.readings(), lambda got: len(got) >= 1)
            await plc.close()
            await plc.close()
    assert caplog.records == []
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), *settings.endpoint())
    server.close()
    await server.wait_closed()


async def test_it_listens_on_loopback_only(rig: "Rig") -> None:
    settings = rig.connection()
    async with rig.serve(settings, []) as plc:
        assert plc._server is not None
        assert plc._server.bserver is not None
        listener = plc._server.bserver._server
        assert isinstance(listener, asyncio.Server)
        assert [socket.getsockname() for socket in listener.sockets] == [("127.0.0.1", settings.endpoint()[1])]
