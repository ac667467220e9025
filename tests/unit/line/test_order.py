"""The order of one connection's readings, whatever the order in which they arrive."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.line import order as module
from linecontrol.line.memory import OrderMemory
from linecontrol.line.order import NEVER_NS, Instant, ReadingOrder
from linecontrol.model import Quality, Reading, Value

SECOND = 1_000_000_000
UP_NS = 1_000 * SECOND
WINDOW_NS = 2 * SECOND

few = settings(max_examples=200, derandomize=True, deadline=None, database=None)

Arrival = tuple[int, Reading]
"""When a reading arrives."""


def reading(signal: str, source_s: float, value: Value = 1, quality: Quality = Quality.GOOD) -> Reading:
    at_ns = UP_NS + round(source_s * SECOND)
    return Reading(signal, value, quality, at_ns, at_ns)


def up(window_s: float = 0) -> ReadingOrder:
    order = ReadingOrder(round(window_s * SECOND), OrderMemory())
    order.come_up(UP_NS)
    return order


def fed(order: ReadingOrder, arrivals: Sequence[Arrival], *, until_ns: int | None = None) -> list[Instant]:
    """What is taken in, in order; what is due between two arrivals comes at its time."""
    out: list[Instant] = []
    for now_ns, each in arrivals:
        order.expire(now_ns, out)
        order.take(each, now_ns, out)
    if until_ns is not None:
        order.expire(until_ns, out)
    return out


def said(instants: Sequence[Instant]) -> list[tuple[float, str, Value]]:
    return [((at_ns - UP_NS) / SECOND, each.signal, each.value) for at_ns, batch in instants for each in batch]


def at(now_s: float, *readings: Reading) -> list[Arrival]:
    return [(UP_NS + round(now_s * SECOND), each) for each in readings]


# --- laws -----------------------------------------------------------------------------------------------------


@st.composite
def stream(draw: st.DrawFn, most_delay_ms: int) -> list[Arrival]:
    """Readings with distinct values, each delayed by up to ``most_delay_ms``, in the order of their arrival."""
    moments = draw(st.lists(st.tuples(st.integers(0, 1500), st.sampled_from("abc")), min_size=1, max_size=30))
    arrivals, source_ms = [], 1
    for number, (step_ms, signal) in enumerate(moments):
        source_ms += step_ms
        delay_ms = draw(st.integers(0, most_delay_ms))
        arrivals.append((source_ms + delay_ms, reading(signal, source_ms / 1000, number)))
    arrivals.sort(key=lambda arrival: arrival[0])
    return [(UP_NS + now_ms * 1_000_000, each) for now_ms, each in arrivals]


def in_source_order(arrivals: Sequence[Arrival]) -> list[Reading]:
    return sorted((each for _, each in arrivals), key=lambda each: each.source_ns)


@few
@given(stream(most_delay_ms=2000))
def test_delays_that_differ_by_no_more_than_the_window_change_nothing(arrivals: list[Arrival]) -> None:
    order = up(2)
    got = [each for _, batch in fed(order, arrivals, until_ns=NEVER_NS - 1) for each in batch]
    assert order.memory.late == 0
    assert [each.source_ns for each in got] == [each.source_ns for each in in_source_order(arrivals)]
    assert sorted(map(repr, got)) == sorted(repr(each) for _, each in arrivals)


@few
@given(stream(most_delay_ms=8000), st.sampled_from([0, 0.5, 2]))
def test_whatever_is_late_no_signal_goes_back_in_time(arrivals: list[Arrival], window_s: float) -> None:
    order = up(window_s)
    got = fed(order, arrivals, until_ns=NEVER_NS - 1)
    newest: dict[str, int] = {}
    for at_ns, batch in got:
        for each in batch:
            assert newest.get(each.signal, 0) <= at_ns == each.source_ns
            newest[each.signal] = at_ns
    for signal in "abc":  # the last word of each signal is its newest one
        stamps = [each.source_ns for _, each in arrivals if each.signal == signal]
        assert newest.get(signal) == max(stamps, default=None)


@few
@given(stream(most_delay_ms=8000), st.sampled_from([0.5, 2]), st.integers(0, 30))
def test_what_waits_goes_on_waiting_after_a_restart(arrivals: list[Arrival], window_s: float, cut: int) -> None:
    whole = up(window_s)
    fed(whole, arrivals[:cut])
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(whole.memory), type=OrderMemory)
    resumed = ReadingOrder(whole.window_ns, kept)
    assert resumed.due_ns == whole.due_ns
    rest = fed(whole, arrivals[cut:], until_ns=NEVER_NS - 1)
    assert fed(resumed, arrivals[cut:], until_ns=NEVER_NS - 1) == rest
    assert resumed.memory == whole.memory
    assert not whole.memory.waiting


@few
@given(stream(most_delay_ms=8000), st.sampled_from([0, 2]))
def test_everything_said_twice_is_said_once(arrivals: list[Arrival], window_s: float) -> None:
    once, twice = up(window_s), up(window_s)
    doubled = [arrival for arrival in arrivals for _ in "12"]
    expected = fed(once, arrivals, until_ns=NEVER_NS - 1)
    got = fed(twice, doubled, until_ns=NEVER_NS - 1)
    assert said(got) == said(expected)


# --- examples -------------------------------------------------------------------------------------------------


def test_without_a_window_nothing_waits() -> None:
    order = up()
    assert said(fed(order, at(10, reading("a", 9), reading("b", 10), reading("a", 10, 2)))) == [
        (9, "a", 1), (10, "b", 1), (10, "a", 2)
    ]  # fmt: skip
    assert order.due_ns == NEVER_NS


def test_a_reading_waits_until_the_watermark_has_passed_it() -> None:
    order = up(2)
    assert fed(order, at(12.5, reading("a", 10))) == []
    assert fed(order, at(12.5, reading("b", 12))) == []
    assert said(fed(order, at(12.5, reading("b", 12.001)))) == [(10, "a", 1)]


def test_a_reading_exactly_a_window_older_is_in_time_and_one_older_still_is_late() -> None:
    order = up(2)
    fed(order, at(12, reading("a", 10), reading("a", 12)))
    fed(order, at(12, reading("b", 10), reading("b", 9.999)))
    assert order.memory.late == 1
    assert order.memory.behind_ns == SECOND // 1000


def test_a_reading_waits_no_longer_than_its_window() -> None:
    order = up(2)
    fed(order, at(10, reading("a", 9.5)))
    out: list[Instant] = []
    order.expire(UP_NS + 12 * SECOND, out)
    assert out == []
    assert order.due_ns == UP_NS + 12 * SECOND + 1
    order.expire(order.due_ns, out)
    assert said(out) == [(9.5, "a", 1)]
    assert said(fed(order, at(12.5, reading("b", 9.4)))) == [(9.4, "b", 1)]
    assert fed(order, at(12.5, reading("b", 9.3))) == []
    assert order.memory.late == 2


def test_a_late_reading_that_is_its_signal_s_newest_is_taken_in() -> None:
    order = up()
    fed(order, at(1, reading("a", 1, 0), reading("b", 1, 0)))
    assert said(fed(order, at(10, reading("a", 10), reading("b", 8)))) == [(10, "a", 1), (8, "b", 1)]
    assert order.memory.late == 1


def test_a_reading_that_was_overtaken_is_counted_and_left() -> None:
    order = up()
    assert said(fed(order, at(10, reading("a", 10, 5), reading("a", 9, 4)))) == [(10, "a", 5)]
    assert (order.memory.late, order.memory.behind, order.memory.behind_ns) == (1, "a", SECOND)


def test_that_values_were_lost_is_told_by_an_overtaken_reading_too() -> None:
    order = up()
    fed(order, at(10, reading("a", 10, 5)))
    ((at_ns, batch),) = fed(order, at(10, reading("a", 9, 4, Quality.UNCERTAIN)))
    assert at_ns == UP_NS + 10 * SECOND
    assert [(each.value, each.quality) for each in batch] == [(5, Quality.UNCERTAIN)]


def test_the_same_value_in_doubt_is_news_and_not_late() -> None:
    order = up()
    fed(order, at(10, reading("a", 1, 5), reading("b", 10)))
    assert said(fed(order, at(11, reading("a", 1, 5, Quality.UNCERTAIN)))) == [(1, "a", 5)]
    assert order.memory.late == 0


def test_what_stood_when_the_link_came_up_is_never_late() -> None:
    order = up()
    got = fed(order, at(10, reading("a", 9), reading("b", -500), reading("c", -400)))
    assert said(got) == [(9, "a", 1), (0, "b", 1), (0, "c", 1)]
    assert order.memory.late == 0


def test_what_is_said_again_after_the_link_was_lost_is_news() -> None:
    order = up()
    fed(order, at(10, reading("a", 9), reading("b", 10)))
    order.come_up(UP_NS + 5 * SECOND)  # by a clock that was set back meanwhile
    assert said(fed(order, at(11, reading("a", 9), reading("c", -1)))) == [(9, "a", 1), (5, "c", 1)]
    assert order.memory.late == 0


def test_a_source_time_in_the_future_counts_as_that_of_receipt() -> None:
    order = up()
    got = fed(order, [*at(10, reading("a", 200)), *at(10.1, reading("b", 10.1), reading("a", 10.1, 2))])
    assert said(got) == [(10, "a", 1), (10.1, "b", 1), (10.1, "a", 2)]
    assert order.memory.late == 0


def test_the_oldest_are_taken_in_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    order = up(60)
    got = fed(order, at(10, *(reading("a", n, n) for n in (4, 2, 3, 5, 1))))
    assert said(got) == [(2, "a", 2)]
    assert [each.reading.value for each in order.memory.waiting] == [3, 4, 5]
    assert order.memory.late == 1


# --- a clock that is set back ---------------------------------------------------------------------------------


def test_a_clock_that_was_set_back_is_believed_after_a_while() -> None:
    order = up()
    fed(order, at(100, reading("a", 100, 0), reading("b", 100, 0)))
    out: list[Instant] = []
    backs = []
    for number in range(12):
        backs.append(order.take(reading("a", 41 + number, number), UP_NS + (101 + number) * SECOND, out))
        order.take(reading("b", 41, 7), UP_NS + (101 + number) * SECOND, out)
    assert [back / SECOND for back in backs if back] == [49]
    assert said(out) == [(41, "b", 7), (51, "a", 10), (52, "a", 11)]
    assert order.memory.late == 21  # none after that


def test_after_a_set_back_no_signal_is_held_against_what_it_was_by_the_clock_before() -> None:
    order = up()
    fed(order, at(100, reading("a", 100, 0), reading("b", 100, 0)))
    fed(order, [*at(101, reading("a", 41, 1)), *at(112, reading("a", 52, 2))])
    assert said(fed(order, at(112.1, reading("b", 51.9, 3)))) == [(51.9, "b", 3)]


def test_one_reading_in_time_shows_that_the_clock_is_right() -> None:
    order = up()
    fed(order, at(100, reading("a", 100), reading("b", 100)))
    late = [*at(101, reading("a", 41, 2)), *at(108, reading("b", 108)), *at(112, reading("a", 42, 3))]
    assert said(fed(order, late)) == [(108, "b", 1)]
    assert order.memory.late == 2


@few
@given(st.integers(0, 2**32), st.integers(11, 250))
def test_after_a_set_back_every_signal_is_soon_what_it_is(seed: int, back_s: int) -> None:
    chance, order = Random(seed), up()
    fed(order, at(300, *(reading(signal, 300, 0) for signal in "abc")))
    out: list[Instant] = []
    now: dict[str, Value] = dict.fromkeys("abc", 0)
    seconds = 301.0
    for number in range(1, 60):
        seconds += chance.uniform(0.1, 1.0)
        signal = chance.choice("abc")
        now[signal] = number
        order.take(reading(signal, seconds - back_s, number), UP_NS + round(seconds * SECOND), out)
    last = dict.fromkeys("abc", 0) | {each.signal: each.value for _, batch in out for each in batch}
    assert last == now


def test_what_waits_when_the_clock_is_found_set_back_is_of_before() -> None:
    order = up(30)
    fed(order, at(50, reading("a", 10), reading("a", 50, 2)))
    late = [*at(51, reading("a", 5, 3)), *at(61, reading("a", 6, 4))]
    out: list[Instant] = []
    for now_ns, each in late:
        order.take(each, now_ns, out)
    assert said(out) == [(50, "a", 2), (6, "a", 4)]
