"""What every asynchronous test must leave behind: nothing."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Generator
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that leaves a task of its own behind fails."""
    for item in items:
        if isinstance(item, pytest.Function) and iscoroutinefunction(item.obj):
            item.obj = _leaving_nothing(item.obj)


def _leaving_nothing(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    @wraps(test)
    async def checked(*arguments: Any, **named: Any) -> None:
        before = asyncio.all_tasks()
        await test(*arguments, **named)
        leaked = [task for task in asyncio.all_tasks() - before if not task.done()]
        assert not leaked, f"the test left tasks behind: {leaked}"

    return checked


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all programs are said to be installed, a skipped test is a failed one."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("LINECONTROL_REQUIRE_PROGRAMS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, although every program should be here: {report.longrepr}"
    return report
