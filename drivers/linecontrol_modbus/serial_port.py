"""A serial port as a transport of asyncio: raw, without blocking, used by nobody else meanwhile."""

import asyncio
import fcntl
import os
import termios

from typing_extensions import override

from linecontrol_modbus.settings import ModbusConnection

BITS_PER_BYTE = 11
"""Start, data, parity or a second stop, and stop bits on the line."""


class SerialPort(asyncio.WriteTransport):
    """Open from the start; tells its protocol once when it is gone."""

    def __init__(self, settings: ModbusConnection, protocol: asyncio.Protocol) -> None:
        """Open it.

        Raises:
            OSError: it can't be opened, or is in use.
        """
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._file: int | None = os.open(settings.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _set_up(self._file, settings)
        except termios.error as error:
            os.close(self._file)
            raise OSError(*error.args) from error
        except BlockingIOError as error:
            os.close(self._file)
            msg = "in use by another connection"
            raise OSError(msg) from error
        self._loop.add_reader(self._file, self._read)
        protocol.connection_made(self)

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; a port that can't take a whole request is gone."""
        if self._file is None:
            return
        try:
            if os.write(self._file, data) < len(data):
                self._end(OSError("it takes no more"))
        except OSError as error:
            self._end(error)

    @override
    def abort(self) -> None:
        """Close at once."""
        self._end(None)

    @override
    def close(self) -> None:
        """Close at once."""
        self._end(None)

    def _read(self) -> None:
        if self._file is None:
            return
        try:
            data = os.read(self._file, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if data:
            self._protocol.data_received(data)
        else:
            self._end(OSError("it was unplugged"))

    def _end(self, error: OSError | None) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        self._loop.remove_reader(file)
        try:
            termios.tcflush(file, termios.TCIOFLUSH)  # else the kernel would try to send what is left
        except termios.error:
            pass
        finally:
            os.close(file)
        self._loop.call_soon(self._protocol.connection_lost, error)


def _set_up(file: int, settings: ModbusConnection) -> None:
    """Raw, 8 data bits."""
    speed = getattr(termios, f"B{settings.baudrate}")
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL
    if settings.parity != "none":
        flags |= termios.PARENB | (termios.PARODD if settings.parity == "odd" else 0)
    if settings.stopbits == 2:
        flags |= termios.CSTOPB
    checked = 0 if settings.parity == "none" else termios.INPCK
    control = termios.tcgetattr(file)[6]
    control[termios.VMIN], control[termios.VTIME] = 1, 0
    try:
        termios.tcsetattr(file, termios.TCSANOW, [checked, 0, flags, 0, speed, speed, control])
    except termios.error:
        if termios.tcgetattr(file)[4:6] != [speed, speed]:
            raise  # what can't be had otherwise is parity, which a pseudo terminal lacks
    termios.tcflush(file, termios.TCIOFLUSH)
