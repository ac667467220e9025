"""What every asynchronous test must leave behind: nothing. And which tests run only when asked for.

Two markers say that a test takes long. ``slow`` (more than ten seconds) still runs on each push. ``study`` (minutes:
a long run, hundreds of simulated years) is skipped unless asked for with ``--study`` or ``LINECONTROL_STUDY=1``; it
may take an hour unless it has a ``timeout`` of its own. A study has a small version without the marker, whose bounds
fit its noise, so that each push checks the same thing coarsely. Run one with ``pytest --study -m study tests/unit``.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Generator
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch for studies."""
    parser.addoption("--study", action="store_true", help="also run the tests marked study: they take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that leaves a task of its own behind fails; a study waits until it is asked for."""
    studies = config.getoption("--study") or os.environ.get("LINECONTROL_STUDY") == "1"
    for item in items:
        if item.get_closest_marker("study"):
            if not studies:
                item.add_marker(pytest.mark.skip(reason="a study: run with --study or LINECONTROL_STUDY=1"))
            elif not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(3600))
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
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all programs are said to be installed, a skipped test is a failed one; a study may wait."""
    report = yield
    expected = hasattr(report, "wasxfail") or item.get_closest_marker("study")
    if report.skipped and not expected and os.environ.get("LINECONTROL_REQUIRE_PROGRAMS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, although every program should be here: {report.longrepr}"
    return report
