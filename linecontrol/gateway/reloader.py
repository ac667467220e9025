"""Other rules while the gateway runs: tried out and prepared beside the loop, then handed in like a reading.

Whatever is wrong leaves the rules that count untouched, and stands as the gateway's trouble until a reload goes well.
"""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Sequence

from linecontrol.clock import Clock
from linecontrol.engine import Engine, Prepared
from linecontrol.errors import ConfigError, ReloadRefused
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.notify import Notifier
from linecontrol.model import AnyEvent, RulesChanged, RulesGiven

_log = logging.getLogger(__name__)


class Reloader:
    """One reload at a time. ``feed`` it with what is durable."""

    def __init__(
        self, engine: Engine, try_out: Callable[[], Awaitable[str]], inbox: Inbox, clock: Clock, notifier: Notifier
    ) -> None:
        """``try_out`` returns other rules that may count, as text, or raises ``ReloadRefused``."""
        self._engine, self._try_out, self._inbox, self._clock, self._notifier = engine, try_out, inbox, clock, notifier
        self._one = asyncio.Lock()
        self._waiting: asyncio.Future[RulesChanged] | None = None
        self.trouble = ""

    def feed(self, events: Sequence[AnyEvent]) -> None:
        """Hear that other rules count, durably."""
        for event in events:
            if isinstance(event, RulesChanged) and self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(event)

    async def run(self, wanted: asyncio.Event, by: str) -> None:
        """Reload whenever it is ``wanted``, until cancelled; how it went is logged."""
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                await self.reload(by)
            except ReloadRefused:
                continue

    async def reload(self, by: str) -> RulesChanged | None:
        """Have the rules on disk count from now on; what changed, ``None`` if they count already.

        Raises:
            ReloadRefused: they can't; those that count go on.
        """
        async with self._one:
            self._notifier.reloading()
            try:
                changed = await self._reload(by)
            except ReloadRefused as refused:
                more = f", and {len(refused.problems) - 1} more" if refused.problems[1:] else ""
                self.trouble = f"the rules on disk do not count; those before go on: {refused.problems[0]}{more}"
                _log.error("reload refused, the rules that count go on:\n%s", "\n".join(refused.problems))
                raise
            finally:
                self._notifier.ready()
            self.trouble = ""
            _log.info("reloaded: %s", "the rules on disk count already" if changed is None else changed.text)
            return changed

    async def _prepare(self, text: str) -> Prepared:
        """Prepare the rules in a thread; the collector of garbage, which stops all threads, is to pass over them."""
        gc.disable()
        try:
            return await asyncio.to_thread(self._engine.prepare, text)
        finally:
            gc.freeze()
            gc.enable()

    async def _reload(self, by: str) -> RulesChanged | None:
        try:
            text = await self._try_out()
            if text == self._engine.rules:
                return None
            prepared = await self._prepare(text)
        except ConfigError as error:
            raise ReloadRefused(error.problems) from error
        except ReloadRefused:
            raise
        except Exception as error:
            _log.exception("the rules on disk can't be tried out; everything goes on")
            raise ReloadRefused([f"the rules on disk can't be tried out: {error!r}; see the log"]) from error
        self._engine.expect(prepared)
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._inbox.put([RulesGiven(text, self._clock.now_ns(), by)])
            return await self._waiting
        finally:
            self._waiting = None
