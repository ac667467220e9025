"""Brings the journal's records to a sink: all of them, in order, until the sink has them."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from linecontrol.errors import SinkAway
from linecontrol.gateway.journal import Journal
from linecontrol.model.health import SinkHealth
from linecontrol.model.record import Sink

SHORTEST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
LONGEST_RETRY_AFTER_S = 300.0


class Outbox:
    """Follows the journal on behalf of one sink. A sink that is away is asked again, for as long as it takes.

    The cursor moves only after the sink took the records, so that a crash in between brings them again.
    """

    def __init__(
        self,
        journal: Journal,
        sink: Sink,
        name: str,
        *,
        batch: int = 1_000,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``name`` is the cursor's; ``batch`` records are brought at once at the most; ``sleep`` is in real time."""
        self._journal = journal
        self._sink = sink
        self._name = name
        self._batch = batch
        self._sleep = sleep
        self._cursor = 0
        self._delivered = 0
        self._refused = 0
        self._refusal = ""
        self._trouble = ""
        self._moved = asyncio.Event()

    @property
    def health(self) -> SinkHealth:
        """Records that wait, points delivered and refused since the start, and the present or last trouble."""
        return SinkHealth(
            backlog=max(0, self._journal.last_seq - self._cursor),
            delivered=self._delivered,
            refused=self._refused,
            trouble=self._trouble or self._refusal,
        )

    async def run(self) -> None:
        """Deliver until cancelled.

        Raises:
            JournalError: the journal failed, or was closed.
        """
        self._cursor = await self._journal.cursor(self._name)
        failures = 0
        while True:
            self._moved.set()
            self._moved = asyncio.Event()
            await self._journal.grown(self._cursor)
            records = await self._journal.records(self._cursor, self._batch, observations=False)
            try:
                delivery = await self._sink.deliver(records)
            except SinkAway as away:
                self._trouble = str(away)
                await self._sleep(_wait_s(failures, away.retry_after_s))
                failures += 1
                continue
            failures = 0
            self._trouble = ""
            self._delivered += delivery.delivered
            self._refused += delivery.refused
            self._refusal = delivery.trouble or self._refusal
            await self._journal.advance(self._name, records[-1].seq)
            self._cursor = records[-1].seq

    async def drained(self) -> None:
        """Wait until the sink has every record that is durable now. Needs :meth:`run` to be running."""
        goal = self._journal.last_seq
        while self._cursor < goal:
            await self._moved.wait()


def _wait_s(failures: int, retry_after_s: float | None) -> float:
    if retry_after_s is not None and retry_after_s > 0:
        return min(retry_after_s, LONGEST_RETRY_AFTER_S)
    ceiling: float = min(SHORTEST_WAIT_S * 2 ** min(failures, 16), LONGEST_WAIT_S)
    return ceiling * random.uniform(0.5, 1.0)  # noqa: S311  (jitter)
