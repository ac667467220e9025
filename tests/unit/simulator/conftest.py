"""A small plant of one line, without chance unless asked for."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from linecontrol.calendar import WorkCalendar
from linecontrol.config import Config
from linecontrol.simulator import SimPlant

HOUR_NS = 3600 * 10**9
START_NS = 1_767_571_200 * 10**9  # Monday 2026-01-05 00:00 UTC


def build(
    times: list[int],
    capacity: int = 0,
    *,
    seed: int = 1,
    stock: int = 1000,
    transfer: str = "0s",
    round_the_clock: bool = True,
    full: bool = False,
    trouble: dict[str, Any] | None = None,
) -> SimPlant:
    """Stations s0, s1 … with planned hours ``times``."""
    names = [f"s{index}" for index in range(len(times))]
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    roles = ["cycle_start", "cycle_complete", "cycle_count", "cycle_time", "part_present", "unit_id", "product"]
    roles += ["state", "running", "blocked", "starved", "fault", "good_count", "reject_count", "buffer_level"]
    station = {
        "title": "S",
        "cycle_by": "start_complete",
        "signals": {role: {} for role in [*roles, "andon_call"]},
        "commands": {"hold": {}, "andon": {}},
    }
    pairs = pairwise(names)
    shift: dict[str, Any] = {"days": days, "start": "00:00", "end": "00:00"}
    if not round_the_clock:
        shift = {"days": days[:5], "start": "08:00", "end": "17:00", "breaks": [{"start": "12:00", "end": "13:00"}]}
    config = Config.model_validate(
        {
            "plant": {"site": "s", "area": "a", "timezone": "UTC"},
            "calendar": {"shifts": {"day": shift}},
            "families": {"f": {"title": "F"}},
            "products": {"p": {"title": "P", "family": "f", "code": 7, "kit": "k"}},
            "kits": {"k": {"title": "K", "stock": stock, "day": "2026-01-01"}},
            "connections": {},
            "lines": {
                "line": {
                    "title": "L",
                    "shifts": ["day"],
                    "families": ["f"],
                    "stations": dict.fromkeys(names, station),
                    "buffers": {f"b_{b}": {"after": a, "before": b, "capacity": capacity} for a, b in pairs}
                    if capacity
                    else {},
                    "standards": [
                        {
                            "start": "2026-01-01",
                            "times": {n: {"p": f"{t}h"} for n, t in zip(names, times, strict=True)},
                        }
                    ],
                }
            },
            "simulator": {
                "full": full,
                "transfer": transfer,
                "stations": {f"line/{name}": trouble or {"spread": 0} for name in names},
            },
        }
    )
    calendar = WorkCalendar(ZoneInfo("UTC"), config.calendar.shifts)
    return SimPlant(config, {"line": calendar}, START_NS, seed)


@pytest.fixture(scope="session")
def make_plant() -> Callable[..., SimPlant]:
    return build
