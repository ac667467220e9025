"""What config says of an OPC UA connection and of its signals."""

from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from linecontrol.driver import ConnectionSettings, Duration, TagSettings
from linecontrol_opcua import node
from linecontrol_opcua.datatype import DataType, PythonType
from linecontrol_opcua.profiles import Profile, Vendor

_MS = 1_000_000


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


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
        if not self.allow_insecure and not _is_loopback(host):
            msg = (
                f"{host} would be spoken to without signature and encryption, which this driver does not offer yet; "
                "if the network between is trusted, say so with allow_insecure: true"
            )
            raise ValueError(msg)
        return self

    @property
    def vendor(self) -> Vendor:
        """What is known of the server."""
        return self.profile.vendor

    @override
    def endpoint(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    @override
    def on_loopback(self, port: int) -> Self:
        return self.model_copy(update={"url": f"opc.tcp://127.0.0.1:{port}{urlsplit(self.url).path}"})


class OpcuaTag(TagSettings):
    """A variable node of an OPC UA server."""

    node: str
    """Node id: ``nsu=URI;s=NAME`` (best: it survives re-numbering), ``ns=2;s=NAME``, ``ns=2;i=1001`` or ``i=2258``."""
    type: DataType
    """Data type of the node's value."""
    deadband: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Smallest change of a number that is sent, in its own unit; every change if left out."""
    sampling: Annotated[Duration, Field(gt=0)] | None = None
    """How often the server looks at the value; as often as it publishes if left out."""

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
        return frozenset({self.node})

    @override
    def value_type(self) -> PythonType:
        return self.type.wire.python

    @override
    def counter_bits(self) -> int | None:
        wire = self.type.wire
        return wire.bits if wire.bits and not wire.signed else None
