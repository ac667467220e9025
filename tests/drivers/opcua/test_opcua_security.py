"""Who is talked to, and how: certificates, the trust list, users."""

import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager
from asyncua.ua.uaerrors import BadSecurityPolicyRejected
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from pydantic import ValidationError
from typer.testing import CliRunner
from typing_extensions import override

from linecontrol.clock import SystemClock
from linecontrol.driver import DeviceRefused, Tag, Traffic
from linecontrol_opcua import OpcuaDriver, certificate
from linecontrol_opcua.pki import MOST_REJECTED, Pki, default_folder, secret
from linecontrol_opcua.security import Security
from linecontrol_opcua.session import Session
from linecontrol_opcua.settings import OpcuaConnection
from linecontrol_opcua.trust import app

if TYPE_CHECKING:
    from tests.drivers.opcua.conftest import Rig

_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_NOW_NS = int(_NOW.timestamp()) * 10**9
_URI = "urn:test:plc"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_USER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_PASSWORD = "correct horse №1"  # noqa: S105


def _certificate(
    key: Any = _KEY,
    *,
    uri: str = _URI,
    hosts: tuple[str, ...] = ("127.0.0.1", "plc.local"),
    hash_: Any = None,
    now: datetime = _NOW,
    days: int = 30,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plc")])
    alternatives: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
    for host in hosts:
        try:
            alternatives.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            alternatives.append(x509.DNSName(host))
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hash_ or hashes.SHA256())
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (_certificate(), None),
        (_certificate(hosts=("PLC.local",)), "not for 127.0.0.1"),
        (_certificate(hosts=()), "for no host and not for 127.0.0.1"),
        (_certificate(uri="urn:other"), "for the application 'urn:other', but it says that it is 'urn:test:plc'"),
        (_certificate(now=_NOW - timedelta(days=60)), "is valid from 2026-04-01 00:00 to 2026-05-02 00:00 UTC"),
        (_certificate(now=_NOW + timedelta(days=3)), "set the clocks"),
        (_certificate(ec.generate_private_key(ec.SECP256R1())), "no RSA key of 2048 bits"),
        (_certificate(hash_=hashes.SHA224()), "not signed with SHA-256"),
    ],
)
def test_a_server_certificate_is_looked_at(made: x509.Certificate, why: str | None) -> None:
    if why is None:
        certificate.check(made, _URI, "127.0.0.1", _NOW_NS)
        certificate.check(made, _URI, "plc.LOCAL.", _NOW_NS)
    else:
        with pytest.raises(certificate.Unfit, match=why):
            certificate.check(made, _URI, "127.0.0.1", _NOW_NS)


def test_a_short_key_is_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    with pytest.raises(certificate.Unfit, match="2048 bits"):
        certificate.check(_certificate(short), _URI, None, _NOW_NS)


@pytest.mark.parametrize("chain", [None, b"", b"\x30\x82", b"hello world", b"\x30\x82\xff\xff" + bytes(70_000)])
def test_what_is_no_certificate_is_refused(chain: bytes | None) -> None:
    with pytest.raises(certificate.Unfit):
        certificate.load(certificate.first(chain))


def test_of_a_chain_the_first_counts() -> None:
    one, two = _der(_certificate()), _der(_certificate())
    assert certificate.first(one + two) == one


def test_our_identity_is_made_once_kept_to_ourselves_and_renewed_in_time(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    made = pki.identity(_NOW_NS)
    assert stat.S_IMODE(os.stat(pki.key).st_mode) == 0o600
    assert made.uri.startswith("urn:linecontrol:")
    assert made.certificate.signature_hash_algorithm is not None
    assert pki.identity(_NOW_NS).certificate == made.certificate
    just_before = _NOW_NS + int((certificate.VALID_FOR - certificate.RENEW_BEFORE).total_seconds() + 60) * 10**9
    renewed = pki.identity(just_before)
    assert renewed.certificate != made.certificate
    assert renewed.certificate.public_key() == made.certificate.public_key()
    assert (renewed.uri, renewed.certificate.subject) == (made.uri, made.certificate.subject)
    pki.key.chmod(0o640)
    with pytest.raises(ValueError, match="may be read by others"):
        pki.identity(_NOW_NS)


def test_the_usual_folder_is_that_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/linecontrol")
    assert default_folder() == Path("/var/lib/linecontrol/pki/opcua")
    monkeypatch.delenv("STATE_DIRECTORY")
    assert default_folder() == Path.home() / ".local/state/linecontrol/pki/opcua"


def test_a_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(_PASSWORD)
    path.chmod(0o644)
    with pytest.raises(ValueError, match="chmod 600") as raised:
        secret(path)
    assert _PASSWORD not in str(raised.value)
    path.chmod(0o400)
    assert secret(path).decode() == _PASSWORD


def test_trust_goes_by_every_byte_and_strangers_fill_no_disk(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    for number in range(MOST_REJECTED + 3):
        pki.reject(b"0" + number.to_bytes(2, "big"))
    assert len(list((tmp_path / "rejected").glob("*.der"))) == MOST_REJECTED
    der = _der(_certificate())
    assert not pki.trusts(der)
    pki.reject(der)
    name = pki.move(certificate.thumbprint(der)[:12].lower(), "trusted")
    assert pki.trusts(der)
    (tmp_path / "trusted" / f"{name}.der").write_bytes(der + b"\0")
    assert not pki.trusts(der)


def test_the_trust_command(tmp_path: Path) -> None:
    run, pki = CliRunner(), Pki(tmp_path)
    der = _der(_certificate())
    thumb = certificate.thumbprint(der)
    where = ["--pki", str(tmp_path)]
    assert "no certificates in" in run.invoke(app, ["list", *where]).output
    pki.identity(_NOW_NS)
    pki.reject(der)
    rows = json.loads(run.invoke(app, ["list", "--json", *where]).output)
    assert [(row["list"], row["application"]) for row in rows if row["list"] != "own"] == [("rejected", _URI)]
    assert thumb in run.invoke(app, ["list", *where]).output
    accepted = run.invoke(app, ["accept", thumb[:8].lower(), *where])
    assert (accepted.exit_code, accepted.output) == (0, f"trusted: {thumb}\n")
    assert pki.trusts(der)
    rejected = run.invoke(app, ["reject", thumb, "--json", *where])
    assert json.loads(rejected.output) == {"list": "rejected", "thumbprint": thumb}
    assert not pki.trusts(der)
    for wrong in ("FFFFFFFF", ""):
        failed = run.invoke(app, ["accept", wrong, *where])
        assert failed.exit_code == 1
        assert "no certificate's thumbprint" in failed.output or "several" in failed.output


_SECURE: dict[str, object] = {"url": "opc.tcp://10.0.0.9:4840", "security": "sign_and_encrypt"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"user": "u"}, "go together"),
        ({"password_file": "/x"}, "go together"),
        ({"user_key": "/x"}, "go together"),
        ({"user": "u", "password_file": "/x", "user_certificate": "/c", "user_key": "/k"}, "either"),
        ({"user": "u", "password_file": "/x", "security": "none", "allow_insecure": True}, "a user needs security"),
        ({"password": "x"}, "Extra inputs"),
        ({"policy": "Basic128Rsa15"}, "Basic256Sha256"),
    ],
)
def test_wrong_security_settings_are_refused(more: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        OpcuaConnection.model_validate(_SECURE | more)


def test_only_open_connections_are_warned_of() -> None:
    secure = OpcuaConnection.model_validate(_SECURE | {"user": "u", "password_file": "/x"})
    assert secure.warnings() == []
    here = secure.on_loopback(5000)
    assert (here.security, here.user, here.password_file) == ("none", None, None)
    assert OpcuaConnection(url="opc.tcp://127.0.0.1:4840").warnings() == []
    (warning,) = OpcuaConnection(url="opc.tcp://10.0.0.9:4840", allow_insecure=True).warnings()
    assert "opc.tcp://10.0.0.9:4840 is spoken to without signature and encryption" in warning


def test_a_password_is_never_told_without_encryption() -> None:
    security = Security("plc", OpcuaConnection.model_validate(_SECURE), SystemClock())
    uri = "http://opcfoundation.org/UA/SecurityPolicy#"
    endpoint = ua.EndpointDescription(SecurityMode=ua.MessageSecurityMode.SignAndEncrypt)
    endpoint.SecurityPolicyUri = ua.String(uri + "Basic256Sha256")
    token = ua.UserTokenPolicy(TokenType=ua.UserTokenType.UserName)
    endpoint.UserIdentityTokens = [token]
    security._password = _PASSWORD
    assert security.tokens([endpoint]) == [token]
    for unencrypted_or_outdated in ("None", "Basic256", "Basic128Rsa15"):
        token.SecurityPolicyUri = ua.String(uri + unencrypted_or_outdated)
        assert token in security.tokens([endpoint])
    signed = OpcuaConnection.model_validate(_SECURE | {"security": "sign"})
    security = Security("plc", signed, SystemClock())
    security._password = _PASSWORD
    endpoint.SecurityMode = ua.MessageSecurityMode.Sign
    token.SecurityPolicyUri = ua.String(uri + "Basic256")
    assert security.tokens([endpoint]) == [token]
    for unsafe in ("None", "Basic128Rsa15", "Whatever"):
        token.SecurityPolicyUri = ua.String(uri + unsafe)
        with pytest.raises(DeviceRefused, match="is not told it") as raised:
            security.tokens([endpoint])
        assert _PASSWORD not in str(raised.value)
    token.TokenType = ua.UserTokenType.Anonymous
    with pytest.raises(DeviceRefused, match="takes no UserName tokens"):
        security.tokens([endpoint])


@pytest.mark.parametrize(("policy", "attempts"), [(None, ["rsa", ""]), ("policy#Basic256", ["rsa"])])
async def test_a_server_that_wants_no_algorithm_named_is_told_none(
    rig: "Rig", monkeypatch: pytest.MonkeyPatch, policy: str | None, attempts: list[str]
) -> None:
    session = Session("plc", rig.connection(), SystemClock(), Traffic())
    client, named = session._client, []
    client._policy_ids = [ua.UserTokenPolicy(TokenType=ua.UserTokenType.UserName, SecurityPolicyUri=policy)]

    async def activate(**_: object) -> None:
        named.append(client._encrypt_password(_PASSWORD, "")[1])
        if named[-1]:
            raise BadSecurityPolicyRejected

    monkeypatch.setattr(Client, "_encrypt_password", lambda *_: (b"encrypted", "rsa"))
    monkeypatch.setattr(client, "activate_session", activate)
    monkeypatch.setattr(session._security, "user", lambda _: {"username": "engineer", "password": _PASSWORD})
    with nullcontext() if policy is None else pytest.raises(BadSecurityPolicyRejected):
        await session._activate()
    assert named == attempts


class _Users(UserManager):
    """Lets anonymous clients in, and those who know the password."""

    seen: ClassVar[list[object]] = []
    certificates: ClassVar[list[object]] = []

    @override
    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        self.seen.append((username, password))
        self.certificates.append(certificate)

        if username is not None and password != _PASSWORD:
            return None
        return User(role=UserRole.Admin)


@asynccontextmanager
async def _server(port: int, folder: Path) -> AsyncIterator[tuple[Server, bytes]]:
    made = _certificate(now=datetime.now(UTC))  # noqa: TID251 - a real server's
    (folder / "server.der").write_bytes(_der(made))
    (folder / "server.pem").write_bytes(_pem(_KEY))
    server = Server(user_manager=_Users())
    server.disable_clock()
    await server.init()
    await server.set_application_uri(_URI)
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/plc")
    server.set_security_policy(
        [
            ua.SecurityPolicyType.NoSecurity,
            ua.SecurityPolicyType.Basic256Sha256_Sign,
            ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
            ua.SecurityPolicyType.Aes128Sha256RsaOaep_Sign,
            ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
            ua.SecurityPolicyType.Aes256Sha256RsaPss_Sign,
            ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
        ]
    )
    await server.load_certificate(str(folder / "server.der"))
    await server.load_private_key(str(folder / "server.pem"))
    node = await server.nodes.objects.add_variable(ua.NodeId(ua.Int32(7), ua.Int16(1)), "torque", 1.5)
    await node.set_writable()
    await server.start()
    try:
        yield server, _der(made)
    finally:
        await server.stop()


async def test_a_real_server_is_refused_until_it_is_trusted_then_spoken_to_in_every_way(
    rig: "Rig", tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port, tags = rig.free_port(), [rig.tag("l/s/torque", "ns=1;i=7", "double")]
    folder = tmp_path / "pki"

    def settings(**more: object) -> OpcuaConnection:
        return rig.connection(port, security="sign_and_encrypt", pki=folder, **more)

    async def refused(wanted: OpcuaConnection) -> str:
        driver = OpcuaDriver("plc", wanted, tags, SystemClock())
        with pytest.raises(DeviceRefused) as raised:
            await driver.connect()
        await driver.close()
        return str(raised.value)

    async def value(wanted: OpcuaConnection, tags: list[Tag] = tags) -> object:
        async with rig.drive(wanted, tags) as driver:
            (first,) = await rig.until(driver.readings(), lambda got: len(got) >= 1)
            await driver.write({"l/s/torque": 1.5})
            return first.value

    async with _server(port, tmp_path) as (_, der):
        thumb = certificate.thumbprint(der)
        assert f"urn:other is expected, and {_URI} was found" in await refused(settings(server_uri="urn:other"))
        assert not list(folder.rglob("rejected/*.der"))
        assert f"linecontrol trust accept {thumb}" in await refused(settings())
        assert (folder / "rejected" / f"{thumb}.der").read_bytes() == der
        assert _Users.seen == []
        Pki(folder).move(thumb, "trusted")
        for policy in ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"):
            for mode in ("sign", "sign_and_encrypt"):
                assert await value(settings(policy=policy).model_copy(update={"security": mode})) == 1.5
        assert await value(settings(server_uri=_URI)) == 1.5
        password = tmp_path / "password"
        password.write_text(_PASSWORD + "\n")
        password.chmod(0o600)
        assert await value(settings(user="engineer", password_file=password)) == 1.5
        assert _Users.seen[-1] == ("engineer", _PASSWORD)
        password.write_text("wrong")
        assert "wrong user or password" in await refused(settings(user="engineer", password_file=password))
        password.chmod(0o604)
        assert "chmod 600" in await refused(settings(user="engineer", password_file=password))
        assert "is missing" in await refused(settings(user="engineer", password_file=tmp_path / "none"))
        user = _certificate(_USER_KEY, uri="urn:user", now=datetime.now(UTC))  # noqa: TID251
        (tmp_path / "user.der").write_bytes(_der(user))
        key = tmp_path / "user.pem"
        key.write_bytes(_pem(_USER_KEY))
        key.chmod(0o600)
        assert await value(settings(user_certificate=tmp_path / "user.der", user_key=key)) == 1.5
        assert _Users.certificates[-1] == _der(user)
        assert "the server's certificate ends in 29 days" in caplog.text
        Pki(folder).move(thumb, "rejected")
        assert f"linecontrol trust accept {thumb}" in await refused(settings())
    assert _PASSWORD not in caplog.text


async def test_security_that_is_not_offered_is_refused_in_words(rig: "Rig", tmp_path: Path) -> None:
    settings, tags = rig.connection(), [rig.tag("l/s/torque", "ns=1;i=7", "double")]
    async with rig.serve(settings, tags):
        wanted = settings.model_copy(update={"security": "sign", "pki": tmp_path})
        driver = OpcuaDriver("plc", wanted, tags, SystemClock())
        with pytest.raises(DeviceRefused, match=r"does not offer security: sign .* it offers None_ None"):
            await driver.connect()
        await driver.close()
