"""Assessments are made beside the engine, one at a time, and come in like readings."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from linecontrol.assessment import Question
from linecontrol.bottleneck.memory import RecordMemory
from linecontrol.gateway.assessor import Assessor
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.journal import Journal
from linecontrol.model import (
    AnyEvent,
    BottleneckUpdated,
    FanPoint,
    Findings,
    LagCause,
    LagExplained,
    Observation,
    Opinion,
    StateChanged,
    StationState,
    Suspect,
    TargetForecast,
    UnitCompleted,
)
from linecontrol.testing import ManualClock

NOW_NS = 1_700_000_000_000_000_000
Answer = Callable[[Question], Iterator[Sequence[AnyEvent]]]


def found(at_ns: int, line: str = "l") -> BottleneckUpdated:
    return BottleneckUpdated(at_ns=at_ns, line=line, suspects=[Suspect("s", 0.8, 60.0)], units=3)


def unit() -> UnitCompleted:
    return UnitCompleted(
        at_ns=NOW_NS,
        line="l",
        unit=None,
        unit_inferred=True,
        product=None,
        family=None,
        start_ns=None,
        good=None,
        shift="",
    )


def changed(previous: StationState) -> StateChanged:
    return StateChanged(
        at_ns=NOW_NS,
        line="l",
        station="s",
        state=StationState.WORKING,
        previous=previous,
        since_ns=0,
        previous_s=0,
        shift="",
    )


class Rig:
    def __init__(self, answer: Answer) -> None:
        self.clock, self.inbox = ManualClock(NOW_NS), Inbox()
        self.asked: list[int] = []
        self.assessor = Assessor(self.ask, answer, self.inbox, self.clock, rest=0)

    def ask(self, now_ns: int) -> Question:
        self.asked.append(now_ns)
        return Question(now_ns, {"l": RecordMemory([], [])}, None)

    async def findings(self) -> list[Findings]:
        await self.inbox.filled(10)
        taken = [each for arrival in self.inbox.take() for each in arrival.observations]
        return [each for each in taken if isinstance(each, Findings)]

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            task = group.create_task(self.assessor.run())
            yield
            task.cancel()


async def test_it_assesses_at_its_start_and_hands_in_what_it_found() -> None:
    rig = Rig(lambda question: iter([[found(question.at_ns)], [found(question.at_ns, "m")]]))
    async with rig.running():
        assert await rig.findings() == [Findings(NOW_NS, [found(NOW_NS), found(NOW_NS, "m")])]


async def test_units_and_shifts_that_begin_make_it_assess_and_nothing_else_does() -> None:
    rig = Rig(lambda question: iter([[found(question.at_ns)]]))
    async with rig.running():
        await rig.findings()
        due: list[AnyEvent] = [unit(), changed(StationState.OFF_SHIFT)]
        for number, event in enumerate(due, 2):
            rig.clock.advance(60)
            rig.assessor.heed([found(0), event])
            assert [each.at_ns for each in await rig.findings()] == [rig.clock.now_ns()]
            assert len(rig.asked) == number
        rig.assessor.heed([found(0), changed(StationState.STARVED)])
        assert not rig.assessor._wanted.is_set()


async def test_what_is_asked_during_an_assessment_is_answered_by_one_more() -> None:
    thinking, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(question: Question) -> Iterator[Sequence[AnyEvent]]:
        loop.call_soon_threadsafe(thinking.set)
        assert go_on.wait(10)
        yield [found(question.at_ns)]

    rig = Rig(slow)
    async with rig.running():
        await thinking.wait()
        rig.clock.advance(1)
        for _ in range(5):
            rig.assessor.want()
        go_on.set()
        moments = [each.at_ns for each in await rig.findings()]
        while rig.assessor.made < 2:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
        moments += [each.at_ns for each in await rig.findings()]
    assert moments == rig.asked == [NOW_NS, NOW_NS + 1_000_000_000]


async def test_a_failure_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([None, 1])

    def sometimes(question: Question) -> Iterator[Sequence[AnyEvent]]:
        if next(answers) is None:
            msg = "no such line"
            raise KeyError(msg)
        yield [found(question.at_ns)]

    rig = Rig(sometimes)
    with caplog.at_level(logging.ERROR):
        async with rig.running():
            while not rig.assessor.failed:  # noqa: ASYNC110 - a few turns of the loop
                await asyncio.sleep(0)
            rig.assessor.want()
            assert len(await rig.findings()) == 1
    assert "no such line" in caplog.text
    assert "Traceback" in caplog.text


async def test_whoever_asks_gets_what_was_found_after_that() -> None:
    rig = Rig(lambda question: iter([[found(question.at_ns)]]))
    async with rig.running():
        await rig.findings()
        rig.clock.advance(5)
        assert await rig.assessor.fresh() == Findings(rig.clock.now_ns(), [found(rig.clock.now_ns())])


async def test_who_waits_when_it_is_stopped_gets_nothing() -> None:
    loop, thinking, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(question: Question) -> Iterator[Sequence[AnyEvent]]:
        loop.call_soon_threadsafe(thinking.set)
        go_on.wait(10)
        yield [found(question.at_ns)]

    rig = Rig(slow)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        async with rig.running():
            await thinking.wait()
            asking = group.create_task(rig.assessor.fresh())
            await asyncio.sleep(0)
        go_on.set()
        assert await asking is None


async def test_when_it_is_stopped_its_thread_gives_up_after_the_present_part() -> None:
    loop, started = asyncio.get_running_loop(), asyncio.Event()
    go_on, ended = threading.Event(), threading.Event()
    parts: list[int] = []

    def endless(question: Question) -> Iterator[Sequence[AnyEvent]]:
        try:
            while True:
                loop.call_soon_threadsafe(started.set)
                go_on.wait(10)
                parts.append(len(parts))
                yield [found(question.at_ns)]
        finally:
            ended.set()

    rig = Rig(endless)
    async with rig.running():
        await started.wait()
    go_on.set()
    assert await asyncio.to_thread(ended.wait, 10)
    assert parts == [0]
    assert len(rig.inbox) == 0


def every_finding(at_ns: int) -> list[AnyEvent]:
    """One of each, with all that they can hold."""
    return [
        BottleneckUpdated(
            at_ns=at_ns,
            line="l",
            suspects=[Suspect("s", 0.8, 60.0, 0.4, 12.0, 7.0, 15.0), Suspect("t", 0.2, 59.0)],
            units=3,
            provisional=True,
            shares={"s": 0.4, "t": 0.1},
            waits={"kit": 0.5},
            opinions=[Opinion("arrow", ["t"], "few units")],
            verdict="s",
            notes=["n"],
        ),
        TargetForecast(
            at_ns=at_ns,
            target="t",
            line="l",
            family="f",
            year=2026,
            units=800,
            done=3,
            probability=0.5,
            units_low=780.0,
            units_likely=800.0,
            units_high=815.0,
            finish_low_ns=None,
            finish_likely_ns=at_ns + 1,
            finish_high_ns=None,
            takt_achieved_s=None,
            takt_required_s=9000.0,
            prior_share=0.9,
            hours_needed=1700.0,
            hours_left=1800.0,
            kits_limit=None,
            evidence=3,
            replications=1000,
            seed=7,
            fan=[FanPoint(at_ns + 5, 1.0, 2.0, 3.0)],
        ),
        LagExplained(at_ns=at_ns, line="l", since_ns=1, hours=2.0, units=1.0, causes=[LagCause("", "kit", 2.0, 1.0)]),
    ]


async def test_the_journal_gives_findings_back_as_they_were(tmp_path: Path) -> None:
    observations: list[Observation] = [Findings(NOW_NS, every_finding(NOW_NS))]
    async with await Journal.open(tmp_path / "journal.sqlite", commit_every_s=0.002) as journal:
        await journal.append(NOW_NS, observations, every_finding(NOW_NS))
        (record,) = await journal.records(0, 10)
    assert record.observations == observations
    assert record.events == every_finding(NOW_NS)
    assert msgspec.msgpack.encode(record.observations) == msgspec.msgpack.encode(observations)
