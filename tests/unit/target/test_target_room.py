from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.errors import SnapshotError
from linecontrol.model import (
    AnyEvent,
    CommitmentUpdated,
    CycleCompleted,
    CycleStarted,
    KitStockChanged,
    LedgerUpdated,
    Timing,
    UnitCompleted,
)
from linecontrol.target import TargetRoom


def unit(at_ns: int) -> UnitCompleted:
    return UnitCompleted(
        at_ns=at_ns,
        line="main",
        unit=None,
        unit_inferred=True,
        product="small",
        family="tractor",
        start_ns=None,
        good=True,
        shift="day",
    )


def started(at_ns: int, product: str | None = "small") -> CycleStarted:
    return CycleStarted(
        at_ns=at_ns, line="main", station="one", unit=None, unit_inferred=True, product=product, planned_s=None
    )


def completed(at_ns: int, timing: Timing, product: str = "small") -> CycleCompleted:
    return CycleCompleted(
        at_ns=at_ns,
        line="main",
        station="one",
        unit=None,
        unit_inferred=True,
        product=product,
        start_ns=None,
        active_s=None,
        planned_s=None,
        lost_s={},
        timing=timing,
        good=None,
        shift="day",
    )


def last(events: Sequence[AnyEvent], kind: type[Any]) -> Any:
    return [event for event in events if isinstance(event, kind)][-1]


@pytest.fixture
def room(config: Config, calendars: dict[str, WorkCalendar]) -> TargetRoom:
    return TargetRoom(config, calendars)


def test_units_count_by_local_year_and_day(room: TargetRoom, at: Any) -> None:
    room.tick(at(3, 2, 7))
    assert last(room.see(unit(at(3, 2, 10))), LedgerUpdated).done == 1
    ledger = last(room.see(unit(at(3, 3, 10))), LedgerUpdated)
    assert (ledger.done, ledger.today) == (2, 1)
    room.tick(at(12, 31, 23, 59))
    assert not [e for e in room.see(unit(at(1, 1, 0, 0, 2027))) if isinstance(e, LedgerUpdated)]
    assert last(room.see(unit(at(12, 31, 23, 59))), LedgerUpdated).done == 3


def test_commitments_are_served_by_due_day(room: TargetRoom, at: Any) -> None:
    room.tick(at(3, 2, 7))
    said: list[AnyEvent] = []
    for hour in (9, 10, 11):
        said += room.see(unit(at(3, 2, hour)))
    first = [e for e in said if isinstance(e, CommitmentUpdated) and e.commitment == "first"][-1]
    second = last(said, CommitmentUpdated)
    assert (first.done, first.forecast_ns, first.takt_required_s) == (2, at(3, 2, 10), None)
    assert first.margin_days == pytest.approx((6 + 4 * 8) / 8)
    assert (second.commitment, second.done) == ("second", 1)


def test_kits_leave_once_per_unit(room: TargetRoom, at: Any) -> None:
    kit = last(room.tick(at(3, 2, 7)), KitStockChanged)
    assert (kit.stock, kit.arriving) == (5, 10)
    assert last(room.see(started(at(3, 2, 9))), KitStockChanged).stock == 4
    assert not room.see(completed(at(3, 2, 9, 10), Timing.MEASURED))
    assert last(room.see(completed(at(3, 2, 9, 11), Timing.UNKNOWN)), KitStockChanged).stock == 3
    assert not room.see(completed(at(3, 2, 9, 12), Timing.PARTIAL))
    assert not room.see(started(at(3, 2, 9, 13), None))
    assert last(room.see(completed(at(3, 2, 9, 14), Timing.MEASURED)), KitStockChanged).stock == 2
    assert last(room.tick(at(3, 3)), KitStockChanged).stock == 12


def test_marks_do_not_depend_on_the_grid(config: Config, calendars: dict[str, WorkCalendar], at: Any) -> None:
    fine, coarse = TargetRoom(config, calendars), TargetRoom(config, calendars)
    start, end = at(3, 6, 7), at(3, 10)
    one = [e for ns in range(start, end + 1, 300 * 10**9) for e in fine.tick(ns)]
    two = [*coarse.tick(start), *coarse.tick(end)]
    assert one == two
    assert len([e for e in one if isinstance(e, LedgerUpdated)]) == 1 + 32 + 1 + 3 + 1 + 32 + 1


@pytest.mark.parametrize("cut", range(0, 12, 3))
def test_remembering_changes_nothing(config: Config, calendars: dict[str, WorkCalendar], at: Any, cut: int) -> None:
    story = [unit(at(3, 2, 9 + n // 2, 10 * (n % 2))) if n % 3 else started(at(3, 2, 9 + n // 2)) for n in range(12)]
    room = TargetRoom(config, calendars)
    for event in story[:cut]:
        room.see(event)
    other = TargetRoom(config, calendars)
    other.remember(room.memory())
    for event in story[cut:]:
        assert msgspec.json.encode(room.see(event)) == msgspec.json.encode(other.see(event))
        assert room.tick(event.at_ns + 10**12) == other.tick(event.at_ns + 10**12)
    assert room.memory() == other.memory()


def test_foreign_memory_is_refused(room: TargetRoom) -> None:
    with pytest.raises(SnapshotError):
        room.remember(b"\x81\xa1a\x01")
