"""CPU per value of a read of many nodes, ours against plain asyncua's. Prints one JSON line.

Run from the root of the repository: ``python -m benchmarks.opcua_read [NODES]``.
"""

import asyncio
import gc
import json
import sys
import time

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.attribute_ids import AttributeIds

from benchmarks.opcua_peer import FIRST_NODE
from benchmarks.opcua_subscription import driver, machine, peer

OURS, THEIRS = 100, 20
"""Reads of all nodes."""


async def ours_us(port: int, nodes: int) -> float:
    """Microseconds of CPU per value with the driver, of the best of some rounds."""
    plc = driver(port, nodes)
    signals = [tag.signal for tag in plc.tags]
    try:
        await plc.connect()
        await plc.read(signals)
        gc.collect()
        gc.freeze()
        rounds = []
        for _ in range(4):
            start = time.process_time()
            for _ in range(OURS):
                await plc.read(signals)
            rounds.append((time.process_time() - start) / (OURS * nodes))
    finally:
        await plc.close()
    return min(rounds) * 1e6


async def theirs_us(port: int, nodes: int) -> float:
    """Microseconds of CPU per value with asyncua's client."""
    async with Client(f"opc.tcp://127.0.0.1:{port}", timeout=30) as client:
        ids = [ua.NodeId(ua.Int32(FIRST_NODE + n), ua.Int16(1)) for n in range(nodes)]
        await client.uaclient.read_attributes(ids, AttributeIds.Value)
        start = time.process_time()
        for _ in range(THEIRS):
            await client.uaclient.read_attributes(ids, AttributeIds.Value)
        return (time.process_time() - start) / (THEIRS * nodes) * 1e6


def main() -> None:
    """Measure and print."""
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with peer(nodes, 0) as port:
        ours = asyncio.run(ours_us(port, nodes))
    with peer(nodes, 0) as port:
        theirs = asyncio.run(theirs_us(port, nodes))
    figures = {"nodes": nodes, "us_per_value": round(ours, 3), "asyncua_us_per_value": round(theirs, 2)}
    print(json.dumps({"benchmark": "opcua_read", **figures, "times_faster": round(theirs / ours, 1), **machine()}))


if __name__ == "__main__":
    main()
