"""What a rule test gives, as events and operations."""

from collections.abc import Iterable, Iterator
from typing import Any

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.config.rule_test import GivenConfig, StartConfig
from linecontrol.duration import NS
from linecontrol.model import (
    AndonCalled,
    AnyEvent,
    BottleneckUpdated,
    CommitmentForecast,
    CommitmentUpdated,
    CycleCompleted,
    CycleStarted,
    KitForecast,
    KitStockChanged,
    LagExplained,
    LedgerUpdated,
    LinkChanged,
    Operation,
    Sampled,
    StateChanged,
    StationState,
    Suspect,
    TargetForecast,
)
from linecontrol.model.observation import VERBS
from linecontrol.rules.lexer import Sort, token_of
from linecontrol.rules.suggest import nearest

_SHARES = ("probability", "share")
USER = "test"
"""Who does what a test lets a person do."""


class Facts:
    """Turns what is given into events; remembers what earlier ones said, so that later ones need not repeat it."""

    def __init__(self, config: Config, calendars: dict[str, WorkCalendar]) -> None:
        """Nothing was told yet."""
        self._config, self._calendars = config, calendars
        self._states: dict[str, tuple[StationState, int]] = {}
        self._begun: dict[str, StartConfig] = {}  # by station: the running cycle
        self._work: dict[str, tuple[str | None, str | None]] = {}  # by station: unit and product
        self._told: dict[str, dict[str, Any]] = {}

    def events(self, given: GivenConfig, at_ns: int) -> Iterator[AnyEvent]:
        """The events of something given that happens at ``at_ns``; none for steps.

        Raises:
            ValueError: it names what the config doesn't have, or tells what can't be told.
        """
        if given.station is not None:
            yield from self._station(given, given.station, at_ns)
        elif given.connection is not None:
            self._known("connection", given.connection, self._config.connections)
            up = bool(given.up)
            yield LinkChanged(at_ns=at_ns, connection=given.connection, up=up, reason="", warning=given.warning)
        elif given.line is not None:
            self._known("line", given.line, self._config.lines)
            yield from self._line(given.line, dict(given.told or {}), at_ns)
        elif given.target is not None:
            self._known("target", given.target, self._config.targets)
            yield from self._target(given.target, dict(given.told or {}), at_ns)
        elif given.commitment is not None:
            self._known("commitment", given.commitment, self._config.commitments)
            yield from self._commitment(given.commitment, dict(given.told or {}), at_ns)
        elif given.kit is not None:
            self._known("kit", given.kit, self._config.kits)
            yield from self._kit(given.kit, dict(given.told or {}), at_ns)

    def operation(self, given: GivenConfig, at_ns: int) -> Operation | None:
        """What a person does, if that is what is given."""
        for verb in VERBS:
            flag = getattr(given, verb)
            if flag is not None:
                until_ns = None if given.for_ is None else at_ns + given.for_
                return Operation(verb, flag, USER, "as the test says", at_ns, until_ns)
        return None

    # --- stations -------------------------------------------------------------------------------------------

    def _station(self, given: GivenConfig, name: str, at_ns: int) -> Iterator[AnyEvent]:
        line, _, station = name.partition("/")
        stations = [f"{key}/{each}" for key, item in self._config.lines.items() for each in item.stations]
        self._known("station", name, stations)
        calendar = self._calendars[line]
        shift = calendar.shift_at(at_ns)
        where: dict[str, Any] = {"at_ns": at_ns, "line": line, "station": station}
        if given.state is not None:
            previous, since_ns = self._states.get(name, (StationState.UNOBSERVED, at_ns))
            self._states[name] = given.state, at_ns
            unit, product = self._work.get(name, (None, None))
            yield StateChanged(
                **where, state=given.state, previous=previous, since_ns=since_ns,
                previous_s=calendar.working_ns(since_ns, at_ns) / NS, shift=shift.name if shift else "none",
                unit=unit, product=product,
            )  # fmt: skip
        elif given.start is not None:
            self._known("product", given.start.product, self._config.products)
            begins = self._begun[name] = given.start
            self._work[name] = begins.unit, begins.product
            yield CycleStarted(
                **where, unit=begins.unit, unit_inferred=False, product=begins.product, planned_s=_s(begins.planned)
            )
        elif given.complete is not None:
            self._known("product", given.complete.product, self._config.products)
            ends, begun = given.complete, self._begun.pop(name, StartConfig())
            product = ends.product or begun.product
            planned = begun.planned if ends.planned is None else ends.planned
            self._work[name] = self._work.get(name, (None, None))[0], product
            start_ns = None if ends.active is None else calendar.back(at_ns, ends.active)
            yield CycleCompleted(
                **where, unit=ends.unit or begun.unit, unit_inferred=False, product=product, start_ns=start_ns,
                active_s=_s(ends.active), planned_s=_s(planned), timing=ends.timing, good=ends.good,
                lost_s={StationState.DOWN: ends.lost / NS} if ends.lost else {}, shift=shift.name if shift else "none",
            )  # fmt: skip
        elif given.andon is not None:
            yield AndonCalled(**where, active=given.andon)
        for tag, value in (given.sample or {}).items():
            self._known(f"telemetry tag of {name}", tag, self._config.lines[line].stations[station].telemetry)
            yield Sampled(**where, name=tag, value=value)

    # --- figures --------------------------------------------------------------------------------------------

    def _line(self, line: str, told: dict[str, Any], at_ns: int) -> Iterator[AnyEvent]:
        known = self._merged(f"line {line}", told, ("suspects", "provisional", "verdict", "lag"))
        suspects = known.get("suspects", {})
        if not isinstance(suspects, dict):
            msg = "suspects are stations with their probabilities, such as {cab: 70%}"
            raise ValueError(msg)
        for station in suspects:
            self._known("station", station, self._config.lines[line].stations)
        each = {station: its if isinstance(its, dict) else {"probability": its} for station, its in suspects.items()}
        for its in each.values():
            self._allowed(its, ("probability", "gain", "share"))
        if told.keys() - {"lag"}:
            ranked = sorted(each.items(), key=lambda pair: -_number("probability", pair[1].get("probability")))
            yield BottleneckUpdated(
                at_ns=at_ns,
                line=line,
                suspects=[
                    Suspect(
                        station, _number("probability", its.get("probability")), None,
                        gain_units=_number("gain", its["gain"]) if "gain" in its else None,
                    )
                    for station, its in ranked
                ],
                units=0,
                provisional=known.get("provisional") is True,
                shares={station: _number("share", its["share"]) for station, its in ranked if "share" in its},
                verdict=str(known.get("verdict", "")),
            )  # fmt: skip
        if "lag" in told:
            hours = _number("lag", told["lag"])
            yield LagExplained(at_ns=at_ns, line=line, since_ns=at_ns, hours=hours, units=0.0, causes=[])

    def _target(self, name: str, told: dict[str, Any], at_ns: int) -> Iterator[AnyEvent]:
        ledger = ("done", "due", "today", "behind", "behind_days", "left", "required_takt", "planned_takt")
        forecast = ("probability", "units_low", "units_likely", "units_high", "takt_achieved", "hours_needed",
                    "hours_left", "kits_limit")  # fmt: skip
        known = self._merged(f"target {name}", told, ledger + forecast)
        target = self._config.targets[name]

        def number(field: str, otherwise: float = 0.0) -> float:
            return _number(field, known.get(field, otherwise))

        def whole(field: str) -> int:
            return _whole(field, known.get(field, 0))

        common: dict[str, Any] = {
            "at_ns": at_ns, "target": name, "line": target.line, "family": target.family, "year": target.year,
            "units": target.units, "done": whole("done"),
        }  # fmt: skip
        if any(field in told for field in ledger):
            yield LedgerUpdated(
                **common, today=whole("today"), due=number("due"), ahead_units=-number("behind"),
                ahead_days=-number("behind_days"), left=whole("left"), working_left_s=0.0,
                takt_required_s=_seconds("required_takt", known), takt_planned_s=_seconds("planned_takt", known),
            )  # fmt: skip
        if any(field in told for field in forecast):
            kits = known.get("kits_limit")
            yield TargetForecast(
                **common, probability=number("probability", 0.5), units_low=number("units_low"),
                units_likely=number("units_likely"), units_high=number("units_high"), finish_low_ns=None,
                finish_likely_ns=None, finish_high_ns=None, takt_achieved_s=_seconds("takt_achieved", known),
                takt_required_s=None, prior_share=0.0, hours_needed=number("hours_needed"),
                hours_left=number("hours_left"), kits_limit=None if kits is None else _whole("kits_limit", kits),
                evidence=0, replications=0, seed=0, fan=[],
            )  # fmt: skip

    def _commitment(self, name: str, told: dict[str, Any], at_ns: int) -> Iterator[AnyEvent]:
        known = self._merged(f"commitment {name}", told, ("done", "margin_days", "required_takt", "probability"))
        item = self._config.commitments[name]
        common: dict[str, Any] = {
            "at_ns": at_ns, "commitment": name, "family": item.family, "market": item.market, "due_ns": at_ns
        }  # fmt: skip
        if told.keys() - {"probability"}:
            margin = known.get("margin_days")
            yield CommitmentUpdated(
                **common, units=item.units, done=_whole("done", known.get("done", 0)), forecast_ns=None,
                margin_days=None if margin is None else _number("margin_days", margin),
                takt_required_s=_seconds("required_takt", known),
            )  # fmt: skip
        if "probability" in told:
            yield CommitmentForecast(
                **common, probability=_number("probability", known["probability"]), finish_low_ns=None,
                finish_likely_ns=None, finish_high_ns=None,
            )  # fmt: skip

    def _kit(self, name: str, told: dict[str, Any], at_ns: int) -> Iterator[AnyEvent]:
        stock, forecast = ("stock", "needed_next_day", "arriving"), ("short", "runs_out_in")
        known = self._merged(f"kit {name}", told, stock + forecast)
        if any(field in told for field in stock):
            counts = {field: _whole(field, known.get(field, 0)) for field in stock}
            yield KitStockChanged(at_ns=at_ns, kit=name, **counts)
        if any(field in told for field in forecast):
            left_s = _seconds("runs_out_in", known)
            runs_out_ns = None if left_s is None else at_ns + round(left_s * NS)
            short = _whole("short", known.get("short", 0))
            yield KitForecast(at_ns=at_ns, kit=name, runs_out_ns=runs_out_ns, short=short)

    # --- what is meant --------------------------------------------------------------------------------------

    def _merged(self, key: str, told: dict[str, Any], allowed: tuple[str, ...]) -> dict[str, Any]:
        self._allowed(told, allowed)
        known = self._told.setdefault(key, {})
        known.update(told)
        return known

    @staticmethod
    def _allowed(told: dict[str, Any], allowed: tuple[str, ...]) -> None:
        if not told:
            msg = f"nothing is told; there are {', '.join(allowed)}"
            raise ValueError(msg)
        for name in told:
            if name not in allowed:
                hint = nearest(str(name), allowed) or f"; there are {', '.join(allowed)}"
                msg = f"{name} can't be told{hint}"
                raise ValueError(msg)

    @staticmethod
    def _known(kind: str, name: str | None, names: Iterable[str]) -> None:
        known = list(names)
        if name is not None and name not in known:
            hint = nearest(name, known) or f"; there are {', '.join(known) or 'none'}"
            msg = f"there is no {kind} {name}{hint}"
            raise ValueError(msg)


def _number(name: str, value: Any) -> float:
    token = token_of(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    if token is None or token.sort is not Sort.NUMBER:
        msg = f"{name} is a number, such as 5 or 60%; found {value!r}"
        raise ValueError(msg)
    if name in _SHARES and not 0 <= token.value <= 1:
        msg = f"{name} is a share, from 0% to 100%; found {value!r}"
        raise ValueError(msg)
    return token.value


def _whole(name: str, value: Any) -> int:
    number = _number(name, value)
    if not number.is_integer():
        msg = f"{name} is a whole number; found {value!r}"
        raise ValueError(msg)
    return int(number)


def _seconds(name: str, told: dict[str, Any]) -> float | None:
    if (value := told.get(name)) is None:
        return None
    token = token_of(value) if isinstance(value, str) else None
    if token is None or token.sort is not Sort.LENGTH:
        msg = f"{name} is a duration, such as 2h18m; found {value!r}"
        raise ValueError(msg)
    return token.value


def _s(ns: int | None) -> float | None:
    return None if ns is None else ns / NS
