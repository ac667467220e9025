"""The real programs, each in a process of its own: the gateway, and the simulated plant that it watches."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Self, TypeVar

PLANT = Path(__file__).with_name("plant")
"""A plant with cycles of some seconds, day and night."""
CONNECTIONS = ("gearbox_plc", "pump_gateway")
"""Its connections."""

_LINECONTROL = (sys.executable, "-m", "linecontrol")
_T = TypeVar("_T")


def wait_for(what: str, look: Callable[[], _T | None], patience_s: float) -> _T:
    """The first answer of ``look`` that is true; fails after ``patience_s`` real seconds."""
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what}"
        time.sleep(0.02)
    return found


def linecontrol(*arguments: str | Path, patience_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*_LINECONTROL, *map(str, arguments)], capture_output=True, text=True, timeout=patience_s, check=False
    )


def copy_of_plant(folder: Path, extra: str = "") -> Path:
    """The plant's config in a folder of its own, with further YAML."""
    shutil.copytree(PLANT, folder)
    if extra:
        (folder / "extra.yaml").write_text(extra)
    return folder


class Plant:
    """``linecontrol simulate``, led over its standard input; it also ends when that closes."""

    def __init__(self, folder: Path, ports: Mapping[str, int] | None = None) -> None:
        """Serve at these ports, or at any, and wait until it does."""
        command = [*_LINECONTROL, "simulate", str(folder), "--control"]
        for name, port in (ports or {}).items():
            command += ["--port", f"{name}={port}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.ports: dict[str, int] = self._answer()["ports"]
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def truth(self) -> dict[str, int]:
        """Cycles that each station has really done, by ``line/station``."""
        assert self._process.stdin is not None
        self._process.stdin.write("truth\n")
        self._process.stdin.flush()
        lines = self._answer()["truth"]["lines"]
        return {
            f"{line}/{name}": station["cycles"]
            for line, told in lines.items()
            for name, station in told["stations"].items()
        }

    def stop_answering(self) -> None:
        """Freeze the process: its sockets stay open, and nobody is home."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the simulated plant ended; its own words are above"
        answer: dict[str, Any] = json.loads(line)
        return answer


class GatewayProcess:
    """``linecontrol run``, with a notify socket as systemd gives it."""

    def __init__(self, folder: Path, state: Path, ports: Mapping[str, int], *, watchdog_s: float = 3.0) -> None:
        """Start it; ``ports`` are those of the simulated plant. Its log is added to ``state``'s, with suffix .log."""
        self.state = state
        self.log = state.with_suffix(".log")
        self._told: list[str] = []
        self._address = f"\0linecontrol-test-{os.getpid()}-{id(self)}"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._notify.bind(self._address)
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": "@" + self._address[1:],
            "WATCHDOG_USEC": str(round(watchdog_s * 1e6)),
        }
        command = [*_LINECONTROL, "run", str(folder), "--state", str(state)]
        for name, port in ports.items():
            command += ["--at", f"{name}={port}"]
        with self.log.open("ab") as log:
            self._from = log.tell()
            self._process = subprocess.Popen(command, env=environment, stderr=log, stdin=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def told(self) -> list[str]:
        """All that systemd would have been told so far."""
        with suppress(BlockingIOError):
            while True:
                self._told.append(self._notify.recv(4096).decode())
        return self._told

    def ready(self, patience_s: float = 30) -> Self:
        """Wait for READY=1."""

        def look() -> bool:
            assert self._process.poll() is None, f"the gateway ended:\n{self.words()}"
            return "READY=1" in self.told()

        wait_for("READY=1", look, patience_s)
        return self

    def words(self) -> str:
        """What this process logged."""
        with self.log.open("rb") as log:
            log.seek(self._from)
            return log.read().decode()

    @property
    def board(self) -> str:
        """Address of the board, without a slash at its end."""

        def said() -> str | None:
            return next((line for line in self.words().splitlines() if line.startswith("board: ")), None)

        return wait_for("the board's address", said, 5).split()[1].rstrip("/")

    def health(self) -> dict[str, Any]:
        """What it says of itself."""
        return self._json("/healthz")

    def page(self) -> dict[str, Any]:
        """What the board shows."""
        return self._json("/page.json")

    def get(self, path: str) -> HTTPResponse:
        """The board's answer."""
        answer: HTTPResponse = urllib.request.urlopen(self.board + path, timeout=10)  # noqa: S310 - loopback
        return answer

    def _json(self, path: str) -> dict[str, Any]:
        with self.get(path) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def states(self) -> dict[str, str]:
        """The state of each station, by ``line/station``, as the board shows it."""
        return {
            f"{line['name']}/{tile['name']}": tile["state"]
            for line in self.page()["lines"]
            for tile in line["stations"]
        }

    def links_up(self) -> set[bool]:
        """Whether connections are up: all, none, or some."""
        return {link["up"] for link in self.health()["connections"].values()}

    def wait_for_links(self, *, up: bool, patience_s: float) -> None:
        """Wait until all connections are up, or all down."""
        wait_for(
            f"links {'up' if up else 'down'}",
            lambda: self.links_up() == {up},
            patience_s,
        )

    def wait_for_records(self, more: int) -> None:
        """Wait until the journal has so many more."""
        goal = self.health()["journal_records"] + more
        wait_for(f"{more} more records", lambda: self.health()["journal_records"] >= goal, 30)

    def hang_up(self) -> None:
        """Ask it by signal to take up other rules."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self, patience_s: float = 10) -> int:
        """Ask it to stop as systemd does; its exit code."""
        self.told()  # the kernel keeps only some messages that nobody took
        self._process.terminate()
        return self.ended(patience_s)

    def ended(self, patience_s: float) -> int:
        """Wait until it ended; its exit code."""
        return self._process.wait(patience_s)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()
        self._notify.close()


@contextmanager
def running(folder: Path, state: Path) -> Iterator[tuple[Plant, GatewayProcess]]:
    """A plant and a gateway that sees all of it."""
    with Plant(folder) as plant, GatewayProcess(folder, state, plant.ports).ready() as gateway:
        gateway.wait_for_links(up=True, patience_s=15)
        yield plant, gateway
