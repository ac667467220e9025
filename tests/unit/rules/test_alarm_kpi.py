"""Figures of flags: counted by hand, and laws that hold for any story."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.calendar import WorkCalendar
from linecontrol.model import AlarmKpi, AlarmState, AnyEvent, FlagChanged, Severity
from linecontrol.rules import AlarmKpiRoom
from linecontrol.rules.alarm_report import AlarmReport

S = 10**9
HOUR = 3600 * S
MONDAY = 1_767_585_600 * S  # 2026-01-05T04:00Z, 08:00 in Baku
WANTING = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


def flag(at_s: float, name: str, state: AlarmState, transition: str = "raised", **more: Any) -> FlagChanged:
    at_ns = MONDAY + round(at_s * S)
    values: dict[str, Any] = {"severity": Severity.WARNING, "raised_ns": at_ns, "text": "m", **more}
    return FlagChanged(
        at_ns=at_ns, flag=name, rule=name.partition("/")[0], line="line", station="", transition=transition,
        state=state, **values,
    )  # fmt: skip


def on(at_s: float, name: str, **more: Any) -> FlagChanged:
    return flag(at_s, name, AlarmState.ACKNOWLEDGED, **more)


def off(at_s: float, name: str) -> FlagChanged:
    return flag(at_s, name, AlarmState.NORMAL, "cleared")


def calendars(lab: SimpleNamespace) -> dict[str, WorkCalendar]:
    made: dict[str, WorkCalendar] = lab.calendars(lab.plant({}))
    return made


def counted(room: AlarmKpiRoom, events: Sequence[AnyEvent], until_s: int) -> list[AlarmKpi]:
    said = [*room.tick(MONDAY)]
    for event in events:
        said += room.see(event)
    said += room.tick(MONDAY + until_s * S)
    return [event for event in said if isinstance(event, AlarmKpi)]


def test_an_hour_in_figures(lab: SimpleNamespace) -> None:
    events = [
        on(10, "a/x", severity=Severity.CRITICAL),
        on(20, "b/x", severity=Severity.INFO),
        off(30, "a/x"),
        on(40, "a/x", severity=Severity.CRITICAL),
        flag(50, "b/x", AlarmState.SHELVED, "shelved", by="ali"),
        flag(60, "b/x", AlarmState.ACKNOWLEDGED, "unshelved", by="ali"),
        on(90, "old/x", raised_ns=MONDAY - 25 * HOUR),
        on(600, "flood/line"),
        flag(700, "c/x", AlarmState.SUPPRESSED, suppressed_by="flood/line"),
        on(800, "chattering/c/x"),
        off(1500, "flood/line"),
        off(1600, "chattering/c/x"),
        on(3000, "flood/line"),
    ]
    (hour,) = [kpi for kpi in counted(AlarmKpiRoom(calendars(lab)), events, 3600) if kpi.line == "line"]
    assert (hour.period, hour.start_ns, hour.end_ns, hour.at_ns) == ("hour", MONDAY, MONDAY + HOUR, MONDAY + HOUR)
    assert (hour.told, hour.per_hour, hour.peak) == (4, 4.0, 4)
    assert (hour.info, hour.warning, hour.critical) == (1, 1, 2)
    assert (hour.muted, hour.flood_s, hour.flood_share, hour.chattering) == (1, 1500.0, 1500 / 3600, 1)
    assert (hour.standing, hour.stale) == (3, 1)
    assert hour.top == [("a/x", 2), ("b/x", 1), ("old/x", 1)]


def test_hours_and_shifts_end_when_they_do(lab: SimpleNamespace) -> None:
    kpis = counted(AlarmKpiRoom(calendars(lab)), [on(10, "a/x"), on(9 * 3600 + 5, "b/x")], 26 * 3600)
    shifts = [(kpi.shift, (kpi.end_ns - MONDAY) // HOUR, kpi.told) for kpi in kpis if kpi.period == "shift"]
    assert shifts == [("day", 9, 1)], "what is told after a shift is in no shift"
    hours = [(kpi.end_ns - MONDAY) // HOUR for kpi in kpis if kpi.period == "hour" and kpi.line == "line"]
    assert hours == list(range(1, 27))
    assert [kpi.told for kpi in kpis if kpi.period == "hour" and kpi.line == "line"][9] == 1


STATES = st.sampled_from(list(AlarmState))
EVENTS = st.lists(
    st.builds(
        lambda at, name, state, by: flag(at, f"{name}/x", state, "raised", by=by, raised=True),
        st.integers(0, 40_000), st.sampled_from("abc"), STATES, st.sampled_from(["", "ali"]),
    ),
    max_size=40,
).map(lambda events: sorted(events, key=lambda event: event.at_ns))  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(0, 40))
def test_every_flag_is_counted_once_wherever_it_is_cut(
    lab: SimpleNamespace, events: list[FlagChanged], cut: int
) -> None:
    last: dict[str, AlarmState] = {}
    told = 0
    for event in events:
        told += event.state in WANTING and last.get(event.flag) not in WANTING and not event.by
        last[event.flag] = event.state
    room = AlarmKpiRoom(calendars(lab))
    said = [*room.tick(MONDAY)]
    for place, event in enumerate(events):
        if place == cut:
            memory = room.memory()
            room = AlarmKpiRoom(calendars(lab))
            room.remember(memory)
            assert room.memory() == memory
        said += room.see(event)
    said += room.tick(MONDAY + 12 * HOUR)
    kpis = [kpi for kpi in said if isinstance(kpi, AlarmKpi) and kpi.line == "line"]
    assert kpis == [kpi for kpi in counted(AlarmKpiRoom(calendars(lab)), events, 12 * 3600) if kpi.line == "line"]
    hours = [kpi for kpi in kpis if kpi.period == "hour"]
    assert sum(kpi.told for kpi in hours) == told
    assert [kpi.start_ns for kpi in hours[1:]] == [kpi.end_ns for kpi in hours[:-1]]
    assert hours[-1].standing == sum(state in WANTING for state in last.values())
    for kpi in kpis:
        assert kpi.told == kpi.info + kpi.warning + kpi.critical
        assert kpi.peak <= told
        assert (kpi.peak > 0) is (kpi.told > 0)
        assert 0.0 <= kpi.flood_share <= 1.0


def test_a_report_over_hours(lab: SimpleNamespace) -> None:
    report = AlarmReport(calendars(lab))
    report.take([], MONDAY)
    report.take([on(10, "a/x"), off(20, "a/x"), on(30, "a/x"), on(4000, "b/x", severity=Severity.INFO)], MONDAY + HOUR)
    (line,) = report.lines(MONDAY + 2 * HOUR)
    assert (line.line, line.whole.told, line.whole.per_hour, line.whole.standing) == ("line", 3, 1.5, 2)
    assert line.mix == {"info": 1 / 3, "warning": 2 / 3, "critical": 0.0}
    assert line.whole.top == [("a/x", 2), ("b/x", 1)]
    assert [hour.told for hour in line.hours] == [2]


def test_a_renamed_flag_is_not_told_anew(lab: SimpleNamespace) -> None:
    events = [
        on(10, "a/x"),
        on(20, "chattering/a/x"),
        flag(30, "a/x", AlarmState.NORMAL, "renamed"),
        flag(30, "b/x", AlarmState.ACKNOWLEDGED, "renamed", raised=True),
        flag(30, "chattering/a/x", AlarmState.NORMAL, "renamed"),
        flag(30, "chattering/b/x", AlarmState.ACKNOWLEDGED, "renamed", raised=True),
    ]
    first, second = [kpi for kpi in counted(AlarmKpiRoom(calendars(lab)), events, 7200) if kpi.line == "line"]
    assert (first.told, first.standing, second.told, second.standing) == (1, 1, 0, 1)
    assert (first.chattering, second.chattering) == (2, 1)
