"""InfluxDB: encodes records, sends them, and decides by the answer what to keep and what to drop."""

import asyncio
import gzip
import re
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from typing_extensions import override

from linecontrol.config.gateway import InfluxConfig
from linecontrol.credentials import in_credentials
from linecontrol.errors import SinkAway, SinkRefused
from linecontrol.model.health import Health
from linecontrol.model.record import Delivery, Record
from linecontrol.sinks.line_protocol import Encoder, Line
from linecontrol.sinks.schema import Database

PATIENCE = 5
"""Answers 500 in a row that are taken for the server's trouble, before a line is suspected."""
SLOW_RETRY_S = 30.0
"""Pause after an answer that only a person can mend: credentials, a missing bucket, a wrong address."""
LARGEST_BODY = 1_000_000
"""Bytes that are sent in one request at the most, before compression; proxies often refuse more than 1 MiB."""
LARGEST_ANSWER = 65_536
"""Bytes of an answer that are read at the most."""


class _ShortAnswer(aiohttp.ClientResponse):
    """An answer that can't fill the memory."""

    @override
    async def read(self) -> bytes:
        if self._body is None:
            self._body = await self.content.read(LARGEST_ANSWER)
            if not self.content.at_eof():
                self.close()
        return self._body


class _ServerError(Exception):
    """A plain 500: the server's trouble, or a line that it can't bear."""


class InfluxSink:
    """Writes events to InfluxDB. Sending the same records again changes nothing there."""

    def __init__(self, config: InfluxConfig, *, site: str, area: str) -> None:
        """Do no I/O. ``site`` and ``area`` are tags of every point."""
        self._config = config
        self._encoder = Encoder(site, area)
        self._buckets = {Database.EVENTS: config.events, Database.KPI: config.kpi, Database.RAW: config.raw}
        self._client: InfluxDBClientAsync | None = None
        self._server_errors = 0

    async def deliver(self, records: Sequence[Record]) -> Delivery:
        """Write the records' events; lines that the server refuses for good are dropped and counted.

        Raises:
            SinkAway: the server can't take them now.
        """
        return await self._send([line for record in records for line in self._encoder.record(record)])

    async def report(self, health: Health) -> Delivery:
        """Write the gateway's own health.

        Raises:
            SinkAway: the server can't take it now; it isn't kept.
        """
        return await self._send(self._encoder.health(health))

    async def close(self) -> None:
        """Drop the connections. May be called more than once."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call]

    async def _send(self, lines: Sequence[Line]) -> Delivery:
        delivered, refusals = 0, list[str]()
        for database, bucket in self._buckets.items():
            texts = [line.text for line in lines if line.database is database]
            for batch in _batches(texts, self._config.batch):
                refused = await self._write(bucket, batch)
                delivered += len(batch) - len(refused)
                refusals += refused
        return Delivery(delivered=delivered, refused=len(refusals), trouble=refusals[0] if refusals else "")

    async def _write(self, bucket: str, lines: list[bytes]) -> list[str]:
        """Write lines; return why which were refused."""
        try:
            refusals = await self._halve(bucket, lines)
        except _ServerError as error:
            self._server_errors += 1
            if self._server_errors <= PATIENCE or len(lines) == 1:
                raise SinkAway(str(error)) from error
            refusals = await self._halve(bucket, lines, suspicious=True)
            if len(refusals) == len(lines):
                raise SinkAway(str(error)) from error
        self._server_errors = 0
        return refusals

    async def _halve(self, bucket: str, lines: list[bytes], *, suspicious: bool = False) -> list[str]:
        try:
            await self._post(bucket, lines)
        except (SinkRefused, _ServerError) as error:
            if isinstance(error, _ServerError) and not suspicious:
                raise
            if len(lines) == 1 or re.search(rf"dropped={len(lines)}\b", str(error)):
                return [str(error)] * len(lines)
            middle = len(lines) // 2
            left = await self._halve(bucket, lines[:middle], suspicious=suspicious)
            return left + await self._halve(bucket, lines[middle:], suspicious=suspicious)
        return []

    async def _post(self, bucket: str, lines: list[bytes]) -> None:
        body = b"\n".join(lines)
        extra = {}
        if self._config.gzip:
            body = await asyncio.to_thread(gzip.compress, body, 1)
            extra["content_encoding"] = "gzip"
        service = WriteService(self._connected().api_client)  # type: ignore[no-untyped-call]
        try:
            await service.post_write_async(  # type: ignore[no-untyped-call]
                org=self._config.org, bucket=bucket, body=body, precision="ns", async_req=False,
                content_type="text/plain; charset=utf-8", **extra,
            )  # fmt: skip
        except ApiException as answer:
            await self._judge(answer, bucket)
        except TimeoutError as error:
            msg = f"{self._config.url} did not answer in time"
            raise SinkAway(msg) from error
        except (aiohttp.ClientError, OSError) as error:
            msg = f"{self._config.url}: {error}"
            raise SinkAway(msg) from error

    async def _judge(self, answer: ApiException, bucket: str) -> None:
        status = int(answer.status or 0)
        said = answer.message.decode(errors="replace") if isinstance(answer.message, bytes) else str(answer.message)
        text = f"{self._config.url}, {bucket}: {status} {said[:300]}"
        if status in {400, 413, 422} or "partial write" in said:
            raise SinkRefused(text) from answer
        if status == 500:
            raise _ServerError(text) from answer
        if status == 429 or status > 500:
            raise SinkAway(text, retry_after_s=_retry_after_s(answer)) from answer
        await self.close()  # the next try reads the token anew
        raise SinkAway(text, retry_after_s=SLOW_RETRY_S) from answer

    def _connected(self) -> InfluxDBClientAsync:
        if self._client is None:
            self._client = InfluxDBClientAsync(
                url=self._config.url.rstrip("/"), token=self._token(), org=self._config.org,
                timeout=self._config.timeout // 1_000_000, allow_redirects=False,
                client_session_kwargs={"response_class": _ShortAnswer, "auto_decompress": False},
            )  # fmt: skip
        return self._client

    def _token(self) -> str:
        if self._config.token_file is None:
            return ""
        path = in_credentials(Path(self._config.token_file))
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"token file {path} can't be read: {type(error).__name__}"
            raise SinkAway(msg, retry_after_s=SLOW_RETRY_S) from error


def _batches(lines: Sequence[bytes], longest: int) -> Iterator[list[bytes]]:
    """Cut into requests, none of them empty."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) >= longest or size + len(line) >= LARGEST_BODY):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield batch


def _retry_after_s(answer: ApiException) -> float | None:
    """What the server wishes, in seconds: a number, or a date which is compared with the server's own."""
    wish = str(answer.retry_after or "").strip()
    if wish.isdecimal():
        return float(wish)
    try:
        date = parsedate_to_datetime(str(answer.headers.get("Date")))
        return max(0.0, (parsedate_to_datetime(wish) - date).total_seconds())
    except (ValueError, TypeError):
        return None
