"""Late and overtaken readings at the engine's doors: cuts into batches, ticks and restarts make no difference."""

from collections.abc import Sequence
from itertools import groupby
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.config import Config
from linecontrol.config.line import ConnectionConfig
from linecontrol.engine import Engine
from linecontrol.model import (
    AndonCalled,
    Anomaly,
    AnyEvent,
    CycleCompleted,
    FlagChanged,
    LinkChange,
    Observation,
    Quality,
    Reading,
    Sampled,
    StateChanged,
    Value,
)
from tests.unit.line.plant import MONDAY_8, SECOND, config

Arrival = tuple[int, Reading | LinkChange]
"""When something arrives."""

few = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def plant(reorder: str, lateness: str = "4s") -> Config:
    """Line ``l`` behind ``plc`` and the same line ``m`` behind ``plc2``."""
    stations = {
        name: {"cycle_by": "part_present", "signals": ["part_present", "cycle_count", "andon_call"], "telemetry": ["t"]}
        for name in "ab"
    }
    connection = {"driver": "none", "reorder": reorder}
    engine = {"resolution": "10s", "lateness": lateness, "progress_every": "30s", "heartbeat_every": "1m"}
    root = {
        "connections": {"plc": connection, "plc2": connection},
        "engine": engine,
        "rules": {
            "present": {"each": "station", "when": "state == 'working'", "for": "20s", "message": "a part is there"},
            "hot": {"each": "station", "when": "mean(tag.t, last 1min) > 5", "message": "hot"},
            "calls": {"each": "station", "when": "andon", "message": "help"},
        },
    }
    one = config(stations, root)
    lines = {"l": one.lines["l"], "m": one.lines["l"].model_copy(update={"connection": "plc2"})}
    return one.model_copy(update={"lines": lines})


PLANTS = {reorder: plant(reorder) for reorder in ("0s", "1s", "2s")}


def beginning() -> list[Arrival]:
    first: list[Reading | LinkChange] = [LinkChange("plc", True, MONDAY_8), LinkChange("plc2", True, MONDAY_8)]
    first += [reading(f"{line}/{name}/cycle_count", 0, 0) for line in "lm" for name in "ab"]
    first += [reading(f"{line}/{name}/part_present", 0, False) for line in "lm" for name in "ab"]
    return [(MONDAY_8, each) for each in first]


def reading(signal: str, source_ms: int, value: Value) -> Reading:
    at_ns = MONDAY_8 + source_ms * 1_000_000
    return Reading(signal, value, Quality.GOOD, at_ns, at_ns)


def story(seed: int, most_delay_ms: int, *, anytime: bool = False) -> tuple[list[Arrival], list[Arrival]]:
    """What happens in two minutes, in time and delayed; ``anytime``, or so that a point of the grid sees the same."""
    chance = Random(seed)
    counts: dict[str, int] = {}
    there: dict[str, bool] = {}
    told: list[tuple[int, Reading]] = []
    for slot in range(12):
        begins, ends = (1, 9900) if anytime else (5000, 5900)
        moments = range(slot * 10_000 + begins, slot * 10_000 + ends, 50)
        here = [(ms, name) for name in STATIONS for ms in chance.sample(moments, chance.randint(0, 2))]
        for source_ms, station in sorted(here):
            if chance.random() < 0.6:
                there[station] = not there.get(station, False)
                told.append((source_ms, reading(f"{station}/part_present", source_ms, there[station])))
                if not there[station]:
                    counts[station] = counts.get(station, 0) + 1
                    told.append((source_ms, reading(f"{station}/cycle_count", source_ms, counts[station])))
            else:
                told.append((source_ms, reading(f"{station}/t", source_ms, chance.randint(0, 10))))
    delayed = [(source_ms + chance.randint(0, most_delay_ms), each) for source_ms, each in told]
    delayed.sort(key=lambda arrival: arrival[0])
    return arriving(told), arriving(delayed)


def arriving(told: Sequence[tuple[int, Reading]]) -> list[Arrival]:
    return [(MONDAY_8 + now_ms * 1_000_000, each) for now_ms, each in told]


STATIONS = ("l/a", "l/b", "m/a", "m/b")
END_NS = MONDAY_8 + 200 * SECOND


def run(engine: Engine, arrivals: Sequence[Arrival], *, alone: bool = False) -> list[AnyEvent]:
    """What arrives at one moment in one step, or each ``alone``."""
    out: list[AnyEvent] = []
    for now_ns, group in groupby(arrivals, key=lambda arrival: arrival[0]):
        batch: list[Observation] = [each for _, each in group]
        for step in [[each] for each in batch] if alone else [batch]:
            out += engine.step(step, now_ns)
    return out


def encoded(events: Sequence[AnyEvent]) -> bytes:
    return msgspec.msgpack.encode(events)


def of_line(events: Sequence[AnyEvent], line: str) -> list[AnyEvent]:
    """What happened there; flags look at all lines, each with its own delays."""
    return [event for event in events if getattr(event, "line", None) == line and not isinstance(event, FlagChanged)]


@few
@given(st.integers(0, 2**32))
def test_any_interleaving_within_the_windows_gives_the_events_of_the_sorted_stream(seed: int) -> None:
    in_time, delayed = story(seed, 2000)
    events = []
    for arrivals in (in_time, delayed):
        engine = Engine(PLANTS["2s"])
        events.append(run(engine, [*beginning(), *arrivals]) + engine.tick(END_NS))
        assert engine.late() == {"plc": 0, "plc2": 0}
    for line in "lm":
        assert of_line(events[0], line) == of_line(events[1], line)


@few
@given(st.integers(0, 2**32))
def test_what_overtakes_within_the_window_changes_no_flag(seed: int) -> None:
    """All that is told, flags among it, where the rules see one connection only."""
    logs = []
    for arrivals in story(seed, 2000):
        engine = Engine(PLANTS["2s"])
        of_one = [(now_ns, each) for now_ns, each in arrivals if isinstance(each, Reading) and each.signal[0] == "l"]
        logs.append(run(engine, [*beginning(), *of_one]) + engine.tick(END_NS))
    assert logs[0] == logs[1]


@few
@given(st.integers(0, 2**32))
def test_states_cycles_and_flags_are_the_same_whatever_the_grid_sees(seed: int) -> None:
    logs = []
    for arrivals in story(seed, 2000, anytime=True):
        engine = Engine(PLANTS["2s"])
        of_one = [(now_ns, each) for now_ns, each in arrivals if isinstance(each, Reading) and each.signal[0] == "l"]
        events = run(engine, [*beginning(), *of_one]) + engine.tick(END_NS)
        states = [(e.station, e.at_ns, e.state) for e in events if isinstance(e, StateChanged)]
        cycles = [(e.station, e.at_ns, e.start_ns, e.timing) for e in events if isinstance(e, CycleCompleted)]
        flags = [(e.flag, e.at_ns, e.transition, e.value) for e in events if isinstance(e, FlagChanged)]
        logs.append((states, cycles, sorted(flags, key=lambda flag: flag[:3])))
    assert logs[0] == logs[1]


@few
@given(st.integers(0, 2**32), st.sampled_from(["1s", "2s"]), st.integers(1, 1500))
def test_how_a_moment_is_cut_into_batches_makes_no_difference(seed: int, reorder: str, grain_ms: int) -> None:
    _, delayed = story(seed, 6000)
    grain = grain_ms * 1_000_000
    coarse = [((now_ns // grain + 1) * grain, each) for now_ns, each in delayed]
    whole, single = Engine(PLANTS[reorder]), Engine(PLANTS[reorder])
    arrivals = [*beginning(), *coarse]
    expected = run(whole, arrivals) + whole.tick(END_NS)
    assert encoded(run(single, arrivals, alone=True) + single.tick(END_NS)) == encoded(expected)
    assert single.snapshot() == whole.snapshot()


@few
@given(st.integers(0, 2**32), st.sampled_from(sorted(PLANTS)), st.lists(st.integers(0, 200_000), max_size=30))
def test_ticks_in_between_make_no_difference(seed: int, reorder: str, extra_ms: list[int]) -> None:
    _, delayed = story(seed, 6000)
    plain, ticked = Engine(PLANTS[reorder]), Engine(PLANTS[reorder])
    expected = run(plain, [*beginning(), *delayed]) + plain.tick(END_NS)
    moments = sorted({MONDAY_8 + ms * 1_000_000 for ms in extra_ms})
    found = run(ticked, beginning())
    for now_ns, group in groupby(delayed, key=lambda arrival: arrival[0]):
        while moments and moments[0] <= now_ns:
            found += ticked.tick(moments.pop(0))
        found += ticked.step([each for _, each in group], now_ns)
    for moment in moments:
        found += ticked.tick(moment)
    found += ticked.tick(END_NS)
    assert encoded(found) == encoded(expected)
    assert ticked.snapshot() == plain.snapshot()


@few
@given(st.integers(0, 2**32), st.sampled_from(sorted(PLANTS)), st.integers(0, 40))
def test_readings_that_wait_survive_a_restart(seed: int, reorder: str, cut: int) -> None:
    _, delayed = story(seed, 6000)
    arrivals = [*beginning(), *delayed]
    whole, resumed = Engine(PLANTS[reorder]), Engine(PLANTS[reorder])
    run(whole, arrivals[: cut + 8])
    assert resumed.restore(whole.snapshot()) == []
    rest = arrivals[cut + 8 :]
    assert encoded(run(resumed, rest) + resumed.tick(END_NS)) == encoded(run(whole, rest) + whole.tick(END_NS))
    assert resumed.snapshot() == whole.snapshot()


@few
@given(st.integers(0, 2**32), st.sampled_from(sorted(PLANTS)), st.data())
def test_readings_that_were_overtaken_never_change_what_happened(seed: int, reorder: str, data: st.DataObject) -> None:
    """Old readings of signals that were seen later are put in anywhere: only their being told of differs."""
    in_time, _ = story(seed, 0)
    stale: list[tuple[int, Arrival]] = []
    seen: dict[str, Reading] = {}
    for place, (now_ns, each) in enumerate(in_time):
        assert isinstance(each, Reading)
        old = seen.get(each.signal)
        if old is not None and old.source_ns < now_ns - 3 * SECOND and data.draw(st.booleans()):
            wrong = reading(each.signal, 0, old.value)
            stale.append((place, (now_ns, msgspec.structs.replace(wrong, source_ns=old.source_ns - SECOND))))
        seen[each.signal] = each
    mixed = list(in_time)
    for place, arrival in reversed(stale):
        mixed.insert(place, arrival)
    clean, dirty = Engine(PLANTS[reorder]), Engine(PLANTS[reorder])
    expected = run(clean, [*beginning(), *in_time]) + clean.tick(END_NS)
    found = run(dirty, [*beginning(), *mixed]) + dirty.tick(END_NS)
    assert sum(dirty.late().values()) == len(stale)
    assert [event for event in found if not isinstance(event, Anomaly)] == expected


# --- what is told, and when -----------------------------------------------------------------------------------


def test_a_waiting_reading_is_due_without_a_further_one() -> None:
    engine = Engine(PLANTS["2s"])
    run(engine, beginning())
    engine.tick(MONDAY_8 + 4 * SECOND)
    call = reading("l/a/andon_call", 5000, True)
    assert not [e for e in engine.step([call], MONDAY_8 + 5 * SECOND) if isinstance(e, FlagChanged)]
    assert engine.due_ns == MONDAY_8 + 7 * SECOND + 1
    raised = [event for event in engine.tick(engine.due_ns) if isinstance(event, FlagChanged)]
    assert [(event.rule, event.at_ns) for event in raised] == [("calls", MONDAY_8 + 5 * SECOND)]


@pytest.mark.parametrize("alone", [True, False])
def test_what_two_connections_release_is_told_in_the_order_of_its_release(alone: bool) -> None:
    engine = Engine(PLANTS["2s"])
    run(engine, beginning())
    waiting = [(MONDAY_8 + 6 * SECOND, reading(f"{line}/a/t", 5000, 1)) for line in "lm"]
    newer = [(MONDAY_8 + 7 * SECOND + SECOND // 2, reading(f"{line}/a/t", 7001, 2)) for line in "ml"]
    events = run(engine, [*waiting, *newer], alone=alone)
    assert [(event.line, event.value) for event in events if isinstance(event, Sampled)] == [("m", 1.0), ("l", 1.0)]


def test_time_does_not_pass_a_reading_that_waits() -> None:
    engine = Engine(plant("30s", lateness="1s"))
    run(engine, beginning())
    engine.step([reading("l/a/andon_call", 5000, True)], MONDAY_8 + 5 * SECOND)
    events = engine.tick(MONDAY_8 + 11 * SECOND)
    assert [event.at_ns for event in events if isinstance(event, FlagChanged)] == [MONDAY_8 + 5 * SECOND]


@pytest.mark.parametrize("up", [True, False])
def test_what_waits_is_taken_in_before_its_link_changes(up: bool) -> None:
    engine = Engine(PLANTS["2s"])
    run(engine, beginning())
    engine.step([reading("l/a/t", 5000, 9)], MONDAY_8 + 5 * SECOND)
    events = engine.step([LinkChange("plc", up, MONDAY_8 + 6 * SECOND, "test")], MONDAY_8 + 6 * SECOND)
    assert [event.value for event in events if isinstance(event, Sampled)] == [9.0]
    assert isinstance(events[0], Sampled)


def test_late_readings_are_told_of_once_a_minute_and_counted_one_by_one() -> None:
    engine = Engine(PLANTS["1s"])
    run(engine, [*beginning(), *((MONDAY_8, reading("l/a/t", 1, n)) for n in range(2))])
    at = MONDAY_8 + 20 * SECOND
    late = [reading("l/a/t", 20_000, 1), *(reading("l/b/t", 20_000 - n, n) for n in range(2499, 1499, -1))]
    events = engine.step(late, at) + engine.tick(MONDAY_8 + 200 * SECOND)
    (told,) = [event for event in events if isinstance(event, Anomaly)]
    assert (told.kind, told.signal, told.at_ns) == ("late_reading", "l/b/t", MONDAY_8 + 60 * SECOND)
    assert told.text == (
        "1000 readings of plc came late, by up to 1.499 s; with reorder: 2.499s it would have waited for them"
    )
    assert engine.late() == {"plc": 1000, "plc2": 0}


def test_a_late_telemetry_sample_is_recorded_with_its_own_time() -> None:
    engine = Engine(PLANTS["0s"])
    run(engine, beginning())
    samples = [reading("l/a/t", 5000, 1), reading("l/b/t", 4000, 2), reading("l/a/t", 4500, 3)]
    events = engine.step(samples, MONDAY_8 + 5 * SECOND)
    told = [(event.station, event.value, event.at_ns) for event in events if isinstance(event, Sampled)]
    assert told == [("a", 1.0, MONDAY_8 + 5 * SECOND), ("b", 2.0, MONDAY_8 + 4 * SECOND)]


def test_what_comes_late_counts_for_rules_at_their_present() -> None:
    engine = Engine(PLANTS["0s"])
    run(engine, beginning())
    at = MONDAY_8 + 10 * SECOND
    events = engine.step([reading("l/a/t", 10_000, 1), reading("l/b/andon_call", 8000, True)], at)
    assert [event.at_ns for event in events if isinstance(event, AndonCalled)] == [at - 2 * SECOND]
    assert [event.at_ns for event in events if isinstance(event, FlagChanged)] == [at]


def test_a_clock_that_is_set_back_is_told_of() -> None:
    engine = Engine(PLANTS["0s"])
    run(engine, beginning())
    engine.step([reading("l/a/andon_call", 100_000, False)], MONDAY_8 + 100 * SECOND)
    events = engine.step([reading("l/a/andon_call", 41_000, True)], MONDAY_8 + 101 * SECOND)
    assert not [event for event in events if isinstance(event, FlagChanged)]
    events = engine.step([reading("l/a/t", 52_000, 1)], MONDAY_8 + 112 * SECOND)
    events += engine.step([reading("l/a/andon_call", 53_000, True)], MONDAY_8 + 113 * SECOND)
    (told,) = [event for event in events if isinstance(event, Anomaly)]
    assert told.kind == "clock_set_back"
    assert [event.rule for event in events if isinstance(event, FlagChanged)] == ["calls"]


def test_a_window_that_is_left_out_releases_what_waited_in_it() -> None:
    before = Engine(PLANTS["2s"])
    run(before, beginning())
    before.step([reading("l/a/t", 5000, 9)], MONDAY_8 + 5 * SECOND)
    after = Engine(PLANTS["0s"])
    after.restore(before.snapshot())
    events = after.step([reading("l/a/t", 5100, 8)], MONDAY_8 + 5 * SECOND)
    events += after.tick(MONDAY_8 + 6 * SECOND)
    assert [event.value for event in events if isinstance(event, Sampled)] == [9.0, 8.0]


def test_connections_that_come_and_go_with_the_config_are_no_trouble() -> None:
    before = Engine(PLANTS["2s"])
    run(before, beginning())
    before.step([reading("m/a/t", 5000, 9)], MONDAY_8 + 5 * SECOND)
    connections = {"plc": ConnectionConfig(driver="none"), "new": ConnectionConfig(driver="none")}
    lines = PLANTS["2s"].lines
    changed = PLANTS["2s"].model_copy(
        update={"connections": connections, "lines": dict.fromkeys(("l", "m"), lines["l"])}
    )
    after = Engine(changed)
    after.restore(before.snapshot())
    assert after.late() == {"plc": 0, "new": 0}
    events = after.step([reading("m/a/t", 6000, 1)], MONDAY_8 + 6 * SECOND)
    assert [event.value for event in events if isinstance(event, Sampled)] == [1.0]
