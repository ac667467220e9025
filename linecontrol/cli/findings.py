"""What an assessment of a plant finds now: asked of its running gateway, else of the journal that it left."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from linecontrol.config import Config
from linecontrol.errors import JournalBusy, LinecontrolError
from linecontrol.gateway.recall import JOURNAL, as_recorded, new_assessment, recall
from linecontrol.model import AnyEvent, BottleneckUpdated, CommitmentForecast, KitForecast, TargetForecast
from linecontrol.plant.load import load_plant

PATIENCE_S = 60.0
"""What a running gateway may take to assess the plant."""


class Found(Struct, frozen=True):
    """Findings as they stood at ``at_ns``."""

    at_ns: int
    events: list[AnyEvent]


def findings(folder: Path, state: Path) -> tuple[Config, Found]:
    """The plant's config, and what is found out about it now.

    Raises:
        LinecontrolError: there is no journal, nothing was recorded, or the running gateway doesn't answer.
    """
    plan = load_plant(folder)
    path = state / JOURNAL
    try:
        engine, now_ns = recall(plan, path)
    except JournalBusy:
        return plan.config, _ask(plan.config.board.port)
    assessment = new_assessment(as_recorded(plan, path))
    events = [event for part in assessment.answer(engine.question(now_ns)) for event in part]
    return plan.config, Found(now_ns, events)


def _ask(port: int) -> Found:
    url = f"http://127.0.0.1:{port}/findings.json"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return msgspec.json.decode(answer.read(), type=Found)
    except (OSError, msgspec.MsgspecError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        msg = f"a gateway uses the journal, but none answers at {url}: {reason}"
        raise LinecontrolError(msg) from error


def as_json(found: Found) -> str:
    """One JSON object: the events as the journal has them."""
    return json.dumps(msgspec.to_builtins(found))


def sentences(found: Found, config: Config) -> Iterator[str]:
    """Verdicts and forecasts for people."""
    zone = ZoneInfo(config.plant.timezone)

    def day(ns: int | None) -> str:
        return (
            "later than can be foreseen" if ns is None else f"{datetime.fromtimestamp(ns // 10**9, tz=zone):%Y-%m-%d}"
        )

    yield f"As of {datetime.fromtimestamp(found.at_ns // 10**9, tz=zone):%Y-%m-%d %H:%M}"
    yield from _told(found.events, config, day)


def _told(events: Sequence[AnyEvent], config: Config, day: Callable[[int | None], str]) -> Iterator[str]:
    for event in events:
        match event:
            case BottleneckUpdated():
                yield f"{config.lines[event.line].title}: {event.verdict}"
            case TargetForecast():
                name = f"{config.families[event.family].title} {event.year}"
                units = f"{event.units_likely:.0f} units are likely ({event.units_low:.0f} to {event.units_high:.0f})"
                yield f"{name}: {event.done} of {event.units} built; {units}; met with {event.probability:.0%}"
                yield f"  the last one on {day(event.finish_likely_ns)}; {event.prior_share:.0%} of the width is plan"
                if event.hours_needed > event.hours_left:
                    yield f"  overload: {event.hours_needed:.0f} working hours needed, {event.hours_left:.0f} left"
            case CommitmentForecast():
                what = f"{config.families[event.family].title} for {event.market}"
                yield f"{what} by {day(event.due_ns - 1)}: met with {event.probability:.0%}"
            case KitForecast(runs_out_ns=int()):
                yield f"{config.kits[event.kit].title}: runs out on {day(event.runs_out_ns)}, {event.short} short"
            case _:
                pass
