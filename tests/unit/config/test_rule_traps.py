"""What YAML and habits from elsewhere do to rules: each mistake is said in plain words, at its place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from linecontrol.errors import ConfigError
from linecontrol.plant.load import load_plant

RULE = "rules:\n  x:\n    each: station\n    when: andon\n    message: m\n"
BOMB = "rules:\n  a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"  {name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcde", "bcdef", strict=True)
)


@pytest.fixture
def said(folder: Path, problems: Callable[..., list[str]]) -> Callable[[str], list[str]]:
    """What is said of the small plant with these rules."""

    def found(text: str) -> list[str]:
        problems('rules:\n  slow: {each: station, only: [main/first], when: "active > planned", message: slow, '
                 "actions: [flag]}\n", "")  # fmt: skip
        (folder / "rules.yaml").write_text(text)
        try:
            load_plant(folder)
        except ConfigError as error:
            return [problem.removeprefix("plant/rules.yaml:") for problem in error.problems]
        return []

    return found


def test_the_rule_itself_is_right(said: Callable[[str], list[str]]) -> None:
    assert said(RULE) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RULE.replace("when:", "on:"),
         ["2:3: rules.x.when: is missing", "4:5: rules.x.on: unknown key 'on'; the condition is when:"]),
        (RULE + "    for: 1:30\n",
         ["6:10: rules.x.for: '1:30' is not a duration; write a number and a unit (d, h, m, s, ms), such as 2h35m, 90s "
          "or 250ms"]),
        (RULE + "    for: 010\n", ["6:10: rules.x.for: 010 is 10 to some and 8 to others; write 10"]),
        (
            RULE + "    params: { limit: 1_000 }\n",
            ["6:22: rules.x.params.limit: 1_000 is a number to some and a text to others; write 1000"],
        ),
        (RULE + "    for: 90\n",
         ["6:10: rules.x.for: 90 has no unit; write a duration such as 2h35m, 90s or 250ms, or the name of a param"]),
        (RULE + "    latch: no\n", ["6:12: rules.x.latch: 'no' is not true or false"]),
        (RULE + "    latch: off\n", ["6:12: rules.x.latch: 'off' is not true or false"]),
        (RULE + "    when: shift\n", ["6:5: rules.x: 'when' is there twice, first at plant/rules.yaml:4:5"]),
        (RULE + RULE.removeprefix("rules:\n"), ["6:3: rules: 'x' is there twice, first at plant/rules.yaml:2:3"]),
        (RULE + "    four: 5min\n", ["6:5: rules.x.four: unknown key 'four'; did you mean 'for'?"]),
        (RULE + "    severity: high\n",
         ["6:15: rules.x.severity: 'high' is not allowed; allowed are info, warning, critical; here that is "
          "'critical'"]),
        (RULE + "    was: old-rule\n",
         ["6:10: rules.x.was: 'old-rule' is not a name: lower case letters, digits and _, a letter first"]),
        (RULE + "    for: wiat\n    params: {wait: 5min}\n",
         ["6:10: rules.x.for: there is no param 'wiat', did you mean 'wait'?",
          "7:20: rules.x.params.wait: nothing uses the param 'wait': no condition, delay, command or message of the "
          "rule"]),
        (RULE.replace("message: m", "message: '{sttion}'"),
         ["5:16: rules.x.message: unknown name sttion, did you mean 'station'?"]),
        (RULE + "    actions: [{command: next_product, value: red}]\n",
         ["6:25: rules.x.actions[0].command: next_product follows the proposed release; a rule can't write it"]),
        (RULE + "    priority: high\n",
         ["6:5: rules.x.priority: unknown key 'priority'; how urgent it is is severity: info, warning or critical"]),
        (RULE + "\tlatch: true\n", ["6:1: no valid YAML: a tab; indent with spaces"]),
        (BOMB, ["2:31: no valid YAML: too much or too deep; do aliases repeat one another?"]),
        ("rules: &a\n  x: *a\n", ["1:8: no valid YAML: too much or too deep; do aliases repeat one another?"]),
        (RULE.replace("when: andon", "when: true"),
         ["4:11: rules.x.when: true is not a text; if it is meant as one, put it in quotes"]),
        (RULE.replace("when: andon", "when:"), ["4:5: rules.x.when: is empty"]),
        (RULE.replace("message: m", "message: ''"), ["5:15: rules.x.message: is empty"]),
        (RULE.replace("message: m", "message: {station}: call"),
         ["5:23: no valid YAML: this ':' is not expected; is one missing in the line above, or does a text with ':' or "
          "'{' need quotes?"]),
        (RULE.replace("each: station", "each station"),
         ["4:9: no valid YAML: this ':' is not expected; is one missing in the line above, or does a text with ':' or "
          "'{' need quotes?"]),
        (RULE + "---\n" + RULE, ["6:1: no valid YAML: a second document ('---'); a file holds one"]),
        ("rules:\n  x: &x {each: station, when: andon, message: m}\n  y: {<<: *x, message: m, each: line}\n",
         ["3:3: rules.y.when: is missing",
          "3:7: rules.y: merge keys (<<) are not understood; write the keys out"]),
        (RULE + "    only: []\n", ["6:5: rules.x.only: is empty; give at least one"]),
        (RULE + "    only: main/first\n", ["6:11: rules.x.only: 'main/first' is not a list; write [main/first]"]),
        (RULE + "    only: [main/frist]\n",
         ["6:12: rules.x.only[0]: 'main/frist' fits no station; did you mean 'main/first'?"]),
        (RULE + "    only: [main/first, main/first]\n",
         ["6:24: rules.x.only[1]: 'main/first' is there twice"]),
        (RULE + "    only: [main]\n", ["6:12: rules.x.only[0]: 'main' fits no station; did you mean 'main/*'?"]),
        (RULE + "    only: ['main/(first|last)']\n",
         ["6:13: rules.x.only[0]: 'main/(first|last)' fits no station; a pattern has *, ? and [ab] only: list several "
          "patterns instead"]),
        (RULE.replace("andon", "state == ‘down’"), ["4:20: rules.x.when: ‘ is no plain quote; write ' or \""]),
        (RULE.replace("andon", "state ==\u00a0'down'"),
         ["4:19: rules.x.when: the character U+00A0 here looks like nothing and means nothing; write a plain space"]),
        (RULE.replace("andon", "stat == 'down'"), ["4:11: rules.x.when: unknown name stat, did you mean 'state'?"]),
        (RULE + "    actions: [{command: andon, value: rde}]\n    only: [main/first]\n",
         ["6:39: rules.x.actions[0].value: 'rde' is neither a colour (off, green, yellow, red) nor a param, did you "
          "mean 'red'?"]),
        (RULE.replace("station", "line").replace("andon", "lag > 5") + "    actions: [{command: andon, value: red}]\n",
         ["6:15: rules.x.actions[0]: a rule about a line has no station of its own: name one with station:"]),
        (RULE + "    actions: [{setpoint: speed, value: 3}]\n",
         ["6:26: rules.x.actions[0].setpoint: no setpoint named 'speed'; there is none"]),
        (RULE + "    params: {n: 3}\n",
         ["6:17: rules.x.params.n: nothing uses the param 'n': no condition, delay, command or message of the rule"]),
    ],
)  # fmt: skip
def test_what_is_said(said: Callable[[str], list[str]], text: str, expected: list[str]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize("value", ["on", "off", "yes", "no", "y", "~", "1:30", "2026-01-01x"])
def test_a_text_of_a_param_is_what_is_written(said: Callable[[str], list[str]], value: str) -> None:
    """Words that other readers of YAML take for truths, times or nothing."""
    rule = RULE.replace("andon", "unit == name") + f"    params: {{name: {value}}}\n"
    assert [text.partition(": ")[2] for text in said(rule)] == (
        ["rules.x.params.name: is empty"] if value == "~" else []
    )
