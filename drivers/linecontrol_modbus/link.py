"""One connection to a Modbus device, whatever carries it."""

import asyncio
import ssl
from collections.abc import Sequence

from linecontrol.driver import ConnectionLost, DeviceRefused, Traffic
from linecontrol_modbus.carrier import carrier
from linecontrol_modbus.pdu import read_request, write_request
from linecontrol_modbus.settings import ModbusConnection, Transport
from linecontrol_modbus.tag import Table
from linecontrol_modbus.turns import Rank
from linecontrol_modbus.wire import Wire

NS = 1_000_000_000
HANDSHAKES = 4
"""Waits for an answer that a TLS handshake may take."""


class Link:
    """Used once. After an answer that doesn't fit it is broken for good: every call raises ``ConnectionLost``."""

    def __init__(
        self, name: str, settings: ModbusConnection, traffic: Traffic, planned: Sequence[tuple[int, bytes]] = ()
    ) -> None:
        """``traffic`` is counted on; ``planned`` are units and requests that will be sent."""
        self._planned = planned
        self._settings = settings
        self._traffic = traffic
        self.where = f"{name} ({settings.place})"
        self.depth = settings.in_flight
        self._timeout_s = settings.timeout / NS
        self._wire: Wire | None = None

    async def connect(self) -> None:
        """Connect.

        Raises:
            ConnectionLost: the device can't be reached.
            DeviceRefused: the device is not who it should be.
        """
        patience_s = self._timeout_s * (HANDSHAKES if self._settings.transport is Transport.TLS else 1)
        try:
            async with asyncio.timeout(patience_s):
                self._wire = await carrier(self._settings, self.where, self._traffic, self._planned)
        except ssl.SSLCertVerificationError as error:
            msg = f"{self.where}: the device's certificate is not trusted ({error.verify_message}): see ca and host"
            raise DeviceRefused(msg) from error
        except (OSError, ValueError) as error:
            reason = str(error) or f"no answer within {patience_s:g} s"
            msg = f"{self.where}: can't be reached ({reason})"
            raise ConnectionLost(msg) from error

    def check(self) -> None:
        """Nothing, if the connection stands.

        Raises:
            ConnectionLost: it doesn't.
        """
        self._connected().check()

    async def start(self, unit: int, pdu: bytes, rank: Rank) -> asyncio.Future[bytes]:
        """Send a request when its turn has come; what is returned will have the payload, ``Refused`` or ``Silent``.

        Raises:
            ConnectionLost: nothing was sent.
        """
        return await self._connected().start(unit, pdu, rank)

    async def read(self, unit: int, table: Table, address: int, count: int, rank: Rank = Rank.NOW) -> bytes:
        """Bytes of ``count`` registers, or bits, from ``address`` on.

        Raises:
            Refused: the device says no.
            Silent: it says nothing in time.
            ConnectionLost: it says nonsense, or went away.
        """
        return await (await self.start(unit, read_request(table, address, count), rank))

    async def write(self, unit: int, table: Table, address: int, places: Sequence[int]) -> None:
        """Write registers, or a coil, once.

        Raises:
            Refused: the device says no.
            Silent: it says nothing in time; it may or may not have taken them.
            ConnectionLost: it says nonsense, or went away; it may or may not have taken them.
        """
        await (await self.start(unit, write_request(table, address, places), Rank.WRITE))

    def end(self, reason: str) -> None:
        """Break the connection."""
        self._connected().end(reason)

    async def close(self) -> None:
        """Let go of the connection at once; what waits for an answer gets ``ConnectionLost``."""
        if self._wire is not None:
            self._wire.end("closed")
            await asyncio.sleep(0)  # the event loop closes the socket in its next round

    def _connected(self) -> Wire:
        if self._wire is None:
            msg = f"{self.where}: not connected"
            raise ConnectionLost(msg)
        return self._wire
