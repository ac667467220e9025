"""The loop round the pure engine: take what came in, step, make it durable, then tell others. In that order."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

from linecontrol.clock import Clock
from linecontrol.engine import Engine
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.journal import Journal
from linecontrol.model import AnyEvent, LinkChange, Observation

SLICE = 500
"""Instants of the engine's grid that are caught up in one go before the event loop gets its turn."""

UNDURABLE = 200_000
"""Observations and events that may wait for the disk; the engine rests while there are more."""


_LEAST_PAUSE_S = 0.001
"""The engine does not look at the clock more often than this for a reading that waits."""


class Turn(Struct, frozen=True):
    """One turn of the engine on its way to being durable."""

    ticket: asyncio.Future[int]
    now_ns: int
    events: Sequence[AnyEvent]
    weight: int
    arrived_s: float | None
    snapshot: bytes | None


class Pipeline:
    """Two tasks: ``think`` runs the engine, ``forward`` tells of what the journal has made durable."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        inbox: Inbox,
        clock: Clock,
        *,
        resolution_ns: int,
        snapshot_every_ns: int,
        tell: Callable[[Sequence[AnyEvent]], None],
    ) -> None:
        """``tell`` gets the events of each turn once they are durable; it must not block."""
        self._engine, self._journal, self._inbox, self._clock = engine, journal, inbox, clock
        self._tell = tell
        self._pause_s = min(1.0, max(0.02, resolution_ns / 1e9 / clock.speed / 2))
        self._slice_ns = resolution_ns * SLICE
        self._snapshot_every_s = max(1.0, snapshot_every_ns / 1e9 / clock.speed)
        self._snapshot_due_s = 0.0
        self._turns: deque[Turn] = deque()
        self._undurable = 0
        self._turned, self._eased = asyncio.Event(), asyncio.Event()
        self._thought_ns = 0
        self.turns = self.forwarded = self.events = 0
        self.lag_s = 0.0

    @property
    def waiting(self) -> int:
        """Turns that are not durable yet."""
        return len(self._turns)

    def interrupted(self, connections: Sequence[str], last_ns: int) -> None:
        """The gateway did not run since ``last_ns``: from then on nothing was observed."""
        reason = "the gateway was not running"
        self._record(last_ns, [LinkChange(name, up=False, at_ns=last_ns, reason=reason) for name in connections], None)

    async def think(self) -> None:
        """Step with what arrives and tick when nothing does, until cancelled.

        Raises:
            JournalError: the journal takes no more.
        """
        while True:
            await self._inbox.filled(self._rest_s())
            await self._catch_up()
            while self._undurable > UNDURABLE:
                self._eased.clear()
                await self._eased.wait()
            self._turn()

    def _rest_s(self) -> float:
        """How long the engine may rest if nothing comes in: until a reading has waited for long enough, at the most."""
        due_s = (self._engine.due_ns - self._clock.now_ns()) / 1e9 / self._clock.speed
        return min(self._pause_s, max(_LEAST_PAUSE_S, due_s))

    async def finish(self) -> None:
        """Step once more with all that waits, save a snapshot, and wait until everything is durable and told.

        Raises:
            JournalError: not everything could be made durable.
        """
        await self._catch_up()
        self._snapshot_due_s = 0.0
        self._turn()
        while self._turns:
            await self._forward_one()

    async def forward(self) -> None:
        """Wait for turns to become durable, in order, and tell of them; until cancelled.

        Raises:
            JournalError: a turn could not be made durable; it and those after it are not told.
        """
        while True:
            while self._turns:
                await self._forward_one()
            self._turned.clear()
            await self._turned.wait()

    async def _catch_up(self) -> None:
        """After a long silence, let time pass in slices, so that nothing else has to wait for long."""
        goal_ns = self._clock.now_ns() - self._slice_ns
        while 0 < self._thought_ns < goal_ns:
            self._record(self._thought_ns + self._slice_ns, [], None)
            await asyncio.sleep(0)

    def _turn(self) -> None:
        """Step with all that waits, or tick if nothing does. Without an await: what is taken can't get lost."""
        arrivals = self._inbox.take()
        observations = [observation for arrival in arrivals for observation in arrival.observations]
        self._record(self._clock.now_ns(), observations, arrivals[0].loop_s if arrivals else None)

    def _record(self, now_ns: int, observations: list[Observation], arrived_s: float | None) -> None:
        now_ns = max(now_ns, self._thought_ns)
        self._thought_ns = now_ns
        events = self._engine.step(observations, now_ns) if observations else self._engine.tick(now_ns)
        self.turns += 1
        self.events += len(events)
        loop_s = asyncio.get_running_loop().time()
        due = loop_s >= self._snapshot_due_s
        if not (observations or events or due):
            return
        if due:
            self._snapshot_due_s = loop_s + self._snapshot_every_s
        ticket = self._journal.append(now_ns, observations, events)
        ticket.add_done_callback(_seen)
        weight = len(observations) + len(events)
        self._undurable += weight
        self._turns.append(Turn(ticket, now_ns, events, weight, arrived_s, self._engine.snapshot() if due else None))
        self._turned.set()

    async def _forward_one(self) -> None:
        """Tell of the oldest turn, and only then save its snapshot: nobody waits for that."""
        turn = self._turns[0]
        sequence = await asyncio.shield(turn.ticket)
        if turn.arrived_s is not None:
            self.lag_s = asyncio.get_running_loop().time() - turn.arrived_s
        if turn.events:
            self._tell(turn.events)
        self._turns.popleft()
        self._undurable -= turn.weight
        self._eased.set()
        self.forwarded += 1
        if turn.snapshot is not None:
            await self._journal.save_snapshot(sequence, turn.now_ns, turn.snapshot)


def _seen(ticket: asyncio.Future[int]) -> None:
    """Turns behind one that failed are never awaited; their failure is no news."""
    if not ticket.cancelled():
        ticket.exception()
