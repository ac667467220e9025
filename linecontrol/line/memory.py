"""What the line room remembers: plain structs, encoded whole into a snapshot."""

from msgspec import Struct, field

from linecontrol.config import Role
from linecontrol.model import Reading, StationState, Timing, Value


class Unit(Struct):
    """A unit on the line. ``inferred`` means that no signal named it."""

    id: str
    inferred: bool
    product: str | None
    start_ns: int | None
    good: bool | None = None


class RunningCycle(Struct):
    """A cycle that has not ended. ``lost_ns`` is working time in other states than working, up to ``seen_ns``.

    A ``presumed`` cycle was not seen to start: the station went on working after the counter had counted. It is
    ``doubted`` once the station rests without having counted it: perhaps it never began. An ``unsettled`` one waits
    for the signals that name its unit and product; ``named`` are those that did. ``resumed_ns`` is when its station
    last began to work again after it had rested.
    """

    start_ns: int
    seen_ns: int
    timing: Timing
    unit: Unit | None
    planned_ns: int | None
    presumed: bool = False
    doubted: bool = False
    unsettled: bool = False
    named: list[Role] = field(default_factory=list)
    resumed_ns: int | None = None
    lost_ns: dict[StationState, int] = field(default_factory=dict)


class EndedCycle(Struct):
    """A cycle that ended at ``at_ns`` and is told as soon as its figures are there."""

    cycle: RunningCycle
    at_ns: int
    timing: Timing


class StationMemory(Struct):
    """What is known of a station. ``values`` holds ``None`` for what is not known now.

    ``known`` are the last values of names and figures, ``fresh`` those of them that no cycle has taken yet.
    """

    state: StationState = StationState.UNOBSERVED
    since_ns: int = 0
    last_ns: int = 0
    values: dict[Role, Value] = field(default_factory=dict)
    counts: dict[Role, int] = field(default_factory=dict)
    count_ns: int = 0
    ends_ahead: int = 0
    cycle: RunningCycle | None = None
    ended: EndedCycle | None = None
    known: dict[Role, Value] = field(default_factory=dict)
    fresh: list[Role] = field(default_factory=list)
    last_end_ns: int | None = None
    restart_ns: int | None = None
    claim_ns: int | None = None
    gap_ns: int | None = None
    gap_reason: str = "not seen yet"
    overtime: bool = False
    pulsed: bool = False
    good: bool | None = None
    complained: dict[str, Value] = field(default_factory=dict)


class LineMemory(Struct):
    """What is known of a line.

    ``queues[i]`` holds the units between station i and i + 1, oldest first; ``owed[i]`` counts those that station
    i + 1 has already finished although nobody saw station i finish them.
    """

    stations: dict[str, StationMemory]
    queues: list[list[Unit]]
    owed: list[int]
    levels: dict[str, int] = field(default_factory=dict)
    on_shift: bool = False
    boundary_ns: int = 0
    inferred: int = 0


class Waiting(Struct, array_like=True):
    """A reading of time ``at_ns`` that has waited for older ones since ``since_ns``, until that is ``over``."""

    at_ns: int
    since_ns: int
    reading: Reading
    over: bool = False


class OrderMemory(Struct):
    """What is known of the order of a connection's readings, since it came up at ``up_ns``.

    What is older than ``mark_ns`` is late. ``newest`` is each signal's last reading with its time, ``overtaken`` those
    that came after a newer one of their signal, since ``overtaken_ns`` and without a reading in time since. ``late``
    counts all late ones, ``untold`` those that were not told of; ``behind`` is the signal of the one that was furthest
    behind among these.
    """

    up_ns: int = 0
    mark_ns: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    newest: dict[str, tuple[int, Reading]] = field(default_factory=dict)
    overtaken: dict[str, tuple[int, Reading]] = field(default_factory=dict)
    overtaken_ns: int = 0
    late: int = 0
    untold: int = 0
    behind_ns: int = 0
    behind: str = ""


class RoomMemory(Struct):
    """All lines and connections, the last instant of the grid, and when periodic events were last due."""

    lines: dict[str, LineMemory]
    connections: dict[str, OrderMemory] = field(default_factory=dict)
    progress_slot: int = -1
    heartbeat_slot: int = -1
    late_slot: int = -1
    grid_ns: int = 0
