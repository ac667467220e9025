"""A station: takes a unit in, works on it, breaks down, completes, waits until the unit can leave."""

from collections.abc import Callable
from enum import Enum, auto

from msgspec import Struct

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Meaning
from linecontrol.duration import NS
from linecontrol.simulator.agenda import Agenda
from linecontrol.simulator.chance import Chance
from linecontrol.simulator.signals import Panel
from linecontrol.simulator.truth import StationTruth


class Unit(Struct):
    """A unit on its way through a line."""

    id: str
    product: str


class Phase(Enum):
    """Where a station stands with its unit."""

    EMPTY = auto()
    MOVING = auto()
    """The unit is on its way in."""
    WORKING = auto()
    DOWN = auto()
    COMPLETE = auto()
    """The work is done; the unit is still there."""


class SimStation:
    """One station. All durations are working time of its line; it never works outside of that."""

    def __init__(
        self,
        agenda: Agenda,
        calendar: WorkCalendar,
        chance: Chance,
        panel: Panel,
        transfer_ns: int,
        begun: Callable[[Unit], tuple[int, int | str]],
        completed: Callable[[], None],
    ) -> None:
        """``begun`` is told of each cycle's start, and says planned time and product code."""
        self.panel = panel
        self.phase = Phase.EMPTY
        self.unit: Unit | None = None
        self._agenda, self._calendar, self._chance = agenda, calendar, chance
        self._transfer_ns, self._begun, self._completed = transfer_ns, begun, completed
        self._held_until_ns = 0
        self._away_ns = 0
        self._breakdown_ns = chance.until_breakdown_ns()
        self._planned_ns = self._left_ns = self._cycle_ns = self._repair_ns = 0
        self._cycles = self._rejects = 0
        self._sum_cycle_ns = self._sum_planned_ns = self._sum_down_ns = 0
        self._next_andon()

    @property
    def free(self) -> bool:
        """Whether it would take a unit in."""
        return self.phase is Phase.EMPTY and not self.held

    @property
    def held(self) -> bool:
        """Whether a hold forbids to start another unit."""
        return self._agenda.now_ns < self._held_until_ns

    def hold(self, seconds: float) -> int:
        """Start no other unit for so many seconds on the wall; 0 releases. Returns until when."""
        self._held_until_ns = self._agenda.now_ns + round(seconds * NS)
        return self._held_until_ns

    def receive(self, unit: Unit) -> None:
        """Take a unit in: its cycle starts after the transfer, in working time."""
        self.unit = unit
        self.phase = Phase.MOVING
        now = self._agenda.now_ns
        start = self._calendar.add(self._calendar.add(now, self._transfer_ns), 1) - 1
        if start == now:
            self._begin()
        else:
            self._agenda.at(start, self._begin)

    def leave(self) -> Unit:
        """Give the completed unit away."""
        unit = self._present
        self.unit = None
        self.phase = Phase.EMPTY
        self.panel.leave()
        self._away_ns = self._calendar.add(self._agenda.now_ns, self._transfer_ns)
        self.show()
        if self._away_ns > self._agenda.now_ns:
            self._agenda.at(self._away_ns, self.show)
        return unit

    def show(self) -> None:
        """Bring the signals that say what the station does up to date."""
        meaning = self._meaning()
        self.panel.condition(meaning)
        if meaning is Meaning.STARVED and self._agenda.now_ns < self._away_ns:
            self.panel.still_complete()

    def truth(self) -> StationTruth:
        """What it did since the start."""
        return StationTruth(
            cycles=self._cycles,
            cycle_s=self._sum_cycle_ns / NS,
            cycle_mean_s=self._sum_cycle_ns / NS / self._cycles if self._cycles else None,
            planned_mean_s=self._sum_planned_ns / NS / self._cycles if self._cycles else None,
            down_s=self._sum_down_ns / NS,
            rejects=self._rejects,
            running=self.unit.id if self.unit and self.phase in (Phase.WORKING, Phase.DOWN) else None,
        )

    @property
    def _present(self) -> Unit:
        if self.unit is None:
            msg = "there is no unit in the station"
            raise RuntimeError(msg)
        return self.unit

    def _meaning(self) -> Meaning:
        match self.phase:
            case Phase.WORKING:
                return Meaning.WORKING
            case Phase.DOWN:
                return Meaning.DOWN
            case Phase.COMPLETE:
                return Meaning.COMPLETE
            case Phase.EMPTY if self.held:
                return Meaning.IDLE
            case _:
                return Meaning.STARVED

    def _begin(self) -> None:
        self._planned_ns, code = self._begun(self._present)
        self._left_ns = self._chance.work_ns(self._planned_ns)
        self._cycle_ns = self._repair_ns = 0
        self.phase = Phase.WORKING
        self.panel.begin(self._present.id, code)
        self._work()

    def _work(self) -> None:
        if self._breakdown_ns is not None and self._breakdown_ns < self._left_ns:
            self._after(self._breakdown_ns, self._break_down)
        else:
            self._after(self._left_ns, self._complete)

    def _break_down(self) -> None:
        worked = self._breakdown_ns or 0
        repair = self._chance.repair_ns()
        self._left_ns -= worked
        self._cycle_ns += worked + repair
        self._repair_ns += repair
        self._breakdown_ns = self._chance.until_breakdown_ns()
        self.phase = Phase.DOWN
        self.show()
        self._after(repair, self._go_on)

    def _go_on(self) -> None:
        self.phase = Phase.WORKING
        self.show()
        self._work()

    def _complete(self) -> None:
        if self._breakdown_ns is not None:
            self._breakdown_ns -= self._left_ns
        self._cycle_ns += self._left_ns
        self._cycles += 1
        self._rejects += self._chance.is_reject()
        self._sum_cycle_ns += self._cycle_ns
        self._sum_planned_ns += self._planned_ns
        self._sum_down_ns += self._repair_ns
        self.phase = Phase.COMPLETE
        self.panel.complete(self._cycle_ns / NS, self._cycles, self._cycles - self._rejects, self._rejects)
        self._completed()

    def _next_andon(self) -> None:
        if (ahead := self._chance.until_andon_ns()) is not None:
            self._after(ahead, self._pull_andon)

    def _pull_andon(self) -> None:
        self.panel.andon_call(on=True)
        self._after(self._chance.andon_ns(), self._release_andon)

    def _release_andon(self) -> None:
        self.panel.andon_call(on=False)
        self._next_andon()

    def _after(self, working_ns: int, action: Callable[[], None]) -> None:
        self._agenda.at(self._calendar.add(self._agenda.now_ns, working_ns), action)
