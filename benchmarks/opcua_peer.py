"""A server for the benchmarks, in a process of its own: it answers at once, with what it has encoded before.

Run with the number of nodes and of messages; it prints its port and serves until its input is closed.
"""

import asyncio
import struct
import sys
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from typing_extensions import override

from tests.drivers.opcua.rogue import FIRST, Link, Rogue, value

_MARK = 0x7A7B7C7D


class Peer(Rogue):
    """Publishes a new value of every node in each message, as long as there are messages left."""

    def __init__(self, nodes: int, messages: int) -> None:
        super().__init__()
        self.values = {number: value(number * 1.25, number) for number in range(nodes)}
        self._messages, self._left = messages, 0
        self._message = self._read = b""

    @override
    def on_CreateMonitoredItems(self, link: Link, request: Any) -> Any:
        self._left, self.sequence = self._messages, 0
        response = super().on_CreateMonitoredItems(link, request)
        items = [ua.MonitoredItemNotification(ua.UInt32(handle), self.values[n]) for handle, n in self.handles.items()]
        message = ua.NotificationMessage(ua.UInt32(_MARK))
        message.NotificationData = [ua.DataChangeNotification(MonitoredItems=items)]
        result = ua.PublishResult(ua.UInt32(77), NotificationMessage=message, MoreNotifications=False)
        self._message = struct_to_binary(ua.PublishResponse(Parameters=result))
        if len(self.handles) >= len(self.values):
            waiting, self.waiting = self.waiting, []
            for there, number, handle in waiting:
                there.answer(number, handle, self._next())
        return response

    def _next(self) -> bytes:
        self._left -= 1
        self.sequence += 1
        return self._message.replace(struct.pack("<I", _MARK), struct.pack("<I", self.sequence), 1)

    @override
    def on_CreateSubscription(self, link: Link, request: Any) -> Any:
        self.handles.clear()
        return super().on_CreateSubscription(link, request)

    @override
    def on_Publish(self, link: Link, request: Any) -> Any:
        if self._left > 0 and len(self.handles) >= len(self.values):
            return self._next()
        return super().on_Publish(link, request)

    @override
    def on_Read(self, link: Link, request: Any) -> Any:
        if len(request.Parameters.NodesToRead) < 100 or not request.Parameters.NodesToRead[0].NodeId.NamespaceIndex:
            return super().on_Read(link, request)
        self._read = self._read or struct_to_binary(super().on_Read(link, request))
        return self._read


async def main() -> None:
    """Serve until the input is closed."""
    peer = Peer(int(sys.argv[1]), int(sys.argv[2]))
    async with peer.serve():
        print(peer.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


FIRST_NODE = FIRST

if __name__ == "__main__":
    asyncio.run(main())
