"""Laws of the line protocol, for events with whatever the types allow in them."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from linecontrol.model.event import AnyEvent, CycleCompleted, Sampled, UnitCompleted
from linecontrol.model.record import Record
from linecontrol.model.state import Timing
from linecontrol.sinks.line_protocol import Encoder
from linecontrol.sinks.schema import MEASUREMENTS

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["a b,c=d", 'x"y', "back\\", "\\", "\n", "a\\\\", "end\\\n", "", " ", "ə€\U0001f600", "a\r\nb"]
)
_TIME = st.integers(0, 2**62)
_INT = st.integers(-(2**63), 2**63 - 1)
st.register_type_strategy(str, _TEXT)
st.register_type_strategy(int, _INT)

_KINDS: tuple[type[Any], ...] = AnyEvent.__args__


def _of(kind: type[Any]) -> st.SearchStrategy[Any]:
    times = {name: _TIME for name, hint in kind.__annotations__.items() if name.endswith("_ns") and hint is int}
    return st.builds(kind, at_ns=_TIME, **times)


events = st.sampled_from(_KINDS).flatmap(_of)

_KEY = r"(?:[^,= \\\n]|\\[,= ]|\\\\)+"
_VALUE = r'(?:-?\d+i|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|"(?:[^"\\]|\\.)*")'
_LINE = re.compile(rf"([a-z_]+)((?:,{_KEY}={_KEY})+) ({_KEY}={_VALUE}(?:,{_KEY}={_VALUE})*) (\d+)", re.DOTALL)
_FIELD = re.compile(rf"({_KEY})=({_VALUE})", re.DOTALL)
_TAG = re.compile(rf",({_KEY})=({_KEY})")
_SCHEMA = {measurement.name: measurement for measurement in MEASUREMENTS}


def record(*said: AnyEvent, seq: int = 1) -> Record:
    return Record(seq=seq, now_ns=0, observations=[], events=list(said))


def fields(line: bytes) -> dict[str, str]:
    match = _LINE.fullmatch(line.decode())
    assert match is not None, line
    return dict(_FIELD.findall(match[3]))


@given(said=st.lists(events, max_size=5), seq=st.integers(1, 10**12), site=_TEXT)
def test_every_event_is_valid_line_protocol_of_the_schema(said: list[AnyEvent], seq: int, site: str) -> None:
    kinds = {int: r"-?\d+i", float: r"-?[\d.]+(e[+-]?\d+)?", str: r'".*"'}
    for line in Encoder(site, "area").record(record(*said, seq=seq)):
        match = _LINE.fullmatch(line.text.decode())
        assert match is not None, line
        name, tags, values, _ = match.groups()
        keys = [key for key, _ in _TAG.findall(tags)]
        if name == "sample":
            assert keys == ["site", "area", "line", "station"]
            continue
        schema = _SCHEMA[name]
        assert line.database is schema.database
        assert keys == ["site", "area", *schema.tags]
        for key, value in _FIELD.findall(values):
            assert re.fullmatch(kinds[schema.fields[key]], value, re.DOTALL), (key, value)
            assert schema.fields[key] is str or value not in ("nan", "inf", "-inf")


@given(said=st.lists(events, max_size=4))
def test_the_same_record_gives_the_same_bytes_whatever_came_before(said: list[AnyEvent]) -> None:
    used = Encoder("s", "a")
    first = used.record(record(*said))
    assert used.record(record(*said)) == first == Encoder("s", "a").record(record(*said))


@given(said=st.lists(events, min_size=1, max_size=3), copies=st.integers(2, 9))
def test_points_of_one_record_never_overwrite_each_other(said: list[AnyEvent], copies: int) -> None:
    lines = Encoder("s", "a").record(record(*(said * copies)))
    exact = {measurement.name for measurement in MEASUREMENTS if measurement.exact}
    apart = [line.text for line in lines if line.text.split(b",")[0].decode() not in exact]
    matches = [_LINE.fullmatch(text.decode()) for text in apart]
    points = [(m[1], m[2], m[4], "".join(_FIELD.findall(m[3])[0][0]) * (m[1] == "sample")) for m in matches if m]
    assert len(set(points)) == len(points) == len(apart)


def test_unit_ids_are_fields_and_never_tags() -> None:
    for measurement in MEASUREMENTS:
        assert not {"unit", "unit_id", "command_id", "order", "text", "flag"} & set(measurement.tags)
        assert not set(measurement.tags) & set(measurement.fields)
    assert not any(name in ("name", "time", "limit") for m in MEASUREMENTS for name in (*m.fields, *m.tags))


@given(unit=_TEXT)
def test_a_unit_is_found_by_one_of_64_tags(unit: str) -> None:
    event = UnitCompleted(
        at_ns=1, line="l", unit=unit, unit_inferred=False, product=None, family=None, start_ns=None, good=None, shift=""
    )
    (line,) = Encoder("s", "a").record(record(event))
    assert re.match(rb"unit_index,site=s,area=a,line=l,h=[0-3][0-9a-f] ", line.text)


@given(value=st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_what_is_no_number_is_left_out(value: float) -> None:
    assert Encoder("s", "a").record(record(Sampled(at_ns=1, line="l", station="s", name="x", value=value))) == []


def test_an_unknown_product_is_the_tag_none() -> None:
    event = CycleCompleted(
        at_ns=1, line="l", station="s", unit=None, unit_inferred=False, product=None, start_ns=None, active_s=None,
        planned_s=None, lost_s={}, timing=Timing.UNKNOWN, good=None, shift="",
    )  # fmt: skip
    (line,) = Encoder("s", "a").record(record(event))
    assert b",product=none,shift=none,result=unknown,timing=unknown units=1i,unit_inferred=0i" in line.text


def test_times_tell_apart_records_and_points_within_a_millisecond() -> None:
    event = Sampled(at_ns=5_999_999, line="l", station="s", name="x", value=1.0)
    lines = [line.text for seq in (7, 8) for line in Encoder("s", "a").record(record(event, event, seq=seq))]
    assert [int(line.split()[-1]) for line in lines] == [5_000_700, 5_000_701, 5_000_800, 5_000_801]
