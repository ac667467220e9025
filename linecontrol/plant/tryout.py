"""Whether other rules may count: their folder loads, and the engineers' own tests in it pass.

A process of its own does it (``python -m linecontrol.plant.tryout DIR``), at low priority: a thread would make the
gateway's event loop wait for tens of milliseconds at a time, and what it needs of memory would stay.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from linecontrol.config.rule_test_loader import load_tests
from linecontrol.config.rules_data import rest_of, rules_text
from linecontrol.errors import ConfigError, LinecontrolError, ReloadRefused
from linecontrol.plant.load import load_plant
from linecontrol.plant.rule_tests import run_tests

PATIENCE_S = 240.0
"""Real seconds that it may take."""
_NICE = 10


class Tried(Struct, frozen=True):
    """What a folder holds: its rules as ``rules_data`` makes a text of them, and the rest, each part with its place."""

    rules: str = ""
    rest: dict[str, str] = {}
    places: dict[str, str] = {}
    problems: list[str] = []


def try_out(folder: Path) -> Tried:
    """Load a folder and run its tests; what is wrong are ``problems``."""
    try:
        plan = load_plant(folder)
        results = run_tests(plan.config, load_tests(folder))
        failures = [f"{failure} (test {result.name!r})" for result in results for failure in result.failures]
    except ConfigError as error:
        return Tried(problems=error.problems)
    except LinecontrolError as error:
        return Tried(problems=[str(error)])
    rest = rest_of(plan.config)
    places = {where: str(plan.place.of_key(tuple(where.split(".")))) for where in rest}
    return Tried(rules_text(plan.config), rest, places, failures)


async def tried(folder: Path, running: dict[str, str]) -> str:
    """The rules of a folder that were tried out and may take the place of those that count; ``rest_of`` what runs.

    Raises:
        ReloadRefused: they may not: all reasons.
    """
    command = [sys.executable, *(["-I"] if sys.flags.isolated else []), "-m", __name__, str(folder)]
    child = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, start_new_session=True)
    try:
        async with asyncio.timeout(PATIENCE_S):
            said, _ = await child.communicate()
        found = msgspec.json.decode(said, type=Tried)
    except TimeoutError as error:
        raise ReloadRefused([f"the tests of {folder} took longer than {PATIENCE_S:g} s"]) from error
    except msgspec.MsgspecError as error:
        raise ReloadRefused([f"{folder} could not be tried out (exit code {child.returncode}); see the log"]) from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if problems := [*found.problems, *([] if found.problems else _misfits(found, running))]:
        raise ReloadRefused(problems)
    return found.rules


def _misfits(found: Tried, running: dict[str, str]) -> list[str]:
    """What of a config differs from what runs and can't change while it does."""
    changed = [where for where in running | found.rest if running.get(where) != found.rest.get(where)]
    return [
        f"{found.places[where]}: {where} differs from what runs; restart the gateway to have it"
        if where in found.rest
        else f"{where} runs and is not there any more; restart the gateway to be without it"
        for where in changed
    ]


if __name__ == "__main__":
    with suppress(OSError):  # the service may not be allowed to
        os.nice(_NICE)
    sys.stdout.buffer.write(msgspec.json.encode(try_out(Path(sys.argv[1]))))
