"""How messages are secured and who we are. Stub."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto.security_policies import SecurityPolicy, SecurityPolicyNone

from linecontrol.driver import Clock
from linecontrol_opcua.settings import OpcuaConnection


class Security:
    """One connection's."""

    def __init__(self, name: str, settings: OpcuaConnection, clock: Clock) -> None:
        self.application_uri = "urn:linecontrol:opcua"

    async def prepare(self, ask: Callable[[], Awaitable[list[ua.EndpointDescription]]]) -> None:
        """Do nothing."""

    def new_policy(self, *, plain: bool = False) -> SecurityPolicy:
        """None."""
        policy: Any = SecurityPolicyNone
        return policy()

    def tokens(self, endpoints: Sequence[ua.EndpointDescription]) -> list[ua.UserTokenPolicy]:
        """All."""
        for endpoint in endpoints:
            if endpoint.SecurityMode == ua.MessageSecurityMode.None_:
                return list(endpoint.UserIdentityTokens)
        return []

    def user(self, client: Client) -> dict[str, Any]:
        """Nobody."""
        return {}
