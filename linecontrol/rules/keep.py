"""What has to be kept for the rules: which windows, ages and tags of which subject; and taking over what was kept."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from msgspec import Struct, field

from linecontrol.config import Config
from linecontrol.rules.emit import Factory
from linecontrol.rules.facts import (
    Aged,
    CommitmentFacts,
    ConnectionFacts,
    KitFacts,
    LineFacts,
    Memory,
    StationFacts,
    TargetFacts,
)
from linecontrol.rules.handler import Entry
from linecontrol.rules.names import Named
from linecontrol.rules.watch import Watch
from linecontrol.rules.window import SUMMED, Ring, Smooth, Span, is_beyond


class Kept(Struct):
    """What is kept for one subject: windows by key, ages (of which name, and what reads it) by path."""

    windows: dict[str, Entry] = field(default_factory=dict)
    ages: dict[str, tuple[Named, Factory]] = field(default_factory=dict)

    def entries(self, stream: str) -> list[Entry]:
        """What enters windows from a stream."""
        return [entry for entry in self.windows.values() if entry.source.stream == stream]


class Keeping(Struct, frozen=True):
    """What is kept, by place (``station line/x``), and the tags that are kept of all stations."""

    places: dict[str, Kept]
    tags: frozenset[str]

    @classmethod
    def of(cls, watches: Sequence[Watch]) -> "Keeping":
        """What the watches read."""
        places: dict[str, Kept] = {}
        tags: dict[str, None] = {}
        for watch in watches:
            rule, kept = watch.rule, places.setdefault(watch.about.place, Kept())
            for figure in rule.windows:
                source = figure.source
                known = kept.windows.get(source.key) or Entry(
                    source, summed=False, ordered=False, stamped=False, passed=()
                )
                passed = [each for each in rule.passed if each.figure.source.key == source.key]
                kept.windows[source.key] = Entry(
                    known.source,
                    summed=known.summed or figure.function in SUMMED,
                    ordered=known.ordered or source.key in rule.ordered,
                    stamped=known.stamped or figure.function == "rate",
                    passed=tuple({each.key: each for each in (*known.passed, *passed)}.values()),
                )
            kept.ages |= {named.path: (named, make) for named, make in rule.ages}
            tags |= dict.fromkeys(rule.tags + rule.other_tags)
        return cls(places, frozenset(tags))


def facts_of(config: Config, keeping: Keeping) -> Memory:
    """Facts for every subject of the config; nothing is known yet."""
    facts = Memory(
        station={f"{line}/{name}": StationFacts(line) for line, item in config.lines.items() for name in item.stations},
        target={name: TargetFacts() for name in config.targets},
        commitment={name: CommitmentFacts() for name in config.commitments},
        kit={name: KitFacts() for name in config.kits},
        connection={name: ConnectionFacts() for name in config.connections},
        line={name: LineFacts() for name in config.lines},
    )
    for name, line in facts.line.items():
        line.titles = {key: station.title for key, station in config.lines[name].stations.items()}
    for place, kept in keeping.places.items():
        kind, _, name = place.partition(" ")
        its = getattr(facts, kind)[name]
        for key, entry in kept.windows.items():
            getattr(its, entry.source.table)[key] = _window(entry)
        if kept.ages:
            its.ages.update({path: Aged() for path in kept.ages})
    return facts


def _window(entry: Entry) -> Ring | Span | Smooth:
    source = entry.source
    if source.smooth:
        return Smooth(source.size)
    if not source.size:
        return Span(source.span_ns, entry.ordered)
    return Ring(source.size, entry.summed, entry.ordered, entry.stamped, above={each.key: [0] for each in entry.passed})


# --- taking over ----------------------------------------------------------------------------------------------


def take_over(new: Memory, old: Memory) -> None:
    """Let the new facts know what the old ones do, by the subjects' and windows' names; the old are used up."""
    for kind in fields(Memory):
        known = getattr(old, kind.name)
        for name, facts in getattr(new, kind.name).items():
            if name in known:
                _take_over(facts, known[name])


def _take_over(new: Any, old: Any) -> None:
    for each in fields(new):
        now, then = getattr(new, each.name), getattr(old, each.name)
        if each.name in ("rings", "spans", "smooth"):
            for key in now.keys() & then.keys():
                _refill(now[key], then[key])
        elif each.name == "ages":
            for path in now.keys() & then.keys():
                now[path].value, now[path].since_w = then[path].value, then[path].since_w
        elif each.name not in ("line", "titles"):
            setattr(new, each.name, then)


def _refill(new: Any, old: Any) -> None:
    """Put an old window's values into a new one, whose lists stay the same objects."""
    if isinstance(new, Smooth):
        new.entered, new.level = old.entered, old.level
        return
    if isinstance(new, Ring) and new.stamped and not old.stamped:
        return
    new.values[:] = old.values
    new.sum.total, new.sum.rest = old.sum.total, old.sum.rest
    if isinstance(new, Span):
        new.stamps[:], new.head = old.stamps, old.head
    else:
        new.at = old.at
        if new.summed and not old.summed:
            new.sum.restart(new.values)
        new.stamps[:] = old.stamps if new.stamped else ()
        for limit, above in new.above.items():
            above[0] = _number_beyond(new.values, limit)
    if new.sorted:
        new.order[:] = sorted(new.values[new.head :] if isinstance(new, Span) else new.values)


def _number_beyond(values: Iterable[float], limit: str) -> int:
    return sum(is_beyond(value, limit) for value in values)
