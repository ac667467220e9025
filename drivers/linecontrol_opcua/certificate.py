"""X.509 certificates of OPC UA applications: ours is made here, a server's is looked at here. Nothing is sent."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=5 * 365)
RENEW_BEFORE = timedelta(days=60)
SMALLEST_KEY = 2048
LARGEST = 16 * 1024
"""Bytes in a certificate."""

_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_LONG_FORM = 0x82


class Unfit(ValueError):
    """A certificate can't be used; the text says why."""


def thumbprint(der: bytes) -> str:
    """The name by which OPC UA tools show a certificate: its SHA-1, in capitals. Trust goes by all of its bytes."""
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303 - a name
    digest.update(der)
    return digest.finalize().hex().upper()


def first(chain: bytes | None) -> bytes:
    """The first certificate of a chain in DER.

    Raises:
        Unfit: there is none.
    """
    if chain and len(chain) > 4 and chain[0] == 0x30 and chain[1] == _LONG_FORM:
        der = chain[: 4 + int.from_bytes(chain[2:4], "big")]
        if len(der) <= LARGEST:
            return der
    msg = "it has no certificate"
    raise Unfit(msg)


def load(der: bytes) -> x509.Certificate:
    """The certificate.

    Raises:
        Unfit: it is none.
    """
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        msg = "its certificate can't be read"
        raise Unfit(msg) from error


def names(certificate: x509.Certificate) -> tuple[str, list[str]]:
    """Application URI and hosts of a certificate."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return "", []
    uris = extension.value.get_values_for_type(x509.UniformResourceIdentifier)
    hosts = [*extension.value.get_values_for_type(x509.DNSName)]
    hosts += [str(address) for address in extension.value.get_values_for_type(x509.IPAddress)]
    return (uris[0] if uris else ""), hosts


def check(certificate: x509.Certificate, uri: str | None, host: str | None, now_ns: int) -> None:
    """Insist that a server's certificate is strong, valid now, and that of the application at that host.

    Raises:
        Unfit: it is not.
    """
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY:
        msg = f"its certificate has no RSA key of {SMALLEST_KEY} bits or more; make it a stronger one"
        raise Unfit(msg)
    if not isinstance(certificate.signature_hash_algorithm, _HASHES):
        msg = "its certificate is not signed with SHA-256 or better; make it a new one"
        raise Unfit(msg)
    now = _moment(now_ns)
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not since <= now <= until:
        msg = (
            f"its certificate is valid from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC and it is "
            f"{now:%Y-%m-%d %H:%M}; renew it, or set the clocks"
        )
        raise Unfit(msg)
    its_uri, hosts = names(certificate)
    if not its_uri or its_uri != uri:
        msg = f"its certificate is for the application {its_uri!r}, but it says that it is {uri!r}"
        raise Unfit(msg)
    if host is not None and not any(_same_host(host, other) for other in hosts):
        msg = (
            f"its certificate is for {', '.join(hosts) or 'no host'} and not for {host}; write the url with a host "
            "that is in it, make it a new one, or set check_host: false"
        )
        raise Unfit(msg)


def _same_host(host: str, other: str) -> bool:
    try:
        return ip_address(host) == ip_address(other)
    except ValueError:
        return host.lower().rstrip(".") == other.lower().rstrip(".")


def make(key: RSAPrivateKey, host: str, now_ns: int) -> x509.Certificate:
    """A self-signed certificate for this application on ``host``."""
    now = _moment(now_ns)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"linecontrol@{host}"[:64])])
    public = key.public_key()
    uses = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_cert_sign"), True
    ) | dict.fromkeys(("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False)
    alternatives = [x509.UniformResourceIdentifier(f"urn:linecontrol:{host}"), x509.DNSName(host)]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**uses), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def due(certificate: x509.Certificate, now_ns: int) -> bool:
    """Whether our certificate should be renewed."""
    now = _moment(now_ns)
    return not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - RENEW_BEFORE


def days_left(certificate: x509.Certificate, now_ns: int) -> int:
    """Whole days for which a certificate is still valid."""
    return (certificate.not_valid_after_utc - _moment(now_ns)).days


def _moment(now_ns: int) -> datetime:
    return datetime.fromtimestamp(now_ns / 1e9, UTC)
