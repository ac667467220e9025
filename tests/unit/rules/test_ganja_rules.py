"""The rules of the example plant, by the tests that lie beside them."""

from pathlib import Path

import pytest

from linecontrol.calendar import line_calendars
from linecontrol.config import Config
from linecontrol.config.holidays import public_holidays
from linecontrol.config.rule_test_loader import load_tests
from linecontrol.plant.load import load_plant
from linecontrol.trial import Outcome, run_test

GANJA = Path(__file__).parents[3] / "config" / "ganja"


def no_other_rules(name: str) -> Config:
    raise AssertionError(name)


@pytest.fixture(scope="module")
def plant() -> Config:
    return load_plant(GANJA).config


@pytest.fixture(scope="module")
def outcomes(plant: Config) -> dict[str, Outcome]:
    calendars = line_calendars(plant, public_holidays(plant.calendar.holidays))
    (loaded,) = load_tests(GANJA)
    return {test.name: run_test(plant, calendars, test, [], no_other_rules) for test in loaded.tests}


def test_they_pass(outcomes: dict[str, Outcome]) -> None:
    assert {name: outcome.failures for name, outcome in outcomes.items() if outcome.failures} == {}


def test_every_rule_is_seen_raised_and_cleared_with_all_that_it_says_known(
    plant: Config, outcomes: dict[str, Outcome]
) -> None:
    said = [event for outcome in outcomes.values() for event in outcome.said]
    notes = {name for name, rule in plant.rules.items() if rule.only_notes}
    flags = set(plant.rules) - notes
    for transition, rules in (("noted", notes), ("raised", flags), ("cleared", flags)):
        assert {event.rule for event in said if event.transition == transition} == rules
    known = {event.rule for event in said if event.transition in ("raised", "noted") and "?" not in event.text}
    assert known == set(plant.rules)


def test_no_two_tests_have_the_same_name(outcomes: dict[str, Outcome]) -> None:
    (loaded,) = load_tests(GANJA)
    assert len(outcomes) == len(loaded.tests)
