"""The board as a person sees it: a real server, a real browser."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from math import sqrt
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from linecontrol.board import Board, BoardView
from linecontrol.calendar import WorkCalendar, to_ns
from linecontrol.config import Config
from linecontrol.duration import NS
from linecontrol.model.event import (
    AndonCalled,
    AnyEvent,
    BottleneckUpdated,
    CommitmentForecast,
    CommitmentUpdated,
    CycleStarted,
    FanPoint,
    FlagChanged,
    KitForecast,
    KitStockChanged,
    LagCause,
    LagExplained,
    LedgerUpdated,
    LinkChanged,
    Opinion,
    ReleaseProposed,
    StateChanged,
    Suspect,
    TargetForecast,
    UnitCompleted,
)
from linecontrol.model.health import Health, SinkHealth
from linecontrol.model.state import AlarmState, Severity, StationState
from tests.system.browser import CHROMEDRIVER, CHROMIUM, chrome, wait

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="needs chromium and chromedriver"),
]

ZONE = ZoneInfo("Asia/Baku")
NOW_NS = to_ns(datetime(2026, 11, 24, 14, 20, tzinfo=ZONE))
MINUTE = 60 * NS
DAY = 86_400 * NS
TRACTOR = (
    "Gearbox marriage",
    "Front axle",
    "Engine marriage",
    "Hydraulics",
    "Wiring",
    "Cab",
    "Wheels",
    "Fluids",
    "Roll and brake test",
    "Final inspection",
)
MUNICIPAL = ("Chassis", "Superstructure", "Hydraulics", "Electrics", "Paint touch-up", "Tank test", "Final inspection")


class StandingClock:
    """A clock that a test moves."""

    speed = 1.0

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns

    def now_ns(self) -> int:
        return self.at_ns

    async def sleep(self, seconds: float) -> None:
        self.at_ns += int(seconds * NS)
        await asyncio.sleep(0)


def line_config(title: str, family: str, stations: tuple[str, ...], product: str) -> dict[str, object]:
    names = [f"s{number}" for number in range(1, len(stations) + 1)]
    return {
        "title": title,
        "shifts": ["day"],
        "connection": f"{family}_plc",
        "families": [family],
        "stations": {
            name: {"title": text, "cycle_by": "state", "signals": {"state": {}}}
            for name, text in zip(names, stations, strict=True)
        },
        "standards": [{"start": "2026-01-01", "times": {name: {product: "2h30m"} for name in names}}],
    }


def plant_config() -> Config:
    return Config.model_validate(
        {
            "plant": {"site": "Ganja", "area": "Final assembly", "timezone": "Asia/Baku"},
            "calendar": {
                "shifts": {
                    "day": {
                        "days": ["mon", "tue", "wed", "thu", "fri"],
                        "start": "08:00",
                        "end": "17:00",
                        "breaks": [{"start": "12:00", "end": "13:00"}],
                    }
                }
            },
            "families": {"tractor": {"title": "Tractors"}, "municipal": {"title": "Municipal vehicles"}},
            "products": {
                "b892": {"title": "Belarus 892.2", "family": "tractor", "code": 1},
                "b1221": {"title": "Belarus 1221", "family": "tractor", "code": 2},
                "sweeper": {"title": "Sweeper KO-318", "family": "municipal", "code": 1},
            },
            "kits": {"axle": {"title": "Axle kit 1221", "stock": 1, "day": "2026-11-24"}},
            "connections": {"tractor_plc": {"driver": "opcua"}, "municipal_plc": {"driver": "modbus"}},
            "lines": {
                "tractor": line_config("Tractor line", "tractor", TRACTOR, "b892"),
                "municipal": line_config("Municipal line", "municipal", MUNICIPAL, "sweeper"),
            },
        }
    )


def state(line: str, station: str, state: StationState, minutes_ago: int, unit: str | None = None) -> StateChanged:
    return StateChanged(
        at_ns=NOW_NS - minutes_ago * MINUTE,
        line=line,
        station=station,
        state=state,
        previous=StationState.IDLE,
        since_ns=NOW_NS - (minutes_ago + 10) * MINUTE,
        previous_s=600.0,
        shift="day",
        unit=unit,
        product="b892" if line == "tractor" else "sweeper",
    )


def cycle(
    line: str, station: str, minutes_ago: int, unit: str, product: str, *, inferred: bool = False
) -> CycleStarted:
    return CycleStarted(
        at_ns=NOW_NS - minutes_ago * MINUTE,
        line=line,
        station=station,
        unit=unit,
        unit_inferred=inferred,
        product=product,
        planned_s=9000.0,
    )


def ledger(line: str, family: str, done: int, units: int, due: float, days: float, today: int) -> LedgerUpdated:
    return LedgerUpdated(
        at_ns=NOW_NS,
        target=family,
        line=line,
        family=family,
        year=2026,
        units=units,
        done=done,
        today=today,
        due=due,
        ahead_units=done - due,
        ahead_days=days,
        left=units - done,
        working_left_s=800_000.0,
        takt_required_s=800_000.0 / (units - done),
        takt_planned_s=9000.0,
    )


def earlier(line: str, family: str, done: int, units: int, days: int) -> list[AnyEvent]:
    """What the ledger said at the end of each of the ``days`` before: some were lost, others made up for it."""
    last = ledger(line, family, done, units, done, 0.0, 0)
    lost = [0, 0, 1, 1, 3, 4, 4, 7, 7, 8]
    pace = done / 328
    return [
        msgspec.structs.replace(
            last, at_ns=NOW_NS - day * DAY, done=min(done, round(done - pace * day + lost[day % 10] * pace / 3))
        )
        for day in range(days, 0, -1)
    ]


def forecast(
    line: str, family: str, done: int, units: int, ends: tuple[float, float, float], probability: float, prior: float
) -> TargetForecast:
    low, likely, high = ends
    days = 38
    fan = [
        FanPoint(
            NOW_NS + day * DAY,
            done + (likely - done) * day / days - (likely - low) * sqrt(day / days),
            done + (likely - done) * day / days,
            done + (likely - done) * day / days + (high - likely) * sqrt(day / days),
        )
        for day in range(1, days + 1, 3)
    ]
    return TargetForecast(
        at_ns=NOW_NS,
        target=family,
        line=line,
        family=family,
        year=2026,
        units=units,
        done=done,
        probability=probability,
        units_low=low,
        units_likely=likely,
        units_high=high,
        finish_low_ns=None,
        finish_likely_ns=None,
        finish_high_ns=None,
        takt_achieved_s=9120.0,
        takt_required_s=8163.0,
        prior_share=prior,
        hours_needed=243.0,
        hours_left=222.0 if probability < 0.05 else 250.0,
        kits_limit=None,
        evidence=done,
        replications=1000,
        seed=1,
        fan=fan,
    )


def commitment_forecast(
    name: str, due_days: int, probability: float, low_days: int, high_days: int | None
) -> CommitmentForecast:
    return CommitmentForecast(
        at_ns=NOW_NS,
        commitment=name,
        family="tractor",
        market=name,
        due_ns=NOW_NS + due_days * DAY,
        probability=probability,
        finish_low_ns=NOW_NS + low_days * DAY,
        finish_likely_ns=NOW_NS + (low_days + 4) * DAY,
        finish_high_ns=None if high_days is None else NOW_NS + high_days * DAY,
    )


def commitment(
    name: str, family: str, done: int, units: int, due_days: int, margin_days: float | None
) -> CommitmentUpdated:
    return CommitmentUpdated(
        at_ns=NOW_NS,
        commitment=name,
        family=family,
        market=name,
        units=units,
        done=done,
        due_ns=NOW_NS + due_days * DAY,
        forecast_ns=None,
        margin_days=margin_days,
        takt_required_s=None,
    )


def flag(rule: str, line: str, station: str, severity: Severity, minutes_ago: int, text: str) -> FlagChanged:
    return FlagChanged(
        at_ns=NOW_NS - minutes_ago * MINUTE,
        flag=f"{rule}/{line}/{station}",
        rule=rule,
        line=line,
        station=station,
        transition="raised",
        state=AlarmState.UNACKNOWLEDGED,
        severity=severity,
        raised_ns=NOW_NS - minutes_ago * MINUTE,
        text=text,
    )


def reasons() -> list[AnyEvent]:
    """What is made of it all: verdicts, forecasts, the lag, proposals."""
    return [
        BottleneckUpdated(
            at_ns=NOW_NS,
            line="tractor",
            units=702,
            suspects=[
                Suspect("s6", 0.71, 9930.0, 0.41, 17.0, 11.0, 23.0),
                Suspect("s4", 0.22, 9400.0, 0.24, 9.0, 4.0, 14.0),
                Suspect("s9", 0.07, 9100.0, 0.12, 4.0, 1.0, 8.0),
            ],
            shares={"s6": 0.41, "s4": 0.24, "s9": 0.12, "s1": 0.15},
            waits={"kit": 0.06, "operator": 0.02},
            opinions=[
                Opinion("arrow", ["s6"], ""),
                Opinion(
                    "active_period", ["s4"], "Hydraulics has the longest stops, but the buffer behind it covers them"
                ),
            ],
            verdict="Cab is probably the bottleneck (71 %): 1 % off its times gives 0.4 % more units.",
            notes=["2 places between Wiring and Cab, found from the record"],
        ),
        BottleneckUpdated(
            at_ns=NOW_NS,
            line="municipal",
            units=12,
            suspects=[Suspect("s2", 0.55, 9930.0), Suspect("s6", 0.45, 9400.0)],
            provisional=True,
        ),
        forecast("tractor", "tractor", 702, 800, (772.4, 781.2, 789.0), 0.04, 0.08),
        forecast("municipal", "municipal", 131, 150, (143.0, 147.6, 152.1), 0.38, 0.71),
        LagExplained(
            at_ns=NOW_NS,
            line="tractor",
            since_ns=NOW_NS - 327 * DAY,
            hours=31.0,
            units=12.3,
            causes=[
                LagCause("s6", "", 14.2, 5.7),
                LagCause("s4", "down", 8.1, 3.2),
                LagCause("", "kit", 6.0, 2.4),
                LagCause("s1", "", -2.0, -0.8),
            ],
        ),
        ReleaseProposed(
            at_ns=NOW_NS,
            line="tractor",
            products=["b1221", "b892", "b1221", "b892"],
            limit=11,
            wip=10,
            go=True,
            reason="Turkey is due first, and Cab has had two light ones in a row",
        ),
    ]


def a_day() -> list[AnyEvent]:
    """A busy moment of both lines, with something of everything."""
    working = [1, 2, 3, 5, 6, 8, 10]
    minutes = {1: 20, 2: 95, 3: 61, 5: 130, 6: 318, 8: 44, 10: 12}
    events: list[AnyEvent] = []
    for number in working:
        product = "b1221" if number % 2 else "b892"
        unit = f"T26-0{640 - number}"
        events.append(state("tractor", f"s{number}", StationState.WORKING, minutes[number], unit))
        events.append(cycle("tractor", f"s{number}", minutes[number], unit, product, inferred=number == 8))
    events += [
        state("tractor", "s4", StationState.DOWN, 22, "T26-0636"),
        cycle("tractor", "s4", 70, "T26-0636", "b892"),
        state("tractor", "s7", StationState.STARVED, 35),
        state("tractor", "s9", StationState.BLOCKED, 9, "T26-0631"),
        AndonCalled(at_ns=NOW_NS, line="tractor", station="s4", active=True),
    ]
    for number, what in enumerate(
        ("WORKING", "WORKING", "SETUP", "IDLE", "WORKING", "UNOBSERVED", "OFF_SHIFT"), start=1
    ):
        if what in ("WORKING", "UNOBSERVED"):
            events.append(cycle("municipal", f"s{number}", 30 * number, f"M26-00{90 - number}", "sweeper"))
        events.append(state("municipal", f"s{number}", StationState[what], 6, f"M26-00{90 - number}"))
    events += [
        UnitCompleted(
            at_ns=NOW_NS - 96 * MINUTE,
            line="tractor",
            unit="T26-0630",
            unit_inferred=False,
            product="b892",
            family="tractor",
            start_ns=None,
            good=True,
            shift="day",
        ),
        UnitCompleted(
            at_ns=NOW_NS - 300 * MINUTE,
            line="municipal",
            unit="M26-0080",
            unit_inferred=False,
            product="sweeper",
            family="municipal",
            start_ns=None,
            good=True,
            shift="day",
        ),
        *earlier("tractor", "tractor", 702, 800, 40),
        ledger("tractor", "tractor", 702, 800, 714.3, -3.6, 2),
        *earlier("municipal", "municipal", 131, 150, 10),
        ledger("municipal", "municipal", 131, 150, 129.9, 1.4, 1),
        *reasons(),
        commitment("Turkey", "tractor", 42, 60, 37, -2.4),
        commitment("Georgia", "tractor", 12, 20, 60, 1.2),
        commitment("Baku city", "municipal", 30, 40, 37, 11.0),
        commitment_forecast("Turkey", 37, 0.04, 39, None),
        commitment_forecast("Georgia", 60, 0.86, 48, 61),
        KitStockChanged(at_ns=NOW_NS, kit="axle", stock=1, needed_next_day=4, arriving=0),
        KitForecast(at_ns=NOW_NS, kit="axle", runs_out_ns=NOW_NS + 2 * DAY, short=46),
        LinkChanged(at_ns=NOW_NS - 6 * MINUTE, connection="municipal_plc", up=False, reason="no answer within 1 s"),
        LinkChanged(at_ns=NOW_NS - 600 * MINUTE, connection="tractor_plc", up=True, reason=""),
        flag("cycle_over_plan", "tractor", "s6", Severity.CRITICAL, 130, "Cab: cycle is 1 h 48 min over plan"),
        flag("station_down", "tractor", "s4", Severity.CRITICAL, 22, "Hydraulics is down for 22 min"),
        flag("starved", "tractor", "s7", Severity.WARNING, 15, "Wheels waits for a unit for more than 15 min"),
        flag("behind", "tractor", "", Severity.WARNING, 3000, "Tractors are 12.3 units behind the annual target"),
        flag("commitment", "", "", Severity.CRITICAL, 1500, "Turkey: 60 tractors by 31 Dec are 2.4 days late"),
        flag("kit_low", "", "", Severity.WARNING, 380, "Axle kit 1221: 1 here, 4 needed next day"),
        flag("slow", "municipal", "s2", Severity.INFO, 40, "Superstructure: third cycle over takt in a row"),
    ]
    return events


def all_well(clock: StandingClock) -> Health:
    return Health(
        at_ns=clock.now_ns(),
        uptime_s=10.0,
        readings=1000,
        readings_per_s=212.0,
        events=100,
        lag_s=0.031,
        inbox=0,
        journal_records=1,
        connections={},
        sinks={"influx": SinkHealth(backlog=0, delivered=10, refused=0)},
    )


def plant_board() -> tuple[Board, StandingClock]:
    config = plant_config()
    calendars = {
        name: WorkCalendar.of(config.calendar, line.shifts, "Asia/Baku", frozenset())
        for name, line in config.lines.items()
    }
    clock = StandingClock(NOW_NS)
    return Board(BoardView(config, calendars), clock, health=lambda: all_well(clock)), clock


@asynccontextmanager
async def serving(events: Sequence[AnyEvent] | None = None) -> AsyncIterator[tuple[Board, StandingClock, str]]:
    served, clock = plant_board()
    served.feed(a_day() if events is None else events)
    port = await served.serve(0)
    try:
        yield served, clock, f"http://127.0.0.1:{port}/"
    finally:
        await served.close()
        await asyncio.sleep(0)  # aiohttp's handlers of hung up connections end in the next turn of the loop


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with chrome(tmp_path / "profile") as driver:
        yield driver


def look(driver: Chrome, url: str, width: int, height: int, scheme: str) -> None:
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    driver.get(url)
    wait(driver, lambda: len(driver.find_elements(By.CSS_SELECTOR, ".tile")) == 17)


def tile(driver: Chrome, number: int) -> str:
    return driver.find_elements(By.CSS_SELECTOR, ".tile")[number - 1].text


async def test_tiles_say_what_stations_do(browser: Chrome) -> None:
    def check(url: str) -> None:
        look(browser, url, 1920, 1080, "light")
        assert all(word in tile(browser, 1) for word in ("Working", "Gearbox marriage", "Belarus 1221", "T26-0639"))
        assert "Down" in tile(browser, 4)
        assert "CALL" in tile(browser, 4)
        assert "LATE +1:48 h" in tile(browser, 6)
        assert all(word in tile(browser, 6) for word in ("Cab", "bottleneck", "71 %"))
        assert "LATE" not in tile(browser, 1)
        late, on_time = (browser.find_elements(By.CSS_SELECTOR, ".beyond")[index] for index in (5, 0))
        assert float(str(browser.execute_script("return arguments[0].style.getPropertyValue('--beyond')", late))) > 0.8
        assert (
            float(str(browser.execute_script("return arguments[0].style.getPropertyValue('--beyond')", on_time))) == 0
        )
        assert "municipal_plc" in browser.find_element(By.ID, "links").text
        assert "12.3 units behind" in browser.find_element(By.ID, "lines").text
        assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]

    async with serving() as (_, _, url):
        await asyncio.to_thread(check, url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 800), (390, 844)])
async def test_fits_every_screen(browser: Chrome, width: int, height: int, scheme: str) -> None:
    def check(url: str) -> None:
        look(browser, url, width, height, scheme)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(238, 241, 244)" if scheme == "light" else "rgb(11, 16, 22)")
        if width == 1920:
            cut = browser.execute_script(
                "return [document.documentElement, ...document.querySelectorAll('main, .band, .head > *, .tile')]"
                ".filter(e => e.scrollHeight > e.clientHeight + 1).map(e => e.className)"
            )
            assert cut == []

    async with serving() as (_, _, url):
        await asyncio.to_thread(check, url)


async def test_changes_arrive_and_silence_shows(browser: Chrome) -> None:
    async with serving() as (served, _, url):
        await asyncio.to_thread(look, browser, url, 1920, 1080, "dark")
        served.feed([state("tractor", "s1", StationState.DOWN, 0, "T26-0639")])
        await asyncio.to_thread(wait, browser, lambda: "Down" in tile(browser, 1))
        await served.close()
        await asyncio.to_thread(wait, browser, lambda: "STALE" in browser.find_element(By.ID, "stale").text)


def texts(driver: Chrome, selector: str) -> list[str]:
    return [element.text for element in driver.find_elements(By.CSS_SELECTOR, selector)]


async def test_verdict_and_forecast_are_told_and_drawn(browser: Chrome) -> None:
    def check(url: str) -> None:
        look(browser, url, 1920, 1080, "light")
        outlook = [text.replace("\u00a0", " ") for text in texts(browser, ".forecast .sentence")]
        assert outlook == [
            "781 units likely (772–789); 800 will be met with 4 %",
            "148 units likely (143–152); 150 will be met with 38 %",
        ]
        assert texts(browser, ".forecast .alarm") == ["Overload is certain: 243 h needed, 222 h left"]
        boxes = browser.execute_script(
            "return [...document.querySelectorAll('.fan')].map(fan => ['spread', 'likely', 'target', 'done', 'now']"
            ".map(name => fan.querySelector('path.' + name).getBoundingClientRect())"
            ".map(box => [box.left, box.right, box.top, box.bottom]))"
        )
        assert len(boxes) == 2
        for spread, likely, target, done, now in boxes:
            assert likely[0] >= done[1] - 1, "the forecast begins where the past ends"
            assert spread[3] > likely[2] > spread[2] > 0, "the median ends within the spread"
            assert target[1] - target[0] > 200
            assert done[0] < done[1] <= now[1]
        labels = browser.find_element(By.CSS_SELECTOR, ".fan").get_attribute("aria-label")
        assert labels == "Units over time: 702 now; 781 units likely (772–789) at the year's end; target 800"
        verdict = browser.find_element(By.CSS_SELECTOR, ".verdict").text
        assert "Cab is probably the bottleneck (71 %)" in verdict
        assert "+17 units (11 to 23)" in verdict
        assert "kits missing 6 %" in verdict
        assert "provisional" in texts(browser, ".verdict")[1]
        assert "12.3 units lost since 1 Jan: Cab slower than planned 5.7" in texts(browser, ".advice")[0]
        assert "start now Belarus 1221 → Belarus 892.2" in texts(browser, ".advice")[0]
        assert "met with 86" in browser.find_element(By.ID, "commitments").text
        assert "runs out 26 Nov" in browser.find_element(By.ID, "kits").text
        assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]

    async with serving() as (_, _, url):
        await asyncio.to_thread(check, url)


async def test_nothing_moves_when_verdict_and_forecast_come(browser: Chrome) -> None:
    where = (
        "return [...document.querySelectorAll('.tile, .forecasts, .verdict, .advice')]"
        ".map(e => e.getBoundingClientRect()).map(box => [box.left, box.top, box.width, box.height].map(Math.round))"
    )
    made = {type(event) for event in reasons()}
    async with serving([event for event in a_day() if type(event) not in made]) as (served, _, url):
        await asyncio.to_thread(look, browser, url, 1920, 1080, "light")
        before = await asyncio.to_thread(browser.execute_script, where)
        served.feed(reasons())
        await asyncio.to_thread(wait, browser, lambda: len(texts(browser, ".fan .label.target")) == 2)
        assert await asyncio.to_thread(browser.execute_script, where) == before


async def test_hostile_text_stays_text(browser: Chrome) -> None:
    evil = "<img src=x onerror=alert(1)></script><b>x</b>"
    told: list[AnyEvent] = [
        BottleneckUpdated(
            at_ns=NOW_NS,
            line="tractor",
            suspects=[Suspect("s6", 0.9, 1.0)],
            units=3,
            waits={evil: 0.5},
            opinions=[Opinion(evil, [evil], evil)],
            verdict=evil,
            notes=[evil],
        ),
        LagExplained(
            at_ns=NOW_NS, line="tractor", since_ns=NOW_NS, hours=1.0, units=1.0, causes=[LagCause(evil, evil, 1.0, 1.0)]
        ),
        ReleaseProposed(at_ns=NOW_NS, line="tractor", products=[evil], limit=None, wip=1, go=False, reason=evil),
    ]

    def check(url: str) -> None:
        look(browser, url, 1920, 1080, "light")
        wait(browser, lambda: evil in browser.find_element(By.CSS_SELECTOR, ".verdict .sentence").text)
        assert browser.execute_script("return document.querySelectorAll('main img, main script').length") == 0
        assert browser.execute_script("return document.querySelector('.advice').textContent").count(evil) == 4
        assert browser.execute_script("return document.querySelector('.verdict').textContent").count(evil) == 6
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 1920
        assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]

    async with serving([*a_day(), *told]) as (_, _, url):
        await asyncio.to_thread(check, url)


async def test_a_line_with_two_targets_shows_both(browser: Chrome) -> None:
    second = {"target": "second", "line": "tractor"}
    more: list[AnyEvent] = [
        msgspec.structs.replace(ledger("tractor", "municipal", 131, 150, 129.9, 1.4, 1), **second),
        msgspec.structs.replace(
            forecast("tractor", "municipal", 131, 150, (143.0, 147.6, 152.1), 0.38, 0.71), **second
        ),
    ]

    def check(url: str) -> None:
        look(browser, url, 1920, 1080, "light")
        band = browser.find_element(By.CSS_SELECTOR, ".band")
        assert [figure.text.split("\n")[-1] for figure in band.find_elements(By.CSS_SELECTOR, ".figure")] == [
            "12.3 units behind",
            "1.1 units ahead",
        ]
        assert all(fan.size["height"] > 40 for fan in band.find_elements(By.CSS_SELECTOR, ".fan"))
        cut = browser.execute_script(
            "return [...arguments[0].querySelectorAll('.head > *')].filter(e => e.scrollHeight > e.clientHeight + 1)",
            band,
        )
        assert cut == []

    async with serving([*a_day(), *more]) as (_, _, url):
        await asyncio.to_thread(check, url)


async def test_what_does_not_fit_a_wall_screen_is_counted(browser: Chrome) -> None:
    many = [commitment(f"Market {number}", "tractor", 0, 20, 30 + number, 5.0) for number in range(20)]

    def check(url: str) -> None:
        look(browser, url, 1920, 1080, "light")
        wait(browser, lambda: "more" in browser.find_element(By.ID, "commitments-more").text)
        shown = [text for text in texts(browser, "#commitments li") if text]
        assert browser.find_element(By.ID, "commitments-more").text == f"and {23 - len(shown)} more"
        assert len(shown) > 2
        assert [text for text in texts(browser, "#flags li") if text]
        assert browser.execute_script("return document.querySelector('footer').getBoundingClientRect().bottom") <= 1080

    async with serving([*a_day(), *many]) as (_, _, url):
        await asyncio.to_thread(check, url)
