"""The page as values: what the board shows, in the words and units in which it shows it.

Fields ending in ``_s`` are working seconds at the moment of the page. Texts of times are local to the plant.
"""

from typing import Literal

from msgspec import Struct

from linecontrol.model.state import Severity, StationState

Standing = Literal["good", "tight", "bad", "unknown"]
"""How something stands against its plan."""


class StationTile(Struct, frozen=True, kw_only=True):
    """A station: ``state`` (``word`` for people) since ``since``, and its running cycle.

    ``elapsed_s`` is ``None`` without a running cycle, ``planned_s`` without a standard. ``ticking`` tells whether
    the cycle goes on while the line works; it doesn't where the station can't be seen. ``bottleneck`` is the
    probability in percent, ``alert`` the severity of the worst open flag, ``call`` an andon call.
    """

    name: str
    number: int
    title: str
    state: StationState
    word: str
    since: str
    product: str
    unit: str
    unit_inferred: bool
    elapsed_s: float | None
    planned_s: float | None
    ticking: bool
    late: bool
    bottleneck: int | None
    alert: Severity | None
    call: bool


class TaktClock(Struct, frozen=True, kw_only=True):
    """Working time since the last unit left the line, against the takt required from now on."""

    elapsed_s: float | None
    required_s: float | None
    late: bool


class TargetRow(Struct, frozen=True, kw_only=True):
    """An annual target. ``today_needed`` are the units that today's whole working time gives at required takt."""

    title: str
    year: int
    today: int
    today_needed: float | None
    done: int
    units: int
    due: float
    ahead_units: float
    ahead_days: float
    standing: Standing
    word: str
    days: str


class SuspectRow(Struct, frozen=True, kw_only=True):
    """A station that may hold the line back; ``probability`` in percent."""

    number: int
    title: str
    probability: int
    cycle_s: float | None


class LineBand(Struct, frozen=True, kw_only=True):
    """A line. ``rate`` is how many plant seconds a real second adds to what ticks: 0 outside working time."""

    name: str
    title: str
    rate: float
    shift: str
    takt: TaktClock
    targets: list[TargetRow]
    suspects: list[SuspectRow]
    stations: list[StationTile]


class LinkRow(Struct, frozen=True, kw_only=True):
    """A connection that is down, and the lines that can't be seen because of it."""

    name: str
    lines: list[str]
    since: str
    reason: str


class CommitmentRow(Struct, frozen=True, kw_only=True):
    """A promise to a market, with the margin that the forecast leaves."""

    title: str
    family: str
    done: int
    units: int
    due: str
    margin: str
    standing: Standing


class KitRow(Struct, frozen=True, kw_only=True):
    """A kit that doesn't last for the next working day."""

    title: str
    stock: int
    needed: int
    arriving: int


class FlagRow(Struct, frozen=True, kw_only=True):
    """A flag: ``word`` says its severity and what else is to be known of its life."""

    flag: str
    severity: Severity
    word: str
    where: str
    text: str
    since: str


class Page(Struct, frozen=True, kw_only=True):
    """All that the board shows at one moment. ``trouble`` says what ails the gateway itself."""

    site: str
    area: str
    at_ns: int
    time: str
    date: str
    speed: float
    links: list[LinkRow]
    lines: list[LineBand]
    commitments: list[CommitmentRow]
    kits: list[KitRow]
    flags: list[FlagRow]
    closed: list[FlagRow]
    trouble: list[str]
    gateway: str
