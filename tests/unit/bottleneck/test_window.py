"""A part of a record is what would have been recorded then."""

from linecontrol.bottleneck.window import cut, last_units
from linecontrol.flowline import Layout, Passage
from tests.unit.flowline.records import log_of


def test_what_runs_still_at_the_end_tells_nothing_of_its_future() -> None:
    passage = Passage(0, 0, 1.0, 5.0, 6.0, {"crane": 2.0}, {"kit": 1.0}, {"down": 1.0})
    log = log_of(Layout.chain(()), [[passage]])
    assert cut(log, 0.0, 4.0).passages == [[Passage(0, 0, 1.0, before={"kit": 1.0})]]
    assert cut(log, 0.0, 5.5).passages == [[Passage(0, 0, 1.0, 5.0, None, {"crane": 2.0}, {"kit": 1.0}, {"down": 1.0})]]
    assert cut(log, 0.0, 6.0).passages == [[passage]]


def test_what_ended_before_is_gone_and_units_are_numbered_anew() -> None:
    log = log_of(Layout.chain(()), [[Passage(n, 0, float(n), n + 1.0, n + 1.0) for n in range(4)]])
    late = cut(log, 2.0, 3.5)
    assert late.passages == [[Passage(0, 0, 2.0, 3.0, 3.0), Passage(1, 0, 3.0)]]
    assert late.units == ["U2", "U3"]
    assert (late.begin, late.end) == (2.0, 3.5)


def test_the_last_units_begin_when_all_others_had_left() -> None:
    log = log_of(Layout.chain(()), [[Passage(n, 0, float(n), n + 1.0, n + 1.0) for n in range(4)]])
    assert last_units(log, 4) is log
    late = last_units(log, 1)
    assert (late.begin, late.units) == (3.0, ["U3"])
