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

LOOKS = """for watch in due:
            if watch.wake is not None:
                self._look(watch, now)
        """
EXPIRIES = """for watch in due:
            self._follow(watch, expire(watch.alarm, watch.rule.life, at_ns), now)
        """

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
    ("fold", "_state", "event.since_ns if event.__class__ is StateHeld else", ""),
    ("fold", "_started", "start_w -= round(event.active_s * 1e9)", "pass"),
    ("fold", "_completed", "if event.planned_s is not None:", "if True:"),
    ("fold", "_bottleneck", ">= FOUND", "> FOUND"),
    ("fold", "_link", "facts.up is not event.up", "True"),
    ("annunciator", "Annunciator.tell", "if (group := _group(watch)) in self._loose:", "if False:"),
    ("annunciator", "Annunciator.tell", 'if step.transition == "unsuppressed" else step', "if False else step"),
    ("annunciator", "Annunciator._count", "line.since_ns is not None and not shown", "line.since_ns is not None"),
    ("annunciator", "Annunciator._count", " or self._is_first(watch)", ""),
    ("annunciator", "Annunciator._count", "flood.TELL_EVERY_NS + 1", "flood.TELL_EVERY_NS + 2"),
    ("annunciator", "Annunciator._settle", "standing.sort(key=_age)", "pass"),
    ("annunciator", "Annunciator._settle", " and (watch in waiting or watch.flag in self._wanting)", ""),
    ("annunciator", "Annunciator._free", "watch.alarm.wants and self._count(watch, at_ns)", "False"),
    ("annunciator", "Annunciator._ebb", "self._note(watch)", "pass"),
    ("annunciator", "_let_go", "if watch.alarm.is_suppressed", "if False"),
    ("annunciator", "Annunciator._chatters", " and alarm.shelf is None", ""),
    ("annunciator", "Annunciator._chatters", "if begins and", "if"),
    ("annunciator", "Annunciator._chatters", "min(settings.shelve, watch.rule.config.shelve_max)", "settings.shelve"),
    ("annunciator", "Annunciator._note", "self._wanting.discard(watch.flag)", "pass"),
    ("annunciator", "Annunciator._calm_ns", "self._chatter.calm", "self._chatter.window"),
    ("annunciator", "Annunciator.bind", "if watch.alarm.chatter_ns is not None", "if False"),
    ("annunciator", "Annunciator.bind", "memory.floods.get(line, Flood())", "Flood()"),
    ("flood", "take", "<= at_ns - settings.window", "< at_ns - settings.window"),
    ("flood", "over_ns", "flood.moments[-settings.leave]", "flood.moments[-1]"),
    ("chatter", "turn", "> at_ns - settings.window", ">= at_ns - settings.window"),
    ("system_flag", "SystemFlag.put", "if same_text or not raised", "if not raised"),
    ("chain", "advance", " and progress.step <= 1 and not broken", " and progress.step <= 1"),
    ("chain", "advance", " and progress.step <= 1 and not broken", " and not broken"),
    ("chain", "advance", "stages[progress.step - 1].within_ns", "stages[0].within_ns"),
    ("window", "Sum.restart", "self.add(value)", "pass"),
    ("window", "Ring.live", "self.at - 1 if self.at >= 0", "self.at if self.at >= 0"),
    ("window", "Ring.passed", "above >= number", "above > number"),
    ("window", "Span.live", "self.sum.add(-value)", "pass"),
    ("window", "Span.oldest", "+ self.span_ns", "+ self.span_ns + 1"),
    ("window", "Smooth.push", "2 / (self.size + 1)", "2 / self.size"),
    ("window", "_Figures.rate", "/ passed if passed else None", "/ (passed or 1)"),
    ("window", "_Figures.median", "(number - 1) // 2", "number // 2"),
    ("window", "rank_of", "ceil(rank * number - 1e-9)", "ceil(rank * number + 1e-9)"),
    ("facts", "Aged.note", "value is not None and value != self.value", "value != self.value"),
    ("facts", "Aged.note", "value is not None and value != self.value", "value is not None"),
    ("facts", "StationFacts.today", " if self.completed_day == moment.day else 0.0", ""),
    ("facts", "StationFacts.progress", "/ self.planned if self.planned else None", "/ (self.planned or 1)"),
    ("moment", "Moment.turn", "min(ends, calendar.day_start(day + timedelta(days=1)))", "ends"),
    ("moment", "Moment.worked", "now >= self.turns", "now > self.turns"),
    ("moment", "Moment.worked_at", "self._begins <= at_ns < self.turns", "self._begins <= at_ns"),
    ("moment", "Moment.working_day", "shift.day.toordinal()", "self._calendar.day_of(self.now).toordinal()"),
    ("emit", "present", " if moment.working else moment.level", ""),
    ("emit", "Writer.worth", "else {self._kleene(tree)}", "else None"),
    ("emit", "Writer.waking", 'code.append("if moment.turns < at: at = moment.turns")', "pass"),
    ("emit", "Writer._passed", ">= {enough}", "> {enough}"),
    ("emit", "Writer._figure", '"worked" if source.table == "spans" else "0"', '"0"'),
    (
        "handler",
        "handler_of",
        '"if changed > 1: sight()", *_judging(writer, parts)',
        '*_judging(writer, parts), "if changed > 1: sight()"',
    ),
    ("handler", "_push", "{source.size - 1}", "{source.size - 2}"),
    ("handler", "_push", "if v is not (o", "if v is (o"),
    ("handler", "_passing", "*writer.unknown(leaves(part.quick)), writer", "writer"),
    ("handler", "_entering", "if event.timing is MEASURED:", "if True:"),
    ("wiring", "Wiring._day", "or today == own.told_on", ""),
    ("wiring", "Wiring._sighted", "for side in watch.rule.sights:", "for side in ():"),
    ("room", "RulesRoom._fire", "self._settle(at_ns)", "pass"),
    ("room", "RulesRoom._fire", LOOKS + EXPIRIES, EXPIRIES + LOOKS),
    ("room", "RulesRoom._put_off", "watch.wakes if watch.wakes < watch.turns else watch.turns", "watch.wakes"),
    ("room", "RulesRoom._due", "self._push(watch, later)", "pass"),
    ("room", "RulesRoom._advance", "self._fire(at_ns - 1)", "self._fire(at_ns)"),
    ("room", "RulesRoom._told", "self._settle(self._present.now)", "pass"),
    ("room", "RulesRoom._resume", "now if watch.flag in before else watch.wake(now)", "watch.wake(now)"),
    ("room", "RulesRoom._take_over", "moment.start(old.anchor_ns)", "moment.start(old.now_ns)"),
    ("room", "_operated", "min(until, latest)", "until"),
    ("watch", "Watch.take_over", 'if name != "progress"', 'if name not in ("progress", "since_ns")'),
    ("watch", "Watch.take_over", "self.alarm.progress = old.progress", "pass"),
    ("keep", "_refill", "new.at = old.at", "pass"),
    ("keep", "_refill", "new.stamps[:], new.head = old.stamps, old.head", "new.stamps[:] = old.stamps"),
    ("keep", "_refill", "above[0] = _number_beyond(new.values, limit)", "pass"),
    ("keep", "_refill", "new.entered, new.level = old.entered, old.level", "new.level = old.level"),
    ("keep", "_refill", "new.order[:] = sorted(", "sorted("),
    (
        "keep",
        "_take_over",
        "now[path].value, now[path].since_w = then[path].value, then[path].since_w",
        "now[path].since_w = then[path].since_w",
    ),
    # Not here: RulesRoom._follow not looking again at what cleared, by which nothing can differ (its condition is false
    # then); faults by which time stands still, such as a window that keeps what is as old as its span.
]
QUICKLY = {("kleene", "quotient"), ("annunciator", "_let_go"), ("room", "RulesRoom._advance"), ("fold", "_link"),
           ("keep", "_take_over")}  # fmt: skip
ALWAYS = [fault for fault in FAULTS if fault[:2] in QUICKLY]
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
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("fault", FAULTS, ids=names(FAULTS))
def test_every_fault_is_found(fault: tuple[str, str, str, str]) -> None:
    assert found(*fault)
