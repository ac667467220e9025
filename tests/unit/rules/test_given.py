"""What rule tests give, as events."""

from pathlib import Path
from typing import Any

import pytest

from linecontrol.calendar import line_calendars
from linecontrol.config.rule_test import GivenConfig
from linecontrol.duration import NS
from linecontrol.plant.load import load_plant
from linecontrol.trial.given import Facts

GANJA = Path(__file__).parents[3] / "config" / "ganja"
MONDAY = 1_767_585_600 * NS


@pytest.fixture
def facts() -> Facts:
    config = load_plant(GANJA).config
    return Facts(config, line_calendars(config, {}))


def told(facts: Facts, **given: Any) -> Any:
    (event,) = facts.events(GivenConfig(at="0s", station="tractor/engine", **given), MONDAY)
    return event


def test_a_state_keeps_the_unit_and_the_product_that_are_there(facts: Facts) -> None:
    told(facts, start={"unit": "T1", "product": "belarus_892", "planned": "1h"})
    down = told(facts, state="down")
    assert (down.unit, down.product) == ("T1", "belarus_892")
    told(facts, complete={"unit": "T2", "product": "belarus_1025"})
    starved = told(facts, state="starved")
    assert (starved.unit, starved.product) == ("T1", "belarus_1025")


def test_what_a_complete_leaves_out_is_as_its_start_told_it(facts: Facts) -> None:
    told(facts, start={"unit": "T1", "product": "belarus_892", "planned": "1h"})
    done = told(facts, complete={"active": "2h"})
    assert (done.unit, done.product, done.planned_s, done.active_s) == ("T1", "belarus_892", 3600.0, 7200.0)
    after = told(facts, complete={"active": "2h"})
    assert (after.unit, after.product, after.planned_s) == (None, None, None)
