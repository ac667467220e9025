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
    """A station that may hold the line back; ``probability`` in percent.

    ``gain`` are the units a year that 10 % off its times would give, ``gain_range`` the interval that holds it with
    80 %; empty where it is not known.
    """

    number: int
    title: str
    probability: int
    cycle_s: float | None
    gain: str
    gain_range: str


class OpinionRow(Struct, frozen=True, kw_only=True):
    """What another method says, and why it disagrees with the verdict (empty where it agrees)."""

    method: str
    stations: str
    reason: str


class VerdictBox(Struct, frozen=True, kw_only=True):
    """Which station holds the line back. ``evidence`` says how much the verdict rests on."""

    sentence: str
    evidence: str
    provisional: bool
    suspects: list[SuspectRow]
    outside: str
    opinions: list[OpinionRow]
    notes: list[str]


class FanStep(Struct, frozen=True, array_like=True, gc=False):
    """At ``x`` (0 to 1 over the picture's time) fewer units than ``low`` or more than ``high`` with 10 % each."""

    x: float
    low: float
    likely: float
    high: float


class Fan(Struct, frozen=True, kw_only=True):
    """The picture of a forecast: times as parts of its width (0 to 1), heights in units from ``bottom`` to ``top``.

    ``done`` is what was built as (time, units); ``unseen`` leads there from the year's start where the board wasn't
    told. ``ticks`` name times.
    """

    bottom: float
    top: float
    target: float
    done: list[tuple[float, float]]
    unseen: list[tuple[float, float]]
    steps: list[FanStep]
    ticks: list[tuple[float, str]]


class ForecastBox(Struct, frozen=True, kw_only=True):
    """How an annual target will end: the ``outcome`` with its 80 % interval, the ``chance`` to meet the target.

    ``certainty`` tells how much of the forecast is still the plan, ``alarm`` what makes the target impossible.
    """

    title: str
    outcome: str
    chance: str
    standing: Standing
    certainty: str
    alarm: str
    fan: Fan


class LagBox(Struct, frozen=True, kw_only=True):
    """Where a line lost its time: the sum, its largest parts as (where and why, units), and planned stops besides."""

    sum: str
    causes: list[tuple[str, str]]
    stops: str


class ReleaseBox(Struct, frozen=True, kw_only=True):
    """Which products to start next, in order, and whether the first of them should start now."""

    go: bool
    word: str
    products: list[str]
    content: str
    reason: str


class LineBand(Struct, frozen=True, kw_only=True):
    """A line. ``rate`` is how many plant seconds a real second adds to what ticks: 0 outside working time."""

    name: str
    title: str
    rate: float
    shift: str
    takt: TaktClock
    targets: list[TargetRow]
    verdict: VerdictBox | None
    forecasts: list[ForecastBox]
    lag: LagBox | None
    release: ReleaseBox | None
    stations: list[StationTile]


class LinkRow(Struct, frozen=True, kw_only=True):
    """A connection that is down, and the lines that can't be seen because of it."""

    name: str
    lines: list[str]
    since: str
    reason: str


class CommitmentRow(Struct, frozen=True, kw_only=True):
    """A promise to a market.

    ``margin`` is the chance that it is kept, or what the present pace leaves of its time as long as nothing is
    forecast. ``finish`` says between which days it will be served with 80 %.
    """

    title: str
    family: str
    done: int
    units: int
    due: str
    margin: str
    finish: str
    standing: Standing


class KitRow(Struct, frozen=True, kw_only=True):
    """A kit that doesn't last for the next working day (``low``) or for the year's targets.

    ``runs_out`` is the day when the last one is used, announced deliveries included; ``short`` are those that the
    year's targets need beyond them.
    """

    title: str
    low: bool
    runs_out: str
    short: int
    stock: int
    needed: int
    arriving: int


class FlagRow(Struct, frozen=True, kw_only=True):
    """A flag: ``word`` says its severity and state in plain words, ``letter`` the state as ISA-18.2 names it.

    ``why`` is who put it aside or acknowledged it, and for which reason, ``verbs`` what a person may want of it now.
    """

    flag: str
    severity: Severity
    word: str
    letter: str
    why: str
    where: str
    text: str
    since: str
    verbs: list[str]


class Page(Struct, frozen=True, kw_only=True):
    """All that the board shows at one moment. ``trouble`` says what ails the gateway itself.

    ``flag_figures`` says in short how much the flags ask of people.
    """

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
    kits_well: str
    flags: list[FlagRow]
    aside: list[FlagRow]
    closed: list[FlagRow]
    flag_figures: str
    trouble: list[str]
    gateway: str
