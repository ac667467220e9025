"""What to start next: units that are in the line are not started again."""

from datetime import date

import pytest

from linecontrol.assessment.prospect import Counts
from linecontrol.assessment.release import Releases
from linecontrol.calendar import line_calendars
from linecontrol.cli.common import example_plant
from linecontrol.config import Config
from linecontrol.flowline import Layout, LineLog, Passage
from linecontrol.model import ReleaseProposed
from linecontrol.plant.load import load_plant
from linecontrol.target.plan import Plans


@pytest.fixture(scope="module")
def plant() -> Config:
    return load_plant(example_plant()).config


def proposed(plant: Config, inside: int, counts: Counts) -> ReleaseProposed | None:
    """The tractor line with so many units behind its first station."""
    stations = list(plant.lines["tractor"].stations)
    product = next(name for name, item in plant.products.items() if item.family == "tractor")
    waiting = [Passage(unit, 0, 10.0 * unit, 10.0 * unit + 9, 10.0 * unit + 10) for unit in range(inside)]
    log = LineLog(
        Layout.chain((inside,) * (len(stations) - 1)),
        stations,
        [str(unit) for unit in range(inside)],
        [product] * inside,
        [waiting, *([] for _ in stations[1:])],
        [{product: 10.0} for _ in stations],
        0.0,
        1000.0,
    )
    calendars = line_calendars(plant)
    at_ns = calendars["tractor"].day_start(date(2026, 3, 2))
    return Releases(plant, calendars, Plans(plant, calendars)).of("tractor", log, counts, at_ns)


def counted(plant: Config, turkey: int, others: int) -> Counts:
    """So many units left for Turkey's order of spring, and so many for the year beyond all orders."""
    orders = {name: item for name, item in plant.commitments.items() if item.family == "tractor"}
    served = {name: item.units for name, item in orders.items()} | {
        "turkey_spring_2026": orders["turkey_spring_2026"].units - turkey
    }
    done = plant.targets["tractor_2026"].units - turkey - others
    return Counts({"tractor_2026": done}, served, dict.fromkeys(plant.kits, 100))


def test_an_order_is_for_what_is_not_in_the_line_yet(plant: Config) -> None:
    event = proposed(plant, 2, counted(plant, 3, 40))
    assert event is not None
    assert event.wip == 2
    assert "For Turkey's order" in event.reason
    event = proposed(plant, 3, counted(plant, 3, 40))
    assert event is not None
    assert "For the year's" in event.reason


def test_nothing_is_started_when_all_that_is_due_is_in_the_line(plant: Config) -> None:
    event = proposed(plant, 5, counted(plant, 3, 2))
    assert event is not None
    assert (event.products, event.go) == ([], False)
    assert event.reason == "All that is due is in the line."
    event = proposed(plant, 4, counted(plant, 3, 2))
    assert event is not None
    assert (len(event.products), event.go) == (1, True)


def test_nothing_is_due(plant: Config) -> None:
    assert proposed(plant, 0, counted(plant, 0, 0)) is None
