"""A whole driver for a device that speaks lines of text over TCP: ``? NAME`` asks, ``= NAME VALUE`` writes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from typing_extensions import override

from linecontrol.driver import (
    ConnectionLost,
    ConnectionSettings,
    DeviceRefused,
    Driver,
    Quality,
    Reading,
    TagSettings,
    Value,
)


class TextConnection(ConnectionSettings):
    """A device that speaks lines of text."""

    host: str
    """Name or address of the device."""
    port: int
    """TCP port."""


class TextTag(TagSettings):
    """A whole number in the device."""

    name: str
    """Its name there."""

    @override
    def places(self) -> frozenset[str]:
        return frozenset({self.name})

    @override
    def value_type(self) -> type[int]:
        return int


class TextDriver(Driver):
    """Asks for every tag twice a second."""

    connection_settings = TextConnection
    tag_settings = TextTag

    @override
    async def connect(self) -> None:
        self._names = {tag.signal: TextTag.model_validate(tag.settings).name for tag in self.tags}
        self._turn, self._sequence = asyncio.Lock(), 0
        settings = TextConnection.model_validate(self.settings)
        try:
            async with asyncio.timeout(2):
                self._reader, self._writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError as error:
            raise ConnectionLost(f"{self.name}: {error}") from error

    @override
    async def readings(self) -> AsyncGenerator[list[Reading], None]:
        shown: dict[str, Value] = {}
        while True:
            batch = await self.read([tag.signal for tag in self.tags if not tag.writable])
            if changed := [new for new in batch if new.signal not in shown or shown[new.signal] != new.value]:
                shown.update({new.signal: new.value for new in changed})
                yield changed
            await self.clock.sleep(0.5)

    @override
    async def read(self, signals: Sequence[str]) -> list[Reading]:
        return [self._reading(signal, await self._ask(f"? {self._names[signal]}")) for signal in signals]

    @override
    async def write(self, values: Mapping[str, Value]) -> None:
        for signal, value in values.items():
            if (answer := await self._ask(f"= {self._names[signal]} {value}")) != "ok":
                raise DeviceRefused(f"{self.name}: {signal}: {answer}")

    @override
    async def close(self) -> None:
        if hasattr(self, "_writer"):
            self._writer.transport.abort()

    def _reading(self, signal: str, text: str) -> Reading:
        self._sequence += 1
        now, known = self.clock.now_ns(), text.lstrip("-").isdecimal()
        quality = Quality.GOOD if known else Quality.BAD
        return Reading(signal, int(text) if known else None, quality, now, now, int(not known), self._sequence)

    async def _ask(self, line: str) -> str:
        try:
            async with self._turn, asyncio.timeout(2):
                self._writer.write(f"{line}\n".encode())
                answer = await self._reader.readline()
        except OSError as error:  # a TimeoutError is one
            self._writer.transport.abort()
            raise ConnectionLost(f"{self.name}: no answer {error}") from error
        if not answer.endswith(b"\n"):
            raise ConnectionLost(f"{self.name}: the device hung up")
        return answer.decode(errors="replace").strip()
