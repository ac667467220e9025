from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from linecontrol.calendar import WorkCalendar, to_ns
from linecontrol.config import Config

ZONE = ZoneInfo("Asia/Baku")

PLANT: dict[str, Any] = {
    "plant": {"site": "s", "area": "a", "timezone": "Asia/Baku"},
    "calendar": {
        "shifts": {
            "day": {
                "days": ["mon", "tue", "wed", "thu", "fri"],
                "start": "08:00",
                "end": "16:30",
                "breaks": [{"start": "12:00", "end": "12:30"}],
            }
        }
    },
    "families": {"tractor": {"title": "Tractor"}},
    "products": {
        "small": {"title": "S", "family": "tractor", "code": 1, "kit": "set", "share": 3},
        "large": {"title": "L", "family": "tractor", "code": 2, "share": 1},
    },
    "targets": {"now": {"family": "tractor", "line": "main", "year": 2026, "units": 800}},
    "commitments": {
        "first": {"family": "tractor", "market": "TR", "units": 2, "start": date(2026, 3, 2), "due": date(2026, 3, 6)},
        "second": {
            "family": "tractor",
            "market": "GE",
            "units": 3,
            "start": date(2026, 3, 2),
            "due": date(2026, 3, 31),
        },
    },
    "kits": {"set": {"title": "Set", "stock": 5, "day": date(2026, 3, 2)}},
    "deliveries": {"truck": {"day": date(2026, 3, 3), "kits": {"set": 10}}},
    "connections": {"plc": {"driver": "opcua"}},
    "lines": {
        "main": {
            "title": "Main",
            "shifts": ["day"],
            "families": ["tractor"],
            "stations": {
                "one": {"title": "1", "cycle_by": "start_complete", "signals": {}, "takes_kit": True},
                "two": {"title": "2", "cycle_by": "start_complete", "signals": {}},
            },
            "standards": [
                {
                    "start": date(2020, 1, 1),
                    "times": {"one": {"small": "2h", "large": "2h"}, "two": {"small": "2h", "large": "2h"}},
                }
            ],
        }
    },
}


@pytest.fixture
def config() -> Config:
    return Config.model_validate(PLANT)


@pytest.fixture
def calendars(config: Config) -> dict[str, WorkCalendar]:
    new_year = frozenset([date(2026, 1, 1)])
    return {"main": WorkCalendar.of(config.calendar, ["day"], config.plant.timezone, new_year)}


@pytest.fixture
def at() -> Any:
    """Nanoseconds of a local moment in Baku."""

    def moment(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2026) -> int:
        return to_ns(datetime(year, month, day, hour, minute, tzinfo=ZONE))

    return moment
