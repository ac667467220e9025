"""What a forecast starts from: the line as it is now, what it shall build, by when, and of what."""

from msgspec import Struct, field

from linecontrol.flowline import LineLog


class Goal(Struct, frozen=True):
    """A target: ``units`` of some ``products`` (all if empty) by ``end``, of which ``done`` have left the line."""

    name: str
    units: int
    done: int
    end: float
    products: frozenset[str] = frozenset()

    @property
    def left(self) -> int:
        """Units that have still to leave the line."""
        return max(self.units - self.done, 0)


class Pledge(Struct, frozen=True):
    """A commitment: ``left`` units of some ``products`` (all if empty) that leave from ``start`` on, by ``due``."""

    name: str
    left: int
    start: float
    due: float
    products: frozenset[str] = frozenset()


class Supply(Struct, frozen=True):
    """Kits that units of ``products`` take when they enter the line: in stock now, and ``(when, how many)`` come."""

    name: str
    products: frozenset[str]
    stock: int
    arrivals: list[tuple[float, int]] = field(default_factory=list)


class Prospect(Struct, frozen=True):
    """A line at the end of its ``log``, which is now, and what lies ahead. All times are the log's working time.

    ``days`` are the working days ``(start, end)`` since the log's begin and as far ahead as may be looked, without
    gaps. The coming units are those of ``sequence``, then such as ``mix`` tells (weight by product; empty: as in the
    log).
    """

    log: LineLog
    days: list[tuple[float, float]]
    goals: list[Goal] = field(default_factory=list)
    pledges: list[Pledge] = field(default_factory=list)
    supplies: list[Supply] = field(default_factory=list)
    sequence: list[str] = field(default_factory=list)
    mix: dict[str, float] = field(default_factory=dict)
