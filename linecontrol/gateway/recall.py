"""An engine for a plan, brought to where a journal ends: that of this gateway, or of one that is stopped."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec import Struct

from linecontrol.assessment import Assessment
from linecontrol.config import Config
from linecontrol.config.holidays import public_holidays
from linecontrol.config.plan import Plan
from linecontrol.engine import Engine
from linecontrol.errors import JournalError, LinecontrolError, SnapshotError
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.journal_file import read_journal, read_meta, read_snapshot

JOURNAL = "journal.sqlite"
"""Name of the journal's file in the state folder."""

PACE_META = "pace"
"""Key beside the journal's records under which the settings that a fast clock stretches are kept, for replay."""

RULES_META = "rules"
"""Key beside the journal's records under which the rules are kept that counted when it was begun."""


_log = logging.getLogger(__name__)


def new_engine(plan: Plan) -> Engine:
    """An engine for the plant, with its holidays and the widths of its counters."""
    bits = {tag.signal: tag.settings.counter_bits() for bound in plan.bound.values() for tag in bound.tags}
    return Engine(plan.config, holidays=public_holidays(plan.config.calendar.holidays), counter_bits=bits)


def new_assessment(plan: Plan) -> Assessment:
    """What answers questions about the plant."""
    return Assessment(plan.config, public_holidays(plan.config.calendar.holidays))


class Pace(Struct, frozen=True):
    """The settings of a config that are meant in real time; a demo's fast clock has other ones than its config."""

    engine: dict[str, int]
    control: dict[str, int]
    reorder: dict[str, int] = {}

    @classmethod
    def of(cls, config: Config) -> "Pace":
        """Those of a config, in nanoseconds."""
        control = config.control.model_dump(include={"expire_after", "spacing"})
        return cls(config.engine.model_dump(), control, {name: c.reorder for name, c in config.connections.items()})

    def applied(self, config: Config) -> Config:
        """The config at this pace."""
        engine = config.engine.model_copy(update=self.engine)
        control = config.control.model_copy(update=self.control)
        connections = {
            name: connection.model_copy(update={"reorder": self.reorder.get(name, connection.reorder)})
            for name, connection in config.connections.items()
        }
        return config.model_copy(update={"engine": engine, "control": control, "connections": connections})


def as_recorded(plan: Plan, path: Path) -> Plan:
    """The plan with what the recorded journal began with: its rules, and its pace, which is another one in a demo.

    Rules that the plan can't have (any more) stay its own.

    Raises:
        JournalError: it can't be read, or a gateway is using it.
    """
    meta = read_meta(path)
    if (pace := meta.get(PACE_META)) is not None:
        plan = replace(plan, config=msgspec.json.decode(pace, type=Pace).applied(plan.config))
    if (rules := meta.get(RULES_META)) is not None:
        with suppress(LinecontrolError):
            plan = replace(plan, config=new_engine(plan).prepare(rules.decode()).config)
    return plan


def recall(plan: Plan, path: Path) -> tuple[Engine, int]:
    """An engine that knows what the journal of a stopped gateway ends with, and the time of its last record.

    Raises:
        JournalError: it can't be read, a gateway is using it, or nothing was recorded.
    """
    engine = new_engine(as_recorded(plan, path))
    after, now_ns = 0, 0
    if (saved := read_snapshot(path)) is not None:
        with suppress(SnapshotError):  # of another version: then the journal is read from its start
            engine.restore(saved[2])
            after, now_ns, _ = saved
    for record in read_journal(path, after):
        engine.step(record.observations, record.now_ns)
        now_ns = record.now_ns
    if not now_ns:
        msg = f"{path} holds no records yet"
        raise JournalError(msg)
    return engine, now_ns


async def recover(engine: Engine, journal: Journal) -> int | None:
    """Bring a new engine to where the journal ends; the time of its last record, ``None`` if it has none."""
    after, last_ns = 0, None
    saved = await journal.load_snapshot()
    if saved is not None:
        sequence, now_ns, blob = saved
        try:
            afresh = engine.restore(blob)
        except SnapshotError as error:
            _log.warning("the snapshot can't be used: %s; the journal is read from its start", error)
        else:
            after, last_ns = sequence, now_ns
            if afresh:
                _log.warning("the config changed; these start afresh: %s", ", ".join(afresh))
    while records := await journal.records(after, 1000):
        for record in records:
            engine.step(record.observations, record.now_ns)
            after, last_ns = record.seq, record.now_ns
        await asyncio.sleep(0)
    return last_ns
