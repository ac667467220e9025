"""Reads what is due, and judges who is silent: a block, a unit, or the whole connection."""

import logging
from asyncio import Future
from collections import deque

from linecontrol.driver import Clock, ConnectionLost, Reading, Traffic
from linecontrol_modbus.link import Link
from linecontrol_modbus.pdu import EXCEPTIONS, Refused, Silent
from linecontrol_modbus.plan import Block, split
from linecontrol_modbus.schedule import FIRST_REST_NS, LONGEST_REST_NS, NS, Job, Rests, Schedule
from linecontrol_modbus.show import UNANSWERED, Answer, Show, Stranger
from linecontrol_modbus.turns import Rank

UNSERVED = (1, 2, 3)
"""Exceptions that say that the place, or so many of them at once, can't be read."""

TOO_MUCH = (2, 3)
"""Exceptions after which smaller blocks may fare better."""

GATEWAY_TROUBLE = (10, 11)

LONGEST_BATCH_NS = NS // 10
"""Readings are handed on after so long, in real time, though more is due."""

PROVING_NS = 10 * NS
"""Real time for which a unit is looked for that answers, when the connection is made."""

WITNESSES = 2
"""When a unit is silent, so many of those that answered last are asked whether the connection still stands."""

_log = logging.getLogger(__name__)


class Poller:
    """The cyclic reads of one life of a connection."""

    def __init__(self, link: Link, schedule: Schedule, show: Show, clock: Clock, traffic: Traffic) -> None:
        """``schedule`` is worked off, ``traffic.gaps`` counted."""
        self._link, self._schedule, self._show, self._clock, self._traffic = link, schedule, show, clock, traffic
        self._rests = Rests()
        self._silences = 0
        self._latest_ns = 0
        self._witnesses: dict[int, Block] = {}
        self._reported: set[Block] = set()
        self._batch: list[Reading] = []
        self._held: list[Reading] = []

    async def prove(self, timeout_ns: int) -> None:
        """Find a unit that answers: an exception proves as well that it speaks Modbus.

        Raises:
            ConnectionLost: none does.
        """
        firsts = [self._schedule.blocks(unit)[0] for unit in self._schedule.units()]
        trials = firsts[: max(1, PROVING_NS // timeout_ns)]
        for block in trials:
            [answer] = await self._fetch_once(block)
            if answer.status != UNANSWERED:
                self._witnesses[block.unit] = block
                return
            if block is trials[-1]:
                msg = f"{self._link.where}: no answer within {timeout_ns / NS:g} s (reading {block})"
                raise ConnectionLost(msg)
            cost_ns = int(timeout_ns * self._clock.speed)
            self._batch += self._put_off(block.unit, UNANSWERED, cost_ns, new=True)

    async def round(self) -> list[Reading]:
        """What changed in all that is due; or a part, if it takes long.

        Raises:
            ConnectionLost: the connection ended, or nobody answers.
        """
        start_ns = self._clock.now_ns()
        if start_ns < self._latest_ns:
            self._schedule.shift(start_ns - self._latest_ns)
            self._rests.shift(start_ns - self._latest_ns)
        until_ns = start_ns + int(LONGEST_BATCH_NS * self._clock.speed)
        while (job := self._schedule.next(start_ns)) and self._clock.now_ns() <= until_ns:
            await self._serve(job)
        self._latest_ns = self._clock.now_ns()
        batch, self._batch = self._batch, []
        return batch

    async def fetch(self, block: Block, rank: Rank) -> list[Answer]:
        """Answers for a block: one, or several if the device doesn't give it whole.

        Raises:
            ConnectionLost: the connection ended.
        """
        [answer] = await self._fetch_once(block, rank)
        return await self._fetch_parts(block, rank) if answer.status in TOO_MUCH and split(block) else [answer]

    def unanswered(self, block: Block) -> Answer:
        """What is known of a block of a unit that doesn't answer."""
        return Answer(block, None, UNANSWERED, self._clock.now_ns())

    async def _fetch_parts(self, block: Block, rank: Rank) -> list[Answer]:
        return [answer for part in split(block) or () for answer in await self.fetch(part, rank)]

    async def _fetch_once(self, block: Block, rank: Rank = Rank.CYCLE) -> list[Answer]:
        return [await self._answer(block, await self._start(block, rank))]

    async def _start(self, block: Block, rank: Rank) -> "Future[bytes]":
        try:
            return await self._link.start(block.unit, block.request, rank)
        except ConnectionLost as lost:
            raise _at(lost, block) from lost

    async def _answer(self, block: Block, future: "Future[bytes]") -> Answer:
        try:
            return Answer(block, await future, 0, self._clock.now_ns())
        except Refused as refused:
            return Answer(block, None, refused.code, self._clock.now_ns())
        except Silent:
            return self.unanswered(block)
        except ConnectionLost as lost:
            raise _at(lost, block) from lost

    async def _serve(self, job: Job) -> None:
        """Read the blocks of a job back to back; only what is faster and due goes between."""
        deadline_ns = job.deadline_ns
        self._schedule.begin(job, self._clock.now_ns())
        blocks: list[Block] = []
        under_way: deque[tuple[Block, Future[bytes], int]] = deque()
        for index, block in enumerate(job.blocks):
            while urgent := self._schedule.urgent(self._clock.now_ns(), job.period_ns, deadline_ns):
                await self._serve(urgent)
            if self._rests.resting(block, self._clock.now_ns()):
                blocks.append(block)
                continue
            if len(under_way) == self._link.depth and not await self._settle(job, under_way.popleft(), blocks):
                job.blocks = blocks + [block for block, _, _ in under_way] + job.blocks[index:]
                return
            since_ns = self._clock.now_ns()
            under_way.append((block, await self._start(block, Rank.CYCLE), since_ns))
        while under_way:
            if not await self._settle(job, under_way.popleft(), blocks):
                blocks += [block for block, _, _ in under_way]
                break
        job.blocks = sorted(blocks, key=lambda block: block.spans)

    async def _settle(self, job: Job, asked: "tuple[Block, Future[bytes], int]", blocks: list[Block]) -> bool:
        """Take the answer; ``blocks`` gets the block, or its parts. Whether the unit answers at all."""
        block, future, since_ns = asked
        answer = await self._answer(block, future)
        answers = [answer]
        if answer.status in TOO_MUCH and split(block):
            answers = await self._fetch_parts(block, Rank.CYCLE)
        blocks += [answer.block for answer in answers]
        for one in answers:
            if one.status in (UNANSWERED, *GATEWAY_TROUBLE):
                await self._fell(block.unit, one.status, one.at_ns - since_ns)
                return False
            self._take(job, one)
        return True

    def _take(self, job: Job, answer: Answer) -> None:
        """An answer of the unit itself, be it a refusal."""
        block, _, status, at_ns = answer
        self._silences = 0
        if self._held:
            self._batch += self._held
            self._held = []
        self._witnesses.pop(block.unit, None)
        self._witnesses[block.unit] = block
        if self._rests.silent:
            self._rests.answered(block.unit)
        if not status:
            self._rests.granted(block)
        elif status in UNSERVED:
            self._report(block, status)
            self._rests.block(block, at_ns, FIRST_REST_NS, LONGEST_REST_NS)
        else:
            self._rests.block(block, at_ns, job.period_ns // 2, FIRST_REST_NS)
        try:
            self._batch += self._show.changes(answer)
        except Stranger as stranger:
            self._link.end(str(stranger))
            self._link.check()

    def _report(self, block: Block, status: int) -> None:
        if block not in self._reported:
            self._reported.add(block)
            _log.warning("%s: %s can't be read: exception %d (%s); it is asked again from time to time",
                         self._link.where, block, status, EXCEPTIONS.get(status, "unknown"))  # fmt: skip

    async def _fell(self, unit: int, status: int, cost_ns: int) -> None:
        """A unit doesn't answer.

        Raises:
            ConnectionLost: neither does any other.
        """
        bad = self._put_off(unit, status, cost_ns)
        if status in GATEWAY_TROUBLE:
            self._batch += bad
            self._silences = 0
            return
        others = list(self._witnesses.values())[-WITNESSES:]
        for witness in reversed(others):
            [answer] = await self._fetch_once(witness)
            if answer.status != UNANSWERED:
                self._batch += bad
                return
        self._silences += 1
        if not others and self._silences == 1:
            self._schedule.put_off(unit, self._clock.now_ns())  # nobody else has to wait: try once more
            self._held = bad  # perhaps it is the connection that is bad, which is told otherwise
            return
        reason = f"no answer to {self._silences + len(others)} requests"
        self._link.end(reason)
        raise ConnectionLost(f"{self._link.where}: {reason} (the first to unit {unit})")

    def _put_off(self, unit: int, status: int, cost_ns: int, *, new: bool = False) -> list[Reading]:
        """Let a unit rest, not for long if the connection is ``new``; readings that say so of its tags."""
        now_ns = self._clock.now_ns()
        self._traffic.gaps += unit not in self._rests.silent
        alive = self._witnesses.pop(unit, None) is not None or new
        self._schedule.put_off(unit, now_ns + self._rests.unit(unit, cost_ns, alive=alive))
        blocks = self._schedule.blocks(unit)
        return [reading for block in blocks for reading in self._show.changes(Answer(block, None, status, now_ns))]


def _at(lost: ConnectionLost, block: Block) -> ConnectionLost:
    return ConnectionLost(f"{lost} (reading {block})")
