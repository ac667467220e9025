"""The server must be the one that config means."""

from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua

from linecontrol.driver import DeviceRefused
from linecontrol_opcua.settings import OpcuaConnection
from tests.drivers.opcua.rogue import Rogue

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_OURS = "urn:plant:press"


def _server(*uris: str | None) -> Rogue:
    """A server that shows these application URIs, an endpoint each."""
    rogue = Rogue()
    plain = rogue.endpoints

    def endpoints() -> list[Any]:
        shown = [plain()[0] for _ in uris]
        for endpoint, uri in zip(shown, uris, strict=True):
            endpoint.Server.ApplicationUri = uri
        return shown

    rogue.endpoints = endpoints  # type: ignore[method-assign]
    return rogue


async def test_the_server_that_is_meant_is_taken(rig: "Rig") -> None:
    rogue = _server(_OURS, _OURS)
    async with rogue.serve(), rig.drive(rig.connection(rogue.port, server_uri=_OURS), []):
        pass
    assert "ActivateSession" in rogue.calls


async def test_without_the_setting_any_server_is_taken(rig: "Rig") -> None:
    rogue = _server("urn:any")
    async with rogue.serve(), rig.drive(rig.connection(rogue.port), []):
        pass


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (("urn:plant:lathe",), "urn:plant:lathe was found"),
        ((_OURS, "urn:plant:lathe"), "urn:plant:lathe, urn:plant:press was found"),
        ((_OURS.upper(),), "URN:PLANT:PRESS was found"),
        ((None,), "none was found"),
        (("urn:\nforged",), r"urn:\?forged was found"),
    ],
)
async def test_another_server_is_refused_before_a_session_is_used(
    rig: "Rig", shown: tuple[str | None, ...], said: str
) -> None:
    rogue = _server(*shown)
    async with rogue.serve():
        with pytest.raises(DeviceRefused, match=f"application URI {_OURS} is expected, and {said}"):
            async with rig.drive(rig.connection(rogue.port, server_uri=_OURS), []):
                pass
    assert "ActivateSession" not in rogue.calls


async def test_only_the_endpoint_in_use_counts(rig: "Rig") -> None:
    rogue = _server(_OURS, "urn:other")
    plain = rogue.endpoints

    def endpoints() -> list[Any]:
        ours, other = plain()
        other.SecurityMode = ua.MessageSecurityMode.Sign
        return [ours, other]

    rogue.endpoints = endpoints  # type: ignore[method-assign]
    async with rogue.serve(), rig.drive(rig.connection(rogue.port, server_uri=_OURS), []):
        pass


def test_the_simulated_plc_may_show_another(rig: "Rig") -> None:
    settings: OpcuaConnection = rig.connection(server_uri=_OURS)
    assert settings.on_loopback(4_840).server_uri is None
