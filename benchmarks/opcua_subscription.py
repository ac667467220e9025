"""CPU per value through a subscription, ours against plain asyncua's. Prints one JSON line.

Run from the root of the repository: ``python -m benchmarks.opcua_subscription [NODES]``.
"""

import asyncio
import gc
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from asyncua.client.client import Client

from benchmarks.opcua_peer import FIRST_NODE
from linecontrol.clock import SystemClock
from linecontrol.driver import Tag
from linecontrol_opcua import OpcuaDriver
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag

OURS, THEIRS = 200, 20
"""Messages with a value of every node."""


@contextmanager
def peer(nodes: int, messages: int) -> Iterator[int]:
    """The port of a server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.opcua_peer", str(nodes), str(messages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        assert process.stdin is not None
        process.stdin.close()


def driver(port: int, nodes: int) -> OpcuaDriver:
    """A driver of as many signals."""
    settings = OpcuaConnection(url=f"opc.tcp://127.0.0.1:{port}")
    tags = [
        Tag(f"l/s/t{n}", OpcuaTag.model_validate({"node": f"ns=1;i={FIRST_NODE + n}", "type": "double"}))
        for n in range(nodes)
    ]
    return OpcuaDriver("plc", settings, tags, SystemClock())


def machine() -> dict[str, object]:
    """Where it was measured."""
    return {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}


async def ours_us(port: int, nodes: int) -> float:
    """Microseconds of CPU per value with the driver, of the better of several stretches."""
    plc = driver(port, nodes)
    try:
        await plc.connect()
        gc.collect()
        gc.freeze()
        count, start, stretches, readings = 0, 0.0, [], plc.readings()
        async for batch in readings:
            count += len(batch)
            if count == nodes * OURS // 5:
                if start:
                    stretches.append((time.process_time() - start) / count)
                start, count = time.process_time(), 0
            if len(stretches) == 4:
                break
        await readings.aclose()
    finally:
        await plc.close()
    return min(stretches) * 1e6


class _Handler:
    """Counts, as little work as a handler can do."""

    def __init__(self, enough: int) -> None:
        self.left = enough
        self.done = asyncio.Event()

    def datachange_notification(self, *_: object) -> None:
        """One value."""
        self.left -= 1
        if not self.left:
            self.done.set()


async def theirs_us(port: int, nodes: int) -> float:
    """Microseconds of CPU per value with asyncua's own handler."""
    async with Client(f"opc.tcp://127.0.0.1:{port}", timeout=30) as client:
        handler = _Handler(nodes * THEIRS)
        subscription = await client.create_subscription(100, handler)
        start = time.process_time()
        wanted = [client.get_node(f"ns=1;i={FIRST_NODE + n}") for n in range(nodes)]
        for first in range(0, nodes, 500):
            await subscription.subscribe_data_change(wanted[first : first + 500])
        await handler.done.wait()
        return (time.process_time() - start) / (nodes * THEIRS) * 1e6


def main() -> None:
    """Measure and print."""
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with peer(nodes, OURS + 1) as port:
        ours = asyncio.run(ours_us(port, nodes))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    with peer(nodes, THEIRS) as port:
        theirs = asyncio.run(theirs_us(port, nodes))
    figures = {"nodes": nodes, "us_per_value": round(ours, 3), "asyncua_us_per_value": round(theirs, 2)}
    ratio = {"times_faster": round(theirs / ours, 1), "rss_mb": rss}
    print(json.dumps({"benchmark": "opcua_subscription", **figures, **ratio, **machine()}))


if __name__ == "__main__":
    main()
