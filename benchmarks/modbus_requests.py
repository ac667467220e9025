"""CPU time of a Modbus request of 125 registers, ours and pymodbus's, against the same peer. Prints one JSON line."""

import asyncio
import json
import multiprocessing
import os
import platform
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

from pymodbus.client import AsyncModbusTcpClient

from linecontrol.driver import Traffic
from linecontrol_modbus.link import Link
from linecontrol_modbus.pdu import read_request
from linecontrol_modbus.settings import ModbusConnection
from linecontrol_modbus.tag import Table
from linecontrol_modbus.turns import Rank

REQUESTS, REGISTERS, REPEATS = 4_000, 125, 5
REQUEST_BYTES = 12


def device(port: Connection) -> None:
    """A peer in another process that answers whatever it is asked with 125 registers, for one client after another."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port.send(listener.getsockname()[1])
        data = bytes(2 * REGISTERS)
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            rest = b""
            while more := client.recv(4096):
                rest += more
                answers = []
                while len(rest) >= REQUEST_BYTES:
                    request, rest = rest[:REQUEST_BYTES], rest[REQUEST_BYTES:]
                    answers.append(
                        request[:4] + (3 + len(data)).to_bytes(2) + request[6:8] + bytes((len(data),)) + data
                    )
                client.sendall(b"".join(answers))
            client.close()


async def ours(port: int, depth: int) -> float:
    """CPU seconds for all requests, so many under way at once."""
    link = Link("plc", ModbusConnection(host="127.0.0.1", port=port, in_flight=depth), Traffic())
    await link.connect()
    request = read_request(Table.HOLDING, 0, REGISTERS)
    under_way: deque[asyncio.Future[bytes]] = deque()
    start = time.process_time()
    for _ in range(REQUESTS):
        if len(under_way) == depth:
            await under_way.popleft()
        under_way.append(await link.start(1, request, Rank.CYCLE))
    while under_way:
        await under_way.popleft()
    spent = time.process_time() - start
    await link.close()
    return spent


async def pymodbus(port: int) -> float:
    """CPU seconds for all requests, one after the other: it can't do more at once."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    start = time.process_time()
    for _ in range(REQUESTS):
        answer = await client.read_holding_registers(0, count=REGISTERS)
        assert len(answer.registers) == REGISTERS
    spent = time.process_time() - start
    client.close()
    await asyncio.sleep(0.01)
    return spent


def main() -> None:
    """Measure in turns, so that all suffer alike from what else the machine does, and print the best of each."""
    here, there = multiprocessing.Pipe()
    peer = multiprocessing.get_context("spawn").Process(target=device, args=(there,), daemon=True)
    peer.start()
    port: int = here.recv()
    contestants: dict[str, Callable[[], Awaitable[float]]] = {
        "us_one_in_flight": lambda: ours(port, 1),
        "us_8_in_flight": lambda: ours(port, 8),
        "pymodbus_us": lambda: pymodbus(port),
    }
    best = dict.fromkeys(contestants, float("inf"))

    async def measure() -> None:
        for _ in range(REPEATS):
            for name, contestant in contestants.items():
                best[name] = min(best[name], await contestant())

    asyncio.run(measure())
    peer.kill()
    figures = {name: round(spent / REQUESTS * 1e6, 1) for name, spent in best.items()}
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    print(json.dumps({"benchmark": "modbus_requests", "registers": REGISTERS, **figures, **machine}))


if __name__ == "__main__":
    main()
