"""The board on loopback: one page, its JSON, and a stream of it. Nothing can be written but operators' wishes.

Each stream paces itself and sends the newest page only, so a slow screen costs the gateway one page of memory.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources

import msgspec
from aiohttp import web

from linecontrol.board.operators import Operators
from linecontrol.board.view import BoardView
from linecontrol.clock import Clock
from linecontrol.config import Config
from linecontrol.model.event import AnyEvent
from linecontrol.model.health import Health
from linecontrol.model.observation import Findings

MOST_STREAMS = 50
"""More screens than this are turned away."""
SHORTEST_PAUSE_S = 0.25
"""Real time between two pages of a stream at the least."""
LONGEST_PAUSE_S = 1.0
"""Real time between two pages of a stream at the most."""
STUCK_AFTER_S = 10.0
"""A screen that takes no data for this long is hung up on."""

LARGEST_WISH = 8_192
"""Bytes of a request's body at the most."""

_FILES = {
    "index.html": "text/html",
    "board.css": "text/css",
    "board.js": "text/javascript",
    "operate.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_WRITABLE = ("/flags", "/operator", "/reload")
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Board:
    """Serves what a view shows. ``feed`` and the server belong to one event loop."""

    def __init__(
        self,
        view: BoardView,
        clock: Clock,
        *,
        health: Callable[[], Health],
        assess: Callable[[], Awaitable[Findings | None]] | None = None,
        operators: Operators | None = None,
    ) -> None:
        """``health`` is asked for each page, ``assess`` when somebody wants the plant assessed as it stands now.

        Without ``operators`` nobody can act on flags.
        """
        self._operators = operators
        self._view = view
        self._clock = clock
        self._health = health
        self._assess = assess
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()
        self._closing = False
        self._streams = 0
        self._page = b""
        self._page_at = float("-inf")

    def feed(self, events: Sequence[AnyEvent]) -> None:
        """Show these events."""
        for event in events:
            self._view.apply(event)
        if self._operators is not None:
            self._operators.feed(events)
        self._wake()

    def follow(self, config: Config) -> None:
        """These rules count from now on; all else is as before."""
        self._view.follow(config)

    async def serve(self, port: int) -> int:
        """Listen on 127.0.0.1 until ``close``; 0 takes a free port. Returns the port.

        Raises:
            OSError: the port is taken.
        """
        files = resources.files("linecontrol.board") / "static"
        app = web.Application(middlewares=[_only_from_here], client_max_size=LARGEST_WISH)
        app.on_response_prepare.append(_guard)
        app.router.add_get("/page.json", self._page_json)
        app.router.add_get("/events", self._events)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/findings.json", self._findings)
        if self._operators is not None:
            app.router.add_post("/flags", self._operators.handle)
            app.router.add_post("/operator", self._operators.sign_in)
            app.router.add_post("/reload", self._operators.reload)
        for name, kind in _FILES.items():
            path = "/" if name == "index.html" else f"/static/{name}"
            app.router.add_get(path, _file((files / name).read_bytes(), kind))
        self._closing = False
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        try:
            await site.start()
        except OSError:
            await self.close()
            raise
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Hang up on all screens and stop listening, within a second."""
        self._closing = True
        self._wake()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _newest(self) -> bytes:
        """The page as JSON, made anew at most once in ``SHORTEST_PAUSE_S`` for all screens together."""
        now = asyncio.get_running_loop().time()
        if now - self._page_at >= SHORTEST_PAUSE_S * 0.9:
            page = self._view.page(self._clock.now_ns(), self._health(), self._clock.speed)
            self._page, self._page_at = msgspec.json.encode(page), now
        return self._page

    async def _page_json(self, request: web.Request) -> web.Response:
        page = self._view.page(self._clock.now_ns(), self._health(), self._clock.speed)
        return web.json_response(body=msgspec.json.encode(page))

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.json_response(body=msgspec.json.encode(self._health()))

    async def _findings(self, request: web.Request) -> web.Response:
        found = None if self._assess is None or request.method == "HEAD" else await self._assess()
        if found is None:
            raise web.HTTPServiceUnavailable(text="the plant could not be assessed; the gateway's log tells why")
        return web.json_response(body=msgspec.json.encode({"at_ns": found.at_ns, "events": found.events}))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD":
            return web.Response(content_type="text/event-stream")
        if self._streams >= MOST_STREAMS:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "10"}, text="too many screens")
        self._streams += 1
        try:
            return await self._stream(request)
        finally:
            self._streams -= 1

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "text/event-stream"
        try:
            await response.prepare(request)
            while not self._closing:
                changed = self._changed
                async with asyncio.timeout(STUCK_AFTER_S):
                    await response.write(b"data: " + self._newest() + b"\n\n")
                await self._pause(changed)
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _pause(self, changed: asyncio.Event) -> None:
        """Wait for the shortest pause, then until ``changed`` is set, and for the longest pause at the most."""
        await asyncio.sleep(SHORTEST_PAUSE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_PAUSE_S - SHORTEST_PAUSE_S):
                await changed.wait()


def _file(body: bytes, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return answer


@web.middleware
async def _only_from_here(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse whatever could write anything else, and names that only pretend to be this machine (DNS rebinding)."""
    if not _HOST.fullmatch(request.headers.get("Host", "")):
        raise web.HTTPForbidden(text="this board answers to 127.0.0.1 and localhost only")
    if request.method not in ("GET", "HEAD") and not (request.method == "POST" and request.path in _WRITABLE):
        raise web.HTTPMethodNotAllowed(request.method, ["GET", "HEAD"])
    return await handler(request)


async def _guard(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
