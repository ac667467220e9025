"""TLS: both sides show certificates, and nothing is ever sent in plain."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from linecontrol.clock import SystemClock
from linecontrol.driver import ConnectionLost, DeviceRefused, Tag
from linecontrol_modbus import ModbusDriver
from linecontrol_modbus.settings import ModbusConnection, ModbusTag

TAG = Tag("l/s/a", ModbusTag(holding=0))


class Authority:
    """Makes certificates, as files."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(_pem(self._certificate(name, self._key, "", ca=True)))

    def issue(self, name: str, host: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        paths = self._folder / f"{self._name}-{name}.pem", self._folder / f"{self._name}-{name}.key"
        paths[0].write_bytes(_pem(self._certificate(name, key, host, ca=False)))
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        paths[1].write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
        return paths

    def _certificate(self, name: str, key: ec.EllipticCurvePrivateKey, host: str, *, ca: bool) -> x509.Certificate:
        now = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=36_500))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if host:
            names = [x509.IPAddress(ipaddress.ip_address(host))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@asynccontextmanager
async def device(trust: ssl.SSLContext | None) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A device that answers 42 and keeps what it is sent; in plain if ``trust`` is ``None``."""
    heard: list[bytes] = []
    talks: list[asyncio.Task[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            talks.append(task)
        try:
            while request := await reader.read(300):
                heard.append(request)
                if trust is not None:
                    writer.write(request[:5] + b"\5" + request[6:8] + b"\2\0\x2a")
        except OSError:
            pass
        finally:
            writer.transport.abort()

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = await asyncio.start_server(talk, "127.0.0.1", port, ssl=trust)
    try:
        yield port, heard
    finally:
        server.close()
        await asyncio.gather(*talks)
        await asyncio.sleep(0.01)


def trusting(client_ca: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def value(port: int, **given: object) -> object:
    """What the device shows."""
    settings = ModbusConnection.model_validate(
        {"transport": "tls", "host": "127.0.0.1", "port": port, "timeout": "500ms", **given}
    )
    driver = ModbusDriver("plc", settings, [TAG], SystemClock())
    try:
        await driver.connect()
        return (await driver.read(["l/s/a"]))[0].value
    finally:
        await driver.close()
        await asyncio.sleep(0.01)


async def test_both_sides_know_each_other(tmp_path: Path) -> None:
    plant = Authority(tmp_path, "plant")
    ours, key = plant.issue("gateway", "127.0.0.1")
    async with device(trusting(plant.ca, *plant.issue("plc", "127.0.0.1"))) as (port, heard):
        assert await value(port, ca=str(plant.ca), certificate=str(ours), key=str(key)) == 42
        assert heard


async def test_a_device_that_cant_be_trusted_hears_nothing(tmp_path: Path) -> None:
    plant, stranger = Authority(tmp_path, "plant"), Authority(tmp_path, "stranger")
    ours, key = plant.issue("gateway", "127.0.0.1")
    given = {"ca": str(plant.ca), "certificate": str(ours), "key": str(key)}
    async with device(trusting(plant.ca, *stranger.issue("plc", "127.0.0.1"))) as (port, heard):
        with pytest.raises(DeviceRefused, match=r"plc \(127.0.0.1:\d+\): .*not trusted"):
            await value(port, **given)
        assert heard == []
    async with device(trusting(plant.ca, *plant.issue("other", "10.0.0.1"))) as (port, heard):
        with pytest.raises(DeviceRefused, match="IP address mismatch"):
            await value(port, **given)
        assert heard == []


async def test_a_device_that_does_not_know_us_is_lost(tmp_path: Path) -> None:
    plant = Authority(tmp_path, "plant")
    async with device(trusting(plant.ca, *plant.issue("plc", "127.0.0.1"))) as (port, heard):
        with pytest.raises(ConnectionLost, match="closed the connection"):
            await value(port, ca=str(plant.ca))
        assert heard == []


async def test_files_that_cant_be_used_are_named(tmp_path: Path) -> None:
    plant = Authority(tmp_path, "plant")
    certificate, key = plant.issue("gateway", "127.0.0.1")
    _, other = plant.issue("other", "127.0.0.1")
    async with device(None) as (port, heard):
        with pytest.raises(ConnectionLost, match=rf"ca {tmp_path}/none.pem can't be used: .*No such file"):
            await value(port, ca=str(tmp_path / "none.pem"))
        with pytest.raises(ConnectionLost, match=rf"certificate {certificate} with key {other} can't be used"):
            await value(port, ca=str(plant.ca), certificate=str(certificate), key=str(other))
        assert key != other
        assert heard == []


async def test_there_is_no_way_back_to_plain(tmp_path: Path) -> None:
    plant = Authority(tmp_path, "plant")
    async with device(None) as (port, heard):
        with pytest.raises(ConnectionLost, match="can't be reached"):
            await value(port, ca=str(plant.ca))
        assert all(b"\3\0\0\0\1" not in one for one in heard)


def test_who_shows_no_certificate_is_warned() -> None:
    given = {"transport": "tls", "host": "plc", "ca": "ca.pem"}
    [warning] = ModbusConnection.model_validate(given).warnings()
    assert "plc:802 can't tell who we are" in warning
    assert ModbusConnection.model_validate({**given, "certificate": "c.pem", "key": "k.pem"}).warnings() == []
    assert ModbusConnection(host="plc").warnings() == []
