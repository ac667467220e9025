"""What config says of an OPC UA connection and of its signals."""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from linecontrol.driver import ConnectionSettings, CredentialFile, Duration, Settings, TagSettings
from linecontrol_opcua import node
from linecontrol_opcua.datatype import DataType, PythonType
from linecontrol_opcua.profiles import Profile, Vendor

_MS = 1_000_000
_OF_USERS = ("user", "password_file", "user_certificate", "user_key")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class SecurityMode(StrEnum):
    """What is done to messages."""

    NONE = "none"
    SIGN = "sign"
    SIGN_AND_ENCRYPT = "sign_and_encrypt"


class Policy(StrEnum):
    """The algorithms with which messages are secured."""

    BASIC256SHA256 = "Basic256Sha256"
    AES128_SHA256_RSAOAEP = "Aes128_Sha256_RsaOaep"
    AES256_SHA256_RSAPSS = "Aes256_Sha256_RsaPss"


class OpcuaConnection(ConnectionSettings):
    """An OPC UA server."""

    url: str
    """Where the server listens: ``opc.tcp://HOST:PORT``, with a path if it wants one."""
    publish: Annotated[Duration, Field(gt=0)] = 250 * _MS
    """How often the server sends what changed."""
    queue: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Values per signal that the server keeps while it can't send them."""
    timeout: Annotated[Duration, Field(gt=0)] = 4_000 * _MS
    """How long the server may take to answer a request."""
    profile: Profile = Profile.GENERIC
    """What is known of the server: ``siemens_s7_1500``, ``beckhoff`` and so on."""
    security: SecurityMode = SecurityMode.NONE
    """What is done to messages: ``none``, ``sign`` or ``sign_and_encrypt``."""
    policy: Policy = Policy.BASIC256SHA256
    """With which algorithms: ``Basic256Sha256``, ``Aes128_Sha256_RsaOaep`` or ``Aes256_Sha256_RsaPss``."""
    user: str | None = None
    """User at the server; anonymous if left out."""
    password_file: CredentialFile | None = None
    """File with the user's password, which only its owner may read."""
    user_certificate: CredentialFile | None = None
    """File with a certificate (PEM or DER) that tells the server who the user is, in place of user and password."""
    user_key: CredentialFile | None = None
    """File with the key to ``user_certificate`` (PEM), which only its owner may read."""
    pki: Path | None = None
    """Folder with our own certificate and those that are trusted; ``$STATE_DIRECTORY/pki/opcua`` if left out."""
    server_uri: Annotated[str, Field(min_length=1)] | None = None
    """Application URI that the server must show, so that another one behind the same address is refused."""
    check_host: bool = True
    """Insist that the server's certificate names the host in ``url``."""
    allow_insecure: bool = False
    """Talk to a server on the network although messages are neither signed nor encrypted."""

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        wrong = f"{url!r} is not the address of an OPC UA server; write opc.tcp://HOST:PORT"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(wrong) from error
        if parts.scheme != "opc.tcp" or not host or not port or parts.query or parts.fragment:
            raise ValueError(wrong)
        if "@" in parts.netloc:
            msg = "a user and password in the address would be sent in clear text; leave them out"
            raise ValueError(msg)
        return url

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        host, _ = self.endpoint()
        if self.security is SecurityMode.NONE and not self.allow_insecure and not _is_loopback(host):
            msg = (
                f"{host} would be spoken to without signature and encryption; write security: sign_and_encrypt, or if "
                "the network between is trusted, say so with allow_insecure: true"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if (self.user is None) != (self.password_file is None):
            msg = "user and password_file go together"
            raise ValueError(msg)
        if (self.user_certificate is None) != (self.user_key is None):
            msg = "user_certificate and user_key go together"
            raise ValueError(msg)
        if self.user is not None and self.user_certificate is not None:
            msg = "a user has either a password or a certificate"
            raise ValueError(msg)
        if self.security is SecurityMode.NONE and (self.user or self.user_certificate):
            msg = "a user needs security: sign_and_encrypt (or sign): nobody else may see or use the password"
            raise ValueError(msg)
        return self

    @override
    def warnings(self) -> list[str]:
        host, _ = self.endpoint()
        if self.security is SecurityMode.NONE and not _is_loopback(host):
            return [
                f"{self.url} is spoken to without signature and encryption: anyone on the network can read and forge."
            ]
        return []

    @property
    def vendor(self) -> Vendor:
        """What is known of the server."""
        return self.profile.vendor

    @override
    def endpoint(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    @override
    def interval(self) -> int:
        """Longest time in nanoseconds from a value's change to its being looked at."""
        return self.publish

    @override
    def on_loopback(self, port: int) -> Self:
        there = f"opc.tcp://127.0.0.1:{port}{urlsplit(self.url).path}"
        not_there = dict.fromkeys((*_OF_USERS, "server_uri"))
        return self.model_copy(update={"url": there, "security": SecurityMode.NONE, **not_there})


class Call(Settings):
    """A method that is called to carry out a command."""

    object: str
    """Node id of the object whose method it is."""
    method: str
    """Node id of the method, which takes the value as its only argument."""

    @field_validator("object", "method")
    @classmethod
    def _is_node(cls, text: str) -> str:
        return str(node.parse(text))


class OpcuaTag(TagSettings):
    """A variable node of an OPC UA server."""

    node: str
    """Node id: ``nsu=URI;s=NAME`` (best: it survives re-numbering), ``ns=2;s=NAME``, ``ns=2;i=1001``, ``i=2258``,
    or by browse names from Objects down: ``nsu=URI;path=NAME/NAME``."""
    type: DataType
    """Data type of the node's value."""
    deadband: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Smallest change of a number that is sent, in its own unit; every change if left out."""
    sampling: Annotated[Duration, Field(gt=0)] | None = None
    """How often the server looks at the value; as often as it publishes if left out."""
    call: Call | None = None
    """Method that is called with a command's value, in place of writing ``node``, which then shows the result."""

    @field_validator("node")
    @classmethod
    def _is_node(cls, text: str) -> str:
        return str(node.parse(text))

    @model_validator(mode="after")
    def _has_sense(self) -> Self:
        if self.deadband is not None and self.type in {DataType.BOOL, DataType.STRING}:
            msg = f"a {self.type} has no deadband; leave it out"
            raise ValueError(msg)
        return self

    @override
    def places(self) -> frozenset[str]:
        method = frozenset({f"method {self.call.method} of {self.call.object}"} if self.call else ())
        return method | {self.node}

    @override
    def only_commands(self) -> str:
        return "call is for commands: it can't be read" if self.call else ""

    @override
    def value_type(self) -> PythonType:
        return self.type.wire.python

    @override
    def interval(self) -> int | None:
        return self.sampling

    @override
    def counter_bits(self) -> int | None:
        wire = self.type.wire
        return wire.bits if wire.bits and not wire.signed else None
