"""Trying the devices of a plant: does each answer, and what does each signal show?"""

import asyncio
import time
from collections.abc import Callable

from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from linecontrol.clock import SystemClock
from linecontrol.config.binding import Bound
from linecontrol.config.plan import Plan
from linecontrol.driver import Driver, Tag, Value
from linecontrol.errors import ConnectionLost, DriverError
from linecontrol.model import Quality, Reading

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 10.0
AT_ONCE = 100
"""Signals that are read in one go."""


class Shown(Struct, frozen=True, kw_only=True):
    """What a signal shows. ``fits``: of the type that config says; ``age_s`` by the device's time; else ``status``."""

    signal: str
    quality: str
    fits: bool
    age_s: float
    value: Value
    status: int

    @property
    def good(self) -> bool:
        """Whether the gateway could use it."""
        return self.quality == "good" and self.fits


class Tried(Struct, frozen=True, kw_only=True):
    """How a device answered: after ``seconds``, with ``trouble`` or without, and what its signals show."""

    connection: str
    seconds: float
    trouble: str = ""
    signals: list[Shown] = []


async def try_devices(plan: Plan, progress: Callable[[int], None]) -> list[Tried]:
    """Try each device once, all at the same time; ``progress`` is told how many signals more were read."""
    return list(await asyncio.gather(*(_try(name, bound, progress) for name, bound in plan.bound.items())))


async def _try(name: str, bound: Bound, progress: Callable[[int], None]) -> Tried:
    driver = bound.driver_class(name, bound.settings, bound.tags, SystemClock())
    start = time.perf_counter()
    seconds = 0.0
    trouble = ""
    shown: list[Shown] = []
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await driver.connect()
        seconds = time.perf_counter() - start
        for at in range(0, len(bound.tags), AT_ONCE):
            shown += await _read(driver, bound.tags[at : at + AT_ONCE])
            progress(len(bound.tags[at : at + AT_ONCE]))
    except TimeoutError:
        trouble = f"no answer within {CONNECT_TIMEOUT_S:g} s"
    except DriverError as error:
        trouble = str(error)
    finally:
        await driver.close()
    return Tried(connection=name, seconds=round(seconds, 3), trouble=trouble, signals=shown)


async def _read(driver: Driver, tags: list[Tag]) -> list[Shown]:
    async with asyncio.timeout(READ_TIMEOUT_S):
        readings = await driver.read([tag.signal for tag in tags])
    if [reading.signal for reading in readings] != [tag.signal for tag in tags]:
        msg = f"{driver.name}: the answer to a read does not fit it"
        raise ConnectionLost(msg)
    return [_shown(reading, tag) for reading, tag in zip(readings, tags, strict=True)]


def _shown(reading: Reading, tag: Tag) -> Shown:
    wanted = tag.settings.value_type()
    fits = type(reading.value) is wanted or (wanted is float and type(reading.value) is int)
    return Shown(
        signal=reading.signal,
        quality=Quality(reading.quality).name.lower(),
        fits=fits,
        age_s=round((reading.receive_ns - reading.source_ns) / 1e9, 3),
        value=reading.value,
        status=reading.status,
    )


def show(tried: list[Tried], console: Console) -> None:
    """Print what each device and each signal said."""
    for one in tried:
        bad = [signal for signal in one.signals if not signal.good]
        said = one.trouble or (
            f"answers, {one.seconds * 1000:.0f} ms; {len(one.signals) - len(bad)} of {len(one.signals)} signals good"
        )
        console.print(f"{one.connection}: {escape(said)}", style="red" if one.trouble or bad else None)
        if not one.signals:
            continue
        table = Table("signal", "quality", "type", "value", box=None)
        for column in table.columns[:2]:
            column.no_wrap = True
        table.add_column("age", justify="right")
        for signal in sorted(one.signals, key=lambda signal: signal.good):
            quality = signal.quality if signal.quality == "good" else f"{signal.quality} (status 0x{signal.status:X})"
            table.add_row(
                signal.signal,
                quality,
                "fits" if signal.fits else "-" if signal.value is None else f"is {type(signal.value).__name__}",
                "-" if signal.value is None else escape(repr(signal.value)),
                "-" if signal.value is None else f"{signal.age_s:,.1f} s",
                style=None if signal.good else "red",
            )
        console.print(table)
