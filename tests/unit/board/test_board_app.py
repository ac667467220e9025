import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import ClientSession, StreamReader

from linecontrol.board import Board, BoardView
from linecontrol.board.access import MOST_WRONG, TOKEN_HEADER
from linecontrol.board.operators import Operators
from linecontrol.board.page import Page
from linecontrol.config import Config
from linecontrol.errors import ReloadRefused
from linecontrol.model.event import FlagChanged, LinkChanged, RulesChanged
from linecontrol.model.health import Health
from linecontrol.model.observation import Findings, Operation
from linecontrol.model.state import AlarmState, Severity


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
    operators: Callable[[], Operators] | None = None,
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
    board = Board(
        BoardView(config, {}), StandingClock(), health=health, assess=assess, operators=operators and operators()
    )
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


# --- acting on flags ----------------------------------------------------------------------------------------

TOKEN = "a-token-of-more-than-thirty-two-characters"  # noqa: S105 - a test
RIGHT = {TOKEN_HEADER: TOKEN}
WISH = {"verb": "ack", "flag": "r/plc", "user": "ali"}


class Wishes:
    """Operators whose wishes come true at once."""

    def __init__(self) -> None:
        self.taken: list[Operation] = []

    def operators(self) -> Operators:
        self.made = Operators(TOKEN, lambda: {"r/plc"}, self.take, StandingClock())
        return self.made

    async def take(self, wish: Operation) -> None:
        self.taken.append(wish)
        done = FlagChanged(
            at_ns=wish.at_ns, flag=wish.flag, rule="r", line="", station="", transition="acknowledged",
            state=AlarmState.ACKNOWLEDGED, severity=Severity.WARNING, raised_ns=0, text="m", by=wish.user,
        )  # fmt: skip
        self.made.feed([done])


async def test_who_holds_the_token_acts() -> None:
    wishes = Wishes()
    async with serving(operators=wishes.operators) as (_, session):
        async with session.post("/operator", headers=RIGHT) as answer:
            assert (answer.status, await answer.read()) == (204, b"")
        async with session.post("/flags", headers=RIGHT, json=WISH) as answer:
            assert await answer.json() == {"flag": "r/plc", "transition": "acknowledged", "state": "acknowledged"}
    assert [(wish.verb, wish.flag, wish.user) for wish in wishes.taken] == [("ack", "r/plc", "ali")]


@pytest.mark.parametrize("path", ["/flags", "/operator", "/reload"])
@pytest.mark.parametrize(
    "headers",
    [{}, {TOKEN_HEADER: "wrong"}, {TOKEN_HEADER: TOKEN[:-1]}]
    + [{**RIGHT, "Origin": origin} for origin in ("http://evil.example", "null", "https://127.0.0.1")]
    + [{**RIGHT, "Sec-Fetch-Site": site} for site in ("cross-site", "same-site")],
)
async def test_nobody_else_acts(path: str, headers: dict[str, str]) -> None:
    wishes = Wishes()
    async with (
        serving(operators=wishes.operators) as (_, session),
        session.post(path, headers=headers, json=WISH) as answer,
    ):
        assert answer.status == 403
        assert TOKEN not in await answer.text()
    assert not wishes.taken


async def test_wrong_tokens_are_told_to_wait_and_keep_no_right_one_out(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(operators=Wishes().operators) as (_, session):
        for number in range(MOST_WRONG + 2):
            async with session.post("/operator", headers={TOKEN_HEADER: f"guess{number}"}) as answer:
                assert answer.status == (403 if number < MOST_WRONG else 429)
                assert ("Retry-After" in answer.headers) is (number >= MOST_WRONG)
        async with session.post("/operator", headers=RIGHT) as answer:
            assert answer.status == 204
    assert [record.message for record in caplog.records] == [f"{MOST_WRONG} wrong operator tokens within 30 s"]


@pytest.mark.parametrize(
    ("wish", "status", "said"),
    [
        ({**WISH, "verb": "shelve"}, 422, "shelve needs a reason"),
        ({**WISH, "verb": "out_of_service", "reason": " "}, 422, "out_of_service needs a reason"),
        ({**WISH, "verb": "silence"}, 422, "there is no 'silence'"),
        ({**WISH, "flag": "r/other"}, 422, "there is no flag"),
        ({**WISH, "user": ""}, 422, "a user has"),
        ({**WISH, "user": "a\nb"}, 422, "a user has"),
        ({**WISH, "reason": "x" * 501}, 422, "a reason has up to"),
        ({**WISH, "for_s": -1.0}, 422, "a time has to be"),
        ({**WISH, "more": 1}, 400, "not understood"),
        ({"verb": "ack"}, 400, "not understood"),
    ],
)
async def test_a_wish_that_can_t_be_meant_is_refused(wish: dict[str, object], status: int, said: str) -> None:
    wishes = Wishes()
    async with (
        serving(operators=wishes.operators) as (_, session),
        session.post("/flags", headers=RIGHT, json=wish) as answer,
    ):
        assert answer.status == status
        assert said in (await answer.json())["error"]
    assert not wishes.taken


# --- other rules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        (None, 200, {"changed": None, "text": None}),
        (ReloadRefused(["a", "b"]), 422, {"error": "the rules that count go on", "problems": ["a", "b"]}),
    ],
)
async def test_a_reload_tells_what_came_of_it(
    changed: ReloadRefused | None, status: int, said: dict[str, object]
) -> None:
    users: list[str] = []

    async def reload(user: str) -> RulesChanged | None:
        users.append(user)
        if changed is not None:
            raise changed
        return None

    def operators() -> Operators:
        return Operators(TOKEN, set, Wishes().take, StandingClock(), reload=reload)

    async with serving(operators=operators) as (_, session):
        async with session.post("/reload", headers=RIGHT, json={"user": "eva"}) as answer:
            assert (answer.status, await answer.json()) == (status, said)
        for wrong in ({"user": ""}, {"user": "a\nb"}, {}):
            async with session.post("/reload", headers=RIGHT, json=wrong) as answer:
                assert answer.status in (400, 422)
    assert users == ["eva"]


async def test_a_gateway_without_a_folder_of_its_own_does_not_reload() -> None:
    async with (
        serving(operators=Wishes().operators) as (_, session),
        session.post("/reload", headers=RIGHT, json={"user": "eva"}) as answer,
    ):
        assert answer.status == 409
