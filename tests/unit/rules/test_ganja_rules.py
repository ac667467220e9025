"""Each rule of the example plant, raised and cleared by a small story."""

from types import SimpleNamespace
from typing import Any

import pytest

from linecontrol.config import Config
from linecontrol.model import (
    AndonCalled,
    BottleneckUpdated,
    CommitmentForecast,
    CommitmentUpdated,
    CycleCompleted,
    CycleStarted,
    KitForecast,
    KitStockChanged,
    LedgerUpdated,
    LinkChanged,
    StateChanged,
    StationState,
    Suspect,
    TargetForecast,
    Timing,
)
from linecontrol.rules import problems

S = 10**9
M = 60
HOUR = 3600
DAY = 24 * HOUR


class Teller:
    """Events of the first two stations of a line, in seconds after the start of a working day."""

    def __init__(self, config: Config, day_ns: int) -> None:
        self.config, self.day_ns = config, day_ns

    def at(self, seconds: float) -> int:
        return self.day_ns + int(seconds * S)

    def station(self, line: str, index: int) -> dict[str, str]:
        return {"line": line, "station": list(self.config.lines[line].stations)[index]}

    def state(self, seconds: float, state: str, index: int = 0, line: str = "tractor") -> StateChanged:
        return StateChanged(
            at_ns=self.at(seconds), **self.station(line, index), state=StationState(state),
            previous=StationState.IDLE, since_ns=self.at(0), previous_s=0.0, shift="day",
        )  # fmt: skip

    def start(self, seconds: float, line: str = "tractor") -> CycleStarted:
        return CycleStarted(
            at_ns=self.at(seconds), **self.station(line, 0), unit="U7", unit_inferred=False, product="p",
            planned_s=1000.0,
        )  # fmt: skip

    def done(self, seconds: float, active_s: float, line: str = "tractor") -> CycleCompleted:
        return CycleCompleted(
            at_ns=self.at(seconds), **self.station(line, 0), unit="U7", unit_inferred=False, product="p",
            start_ns=None, active_s=active_s, planned_s=1000.0, lost_s={}, timing=Timing.MEASURED, good=True,
            shift="day",
        )  # fmt: skip

    def ledger(self, seconds: float, ahead: float) -> LedgerUpdated:
        target = next(name for name, item in self.config.targets.items() if item.line == "tractor")
        return LedgerUpdated(
            at_ns=self.at(seconds), target=target, line="tractor", family="f", year=2026, units=800, done=1, today=0,
            due=1 - ahead, ahead_units=ahead, ahead_days=ahead / 3, left=799, working_left_s=8e5,
            takt_required_s=1000.0, takt_planned_s=990.0,
        )  # fmt: skip

    def commitment(self, seconds: float, margin: float) -> CommitmentUpdated:
        return CommitmentUpdated(
            at_ns=self.at(seconds), commitment=next(iter(self.config.commitments)), family="f", market="Turkey",
            units=10, done=2, due_ns=self.at(10**6), forecast_ns=None, margin_days=margin, takt_required_s=None,
        )  # fmt: skip

    def kit(self, seconds: float, stock: int) -> KitStockChanged:
        return KitStockChanged(
            at_ns=self.at(seconds), kit=next(iter(self.config.kits)), stock=stock, needed_next_day=3, arriving=0
        )

    def verdict(self, seconds: float, station: int, probability: float) -> BottleneckUpdated:
        name = self.station("tractor", station)["station"]
        return BottleneckUpdated(
            at_ns=self.at(seconds), line="tractor", suspects=[Suspect(name, probability, 1.0, 0.4, 12.0, 8.0, 15.0)],
            units=70, shares={name: 0.4}, verdict="It changed.",
        )  # fmt: skip

    def forecast(self, seconds: float, probability: float, needed: float = 1000.0) -> TargetForecast:
        target = next(name for name, item in self.config.targets.items() if item.line == "tractor")
        return TargetForecast(
            at_ns=self.at(seconds), target=target, line="tractor", family="f", year=2026, units=800, done=3,
            probability=probability, units_low=760.0, units_likely=780.0, units_high=795.0, finish_low_ns=None,
            finish_likely_ns=None, finish_high_ns=None, takt_achieved_s=None, takt_required_s=None, prior_share=0.5,
            hours_needed=needed, hours_left=1500.0, kits_limit=None, evidence=9, replications=1000, seed=1, fan=[],
        )  # fmt: skip

    def promise(self, seconds: float, probability: float) -> CommitmentForecast:
        return CommitmentForecast(
            at_ns=self.at(seconds), commitment=next(iter(self.config.commitments)), family="f", market="Turkey",
            due_ns=self.at(10**6), probability=probability, finish_low_ns=None, finish_likely_ns=None,
            finish_high_ns=None,
        )  # fmt: skip

    def supply(self, seconds: float, short: int, days: float | None) -> KitForecast:
        until_ns = None if days is None else self.at(days * 24 * HOUR)
        return KitForecast(at_ns=self.at(seconds), kit=next(iter(self.config.kits)), runs_out_ns=until_ns, short=short)

    def andon(self, seconds: float, active: bool) -> AndonCalled:
        return AndonCalled(at_ns=self.at(seconds), **self.station("tractor", 0), active=active)

    def link(self, seconds: float, up: bool, warning: str = "") -> LinkChanged:
        name = next(iter(self.config.connections))
        return LinkChanged(at_ns=self.at(seconds), connection=name, up=up, reason="test", warning=warning)


def freed(t: Teller, index: int) -> list[StateChanged]:
    return [t.state(49 * M, "working", index)]


def stories(t: Teller) -> dict[str, tuple[list[Any], str]]:
    """For each rule: events, and what its message must say."""
    cycles = [t.done(100 * i, 1100.0) for i in range(1, 6)]
    late = [t.done(1800 + 100 * i, 900.0) for i in range(10)]
    quick = [t.done(1500 + 10 * i, 900.0) for i in range(5)]
    return {
        "cycle_beyond_plan": ([t.state(0, "working"), t.start(0), t.done(1300, 1300.0)], "U7 takes 19m"),
        "cycle_beyond_plan_municipal": (
            [t.state(0, "working", 0, "municipal"), t.start(0, "municipal"), t.done(1400, 1400.0, "municipal")],
            "instead of 17m",
        ),
        "no_cycle": ([t.state(0, "working"), t.start(0), t.done(2500, 2500.0)], "no unit finished for"),
        "over_takt": ([t.ledger(0, 0.0), *cycles, *quick], "3 of the last 5 cycles"),
        "starved_long": (
            [
                t.state(0, "down", 0),
                t.state(0, "starved", 1),
                t.state(0, "starved", 2),
                *freed(t, 2),
                t.state(50 * M, "working", 1),
            ],
            "without work for 45m. Look at Chassis and transmission marriage, which is down",
        ),
        "blocked_long": (
            [
                t.state(0, "blocked", 0),
                t.state(0, "blocked", 1),
                t.state(0, "down", 2),
                *freed(t, 0),
                t.state(50 * M, "working", 1),
            ],
            "can't hand on its unit for 45m",
        ),
        "down_long": ([t.state(0, "down"), t.state(20 * M, "working")], "Call maintenance"),
        "slow_and_starving_next": (
            [t.state(0, "working"), *cycles, t.state(600, "starved", 1), *late],
            "waits for it",
        ),
        "andon_call": ([t.state(0, "working"), t.andon(5, True), t.andon(300, False)], "unanswered"),
        "behind_target": ([t.ledger(0, -6.0), t.ledger(900, -4.0), t.ledger(1000, -2.0)], "6 units (2 working days)"),
        "bottleneck_found": (
            [t.verdict(0, 1, 0.5), t.verdict(60, 1, 0.7), t.verdict(120, 1, 0.45), t.verdict(180, 2, 0.5)],
            "Front axle holds the line back (70 %): 10 % off its cycles would give 12 units a year",
        ),
        "bottleneck_moved": (
            [t.verdict(0, 1, 0.7), t.verdict(60, 2, 0.7), t.verdict(DAY + 2 * HOUR, 2, 0.7)],
            "the bottleneck is now Hydraulics and rear linkage, no longer Front axle. It changed.",
        ),
        "target_in_danger": (
            [
                *(t.forecast(day * DAY, 0.3) for day in range(3)),
                t.forecast(3 * DAY, 0.4),
                t.forecast(3 * DAY + 60, 0.5),
            ],
            "met with 30 % only, for three days; 780 units are likely (760 to 795)",
        ),
        "overload_certain": (
            [t.forecast(0, 0.3, 1400.0), t.forecast(60, 0.02, 1510.0), t.forecast(120, 0.3, 1490.0)],
            "needs 1510 working hours at the most loaded station, and there are 1500",
        ),
        "commitment_in_danger": (
            [t.commitment(0, -2.5), *(t.promise(day * DAY, 0.2) for day in range(3)), t.promise(3 * DAY, 0.6)],
            "met in time with 20 % only, for three days; 8 units are left",
        ),
        "kits_run_out": (
            [t.supply(0, 4, 90.0), t.supply(60, 4, 30.0), t.supply(120, 0, None)],
            "2026-02-0",
        ),
        "kits_short_tomorrow": ([t.kit(0, 2), t.kit(60, 5)], "2 in store and 0 arriving"),
        "link_lost": ([t.link(0, False), t.link(60, True)], "no connection for 30s"),
        "unsafe_link": ([t.link(0, True, "in clear text"), t.link(9, False), t.link(60, True)], ": in clear text"),
    }


@pytest.fixture(scope="module")
def plant(lab: SimpleNamespace) -> Config:
    config: Config = lab.ganja()
    return config


def test_the_rules_have_no_problems(plant: Config) -> None:
    assert problems(plant) == []


def test_every_rule_has_a_story(plant: Config, lab: SimpleNamespace) -> None:
    assert set(stories(Teller(plant, lab.MONDAY))) == set(plant.rules)


@pytest.mark.parametrize("rule", range(19))
def test_raised_and_cleared(plant: Config, lab: SimpleNamespace, rule: int) -> None:
    calendar = lab.calendars(plant)["tractor"]
    day = next(shift.start_ns for shift in calendar.shifts(lab.MONDAY - 86_400 * S, lab.MONDAY + 9 * 86_400 * S))
    told = stories(Teller(plant, day))
    name = list(told)[rule]
    events, text = told[name]
    room, hour_ns = lab.room_of(plant), day + HOUR * S
    said = lab.play(room, [event for event in events if event.at_ns < hour_ns], hour_ns)
    if later := [event for event in events if event.at_ns >= hour_ns]:
        said += lab.play(room, later, later[-1].at_ns + HOUR * S, 60 * S)
    flags = [flag for flag in said if flag.rule == name and flag.transition != "blind"]
    assert [flag.transition for flag in flags] == ["raised", "cleared"]
    assert text in flags[0].text
    assert "?" not in flags[0].text
