"""The shapes of the responses that asyncua decodes for us, to be walked over before it does.

asyncua makes whatever an extension object claims to be, so none is let through but the few that are expected.
"""

from collections.abc import Callable

from linecontrol_opcua import decode
from linecontrol_opcua.wire import Misfit, Reader

_Walk = Callable[[Reader], object]


def _size(count: int) -> _Walk:
    return lambda reader: reader.skip(count)


def _all(*walks: _Walk) -> _Walk:
    def walk(reader: Reader) -> None:
        for part in walks:
            part(reader)

    return walk


def _array(smallest: int, part: _Walk) -> _Walk:
    def walk(reader: Reader) -> None:
        for _ in range(reader.count(smallest)):
            part(reader)

    return walk


def _nothing(reader: Reader) -> None:
    number, body = reader.extension()
    if number or body.end != body.pos:
        msg = f"an extension object of type {number} where none belongs"
        raise Misfit(msg)


def _localized(reader: Reader) -> None:
    mask = reader.byte()
    for bit in (1, 2):
        if mask & bit:
            reader.octets()


def _header(reader: Reader) -> None:
    reader.skip(16)
    reader.diagnostic()
    _strings(reader)
    _nothing(reader)


_node, _text, _diagnostic = Reader.node_id, Reader.octets, Reader.diagnostic
_word = _size(4)
_qualified = _all(_size(2), _text)
_strings = _array(4, _text)
_statuses, _diagnostics = _array(4, _word), _array(1, _diagnostic)
_application = _all(_text, _text, _localized, _word, _text, _text, _strings)
_token = _all(_text, _word, _text, _text, _text)
_endpoint = _all(_text, _application, _text, _word, _text, _array(20, _token), _text, _size(1))
_signature = _all(_text, _text)
_reference = _all(_node, _size(1), _node, _qualified, _localized, _word, _node)
_browsed = _all(_word, _text, _array(20, _reference))
_created_item = _all(_word, _word, _size(8), _word, _nothing)

_RESPONSES: dict[int, _Walk] = {
    decode.FAULT: _all(),
    431: _array(40, _endpoint),  # GetEndpoints
    449: _all(_word, _word, _word, _size(8), _word, _text),  # OpenSecureChannel
    464: _all(
        _node, _node, _size(8), _text, _text, _array(40, _endpoint), _array(8, _signature), _signature, _word
    ),  # CreateSession
    470: _all(_text, _statuses, _diagnostics),  # ActivateSession
    476: _all(),  # CloseSession
    530: _all(_array(12, _browsed), _diagnostics),  # Browse
    536: _all(_array(12, _browsed), _diagnostics),  # BrowseNext
    557: _all(_array(8, _all(_word, _array(6, _all(_node, _word)))), _diagnostics),  # TranslateBrowsePaths
    676: _all(_statuses, _diagnostics),  # Write
    754: _all(_array(23, _created_item), _diagnostics),  # CreateMonitoredItems
    790: _all(_word, _size(8), _word, _word),  # CreateSubscription
    796: _all(_size(8), _word, _word),  # ModifySubscription
    844: _all(_array(8, _all(_word, _array(4, _word))), _diagnostics),  # TransferSubscriptions
    850: _all(_statuses, _diagnostics),  # DeleteSubscriptions
}
OURS = {decode.READ, decode.CALL, decode.PUBLISH, decode.REPUBLISH}
"""Responses that are never given to asyncua."""


def check(body: bytes) -> int:
    """Insist that a response can be decoded in little time and space; number of its type.

    Raises:
        Misfit: it is no response that we know, or beyond a limit.
    """
    reader = Reader(body)
    number = reader.type_id()
    if number in OURS:
        return number
    walk = _RESPONSES.get(number)
    if walk is None:
        msg = f"a response of type {number}, which was not asked for"
        raise Misfit(msg)
    _header(reader)
    if reader.pos != reader.end or number == decode.FAULT:
        walk(reader)
    reader.finish()
    return number
