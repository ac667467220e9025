"""A journal of the example plant, without the wire: simulated plant, engine, journal."""

from itertools import groupby
from pathlib import Path

from linecontrol.calendar import line_calendars
from linecontrol.config.holidays import public_holidays
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.recall import JOURNAL, new_engine
from linecontrol.model import LinkChange, Observation, Operation, Quality, Reading
from linecontrol.plant.load import load_plant
from linecontrol.simulator import SimPlant

GANJA = Path(__file__).parents[3] / "config" / "ganja"
HOUR = 3600 * 10**9
START_NS = 1_769_994_000 * 10**9
"""Monday 2026-02-02, 05:00 in Baku."""


async def record(folder: Path, hours: int, operations: list[Operation] | None = None) -> Path:
    """The journal that a gateway would have left after these hours; ``operations`` are what people did."""
    plan = load_plant(GANJA)
    calendars = line_calendars(plan.config, public_holidays(plan.config.calendar.holidays))
    plant = SimPlant(plan.config, calendars, START_NS, seed=7)
    tags = {tag.signal for bound in plan.bound.values() for tag in bound.tags if not tag.writable}
    engine = new_engine(plan)
    links: list[Observation] = [LinkChange(name, up=True, at_ns=START_NS) for name in plan.bound]
    first = {signal: value for signal, value in plant.values.items() if signal in tags}
    readings = [Reading(signal, value, Quality.GOOD, START_NS, START_NS) for signal, value in first.items()]
    turns: list[tuple[int, list[Observation]]] = [(START_NS, [*links, *readings])]
    changes = [change for change in plant.step(START_NS + hours * HOUR) if change.signal in tags]
    for at_ns, group in groupby(changes, key=lambda change: change.at_ns):
        turns.append((at_ns, [Reading(each.signal, each.value, Quality.GOOD, at_ns, at_ns) for each in group]))
    turns += [(operation.at_ns, [operation]) for operation in operations or []]
    turns += [(START_NS + hour * HOUR, []) for hour in range(1, hours + 1)]
    turns.sort(key=lambda turn: turn[0])
    async with await Journal.open(folder / JOURNAL, commit_every_s=0.001) as journal:
        durable = None
        for now_ns, seen in turns:
            events = engine.step(seen, now_ns) if seen else engine.tick(now_ns)
            durable = journal.append(now_ns, seen, events)
        if durable is not None:
            await durable
    return folder / JOURNAL
