"""Reloads: one at a time, told once durable; what is refused changes nothing and stands until it goes well."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from linecontrol.config import Config
from linecontrol.config.rules_data import rules_text
from linecontrol.engine import Engine
from linecontrol.errors import ReloadRefused
from linecontrol.gateway.inbox import Inbox
from linecontrol.gateway.journal import Journal
from linecontrol.gateway.journal_file import read_journal
from linecontrol.gateway.notify import Notifier
from linecontrol.gateway.pipeline import Pipeline
from linecontrol.gateway.reloader import Reloader
from linecontrol.model import AnyEvent, RulesGiven
from linecontrol.testing import ManualClock
from tests.unit.line.plant import MONDAY_8, config

LINK = {"each": "connection", "when": "not up", "on_unknown": "raise", "message": "m"}


def plant(**rules: object) -> Config:
    return config({"a": {"cycle_by": "part_present", "signals": ["part_present"]}}, {"rules": rules})


def text(**rules: object) -> str:
    return rules_text(plant(**rules))


class Told(Notifier):
    """Keeps what systemd would be told."""

    def __init__(self) -> None:
        super().__init__("")
        self.said: list[str] = []

    @override
    def _send(self, state: str) -> None:
        self.said.append(state.partition("=")[0])


class Rig:
    """A pipeline round an engine, and folders whose contents a test chooses."""

    def __init__(self, journal: Journal) -> None:
        self.engine, self.inbox = Engine(plant(r=LINK)), Inbox()
        self.clock, self.notifier = ManualClock(MONDAY_8), Told()
        self.on_disk: list[str | ReloadRefused | OSError] = []
        self.tried = asyncio.Event()
        self.reloader = Reloader(self.engine, self._try_out, self.inbox, self.clock, self.notifier)
        self.pipeline = Pipeline(
            self.engine, journal, self.inbox, self.clock, resolution_ns=10**9, snapshot_every_ns=10**12, tell=self._tell
        )

    async def _try_out(self) -> str:
        self.tried.set()
        await asyncio.sleep(0)
        found = self.on_disk.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def _tell(self, events: Sequence[AnyEvent]) -> None:
        self.reloader.feed(events)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Rig]:
    async with asyncio.timeout(20), await Journal.open(folder / "j", commit_every_s=0.001) as journal:
        rig = Rig(journal)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(rig.pipeline.think()), group.create_task(rig.pipeline.forward())]
            yield rig
            for task in tasks:
                task.cancel()


async def test_what_changed_is_told_once_it_is_durable(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.on_disk = [text(s=LINK), text(s=LINK)]
        changed = await rig.reloader.reload("eva")
        assert changed is not None
        assert (changed.by, changed.added, changed.removed) == ("eva", ["s"], ["r"])
        assert rig.engine.rules == text(s=LINK)
        assert await rig.reloader.reload("ali") is None
        assert rig.notifier.said == ["RELOADING", "READY"] * 2
    given = [each for record in read_journal(tmp_path / "j") for each in record.observations]
    assert [each.by for each in given if isinstance(each, RulesGiven)] == ["eva"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (ReloadRefused(["a.yaml:1:2: one", "b.yaml:3:4: two"]), "a.yaml:1:2: one, and 1 more"),
        (OSError("no memory"), "can't be tried out: OSError('no memory')"),
        (text(r={**LINK, "when": "nonsense"}), "rules.r.when: at character 1"),
        ("{}", "another version"),
    ],
)
async def test_what_is_refused_changes_nothing_and_stands_until_it_goes_well(
    tmp_path: Path, wrong: str | ReloadRefused | OSError, said: str
) -> None:
    async with running(tmp_path) as rig:
        before = rig.engine.rules
        rig.on_disk = [wrong, before]
        with pytest.raises(ReloadRefused):
            await rig.reloader.reload("eva")
        assert said in rig.reloader.trouble
        assert rig.engine.rules == before
        assert rig.notifier.said == ["RELOADING", "READY"]
        await rig.reloader.reload("eva")
        assert rig.reloader.trouble == ""


async def test_reloads_that_come_together_are_done_one_after_the_other(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.on_disk = [text(s=LINK), text(t=LINK), text(t=LINK)]
        done = await asyncio.gather(*(rig.reloader.reload(name) for name in "abc"))
        assert [None if each is None else (each.by, each.added) for each in done] == [("a", ["s"]), ("b", ["t"]), None]


async def test_a_signal_is_heard_however_the_last_reload_went(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.on_disk = [ReloadRefused(["no"]), text(s=LINK), text(s=LINK)]
        wanted = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(rig.reloader.run(wanted, "SIGHUP"))
            for _ in range(2):
                wanted.set()
                await rig.tried.wait()
                rig.tried.clear()
            assert await rig.reloader.reload("eva") is None, "it comes after the one that the signal wanted"
            task.cancel()
        assert (rig.reloader.trouble, rig.engine.rules) == ("", text(s=LINK))
