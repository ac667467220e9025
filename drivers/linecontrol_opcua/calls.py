"""Calls of methods, as bytes: what is asked for, and how it ended. Pure."""

from typing import NamedTuple

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary

from linecontrol_opcua import decode
from linecontrol_opcua.wire import Misfit

CALL_REQUEST = 712
"""Number of the request on the wire."""
_SMALLEST_RESULT = 16


class Method(NamedTuple):
    """A method of an object."""

    object: ua.NodeId
    method: ua.NodeId


def encoded(method: Method, argument: ua.Variant) -> bytes:
    """What a request to call a method once, with a single argument, holds after its header."""
    call = ua.CallMethodRequest(method.object, method.method, [argument])
    return struct_to_binary(ua.CallParameters(MethodsToCall=[call]))


def outcome(body: bytes) -> list[int]:
    """The status of the one call that was asked for, and of each of its arguments if told; results are passed over.

    Raises:
        Refusal: the server refused to call anything.
        Misfit: it is no such response, or beyond a limit.
    """
    reader = decode.begin(body, decode.CALL)
    count = reader.count(_SMALLEST_RESULT)
    if count != 1:
        msg = f"{count} results for 1 call"
        raise Misfit(msg)
    statuses = [reader.u32()]
    statuses += [reader.u32() for _ in range(reader.count(4))]
    decode.no_diagnostics(reader)
    for _ in range(reader.count(1)):
        reader.variant()
    decode.no_diagnostics(reader)
    reader.finish()
    return statuses
