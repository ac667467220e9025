"""A month of the example plant, without the wire: simulated plant, engine, journal, outbox, sink."""

import asyncio
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from linecontrol.calendar import line_calendars
from linecontrol.config.gateway import InfluxConfig
from linecontrol.config.holidays import public_holidays
from linecontrol.config.plan import Plan, load_checked
from linecontrol.engine import Engine
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.outbox import Outbox
from linecontrol.gateway.recall import new_assessment, new_engine
from linecontrol.model import (
    AnyEvent,
    CommandIssued,
    CommandOutcome,
    ConnectionHealth,
    Findings,
    Health,
    LinkChange,
    Observation,
    Quality,
    Reading,
    SinkHealth,
)
from linecontrol.registry import drivers
from linecontrol.simulator import SimPlant
from linecontrol.sinks.influx import InfluxSink

PLANT = Path(__file__).parents[2] / "config" / "ganja"
START_NS = 1_769_889_600 * 10**9
"""2026-02-01 in Baku."""
HOUR_NS = 3600 * 10**9
WEEK_NS = 7 * 24 * HOUR_NS
HOURS = 28 * 24
OUTAGE = (200, 202)
"""Hours between which the municipal line can't be seen."""

Turn = tuple[int, list[Observation]]


def observations(plan: Plan) -> Iterator[Turn]:
    """What a gateway would see of the simulated plant: each change at its own moment, and the link as it comes."""
    calendars = line_calendars(plan.config, public_holidays(plan.config.calendar.holidays))
    tags = {tag.signal: name for name, bound in plan.bound.items() for tag in bound.tags if not tag.writable}
    plant = SimPlant(plan.config, calendars, START_NS, seed=7)

    def readings(names: set[str], at_ns: int) -> list[Observation]:
        values = [(signal, plant.values[signal]) for signal in plant.values if tags.get(signal) in names]
        return [Reading(signal, value, Quality.GOOD, at_ns, at_ns) for signal, value in values]

    names = set(plan.bound)
    links: list[Observation] = [LinkChange(name, up=True, at_ns=START_NS) for name in plan.bound]
    yield START_NS, links + readings(names, START_NS)
    for hour in range(HOURS):
        at_ns = START_NS + hour * HOUR_NS
        if hour == OUTAGE[0]:
            names.remove("municipal_gateway")
            yield at_ns, [LinkChange("municipal_gateway", up=False, at_ns=at_ns, reason="no answer")]
        elif hour == OUTAGE[1]:
            names.add("municipal_gateway")
            up = LinkChange("municipal_gateway", up=True, at_ns=at_ns)
            yield at_ns, [up, *readings({"municipal_gateway"}, at_ns)]
        changes = [change for change in plant.step(at_ns + HOUR_NS) if tags.get(change.signal) in names]
        for moment_ns, group in groupby(changes, key=lambda change: change.at_ns):
            yield moment_ns, [Reading(one.signal, one.value, Quality.GOOD, moment_ns, moment_ns) for one in group]
        yield at_ns + HOUR_NS, []


def turns(plan: Plan, engine: Engine) -> Iterator[tuple[int, list[Observation], list[AnyEvent]]]:
    """Turns of the engine; each command is verified at once, and the plant is assessed once a week."""
    assessment = new_assessment(plan)
    for now_ns, seen in observations(plan):
        events = engine.step(seen, now_ns) if seen else engine.tick(now_ns)
        yield now_ns, seen, events
        if not seen and (now_ns - START_NS) % WEEK_NS == 0:
            found = [event for part in assessment.answer(engine.question(now_ns)) for event in part]
            findings: list[Observation] = [Findings(now_ns, found)]
            yield now_ns, findings, engine.step(findings, now_ns)
        issued = [event.command for event in events if isinstance(event, CommandIssued)]
        if issued:
            outcomes: list[Observation] = [
                CommandOutcome(command, "verified", now_ns, "read back") for command in issued
            ]
            yield now_ns, outcomes, engine.step(outcomes, now_ns)


async def run_month(journal_path: Path, influx: InfluxConfig) -> Outbox:
    """Journal a month and bring it to InfluxDB; nothing waits any more at the end."""
    plan = load_checked(PLANT, drivers())
    sink = InfluxSink(influx, site=plan.config.plant.site, area=plan.config.plant.area)
    async with await Journal.open(journal_path) as journal:
        outbox = Outbox(journal, sink, "influx")
        async with asyncio.TaskGroup() as group:
            delivering = group.create_task(outbox.run())
            ticket = journal.append(START_NS, [], [])
            for now_ns, seen, events in turns(plan, new_engine(plan)):
                ticket = journal.append(now_ns, seen, events)
                await asyncio.sleep(0)
            await ticket
            await outbox.drained()
            delivering.cancel()
        await sink.report(
            Health(
                at_ns=START_NS, uptime_s=1.0, readings=1, readings_per_s=1.0, events=1, lag_s=0.01, inbox=0,
                journal_records=journal.last_seq, connections={"tractor_plc": ConnectionHealth(up=True)},
                sinks={"influx": SinkHealth(backlog=0, delivered=1, refused=0)},
            )
        )  # fmt: skip
    await sink.close()
    return outbox
