"""The composition root: the only module that knows all parts, and how they start and stop.

Start: journal, engine (snapshot and the journal's tail), sinks, board, and the sources last. Stop: the other way
round, so that what was read is derived, and what was derived is durable, before anything closes.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from linecontrol.board import Board, BoardView
from linecontrol.board.operators import Operators
from linecontrol.calendar import line_calendars
from linecontrol.clock import Clock
from linecontrol.config.holidays import public_holidays
from linecontrol.config.plan import Plan
from linecontrol.config.rules_data import rest_of
from linecontrol.driver import Driver
from linecontrol.engine import Engine
from linecontrol.errors import JournalError, LinecontrolError, SinkError
from linecontrol.gateway.assessor import Assessor
from linecontrol.gateway.commander import Commander
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.lock import StateLock
from linecontrol.gateway.notify import Notifier
from linecontrol.gateway.operators import operator_token
from linecontrol.gateway.outbox import Outbox
from linecontrol.gateway.pipeline import Pipeline
from linecontrol.gateway.pulse import Pulse, Stage
from linecontrol.gateway.recall import JOURNAL, PACE_META, RULES_META, Pace, new_assessment, new_engine, recover
from linecontrol.gateway.reloader import Reloader
from linecontrol.gateway.source import CLOSE_PATIENCE_S, Source
from linecontrol.model import AnyEvent, CommandIssued, Health, Operation, RulesChanged, RulesGiven
from linecontrol.plant.tryout import tried
from linecontrol.sinks.influx import InfluxSink

PORT_FILE = "board-port"
"""Name of the file in the state folder that tells the port of the running gateway's board."""

SIGNALLED = "SIGHUP"
"""Who wanted a reload that was asked for by a signal."""

BOARD_RECORDS = 50_000
"""How far back the board looks in the journal when the gateway starts: some days of a line's life."""

DRAIN_PATIENCE_S = 3.0
"""What sinks may take on a clean stop to get what is durable; what they miss they get after the next start."""

CANCEL_AGAIN_S = CLOSE_PATIENCE_S + 0.5
"""After so long a cancellation is taken as swallowed: longer than a driver may take to close."""

SWITCH_S = 0.0005
"""Time after which a thread that thinks lets the event loop go on: the default is ten times as long."""

PRUNE_EVERY_S = 3600.0
REPORT_EVERY_S = 10.0

_log = logging.getLogger(__name__)


class Setup(Struct, frozen=True, kw_only=True):
    """How a gateway is run. ``loopback`` sends connections to simulated devices at these ports."""

    plan: Plan
    state: Path
    clock: Clock
    loopback: Mapping[str, int] = {}
    listeners: Sequence[Callable[[Sequence[AnyEvent]], None]] = ()
    """Called with events once they are durable."""
    started: Callable[["Gateway"], None] | None = None
    """Called when everything runs."""
    folder: Path | None = None
    """Where other rules are read from while it runs; not at all if left out."""
    reload: asyncio.Event | None = None
    """Set when the folder's rules are wanted to count."""


class Gateway:
    """All parts of one gateway, wired."""

    def __init__(self, setup: Setup, journal: Journal, engine: Engine) -> None:
        """Wire, and start nothing."""
        config, clock = setup.plan.config, setup.clock
        self.setup, self.journal, self.engine = setup, journal, engine
        self.board_port = 0
        self.inbox = Inbox()
        self.sources = {name: self._source(name) for name in setup.plan.bound}
        commands = {tag.signal: name for name, bound in setup.plan.bound.items() for tag in bound.tags if tag.writable}
        self.commander = Commander(self.sources, commands, self.inbox, clock)
        self.pipeline = Pipeline(
            engine,
            journal,
            self.inbox,
            clock,
            resolution_ns=config.engine.resolution,
            snapshot_every_ns=config.journal.snapshot_every,
            tell=self._tell,
        )
        holidays = public_holidays(config.calendar.holidays)
        self.assessor = Assessor(engine.question, new_assessment(setup.plan).answer, self.inbox, clock)
        self.notifier = Notifier()
        self.reloader = Reloader(engine, self._try_out, self.inbox, clock, self.notifier)
        reload = None if setup.folder is None else self.reloader.reload
        operators = Operators(operator_token(setup.state), engine.flags, self._wish, clock, reload=reload)
        view = BoardView(config, line_calendars(config, holidays))
        self.board = Board(view, clock, health=self.health, assess=self.assessor.fresh, operators=operators)
        self.outboxes: dict[str, Outbox] = {}
        self._late_before = engine.late()
        self._started_s = asyncio.get_running_loop().time()

    def health(self) -> Health:
        """How the gateway is now."""
        late = self.engine.late()
        up_s = asyncio.get_running_loop().time() - self._started_s
        return Health(
            at_ns=self.setup.clock.now_ns(),
            uptime_s=up_s,
            readings=self.inbox.received,
            readings_per_s=self.inbox.received / max(up_s, 1.0),
            events=self.pipeline.events,
            lag_s=self.pipeline.lag_s,
            inbox=len(self.inbox),
            journal_records=self.journal.last_seq,
            connections={
                name: msgspec.structs.replace(source.health, late=late[name] - self._late_before.get(name, 0))
                for name, source in self.sources.items()
            },
            sinks={name: outbox.health for name, outbox in self.outboxes.items()},
            trouble=[self.reloader.trouble] if self.reloader.trouble else [],
        )

    def stages(self) -> list[Stage]:
        """What must move for the watchdog to be fed."""
        return [
            Stage("engine", lambda: self.pipeline.turns, lambda: 1),
            Stage("journal", lambda: self.pipeline.forwarded, lambda: self.pipeline.waiting),
        ]

    async def _wish(self, operation: Operation) -> None:
        await self.inbox.put([operation])

    async def _try_out(self) -> str:
        assert self.setup.folder is not None  # noqa: S101 - else nobody reloads
        return await tried(self.setup.folder, rest_of(self.setup.plan.config))

    def _source(self, name: str) -> Source:
        setup, bound = self.setup, self.setup.plan.bound[name]
        settings = bound.settings
        if name in setup.loopback:
            settings = settings.on_loopback(setup.loopback[name])

        def new_driver() -> Driver:
            return bound.driver_class(name, settings, bound.tags, setup.clock)

        return Source(name, new_driver, self.inbox, setup.clock, warnings=settings.warnings())

    def _tell(self, events: Sequence[AnyEvent]) -> None:
        self.board.feed(events)
        self.assessor.heed(events)
        self.reloader.feed(events)
        for event in events:
            if isinstance(event, CommandIssued):
                self.commander.order(event)
            elif isinstance(event, RulesChanged):
                self.board.follow(self.engine.config)
        for listener in self.setup.listeners:
            listener(events)


async def serve(setup: Setup, stop: asyncio.Event) -> None:
    """Run a gateway until ``stop`` is set, then stop it cleanly.

    Raises:
        JournalBusy: another gateway holds the state folder.
        JournalError: the journal can't be used.
        LinecontrolError: a part can't start.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(_lock(setup.state))
        commit_s = setup.plan.config.journal.commit_every / 1e9
        journal = await stack.enter_async_context(await Journal.open(setup.state / JOURNAL, commit_every_s=commit_s))
        engine = new_engine(setup.plan)
        rules = engine.rules
        last_ns = await recover(engine, journal)
        await journal.put_meta(PACE_META, msgspec.json.encode(Pace.of(setup.plan.config)))
        if last_ns is None:
            await journal.put_meta(RULES_META, rules.encode())
        gateway = Gateway(setup, journal, engine)
        await _prime_board(gateway)
        if last_ns is not None:
            gateway.pipeline.interrupted(list(gateway.sources), last_ns)
        if rules != engine.rules:
            await gateway.inbox.put([RulesGiven(rules, setup.clock.now_ns())])
        await _run(gateway, stack, stop)


def _lock(state: Path) -> StateLock:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        return StateLock(state)
    except OSError as error:
        msg = f"the state folder {state} can't be used: {error.strerror}; choose another with --state"
        raise JournalError(msg) from error


async def _prime_board(gateway: Gateway) -> None:
    """Show what was true when the gateway stopped: what stands, however long, and the last days' states and figures."""
    gateway.board.feed(gateway.engine.standing())
    after = max(0, gateway.journal.last_seq - BOARD_RECORDS)
    while records := await gateway.journal.records(after, 1000, observations=False):
        for record in records:
            gateway.board.feed(record.events)
        after = records[-1].seq


async def _run(gateway: Gateway, stack: AsyncExitStack, stop: asyncio.Event) -> None:
    setup, config, notifier = gateway.setup, gateway.setup.plan.config, gateway.notifier
    sink: InfluxSink | None = None
    if config.influx is not None:
        sink = InfluxSink(config.influx, site=config.plant.site, area=config.plant.area)
        stack.push_async_callback(sink.close)
        gateway.outboxes["influx"] = Outbox(gateway.journal, sink, "influx")
    try:
        gateway.board_port = await gateway.board.serve(config.board.port)
    except OSError as error:
        msg = f"the board can't listen on 127.0.0.1:{config.board.port}: {error}; choose another board: port:"
        raise LinecontrolError(msg) from error
    stack.push_async_callback(gateway.board.close)
    told = setup.state / PORT_FILE
    told.write_text(f"{gateway.board_port}\n", encoding="ascii")
    stack.callback(told.unlink, missing_ok=True)
    async with asyncio.TaskGroup() as group:
        outer = [group.create_task(outbox.run()) for outbox in gateway.outboxes.values()]
        outer += [group.create_task(_watch(gateway, notifier)), group.create_task(_prune(gateway))]
        if sink is not None:
            outer.append(group.create_task(_report(gateway, sink)))
        centre = [group.create_task(gateway.pipeline.forward()), group.create_task(gateway.pipeline.think())]
        rim = [group.create_task(gateway.commander.run(name)) for name in gateway.sources]
        rim += [group.create_task(source.run()) for source in gateway.sources.values()]
        rim.append(group.create_task(gateway.assessor.run()))
        if setup.folder is not None and setup.reload is not None:
            rim.append(group.create_task(gateway.reloader.run(setup.reload, SIGNALLED)))
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(SWITCH_S)
        notifier.ready()
        if setup.started is not None:
            setup.started(gateway)
        await stop.wait()
        notifier.stopping()
        await _end(rim)
        await _end(centre)
        await gateway.pipeline.finish()
        for outbox in gateway.outboxes.values():
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_PATIENCE_S):
                    await outbox.drained()
        await _end(outer)


async def _end(tasks: Sequence[asyncio.Task[None]], again_s: float = CANCEL_AGAIN_S) -> None:
    """End tasks; one that goes on, because a library swallowed the cancellation, is cancelled again."""
    alive = set(tasks)
    while alive:
        for task in alive:
            task.cancel()
        _, alive = await asyncio.wait(alive, timeout=again_s)


async def _watch(gateway: Gateway, notifier: Notifier) -> None:
    """Feed the systemd watchdog while every stage makes progress, and say how things are."""
    pulse = Pulse(gateway.stages())
    pause_s = (notifier.watchdog_s or 15.0) / 3
    while True:
        await asyncio.sleep(pause_s)
        if stuck := pulse.stuck():
            _log.error("no progress in %s; the watchdog is not fed", ", ".join(stuck))
            continue
        notifier.alive()
        health = gateway.health()
        up = sum(connection.up for connection in health.connections.values())
        notifier.status(f"{up} of {len(health.connections)} connections up, {health.journal_records} records")


async def _report(gateway: Gateway, sink: InfluxSink) -> None:
    """Record the gateway's own health; what can't be delivered of it is not kept."""
    while True:
        await asyncio.sleep(REPORT_EVERY_S)
        with suppress(SinkError):
            await sink.report(gateway.health())


async def _prune(gateway: Gateway) -> None:
    """Now and then drop records that are delivered and older than the config wants to keep."""
    keep_ns = gateway.setup.plan.config.journal.keep
    while True:
        await gateway.journal.prune(gateway.setup.clock.now_ns() - keep_ns)
        await asyncio.sleep(PRUNE_EVERY_S)
