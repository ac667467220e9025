"""Room that nobody wrote down: exact wherever units ever waited for it."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.bottleneck.capacity import capacity, find_places
from linecontrol.flowline import Layout, LineLog, run
from linecontrol.flowline.path import critical_path
from tests.unit.flowline.records import FEEDER, layouts, muddles, random_times, recorded, shop_floor

same = settings(derandomize=True, deadline=None, database=None, max_examples=60)


def unknown(layout: Layout) -> Layout:
    """A layout of which only the order of the stations is known."""
    return msgspec.structs.replace(layout, places=(0,) * layout.stations, servers=(1,) * layout.stations)


@same
@given(layout=layouts(twins=True, limits=False), seed=st.integers(0, 10**6))
def test_room_is_exact_where_units_had_to_wait_for_it(layout: Layout, seed: int) -> None:
    log = shop_floor(layout, random_times(seed, 60, layout.stations)[:, :, 0])
    found = capacity(msgspec.structs.replace(log, layout=unknown(layout)))
    assert all(a <= b for a, b in zip(found.servers, layout.servers, strict=True))
    for i in range(layout.stations - 1):
        if found.waited[i]:
            following = layout.following[i]
            assert found.places[i] + found.servers[following] == layout.room(i)
            assert found.explained[i] == 1.0
        else:
            assert found.places[i] + found.servers[i + 1] <= layout.room(i)
    known, _ = find_places(msgspec.structs.replace(log, layout=unknown(layout)), range(layout.stations))
    assert (list(known.layout.places), list(known.layout.servers)) == (found.places, found.servers)
    assert critical_path(known).own == pytest.approx(critical_path(log).own, abs=1e-9)


def test_a_feeder_s_places_are_found() -> None:
    log = recorded(run(random_times(4, 200, 5), FEEDER))
    found = capacity(msgspec.structs.replace(log, layout=unknown(FEEDER)))
    assert all(found.waited[:-1])
    assert found.places[:-1] == list(FEEDER.places[:-1])


@same
@given(layout=layouts(limits=False), seed=st.integers(0, 10**6))
def test_starts_alone_show_the_room_where_it_matters(layout: Layout, seed: int) -> None:
    log = recorded(run(random_times(seed, 60, layout.stations), layout))
    for its in log.passages:
        for passage in its:
            passage.departure = None
    found = capacity(msgspec.structs.replace(log, layout=unknown(layout)))
    assert all(a <= b for a, b in zip(found.places, layout.places, strict=True))
    assert found.explained == [1.0] * (layout.stations - 1) + [None]
    known = msgspec.structs.replace(log, layout=msgspec.structs.replace(layout, places=tuple(found.places)))
    assert critical_path(known).own == pytest.approx(critical_path(log).own, abs=1e-9)


def test_a_feeder_s_places_are_found_from_the_starts_too() -> None:
    log = recorded(run(random_times(4, 200, 5), FEEDER))
    for its in log.passages:
        for passage in its:
            passage.departure = None
    found = capacity(msgspec.structs.replace(log, layout=unknown(FEEDER)))
    assert found.places[:-1] == list(FEEDER.places[:-1])
    assert found.notes[0].endswith("(100% of 200 starts, departures not being recorded, explained)")


def test_the_notes_say_how_sure_it_is() -> None:
    layout = Layout.chain((2, 5, 1))
    times = random_times(6, 200, 4)
    times[:, 1] *= 3
    times[:, 2] *= 0.1
    log = recorded(run(times, layout))
    found = capacity(log)
    assert found.places[0] == 2
    assert found.notes[0] == "places between S0 and S1: 2, found from the record (100% of 200 departures explained)"
    assert found.notes[1] == "places between S1 and S2: 0 or more, as no unit ever had to wait for one"


def test_one_false_departure_does_not_mislead() -> None:
    log = recorded(run(random_times(6, 100, 3), Layout.chain((2, 1))))
    odd = log.passages[0][50]
    odd.departure = odd.complete
    found = capacity(log)
    assert found.places == [2, 1, 0]
    assert found.explained[0] == pytest.approx(0.99)


def test_only_the_unknown_places_are_replaced() -> None:
    log = shop_floor(Layout.chain((2, 1), servers=(1, 2, 1)), random_times(6, 100, 3)[:, :, 0])
    asked = msgspec.structs.replace(log, layout=Layout.chain((7, 7)))
    found, notes = find_places(asked, {1})
    assert found.layout.places == (7, 1, 0)
    assert found.layout.servers == (1, 2, 1)
    assert notes[0].startswith("places between S1 and S2: 1, found from the record (100% of")
    assert notes[1:] == ["S1: taken as 2 workplaces, as so many units were there at once"]


def test_one_overlap_in_hundreds_is_no_second_workplace() -> None:
    log = recorded(run(random_times(6, 200, 3), Layout.chain((2, 1))))
    log.passages[1][50].start = log.passages[1][49].start + 1e-3
    assert capacity(log).servers == [1, 1, 1]


@same
@given(log=muddles())
def test_a_muddled_record_has_some_room(log: LineLog) -> None:
    found = capacity(log)
    assert min(found.places) >= 0
    assert all(a >= 1 and b <= a for a, b in zip(found.servers, log.layout.servers, strict=True))
    assert all(part is None or 0 <= part <= 1 for part in found.explained)
