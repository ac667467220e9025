"""Operators' wishes about flags, over the board's port: only for who holds the token of the state folder."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence
from typing import TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from linecontrol.board.access import Access, refused
from linecontrol.clock import Clock
from linecontrol.duration import NS
from linecontrol.errors import ReloadRefused
from linecontrol.model import Operation
from linecontrol.model.event import AnyEvent, FlagChanged, RulesChanged
from linecontrol.model.observation import VERBS

_W = TypeVar("_W")

PATIENCE_S = 3.0
"""How long the gateway may take to carry out a wish; after that, nothing has come of it."""
LONGEST_USER, LONGEST_REASON = 64, 500
MOST_SECONDS = 400 * 86_400.0


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """A wish as it is sent. ``for_s`` real seconds; without it until the flag clears, or until it is put back."""

    verb: str
    flag: str
    user: str
    reason: str = ""
    for_s: float | None = None


class ReloadWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody wants the rules on disk to count."""

    user: str


class Operators:
    """Takes wishes in, hands them to the gateway as observations, and tells what came of them."""

    def __init__(
        self,
        token: str,
        flags: Callable[[], Container[str]],
        send: Callable[[Operation], Awaitable[None]],
        clock: Clock,
        *,
        reload: Callable[[str], Awaitable[RulesChanged | None]] | None = None,
    ) -> None:
        """``flags`` tells which there are (``rule/subject``); ``send`` hands a wish to the gateway.

        ``reload`` has the rules on disk count, wanted by somebody, and returns what changed.
        """
        self._reload = reload
        self._access = Access(token, asyncio.get_running_loop().time)
        self._flags, self._send, self._clock = flags, send, clock
        self._waiting: dict[tuple[str, str], asyncio.Future[FlagChanged]] = {}

    def feed(self, events: Sequence[AnyEvent]) -> None:
        """Tell those who wait what came of their wishes."""
        for event in events:
            if isinstance(event, FlagChanged) and event.by:
                waiting = self._waiting.get((event.flag, event.by))
                if waiting is not None and not waiting.done():
                    waiting.set_result(event)

    async def sign_in(self, request: web.Request) -> web.Response:
        """``POST /operator``: 204 to who may act, or why not. Nothing is kept: each wish brings the token again."""
        return self._access.refusal(request) or web.Response(status=204)

    async def handle(self, request: web.Request) -> web.Response:
        """``POST /flags``: 200 with the flag's state, or why not."""
        wish = await self._wished(request, Wish, self._complaint)
        if isinstance(wish, web.Response):
            return wish
        key = (wish.flag, wish.user)
        if key in self._waiting:
            return refused(409, f"a wish of {wish.user} about {wish.flag} is being carried out")
        now_ns = self._clock.now_ns()
        until_ns = None if wish.for_s is None else now_ns + round(wish.for_s * NS * self._clock.speed)
        waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
        try:
            await self._send(Operation(wish.verb, wish.flag, wish.user, wish.reason, now_ns, until_ns))
            async with asyncio.timeout(PATIENCE_S):
                done = await waiting
        except TimeoutError:
            return refused(409, f"nothing changed: {wish.flag} is in no state for {wish.verb}")
        finally:
            del self._waiting[key]
        return web.json_response({"flag": done.flag, "transition": done.transition, "state": done.state.value})

    async def reload(self, request: web.Request) -> web.Response:
        """``POST /reload``: 200 with what changed (``null``: nothing), or 422 with every reason why not."""
        wish = await self._wished(request, ReloadWish, lambda wish: _user_complaint(wish.user))
        if isinstance(wish, web.Response):
            return wish
        if self._reload is None:
            return refused(409, "this gateway reads its rules at its start only")
        try:
            changed = await self._reload(wish.user)
        except ReloadRefused as why:
            return web.json_response({"error": "the rules that count go on", "problems": why.problems}, status=422)
        return web.json_response(body=msgspec.json.encode({"changed": changed, "text": changed and changed.text}))

    async def _wished(
        self, request: web.Request, kind: type[_W], complaint: Callable[[_W], str | None]
    ) -> _W | web.Response:
        """What a request wants, or why it may not or can't be taken."""
        if (refusal := self._access.refusal(request)) is not None:
            return refusal
        try:
            wish = msgspec.json.decode(await request.read(), type=kind)
        except msgspec.MsgspecError as error:
            return refused(400, f"not understood: {error}")
        wrong = complaint(wish)
        return wish if wrong is None else refused(422, wrong)

    def _complaint(self, wish: Wish) -> str | None:
        if wish.verb not in VERBS:
            return f"there is no {wish.verb!r}; there are {', '.join(VERBS)}"
        if wish.flag not in self._flags():
            return f"there is no flag {wish.flag!r}; a flag is RULE/SUBJECT, such as down_long/tractor/engine"
        if (complaint := _user_complaint(wish.user)) is not None:
            return complaint
        if len(wish.reason) > LONGEST_REASON or not wish.reason.isprintable():
            return f"a reason has up to {LONGEST_REASON} printable characters"
        if wish.verb in ("shelve", "out_of_service") and not wish.reason.strip():
            return f"{wish.verb} needs a reason"
        if wish.for_s is not None and not 0 < wish.for_s <= MOST_SECONDS:
            return "a time has to be above 0 and up to 400 days"
        return None


def _user_complaint(user: str) -> str | None:
    if 0 < len(user) <= LONGEST_USER and user.isprintable():
        return None
    return f"a user has 1 to {LONGEST_USER} printable characters"
