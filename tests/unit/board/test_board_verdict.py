"""What the board says of verdicts, forecasts, lags and proposals."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linecontrol.board.page import Fan, ForecastBox, LineBand, Page
from linecontrol.board.view import BoardView
from linecontrol.board.words import chance, days_text, percent
from linecontrol.calendar import WorkCalendar, to_ns
from linecontrol.config import Config
from linecontrol.duration import NS
from linecontrol.model.event import (
    AnyEvent,
    BottleneckUpdated,
    CommitmentForecast,
    CommitmentUpdated,
    FanPoint,
    KitForecast,
    KitStockChanged,
    LagCause,
    LagExplained,
    LedgerUpdated,
    Opinion,
    ReleaseProposed,
    Suspect,
    TargetForecast,
)

BAKU = ZoneInfo("Asia/Baku")
DAY = 86_400 * NS


def at(month: int, day: int, hour: int = 12, year: int = 2026) -> int:
    return to_ns(datetime(year, month, day, hour, tzinfo=BAKU))


NOW = at(7, 2)
END = at(1, 1, 0, 2027)


def a_view() -> BoardView:
    shift = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "08:00", "end": "17:00"}
    station = {"cycle_by": "state", "signals": {"state": {}}}
    config = Config.model_validate(
        {
            "plant": {"site": "Ganja", "area": "Assembly", "timezone": "Asia/Baku"},
            "calendar": {"shifts": {"day": shift}},
            "families": {"tractor": {"title": "Tractors"}},
            "products": {"b892": {"title": "Belarus 892", "family": "tractor", "code": 1}},
            "connections": {"plc": {"driver": "opcua"}},
            "kits": {"axle": {"title": "Axle kit", "stock": 1, "day": "2026-01-01"}},
            "lines": {
                "tractor": {
                    "title": "Tractor line",
                    "shifts": ["day"],
                    "connection": "plc",
                    "families": ["tractor"],
                    "stations": {"cab": {"title": "Cab", **station}, "axle": {"title": "Axle", **station}},
                    "standards": [{"start": "2026-01-01", "times": {"cab": {"b892": "2h"}, "axle": {"b892": "2h"}}}],
                }
            },
        }
    )
    return BoardView(config, {"tractor": WorkCalendar.of(config.calendar, ["day"], "Asia/Baku", frozenset())})


def page(*events: AnyEvent, now_ns: int = NOW) -> Page:
    view = a_view()
    for event in events:
        view.apply(event)
    return view.page(now_ns)


def band(*events: AnyEvent, now_ns: int = NOW) -> LineBand:
    return page(*events, now_ns=now_ns).lines[0]


def ledger(at_ns: int, done: int, year: int = 2026) -> LedgerUpdated:
    return LedgerUpdated(
        at_ns=at_ns, target="t", line="tractor", family="tractor", year=year, units=800, done=done, today=2, due=704.0,
        ahead_units=-4.0, ahead_days=-1.0, left=100, working_left_s=720_000.0, takt_required_s=7200.0,
        takt_planned_s=9000.0,
    )  # fmt: skip


def forecast(**changed: Any) -> TargetForecast:
    months = [at(month, 2) for month in (8, 9, 10, 11, 12)]
    made = TargetForecast(
        at_ns=NOW, target="t", line="tractor", family="tractor", year=2026, units=800, done=350, probability=0.04,
        units_low=678.2, units_likely=704.4, units_high=730.6, finish_low_ns=None, finish_likely_ns=None,
        finish_high_ns=None, takt_achieved_s=9000.0, takt_required_s=8000.0, prior_share=0.1, hours_needed=900.0,
        hours_left=1000.0, kits_limit=None, evidence=350, replications=1000, seed=1,
        fan=[FanPoint(at_ns, 340.0 + 50 * k, 350.0 + 60 * k, 360.0 + 70 * k) for k, at_ns in enumerate(months, 1)],
    )  # fmt: skip
    return msgspec.structs.replace(made, **changed)


def box(*events: AnyEvent, now_ns: int = NOW) -> ForecastBox:
    (only,) = band(*events, now_ns=now_ns).forecasts
    return only


def test_an_update_without_the_newer_fields_still_gives_a_verdict() -> None:
    old = BottleneckUpdated(at_ns=NOW, line="tractor", suspects=[Suspect("axle", 0.714, 9000.0)], units=1)
    line = band(old)
    assert line.verdict is not None
    assert line.verdict.sentence == "Axle holds the line back with 71\u00a0%."
    assert (line.verdict.evidence, line.verdict.provisional) == ("from 1 unit", False)
    assert [(s.number, s.title, s.probability, s.gain) for s in line.verdict.suspects] == [(2, "Axle", 71, "")]
    assert [tile.bottleneck for tile in line.stations] == [None, 71]


def test_a_verdict_with_all_there_is() -> None:
    verdict = band(
        BottleneckUpdated(
            at_ns=NOW,
            line="tractor",
            suspects=[
                Suspect("cab", 0.7, 9000.0, 0.4, 17.2, 10.8, 23.4),
                Suspect("gone", 0.2, 9000.0),
                Suspect("axle", 0.001, 9000.0),
            ],
            units=64,
            provisional=True,
            waits={"operator": 0.021, "kit": 0.06, "crane_hook": 0.03, "door": 0.001},
            opinions=[Opinion("arrow", ["cab", "axle"], ""), Opinion("active_period_live", [], "all of them wait")],
            verdict="Cab it is.",
            notes=["one place"],
        )
    ).verdict
    assert verdict is not None
    assert (verdict.sentence, verdict.provisional, verdict.notes) == ("Cab it is.", True, ["one place"])
    assert [(s.title, s.gain, s.gain_range) for s in verdict.suspects] == [("Cab", "+17", "11 to 23")]
    assert verdict.outside == "kits missing 6 %, crane hook 3 %, no operator 2 %"
    assert [(o.method, o.stations, o.reason) for o in verdict.opinions] == [
        ("Arrow method", "Cab or Axle", ""),
        ("Active just now", "nobody", "all of them wait"),
    ]


def test_no_station_stands_out_before_there_is_a_suspect() -> None:
    verdict = band(BottleneckUpdated(at_ns=NOW, line="tractor", suspects=[], units=0)).verdict
    assert verdict is not None
    assert verdict.sentence == "No station stands out yet."


def test_a_forecast_in_words() -> None:
    shown = box(forecast())
    assert (shown.outcome, shown.chance) == ("704 units likely (678–731)", "800 will be met with 4\u00a0%")
    assert (shown.standing, shown.alarm) == ("bad", "")


@pytest.mark.parametrize(
    ("prior", "evidence", "words"),
    [
        (0.8, 1, "early: mostly the plan, 1 unit measured"),
        (0.4, 20, "partly still the plan, 20 units measured"),
        (0.1, 350, "from 350 units measured"),
    ],
)
def test_how_much_is_still_the_plan(prior: float, evidence: int, words: str) -> None:
    assert box(forecast(prior_share=prior, evidence=evidence)).certainty == words


def test_what_makes_a_target_impossible() -> None:
    overload = {"hours_needed": 1240.4, "hours_left": 1105.0}
    assert box(forecast(**overload)).alarm == "Overload is certain: 1,240 h needed, 1,105 h left"
    assert box(forecast(kits_limit=760)).alarm == "Kits in stock and announced allow 760 units"
    assert box(forecast(kits_limit=800)).alarm == ""
    met = box(forecast(done=801, **overload))
    assert (met.alarm, met.chance, met.standing) == ("", "800 are met", "good")


def test_a_forecast_is_shown_in_its_year_only() -> None:
    assert band(forecast(), now_ns=at(1, 2, year=2027)).forecasts == []
    assert len(band(forecast(), now_ns=END - 1).forecasts) == 1


def test_the_fan_goes_from_what_is_done_to_the_end_of_the_year() -> None:
    fan = box(ledger(at(3, 1), 100), ledger(at(3, 1, 18), 110), ledger(at(7, 1), 345), ledger(NOW, 350), forecast()).fan
    assert fan.unseen == [
        (0.0, 0.0),
        (pytest.approx((at(3, 1, 18) - at(1, 1, 0)) / (END - at(1, 1, 0)), abs=1e-5), 110.0),
    ]
    assert [units for _, units in fan.done] == [110.0, 345.0, 350.0]
    assert (fan.steps[0].low, fan.steps[0].high, fan.steps[0].x) == (350.0, 350.0, fan.done[-1][0])
    assert (fan.steps[-1].x, fan.steps[-1].likely) == (1.0, 704.4)
    assert len(fan.steps) == 7
    assert (fan.target, fan.bottom) == (800.0, 0.0)
    assert [text for _, text in fan.ticks][:2] == ["Feb", "Mar"]


def test_late_in_the_year_the_picture_is_of_the_last_weeks() -> None:
    now_ns = at(11, 24)
    late = forecast(at_ns=now_ns, done=702, fan=[], units_low=770.0, units_likely=781.0, units_high=790.0)
    fan = box(ledger(now_ns - 10 * DAY, 690), late, now_ns=now_ns).fan
    assert fan.steps[0].x == pytest.approx(0.5, abs=1e-3), "it looks back as far as it looks ahead"
    assert fan.unseen[0][0] == 0.0
    assert 590 < fan.unseen[0][1] < 690, "on the way from nothing at the year's start"
    assert fan.bottom > 560
    assert [text for _, text in fan.ticks] == ["Nov", "Dec"]
    last = box(forecast(at_ns=END - DAY, done=790), now_ns=END - DAY).fan
    assert [text for _, text in last.ticks] == ["7 Dec", "14 Dec", "21 Dec", "28 Dec"]
    assert last.done == []


def test_another_year_starts_the_picture_afresh() -> None:
    fan = box(ledger(at(12, 20, year=2025), 790, 2025), ledger(NOW, 350), forecast()).fan
    assert [units for _, units in fan.done + fan.unseen if units > 350] == []


def test_a_commitment_with_its_chance_and_days() -> None:
    known = CommitmentUpdated(
        at_ns=NOW, commitment="c", family="tractor", market="Turkey", units=60, done=42, due_ns=at(8, 1, 0),
        forecast_ns=None, margin_days=-2.0, takt_required_s=None,
    )  # fmt: skip
    likely = CommitmentForecast(
        at_ns=NOW, commitment="c", family="tractor", market="Turkey", due_ns=at(8, 1, 0), probability=0.86,
        finish_low_ns=at(7, 19), finish_likely_ns=at(7, 25), finish_high_ns=at(8, 3),
    )  # fmt: skip
    row = page(known).commitments[0]
    assert (row.margin, row.finish, row.standing) == ("2.0 days late", "", "bad")
    row = page(known, likely).commitments[0]
    assert (row.margin, row.finish, row.standing) == ("met with 86\u00a0%", "done 19 Jul – 3 Aug", "good")


def test_kits_that_run_out() -> None:
    stock = KitStockChanged(at_ns=NOW, kit="axle", stock=30, needed_next_day=4, arriving=0)
    ends = KitForecast(at_ns=NOW, kit="axle", runs_out_ns=at(8, 14), short=46)
    assert page(stock).kits == []
    assert page(stock).kits_well == "Enough for the next working day"
    row = page(stock, ends).kits[0]
    assert (row.title, row.low, row.runs_out, row.short) == ("Axle kit", False, "14 Aug", 46)
    lasting = page(stock, msgspec.structs.replace(ends, runs_out_ns=None, short=0))
    assert (lasting.kits, lasting.kits_well) == ([], "All last for the year's targets")
    other = KitStockChanged(at_ns=NOW, kit="wheel", stock=0, needed_next_day=4, arriving=1)
    assert [(row.title, row.low) for row in page(stock, ends, other).kits] == [("wheel", True), ("Axle kit", False)]


def test_where_the_time_went() -> None:
    causes = [
        LagCause("axle", "down", 8.0, 3.2),
        LagCause("cab", "cycle", 14.0, 5.7),
        LagCause("axle", "kit", 6.0, 2.4),
    ]
    causes += [LagCause("gone", "crane_hook", 1.0, 0.4), LagCause("axle", "", -2.0, -0.8)]
    lag = band(LagExplained(at_ns=NOW, line="tractor", since_ns=at(1, 5), hours=27.0, units=10.9, causes=causes)).lag
    assert lag is not None
    assert lag.sum == "10.9 units lost since 5 Jan"
    named = [("Cab slower than planned", "5.7"), ("Axle down", "3.2"), ("Axle kits missing", "2.4")]
    assert lag.causes == [*named, ("all else", "\u22120.4")]
    assert lag.stops == ""
    gained = band(
        LagExplained(
            at_ns=NOW, line="tractor", since_ns=at(1, 5), hours=-5.0, units=-2.0, causes=[], stops={"crane": 16.0}
        )
    ).lag
    assert gained is not None
    assert (gained.sum, gained.causes) == ("2.0 units gained since 5 Jan", [])
    assert gained.stops == "crane 16\u00a0h"


def test_what_to_start_next() -> None:
    proposed = ReleaseProposed(
        at_ns=NOW, line="tractor", products=["b892", "new", "b892", "b892"], limit=11, wip=10, go=True, reason="due"
    )
    release = band(proposed).release
    assert release is not None
    assert (release.word, release.products) == ("start now", ["Belarus 892", "new", "Belarus 892"])
    assert (release.content, release.reason) == ("10 of 11 in the line", "due")
    waiting = band(msgspec.structs.replace(proposed, limit=None, go=False)).release
    assert waiting is not None
    assert (waiting.word, waiting.content) == ("wait", "10 in the line")


def test_words_of_chances_and_days() -> None:
    assert [percent(p) for p in (0.0, 0.004, 0.02, 0.5, 0.999)] == [
        f"{text}\u00a0%" for text in ("under 1", "under 1", "2", "50", "over 99")
    ]
    assert [chance(p) for p in (0.1, 0.35, 0.8)] == ["bad", "tight", "good"]
    assert days_text(None, None, NOW, BAKU) == "later than foreseeable"
    assert days_text(at(7, 9), None, NOW, BAKU) == "9 Jul or later"
    assert days_text(at(7, 9), at(7, 9, 15), NOW, BAKU) == "9 Jul"
    assert days_text(at(7, 9), at(7, 20), NOW, BAKU) == "9 – 20 Jul"
    assert days_text(at(1, 9, year=2027), at(2, 3, year=2027), NOW, BAKU) == "9 Jan – 3 Feb 2027"
    assert days_text(at(12, 9), at(1, 3, year=2027), NOW, BAKU) == "9 Dec – 3 Jan 2027"


MOMENTS = st.integers(at(1, 1, 0), END - 1)
UNITS = st.floats(0, 2000)


@settings(derandomize=True, deadline=None, database=None)
@given(
    now_ns=MOMENTS,
    made_ns=MOMENTS,
    told=st.lists(st.tuples(MOMENTS, st.integers(0, 900)), max_size=8),
    ends=st.tuples(UNITS, UNITS, UNITS),
    points=st.lists(st.tuples(MOMENTS, UNITS), max_size=5),
)
def test_every_picture_can_be_drawn(
    now_ns: int,
    made_ns: int,
    told: list[tuple[int, int]],
    ends: tuple[float, float, float],
    points: list[tuple[int, float]],
) -> None:
    low, likely, high = sorted(ends)
    made = forecast(
        at_ns=made_ns,
        units_low=low,
        units_likely=likely,
        units_high=high,
        fan=[FanPoint(at_ns, units, units, units) for at_ns, units in sorted(points)],
    )
    shown = page(*(ledger(at_ns, done) for at_ns, done in told), made, now_ns=now_ns)
    fan: Fan = shown.lines[0].forecasts[0].fan
    across = [*(x for x, _ in fan.done + fan.unseen), *(step.x for step in fan.steps), *(x for x, _ in fan.ticks)]
    assert all(0 <= x <= 1 for x in across)
    for line in (fan.done, fan.unseen, [(step.x, 0.0) for step in fan.steps]):
        assert [x for x, _ in line] == sorted(x for x, _ in line)
    heights = [fan.target, *(u for _, u in fan.done + fan.unseen), *(u for s in fan.steps for u in (s.low, s.high))]
    assert fan.bottom < fan.top
    assert all(fan.bottom <= units <= fan.top for units in heights)
    assert msgspec.json.decode(msgspec.json.encode(shown), type=Page) == shown
