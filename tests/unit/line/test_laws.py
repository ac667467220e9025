"""Whatever happens on the line and however it is delivered: what must hold of what the room says."""

from collections import Counter
from collections.abc import Iterator
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.model import (
    Anomaly,
    AnyEvent,
    CycleCompleted,
    CycleStarted,
    StationUnobserved,
    Timing,
    UnitCompleted,
)
from tests.unit.line.plant import HOUR, MINUTE, MONDAY_8, SECOND
from tests.unit.line.truth import (
    SIGNALS,
    Plant,
    delayed,
    new_room,
    outages,
    perfect,
    plant,
    polled,
    shuffled,
    skewed,
    told,
    turns,
)

METHODS = st.lists(st.sampled_from(sorted(SIGNALS)), min_size=1, max_size=4)
SEEDS = st.integers(0, 2**32)
few = settings(max_examples=60, derandomize=True, deadline=None, database=None)


def completed(events: list[AnyEvent], station: str) -> list[CycleCompleted]:
    return [event for event in events if isinstance(event, CycleCompleted) and event.station == station]


def counts_are_exact(true: Plant, events: list[AnyEvent]) -> None:
    for name, cycles in true.cycles.items():
        assert len(completed(events, name)) == len(cycles), name


def units_are_kept(true: Plant, events: list[AnyEvent]) -> None:
    """Every station had the same units in the same order, each once."""
    names = [[event.unit for event in completed(events, name)] for name in true.cycles]
    for units in names:
        assert units == names[0]
        assert len(set(units)) == len(units)
    assert [event.unit for event in events if isinstance(event, UnitCompleted)] == names[-1]


def anomalies(events: list[AnyEvent]) -> list[Anomaly]:
    return [event for event in events if isinstance(event, Anomaly)]


def true_end(method: str, counted: bool, leave_ns: int, end_ns: int) -> int:
    return leave_ns if method == "part_present" and not counted else end_ns


@few
@given(SEEDS, METHODS, st.booleans())
def test_perfect_delivery_gives_the_truth(seed: int, methods: list[str], counted: bool) -> None:
    true = plant(Random(seed), methods, counted=counted)
    events = told(true, perfect(true))
    assert not anomalies(events)
    units_are_kept(true, events)
    for method, (name, cycles) in zip(methods, true.cycles.items(), strict=True):
        done = completed(events, name)
        assert [event.at_ns for event in done] == [
            true_end(method, counted, cycle.leave_ns, cycle.end_ns) for cycle in cycles
        ]
        if method == "cycle_time":
            assert [event.active_s for event in done] == [1001 + number for number in range(len(cycles))]
        elif method != "count_alone":
            assert [event.start_ns for event in done] == [cycle.start_ns for cycle in cycles]
            assert {event.timing for event in done} == {Timing.MEASURED}
        if method != "count_alone":
            starts = [event for event in events if isinstance(event, CycleStarted) and event.station == name]
            assert [event.at_ns for event in starts] == [cycle.start_ns for cycle in cycles]
            assert all(event.product == "pq"[cycle.unit % 2] for event, cycle in zip(done, cycles, strict=True))


@few
@given(SEEDS, METHODS, st.booleans())
def test_signals_of_one_instant_that_arrive_one_by_one_are_one_instant(
    seed: int, methods: list[str], counted: bool
) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=counted)
    events = told(true, skewed(true, chance))
    counts_are_exact(true, events)
    units_are_kept(true, events)
    assert not anomalies(events)
    for method, (name, cycles) in zip(methods, true.cycles.items(), strict=True):
        if method not in ("count_alone", "cycle_time"):
            for event, cycle in zip(completed(events, name), cycles, strict=True):
                assert event.start_ns is not None
                assert abs(event.start_ns - cycle.start_ns) <= SECOND
                end_ns = true_end(method, counted, cycle.leave_ns, cycle.end_ns)
                assert abs(event.at_ns - end_ns) <= SECOND


@few
@given(SEEDS, METHODS, st.booleans(), st.booleans())
def test_names_and_figures_that_arrive_one_by_one_are_of_their_cycle(
    seed: int, methods: list[str], counted: bool, polling: bool
) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=counted, named=True, lateness="2m")
    events = told(true, polled(true, chance, 20 * SECOND, SECOND, apart=True) if polling else skewed(true, chance))
    counts_are_exact(true, events)
    assert not anomalies(events)
    for method, (name, cycles) in zip(methods, true.cycles.items(), strict=True):
        done = completed(events, name)
        assert [(event.unit, event.unit_inferred) for event in done] == [(f"U{cycle.unit}", False) for cycle in cycles]
        assert [event.product for event in done] == ["pq"[cycle.unit % 2] for cycle in cycles]
        if method == "cycle_time":
            assert [event.active_s for event in done] == [1001 + number for number in range(len(cycles))]
        if method != "count_alone":
            starts = [event for event in events if isinstance(event, CycleStarted) and event.station == name]
            assert [event.unit for event in starts] == [f"U{cycle.unit}" for cycle in cycles]
        judged = [event.good for event in done]
        if method == "part_present" and not counted:
            assert set(judged) <= {True, False}
        assert judged == [number % 3 != 0 for number in range(1, len(cycles) + 1)]


@few
@given(SEEDS, METHODS, st.booleans())
def test_the_order_within_a_window_does_not_matter(seed: int, methods: list[str], counted: bool) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=counted, reorder="10m")
    ordered, mixed = told(true, shuffled(true, Random(0), 10 * MINUTE)), told(true, shuffled(true, chance, 10 * MINUTE))
    assert Counter(map(repr, ordered)) == Counter(map(repr, mixed))


@few
@given(SEEDS, METHODS, st.booleans())
def test_what_overtakes_within_the_window_gives_the_truth(seed: int, methods: list[str], counted: bool) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=counted, reorder="10m", lateness="20m")
    expected, got = told(true, perfect(true)), told(true, delayed(true, chance, 10 * MINUTE))
    assert not anomalies(got)
    for name in true.cycles:
        assert completed(got, name) == completed(expected, name)


@few
@given(SEEDS, METHODS, st.sampled_from(["0s", "1m"]))
def test_late_readings_lose_and_invent_nothing_where_there_is_a_counter(
    seed: int, methods: list[str], reorder: str
) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=True, reorder=reorder)
    events = told(true, delayed(true, chance, 10 * MINUTE))
    counts_are_exact(true, events)
    assert not [event for event in anomalies(events) if event.kind.startswith("counter")]


@few
@given(SEEDS, METHODS, st.integers(1, 30), st.booleans(), st.sampled_from(["2s", "10m", "2h"]))
def test_coarse_polls_lose_and_invent_nothing_where_there_is_a_counter(
    seed: int, methods: list[str], minutes: int, apart: bool, lateness: str
) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=True, lateness=lateness)
    every_ns = minutes * MINUTE
    events = told(true, polled(true, chance, every_ns, 10 * SECOND, apart=apart))
    counts_are_exact(true, events)
    for name, cycles in true.cycles.items():
        for event, cycle in zip(completed(events, name), cycles, strict=True):
            assert abs(event.at_ns - cycle.end_ns) <= 2 * every_ns
            patient = true.config.engine.lateness >= 2 * every_ns
            told_by = methods[list(true.cycles).index(name)]
            if patient and told_by == "state" and event.timing is Timing.MEASURED:
                assert event.start_ns is not None
                assert abs(event.start_ns - cycle.start_ns) <= 2 * every_ns
    if true.config.engine.lateness >= 2 * every_ns:
        units_are_kept(true, events)


@few
@given(SEEDS, METHODS, st.booleans(), st.sampled_from(["2s", "2h"]))
def test_a_counter_makes_up_for_every_lost_link(seed: int, methods: list[str], polling: bool, lateness: str) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=True, lateness=lateness)
    gaps = []
    at_ns = MONDAY_8 + HOUR
    for _ in range(3):
        down = at_ns + chance.randrange(1, 20 * HOUR)
        at_ns = down + chance.randrange(MINUTE, 20 * HOUR)
        gaps.append((down, at_ns))
    deliveries = polled(true, chance, 10 * MINUTE, SECOND, apart=False) if polling else perfect(true)
    events = told(true, outages(true, gaps, deliveries))
    counts_are_exact(true, events)
    unobserved = [event for event in events if isinstance(event, StationUnobserved)]
    assert [(event.start_ns, event.at_ns) for event in unobserved if event.station == "a"] == gaps
    assert len(unobserved) == len(gaps) * len(methods)
    for method, name in zip(methods, true.cycles, strict=True):
        for event in completed(events, name):
            if event.timing is Timing.MEASURED and method != "cycle_time":
                assert not any(down < event.at_ns <= up for down, up in gaps)
    assert len([event for event in events if isinstance(event, UnitCompleted)]) == 7


@few
@given(SEEDS, METHODS, st.booleans(), st.booleans(), st.integers(0, 200))
def test_a_room_that_is_restored_goes_on_as_if_nothing_had_been(
    seed: int, methods: list[str], counted: bool, polling: bool, cut: int
) -> None:
    chance = Random(seed)
    true = plant(chance, methods, counted=counted)
    deliveries = polled(true, chance, 20 * MINUTE, SECOND, apart=True) if polling else skewed(true, chance)
    down = MONDAY_8 + 5 * HOUR
    deliveries = outages(true, [(down, down + HOUR)], deliveries)
    whole: list[list[AnyEvent]] = []
    parts: list[list[AnyEvent]] = []
    rest: Iterator[list[AnyEvent]] = iter(())
    rooms = [new_room(true), new_room(true)]
    for number, events in enumerate(turns(rooms[0], true, deliveries)):
        whole.append(events)
        if number == min(cut, len(deliveries) - 1):
            rooms[1].remember(rooms[0].memory())
            parts = whole.copy()
            rest = turns(rooms[1], true, deliveries, skip=number + 1)
    parts += list(rest)
    assert parts == whole
    assert rooms[0].memory() == rooms[1].memory()
