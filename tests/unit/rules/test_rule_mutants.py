"""Small faults put into the engine: random rules must find each of them.

A fault is a piece of a function's source with another in its place; the function's code is exchanged while the test
runs. If its source was rewritten, the fault has to be as well.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from inspect import getsource
from random import Random
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import Any

import pytest

from tests.unit.rules.naive.cases import Case, Scale, by_flag, by_reference, case, crowd, long, night, short
from tests.unit.rules.naive.reference import Said
from tests.unit.rules.naive.ways import WAYS

SCALES = {each.__name__: cache(each) for each in (short, crowd, long, night)}
MOST = {"short": 150, "crowd": 120, "long": 40, "night": 40}
"""Cases of ten rules or more within which a fault has to be found."""

FAULTS = [
    # module, function, piece, in its place
    ("alarm", "feel", "elif signal is False:", "elif not signal:"),
    ("alarm", "feel", "alarm.told_ns = at_ns", "pass"),
    (
        "alarm",
        "_turn_ns",
        "max(alarm.since_ns + _delay(alarm, life), alarm.told_ns)",
        "alarm.since_ns + _delay(alarm, life)",
    ),
    ("alarm", "_turn_ns", "if alarm.raised and life.latch and not alarm.acked:", "if False:"),
    ("alarm", "_turn_ns", "BLIND_AFTER_NS", "2 * BLIND_AFTER_NS"),
    ("alarm", "_turn", "not (life.ack or life.latch)", "not life.ack"),
    ("alarm", "_turn", "alarm.shelf.once", "False"),
    ("alarm", "_delay", "life.off_delay_ns if alarm.raised", "life.on_delay_ns if alarm.raised"),
    ("alarm", "_again_ns", "alarm.raised and alarm.acked", "alarm.acked"),
    ("alarm", "due_ns", "_end(alarm.shelf),", ""),
    ("alarm", "due_ns", "_again_ns(alarm, life),", ""),
    ("alarm", "acknowledge", "*_turn(alarm, life, at_ns)", ""),
    ("alarm", "suppress", "if suppressed is None or", "if"),
    ("chain", "advance", "worked > progress.until_w", "worked >= progress.until_w"),
    ("chain", "advance", "rises[progress.step]", "held[progress.step]"),
    ("chain", "advance", "progress.complete and held[len(stages)]", "False"),
    ("chain", "advance", "True, int(rises[0])", "True, 0"),
    ("kleene", "both", "left is False or right is False", "left is False"),
    ("kleene", "either", "left is True or right is True", "left is True"),
    ("kleene", "quotient", "right == 0", "False"),
    ("fold", "_state", "else event.since_ns", "else event.at_ns"),
    ("fold", "_started", "start_w -= round(event.active_s * 1e9)", "pass"),
    ("fold", "_completed", "if event.planned_s is not None:", "if True:"),
    ("fold", "_bottleneck", ">= FOUND", "> FOUND"),
    ("fold", "_link", "facts.up is not event.up", "True"),
]
ALWAYS = FAULTS[::6]
"""Those that are looked for at each push; a study looks for all of them."""


def found(module: str, path: str, piece: str, other: str) -> int | None:
    """The number of cases after which the fault was found; ``None`` if it wasn't."""
    with faulty(import_module(f"linecontrol.rules.{module}"), path, piece, other):
        seeds = [(name, seed) for seed in range(max(MOST.values())) for name in SCALES if seed < MOST[name]]
        for number, (name, seed) in enumerate(seeds, 1):
            if said(case_of(name, seed), seed) != wanted(name, seed):
                return number
    return None


def said(of: Case, seed: int) -> dict[str, list[Said]] | str:
    """What a room says, now stopped and started again, now among other rules, now plainly; or how it breaks."""
    try:
        return by_flag(WAYS[seed % 3](of, Random(seed)))
    except Exception as error:  # noqa: BLE001 - whatever a fault brings about
        return repr(error)


@cache
def case_of(name: str, seed: int) -> Case:
    scale: Scale = SCALES[name]()
    return case(scale, Random(seed))


@cache
def wanted(name: str, seed: int) -> dict[str, list[Said]]:
    return by_flag(by_reference(case_of(name, seed)))


@contextmanager
def faulty(module: ModuleType, path: str, piece: str, other: str) -> Iterator[None]:
    """The module with a fault in one of its functions (``Class.method`` or ``function``)."""
    function: Any = module
    for part in path.split("."):
        function = getattr(function, part)
    function = function.fget if isinstance(function, property) else function
    assert isinstance(function, FunctionType)
    source = dedent(getsource(function))
    assert source.count(piece) >= 1, f"{module.__name__}.{path} was rewritten: find another fault for {piece!r}"
    source = source.replace(piece, other).replace("@override\n", "").replace("@property\n", "")
    scope: dict[str, Any] = {}
    exec(compile(source, "<fault>", "exec"), {**vars(module)}, scope)  # noqa: S102 - our own source
    broken: Callable[..., Any] = scope[path.rpartition(".")[2]]
    whole = function.__code__
    function.__code__ = broken.__code__
    try:
        yield
    finally:
        function.__code__ = whole


def names(faults: list[tuple[str, str, str, str]]) -> list[str]:
    return [f"{module}.{path}: {piece}" for module, path, piece, _ in faults]


@pytest.mark.parametrize("fault", ALWAYS, ids=names(ALWAYS))
def test_some_faults_are_found(fault: tuple[str, str, str, str]) -> None:
    assert found(*fault)


@pytest.mark.study
@pytest.mark.parametrize("fault", FAULTS, ids=names(FAULTS))
def test_every_fault_is_found(fault: tuple[str, str, str, str]) -> None:
    assert found(*fault)
