"""Any text as a condition or message: a tree or an error with a place in it, never anything else, and never for long.

What code is made of conditions is looked at too: it holds nothing but what the tables of names put into it.
"""

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from random import Random
from types import CodeType, SimpleNamespace
from typing import Any

import msgspec
import pytest

from linecontrol.config import Subject
from linecontrol.model import CycleCompleted, CycleStarted
from linecontrol.rules import alarm, emit, facts, moment, watch, window
from linecontrol.rules.check import Vocabulary, check_when
from linecontrol.rules.emit import value_of, wake_of
from linecontrol.rules.message import Message, message
from linecontrol.rules.parser import FUNCTIONS, WORDS, parse_condition
from linecontrol.rules.tree import ExpressionError
from linecontrol.rules.typed import Chain, Typed
from tests.unit.rules.naive.cases import case, long, room_of, short
from tests.unit.rules.naive.rules import Dice

WORDS_OF_PLANT = Vocabulary(
    subjects={
        "station": ["line/second", "other/left", "line/first"],
        "line": ["line", "other"],
        "target": ["year", "side"],
        "commitment": ["turkey"],
        "kit": ["cab"],
        "connection": ["plc", "edge"],
    },
    tags=["torque", "temp"],
    products=["mtz", "gear"],
)
PIECES = [*WORDS, *FUNCTIONS, "state", "running.active", "cycle.active", "tag.torque", "upstream.state", "last",
          "cycles", "5", "5%", "5 min", "0", "999999999999", "'down'", '"line/second"', "(", ")", ",", ".", "+", "-",
          "*", "/", "<", "<=", "==", "!=", ">", "=", "!", "&&", "||", "{", "}", "\\", "'", '"', "\n", "\t", "\0", "é",
          "٣", "Ω", "𝟝",
          "\u2028", "\ud800", "\u202e", "__import__('os').system('x')", "().__class__.__bases__", "lambda: 0", "f'{x}'",
          "[x for x in y]", "a := 1", "x if y else z", "**", "//", "%", "@", "#", ";", "`", "0x10", "1e400", "1_000",
          "not" * 3, "min 3", "within 5 s", "nan", "inf", "None", "True"]  # fmt: skip


def texts(count: int) -> Iterator[tuple[str, Random]]:
    """Soups of pieces, and random conditions with a piece put in, taken out or doubled."""
    for seed in range(count):
        chance = Random(seed)
        if seed % 2:
            yield chance.choice([" ", ""]).join(chance.choices(PIECES, k=chance.randint(0, 30))), chance
            continue
        dice = Dice(chance, 10)
        text = dice.sequence() if chance.random() < 0.2 else dice.condition("station", 3)
        for _ in range(chance.randint(0, 2)):
            at = chance.randrange(len(text) + 1)
            text = (
                text[:at]
                + chance.choice(["", chance.choice(PIECES), text[at:]])
                + text[at + chance.choice([0, 1, 9]) :]
            )
        yield text, chance


def read(text: str) -> Typed | Chain | ExpressionError:
    """What the parser and the checker make of a text."""
    try:
        return check_when(parse_condition(text), Subject.STATION, WORDS_OF_PLANT)
    except ExpressionError as error:
        return error


def trees_of(typed: Typed | Chain) -> list[Typed]:
    return typed.conditions if isinstance(typed, Chain) else [typed]


def test_any_text_is_a_condition_or_an_error_with_a_place() -> None:
    understood = 0
    for text, _ in texts(6_000):
        found = read(text)
        if isinstance(found, ExpressionError):
            assert found.text, text
            assert 0 <= found.offset <= len(text), text
        else:
            understood += 1
            for tree in trees_of(found):
                value_of(tree)
            wake_of(trees_of(found))
    assert understood > 1_000


def test_any_text_is_a_message_or_an_error_with_a_place() -> None:
    for text, chance in texts(3_000):
        text = chance.choice(["{", "", "x"]) + text[:60] + chance.choice(["}", "", "}}"])
        found = written(text)
        if isinstance(found, ExpressionError):
            assert 0 <= found.offset <= len(text), text


def written(text: str) -> Message | ExpressionError:
    """What is made of a message."""
    try:
        return message(text, Subject.STATION, WORDS_OF_PLANT)
    except ExpressionError as error:
        return error


@pytest.mark.parametrize(
    "text",
    [
        f"{'(' * 60}true{')' * 60}",
        f"{'not ' * 59}true",
        f"{'-' * 58}1 > 0",
        f"1{' + 1' * 57} > 0",
        f"state_for{' * 1' * 58} > 5 s",
        f"state_for{' + state_for' * 58} > 5 s",
        " or ".join(f"state_for{' / 2' * 5} > {n} s" for n in range(12)),
        f"state in ({', '.join(['state'] * 190)})",
        f"true{' and true' * 59}",
        "count(true, last 1000 cycles) > 1",
    ],
)
def test_the_largest_conditions_there_may_be(text: str) -> None:
    tree = check_when(parse_condition(text), Subject.STATION, WORDS_OF_PLANT)
    assert not isinstance(tree, Chain)
    value_of(tree)
    wake_of([tree])


@pytest.mark.parametrize("text", ["(" * 5_00, "not " * 400, "1 + " * 400, "-" * 1_900, "{" * 1_000, "a." * 900])
def test_what_is_larger_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_condition(text)


# --- the code --------------------------------------------------------------------------------------------------------

NODES = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.If, ast.Expr, ast.Name, ast.Load,
    ast.Store, ast.Attribute, ast.Subscript, ast.Constant, ast.Call, ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp,
    ast.IfExp, ast.Tuple, ast.And, ast.Or, ast.Not, ast.USub, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Eq, ast.NotEq,
    ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.AugAssign, ast.Pass, ast.Delete, ast.Del,
    ast.Try, ast.ExceptHandler,
)  # fmt: skip
MODULES = (alarm, facts, moment, watch, window)


@cache
def attributes() -> frozenset[str]:
    """What the rules' own objects have, and ``get`` of a table."""
    own = {thing for module in MODULES for thing in vars(module).values()
           if isinstance(thing, type) and thing.__module__ == module.__name__}  # fmt: skip
    return frozenset(name for thing in (*own, CycleCompleted) for name in dir(thing) if not name.startswith("_")) | {
        "get",
        "values",
        "append",
    }


def suspicious(source: str) -> list[str]:
    """What must not be in the code of rules."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, NODES):
            found.append(type(node).__name__)
        if isinstance(node, ast.Attribute) and node.attr not in attributes():
            found.append(node.attr)
        if isinstance(node, ast.Name | ast.arg):
            name = node.id if isinstance(node, ast.Name) else node.arg
            known = name in ("NEVER", "FAR", "MEASURED", "round", "sum") or not hasattr(builtins, name)
            if not known or not re.fullmatch(r"[a-z][a-z0-9_]*|NEVER|FAR|MEASURED|BY_ZERO", name) or "__" in name:
                found.append(name)
        if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | None):
            found.append(repr(node.value))
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            found.append("decorator")
    return found


@pytest.mark.parametrize("source", ["import os", "lambda: 0", "v.__class__", "own.line.evil", "eval", "f'{v0}'", "b''"])
def test_what_is_suspicious(source: str) -> None:
    assert suspicious(source)


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The code that is made from now on."""
    made: list[str] = []

    def recorded(source: str, name: str, mode: str) -> CodeType:
        made.append(source)
        return compile(source, name, mode)

    monkeypatch.setattr(emit, "compile", recorded, raising=False)
    emit.compiled.cache_clear()
    return made


def test_code_is_made_of_what_the_tables_hold(sources: list[str]) -> None:
    for seed in range(30):
        room_of(case(short() if seed % 5 else long(), Random(seed)))
    for text, _ in texts(1_500):
        found = read(text)
        for tree in [] if isinstance(found, ExpressionError) else trees_of(found):
            value_of(tree)
    assert len(sources) > 500
    for source in sources:
        assert not suspicious(source), source


HOSTILE = "x'\"\n{station} {0} \\ \u202e__import__('os') $(x) %s <b>"


def test_texts_and_titles_are_only_ever_shown(lab: SimpleNamespace, sources: list[str]) -> None:
    rule: dict[str, Any] = {
        "each": "station",
        "only": ["line/second"],
        "when": "unit != 'x\"\\{}{{__import__}}' and not (product in ('mtz'))",
        "message": "{station}: {unit} %s $(x)",
    }
    config = lab.plant({"r": rule})
    line = config.lines["line"]
    second = line.stations["second"].model_copy(update={"title": HOSTILE})
    line = line.model_copy(update={"stations": {**line.stations, "second": second}})
    room = lab.room_of(config.model_copy(update={"lines": {"line": line}}))
    begun = CycleStarted(
        at_ns=lab.MONDAY, line="line", station="second", unit=HOSTILE, unit_inferred=False, product=None, planned_s=None
    )
    (flag,) = lab.play(room, [begun, msgspec.structs.replace(begun, product="x")], lab.MONDAY + 10 * lab.S)
    assert flag.text == f"{HOSTILE}: {HOSTILE} %s $(x)"
    for source in sources:
        assert not suspicious(source), source
