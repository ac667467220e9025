"""Whether an answer fits its request, byte for byte. Pure.

A frame is transaction id (2 bytes), protocol id (2, always 0), length of the rest (2), unit id (1), function code
(1) and data.
"""

HEADER = 7
EXCEPTION = 0x80
READS_OF_BITS = (1, 2)
READS_OF_REGISTERS = (3, 4)
_SHORTEST = 9
_WRITTEN = 12


class Misfit(Exception):
    """The answer is none to the request: the device can't be believed in anything, not even in what it says next."""


def fits(request: bytes, answer: bytes) -> bool:
    """Whether ``answer`` is whole; if it isn't, more has to come in.

    Raises:
        Misfit: whatever comes, it is no answer to ``request``.
    """
    if len(answer) < _SHORTEST:
        return False
    refused = answer[HEADER] == request[HEADER] | EXCEPTION
    size = _SHORTEST if refused else _size(request)
    if problem := _header_problem(request, answer, size) or (None if refused else _data_problem(request, answer, size)):
        raise Misfit(problem)
    return len(answer) == size


def _header_problem(request: bytes, answer: bytes, size: int) -> str | None:
    if answer[:2] != request[:2]:
        return "the answer is to another request"
    if answer[2:4] != bytes(2):
        return "the answer is not Modbus"
    if answer[6] != request[6]:
        return f"the answer is from unit {answer[6]}"
    if answer[HEADER] & ~EXCEPTION != request[HEADER]:
        return f"the answer is to function {answer[HEADER]}, not {request[HEADER]}"
    if 6 + int.from_bytes(answer[4:6]) != size or len(answer) > size:
        return "the answer is too short or too long"
    return None


def _data_problem(request: bytes, answer: bytes, size: int) -> str | None:
    if request[HEADER] in READS_OF_BITS + READS_OF_REGISTERS:
        return None if answer[8] == size - _SHORTEST else "the answer holds too little or too much"
    return None if request.startswith(answer[HEADER:_WRITTEN], HEADER) else "the answer repeats another write"


def _size(request: bytes) -> int:
    """Bytes of the whole answer if the device does as ``request`` says."""
    count = int.from_bytes(request[10:12])
    if request[HEADER] in READS_OF_BITS:
        return _SHORTEST + (count + 7) // 8
    if request[HEADER] in READS_OF_REGISTERS:
        return _SHORTEST + 2 * count
    return _WRITTEN
