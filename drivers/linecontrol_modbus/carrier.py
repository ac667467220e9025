"""Makes the connection that config asks for."""

import asyncio
import ssl
from collections.abc import Sequence

from linecontrol.driver import Traffic
from linecontrol_modbus.mbap import TcpWire
from linecontrol_modbus.rtu import LineWire
from linecontrol_modbus.serial_port import BITS_PER_BYTE, SerialPort
from linecontrol_modbus.settings import ModbusConnection, Transport
from linecontrol_modbus.turns import Turns
from linecontrol_modbus.wire import Wire

NS = 1_000_000_000


async def carrier(
    settings: ModbusConnection, where: str, traffic: Traffic, planned: Sequence[tuple[int, bytes]]
) -> Wire:
    """A connection that stands. ``planned``: units and requests that will be sent.

    Raises:
        OSError: it can't be made; ``ssl.SSLError`` if the device isn't trusted, or doesn't trust us.
        ValueError: a certificate or a key can't be used.
    """
    loop = asyncio.get_running_loop()
    turns = Turns(settings.in_flight, settings.delay / NS)
    timeout_s = settings.timeout / NS
    if settings.transport is Transport.SERIAL:
        byte_s = BITS_PER_BYTE / settings.baudrate
        line = LineWire(where, timeout_s, traffic, turns, planned, byte_s)
        SerialPort(settings, line)
        return line
    host, port = settings.endpoint()
    if settings.transport is Transport.RTU_OVER_TCP:
        _, wire = await loop.create_connection(lambda: LineWire(where, timeout_s, traffic, turns, planned), host, port)
        return wire
    trust = await asyncio.to_thread(_trust, settings) if settings.transport is Transport.TLS else None
    _, framed = await loop.create_connection(lambda: TcpWire(where, timeout_s, traffic, turns), host, port, ssl=trust)
    return framed


def _trust(settings: ModbusConnection) -> ssl.SSLContext:
    """TLS 1.2 or later; the device's certificate must be good, and for the host that was asked for.

    Raises:
        OSError: a file can't be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # asks for a certificate, and compares the host's name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=settings.ca)
    except OSError as error:
        msg = f"ca {settings.ca} can't be used: {error}; it must hold certificates in PEM"
        raise OSError(msg) from error
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.key, password="")
        except OSError as error:
            msg = (
                f"certificate {settings.certificate} with key {settings.key} can't be used: {error}; they must be PEM, "
            )
            raise OSError(msg + "belong together, and the key must be readable and without a password") from error
    return context
