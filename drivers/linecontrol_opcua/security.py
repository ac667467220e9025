"""How the messages of one connection are secured, whom we talk to, and who we say that we are.

A server is only told a password or signed to after its certificate was found on the trust list and in order.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Never

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from linecontrol.driver import Clock, DeviceRefused
from linecontrol_opcua import certificate
from linecontrol_opcua.certificate import Unfit
from linecontrol_opcua.pki import Identity, Pki, secret
from linecontrol_opcua.settings import OpcuaConnection, Policy, SecurityMode

_MODES = {
    SecurityMode.NONE: ua.MessageSecurityMode.None_,
    SecurityMode.SIGN: ua.MessageSecurityMode.Sign,
    SecurityMode.SIGN_AND_ENCRYPT: ua.MessageSecurityMode.SignAndEncrypt,
}
_POLICIES: dict[Policy, Any] = {
    Policy.BASIC256SHA256: security_policies.SecurityPolicyBasic256Sha256,
    Policy.AES128_SHA256_RSAOAEP: security_policies.SecurityPolicyAes128Sha256RsaOaep,
    Policy.AES256_SHA256_RSAPSS: security_policies.SecurityPolicyAes256Sha256RsaPss,
}
_WARN_DAYS = 30
_log = logging.getLogger(__name__)
_PLAIN: Any = security_policies.SecurityPolicyNone
_SAFE = {policy.URI for policy in _POLICIES.values()}
# It encrypts as Basic256Sha256 does; it is its signatures that are out of date.
_SAFE_FOR_PASSWORDS = {security_policies.SecurityPolicyBasic256.URI}
_OUTDATED = {security_policies.SecurityPolicyBasic256.URI, security_policies.SecurityPolicyBasic128Rsa15.URI}


class Security:
    """What keeps one connection safe."""

    def __init__(self, name: str, settings: OpcuaConnection, clock: Clock) -> None:
        self._who = f"{name} ({settings.url})"
        self._settings, self._clock = settings, clock
        self._secured = settings.security is not SecurityMode.NONE
        self._identity: Identity | None = None
        self._server = b""
        self._password: str | None = None
        self._user: tuple[x509.Certificate, Any] | None = None

    @property
    def application_uri(self) -> str:
        """Our application URI: that of our certificate, if there is one."""
        return self._identity.uri if self._identity else "urn:linecontrol:opcua"

    async def prepare(self, ask: Callable[[], Awaitable[list[ua.EndpointDescription]]]) -> None:
        """Get ready to open a channel: our certificate, and the server's, which must be trusted.

        Raises:
            DeviceRefused: the server is not trusted or does not offer what is asked for, or our files are not in order.
        """
        if not self._secured:
            return
        try:
            await asyncio.to_thread(self._load)
            endpoint = self._choose(await ask())
            self._server = await asyncio.to_thread(self._believe, endpoint)
        except (Unfit, ValueError) as error:
            self._refuse(str(error), error)
        except FileNotFoundError as error:
            self._refuse(f"{error.filename} is missing", error)
        except PermissionError as error:
            self._refuse(f"{error.filename} can't be used: {error.strerror}", error)

    def _load(self) -> None:
        settings = self._settings
        self._identity = Pki(settings.pki).identity(self._clock.now_ns())
        if settings.password_file is not None:
            try:
                self._password = secret(settings.password_file).decode().rstrip("\r\n")
            except UnicodeDecodeError:
                msg = f"{settings.password_file} is no text"
                raise ValueError(msg) from None
        if settings.user_certificate is not None and settings.user_key is not None:
            raw = settings.user_certificate.read_bytes()
            read = x509.load_pem_x509_certificate if raw.startswith(b"-----") else x509.load_der_x509_certificate
            self._user = read(raw), serialization.load_pem_private_key(secret(settings.user_key), None)

    def _choose(self, endpoints: Sequence[ua.EndpointDescription]) -> ua.EndpointDescription:
        """The endpoint that is exactly as configured."""
        mode, uri = _MODES[self._settings.security], _POLICIES[self._settings.policy].URI
        for endpoint in endpoints:
            if endpoint.SecurityMode == mode and endpoint.SecurityPolicyUri == uri:
                self._recognize(endpoint)
                return endpoint
        offered = {
            f"{endpoint.SecurityMode.name} {str(endpoint.SecurityPolicyUri).rpartition('#')[2]}"
            for endpoint in endpoints
        }
        msg = (
            f"it does not offer security: {self._settings.security} with policy: {self._settings.policy}; "
            f"it offers {', '.join(sorted(offered)) or 'nothing'}"
        )
        raise Unfit(msg)

    def _recognize(self, *endpoints: ua.EndpointDescription) -> None:
        """Insist that it is the server that config means."""
        wanted = self._settings.server_uri
        found = {str(endpoint.Server.ApplicationUri or "") for endpoint in endpoints}
        if wanted is not None and found != {wanted}:
            shown = ", ".join(sorted(filter(None, (_plain(uri) for uri in found)))) or "none"
            msg = f"it is another server: application URI {wanted} is expected, and {shown} was found (server_uri)"
            raise Unfit(msg)

    def _believe(self, endpoint: ua.EndpointDescription) -> bytes:
        """The server's certificate, if it is trusted and in order."""
        der = certificate.first(endpoint.ServerCertificate)
        pki = Pki(self._settings.pki)
        loaded = certificate.load(der)
        if not pki.trusts(der):
            pki.reject(der)
            msg = (
                f"its certificate is not trusted. If it is that of the device ({_subject(loaded)}), say: "
                f"linecontrol trust accept {certificate.thumbprint(der)}"
            )
            raise Unfit(msg)
        host = self._settings.endpoint()[0] if self._settings.check_host else None
        certificate.check(loaded, endpoint.Server.ApplicationUri, host, self._clock.now_ns())
        days = certificate.days_left(loaded, self._clock.now_ns())
        if days < _WARN_DAYS:
            _log.warning(
                "%s: the server's certificate ends in %d days; renew it and trust the new one", self._who, days
            )
        return der

    def _refuse(self, why: str, cause: Exception) -> Never:
        msg = f"{self._who} refused: {why}"
        raise DeviceRefused(msg) from cause

    def new_policy(self, *, plain: bool = False) -> Any:
        """What secures a new channel; nothing if it is only to ask what the server offers."""
        if plain or not self._secured or self._identity is None:
            return _PLAIN()
        policy, mode = _POLICIES[self._settings.policy], _MODES[self._settings.security]
        return policy(self._server, self._identity.certificate, self._identity.key, mode)

    def tokens(self, endpoints: Sequence[ua.EndpointDescription]) -> list[ua.UserTokenPolicy]:
        """The ways in which we may say who we are at the endpoint in use: none that shows a password to others.

        Raises:
            DeviceRefused: there is none, or it is another server than config means.
        """
        mode = _MODES[self._settings.security]
        channel = _POLICIES[self._settings.policy].URI if self._secured else _PLAIN.URI
        used = [
            endpoint
            for endpoint in endpoints
            if endpoint.SecurityMode == mode and endpoint.SecurityPolicyUri == channel
        ]
        try:
            self._recognize(*used)
        except Unfit as error:
            self._refuse(str(error), error)
        offered = [token for endpoint in used for token in endpoint.UserIdentityTokens]
        if self._password is None and self._user is None:
            return offered
        wanted = ua.UserTokenType.UserName if self._password is not None else ua.UserTokenType.Certificate
        fit = [token for token in offered if token.TokenType == wanted]
        safe = [token for token in fit if (token.SecurityPolicyUri or channel) in _SAFE]
        if wanted is ua.UserTokenType.UserName:
            safe += [token for token in fit if token.SecurityPolicyUri in _SAFE_FOR_PASSWORDS]
        if self._settings.security is SecurityMode.SIGN_AND_ENCRYPT:
            # The channel encrypts for the trusted server alone whatever is in it.
            safe += [token for token in fit if token.SecurityPolicyUri in {*_OUTDATED, _PLAIN.URI}]
        if not fit:
            msg = f"{self._who} refused: it takes no {wanted.name} tokens; see user, user_certificate"
            raise DeviceRefused(msg)
        if not safe:
            msg = (
                f"{self._who} refused: it wants the password without sound encryption, and is not told it; write "
                "security: sign_and_encrypt, or set the server to encrypt user tokens"
            )
            raise DeviceRefused(msg)
        return safe

    def user(self, client: Client) -> dict[str, Any]:
        """Who we say that we are."""
        if self._user is not None:
            client.user_private_key = self._user[1]
            return {"certificate": self._user[0]}
        if self._password is not None:
            return {"username": self._settings.user, "password": self._password}
        return {}


def _subject(loaded: x509.Certificate) -> str:
    uri, hosts = certificate.names(loaded)
    return _plain(f"{loaded.subject.rfc4514_string()}, {uri or 'no application'}, {', '.join(hosts) or 'no host'}")


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:300]
