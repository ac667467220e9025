"""Commands that call a method of the server."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_to_binary
from asyncua.ua.uaerrors import BadInvalidArgument, BadTooManyArguments, BadUserAccessDenied
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.driver import ConnectionLost, DeviceRefused, Quality, Tag, Write
from linecontrol_opcua import calls
from linecontrol_opcua.decode import Refusal
from linecontrol_opcua.wire import Misfit
from tests.drivers.opcua.rogue import Rogue, fault, status

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_ANDON = "l/s/command_andon"
_CALL = {"object": "nsu=urn:plant;s=ST010", "method": "nsu=urn:plant;s=ST010.SetAndon"}


def _tag(rig: "Rig", type_: str = "int16", call: object = None, node: str = "nsu=urn:plant;s=ST010.Andon") -> Tag:
    return rig.tag(_ANDON, node, type_, writable=True, call=call or _CALL)


@pytest.mark.parametrize(
    "call",
    [
        _CALL,
        {"object": "i=85", "method": "ns=3;i=77"},
        {"object": "nsu=urn:plant;path=Line/ST010", "method": "nsu=urn:plant;path=Line/ST010/SetAndon"},
        {"object": "nsu=urn:other;path=Line", "method": "nsu=urn:third;s=Set"},
    ],
)
async def test_a_call_sets_what_the_node_shows(rig: "Rig", call: object) -> None:
    settings, tags = rig.connection(), [_tag(rig, call=call), rig.tag("l/s/torque", "ns=2;s=T", "double")]
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        await driver.write({_ANDON: 3})
        (reading,) = await driver.read([_ANDON])
        assert plc.writes() == [Write(_ANDON, 3)]
        assert plc.writes() == []
    assert (reading.value, reading.quality) == (3, Quality.GOOD)


async def test_a_node_with_a_method_is_not_written_by_others(rig: "Rig") -> None:
    settings, tags = rig.connection(), [_tag(rig, node="ns=2;s=A", call={"object": "i=85", "method": "ns=2;s=M"})]
    async with rig.serve(settings, tags) as plc, Client(settings.url, timeout=2) as client:
        with pytest.raises(BadUserAccessDenied):
            await client.get_node("ns=2;s=A").write_value(3, ua.VariantType.Int16)
        method = client.get_node("ns=2;s=M").nodeid
        with pytest.raises(BadInvalidArgument):
            await client.nodes.objects.call_method(method, ua.Variant(3, ua.VariantType.Int32))
        with pytest.raises(BadTooManyArguments):
            await client.nodes.objects.call_method(method, *[ua.Variant(3, ua.VariantType.Int16)] * 2)
        assert plc.writes() == []


async def test_writes_and_calls_go_together_each_to_its_own(rig: "Rig") -> None:
    settings = rig.connection()
    one = {"object": "ns=2;s=One", "method": "ns=2;s=Set"}
    tags = [
        rig.tag("l/s/command_a", "ns=2;s=A", "int16", writable=True, call=one),
        rig.tag("l/s/command_b", "ns=2;s=B", "int16", writable=True),
        rig.tag("l/s/command_c", "ns=2;s=C", "int16", writable=True, call=one | {"object": "ns=2;s=Two"}),
    ]
    async with rig.serve(settings, tags) as plc, rig.drive(settings, tags) as driver:
        await driver.write({"l/s/command_a": 1, "l/s/command_b": 2, "l/s/command_c": 3})
        assert sorted(plc.writes(), key=lambda write: write.signal) == [
            Write("l/s/command_a", 1),
            Write("l/s/command_b", 2),
            Write("l/s/command_c", 3),
        ]
        with pytest.raises(DeviceRefused, match="command_b: 40000 is no int16"):
            await driver.write({"l/s/command_a": 1, "l/s/command_b": 40_000})
        assert plc.writes() == []


async def test_the_argument_has_the_type_that_the_method_declares(rig: "Rig") -> None:
    settings = rig.connection()
    async with rig.serve(settings, [_tag(rig, "uint32")]) as plc, rig.drive(settings, [_tag(rig, "int16")]) as driver:
        await driver.write({_ANDON: 70_000})
        with pytest.raises(DeviceRefused, match=r"-1 is no uint32 \(0 to 4294967295\)"):
            await driver.write({_ANDON: -1})
        assert plc.writes() == [Write(_ANDON, 70_000)]


async def test_a_method_that_is_not_there_is_refused(rig: "Rig") -> None:
    settings, there = rig.connection(), rig.tag(_ANDON, "nsu=urn:plant;s=ST010.Andon", "int16", writable=True)
    lacking = {"object": "nsu=urn:elsewhere;s=A", "method": "nsu=urn:plant;s=B"}
    async with rig.serve(settings, [there]) as plc:
        for call, why in ((_CALL, "BadNodeIdInvalid"), (lacking, "BadNodeIdUnknown")):
            async with rig.drive(settings, [_tag(rig, call=call)]) as driver:
                with pytest.raises(DeviceRefused, match=f"{_ANDON}: {why}"):
                    await driver.write({_ANDON: 3})
        assert plc.writes() == []


def _rogue_tag(rig: "Rig") -> Tag:
    return _tag(rig, node="ns=1;i=1000", call={"object": "ns=1;i=1", "method": "ns=1;i=2"})


def _answer(code: int, *arguments: int, outputs: int = 0) -> ua.CallResponse:
    result = ua.CallMethodResult(status(code), [status(argument) for argument in arguments])
    result.OutputArguments = [ua.Variant(ua.EUInformation())] * outputs
    return ua.CallResponse(Results=[result])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda: _answer(StatusCodes.BadUserAccessDenied), f"{_ANDON}: BadUserAccessDenied"),
        (
            lambda: _answer(StatusCodes.BadInvalidArgument, StatusCodes.BadOutOfRange),
            f"{_ANDON}: BadInvalidArgument, BadOutOfRange",
        ),
        (lambda: _answer(StatusCodes.Good, StatusCodes.BadOutOfRange), f"{_ANDON}: BadOutOfRange"),
        (lambda: fault(StatusCodes.BadServiceUnsupported), f"lacks a service.*{_ANDON}"),
    ],
)
async def test_refusals_name_signal_and_status(rig: "Rig", answer: Callable[[], Any], why: str) -> None:
    rogue = Rogue()
    rogue.answers["Call"] = lambda _, __: answer()
    async with rogue.serve(), rig.drive(rig.connection(rogue.port), [_rogue_tag(rig)]) as driver:
        with pytest.raises(DeviceRefused, match=why):
            await driver.write({_ANDON: 3})
    assert rogue.calls.count("Call") == 1


async def test_results_are_passed_over_and_uncertain_is_done(rig: "Rig") -> None:
    rogue, asked = Rogue(), []

    def answer(_: object, request: Any) -> Any:
        asked.extend(request.Parameters.MethodsToCall)
        return _answer(StatusCodes.Uncertain, StatusCodes.Good, outputs=3)

    rogue.answers["Call"] = answer
    async with rogue.serve(), rig.drive(rig.connection(rogue.port), [_rogue_tag(rig)]) as driver:
        await driver.write({_ANDON: 3})
    (call,) = asked
    assert (call.ObjectId.Identifier, call.MethodId.Identifier) == (1, 2)
    assert call.InputArguments == [ua.Variant(3, ua.VariantType.Int16)]
    assert "Write" not in rogue.calls


@pytest.mark.parametrize("cut", [False, True])
async def test_no_answer_is_unknown_and_never_repeated(rig: "Rig", cut: bool) -> None:
    rogue = Rogue()
    rogue.answers["Call"] = lambda _, __: rogue.cut() if cut else None
    async with rogue.serve(), rig.drive(rig.connection(rogue.port, timeout="300ms"), [_rogue_tag(rig)]) as driver:
        with pytest.raises(ConnectionLost):
            await driver.write({_ANDON: 3})
    assert rogue.calls.count("Call") == 1


async def test_an_answer_that_makes_no_sense_is_unknown_and_counted(rig: "Rig") -> None:
    rogue = Rogue()
    rogue.answers["Call"] = lambda _, __: ua.CallResponse(Results=[ua.CallMethodResult()] * 2)
    async with rogue.serve(), rig.drive(rig.connection(rogue.port), [_rogue_tag(rig)]) as driver:
        with pytest.raises(ConnectionLost, match="2 results for 1 call"):
            await driver.write({_ANDON: 3})
        assert driver.traffic.misfits == 1


@given(st.data())
def test_a_damaged_answer_never_does_harm(data: st.DataObject) -> None:
    body = bytearray(struct_to_binary(_answer(StatusCodes.Good, StatusCodes.Good, outputs=2)))
    assert calls.outcome(bytes(body)) == [0, 0]
    for _ in range(2):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Misfit, Refusal):
        calls.outcome(bytes(body))
