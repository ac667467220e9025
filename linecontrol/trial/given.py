"""What a rule test gives, as events and operations."""

from collections.abc import Iterator
from typing import Any

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.config.rule_test import GivenConfig
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

USER = "test"
"""Who does what a test lets a person do."""


class Facts:
    """Turns what is given into events; remembers what earlier ones said, so that later ones need not repeat it."""

    def __init__(self, config: Config, calendars: dict[str, WorkCalendar]) -> None:
        """Nothing was told yet."""
        self._config, self._calendars = config, calendars
        self._states: dict[str, tuple[StationState, int]] = {}
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
            yield self._verdict(given.line, dict(given.told or {}), at_ns)
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
            yield StateChanged(
                **where, state=given.state, previous=previous, since_ns=since_ns,
                previous_s=calendar.working_ns(since_ns, at_ns) / NS, shift=shift.name if shift else "none",
            )  # fmt: skip
        elif given.start is not None:
            begins = given.start
            yield CycleStarted(
                **where, unit=begins.unit, unit_inferred=False, product=begins.product, planned_s=_s(begins.planned)
            )
        elif given.complete is not None:
            ends = given.complete
            start_ns = None if ends.active is None else calendar.back(at_ns, ends.active)
            yield CycleCompleted(
                **where, unit=ends.unit, unit_inferred=False, product=ends.product, start_ns=start_ns,
                active_s=_s(ends.active), planned_s=_s(ends.planned), timing=ends.timing, good=ends.good,
                lost_s={StationState.DOWN: ends.lost / NS} if ends.lost else {}, shift=shift.name if shift else "none",
            )  # fmt: skip
        elif given.andon is not None:
            yield AndonCalled(**where, active=given.andon)
        for tag, value in (given.sample or {}).items():
            yield Sampled(**where, name=tag, value=value)

    # --- figures --------------------------------------------------------------------------------------------

    def _merged(self, key: str, told: dict[str, Any], allowed: tuple[str, ...]) -> dict[str, Any]:
        for name in told:
            if name not in allowed:
                msg = f"{name} can't be told; there are {', '.join(allowed)}"
                raise ValueError(msg)
        known = self._told.setdefault(key, {})
        known.update(told)
        return known

    def _verdict(self, line: str, told: dict[str, Any], at_ns: int) -> AnyEvent:
        known = self._merged(f"line {line}", told, ("suspects", "provisional", "verdict"))
        suspects = known.get("suspects", {})
        for station in suspects:
            self._known("station", station, self._config.lines[line].stations)
        ranked = sorted(suspects.items(), key=lambda pair: -pair[1])
        return BottleneckUpdated(
            at_ns=at_ns,
            line=line,
            suspects=[Suspect(station, float(probability), 0.0) for station, probability in ranked],
            units=0,
            provisional=bool(known.get("provisional", False)),
            verdict=str(known.get("verdict", "")),
        )

    def _target(self, name: str, told: dict[str, Any], at_ns: int) -> Iterator[AnyEvent]:
        ledger = ("done", "due", "today", "behind", "behind_days", "left", "required_takt", "planned_takt")
        forecast = ("probability", "units_low", "units_likely", "units_high", "takt_achieved", "hours_needed",
                    "hours_left", "kits_limit")  # fmt: skip
        known = self._merged(f"target {name}", told, ledger + forecast)
        target = self._config.targets[name]
        common: dict[str, Any] = {
            "at_ns": at_ns, "target": name, "line": target.line, "family": target.family, "year": target.year,
            "units": target.units, "done": int(known.get("done", 0)),
        }  # fmt: skip
        if any(field in told for field in ledger):
            yield LedgerUpdated(
                **common, today=int(known.get("today", 0)), due=float(known.get("due", 0)),
                ahead_units=-float(known.get("behind", 0)), ahead_days=-float(known.get("behind_days", 0)),
                left=int(known.get("left", 0)), working_left_s=0.0, takt_required_s=known.get("required_takt"),
                takt_planned_s=known.get("planned_takt"),
            )  # fmt: skip
        if any(field in told for field in forecast):
            yield TargetForecast(
                **common, probability=float(known.get("probability", 0.5)),
                units_low=float(known.get("units_low", 0)), units_likely=float(known.get("units_likely", 0)),
                units_high=float(known.get("units_high", 0)), finish_low_ns=None, finish_likely_ns=None,
                finish_high_ns=None, takt_achieved_s=known.get("takt_achieved"), takt_required_s=None, prior_share=0.0,
                hours_needed=float(known.get("hours_needed", 0)), hours_left=float(known.get("hours_left", 0)),
                kits_limit=known.get("kits_limit"), evidence=0, replications=0, seed=0, fan=[],
            )  # fmt: skip

    def _commitment(self, name: str, told: dict[str, Any], at_ns: int) -> Iterator[AnyEvent]:
        known = self._merged(f"commitment {name}", told, ("done", "margin_days", "required_takt", "probability"))
        item = self._config.commitments[name]
        common: dict[str, Any] = {
            "at_ns": at_ns, "commitment": name, "family": item.family, "market": item.market, "due_ns": at_ns
        }  # fmt: skip
        if told.keys() - {"probability"}:
            yield CommitmentUpdated(
                **common, units=item.units, done=int(known.get("done", 0)), forecast_ns=None,
                margin_days=known.get("margin_days"), takt_required_s=known.get("required_takt"),
            )  # fmt: skip
        if "probability" in told:
            yield CommitmentForecast(
                **common, probability=float(known["probability"]), finish_low_ns=None, finish_likely_ns=None,
                finish_high_ns=None,
            )  # fmt: skip

    def _kit(self, name: str, told: dict[str, Any], at_ns: int) -> Iterator[AnyEvent]:
        stock, forecast = ("stock", "needed_next_day", "arriving"), ("short", "runs_out_in_days")
        known = self._merged(f"kit {name}", told, stock + forecast)
        if any(field in told for field in stock):
            yield KitStockChanged(at_ns=at_ns, kit=name, **{field: int(known.get(field, 0)) for field in stock})
        if any(field in told for field in forecast):
            days = known.get("runs_out_in_days")
            runs_out_ns = None if days is None else at_ns + round(days * 86_400 * NS)
            yield KitForecast(at_ns=at_ns, kit=name, runs_out_ns=runs_out_ns, short=int(known.get("short", 0)))

    @staticmethod
    def _known(kind: str, name: str, names: Any) -> None:
        if name not in names:
            msg = f"there is no {kind} {name}; there are {', '.join(names)}"
            raise ValueError(msg)


def _s(ns: int | None) -> float | None:
    return None if ns is None else ns / NS
