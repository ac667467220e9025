"""Requests, and whether an answer fits its request, byte for byte. Pure.

A PDU is a function code (1 byte) and data; what is around it on the wire is the business of each transport.
"""

from collections.abc import Sequence
from struct import Struct

from linecontrol_modbus.tag import Table

EXCEPTION = 0x80
"""Bit of the function code in an answer that is a refusal."""

LONGEST = 253
"""Most bytes of a PDU."""

READS = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
"""Function code that reads a table."""

WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS = 5, 6, 16

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledged, takes time",
    6: "device busy",
    8: "memory parity error",
    10: "gateway has no path to the unit",
    11: "unit does not answer its gateway",
}
"""What exception codes mean."""

UNSURE = (4, 5, 11)
"""Exceptions after which a write may have been carried out all the same: it failed midway, takes time, or got lost."""

_BITS, _REGISTERS = (1, 2), (3, 4)
_REQUEST = Struct(">BHH")
_MANY = Struct(">BHHB")
_ECHO = 5


class Misfit(Exception):
    """The answer is none to the request: the device can't be believed in anything, not even in what it says next."""


class Refused(Exception):
    """The device answered a request with an exception ``code``."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code} ({EXCEPTIONS.get(code, 'unknown')})")
        self.code = code


class Silent(Exception):
    """No answer to a request came in time, or none that can be believed; the connection is as good as before."""


def read_request(table: Table, address: int, count: int) -> bytes:
    """PDU that reads ``count`` places."""
    return _REQUEST.pack(READS[table], address, count)


def write_request(table: Table, address: int, places: Sequence[int]) -> bytes:
    """PDU that writes registers, or one coil."""
    if table.of_bits:
        return _REQUEST.pack(WRITE_COIL, address, 0xFF00 if places[0] else 0)
    if len(places) == 1:
        return _REQUEST.pack(WRITE_REGISTER, address, places[0])
    data = Struct(f">{len(places)}H").pack(*places)
    return _MANY.pack(WRITE_REGISTERS, address, len(places), len(data)) + data


def is_read(request: bytes) -> bool:
    """Whether it changes nothing at the device."""
    return request[0] in _BITS + _REGISTERS


def answer_size(request: bytes) -> int:
    """Bytes of the answer if the device does as ``request`` says; a refusal has 2."""
    count = int.from_bytes(request[3:5])
    if request[0] in _BITS:
        return 2 + (count + 7) // 8
    if request[0] in _REGISTERS:
        return 2 + 2 * count
    return _ECHO


def payload(request: bytes, answer: bytes) -> bytes:
    """What a whole answer to ``request`` brings: the bytes of registers or bits; of a write, its echo.

    Raises:
        Refused: the device says no.
        Misfit: it is no answer to ``request``.
    """
    function = answer[0]
    if function != request[0]:
        if function == request[0] | EXCEPTION and len(answer) == 2:
            raise Refused(answer[1])
        msg = f"the answer is to function {function}, not {request[0]}"
        raise Misfit(msg)
    if len(answer) != answer_size(request):
        msg = f"the answer is too short or too long: {len(answer)} bytes, not {answer_size(request)}"
        raise Misfit(msg)
    if is_read(request):
        if answer[1] != len(answer) - 2:
            msg = f"the answer holds too little or too much: {answer[1]} bytes, not {len(answer) - 2}"
            raise Misfit(msg)
        return answer[2:]
    if answer != request[:_ECHO]:
        msg = f"the answer repeats another write: {answer.hex(' ')}, not {request[:_ECHO].hex(' ')}"
        raise Misfit(msg)
    return answer[1:]
