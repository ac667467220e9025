"""What was produced in a period: units and the times of their cycles."""

from collections.abc import Iterable

from msgspec import Struct

from linecontrol.model import CycleCompleted, Timing


class Counts(Struct, array_like=True):
    """Sums over the cycles (or units) that ended in a period. Times in working seconds.

    ``timed`` are cycles of which more than the bare fact is known; of them, ``planned`` have a planned time.
    ``measured`` are those with both ends seen; of them, ``compared`` have a planned time.
    """

    produced: int = 0
    good: int = 0
    rejected: int = 0
    timed: int = 0
    planned: int = 0
    planned_s: float = 0.0
    measured: int = 0
    measured_s: float = 0.0
    compared: int = 0
    compared_planned_s: float = 0.0

    def add_output(self, good: bool | None) -> None:
        """One more was produced, found good or not, or nobody judged it (``None``)."""
        self.produced += 1
        self.good += good is True
        self.rejected += good is False

    def add_times(self, cycle: CycleCompleted) -> None:
        """Take up the times of a cycle as far as they are known."""
        if cycle.timing is Timing.UNKNOWN:
            return
        self.timed += 1
        if cycle.planned_s is not None:
            self.planned += 1
            self.planned_s += cycle.planned_s
        if cycle.timing is Timing.MEASURED and cycle.active_s is not None:
            self.measured += 1
            self.measured_s += cycle.active_s
            if cycle.planned_s is not None:
                self.compared += 1
                self.compared_planned_s += cycle.planned_s


def of_line(units: Counts, stations: Iterable[Counts]) -> Counts:
    """The counts of a line: output as counted at its end, times as the sums of its stations."""
    total = Counts(units.produced, units.good, units.rejected)
    for counts in stations:
        total.timed += counts.timed
        total.planned += counts.planned
        total.planned_s += counts.planned_s
        total.measured += counts.measured
        total.measured_s += counts.measured_s
        total.compared += counts.compared
        total.compared_planned_s += counts.compared_planned_s
    return total
