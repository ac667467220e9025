"""Whether a unit on a line without transaction ids is in step: which answers may still come, and how to tell. Pure.

A unit answers in the order in which it was asked. As long as it owes an answer, one of the same shape must not be
believed. So a request of that shape is preceded by a fence: a read of a length that nothing else has. When its answer
comes, all that was asked before it is settled. The first request to a unit is preceded by a fence too: a serial server
may hold answers to an earlier connection.
"""

from collections import defaultdict
from collections.abc import Iterable

from linecontrol_modbus.pdu import EXCEPTION, READS, WRITE_COIL, answer_size, is_read, read_request
from linecontrol_modbus.tag import PLACES, Table

_MOST = {1: 2000, 2: 2000, 3: 125, 4: 125}
_TABLES = {function: table for table, function in READS.items()}

Shape = tuple[int, int] | bytes
"""All by which the answer to a request can be known: of a read, function and size; of a write, its echo."""


def shape(request: bytes) -> Shape:
    """Shape of the regular answer to a request."""
    return (request[0], answer_size(request)) if is_read(request) else request[:5]


class Steps:
    """What each unit owes."""

    def __init__(self, planned: Iterable[tuple[int, bytes]]) -> None:
        """``planned``: units and requests for which answers may be under way, or will be."""
        self._owed: dict[int, set[Shape]] = {}
        self._used: defaultdict[int, set[Shape]] = defaultdict(set)
        self._met: set[int] = set()
        for unit, request in planned:
            self.sent(unit, request)

    def sent(self, unit: int, request: bytes) -> None:
        """A request other than a fence is sent."""
        self._used[unit].add(shape(request))

    def owes(self, unit: int, request: bytes) -> None:
        """An answer did not come, or was not believed."""
        self._owed.setdefault(unit, set()).add(shape(request))

    def in_step(self, unit: int) -> bool:
        """Whether it owes nothing."""
        return unit in self._met and unit not in self._owed

    def settled(self, unit: int, request: bytes) -> None:
        """A regular answer of the shape that ``request`` asks for has come, and was believed."""
        self._met.add(unit)
        if (owed := self._owed.pop(unit, None)) and (shape_ := shape(request)) in owed:
            self._owed[unit] = {shape_}  # it may have been the answer to an earlier fence, this one's being under way

    def forgiven(self, unit: int) -> None:
        """Nothing more will come."""
        self._met.add(unit)
        self._owed.pop(unit, None)

    def late(self, unit: int, answer: bytes) -> bool:
        """Whether ``answer`` is one that ``unit`` owed; then it does no more."""
        owed = self._owed.get(unit)
        if owed is None:
            return unit not in self._met
        if answer[0] & EXCEPTION:
            functions = {one[0] for one in owed}
            return answer[0] & ~EXCEPTION in functions or unit not in self._met
        found: Shape = (answer[0], len(answer)) if answer[0] in _MOST else answer
        if found not in owed:
            return unit not in self._met
        owed.discard(found)
        if not owed:
            del self._owed[unit]
        return True

    def fence(self, unit: int, request: bytes) -> bytes | None:
        """What to read before ``request`` may be sent; ``None`` if nothing."""
        if unit in self._met and shape(request) not in self._owed.get(unit, ()):
            return None
        function, count = request[0], 1
        if is_read(request):
            count = int.from_bytes(request[3:5])
        else:
            function = READS[Table.COIL] if function == WRITE_COIL else READS[Table.HOLDING]
        address = int.from_bytes(request[1:3])
        fences = (
            read_request(_TABLES[function], address, n)
            for function in sorted(_MOST, key=lambda one: (one != function, one))
            for n in _nearest(count, min(_MOST[function], PLACES - address))
        )
        used = self._used[unit]
        return next((fence for fence in fences if shape(fence) not in used), request)


def _nearest(count: int, most: int) -> Iterable[int]:
    """1 to ``most``, from ``count`` downwards, then upwards."""
    return (*range(min(count, most), 0, -1), *range(count + 1, most + 1))
