"""Carries out commands: writes once, reads back, and reports how it ended. Never writes twice, never late."""

import asyncio
import logging
import math
from collections.abc import Mapping

from linecontrol.clock import Clock
from linecontrol.errors import ConnectionLost, DeviceRefused
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.source import Source
from linecontrol.model import CommandIssued, CommandOutcome, CommandResult, Quality, Value

WRITE_PATIENCE_S = 2.0
"""Real seconds that a device may take to answer a write, and again for the read that verifies it."""

_log = logging.getLogger(__name__)


class Commander:
    """One queue and one worker per connection, so that a dead device delays no other."""

    def __init__(
        self, sources: Mapping[str, Source], connections: Mapping[str, str], inbox: Inbox, clock: Clock
    ) -> None:
        """``connections`` tells the connection of each command signal ``line/station/command_name``."""
        self._sources, self._connections, self._inbox, self._clock = sources, connections, inbox, clock
        self._queues: dict[str, asyncio.Queue[CommandIssued]] = {name: asyncio.Queue() for name in sources}

    def order(self, command: CommandIssued) -> None:
        """Queue a command whose intent is durable. One without a connection is never written, nor reported."""
        connection = self._connections.get(_signal(command))
        if connection is None:
            _log.error("command %s: no connection has %s", command.command, _signal(command))
        else:
            self._queues[connection].put_nowait(command)

    async def run(self, connection: str) -> None:
        """Work for one connection, until cancelled."""
        while True:
            command = await self._queues[connection].get()
            result, text = await self._carry_out(command, self._sources[connection])
            outcome = CommandOutcome(command.command, result, self._clock.now_ns(), text)
            await self._inbox.put([outcome])

    async def _carry_out(self, command: CommandIssued, source: Source) -> tuple[CommandResult, str]:
        left_s = (command.expires_ns - self._clock.now_ns()) / 1e9 / self._clock.speed
        if left_s <= 0:
            return CommandResult.EXPIRED, "its time was over before it could be written"
        if not source.up:
            return CommandResult.REFUSED, f"not written: connection {source.name} is down"
        signal = _signal(command)
        try:
            await source.write({signal: command.value}, min(WRITE_PATIENCE_S, left_s))
        except DeviceRefused as error:
            return CommandResult.REFUSED, str(error)
        except ConnectionLost as error:
            unknown = str(error)
        else:
            unknown = ""
        try:
            reading = (await source.read([signal], WRITE_PATIENCE_S))[0]
        except (ConnectionLost, DeviceRefused) as error:
            return CommandResult.UNKNOWN, unknown or f"written, but not verified: {error}"
        if reading.quality is Quality.GOOD and _same(reading.value, command.value):
            return CommandResult.VERIFIED, ""
        return CommandResult.UNKNOWN, unknown or f"written {command.value}, but the device shows {reading.value!r}"


def _same(shown: Value, written: float) -> bool:
    """Whether a device that keeps floats with fewer bits than we do shows what was written."""
    if isinstance(shown, float):
        return math.isclose(shown, written, rel_tol=1e-6)
    return shown == written


def _signal(command: CommandIssued) -> str:
    return f"{command.line}/{command.station}/command_{command.name}"
