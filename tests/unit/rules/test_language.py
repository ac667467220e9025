"""What conditions mean, and what is said of those that mean nothing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.config import Subject
from linecontrol.duration import duration_ns, exact
from linecontrol.rules.check import Vocabulary
from linecontrol.rules.check import check as check_with
from linecontrol.rules.check import check_condition as check_condition_with
from linecontrol.rules.emit import value_of
from linecontrol.rules.facts import LineFacts, StationFacts, TargetFacts
from linecontrol.rules.kleene import AS_FALSE, AS_TRUE, OPERATIONS
from linecontrol.rules.message import Message, duration_text
from linecontrol.rules.message import message as message_with
from linecontrol.rules.moment import Moment, Present
from linecontrol.rules.names import Kind
from linecontrol.rules.parser import parse, parse_condition
from linecontrol.rules.tree import ExpressionError, Node
from linecontrol.rules.typed import Apply, Const, Load, Typed, comparison

WORDS = Vocabulary(
    subjects={
        "station": ["line/first", "line/second"],
        "line": ["line"],
        "target": ["year"],
        "commitment": ["turkey"],
        "kit": ["cab"],
        "connection": ["plc"],
    },
    tags=["torque"],
    products=["mtz", "x"],
    titles={"line/first": "First", "line/second": "Second"},
)


def check(tree: Node, each: Subject) -> Typed:
    return check_with(tree, each, WORDS)


def check_condition(tree: Node, each: Subject) -> Typed:
    return check_condition_with(tree, each, WORDS)


def message(text: str, each: Subject) -> Message:
    return message_with(text, each, WORDS)


def value(text: str, each: Subject = Subject.STATION, **known: object) -> object:
    own = TargetFacts(**known) if each is Subject.TARGET else StationFacts("line", **known)  # type: ignore[arg-type]
    line = LineFacts(takt=100.0)
    result: object = value_of(check(parse(text), each))(own, line, None, None, Moment(None, Present()), {})()
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 2 - 3", 5.0),
        ("12 / 2 / 3", 2.0),
        ("-2 * -3", 6.0),
        ("5% * 200", 10.0),
        ("2h30m", 9000.0),
        ("2h 30m", 9000.0),
        ("15 min", 900.0),
        ("250ms", 0.25),
        ("1d / 1h", 24.0),
        ("90 s > 1 min", True),
        ("not 1 > 2 and true", True),
        ("true or false and false", True),
        ("not (true or false)", False),
        ("3 in (1, 2, 3)", True),
        ("5 s in (1 s, 2 s)", False),
        ("(1 < 2) == (2 < 3)", True),
        ("planned * 1.5 + 5 s", 155.0),
        ("takt / planned", 1.0),
        ("state == 'starved'", True),
        ("state in ('blocked', 'down')", False),
        ("product == 'mtz'", True),
        ('product != "x"', True),
        ("bottleneck > 0.5", None),
        ("bottleneck > 0.5 and false", False),
        ("bottleneck > 0.5 or true", True),
        ("not bottleneck > 0.5", None),
        ("1 / 0", None),
        ("1 / (2 - 2) > 5 or planned > 1 s", True),
        ("bottleneck in (1, 2)", None),
        ("1 in (2, bottleneck)", None),
        ("1 in (1, bottleneck)", True),
    ],
)
def test_value_of_an_expression(text: str, expected: object) -> None:
    assert value(text, state="starved", product="mtz", planned=100.0, observed=True) == expected


@pytest.mark.parametrize(
    ("text", "offset", "said"),
    [
        ("running.active > 5", 15, "cannot compare a duration with a number: write a unit"),
        ("planned + 5 > 1 s", 8, "duration + number has no meaning"),
        ("planned * planned > 1 s", 8, "duration * duration"),
        ("state == 'starvd'", 9, "did you mean 'starved'"),
        ("state in ('blocked', 'strved')", 21, "did you mean 'starved'"),
        ("state == 'unobserved'", 9, "not observed"),
        ("stat == 'down'", 0, "did you mean 'state'"),
        ("shift and upstrem.state == 'down'", 10, "neighbours are written upstream.state"),
        ("upstream.stat == 'down'", 0, "did you mean 'upstream.state'"),
        ("planned", 0, "a condition is true or false"),
        ("5 and true", 0, "joins what is true or false"),
        ("not planned", 4, "joins what is true or false"),
        ("1 < 2 < 3", 6, "don't chain"),
        ("1 = 2", 2, "write '=='"),
        ("state == 'down", 9, "no closing '"),
        ("shift and", 9, "expected here, not the end"),
        ("(shift", 6, "')' is expected"),
        ("shift shift", 6, "not expected here"),
        ("planned > 5 days", 12, "days is not expected here; write 'd'"),
        ("planned > 5 minutes", 12, "write 'min'"),
        ("tag.torque > 5 Nm", 15, "units are d, h, min (or m), s, ms and %; other numbers have none"),
        ("bottleneck > 60 percent", 16, "write '%'"),
        ("planned > 2h 30", 13, "30 of what?"),
        ("planned > 0,5 h", 11, "the decimal sign is a point"),
        ("planned > .5 h", 10, "write 0.5 for .5"),
        ("planned > 1:30", 11, "a duration is written 1h30m"),
        ("(planned > 5 minutes)", 13, "')' is expected here, not minutes; write 'min'"),
        ("state == down", 9, "unknown name down; a text stands in quotes: 'down'"),
        ("product == mtz", 11, "a text stands in quotes: 'mtz'"),
        ("state is 'down'", 6, "write '=='"),
        ("shift AND andon", 6, "write 'and'"),
        ("andon then shift within 5 min and andon", 30, "put this into one of its conditions"),
        ("andon within 5 min", 6, "it belongs to a sequence"),
        ("(andon then shift within 5 min)", 7, "a sequence stands by itself, without brackets"),
        ("last 5 cycles", 5, "a window stands in a function, such as count(cycle.active > takt, last 5 cycles)"),
        ("count(cycle.good) > 3", 16, "count needs a window, such as last 5 cycles or last 2h"),
        ("cycle.good", 0, "such as count(cycle.good, last 5 cycles)"),
        ("tag > 5", 0, "say which, such as tag.torque"),
        ("unit != null", 8, "on_unknown: says what it does"),
        ("hour > 14", 0, "there is no clock in conditions"),
        ("cycles_today => 5", 13, "to compare, write '>='"),
        ("cycles_today > 5 or > 9", 20, "say once more what is compared"),
        ("abs(gain) > 5", 0, "there is no function abs; write x > 5 or x < -5"),
        ("if shift", 3, "a condition begins without 'if'"),
        ("shift for 5 min", 6, "the rule's key for:"),
        ("shift unless andon", 6, "write 'and not'"),
        ("state not in ('down', 'idle')", 6, "write 'not x in (…)'"),
        ("state in ['down']", 9, "write '('"),
        ("shift)", 5, "no '(' is open"),
        ("andon == 'true'", 6, "write it alone, or 'not' before it"),
        ("planned > '5 min'", 8, "a value stands without quotes"),
        ("unit == 5", 5, "a text stands in quotes"),
        ("cycles_today > 5 min", 13, "that is a number, which has no unit"),
        ("torque > 5", 0, "did you mean 'tag.torque'"),
        ("up.state == 'down'", 0, "unknown name up.state; neighbours are written upstream.state"),
        ("before.state == 'down'", 0, "neighbours are written upstream.state and downstream.state"),
        ("upstream == 'down'", 0, "say what of it, such as upstream.state"),
        ("upstream.upstream.state == 'down'", 0, "what is further away is written at('line/station')"),
        ("station.state == 'down'", 0, "its own names stand alone: state"),
        ("behind > 5", 0, "of a target it is written target('…').behind"),
        ("target.behind > 5", 0, "of a target it is written target('…').behind"),
        ("at('line/first') == 'down'", 17, "a point and a name of at('line/first') is expected here, not =="),
        ("at('line/first').", 17, "a point and a name of at('line/first') is expected here, not the end"),
        ("line('line').bottleneck == 'first'", 27, "no station has the title 'first'; write its title, 'First'"),
        ("'Secnd' == line('line').previous", 0, "no station has the title 'Secnd', did you mean 'Second'"),
        ("count(cycle.good, last 5 min cycles) > 1", 23, "5 min is a duration; write a number of cycles"),
        ("absent(cycles, 5 min)", 7, "write absent(cycle, 2 * planned)"),
        ("avg(cycle.active, last 5 cycles) > takt", 0, "there is no function avg; write mean"),
        ("state < 'down'", 6, "needs numbers or durations"),
        ("count(cycle.active, last 5 cycles) > 1", 6, "count needs a condition"),
        ("mean(cycle.good, last 5 cycles) > 1 s", 5, "mean needs a number"),
        ("max(state_for, last 3 days) > 1 s", 0, "days are looked at for a target or a commitment"),
        ("count(cycle.good, last 0 cycles) > 1", 23, "whole number from 1 to 1000"),
        ("count(cycle.good, last 5 cycles, min 6) > 1", 37, "whole number from 1 to 5"),
        ("count(cycle.good, last 2.5 cycles) > 1", 23, "whole number"),
        ("cont(cycle.good, last 5 cycles) > 1", 0, "did you mean 'count'"),
        ("count(mean(cycle.active, last 2 cycles) > 1 s, last 5 cycles) > 1", 6, "can't stand in another"),
        ("count(upstream.shift, last 5 cycles) > 1", 6, "own station only"),
        ("cycle.active > 5 s", 0, "only known in a window"),
        ("age(takt) > 1 min", 4, "what the own station tells"),
        ("changed(state_for, last 1 min)", 8, "what the own station tells"),
        ("count(age(state) > 20 s, last 1 cycles) >= 1", 6, "can't stand in a window"),
        ("at('line/first').shift", 17, "what a station tells by itself"),
        ("at('line/first').takt > 1 s", 17, "what a station tells by itself"),
        ("at('line/frst').state == 'down'", 3, "did you mean 'line/first'"),
        ("absent(cycle, 5)", 14, "absent needs a duration"),
        ("__import__('os') == 1", 0, "there is no function"),
        ("open('x').read() == 1", 0, "there is no function open"),
        ("own.__class__ == 1", 0, "unknown name"),
        ("shift; shift", 5, "has no meaning"),
        ("", 0, "expected here"),
        ("(" * 80 + "shift" + ")" * 80, None, "nested more than"),
        (" and ".join(["shift"] * 70), None, "nested more than"),
        ("1 in (" + ",".join(["1"] * 300) + ")", None, "more than 200 parts"),
        ("1" * 13 + " > 1", 0, "12 digits"),
        ("x" * 3000, 2000, "more than 2000 characters"),
    ],
)
def test_what_is_wrong_and_where(text: str, offset: int | None, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_condition(parse_condition(text), Subject.STATION)
    assert said in caught.value.text
    assert offset is None or caught.value.offset == offset


def test_names_of_another_subject_are_unknown() -> None:
    with pytest.raises(ExpressionError, match="a kit has stock, needed_next_day, arriving"):
        check_condition(parse("weight > 5"), Subject.KIT)
    assert value("behind > 5", Subject.TARGET, behind=6.0) is True


def test_the_longest_chain_allowed_compiles() -> None:
    assert value(" and ".join(["1 < 2"] * 50)) is True
    assert value("(" * 25 + "1 < 2" + ")" * 25) is True


@given(st.text(st.sampled_from("abct ()'\"<>=!+-*/.,%0123456789_shmdlast cycles{}\n\\[]:;é")))
def test_any_text_is_a_tree_or_an_expression_error(text: str) -> None:
    try:
        tree = check(parse(text), Subject.STATION)
    except ExpressionError as error:
        offset = error.offset
    else:
        offset = 0
        value_of(tree)
    assert 0 <= offset <= len(text)


@given(st.text(max_size=30).filter(lambda text: "'" not in text and "\n" not in text))
def test_texts_stay_texts(text: str) -> None:
    assert value(f"unit == '{text}'", unit=text) is True


# --- against a naive evaluator ---------------------------------------------------------------------------------

NUMBERS = ("behind", "done", "left", "today")
NUMS = st.recursive(
    st.sampled_from(NUMBERS) | st.integers(0, 3).map(str),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner) | inner.map("(-{})".format),
    max_leaves=5,
)
_comparisons = st.builds("{} {} {}".format, NUMS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMS)
_among = st.builds("{} in ({}, {})".format, NUMS, NUMS, NUMS)
CONDITIONS = st.recursive(
    _comparisons | _among,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner) | inner.map("not ({})".format)
    ),
    max_leaves=6,
)


def naive(tree: Typed, own: TargetFacts) -> object:
    """The meaning of a tree by trying every way in which unknowns could be anything: known only if all agree."""
    match tree:
        case Const():
            return tree.value
        case Load():
            return getattr(own, tree.name.path)
        case Apply(op="and" | "or", items=(left, right)):
            worlds = {(a and b) if tree.op == "and" else (a or b)
                      for a in possible(naive(left, own)) for b in possible(naive(right, own))}  # fmt: skip
            return worlds.pop() if len(worlds) == 1 else None
        case Apply(op="in", items=(item, *options)):
            one, others = naive(item, own), [naive(option, own) for option in options]
            if one is None:
                return None
            return True if one in others else None if None in others else False
        case Apply():
            items = [naive(item, own) for item in tree.items]
            if None in items:
                return None
            try:
                return eval(PYTHON[tree.op], {"x": items[0], "y": items[-1]})  # noqa: S307
            except ZeroDivisionError:
                return None
        case _:
            raise NotImplementedError


PYTHON = {"not": "not x", "neg": "-x"} | {
    op: f"x {op} y" for op in ["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!="]
}


def possible(item: object) -> list[object]:
    return [True, False] if item is None else [item]


@given(CONDITIONS, st.fixed_dictionaries({name: st.none() | st.integers(-3, 3).map(float) for name in NUMBERS}))
def test_compiled_equals_naive(text: str, known: dict[str, float | None]) -> None:
    tree = check_condition(parse(text), Subject.TARGET)
    own = TargetFacts(**known)  # type: ignore[arg-type]
    assert value_of(tree)(own, None, None, None, None, {})() is naive(tree, own)


def test_every_operation_is_emitted() -> None:
    assert set(OPERATIONS) == set(PYTHON) | {"and", "or", "in", AS_TRUE, AS_FALSE}


# --- messages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(9300, "2h35m"), (7200, "2h"), (45, "45s"), (0.25, "0.2s"), (119.4, "119s"), (720, "12m"), (3599, "1h"), (0, "0s"),
     (-600, "-10m"), (9.97, "10.0s")],
)  # fmt: skip
def test_durations_as_people_read_them(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(st.integers(0, 2**52))
def test_an_exact_duration_is_read_as_itself(ns: int) -> None:
    assert duration_ns(exact(ns)) == ns


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bottleneck", "7.4 %"),
        ("1.5%", "1.5 %"),
        ("-60%", "-60 %"),
        ("bottleneck + 50%", "57 %"),
        ("running.progress - 20%", "-20 %"),
        ("100 * bottleneck", "7.4"),
        ("bottleneck / 2", "0"),
        ("cycles_today + 50%", "0.5"),
        ("share", "?"),
    ],
)
def test_shares_are_shown_as_percentages(text: str, shown: str) -> None:
    facts = (StationFacts("line", bottleneck=0.074, observed=True, planned=1.0), LineFacts(), None, None)
    filled = message(f"{{{text}}}", Subject.STATION).fill({}, (*facts, Moment(None, Present()), {}))
    assert filled == shown


def test_message_with_values() -> None:
    filled = message("{station}: {planned}, {bottleneck}, {takt / planned}", Subject.STATION).fill(
        {"station": "Cab"},
        (StationFacts("line", planned=200.0), LineFacts(takt=100.0), None, None, Moment(None, Present()), {}),
    )
    assert filled == "Cab: 3m, ?, 0.5"


@pytest.mark.parametrize("unit", ["", " s"])
def test_a_number_beyond_all_bounds_is_shown_as_unknown(unit: str) -> None:
    filled = message("{" + " * ".join(["999999999999"] * 30) + f" * 1{unit}}}", Subject.KIT)
    assert filled.fill({}, (None, None, None, None, None, {})) == "?"


@pytest.mark.parametrize(("text", "offset"), [("a {stat}", 3), ("a } b", 2), ("a {", 2), ("{station} {}", 11)])
def test_what_is_wrong_in_a_message(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        message(text, Subject.STATION)
    assert caught.value.offset == offset


def test_the_comparison_that_a_flag_reports() -> None:
    tree = check(parse("running and running.active > 1.15 * running.planned"), Subject.STATION)
    pair = comparison(tree)
    assert pair is not None
    assert [side.kind for side in pair] == [Kind.DUR, Kind.DUR]
    assert comparison(check(parse("not shift"), Subject.STATION)) is None


def test_trees_are_values() -> None:
    assert msgspec.structs.asdict(parse("true")) == {"at": 0, "value": True}
