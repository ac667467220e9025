"""The example plant assessed: what it says, that it says the same again, and that it can be asked at any time."""

from datetime import date

import msgspec
import pytest

from linecontrol.assessment import Assessment, Question
from linecontrol.calendar import line_calendars
from linecontrol.cli.common import example_plant
from linecontrol.config import Config
from linecontrol.engine import Engine
from linecontrol.model import (
    AnyEvent,
    BottleneckUpdated,
    CommitmentForecast,
    KitForecast,
    LinkChange,
    Quality,
    Reading,
    TargetForecast,
)
from linecontrol.plant.load import load_plant
from linecontrol.simulator import SimPlant

STEP_NS = 600 * 10**9
DAY_NS = 86_400 * 10**9


@pytest.fixture(scope="module")
def plant() -> Config:
    config = load_plant(example_plant()).config
    pace = {"resolution": STEP_NS, "progress_every": DAY_NS, "heartbeat_every": DAY_NS}
    return config.model_copy(update={"engine": config.engine.model_copy(update=pace)})


def asked(config: Config, days: int) -> Question:
    """The question after so many days of the simulated plant."""
    calendars = line_calendars(config)
    start_ns = calendars["tractor"].day_start(date(2026, 1, 5))
    sim, engine = SimPlant(config, calendars, start_ns, 1), Engine(config)
    engine.step([LinkChange(name, True, start_ns) for name in config.connections], start_ns)
    engine.step(
        [Reading(name, value, Quality.GOOD, start_ns, start_ns) for name, value in sim.values.items()], start_ns
    )
    now_ns = start_ns
    for now_ns in range(start_ns, start_ns + days * DAY_NS + 1, STEP_NS):
        readings = [Reading(c.signal, c.value, Quality.GOOD, c.at_ns, c.at_ns) for c in sim.step(now_ns)]
        if readings:
            engine.step(readings, now_ns)
    return engine.question(now_ns)


@pytest.fixture(scope="module")
def month(plant: Config) -> Question:
    return asked(plant, 30)


def told(config: Config, question: Question) -> list[AnyEvent]:
    return [event for part in Assessment(config).answer(question) for event in part]


def test_a_month_of_the_example_plant(plant: Config, month: Question) -> None:
    events = told(plant, month)
    assert {event.at_ns for event in events} == {month.at_ns}
    verdicts = {event.line: event for event in events if isinstance(event, BottleneckUpdated)}
    assert list(verdicts) == ["tractor", "municipal"]
    tractor = verdicts["tractor"]
    assert "cab" in [suspect.station for suspect in tractor.suspects]
    assert plant.lines["tractor"].stations[tractor.suspects[0].station].title in tractor.verdict
    assert sum(suspect.probability for suspect in tractor.suspects) >= 0.8
    assert sum(tractor.shares.values()) + sum(tractor.waits.values()) == pytest.approx(1)
    assert list(tractor.shares) == list(plant.lines["tractor"].stations)
    assert all(set(opinion.stations) <= set(tractor.shares) for opinion in tractor.opinions)
    gains = [suspect for suspect in tractor.suspects if suspect.gain_units is not None]
    assert all((each.gain_low or 0) <= (each.gain_units or 0) <= (each.gain_high or 0) for each in gains)
    forecasts = {event.target: event for event in events if isinstance(event, TargetForecast)}
    assert list(forecasts) == ["tractor_2026", "municipal_2026"]
    assert month.target is not None
    for name, forecast in forecasts.items():
        assert forecast.done == month.target.done[name]
        assert 0.02 <= forecast.probability <= 0.98, "little was seen"
        assert forecast.units_low <= forecast.units_likely <= forecast.units_high
        assert [point.at_ns for point in forecast.fan] == sorted({point.at_ns for point in forecast.fan})
    promises = {event.commitment for event in events if isinstance(event, CommitmentForecast)}
    assert {"turkey_spring_2026", "baku_2026"} <= promises
    assert {event.kit for event in events if isinstance(event, KitForecast)} == set(plant.kits)


def test_the_same_question_has_the_same_answer(plant: Config, month: Question) -> None:
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(month), type=Question)
    assert msgspec.msgpack.encode(told(plant, again)) == msgspec.msgpack.encode(told(plant, month))


def test_the_fan_is_told_for_the_same_moments_each_time(plant: Config, month: Question) -> None:
    def fan(question: Question) -> list[int]:
        forecast = next(event for event in told(plant, question) if isinstance(event, TargetForecast))
        return [point.at_ns for point in forecast.fan]

    later = msgspec.structs.replace(month, at_ns=month.at_ns + 3 * DAY_NS)
    assert set(fan(later)) <= set(fan(month))


@pytest.mark.parametrize("days", [0, 1])
def test_it_can_be_asked_from_the_first_moment_on(plant: Config, days: int) -> None:
    events = told(plant, asked(plant, days))
    assert all(0.02 <= event.probability <= 0.98 for event in events if isinstance(event, TargetForecast))


def test_it_can_be_asked_before_anything_came_in(plant: Config) -> None:
    at_ns = line_calendars(plant)["tractor"].day_start(date(2026, 1, 5))
    assert not [event for event in told(plant, Engine(plant).question(at_ns)) if isinstance(event, BottleneckUpdated)]
