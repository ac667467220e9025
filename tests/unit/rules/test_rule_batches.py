"""Random rules in the whole engine: how observations are put together into steps makes no difference."""

from collections import Counter
from random import Random

import pytest

from linecontrol.config import Config, SignalConfig
from linecontrol.config.line import StationConfig
from linecontrol.engine import Engine
from linecontrol.model import AnyEvent, FlagChanged, LinkChange, Observation, Operation, Quality, Reading
from linecontrol.model.observation import VERBS
from tests.unit.rules.naive.cases import Case, case, crowd
from tests.unit.rules.naive.stories import STATIONS, TAGS

STUDY = (pytest.mark.study, pytest.mark.timeout(3_600))
ROLES = ("running", "fault", "blocked", "starved", "cycle_start", "cycle_complete", "andon_call")


def plant(of: Case) -> Config:
    """The case's plant with signals."""

    def station(its: StationConfig) -> StationConfig:
        return its.model_copy(update={"signals": {role: SignalConfig() for role in ROLES}})

    lines = {
        name: line.model_copy(update={"stations": {key: station(its) for key, its in line.stations.items()}})
        for name, line in of.scale.config.lines.items()
    }
    return of.scale.config.model_copy(update={"lines": lines, "rules": of.rules, "alarms": of.alarms})


def observations(of: Case, chance: Random, lateness: int) -> list[list[tuple[int, Observation]]]:
    """Each ten seconds some observations within the time that engines wait for late ones, each at its own moment.

    Those of one moment that come together are one picture of a station, and may say otherwise than one by one.
    """
    flags = [f"{name}/{station}" for name, rule in of.rules.items() if rule.each == "station" for station in STATIONS]
    told: list[list[tuple[int, Observation]]] = [[(of.start, LinkChange("plc", up=True, at_ns=of.start))]]
    for place in range(1, of.scale.steps):
        at = of.start + place * of.scale.step
        moments = [at, *sorted(at + late for late in chance.sample(range(1, lateness), 3))]
        told.append([(moment, _observation(chance, moment, flags)) for moment in moments])
    return told


def _observation(chance: Random, at: int, flags: list[str]) -> Observation:
    if chance.random() < 0.1:
        return Operation(chance.choice(VERBS), chance.choice(flags), "ali", "so", at)
    station = chance.choice(STATIONS)
    if station in TAGS and chance.random() < 0.3:
        tag = chance.choice(TAGS[station])
        return Reading(f"{station}/{tag}", chance.choice([0.0, 1.0, 3.0, 7.0]), Quality.GOOD, at, at)
    return Reading(f"{station}/{chance.choice(ROLES)}", chance.random() < 0.6, Quality.GOOD, at, at)


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 200), marks=STUDY)], ids=["few", "many"])
def test_observations_one_by_one_or_in_batches(seeds: range) -> None:
    scale, seen = crowd(), Counter[str]()
    for seed in seeds:
        chance = Random(seed)
        of = case(scale, chance)
        config = plant(of)
        single, batched = Engine(config), Engine(config)
        one, other = list[AnyEvent](), list[AnyEvent]()
        for batch in observations(of, chance, config.engine.lateness):
            one += [event for at, each in batch for event in single.step([each], at)]
            other += batched.step([each for _, each in batch], batch[-1][0])
        one += single.tick(of.end)
        other += batched.tick(of.end)
        assert other == one
        seen.update(event.transition for event in one if isinstance(event, FlagChanged))
    assert seen["raised"] > 20 * len(seeds)
    assert seen["suppressed"]
