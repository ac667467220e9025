import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from linecontrol.config.gateway import InfluxConfig
from linecontrol.errors import SinkAway
from linecontrol.model.event import Sampled
from linecontrol.model.record import Delivery, Record
from linecontrol.sinks.influx import LARGEST_BODY, PATIENCE, InfluxSink

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def sink_of(handler: Handler, **settings: Any) -> Any:
    app = web.Application()
    app.router.add_post("/api/v2/write", handler)
    async with TestServer(app) as server:
        sink = InfluxSink(InfluxConfig(url=str(server.make_url("")), **settings), site="s", area="a")
        try:
            yield sink
        finally:
            await sink.close()


def records(count: int) -> list[Record]:
    event = [Sampled(at_ns=n, line="l", station="st", name="x", value=float(n)) for n in range(count)]
    return [Record(seq=n + 1, now_ns=n, observations=[], events=[event[n]]) for n in range(count)]


def answering(status: int, **headers: str) -> AbstractAsyncContextManager[InfluxSink]:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers, text=json.dumps({"code": "x", "message": "because"}))

    return sink_of(handler)


@pytest.mark.parametrize(
    ("status", "headers", "retry"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:10 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 10.0),
        (503, {"Retry-After": "-5"}, None),
        (502, {}, None),
        (504, {}, None),
        (401, {}, 30.0),
        (403, {}, 30.0),
        (404, {}, 30.0),
        (302, {"Location": "http://127.0.0.1:1/"}, 30.0),
        (500, {}, None),
    ],
)
async def test_answers_that_mean_try_again(status: int, headers: dict[str, str], retry: float | None) -> None:
    async with answering(status, **headers) as sink:
        with pytest.raises(SinkAway, match=str(status)) as away:
            await sink.deliver(records(3))
        assert away.value.retry_after_s == retry


@pytest.mark.parametrize("status", [400, 413, 422, 500])
async def test_a_bad_line_is_found_and_the_others_are_delivered(status: int) -> None:
    taken: set[str] = set()

    async def handler(request: web.Request) -> web.Response:
        lines = (await request.text()).split("\n")
        if any("x=5.0" in line for line in lines):
            return web.json_response({"error": "field type conflict"}, status=status)
        taken.update(lines)
        return web.Response(status=204)

    async with sink_of(handler) as sink:
        for _ in range(PATIENCE if status == 500 else 0):
            with pytest.raises(SinkAway):
                await sink.deliver(records(20))
        delivery: Delivery = await sink.deliver(records(20))
    assert (delivery.delivered, delivery.refused, len(taken)) == (19, 1, 19)
    assert "field type conflict" in delivery.trouble


async def test_a_server_that_always_fails_loses_nothing() -> None:
    async with answering(500) as sink:
        for _ in range(PATIENCE + 3):
            with pytest.raises(SinkAway):
                await sink.deliver(records(4))


async def test_a_good_write_carries_gzip_and_token(tmp_path: Any) -> None:
    seen: list[tuple[str, str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.query["bucket"], request.headers["Authorization"], await request.text()))
        return web.Response(status=204)

    (tmp_path / "token").write_text("secret\n")
    async with sink_of(handler, gzip=True, batch=2, token_file=str(tmp_path / "token")) as sink:
        assert (await sink.deliver(records(3))) == Delivery(delivered=3)
    assert [(bucket, token, text.count("\n") + 1) for bucket, token, text in seen] == [
        ("mes_raw", "Token secret", 2),
        ("mes_raw", "Token secret", 1),
    ]


async def test_nobody_there() -> None:
    sink = InfluxSink(InfluxConfig(url="http://127.0.0.1:9"), site="s", area="a")
    with pytest.raises(SinkAway, match="connect"):
        await sink.deliver(records(1))
    await sink.close()


async def test_no_request_is_larger_than_a_proxy_takes() -> None:
    sizes: list[int] = []

    async def handler(request: web.Request) -> web.Response:
        sizes.append(len(await request.read()))
        return web.Response(status=204)

    async with sink_of(handler, batch=50_000) as sink:
        assert (await sink.deliver(records(30_000))).delivered == 30_000
    assert len(sizes) == 2
    assert max(sizes) <= LARGEST_BODY
