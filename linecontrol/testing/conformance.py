"""Whether a driver keeps the contract of ``linecontrol.driver``, tried against a device that speaks its protocol."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, Protocol

from msgspec import Struct

from linecontrol.driver import ConnectionLost, Driver, Quality, Reading, Value, Write

CLOSE_S = 2.0
"""What the contract gives ``close``, in real seconds."""

SAMPLES: Mapping[type, Sequence[Value]] = {
    bool: (False, True, False),
    int: (1, 2, 3),
    float: (1.0, 2.5, 4.0),
    str: ("A1", "B2", "C3"),
}
"""Values that are published one after the other, by type; each differs from the one before."""


class Device(Protocol):
    """What is asked of the device: a ``linecontrol.driver.PlcServer`` has it all."""

    async def start(self) -> None:
        """Be there."""

    async def publish(self, readings: Sequence[Reading]) -> None:
        """Make these the present values."""

    def writes(self) -> list[Write]:
        """What was written since the last call."""

    async def close(self) -> None:
        """Be gone, connections and all."""


class Nonconformity(AssertionError):
    """Where the driver breaks the contract. ``findings`` has a line for each."""

    def __init__(self, findings: Sequence[str]) -> None:
        """Take them in the order in which they were found."""
        super().__init__("the driver breaks its contract:\n" + "\n".join(f"- {finding}" for finding in findings))
        self.findings = list(findings)


async def check_driver(
    new_driver: Callable[[], Driver],
    new_device: Callable[[], Device],
    *,
    bad: Collection[str] = (),
    samples: Mapping[str, Sequence[Value]] | None = None,
    patience_s: float = 10.0,
) -> None:
    """Try the driver against its device.

    ``new_driver`` and ``new_device`` make a fresh one each time, for the same address, at which nobody else listens.
    ``bad`` are signals of the driver's tags that the device doesn't have. ``samples`` are at least two values for a
    signal, where those of ``SAMPLES`` don't fit. ``patience_s`` is what anything may take, in real seconds.

    Raises:
        Nonconformity: the driver breaks its contract; all that was found.
    """
    check = _Check(new_driver, new_device, frozenset(bad), samples or {}, patience_s)
    for trial in (check.nobody_there, check.unused, check.cancelled, check.life, check.gone):
        await check.run(trial)
    if check.findings:
        raise Nonconformity(check.findings)


class _Stop(Exception):
    """A trial can't go on; what was found is noted."""


class _Check(Struct):
    new_driver: Callable[[], Driver]
    new_device: Callable[[], Device]
    bad: frozenset[str]
    samples: Mapping[str, Sequence[Value]]
    patience_s: float
    findings: list[str] = []

    async def run(self, trial: Callable[[], Coroutine[Any, Any, None]]) -> None:
        before = asyncio.all_tasks()
        try:
            await trial()
        except _Stop:
            pass
        except Exception as error:  # noqa: BLE001 - whatever a stranger's driver raises
            self.findings.append(f"{trial.__name__}: unexpected {type(error).__name__}: {error}")
        if left := asyncio.all_tasks() - before:
            _, left = await asyncio.wait(left, timeout=1.0)
            names = sorted(str(task.get_coro()) for task in left)
            self.expect(not left, f"{trial.__name__}: tasks are left behind: {', '.join(names)}")
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=1.0)

    def expect(self, holds: bool, finding: str) -> None:
        if not holds and finding not in self.findings:
            self.findings.append(finding)

    async def within(self, work: Awaitable[Any], what: str) -> Any:
        """What it gives; the trial ends if that takes too long."""
        try:
            async with asyncio.timeout(self.patience_s):
                return await work
        except TimeoutError:
            self.findings.append(f"{what} takes more than {self.patience_s:g} s")
            raise _Stop from None

    async def lost(self, work: Awaitable[object], what: str) -> None:
        """It raises ``ConnectionLost``, soon."""
        try:
            await self.within(work, what)
        except ConnectionLost:
            return
        except _Stop:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's driver raises
            self.findings.append(f"{what} raises {type(error).__name__} ({error}) instead of ConnectionLost")
        else:
            self.findings.append(f"{what} raises nothing instead of ConnectionLost")

    async def close(self, driver: Driver, when: str) -> None:
        for times in ("", " a second time"):
            try:
                async with asyncio.timeout(CLOSE_S):
                    await driver.close()
            except TimeoutError:
                self.findings.append(f"close {when}{times} takes more than {CLOSE_S:g} s")
            except Exception as error:  # noqa: BLE001 - whatever a stranger's driver raises
                self.findings.append(f"close {when}{times} raises {type(error).__name__}: {error}")

    @asynccontextmanager
    async def rig(self) -> AsyncGenerator[tuple[Driver, Device]]:
        """A driver that is not connected yet, and its device."""
        device, driver = self.new_device(), self.new_driver()
        await device.start()
        try:
            yield driver, device
        finally:
            await self.close(driver, "after a life")
            await device.close()

    # --- trials ---------------------------------------------------------------------------------------------

    async def nobody_there(self) -> None:
        driver = self.new_driver()
        try:
            await self.lost(driver.connect(), "connect without a device")
        finally:
            await self.close(driver, "after a failed connect")

    async def unused(self) -> None:
        await self.close(self.new_driver(), "of an unused driver")

    async def cancelled(self) -> None:
        """Cancelled at various awaits of connect, the driver still closes."""
        for turns in (1, 2, 5, 20):
            async with self.rig() as (driver, _), asyncio.TaskGroup() as group:
                connecting = group.create_task(driver.connect())
                for _ in range(turns):
                    await asyncio.sleep(0)
                connecting.cancel()

    async def life(self) -> None:
        """First values, changes, reads, writes."""
        async with self.rig() as (driver, device):
            plan = self.plan(driver)
            await device.publish(_round(driver, plan, 0))
            await self.within(driver.connect(), "connect")
            async with aclosing(driver.readings()) as batches:
                seen = _Seen(self, batches)
                await self.within(seen.until(partial(seen.all_of, plan, 0)), "showing every tag's present value")
                for turn in range(1, max(map(len, plan.values()), default=0)):
                    await device.publish(_round(driver, plan, turn))
                    await self.within(seen.until(partial(seen.all_of, plan, turn)), "showing a change")
                self.judge(driver, plan, seen)
                await self.reads(driver, plan)
                await self.writes(driver, device)

    async def gone(self) -> None:
        """The device goes away in the middle of a life."""
        async with self.rig() as (driver, device):
            await self.within(driver.connect(), "connect")
            async with aclosing(driver.readings()) as batches:
                await self.within(anext(batches), "the first batch")
                await device.close()
                await self.lost(_exhaust(batches), "readings of a device that is gone")
            signals = [tag.signal for tag in driver.tags]
            await self.lost(driver.read(signals), "read from a device that is gone")
            if written := {tag.signal: _values(tag.settings.value_type())[0] for tag in driver.tags if tag.writable}:
                await self.lost(driver.write(written), "write to a device that is gone")

    # --- parts of a life ------------------------------------------------------------------------------------

    def plan(self, driver: Driver) -> dict[str, Sequence[Value]]:
        """Values that each readable tag will have, one after the other; of a bad one, none."""
        return {
            tag.signal: (None,)
            if tag.signal in self.bad
            else self.samples.get(tag.signal) or _values(tag.settings.value_type())
            for tag in driver.tags
            if not tag.writable
        }

    def judge(self, driver: Driver, plan: Mapping[str, Sequence[Value]], seen: "_Seen") -> None:
        types = {tag.signal: tag.settings.value_type() for tag in driver.tags}
        commands = {tag.signal for tag in driver.tags if tag.writable}
        for reading in seen.readings:
            signal = reading.signal
            if signal not in plan:
                why = "is a command, which must not be read cyclically" if signal in commands else "is no tag"
                self.expect(False, f"readings: {signal} {why}")
            elif signal in self.bad:
                said = reading.value is None and reading.quality is Quality.BAD and reading.status != 0
                self.expect(said, f"readings: {signal}, which the device lacks, should be BAD, None, with a status")
            else:
                self.expect(reading.quality is Quality.GOOD, f"readings: {signal} has quality {reading.quality.name}")
                right = type(reading.value) is types[signal]
                self.expect(right, f"readings: {signal} is {reading.value!r}, no {types[signal].__name__}")
            self.expect(reading.receive_ns > 0 and reading.source_ns > 0, f"readings: {signal} has no time")
        for signal, values in plan.items():
            if signal not in self.bad:
                found = seen.values(signal)
                shows = found == list(values)
                self.expect(shows, f"readings: {signal} went through {list(values)}, but showed {found}")
        sequences = [reading.sequence for reading in seen.readings]
        self.expect(sequences == sorted(set(sequences)), "readings: sequence does not count up")

    async def reads(self, driver: Driver, plan: Mapping[str, Sequence[Value]]) -> None:
        signals = [tag.signal for tag in reversed(driver.tags)]
        readings = await self.within(driver.read(signals), "read")
        self.expect([reading.signal for reading in readings] == signals, "read: not one reading each, in order")
        for reading in readings:
            if reading.signal in plan:
                value = plan[reading.signal][-1]
                self.expect(reading.value == value, f"read: {reading.signal} is {value!r}, not {reading.value!r}")

    async def writes(self, driver: Driver, device: Device) -> None:
        device.writes()
        for tag in driver.tags:
            if not tag.writable:
                continue
            for value in self.samples.get(tag.signal) or _values(tag.settings.value_type()):
                await self.within(driver.write({tag.signal: value}), "write")
                arrived = device.writes()
                once = arrived == [Write(tag.signal, value)]
                self.expect(once, f"write: {tag.signal} = {value!r} once, but the device got {arrived}")
                shown = (await self.within(driver.read([tag.signal]), "read"))[0].value
                self.expect(shown == value, f"write: {tag.signal} = {value!r}, but the device shows {shown!r}")


class _Seen:
    """What readings have shown so far."""

    def __init__(self, check: _Check, batches: AsyncGenerator[list[Reading], None]) -> None:
        self.readings: list[Reading] = []
        self._check, self._batches = check, batches

    async def until(self, enough: Callable[[], bool]) -> None:
        while not enough():
            batch = await anext(self._batches)
            self._check.expect(bool(batch), "readings: a batch is empty")
            self.readings += batch

    def all_of(self, plan: Mapping[str, Sequence[Value]], turn: int) -> bool:
        """Whether each tag's latest value is that of a turn."""
        latest = {reading.signal: reading.value for reading in self.readings}
        bad = self._check.bad
        return all(s in latest and (s in bad or latest[s] == _at(values, turn)) for s, values in plan.items())

    def values(self, signal: str) -> list[Value]:
        """The values it went through; the same one twice in a row counts once."""
        found: list[Value] = []
        for reading in self.readings:
            if reading.signal == signal and (not found or found[-1] != reading.value):
                found.append(reading.value)
        return found


def _values(kind: type) -> Sequence[Value]:
    return SAMPLES[kind]


def _at(values: Sequence[Value], turn: int) -> Value:
    return values[min(turn, len(values) - 1)]


def _round(driver: Driver, plan: Mapping[str, Sequence[Value]], turn: int) -> list[Reading]:
    """What the device shall show in a turn."""
    now_ns = driver.clock.now_ns()
    return [
        Reading(signal, values[turn], Quality.GOOD, now_ns, now_ns)
        for signal, values in plan.items()
        if turn < len(values) and values[turn] is not None
    ]


async def _exhaust(batches: AsyncGenerator[list[Reading], None]) -> None:
    async for _ in batches:
        pass
