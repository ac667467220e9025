"""Servers that stamp a value anew whenever they look at it: their source times tell of no new reading."""

import asyncio
from collections.abc import Sequence

from asyncua import ua

from linecontrol_opcua import decode
from linecontrol_opcua.session import READ_REQUEST, Session

PAUSE_S = 0.03
"""Time between two looks."""
_CLOSE = 1_000
"""Source and server time are the same if they are so near to each other, in units of 100 ns."""
_MOVED = 50_000
"""A source time that is so much later is another one."""


async def made_up(session: Session, nodes: Sequence[ua.NodeId]) -> set[int]:
    """Places of the nodes whose source time is the time of the look, on each of two looks."""
    first = await _look(session, nodes)
    if not first:
        return set()
    await asyncio.sleep(PAUSE_S)
    again = await _look(session, [nodes[place] for place in first])
    places = list(first)
    return {places[place] for place, time in again.items() if time - first[places[place]] > _MOVED}


async def _look(session: Session, nodes: Sequence[ua.NodeId]) -> dict[int, int]:
    """Source times that are the server time too, by place."""
    found: dict[int, int] = {}
    place = 0
    for request, size in session.encoded_reads(nodes):
        reader = decode.begin(await session.ask(READ_REQUEST, request), decode.READ)
        if reader.count(1) != size:
            msg = f"another number of results for {size} nodes"
            raise ValueError(msg)
        for _ in range(size):
            _, _, _, source, server = reader.data_value()
            if source and abs(server - source) <= _CLOSE:
                found[place] = source
            place += 1
    return found
