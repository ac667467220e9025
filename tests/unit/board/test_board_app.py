import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import ClientSession, StreamReader

from linecontrol.board import Board, BoardView
from linecontrol.board.page import Page
from linecontrol.config import Config
from linecontrol.model.event import LinkChanged
from linecontrol.model.health import Health
from linecontrol.model.observation import Findings


class StandingClock:
    speed = 1.0

    def now_ns(self) -> int:
        return 1_795_500_000 * 10**9

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def health() -> Health:
    return Health(
        at_ns=0, uptime_s=1.0, readings=0, readings_per_s=0.0, events=0, lag_s=0.0, inbox=0, journal_records=0,
        connections={}, sinks={},
    )  # fmt: skip


@asynccontextmanager
async def serving(
    assess: Callable[[], Awaitable[Findings | None]] | None = None,
) -> AsyncIterator[tuple[Board, ClientSession]]:
    config = Config.model_validate(
        {
            "plant": {"site": "Ganja", "area": "Assembly", "timezone": "Asia/Baku"},
            "calendar": {"shifts": {"day": {"days": ["mon"], "start": "08:00", "end": "17:00"}}},
            "families": {},
            "products": {},
            "connections": {"plc": {"driver": "opcua"}},
            "lines": {},
        }
    )
    board = Board(BoardView(config, {}), StandingClock(), health=health, assess=assess)
    port = await board.serve(0)
    try:
        async with ClientSession(f"http://127.0.0.1:{port}") as session:
            yield board, session
    finally:
        await board.close()
        await asyncio.sleep(0)  # aiohttp's handlers of hung up connections end in the next turn of the loop


async def test_page_files_and_headers() -> None:
    async with serving() as (_, session):
        for path in ("/", "/static/board.js", "/static/board.css", "/static/icon.svg", "/page.json", "/healthz"):
            async with session.get(path) as answer:
                assert answer.status == 200
                assert answer.headers["Cache-Control"] == "no-store"
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:1", 200), ("localhost", 200), ("[::1]:80", 200), ("evil.example", 403), ("127.0.0.1.evil", 403)],
)
async def test_only_this_machine_is_answered(host: str, status: int) -> None:
    async with serving() as (_, session), session.get("/page.json", headers={"Host": host}) as answer:
        assert answer.status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/page.json", "/events", "/nowhere"])
async def test_nothing_can_be_written(method: str, path: str) -> None:
    async with serving() as (_, session), session.request(method, path) as answer:
        assert answer.status == 405
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_the_stream_shows_what_is_fed_and_ends_with_the_board() -> None:
    async with serving() as (board, session), session.get("/events") as answer:
        first = await anext(pages(answer.content))
        assert first.links == []
        board.feed([LinkChanged(at_ns=0, connection="plc", up=False, reason="refused")])
        async for shown in pages(answer.content):
            if shown.links:
                break
        async with asyncio.timeout(1.0):
            await board.close()
            while await answer.content.readline():
                pass


async def pages(stream: StreamReader) -> AsyncIterator[Page]:
    while line := await stream.readline():
        if line.startswith(b"data: "):
            yield msgspec.json.decode(line[6:], type=Page)


async def test_whoever_asks_has_the_plant_assessed() -> None:
    asked = 0

    async def assess() -> Findings | None:
        nonlocal asked
        asked += 1
        event = LinkChanged(at_ns=5, connection="plc", up=True, reason="")
        return Findings(5, [event]) if asked == 1 else None

    async with serving(assess) as (_, session):
        async with session.get("/findings.json") as answer:
            assert await answer.json() == {
                "at_ns": 5,
                "events": [
                    {"event": "link_changed", "at_ns": 5, "connection": "plc", "up": True, "reason": "", "warning": ""}
                ],
            }
        async with session.get("/findings.json") as answer:
            assert answer.status == 503
        async with session.head("/findings.json") as answer:
            assert (answer.status, asked) == (503, 2)
