from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linecontrol.board.page import LineBand, Page
from linecontrol.board.view import BoardView
from linecontrol.board.words import lead, margin
from linecontrol.calendar import WorkCalendar, to_ns
from linecontrol.config import Config
from linecontrol.duration import NS
from linecontrol.model import ConnectionHealth, Health
from linecontrol.model.event import (
    AnyEvent,
    CycleCompleted,
    CycleStarted,
    FlagChanged,
    KitStockChanged,
    LedgerUpdated,
    LinkChanged,
    Noted,
    StateHeld,
    UnitCompleted,
)
from linecontrol.model.state import AlarmState, Severity, StationState, Timing


def at(hour: int, minute: int = 0, day: int = 24) -> int:
    return to_ns(datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Asia/Baku")))


def a_view() -> BoardView:
    station = {"title": "Cab", "cycle_by": "state", "signals": {"state": {}}}
    shift = {
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "start": "08:00",
        "end": "17:00",
        "breaks": [{"start": "12:00", "end": "13:00"}],
    }
    config = Config.model_validate(
        {
            "plant": {"site": "Ganja", "area": "Assembly", "timezone": "Asia/Baku"},
            "calendar": {
                "shifts": {"day": shift},
                "stops": [{"start": "2026-11-26 00:00", "end": "2026-11-27 00:00", "reason": "crane inspection"}],
            },
            "families": {"tractor": {"title": "Tractors"}},
            "products": {"b892": {"title": "Belarus 892", "family": "tractor", "code": 1}},
            "connections": {"plc": {"driver": "opcua"}},
            "lines": {
                "tractor": {
                    "title": "Tractor line",
                    "shifts": ["day"],
                    "connection": "plc",
                    "families": ["tractor"],
                    "stations": {"cab": station},
                    "standards": [{"start": "2026-01-01", "times": {"cab": {"b892": "2h"}}}],
                }
            },
        }
    )
    return BoardView(config, {"tractor": WorkCalendar.of(config.calendar, ["day"], "Asia/Baku", frozenset())})


def started(at_ns: int) -> CycleStarted:
    return CycleStarted(
        at_ns=at_ns, line="tractor", station="cab", unit="T1", unit_inferred=False, product="b892", planned_s=7200.0
    )


def completed(at_ns: int, start_ns: int) -> CycleCompleted:
    return CycleCompleted(
        at_ns=at_ns, line="tractor", station="cab", unit="T1", unit_inferred=False, product="b892", start_ns=start_ns,
        active_s=60.0, planned_s=7200.0, lost_s={}, timing=Timing.MEASURED, good=True, shift="day",
    )  # fmt: skip


def held(at_ns: int, state: StationState) -> StateHeld:
    return StateHeld(at_ns=at_ns, line="tractor", station="cab", state=state, since_ns=at_ns)


def flagged(at_ns: int, state: AlarmState, transition: str = "raised") -> FlagChanged:
    return FlagChanged(
        at_ns=at_ns, flag="late/tractor/cab", rule="late", line="tractor", station="cab", transition=transition,
        state=state, severity=Severity.WARNING, raised_ns=at(9), text="Cab is late",
    )  # fmt: skip


def out(at_ns: int) -> UnitCompleted:
    return UnitCompleted(
        at_ns=at_ns, line="tractor", unit="T1", unit_inferred=False, product="b892", family="tractor", start_ns=None,
        good=True, shift="day",
    )  # fmt: skip


def ledger(at_ns: int) -> LedgerUpdated:
    return LedgerUpdated(
        at_ns=at_ns, target="t", line="tractor", family="tractor", year=2026, units=800, done=700, today=2, due=704.0,
        ahead_units=-4.0, ahead_days=-1.0, left=100, working_left_s=720_000.0, takt_required_s=7200.0,
        takt_planned_s=9000.0,
    )  # fmt: skip


def band(now_ns: int, *events: AnyEvent, speed: float = 1.0) -> LineBand:
    view = a_view()
    for event in events:
        view.apply(event)
    return view.page(now_ns, None, speed).lines[0]


def page(now_ns: int, *events: AnyEvent) -> Page:
    view = a_view()
    for event in events:
        view.apply(event)
    return view.page(now_ns)


def test_a_running_cycle_is_counted_in_working_time() -> None:
    tile = band(at(14), held(at(11), StationState.WORKING), started(at(11))).stations[0]
    assert (tile.elapsed_s, tile.late, tile.product, tile.unit) == (7200.0, False, "Belarus 892", "T1")
    assert band(at(14, 1), held(at(11), StationState.WORKING), started(at(11))).stations[0].late


def test_a_cycle_stops_counting_where_the_station_is_not_seen() -> None:
    tile = band(at(16), started(at(10)), held(at(11), StationState.UNOBSERVED)).stations[0]
    assert (tile.elapsed_s, tile.ticking, tile.word) == (3600.0, False, "Not seen")


def test_a_completed_cycle_leaves_and_the_next_one_stays() -> None:
    assert band(at(12), started(at(9)), completed(at(11), at(9))).stations[0].elapsed_s is None
    assert band(at(12), started(at(11)), completed(at(11), at(9))).stations[0].elapsed_s == 3600.0


@pytest.mark.parametrize(
    ("now_ns", "rate", "shift"),
    [
        (at(9), 60.0, "day shift"),
        (at(12, 30), 0.0, "break until 13:00"),
        (at(18), 0.0, "no shift until Wed 08:00"),
        (at(9, day=26), 0.0, "crane inspection until Fri 08:00"),
    ],
)
def test_what_ticks_rests_outside_working_time(now_ns: int, rate: float, shift: str) -> None:
    line = band(now_ns, speed=60.0)
    assert (line.rate, line.shift) == (rate, shift)


def test_takt_clock_and_target() -> None:
    line = band(at(14), ledger(at(13)), out(at(10)))
    assert (line.takt.elapsed_s, line.takt.required_s, line.takt.late) == (3 * 3600.0, 7200.0, True)
    target = line.targets[0]
    assert (target.today, target.today_needed, target.word, target.days) == (
        2,
        4.0,
        "4.0 units behind",
        "1.0 working day",
    )
    assert band(at(9, day=25), ledger(at(13))).targets[0].today == 0


def test_flags_open_and_close() -> None:
    opened = page(at(10), flagged(at(9), AlarmState.UNACKNOWLEDGED))
    assert [(flag.where, flag.since) for flag in opened.flags] == [("Cab", "09:00")]
    assert opened.lines[0].stations[0].alert is Severity.WARNING
    over = page(at(11), flagged(at(9), AlarmState.UNACKNOWLEDGED), flagged(at(10), AlarmState.NORMAL, "cleared"))
    assert (over.flags, [flag.since for flag in over.closed]) == ([], ["10:00"])


def test_what_is_noted_stands_among_what_happened_and_raises_no_flag() -> None:
    note = Noted(at_ns=at(9), flag="first/tractor/cab", rule="first", line="tractor", station="cab", text="First one.")
    shown = page(at(10), note)
    assert (shown.flags, shown.lines[0].stations[0].alert) == ([], None)
    assert [(row.where, row.word, row.text, row.since) for row in shown.closed] == [
        ("Cab", "noted", "First one.", "09:00")
    ]


def test_links_and_kits() -> None:
    down = LinkChanged(at_ns=at(9), connection="plc", up=False, reason="refused")
    kit = KitStockChanged(at_ns=at(9), kit="axle", stock=1, needed_next_day=4, arriving=2)
    shown = page(at(10), down, kit)
    assert [(link.name, link.lines, link.since) for link in shown.links] == [("plc", ["Tractor line"], "09:00")]
    assert [(row.title, row.stock) for row in shown.kits] == [("axle", 1)]
    assert page(at(10), down, msgspec.structs.replace(down, up=True)).links == []


def test_what_ails_a_connection_is_told() -> None:
    well = ConnectionHealth(up=True, readings=10, skew_s=-1.0)
    ill = ConnectionHealth(up=True, gaps=2, refused=1, late=4, late_answers=3, skew_s=-90.0, warnings=["in clear text"])
    health = Health(
        at_ns=at(9), uptime_s=1.0, readings=0, readings_per_s=0.0, events=0, lag_s=0.0, inbox=0, journal_records=0,
        connections={"plc": ill, "press": well}, sinks={},
    )  # fmt: skip
    assert a_view().page(at(10), health).trouble == [
        "plc: in clear text",
        "plc: 1 signals that the device refuses, 2 times that values were lost on the way, "
        "4 readings that came after newer ones, 3 answers that were not believed",
        "plc: the device's clock is -90 s off",
    ]


def test_words_of_leads_and_margins() -> None:
    assert lead(0.01, 0.0)[1] == "on target"
    assert lead(2.0, 0.5) == ("good", "2.0 units ahead", "0.5 working days")
    assert margin(3, 10, -2.0) == ("bad", "2.0 days late")
    assert margin(3, 10, None) == ("unknown", "no forecast yet")


TIMES = st.integers(at(0, day=1), at(0, day=30))
EVENTS = st.lists(
    st.one_of(
        TIMES.map(started),
        st.builds(completed, TIMES, TIMES),
        st.builds(held, TIMES, st.sampled_from(StationState)),
        st.builds(flagged, TIMES, st.sampled_from(AlarmState), st.sampled_from(["raised", "cleared", "blind"])),
        TIMES.map(out),
        TIMES.map(ledger),
    ),
    max_size=20,
)


@given(events=EVENTS, now_ns=TIMES)
def test_any_order_of_events_gives_a_page(events: list[AnyEvent], now_ns: int) -> None:
    shown = page(now_ns, *events)
    tile = shown.lines[0].stations[0]
    assert tile.elapsed_s is None or 0 <= tile.elapsed_s <= 30 * 86_400 * NS
    assert msgspec.json.decode(msgspec.json.encode(shown), type=Page) == shown
