"""One connection's lives: make it, read it, and when it breaks make a new one after a while.

A driver never retries; here is where that is done, with a new driver for each life.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TypeVar

import msgspec
from msgspec import Struct

from linecontrol.clock import Clock
from linecontrol.driver import Driver, Traffic
from linecontrol.errors import ConnectionLost, DeviceRefused
from linecontrol.gateway.inbox import Inbox
from linecontrol.model import ConnectionHealth, LinkChange, Quality, Reading, Value

SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.5, 8.0
"""Bounds of the back-off between two lives: a device that returns is seen within the longer one."""

STEADY_S = 10.0
"""A life that was up for so many real seconds starts the back-off afresh; a link that flaps does not."""

CONNECT_PATIENCE_S = 20.0
"""What a connection may take to be made: a slow PLC needs some seconds to create hundreds of items."""

CLOSE_PATIENCE_S = 3.0
"""What a driver may take to close before it is left behind."""

CLOCK_TOLERANCE_S = 300.0
"""Source times further than this from the gateway's clock (real seconds) are not believed."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class End(Struct, frozen=True):
    """How a life ended. ``up_s``: real seconds for which the link was up, ``None`` if it never was."""

    reason: str
    up_s: float | None
    fault: BaseException | None = None
    """What the driver raised that no driver may raise."""


class Source:
    """Keeps one connection alive and hands over what it reads."""

    def __init__(
        self,
        name: str,
        new_driver: Callable[[], Driver],
        inbox: Inbox,
        clock: Clock,
        *,
        warnings: Sequence[str] = (),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``new_driver`` makes a driver that has not been used; ``sleep`` is in real time.

        ``warnings`` say what is unsafe about the connection as configured.
        """
        self.name = name
        self.up = False
        self.lives = 0
        self.disbelieved = 0
        self.readings = self.batches = 0
        self.last_good_ns: int | None = None
        self._latest_ns = 0
        self.warnings = list(warnings)
        self._carried = Traffic()
        self._new_driver, self._inbox, self._clock, self._sleep = new_driver, inbox, clock, sleep
        self._driver: Driver | None = None
        self._random = random.Random()  # noqa: S311 - jitter

    @property
    def health(self) -> ConnectionHealth:
        """How the connection is, and what it has carried in all its lives."""
        carried = self._carried.plus(self._driver.traffic if self._driver else Traffic())
        return ConnectionHealth(
            up=self.up,
            lives=self.lives,
            readings=self.readings,
            batches=self.batches,
            disbelieved=self.disbelieved,
            gaps=carried.gaps,
            refused=carried.refused,
            late_answers=carried.late_answers,
            misfits=carried.misfits,
            bytes_received=carried.bytes_received,
            bytes_sent=carried.bytes_sent,
            last_good_ns=self.last_good_ns,
            skew_s=None if carried.skew_ns is None else carried.skew_ns / 1e9,
            warnings=self.warnings,
        )

    async def run(self) -> None:
        """Live after life, until cancelled."""
        wait_s = SHORTEST_WAIT_S
        told = ""
        while True:
            self.lives += 1
            told, up_s = await self._live(told)
            if up_s is not None and up_s >= STEADY_S:
                wait_s = SHORTEST_WAIT_S
            await self._sleep(wait_s * self._random.uniform(0.7, 1.0))
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def write(self, values: Mapping[str, Value], patience_s: float) -> None:
        """Write once.

        Raises:
            ConnectionLost: there is no link, or no answer came in time; in the latter case nobody knows.
            DeviceRefused: the device refused.
        """
        await self._within(patience_s, "a write", self._require().write(values))

    async def read(self, signals: list[str], patience_s: float) -> list[Reading]:
        """Read once, now; one reading for each signal, in order.

        Raises:
            ConnectionLost: there is no link, or no answer came in time.
            DeviceRefused: the device refused.
        """
        readings = await self._within(patience_s, "a read", self._require().read(signals))
        if [reading.signal for reading in readings] != signals:
            msg = f"{self.name}: the answer to a read does not fit it"
            raise ConnectionLost(msg)
        return readings

    def _require(self) -> Driver:
        if self._driver is None or not self.up:
            msg = f"{self.name}: the link is down"
            raise ConnectionLost(msg)
        return self._driver

    async def _live(self, told: str) -> tuple[str, float | None]:
        """One life. ``told``: why the link is known to be down; why it is now, and for how long it was up."""
        driver: Driver | None = None
        try:
            try:
                driver = self._new_driver()
            except Exception as error:  # noqa: BLE001 - whatever a stranger's driver raises
                end = self._failed(error, None)
            else:
                end = await self._read_on(driver)
            self.up, self._driver = False, None
            if end.up_s is not None or end.reason != told:
                _log.warning("connection %s is down: %s", self.name, end.reason, exc_info=end.fault)
                down = LinkChange(self.name, up=False, at_ns=self._clock.now_ns(), reason=end.reason)
                await self._inbox.put([down])
        finally:
            self.up, self._driver = False, None
            if driver is not None:
                self._carried = self._carried.plus(driver.traffic)
                await self._close(driver)
        return end.reason, end.up_s

    async def _read_on(self, driver: Driver) -> End:
        """Connect and hand over what is read, until it ends in whatever way."""
        up_ns: int | None = None
        end: End | None = None
        try:
            await self._within(CONNECT_PATIENCE_S, "connecting", driver.connect())
            warning = " ".join(self.warnings)
            await self._inbox.put([LinkChange(self.name, up=True, at_ns=self._clock.now_ns(), warning=warning)])
            up_ns = self._clock.now_ns()
            self.up, self._driver = True, driver
            _log.info("connection %s is up", self.name)
            async with aclosing(driver.readings()) as batches:
                async for batch in batches:
                    await self._inbox.put(self._sound(batch))
                    if _cancelled():  # a library swallowed it
                        break
        except (ConnectionLost, DeviceRefused) as error:
            end = End(str(error), self._since(up_ns))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever a stranger's driver raises
            end = self._failed(error, up_ns)
        if _cancelled():  # also if the driver swallowed it, or raised something else instead
            raise asyncio.CancelledError
        return end or End(f"{self.name}: the connection ended", self._since(up_ns))

    def _since(self, up_ns: int | None) -> float | None:
        return None if up_ns is None else (self._clock.now_ns() - up_ns) / 1e9 / self._clock.speed

    def _failed(self, fault: BaseException, up_ns: int | None) -> End:
        return End(f"{self.name}: the driver failed ({_words(fault)})", self._since(up_ns), fault)

    async def _within(self, patience_s: float, what: str, work: Awaitable[_T]) -> _T:
        """The driver's answer, or one of the two errors that it may raise."""
        patience = asyncio.timeout(patience_s)
        try:
            async with patience:
                answer = await work
                if _cancelled():  # a library swallowed it
                    raise asyncio.CancelledError
                return answer
        except (ConnectionLost, DeviceRefused):
            raise
        except (Exception, asyncio.CancelledError) as error:
            if _cancelled():
                raise asyncio.CancelledError from error
            if isinstance(error, TimeoutError) and patience.expired():
                msg = f"{self.name}: no answer to {what} within {patience_s:g} s"
            else:
                _log.exception("driver of connection %s failed at %s", self.name, what)
                msg = f"{self.name}: the driver failed at {what} ({_words(error)})"
            raise ConnectionLost(msg) from error

    async def _close(self, driver: Driver) -> None:
        try:
            async with asyncio.timeout(CLOSE_PATIENCE_S):
                await driver.close()
        except (Exception, asyncio.CancelledError) as error:
            if _cancelled():
                raise asyncio.CancelledError from error
            _log.warning("driver of connection %s did not close: %s", self.name, _words(error))

    def _sound(self, batch: list[Reading]) -> list[Reading]:
        """What can't be right is replaced, and counted: a source time by that of receipt, a value by none.

        Times of receipt don't go back if our own clock is set back; no reading is late for that.
        """
        self.batches += 1
        self.readings += len(batch)
        tolerance_ns = int(CLOCK_TOLERANCE_S * self._clock.speed * 1e9)
        sound = []
        for reading in batch:
            if reading.receive_ns < self._latest_ns:
                reading = _received(reading, self._latest_ns)
            self._latest_ns = reading.receive_ns
            believed = reading
            if abs(reading.receive_ns - reading.source_ns) > tolerance_ns:
                believed = msgspec.structs.replace(believed, source_ns=reading.receive_ns)
            if not _storable(reading.value):
                believed = msgspec.structs.replace(believed, value=None, quality=Quality.BAD)
            self.disbelieved += believed is not reading
            if believed.quality is Quality.GOOD:
                self.last_good_ns = believed.receive_ns
            sound.append(believed)
        return sound


def _received(reading: Reading, at_ns: int) -> Reading:
    source_ns = at_ns if reading.source_ns == reading.receive_ns else reading.source_ns
    return msgspec.structs.replace(reading, source_ns=source_ns, receive_ns=at_ns)


def _storable(value: Value) -> bool:
    """Whether the journal can keep the value and give it back as it is."""
    kind = type(value)
    if kind is int:
        return -(2**63) <= value < 2**64  # type: ignore[operator]
    if kind is str:
        return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)  # type: ignore[union-attr]
    return value is None or kind is bool or kind is float


def _cancelled() -> bool:
    """Whether somebody wants this task to end; drivers' libraries also raise ``CancelledError`` for nothing."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
