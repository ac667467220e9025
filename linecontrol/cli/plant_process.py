"""The simulated plant in a process of its own, led over its standard input and output."""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from linecontrol.errors import LinecontrolError

START_PATIENCE_S = 60.0
ANSWER_PATIENCE_S = 30.0


class PlantProcess:
    """``linecontrol simulate --control`` as a child. Use as a context manager: it ends with it."""

    def __init__(self, folder: Path, speed: float, plant_ns: int, seed: int | None) -> None:
        """Plant time stands still at ``plant_ns`` until ``start``."""
        self._command = [sys.executable, "-m", "linecontrol", "simulate", str(folder), "--control"]
        self._command += ["--clock", f"{speed},{plant_ns}"]
        if seed is not None:
            self._command += ["--seed", str(seed)]
        self.ports: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        """Start it and wait until it serves.

        Raises:
            LinecontrolError: it did not start.
        """
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
            start_new_session=True,
        )
        try:
            self.ports = (await self._answer(START_PATIENCE_S))["ports"]
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self._stop()

    async def start(self, real_ns: int) -> None:
        """Plant time runs from this wall clock time on."""
        await self._ask(f"start {real_ns}")

    async def freeze(self) -> dict[str, Any]:
        """Plant time stands still at once; where (``frozen_ns``), and what was built by then (``truth``)."""
        return await self._ask("freeze")

    async def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101 - made with a pipe
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()
        return await self._answer(ANSWER_PATIENCE_S)

    async def _answer(self, patience_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - made with a pipe
        try:
            async with asyncio.timeout(patience_s):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            msg = f"the simulated plant did not answer within {patience_s:g} s"
            raise LinecontrolError(msg) from error
        if not line:
            msg = f"the simulated plant ended (exit code {await self._process.wait()}); its own words are above"
            raise LinecontrolError(msg)
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _stop(self) -> None:
        with suppress(ProcessLookupError, ConnectionError):
            if self._process.stdin is not None:
                self._process.stdin.close()
            try:
                async with asyncio.timeout(5):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
