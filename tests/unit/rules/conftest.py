"""A small plant whose rules a test chooses, and events in short."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.model import AnyEvent, FlagChanged
from linecontrol.rules import RulesRoom

S = 10**9
MONDAY = 1_767_585_600 * S  # 2026-01-05T04:00Z, 08:00 in Baku


def plant(rules: dict[str, Any], **more: Any) -> Config:
    """Three stations working 08:00 to 17:00 with a pause from 12:00, a target, a commitment, a kit, a connection."""
    station = {"cycle_by": "start_complete", "signals": {}, "commands": {"andon": {}, "hold": {}}}
    return Config.model_validate(
        {
            "plant": {"site": "s", "area": "a", "timezone": "Asia/Baku"},
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
            "families": {"tractors": {"title": "Tractors"}},
            "products": {"mtz": {"title": "MTZ", "family": "tractors", "code": 1}},
            "targets": {"year": {"family": "tractors", "line": "line", "year": 2026, "units": 800}},
            "commitments": {
                "turkey": {
                    "family": "tractors",
                    "market": "Turkey",
                    "units": 10,
                    "start": "2026-01-01",
                    "due": "2026-06-30",
                }
            },
            "kits": {"cab": {"title": "Cab kit", "day": "2026-01-01"}},
            "connections": {"plc": {"driver": "opcua"}},
            "lines": {
                "line": {
                    "title": "The line",
                    "shifts": ["day"],
                    "families": ["tractors"],
                    "stations": {
                        "first": {"title": "First station", **station},
                        "second": {"title": "Second station", **station},
                        "third": {"title": "Third station", **station},
                    },
                    "standards": [{"start": "2026-01-01", "times": {"first": {"mtz": "2h35m"}}}],
                }
            },
            "rules": rules,
            **more,
        }
    )


def calendars(config: Config) -> dict[str, WorkCalendar]:
    return {
        name: WorkCalendar(ZoneInfo("Asia/Baku"), {shift: config.calendar.shifts[shift] for shift in line.shifts})
        for name, line in config.lines.items()
    }


def room_of(config: Config) -> RulesRoom:
    return RulesRoom(config, calendars(config))


def play(room: RulesRoom, events: Sequence[AnyEvent], until_ns: int, grid_ns: int = 5 * S) -> list[FlagChanged]:
    """Events in order of time and ticks on the grid, up to and with ``until_ns``."""
    said: list[AnyEvent] = []
    waiting = sorted(events, key=lambda event: event.at_ns)
    at = waiting[0].at_ns if waiting else MONDAY
    while at <= until_ns:
        while waiting and waiting[0].at_ns <= at:
            said += room.see(waiting.pop(0))
        said += room.tick(at)
        at += grid_ns
    return [event for event in said if isinstance(event, FlagChanged)]


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    return SimpleNamespace(S=S, MONDAY=MONDAY, plant=plant, calendars=calendars, room_of=room_of, play=play)
