"""What a rule test expects, held against what happened."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from linecontrol.config.line import Command
from linecontrol.config.rule_test import ExpectConfig, RuleTestConfig
from linecontrol.duration import NS, exact
from linecontrol.model import Andon, CommandClosed, CommandIssued, FlagChanged, Noted

TOLERANCE_NS = 1_000_000
"""How far apart in time what is expected and what happens may be."""


class Failure(Struct, frozen=True):
    """Why a test failed, and the part of it (such as ``given``, 3) that this is about; empty for the whole."""

    path: tuple[str | int, ...]
    text: str


class Happened(Struct):
    """What happened in a test: transitions and notes, what was written and refused, which flags were raised when."""

    said: list[FlagChanged | Noted]
    written: list[CommandIssued]
    refused: list[CommandClosed]
    open_at: dict[int, list[str]]


def concerns(test: RuleTestConfig, flag: str) -> bool:
    """Whether a flag is under test."""
    return not test.rules or any(fnmatchcase(flag, f"{each}/*") or fnmatchcase(flag, each) for each in test.rules)


def compare(test: RuleTestConfig, happened: Happened, start_ns: int) -> list[Failure]:
    """All that is expected and didn't happen, or happened otherwise, or happened and wasn't expected."""
    got: list[_Event] = [event for event in happened.said if concerns(test, event.flag)]
    if any(expect.written for expect in test.expect):
        got += happened.written
    failures = []
    for place, expect in sorted(enumerate(test.expect), key=lambda pair: pair[1].at):
        path = ("expect", place)
        if expect.open is not None:
            failures += [Failure(path, text) for text in _open(test, expect, happened, start_ns)]
            continue
        met = next((event for event in got if _meets(expect, event, start_ns)), None)
        if met is None:
            failures.append(Failure(path, f"expected and didn't happen: {_wanted(expect)}{_refused(expect, happened)}"))
            continue
        got.remove(met)
        if not isinstance(met, CommandIssued):
            failures += [Failure(path, f"{_wanted(expect)}: {text}") for text in _otherwise(expect, met)]
    for event in got:
        text = f"happened and wasn't expected: at {shown(event.at_ns - start_ns)} {_told(event)}"
        failures.append(Failure(("expect",), text))
    return failures


def shown(ns: int) -> str:
    """A duration as test files say it, to the millisecond."""
    return exact(round(ns, -6))


_Event = FlagChanged | Noted | CommandIssued


def _meets(expect: ExpectConfig, event: _Event, start_ns: int) -> bool:
    if abs(event.at_ns - start_ns - expect.at) > TOLERANCE_NS:
        return False
    if isinstance(event, CommandIssued):
        return (_target(event), float(event.value)) == expect.written
    return (event.transition, event.flag) == expect.transition


def _otherwise(expect: ExpectConfig, met: FlagChanged | Noted) -> Iterator[str]:
    """In what an event is otherwise than expected."""
    if expect.text is not None and expect.text not in met.text:
        yield f"expected in its message: {expect.text!r}; it is {met.text!r}"
    if isinstance(met, FlagChanged):
        if expect.state not in (None, met.state):
            yield f"expected to be {expect.state}; it is {met.state}"
        if expect.suppressed_by not in (None, met.suppressed_by):
            yield f"expected to be suppressed by {expect.suppressed_by}; it is by {met.suppressed_by or 'nothing'}"


def _open(test: RuleTestConfig, expect: ExpectConfig, happened: Happened, start_ns: int) -> Iterator[str]:
    flags = [flag for flag in happened.open_at.get(start_ns + expect.at, []) if concerns(test, flag)]
    wanted = sorted(expect.open or ())
    if flags != wanted:
        yield (
            f"at {shown(expect.at)} these are raised: {', '.join(flags) or 'none'}; "
            f"expected: {', '.join(wanted) or 'none'}"
        )


def _wanted(expect: ExpectConfig) -> str:
    if expect.written is not None:
        target, value = expect.written
        return f"at {shown(expect.at)} {_write(target, value)}"
    transition, flag = expect.transition or ("", "")
    return f"at {shown(expect.at)} {transition}: {flag}"


def _told(event: _Event) -> str:
    if isinstance(event, CommandIssued):
        return f"{_write(_target(event), float(event.value))} ({event.reason})"
    return f"{event.transition}: {event.flag} ({event.text})"


def _refused(expect: ExpectConfig, happened: Happened) -> str:
    """That what is expected was refused, if it was."""
    refused = [event.text for event in happened.refused if expect.written and _target(event) == expect.written[0]]
    return f"; it was refused: {refused[0]}" if refused else ""


def _target(event: CommandIssued | CommandClosed) -> str:
    return f"{event.line}/{event.station}/{event.name}"


def _write(target: str, value: float) -> str:
    """Something written, as tests say it."""
    station, _, name = target.rpartition("/")
    if name == Command.ANDON:
        return f"command: andon, station: {station}, value: {list(Andon)[int(value)]}"
    if name == Command.HOLD:
        return f"command: hold, station: {station}, value: {exact(round(value * NS))}"
    return f"setpoint: {name}, station: {station}, value: {value:g}"
