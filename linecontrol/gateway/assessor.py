"""Assessments beside the engine: ask when there is something new, think in a thread, hand in what was found.

Findings come in through the inbox like readings: journaled, stepped, told. However often it is asked, only one
assessment runs; what is asked meanwhile is answered by the next one, with what is known then.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from linecontrol.assessment import Question
from linecontrol.clock import Clock
from linecontrol.gateway.inbox import Inbox
from linecontrol.model import AnyEvent, Findings, StateChanged, StationState, UnitCompleted

REST = 2.0
"""Between two assessments as much as so many times what the last one took, so that it never takes all of a core."""

_log = logging.getLogger(__name__)


class Assessor:
    """Asks and answers in turns. ``run`` belongs to the event loop; ``want`` may be called at any time on it."""

    def __init__(
        self,
        ask: Callable[[int], Question],
        answer: Callable[[Question], Iterable[Sequence[AnyEvent]]],
        inbox: Inbox,
        clock: Clock,
        *,
        rest: float = REST,
    ) -> None:
        """``ask`` copies what is known, quickly; ``answer`` yields its findings part by part and may take long."""
        self._ask, self._answer, self._inbox, self._clock = ask, answer, inbox, clock
        self._rest = rest
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._thinking = False
        self._asking: list[asyncio.Future[Findings | None]] = []
        self.made = self.failed = 0

    @property
    def idle(self) -> bool:
        """Whether all that was asked is answered."""
        return not (self._thinking or self._wanted.is_set())

    def want(self) -> None:
        """Assess as soon as may be."""
        self._wanted.set()

    async def fresh(self) -> Findings | None:
        """What an assessment finds that begins after now; ``None`` if it failed or was stopped."""
        answer: asyncio.Future[Findings | None] = asyncio.get_running_loop().create_future()
        self._asking.append(answer)
        self._wanted.set()
        return await answer

    def heed(self, events: Sequence[AnyEvent]) -> None:
        """Assess after each completed unit, and when a shift begins."""
        for event in events:
            if isinstance(event, UnitCompleted) or (
                isinstance(event, StateChanged) and event.previous is StationState.OFF_SHIFT
            ):
                self._wanted.set()
                return

    async def run(self) -> None:
        """Assess whenever it is wanted, at first at once, until cancelled; the thread then ends after its part."""
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                began_s, self._thinking = time.monotonic(), True
                await self._assess()
                self._thinking = False
                await asyncio.sleep(self._rest * (time.monotonic() - began_s))
        finally:
            for answer in self._asking:
                if not answer.done():
                    answer.set_result(None)

    async def _assess(self) -> None:
        question = self._ask(self._clock.now_ns())
        given_up = threading.Event()
        asking, self._asking = self._asking, []
        found: Findings | None = None
        try:
            found = Findings(question.at_ns, await asyncio.to_thread(self._think, question, given_up))
        except Exception:  # noqa: BLE001 - logged with its traceback
            self.failed += 1
            _log.exception("the plant could not be assessed; everything else goes on")
            return
        finally:
            given_up.set()
            for answer in asking:
                if not answer.done():
                    answer.set_result(found)
        self.made += 1
        if found.events:
            await self._inbox.put([found])

    def _think(self, question: Question, given_up: threading.Event) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        for part in self._answer(question):
            events += part
            if given_up.is_set():
                break
        return events
