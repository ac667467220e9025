"""Looks around in a Modbus device for commissioning: reads only, slowly, one request at a time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError
from typing_extensions import override

from linecontrol.driver import ConnectionLost, Finding, Probe, Traffic
from linecontrol_modbus.guess import guesses
from linecontrol_modbus.link import Link
from linecontrol_modbus.pdu import EXCEPTIONS, Refused, Silent
from linecontrol_modbus.settings import ModbusConnection, Transport
from linecontrol_modbus.tag import PLACES, Order, Table, WordType

USAGE = "write modbus://HOST[:PORT][?unit=1-10&table=holding,input&range=0-200&rate=20&transport=tcp&timeout=500ms]"
DEFAULTS = {
    "unit": "1-10",
    "table": "holding,input",
    "range": "0-200",
    "rate": "20",
    "transport": "tcp",
    "timeout": "500ms",
}
REGISTERS, BITS = 25, 200
"""Places that are asked for at once."""

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
NO_UNIT = (10, 11)
FASTEST = 200
_LONGEST_VALUE = 32
RECONNECT_S = (0.5, 2.0)
"""A device that has hung up may need so long to take a connection again."""


class _Skip(Exception):
    """There is nothing more to be had of a table."""


class ModbusProbe(Probe):
    """Sweeps unit ids, tables and ranges; shows how each place that isn't 0 may be read."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        """Do no I/O. ``options`` and the query of ``url`` say the same things.

        Raises:
            ValueError: the address or an option is wrong; the text says what is right.
        """
        super().__init__(url, options)
        parts = urlsplit(url)
        given = {**DEFAULTS, **dict(parse_qsl(parts.query)), **options}
        if parts.scheme != "modbus" or not parts.hostname or given.keys() != DEFAULTS.keys():
            raise _wrong(url, ", ".join(sorted(given.keys() - DEFAULTS.keys())) or url)
        try:
            self._units = _range(given["unit"], 255)
            self._places = _range(given["range"], PLACES - 1)
            self._tables = [Table(name) for name in given["table"].split(",")]
            rate = float(given["rate"])
            if not 0 < rate <= FASTEST:
                raise _wrong(url, f"rate {given['rate']} is none from 0 to {FASTEST} a second")
            settings = {"host": parts.hostname, "port": parts.port, "transport": given["transport"]}
            self._settings = ModbusConnection.model_validate(
                {**settings, "timeout": given["timeout"], "delay": f"{1000 / rate:.3f}ms"}
            )
        except ValidationError as error:
            raise _wrong(url, error.errors()[0]["msg"]) from error
        except ValueError as error:
            raise _wrong(url, str(error)) from error
        if self._settings.transport not in (Transport.TCP, Transport.RTU_OVER_TCP):
            raise _wrong(url, f"transport {given['transport']} can't be probed: tcp and rtu_over_tcp can")
        self._link: Link | None = None

    @override
    def connection(self) -> Mapping[str, object]:
        settings = self._settings
        found: dict[str, object] = {"driver": "modbus", "host": settings.host, "port": settings.endpoint()[1]}
        return found if settings.transport is Transport.TCP else {**found, "transport": settings.transport.value}

    @override
    async def look(self, progress: Callable[[float, str], None]) -> AsyncGenerator[Finding, None]:
        try:
            await self._connected()
            for number, unit in enumerate(self._units):
                with suppress(Silent):
                    for step, table in enumerate(self._tables):
                        base = number + step / len(self._tables)
                        with suppress(_Skip):
                            async for finding in self._table(unit, table, base, progress):
                                yield finding
            progress(1.0, "done")
        finally:
            if self._link is not None:
                await self._link.close()

    async def _table(
        self, unit: int, table: Table, base: float, progress: Callable[[float, str], None]
    ) -> AsyncGenerator[Finding, None]:
        """Findings of one table of a unit.

        Raises:
            Silent: there is no such unit.
            _Skip: there is no such table.
        """
        held: dict[int, int] = {}
        first, last = self._places[0], self._places[-1] + 1
        size = BITS if table.of_bits else REGISTERS
        end: Silent | _Skip | None = None
        for address in range(first, last, size):
            share = (base + (address - first) / (last - first) / len(self._tables)) / len(self._units)
            progress(min(share, 1.0), f"unit {unit} {table.value} {address}")
            try:
                held |= await self._read(unit, table, address, min(size, last - address))
            except (Silent, _Skip) as error:
                end = error
                break
        for address in sorted(held):
            for finding in _findings(unit, table, address, held):
                yield finding
        if end is not None:
            raise end

    async def _read(self, unit: int, table: Table, address: int, count: int) -> dict[int, int]:
        """What the places hold that can be read; halves if they can't be read at once."""
        try:
            link = await self._connected()
            data = await link.read(unit, table, address, count)
        except ConnectionLost as lost:  # some devices hang up when they are asked for a unit that they don't have
            msg = f"unit {unit}: {lost}"
            await self._reconnect()
            raise Silent(msg) from lost
        except Refused as refused:
            if refused.code in NO_UNIT:
                raise Silent(EXCEPTIONS[refused.code]) from refused
            if refused.code == ILLEGAL_FUNCTION:
                raise _Skip from refused
            if refused.code not in (ILLEGAL_ADDRESS, ILLEGAL_VALUE) or count == 1:
                return {}
            half = count // 2
            held = await self._read(unit, table, address, half)
            return held | await self._read(unit, table, address + half, count - half)
        if table.of_bits:
            return {address + n: data[n >> 3] >> (n & 7) & 1 for n in range(count)}
        return {address + n: int.from_bytes(data[2 * n : 2 * n + 2]) for n in range(count)}

    async def _connected(self) -> Link:
        if self._link is None:
            self._link = Link("probe", self._settings, Traffic())
            await self._link.connect()
        return self._link

    async def _reconnect(self) -> None:
        if self._link is not None:
            await self._link.close()
        for wait_s in (self._settings.delay / 1e9, *RECONNECT_S):
            self._link = None
            await asyncio.sleep(wait_s)
            try:
                await self._connected()
            except ConnectionLost:
                if wait_s == RECONNECT_S[-1]:
                    raise
            else:
                return


def _findings(unit: int, table: Table, address: int, held: Mapping[int, int]) -> Iterator[Finding]:
    path = (f"unit {unit}", table.value, str(address))
    if table.of_bits:
        if held[address]:
            yield Finding(path=path, tag={"unit": unit, table.value: address}, kind="bit", value="on")
        return
    words = [held[address]]
    while address + len(words) in held and len(words) < _LONGEST_VALUE:
        words.append(held[address + len(words)])
    for guess in guesses(words):
        tag: dict[str, object] = {"unit": unit, table.value: address}
        kind = guess.type.value
        if guess.type is not WordType.UINT16:
            tag["type"] = guess.type.value
        if guess.length:
            tag["length"] = guess.length
        if guess.order is not Order.ABCD:
            tag["order"] = guess.order.value
        if guess.type.bits > 16 or guess.order is not Order.ABCD:
            kind = f"{kind} {guess.order.value}"
        yield Finding(path=path, tag=tag, kind=kind, value=guess.value)


def _range(text: str, most: int) -> range:
    """``3`` or ``1-10``, both ends included."""
    first, _, last = text.partition("-")
    found = range(int(first), int(last or first) + 1)
    if not found or found[0] < 0 or found[-1] > most:
        msg = f"{text} is no range from 0 to {most}, such as 1-10"
        raise ValueError(msg)
    return found


def _wrong(url: str, what: str) -> ValueError:
    return ValueError(f"{what}: {USAGE}" if what == url else f"{url}: {what}; {USAGE}")
