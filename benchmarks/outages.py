"""What outages of the network cost, by OPC UA and by Modbus TCP. Prints one JSON line.

A counter at a simulated PLC in a process of its own is read through a proxy that freezes or cuts its connections from
time to time. Run from the root of the repository: ``python -m benchmarks.outages [--outages N] [--seed N]``.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from linecontrol.clock import SystemClock
from linecontrol.driver import ConnectionSettings, Driver, PlcServer, Quality, Reading, Tag
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.source import SHORTEST_WAIT_S, Source
from linecontrol.model import LinkChange
from linecontrol_modbus import ModbusDriver
from linecontrol_modbus.server import ModbusPlcServer
from linecontrol_modbus.settings import ModbusConnection, ModbusTag
from linecontrol_opcua import OpcuaDriver
from linecontrol_opcua.server import OpcuaPlcServer
from linecontrol_opcua.settings import OpcuaConnection, OpcuaTag

SHORTEST_S, LONGEST_S = 0.1, 3.0
"""Bounds of an outage."""
BREATH_S = (0.5, 1.5)
"""Bounds of the time from data to the next outage."""
PATIENCE_S = 20.0
"""So long data is waited for after an outage."""
STEP_S = {"opcua": 0.05, "modbus": 0.02}
COUNTER = "l/s/counter"
CLOCK = SystemClock()


def settings_of(kind: str, port: int) -> tuple[ConnectionSettings, Tag]:
    """A connection to a port of loopback, and its only signal."""
    if kind == "opcua":
        opcua = OpcuaConnection.model_validate({"url": f"opc.tcp://127.0.0.1:{port}", "queue": 100})
        return opcua, Tag(COUNTER, OpcuaTag.model_validate({"node": "ns=2;s=n", "type": "uint32", "sampling": "50ms"}))
    modbus = ModbusConnection.model_validate({"host": "127.0.0.1", "port": port, "poll": "20ms", "timeout": "1s"})
    return modbus, Tag(COUNTER, ModbusTag.model_validate({"holding": 0, "type": "uint32"}))


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def serve(kind: str) -> None:
    """Count until the input is closed; then print how many sessions there are."""
    port = free_port()
    settings, tag = settings_of(kind, port)
    server: PlcServer = (OpcuaPlcServer if kind == "opcua" else ModbusPlcServer)("plc", settings, [tag], CLOCK)
    await server.start()
    print(port, flush=True)
    end = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    number = 0
    while not end.done():
        number += 1
        now_ns = CLOCK.now_ns()
        await server.publish([Reading(COUNTER, number, Quality.GOOD, now_ns, now_ns)])
        await asyncio.sleep(STEP_S[kind])
    inner = server._server if isinstance(server, OpcuaPlcServer) else None  # noqa: SLF001
    print(len(inner.iserver._external_sessions) if inner else 0, flush=True)  # noqa: SLF001
    await server.close()


@contextmanager
def peer(kind: str) -> Iterator[tuple[int, Callable[[], int]]]:
    """The port of a server in a process of its own, and what ends it and tells how many sessions were left."""
    command = [sys.executable, "-m", "benchmarks.outages", "--serve", kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def sessions() -> int:
            stdin.close()
            return int(stdout.readline())

        try:
            yield int(stdout.readline()), sessions
        finally:
            stdin.close()


class Proxy:
    """Passes bytes on, unless the network is out."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)

    async def outage(self, seconds: float, *, cut: bool) -> None:
        """Cut: connections are reset, new ones refused. Else nothing passes; what was sent comes when it is over."""
        if cut:
            await self.close()
            await asyncio.sleep(seconds)
            await self.open()
        else:
            self._thawed.clear()
            await asyncio.sleep(seconds)
            self._thawed.set()

    async def close(self) -> None:
        """Reset everything and refuse what is new."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._thawed.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            try:
                await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            finally:
                back.transport.abort()
                self._writers.discard(back)
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._thawed.wait()
            writer.write(data)
            await writer.drain()
        await self._thawed.wait()
        raise ConnectionResetError  # both directions end together


@dataclass
class Count:
    """What came, and when, in the event loop's time."""

    good: int = 0
    lost: int = 0
    lost_unmarked: int = 0
    doubled: int = 0
    backwards: int = 0
    lives_ended: int = 0
    last: int = 0
    marked: bool = True
    data: asyncio.Event = field(default_factory=asyncio.Event)
    doubt: asyncio.Event = field(default_factory=asyncio.Event)
    doubt_at: float = 0.0
    out_of_order: list[tuple[int, int]] = field(default_factory=list)

    def take(self, seen: object) -> None:
        """Count an observation."""
        if isinstance(seen, LinkChange):
            self.lives_ended += not seen.up
            self._doubt(marked=not seen.up)
        elif isinstance(seen, Reading) and isinstance(seen.value, int):
            self._doubt(marked=seen.quality is not Quality.GOOD)
            self._value(seen.value)
        elif isinstance(seen, Reading):
            self._doubt(marked=True)

    def _doubt(self, *, marked: bool) -> None:
        self.marked |= marked
        if marked and not self.doubt.is_set():
            self.doubt.set()
            self.doubt_at = asyncio.get_running_loop().time()

    def _value(self, value: int) -> None:
        self.good += 1
        if self.last:
            missing = max(0, value - self.last - 1)
            self.lost += missing
            self.lost_unmarked += 0 if self.marked else missing
            self.doubled += value == self.last
            self.backwards += value < self.last
        self.last, self.marked = max(self.last, value), False
        self.data.set()


@asynccontextmanager
async def reading_on(kind: str, port: int, count: Count) -> AsyncIterator[Source]:
    """A gateway's source that is read on; its back-off stays at the first step, for outages come close together."""
    inbox = Inbox()
    settings, tag = settings_of(kind, port)
    kinds: dict[str, type[Driver]] = {"opcua": OpcuaDriver, "modbus": ModbusDriver}

    async def pause(seconds: float) -> None:
        await asyncio.sleep(min(seconds, SHORTEST_WAIT_S))

    source = Source("plc", lambda: kinds[kind]("plc", settings, [tag], CLOCK), inbox, CLOCK, sleep=pause)

    async def consume() -> None:
        while True:
            await inbox.filled(1.0)
            for arrival in inbox.take():
                for seen in arrival.observations:
                    count.take(seen)

    tasks = [asyncio.create_task(source.run()), asyncio.create_task(consume())]
    try:
        yield source
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def suffer(kind: str, outages: int, seed: int) -> dict[str, object]:
    """What so many outages cost."""
    chance, loop = random.Random(seed), asyncio.get_running_loop()  # noqa: S311 - no secret
    shown, again, unnoticed, never = [], [], [], 0
    ended = {"freeze": 0, "cut": 0}
    with peer(kind) as (target, sessions):
        proxy, count = Proxy(target), Count()
        await proxy.open()
        async with reading_on(kind, proxy.port, count) as source:
            async with asyncio.timeout(PATIENCE_S):
                await count.data.wait()
            for _ in range(outages):
                await asyncio.sleep(chance.uniform(*BREATH_S))
                seconds, cut = chance.uniform(SHORTEST_S, LONGEST_S), chance.random() < 0.5
                count.doubt.clear()
                ended_before, start = count.lives_ended, loop.time()
                await proxy.outage(seconds, cut=cut)
                count.data.clear()
                end = loop.time()
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await count.data.wait()
                    again.append(loop.time() - end)
                except TimeoutError:
                    never += 1
                if count.doubt.is_set():
                    shown.append(count.doubt_at - start)
                else:
                    unnoticed.append(loop.time() - start)
                ended["cut" if cut else "freeze"] += count.lives_ended > ended_before
            await asyncio.sleep(1)
            gaps = source.health.gaps
        await proxy.close()
        left = await asyncio.to_thread(sessions)
    figures: dict[str, object] = {
        "values": count.good,
        "gaps_counted": gaps,
        "outages_that_ended_a_life": ended,
        "no_data_after": never,
        "data_after_s": _spread(again),
        "backwards": count.backwards,
    }
    if kind == "opcua":
        lost = {"lost": count.lost, "lost_unmarked": count.lost_unmarked, "doubled": count.doubled}
        return {**figures, **lost, "sessions_left": left}
    return {
        **figures,
        "dead_shown_after_s": _spread(shown),
        "not_shown": len(unnoticed),
        "unseen_s": _spread(unnoticed),
    }


def _spread(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    middle, most = statistics.median(seconds), max(seconds)
    return {"median": round(middle, 3), "max": round(most, 3)}


async def measure(outages: int, seed: int) -> dict[str, object]:
    """Both at the same time, each with outages of its own."""
    bound_s = 60 + outages * (LONGEST_S + BREATH_S[1] + 2)
    async with asyncio.timeout(bound_s):
        opcua, modbus = await asyncio.gather(suffer("opcua", outages, seed), suffer("modbus", outages, seed + 1))
    return {"opcua": opcua, "modbus": modbus}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", choices=["opcua", "modbus"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    start = time.monotonic()
    figures = asyncio.run(measure(options.outages, options.seed))
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}
    took = {"outages": options.outages, "seed": options.seed, "seconds": round(time.monotonic() - start)}
    print(json.dumps({"benchmark": "outages", **took, **figures, **machine}))


if __name__ == "__main__":
    main()
