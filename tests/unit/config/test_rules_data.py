"""Rules as data: they come back as they were written, and what else of a config differs is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.config import AlarmsConfig, Config, RuleConfig
from linecontrol.config.loader import load
from linecontrol.config.rules_data import rest_of, rules_text, with_rules_text
from linecontrol.duration import duration_ns, exact

GANJA = Path(__file__).parents[3] / "config" / "ganja"
RULE = {
    "each": "station",
    "when": "state == 'down' and state_for > limit",
    "for": "patience",
    "off_delay": "1h 2min 3.5s",
    "params": {"limit": {"a/*": "20min", "*": "60%"}, "patience": "90s", "level": 0.5, "colour": "red"},
    "realarm": "2d",
    "was": "former",
    "latch": True,
    "message": "ə {station}",
    "actions": ["flag", "note", {"command": "hold", "value": "2min"}, {"command": "andon", "value": "colour"},
                {"setpoint": "speed", "value": "level", "on_clear": 1.25}],
}  # fmt: skip


@pytest.fixture
def ganja() -> Config:
    return load(GANJA).config


def test_rules_come_back_as_they_were_written(ganja: Config) -> None:
    written = ganja.model_copy(
        update={
            "rules": {
                name: RuleConfig.model_validate({**RULE, "for": patience})
                for name, patience in (("r", "patience"), ("a", "1ms"))
            },
            "alarms": AlarmsConfig.model_validate({"chatter": {"shelve": "30s"}}),
        }
    )
    for config in (ganja, written):
        text = rules_text(config)
        back = with_rules_text(ganja, text)
        assert back.rules == config.rules
        assert list(back.rules) == list(config.rules)
        assert back.alarms == config.alarms
        assert rules_text(back) == text
        assert all(rule.model_fields_set == config.rules[name].model_fields_set for name, rule in back.rules.items())


@given(ns=st.integers(0, 2**53) | st.integers(0, 10_000_000).map(lambda s: s * 10**9))
def test_durations_are_written_without_loss(ns: int) -> None:
    assert duration_ns(exact(ns)) == ns


def test_what_else_differs_is_named(ganja: Config) -> None:
    other = ganja.model_copy(
        update={
            "rules": {},
            "board": ganja.board.model_copy(update={"port": 1}),
            "lines": {**ganja.lines, "tractor": ganja.lines["tractor"].model_copy(update={"title": "T"})},
        }
    )
    one, two = rest_of(ganja), rest_of(other)
    assert [place for place in one if one[place] != two[place]] == ["lines.tractor", "board.port"]
    turned = ganja.lines["tractor"].model_copy(
        update={"stations": dict(reversed(ganja.lines["tractor"].stations.items()))}
    )
    moved = rest_of(ganja.model_copy(update={"lines": {**ganja.lines, "tractor": turned}}))
    assert [place for place in one if one[place] != moved[place]] == ["lines.tractor"], "their order is the flow"
