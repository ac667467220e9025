"""A small plant for tests of the line room, and a story teller that feeds it."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from linecontrol.calendar import line_calendars, to_ns
from linecontrol.config import Config
from linecontrol.line import LineRoom
from linecontrol.model import AnyEvent, LinkChange, Quality, Reading, Value

E = TypeVar("E")
HOUR, MINUTE, SECOND = 3_600_000_000_000, 60_000_000_000, 1_000_000_000
MONDAY_8 = to_ns(datetime(2026, 3, 2, 8, tzinfo=UTC))


def config(stations: dict[str, dict[str, Any]], root: dict[str, Any] | None = None, **line: Any) -> Config:
    """One line ``l`` working 08:00-12:00 and 13:00-17:00 UTC on weekdays, two products, all planned at two hours."""
    for station in stations.values():
        station.setdefault("title", "A station")
        station["signals"] = {role: {} for role in station["signals"]}
        station["telemetry"] = {name: {} for name in station.get("telemetry", ())}
    return Config.model_validate(
        {
            "plant": {"site": "s", "area": "a", "timezone": "UTC"},
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
            "families": {"f": {"title": "F"}},
            "products": {
                "p": {"title": "P", "family": "f", "code": 1},
                "q": {"title": "Q", "family": "f", "code": 2},
            },
            "connections": {"plc": {"driver": "none"}},
            "engine": {"resolution": "10s", "lateness": "2s", "progress_every": "30m", "heartbeat_every": "1h"},
            "lines": {
                "l": {
                    "title": "L",
                    "shifts": ["day"],
                    "connection": "plc",
                    "families": ["f"],
                    "stations": stations,
                    "standards": [
                        {"start": "2026-01-01", "times": {name: {"p": "2h", "q": "1h"} for name in stations}}
                    ],
                    **line,
                }
            },
            **(root or {}),
        }
    )


class Story:
    """Tells a line room what happens, in hours since Monday 08:00, and collects what it says."""

    def __init__(self, plant: Config, **bits: int) -> None:
        self.config = plant
        counter_bits = {f"l/{name}/cycle_count": width for name, width in bits.items()}
        self.room = LineRoom(plant, line_calendars(plant), counter_bits)
        self.room.begin(MONDAY_8 - HOUR)
        self.events: list[AnyEvent] = []
        self.link(-0.5, up=True)

    def at(self, hours: float, station: str, quality: Quality = Quality.GOOD, **values: Value) -> "Story":
        at_ns = MONDAY_8 + round(hours * HOUR)
        readings = [Reading(f"l/{station}/{role}", value, quality, at_ns, at_ns) for role, value in values.items()]
        self.events += self.room.observe(readings, at_ns)
        return self

    def link(self, hours: float, *, up: bool) -> "Story":
        at_ns = MONDAY_8 + round(hours * HOUR)
        self.events += self.room.observe([LinkChange("plc", up, at_ns, "test")], at_ns)
        return self

    def tick(self, hours: float) -> "Story":
        self.events += self.room.tick(MONDAY_8 + round(hours * HOUR))
        return self

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]
