"""Laws of the line protocol, for events with whatever the types allow in them."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from linecontrol.model.event import (
    AnyEvent,
    BottleneckUpdated,
    CycleCompleted,
    FanPoint,
    Opinion,
    Sampled,
    Suspect,
    TargetForecast,
    UnitCompleted,
)
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
st.register_type_strategy(
    FanPoint, st.builds(FanPoint, at_ns=_TIME, low=st.floats(), likely=st.floats(), high=st.floats())
)

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


def test_a_forecast_is_a_fan_at_the_moments_told_of_and_a_later_one_replaces_it() -> None:
    def fan(at_ns: int, likely: float, seq: int) -> list[bytes]:
        told = TargetForecast(
            at_ns=at_ns, target="t", line="l", family="f", year=2026, units=800, done=3, probability=0.5,
            units_low=1.0, units_likely=likely, units_high=3.0, finish_low_ns=None, finish_likely_ns=None,
            finish_high_ns=None, takt_achieved_s=None, takt_required_s=None, prior_share=0.9, hours_needed=17.0,
            hours_left=18.0, kits_limit=None, evidence=3, replications=1000, seed=7,
            fan=[FanPoint(5_000_000_000, 1.0, likely, 3.0), FanPoint(9_000_000_000, 2.0, likely + 1, 4.0)],
        )  # fmt: skip
        return [line.text for line in Encoder("s", "a").record(record(told, seq=seq)) if b"forecast_fan" in line.text]

    first, second = fan(1_000_000_000, 2.0, 17), fan(2_000_000_000, 2.5, 18)
    assert [line.rsplit(b" ", 1)[1] for line in first] == [b"5000000000", b"9000000000"]
    assert [line.split(b" ")[0] for line in first] == [line.split(b" ")[0] for line in second]
    assert [line.rsplit(b" ", 1)[1] for line in first] == [line.rsplit(b" ", 1)[1] for line in second]
    assert b"likely=2.5" in second[0]


def test_the_shares_of_the_critical_path_are_one_point_each() -> None:
    told = BottleneckUpdated(
        at_ns=0, line="l", suspects=[Suspect("a", 0.7, 9.0, 0.4, 12.0, 8.0, 15.0)], units=30, provisional=True,
        shares={"a": 0.4, "b": 0.5}, waits={"kit": 0.1}, opinions=[Opinion("arrow", ["b"], "few units")],
        verdict="It is a.", notes=["n", "m"],
    )  # fmt: skip
    lines = [line.text.decode().rsplit(" ", 1)[0] for line in Encoder("s", "w").record(record(told))]
    assert lines == [
        "bottleneck,site=s,area=w,line=l,station=a probability=0.7,effective_cycle_s=9.0,rank=1i,units=30i,share=0.4,"
        "gain_units=12.0,gain_low=8.0,gain_high=15.0,provisional=1i",
        'bottleneck_verdict,site=s,area=w,line=l verdict="It is a.",suspects="a",units=30i,provisional=1i,waits=0.1,'
        'notes="n; m"',
        "critical_path,site=s,area=w,line=l,station=a,cause=none share=0.4",
        "critical_path,site=s,area=w,line=l,station=b,cause=none share=0.5",
        "critical_path,site=s,area=w,line=l,station=none,cause=kit share=0.1",
        'opinion,site=s,area=w,line=l,method=arrow stations="b",reason="few units"',
    ]
