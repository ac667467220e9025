from collections.abc import Callable
from pathlib import Path

import pytest

from linecontrol import registry
from linecontrol.config.plan import load_checked
from linecontrol.errors import ConfigError

PLANT = """\
plant: {site: S, area: A, timezone: Asia/Baku}
calendar:
  shifts:
    day: {days: [mon, tue], start: "08:00", end: "17:00", breaks: [{start: "12:00", end: "13:00"}]}
    night: {days: [mon, sun], start: "22:00", end: "06:00"}
  holidays: AZ
families:
  pump: {title: Pumps}
  other: {title: Others}
products:
  p1: {title: One, family: pump, code: 1, kit: k1}
  p2: {title: Two, family: pump, code: 2}
  o1: {title: Other, family: other, code: 1}
targets:
  year: {family: pump, line: main, year: 2026, units: 10}
commitments:
  deal: {family: pump, market: Turkey, units: 5, start: 2026-01-01, due: 2026-06-01}
kits:
  k1: {title: Kit, day: 2026-01-01}
deliveries:
  d1: {day: 2026-02-01, kits: {k1: 3}}
connections:
  plc: {driver: modbus, host: 127.0.0.1}
lines:
  main:
    title: Main
    shifts: [day, night]
    connection: plc
    families: [pump]
    stations:
      first:
        title: First
        cycle_by: start_complete
        signals:
          cycle_start: {discrete: 1}
          cycle_complete: {discrete: 2}
        commands:
          andon: {holding: 100}
      second:
        title: Second
        cycle_by: state
        states: {1: working, execute: working}
        signals:
          state: {holding: 10}
      third:
        title: Third
        cycle_by: count
        signals:
          cycle_count: {holding: 20, type: uint32}
    buffers:
      b1: {after: first, before: second, capacity: 1}
    standards:
      - start: 2026-01-01
        times:
          first: {p1: 1h, p2: 1h}
          second: {p1: 1h, p2: 1h}
          third: {p1: 1h, p2: 1h}
      - start: 2026-07-01
        times:
          third: {p1: 50m}
control:
  allow: [{stations: ["main/*"], commands: [andon]}]
rules:
  slow: {each: station, only: [main/first], when: "active > planned", message: slow, actions: [flag]}
simulator:
  stations: {main/first: {work: 1.1}}
  late_deliveries: {d1: 3d}
"""

Problems = Callable[..., list[str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("plant").mkdir()
    return Path("plant")


@pytest.fixture
def problems(folder: Path) -> Problems:
    """What is said of the valid plant after replacing ``old`` by ``new``."""

    def found(old: str = "", new: str = "") -> list[str]:
        assert not old or PLANT.count(old) == 1, old
        (folder / "all.yaml").write_text(PLANT.replace(old, new) if old else PLANT)
        try:
            load_checked(folder, registry.drivers())
        except ConfigError as error:
            return error.problems
        return []

    return found
