"""What comes out: the facts that the engine derives, each stamped with the time at which it became true.

Fields ending in ``_ns`` are UTC nanoseconds on the wall; fields ending in ``_s`` are *working* seconds, that is
with breaks, nights, days off and holidays taken out. Unknown is ``None``, never zero.
"""

from msgspec import Struct

from linecontrol.model.reading import Value
from linecontrol.model.state import AlarmState, CommandResult, Severity, StationState, Timing


class Event(Struct, frozen=True, kw_only=True, tag_field="event", tag=True, gc=False):
    """Base of all events."""

    at_ns: int


# --- stations -----------------------------------------------------------------------------------------------


class StateChanged(Event, frozen=True, kw_only=True, tag="state_changed"):
    """A station left ``previous`` (held since ``since_ns``, for ``previous_s``) and entered ``state``."""

    line: str
    station: str
    state: StationState
    previous: StationState
    since_ns: int
    previous_s: float
    shift: str
    unit: str | None = None
    product: str | None = None


class StateHeld(Event, frozen=True, kw_only=True, tag="state_held"):
    """Heartbeat: the station is still in ``state``. Emitted on a grid of five minutes and after a restart."""

    line: str
    station: str
    state: StationState
    since_ns: int
    unit: str | None = None
    product: str | None = None


class CycleStarted(Event, frozen=True, kw_only=True, tag="cycle_started"):
    """A unit's work at a station began."""

    line: str
    station: str
    unit: str | None
    unit_inferred: bool
    product: str | None
    planned_s: float | None


class CycleProgress(Event, frozen=True, kw_only=True, tag="cycle_progress"):
    """Where a running cycle stands: ``active_s`` of ``planned_s`` since ``start_ns``."""

    line: str
    station: str
    unit: str | None
    unit_inferred: bool
    product: str | None
    start_ns: int
    active_s: float
    planned_s: float | None


class CycleEnded(Event, frozen=True, kw_only=True, tag="cycle_ended"):
    """A cycle is over; its ``CycleCompleted`` follows when its figures are there, and is not preceded by this else."""

    line: str
    station: str


class CycleCompleted(Event, frozen=True, kw_only=True, tag="cycle_completed"):
    """A unit's work at a station ended at ``at_ns``.

    ``active_s`` is the working time from start to end, stops included; ``lost_s`` tells which part of it was
    spent in which other state than working (``down``, ``blocked``, ``starved``, ``setup``, ``idle``,
    ``unobserved``). ``start_ns`` and ``active_s`` are ``None`` where ``timing`` is unknown.
    """

    line: str
    station: str
    unit: str | None
    unit_inferred: bool
    product: str | None
    start_ns: int | None
    active_s: float | None
    planned_s: float | None
    lost_s: dict[StationState, float]
    timing: Timing
    good: bool | None
    shift: str


class UnitCompleted(Event, frozen=True, kw_only=True, tag="unit_completed"):
    """A unit left the last station of its line. ``start_ns`` is the start of its first cycle, if seen."""

    line: str
    unit: str | None
    unit_inferred: bool
    product: str | None
    family: str | None
    start_ns: int | None
    good: bool | None
    shift: str


class BufferChanged(Event, frozen=True, kw_only=True, tag="buffer_changed"):
    """A buffer between two stations now holds ``level`` of ``capacity`` units."""

    line: str
    buffer: str
    level: int
    capacity: int


class StationUnobserved(Event, frozen=True, kw_only=True, tag="station_unobserved"):
    """Gap record: from ``start_ns`` to ``at_ns`` nobody saw what the station did, because of ``reason``."""

    line: str
    station: str
    start_ns: int
    unobserved_s: float
    reason: str


class Anomaly(Event, frozen=True, kw_only=True, tag="anomaly"):
    """Something in the signals that was handled but must not be silent.

    ``kind`` is one of ``counter_reset``, ``counter_rollover``, ``counter_jump``, ``missed_edge``,
    ``unknown_code``, ``unknown_product``, ``wrong_type``, ``unit_mismatch``, ``buffer_mismatch``, ``late_figure``,
    ``late_reading``, ``clock_set_back``.
    """

    line: str
    station: str
    signal: str
    kind: str
    text: str
    value: Value = None


class AndonCalled(Event, frozen=True, kw_only=True, tag="andon_called"):
    """An operator pulled (``active``) or released the andon cord of a station."""

    line: str
    station: str
    active: bool


class Sampled(Event, frozen=True, kw_only=True, tag="sampled"):
    """A good value of a free telemetry tag, numbers only."""

    line: str
    station: str
    name: str
    value: float


# --- figures ------------------------------------------------------------------------------------------------


class ShiftKpi(Event, frozen=True, kw_only=True, tag="shift_kpi"):
    """ISO 22400-2 figures of one station (or of the line: station ``ALL``) over one period.

    Sent again with the same ``start_ns`` when late data correct it. PBT planned busy time, APT actual
    production time, AUPT actual unit processing time (planned time of what was produced), ADET actual unit
    delay time (down). ``availability`` = APT/PBT, ``effectiveness`` = planned time of produced units / APT,
    ``quality_ratio`` = GQ/PQ, ``oee`` their product; ``None`` where the denominator is zero or unobserved.
    """

    line: str
    station: str
    period: str
    start_ns: int
    end_ns: int
    shift: str
    pbt_s: float
    apt_s: float
    adet_s: float
    blocked_s: float
    starved_s: float
    setup_s: float
    idle_s: float
    unobserved_s: float
    produced: int
    good: int
    cycles_measured: int
    cycle_mean_s: float | None
    planned_mean_s: float | None
    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None
    oee: float | None


class LedgerUpdated(Event, frozen=True, kw_only=True, tag="ledger_updated"):
    """Where an annual target stands.

    ``due`` are the units that an even pace over the year's working time would have built by now;
    ``ahead_units`` and ``ahead_days`` (working days) are negative when behind. ``takt_required_s`` is the working
    time left in the year divided by the units left (``None`` when none are left).
    """

    target: str
    line: str
    family: str
    year: int
    units: int
    done: int
    today: int
    due: float
    ahead_units: float
    ahead_days: float
    left: int
    working_left_s: float
    takt_required_s: float | None
    takt_planned_s: float | None


class CommitmentUpdated(Event, frozen=True, kw_only=True, tag="commitment_updated"):
    """Where a commitment stands: ``done`` of ``units`` for ``market`` by ``due_ns``.

    ``forecast_ns`` is when the last unit is finished at the recent pace, commitments being served in order of
    due date; ``margin_days`` (working days) is negative when that is too late.
    """

    commitment: str
    family: str
    market: str
    units: int
    done: int
    due_ns: int
    forecast_ns: int | None
    margin_days: float | None
    takt_required_s: float | None


class KitStockChanged(Event, frozen=True, kw_only=True, tag="kit_stock_changed"):
    """``stock`` kits are here; the next working day needs ``needed_next_day`` and ``arriving`` come before it."""

    kit: str
    stock: int
    needed_next_day: int
    arriving: int


class Suspect(Struct, frozen=True, array_like=True, gc=False):
    """A station that may hold its line back.

    ``probability`` that it is the bottleneck, ``effective_cycle_s`` its mean time per unit by its own doing, ``share``
    its part of the critical path so far (1 % off its times gives so many % more units), ``gain_units`` the units a year
    that 10 % off its times would have given (exact replay), with an 80 % interval; ``None`` where nothing was recorded.
    """

    station: str
    probability: float
    effective_cycle_s: float | None
    share: float = 0.0
    gain_units: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None


class Opinion(Struct, frozen=True, array_like=True, gc=False):
    """What another method says: ``arrow``, ``active_period`` (settled) or ``active_period_live`` (who is it now).

    ``reason`` tells in words why it disagrees with the verdict; empty where it agrees.
    """

    method: str
    stations: list[str]
    reason: str


class BottleneckUpdated(Event, frozen=True, kw_only=True, tag="bottleneck_updated"):
    """Which stations may hold the line back, the most probable first.

    The ``suspects`` hold the true one with at least 80 %. ``units`` is the evidence's size; ``provisional`` while that
    is small. ``shares`` of the critical path by station and ``waits`` by cause from outside (such as ``kit`` or
    ``operator``) add up to 1. ``verdict`` is the whole in a sentence. ``notes`` tell what was found or doubtful in the
    record, such as buffer sizes found from it.
    """

    line: str
    suspects: list[Suspect]
    units: int
    provisional: bool = False
    shares: dict[str, float] = {}
    waits: dict[str, float] = {}
    opinions: list[Opinion] = []
    verdict: str = ""
    notes: list[str] = []


class FanPoint(Struct, frozen=True, array_like=True, gc=False):
    """Units done by ``at_ns``: fewer than ``low`` or more than ``high`` with 10 % each, ``likely`` the median."""

    at_ns: int
    low: float
    likely: float
    high: float


class TargetForecast(Event, frozen=True, kw_only=True, tag="target_forecast"):
    """How an annual target will end, simulated from the line's present state.

    ``probability`` to meet it; ``units_low``, ``units_likely``, ``units_high`` at the year's end and ``finish_*_ns``
    of the last unit of the target (``None`` beyond the forecast's horizon) are the 10, 50 and 90 % quantiles.
    ``takt_achieved_s`` over the last 20 units. ``prior_share`` is how much of the width comes from the plan's prior
    knowledge rather than from what was measured. ``hours_needed`` of the most loaded station and ``hours_left`` till
    the year's end: if more are needed than left, the overload is certain. ``kits_limit`` is how many units of the
    year kits in stock and announced deliveries allow, ``None`` without kits. ``evidence`` counts measured units.
    """

    target: str
    line: str
    family: str
    year: int
    units: int
    done: int
    probability: float
    units_low: float
    units_likely: float
    units_high: float
    finish_low_ns: int | None
    finish_likely_ns: int | None
    finish_high_ns: int | None
    takt_achieved_s: float | None
    takt_required_s: float | None
    prior_share: float
    hours_needed: float
    hours_left: float
    kits_limit: int | None
    evidence: int
    replications: int
    seed: int
    fan: list[FanPoint]


class CommitmentForecast(Event, frozen=True, kw_only=True, tag="commitment_forecast"):
    """How probably a commitment is met by ``due_ns``, and the 10, 50 and 90 % quantiles of when it is served."""

    commitment: str
    family: str
    market: str
    due_ns: int
    probability: float
    finish_low_ns: int | None
    finish_likely_ns: int | None
    finish_high_ns: int | None


class KitForecast(Event, frozen=True, kw_only=True, tag="kit_forecast"):
    """When kits run out at the forecast pace, announced deliveries included; ``None`` if they last.

    ``short`` are the kits that the year's targets need beyond stock and announced deliveries.
    """

    kit: str
    runs_out_ns: int | None
    short: int


class LagCause(Struct, frozen=True, array_like=True, gc=False):
    """Part of a line's lag: ``hours`` of working time lost by ``cause`` at ``station`` (empty: by plan or filling)."""

    station: str
    cause: str
    hours: float
    units: float


class LagExplained(Event, frozen=True, kw_only=True, tag="lag_explained"):
    """Where a line lost its time since ``since_ns``: ``causes`` add up to ``hours`` (negative: gained).

    ``stops`` are the hours of planned stops by reason: they are no working time, so no part of it.
    """

    line: str
    since_ns: int
    hours: float
    units: float
    causes: list[LagCause]
    stops: dict[str, float] = {}


class ReleaseProposed(Event, frozen=True, kw_only=True, tag="release_proposed"):
    """Which products to start next, in order, and how many units the line should hold at the most.

    ``wip`` units are in it; ``go`` tells whether the next one should start now. ``reason`` says why in a sentence.
    """

    line: str
    products: list[str]
    limit: int | None
    wip: int
    go: bool
    reason: str


# --- links, flags, commands ---------------------------------------------------------------------------------


class LinkChanged(Event, frozen=True, kw_only=True, tag="link_changed"):
    """A connection came up or went down; ``warning`` is what is unsafe about it as configured."""

    connection: str
    up: bool
    reason: str
    warning: str = ""


class FlagChanged(Event, frozen=True, kw_only=True, tag="flag_changed"):
    """A flag (an alarm instance) changed its state.

    ``flag`` is ``rule/subject``; ``raised_ns`` with it identifies the instance. ``transition`` is ``raised``,
    ``cleared``, ``acknowledged``, ``realarmed`` (still raised so long after that), ``blind`` (its inputs are unknown),
    ``sighted``, ``shelved``, ``unshelved``, ``suppressed`` (by design), ``unsuppressed``, ``out_of_service``,
    ``in_service``, ``changed`` (its text) or ``renamed`` (told under the former and the present name). ``by`` and
    ``reason`` are an operator's; where a flag ends or is renamed because other rules count, ``reason`` says so.
    ``raised`` tells whether its cause holds, whatever its state. ``suppressed_by`` is what suppresses it in the state
    of that name: the rule's condition, ``first out: FLAG``, or the flag of a flood. ``until_ns`` ends a shelving or
    being out of service.
    """

    flag: str
    rule: str
    line: str
    station: str
    transition: str
    state: AlarmState
    severity: Severity
    raised_ns: int
    text: str
    unit: str | None = None
    value: float | None = None
    limit: float | None = None
    by: str = ""
    reason: str = ""
    raised: bool = False
    suppressed_by: str = ""
    until_ns: int | None = None


class Noted(Event, frozen=True, kw_only=True, tag="noted"):
    """A rule's entry into what happened. ``flag`` is ``rule/subject``, although no flag may belong to it."""

    flag: str
    rule: str
    line: str
    station: str
    text: str
    unit: str | None = None

    @property
    def transition(self) -> str:
        """``noted``: what happened, told as that of a flag."""
        return "noted"


class RulesChanged(Event, frozen=True, kw_only=True, tag="rules_changed"):
    """Other rules count from now on, because ``by`` wanted it (empty: at a start of the gateway).

    Names of rules; ``renamed`` has pairs of a former and a present one. ``settings`` tells whether alarm settings
    changed, ``kept`` how many flags that stand go on; those that end are told as ``cleared``.
    """

    by: str
    added: list[str]
    changed: list[str]
    removed: list[str]
    renamed: list[tuple[str, str]]
    settings: bool
    kept: int

    @property
    def text(self) -> str:
        """What changed, in a sentence."""
        parts = [
            ("added", self.added),
            ("changed", self.changed),
            ("removed", self.removed),
            ("renamed", [f"{former} to {present}" for former, present in self.renamed]),
            ("changed", ["alarm settings"] if self.settings else []),
        ]
        said = [f"{what} {', '.join(names)}" for what, names in parts if names]
        return f"rules: {'; '.join(said) or 'only their order or wording changed'}"


class AlarmKpi(Event, frozen=True, kw_only=True, tag="alarm_kpi"):
    """What a line's flags asked of its people over a period, by ISA-18.2 and EEMUA 191, told at its end.

    ``period`` is ``hour`` (of UTC) or ``shift``; ``line`` is empty for what belongs to none. ``told`` counts how often
    a flag began to want somebody, by severity ``info``, ``warning`` and ``critical``, ``peak`` the most within ten
    minutes, ``muted`` those that a flood kept from being told. ``flood_s`` are seconds on the wall. At its end
    ``standing`` flags want somebody, ``stale`` of them for more than 24 hours; ``chattering`` chattered within it.
    ``top`` are the flags told most often, ten at the most.
    """

    line: str
    period: str
    shift: str
    start_ns: int
    end_ns: int
    told: int
    per_hour: float
    peak: int
    info: int
    warning: int
    critical: int
    muted: int
    flood_s: float
    flood_share: float
    standing: int
    stale: int
    chattering: int
    top: list[tuple[str, int]]


class CommandIssued(Event, frozen=True, kw_only=True, tag="command_issued"):
    """Intent to write ``value`` to a station; void after ``expires_ns``."""

    command: str
    line: str
    station: str
    name: str
    value: bool | int | float
    expires_ns: int
    reason: str


class CommandClosed(Event, frozen=True, kw_only=True, tag="command_closed"):
    """How a command ended."""

    command: str
    line: str
    station: str
    name: str
    value: bool | int | float
    result: CommandResult
    issued_ns: int
    text: str
    reason: str


AnyEvent = (
    StateChanged
    | StateHeld
    | CycleStarted
    | CycleEnded
    | CycleProgress
    | CycleCompleted
    | UnitCompleted
    | BufferChanged
    | StationUnobserved
    | Anomaly
    | AndonCalled
    | Sampled
    | ShiftKpi
    | LedgerUpdated
    | CommitmentUpdated
    | KitStockChanged
    | BottleneckUpdated
    | TargetForecast
    | CommitmentForecast
    | KitForecast
    | LagExplained
    | ReleaseProposed
    | LinkChanged
    | FlagChanged
    | AlarmKpi
    | Noted
    | RulesChanged
    | CommandIssued
    | CommandClosed
)
"""The closed union of what the engine may say: what the journal stores and what sinks and board receive."""
