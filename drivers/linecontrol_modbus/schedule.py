"""What to read next, so that nobody starves. Pure.

The blocks of a unit that share a period are a job; they are read back to back. Of the jobs that are due, the one goes
first whose next value is needed first: fast ones before slow ones, but a slow one that has waited for its period
before a fast one that would be early. A unit that doesn't answer rests, ever longer, and for so long that what it
costs is less than a tenth of the time.
"""

from collections.abc import Iterable
from itertools import groupby

from linecontrol_modbus.plan import Block

NS = 1_000_000_000
FIRST_REST_NS, LONGEST_REST_NS = 5 * NS, 60 * NS
"""Bounds of the rest of what doesn't answer; it doubles from time to time."""

DEAREST = 10
"""A rest is at least so many times what all silent units together have cost."""

FIRST_DEAR = 3
"""The first rest of a unit that answered before: so many times what its last try cost, as often as units are silent."""


class Job:
    """Blocks of one unit and one period."""

    __slots__ = ("blocks", "due_ns", "period_ns", "unit")

    def __init__(self, unit: int, period_ns: int, blocks: list[Block], due_ns: int = 0) -> None:
        """``due_ns`` is when it is to be read next."""
        self.unit, self.period_ns, self.blocks, self.due_ns = unit, period_ns, blocks, due_ns

    @property
    def deadline_ns(self) -> int:
        """When the value after the next is due."""
        return self.due_ns + self.period_ns


class Schedule:
    """Jobs and when they are due."""

    def __init__(self, plans: Iterable[tuple[int, list[Block]]]) -> None:
        """``plans``: periods and their blocks, in the order of units."""
        self.jobs = [
            Job(unit, period_ns, list(group))
            for period_ns, blocks in plans
            for unit, group in groupby(blocks, key=lambda block: block.unit)
        ]

    def start(self, now_ns: int) -> None:
        """All that was not put off is due from now on."""
        for job in self.jobs:
            job.due_ns = job.due_ns or now_ns

    def next(self, now_ns: int) -> Job | None:
        """The job that goes first; ``None`` if none is due."""
        return min((job for job in self.jobs if job.due_ns <= now_ns), key=lambda job: job.deadline_ns, default=None)

    def urgent(self, now_ns: int, period_ns: int, deadline_ns: int) -> Job | None:
        """A faster job that goes before the rest of the one with this period and deadline."""
        job = self.next(now_ns)
        return job if job and job.period_ns < period_ns and job.deadline_ns < deadline_ns else None

    def begin(self, job: Job, now_ns: int) -> None:
        """It is read now: its next time is a period after the last, or now if that is over, but never further away."""
        job.due_ns = min(max(job.due_ns + job.period_ns, now_ns), now_ns + job.period_ns)

    def wake_ns(self, otherwise_ns: int) -> int:
        """When the next job is due; ``otherwise_ns`` if there is none."""
        return min((job.due_ns for job in self.jobs), default=otherwise_ns)

    def put_off(self, unit: int, until_ns: int) -> None:
        """Ask nothing of a unit until then."""
        for job in self.jobs:
            if job.unit == unit:
                job.due_ns = until_ns

    def shift(self, by_ns: int) -> None:
        """The clock was set: all that was planned is moved along."""
        for job in self.jobs:
            job.due_ns += by_ns

    def units(self) -> list[int]:
        """Units that are read, in order."""
        return sorted({job.unit for job in self.jobs})

    def blocks(self, unit: int) -> list[Block]:
        """All blocks of a unit."""
        return [block for job in self.jobs if job.unit == unit for block in job.blocks]


class Rests:
    """Units that don't answer, and blocks that are refused: since how many tries, and until when they rest."""

    def __init__(self) -> None:
        self.silent: dict[int, int] = {}
        self._spent_ns: dict[int, int] = {}
        self._blocks: dict[Block, tuple[int, int]] = {}

    def unit(self, unit: int, cost_ns: int, *, alive: bool) -> int:
        """A unit was asked in vain, which took ``cost_ns``; how long it rests: not for long if it was ``alive``."""
        spent_ns = self._spent_ns.pop(unit, 0) + cost_ns
        if alive:
            self.silent[unit] = 0
            self._spent_ns[unit] = spent_ns
            return cost_ns
        answered_before = self.silent.get(unit) == 0
        tries = self.silent[unit] = self.silent.get(unit, 0) + 1
        if answered_before:  # perhaps it is back soon; what it costs until then lengthens the next rest
            self._spent_ns[unit] = spent_ns
            return max(FIRST_REST_NS, FIRST_DEAR * cost_ns) * len(self.silent)
        return max(_growing(FIRST_REST_NS, tries, LONGEST_REST_NS), DEAREST * spent_ns * len(self.silent))

    def answered(self, unit: int) -> None:
        """A unit is back."""
        self.silent.pop(unit, None)
        self._spent_ns.pop(unit, None)

    def block(self, block: Block, now_ns: int, first_ns: int, longest_ns: int) -> None:
        """A block was refused: it rests for ``first_ns``, doubled each time."""
        tries = self._blocks.get(block, (0, 0))[0] + 1
        self._blocks[block] = (tries, now_ns + _growing(first_ns, tries, longest_ns))

    def shift(self, by_ns: int) -> None:
        """The clock was set: rests are moved along."""
        self._blocks = {block: (tries, until_ns + by_ns) for block, (tries, until_ns) in self._blocks.items()}

    def granted(self, block: Block) -> None:
        """A block was answered."""
        if self._blocks:
            self._blocks.pop(block, None)

    def resting(self, block: Block, now_ns: int) -> bool:
        """Whether a block isn't to be asked now."""
        return bool(self._blocks) and now_ns < self._blocks.get(block, (0, 0))[1]


def _growing(first_ns: int, tries: int, longest_ns: int) -> int:
    return min(first_ns << min(tries - 1, 20), longest_ns)
