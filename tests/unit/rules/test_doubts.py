"""Rules that could run and can't be meant, and how much rules may take."""

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.config import Subject
from linecontrol.rules.budget import MOST_FLAGS, budget, excesses
from linecontrol.rules.check import Vocabulary, check_condition
from linecontrol.rules.compile import compiled
from linecontrol.rules.doubts import doubts
from linecontrol.rules.parser import parse_condition, size
from linecontrol.rules.possible import mistakes
from linecontrol.rules.typed import Typed
from linecontrol.rules.window import MOST_KEPT, Span

WORDS = Vocabulary(subjects={}, tags=[], products=[])


def condition(text: str, each: Subject = Subject.TARGET) -> Typed:
    return check_condition(parse_condition(text), each, WORDS)


def doubted(lab: SimpleNamespace, rule: dict[str, Any]) -> list[tuple[str, str]]:
    config = lab.plant({"r": {"each": "station", "message": "m", **rule}, "other": OTHER})
    return [(problem.field, problem.text) for problem in doubts(config, compiled(config))]


OTHER = {"each": "connection", "when": "not up", "message": "m"}


@pytest.mark.parametrize(
    ("rule", "field", "said"),
    [
        ({"when": "1 < 2"}, "when", "is always true: it looks at nothing"),
        ({"when": "5 min < 2 s"}, "when", "can never be true: it looks at nothing"),
        ({"when": "state == 'down' and state == 'working'"}, "when", "can never be true"),
        ({"when": "running then state == 'down' within 5 min unless 2 > 1"}, "when",
         "the condition after unless is always true"),
        ({"when": "andon then running within 5 min unless running and shift or running"}, "when",
         "condition 2 of the sequence is true only while the one after unless is"),
        ({"when": "state != 'down' or state != 'working'"}, "when", "is always true"),
        ({"when": "bottleneck >= 2"}, "when",
         "can never be true: bottleneck is from 0 to 1; a share is written 60%"),
        ({"when": "running.progress > 115"}, "when",
         "running.progress is a share, and 115 is 11500 %; write 115%"),
        ({"when": "andon", "suppress": "5% < cycles_today"}, "suppress",
         "cycles_today is a number, not a share; write 5 without %"),
        ({"when": "count(cycle.good, last 5 cycles) < 60%"}, "when",
         "count(cycle.good, last 5 cycles) is a number, not a share; write share(…), or a number without %"),
        ({"when": "andon then delta(cycle.active, last 1 cycles) > 5 s within 1 h"}, "when",
         "delta(cycle.active, last 1 cycles, min 2) is never known: it takes two elements, and the window has one"),
        ({"when": "state == 'down' then state == 'working' within 5 min", "clear_when": "1 > 2"}, "clear_when",
         "can never be true"),
        ({"when": "state_for > -5 min"}, "when", "is always true: state_for is never below 0"),
        ({"when": "bottleneck > 3 * 40%"}, "when", "can never be true"),
        ({"when": "andon", "suppress": "state == 'down' and state == 'idle'"}, "suppress", "can never be true"),
        ({"when": "bottleneck > 60%", "clear_when": "bottleneck < 4"}, "clear_when", "is always true: bottleneck is"),
        ({"when": "andon", "clear_when": "state == 'down' and state == 'idle'"}, "clear_when", "can never be true"),
        ({"when": "count(cycle.good, last 5 cycles) > 5"}, "when", "count(cycle.good, last 5 cycles) is from 0 to 5"),
        ({"when": "share(not cycle.good, last 5 cycles) > 5"}, "when", "is from 0 to 1"),
        ({"when": "state_for >= 0 s"}, "when", "is always true: state_for is never below 0"),
        ({"when": "state_for > 5 min and state_for < 2 min"}, "when", "can never be true"),
        ({"when": "running.active > planned and planned > running.active"}, "when", "can never be true"),
        ({"when": "cycles_today != cycles_today"}, "when", "can never be true"),
        ({"when": "1 < takt / 0 s"}, "when", "takt / 0s is never known: it is divided by 0"),
        ({"when": "cycles_today < 0"}, "when", "can never be true: cycles_today is never below 0"),
        ({"when": "-state_for > 5 min"}, "when", "can never be true"),
        ({"when": "takt / planned >= takt / planned"}, "when", "is always true"),
        ({"when": "state == 'down' then 1 > 2 within 5 min"}, "when", "condition 2 of the sequence can never be true"),
        ({"when": "state_for > 5 min", "clear_when": "state_for > 7 min"}, "clear_when", "would never clear"),
        ({"when": "state == 'down'", "clear_when": "state == 'down' and andon"}, "clear_when", "would never clear"),
        ({"when": "cycles_today > 5", "clear_when": "cycles_today < 8"}, "clear_when", "there is no hysteresis"),
        ({"when": "andon", "suppress": "andon or shift"}, "suppress", "nobody would ever be told"),
        ({"when": "upstream.state == 'down'", "only": ["*/first"]}, "only", "has an upstream neighbour"),
        ({"when": "andon", "latch": True, "ack": "auto"}, "ack", "leave one out"),
        ({"when": "andon", "was": "r"}, "was", "is its present name"),
        ({"when": "andon", "was": "other"}, "was", "is a rule that is still there"),
        ({"when": "cycles_today > n", "clear_when": "cycles_today < 5", "params": {"n": {"*/first": 5, "*": 3}}},
         "clear_when", "leave clear_when out (for line/second)"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(lab: SimpleNamespace, rule: dict[str, Any], field: str, said: str) -> None:
    ((where, text),) = doubted(lab, rule)
    assert where == field
    assert said in text


@pytest.mark.parametrize(
    "rule",
    [
        {"when": "cycles_today > 5", "clear_when": "cycles_today < 3"},
        {"when": "cycles_today > 5", "clear_when": "cycles_today <= 5"},
        {"when": "andon and cycles_today > 5", "clear_when": "cycles_today < 8"},
        {"when": "mean(cycle.active, last 3 cycles) > 5 s", "clear_when": "max(cycle.active, last 3 cycles) < 9 s"},
        {"when": "state in ('down', 'setup') and state != 'down'"},
        {"when": "state == upstream.state and upstream.state == 'down'"},
        {"when": "unit == 'a' or unit != 'b'"},
        {"when": "running.active > planned and planned < running.active"},
        {"when": "bottleneck >= 60%", "suppress": "shift"},
        {"when": "andon", "latch": True},
        {"when": " and ".join(f"at('line/first').state != '{state}'" for state in ("down", "idle", "setup"))},
    ],
)
def test_what_may_be_meant(lab: SimpleNamespace, rule: dict[str, Any]) -> None:
    assert doubted(lab, rule) == []


def test_a_rule_about_what_there_is_not(lab: SimpleNamespace) -> None:
    config = lab.plant({"r": {"each": "kit", "when": "short > 0", "message": "m"}})
    config = config.model_copy(update={"kits": {}})
    (problem,) = doubts(config, compiled(config))
    assert (problem.field, problem.text) == ("each", "there is no kit in this plant: the rule would never be watched")


NAMES = ("behind", "left", "done")
ATOMS = st.builds(
    "{} {} {}".format,
    st.sampled_from(NAMES),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.sampled_from([*NAMES, 0, 1, 2]),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("not ({})".format, inner)
    ),
    max_leaves=4,
)


def truth(text: str, values: dict[str, float]) -> bool:
    return bool(eval(text, {}, values))  # noqa: S307 - the test's own texts


@given(CONDITIONS, CONDITIONS)
def test_what_is_called_impossible_is_impossible(when: str, clear: str) -> None:
    """No values of the names make true what is said to be never true (and the like)."""
    said = dict(mistakes(condition(when), condition(clear), None))
    grid = [dict(zip(NAMES, values, strict=True)) for values in product((-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0), repeat=3)]
    raised = [truth(when, values) for values in grid]
    if "can never be true" in said.get("when", ""):
        assert not any(raised)
    if "is always true" in said.get("when", ""):
        assert all(raised)
    if "never clear" in said.get("clear_when", ""):
        assert not any(truth(clear, values) and not up for values, up in zip(grid, raised, strict=True))
    if "hysteresis" in said.get("clear_when", ""):
        assert any(truth(clear, values) and up for values, up in zip(grid, raised, strict=True))


# --- how much ---------------------------------------------------------------------------------------------------


def test_what_rules_take(lab: SimpleNamespace) -> None:
    rules: dict[str, dict[str, Any]] = {
        "cycles": {"each": "station", "when": "count(cycle.good, last 50 cycles) < 3 and shift", "message": "m"},
        "same": {"each": "station", "when": "share(cycle.good, last 50 cycles) < 3%", "message": "m"},
        "times": {"each": "station", "only": ["*/first"], "when": "mean(cycle.active, last 2h) > 5 s", "message": "m"},
        "smooth": {"each": "station", "when": "ewma(cycle.active, last 20 cycles) > 5 s", "message": "m"},
    }
    config = lab.plant(rules)
    taken = {most.what: (most.is_, most.rule) for most in budget(config, compiled(config))}
    assert taken == {
        "flags (rules times subjects)": (10, ""),
        "elements that 7 windows keep at the most": (3 * 50 + 10_000 + 3, ""),
        "characters of a condition": (47, "cycles"),
        "parts of a condition": (size(rules["cycles"]["when"])[0], "cycles"),
        "levels of nesting in a condition": (4, "cycles"),
        "elements of a window": (50, "cycles"),
    }


def test_too_much_of_all_rules_together_is_told_of_the_largest(lab: SimpleNamespace) -> None:
    window = " or ".join(f"mean(cycle.active, last {hours}h) > 5 s" for hours in range(1, 20))
    rules = {f"r{n}": {"each": "station", "when": window.replace("5 s", f"{n} s"), "message": "m"} for n in range(3)}
    wide = " or ".join(f"mean(cycle.active, last {hours}h) > 5 s" for hours in range(21, 41))
    rules["wide"] = {**rules["r0"], "when": wide}
    few, many = lab.plant({"r0": rules["r0"]}), lab.plant(rules)
    assert [problem.rule for problem in excesses(few, compiled(few))] == []
    (problem,) = excesses(many, compiled(many))
    assert problem.rule == "wide"
    assert "and 1,000,000 is the limit; 600,000 are of this one" in problem.text
    assert MOST_FLAGS == 20_000


def test_a_time_window_keeps_no_more_than_is_told() -> None:
    window = Span(span_ns=10**18, sorted=True)
    for number in range(MOST_KEPT + 500):
        window.push(float(number), number)
    assert window.live(MOST_KEPT + 500)[0] == MOST_KEPT == len(window.order)
    assert window.min(MOST_KEPT + 500, 1) == 500.0
    assert len(window.values) <= 2 * MOST_KEPT
