"""A year of cycles backtested: 20 stations, takt 60 s, 16 hours on 250 days, 98 stateful rules. Prints a table.

``python -m benchmarks.rules_year [DAYS]``: so many working days (5) in turn through ``Backtest``, whose work is the
same on each day; the year is told from them. Also of the cycles' ends alone, and what reading the events from a
journal's records takes besides.
"""

import gc
import sys
import time
from collections.abc import Sequence

import msgspec

from benchmarks.rules_line import STATEFUL, calendars, day_of, plant
from linecontrol.model import AnyEvent, CycleCompleted
from linecontrol.trial import Backtest

CYCLES_A_YEAR = 20 * 60 * 16 * 250
TURN = 10
"""Events in a record, about."""


class Trial:
    """A backtest, with what it took on each day."""

    def __init__(self, name: str) -> None:
        """Nothing was told yet."""
        config = plant(STATEFUL)
        self.name = name
        self.trial = Backtest(config, calendars(config))
        self.days: list[float] = []

    def take(self, events: Sequence[AnyEvent]) -> None:
        """A day's events, in records."""
        turns = [events[start : start + TURN] for start in range(0, len(events), TURN)]
        gc.collect()
        gc.disable()
        start = time.process_time()
        for turn in turns:
            self.trial.take(turn, ())
        self.days.append(time.process_time() - start)
        gc.enable()

    def tell(self, cycles: int) -> None:
        """One line."""
        total, days = sum(self.days), self.days
        print(
            f"{self.name:24} {total:7.2f} s for {cycles} cycles ({total / cycles * 1e6:.2f} µs each; first day "
            f"{days[0]:.3f} s, last {days[-1]:.3f} s); a year: {total / cycles * CYCLES_A_YEAR:.1f} s; "
            f"{len(self.trial.episodes())} episodes"
        )


def main() -> None:
    """Print the table."""
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    whole, ends = Trial("all that is told"), Trial("ends of cycles alone")
    decoder, encoder = msgspec.msgpack.Decoder(list[AnyEvent]), msgspec.msgpack.Encoder()
    cycles, reading, number = 0, 0.0, 0
    for day in range(days):
        events = day_of(day, samples=0)
        done = [event for event in events if isinstance(event, CycleCompleted)]
        cycles += len(done)
        number += len(events)
        whole.take(events)
        ends.take(done)
        records = [encoder.encode(events[start : start + TURN]) for start in range(0, len(events), TURN)]
        start = time.process_time()
        for record in records:
            decoder.decode(record)
        reading += time.process_time() - start
    whole.tell(cycles)
    ends.tell(cycles)
    print(f"decoding of {number} events: {reading:.2f} s; a year's {reading / cycles * CYCLES_A_YEAR:.1f} s")


if __name__ == "__main__":
    main()
