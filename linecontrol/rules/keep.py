"""What has to be kept for the rules: which windows, ages and tags of which station; taken over from what was kept."""

from collections.abc import Sequence

from msgspec import Struct

from linecontrol.config import Config
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
from linecontrol.rules.typed import Source
from linecontrol.rules.watch import Watch
from linecontrol.rules.window import SORTED, Smooth, Window


class Keeping(Struct, frozen=True):
    """By place (``station line/x``): window sources by key, whether they are kept in order, and ages by path."""

    sources: dict[str, dict[str, Source]]
    ordered: dict[str, set[str]]
    ages: dict[str, list[str]]
    tags: frozenset[str]

    @classmethod
    def of(cls, watches: Sequence[Watch]) -> "Keeping":
        """What the watches read."""
        sources: dict[str, dict[str, Source]] = {}
        ordered: dict[str, set[str]] = {}
        ages: dict[str, list[str]] = {}
        tags: dict[str, None] = {}
        for watch in watches:
            name = watch.about.place
            for figure, _ in watch.rule.windows:
                sources.setdefault(name, {}).setdefault(figure.source.key, figure.source)
                if figure.function in SORTED:
                    ordered.setdefault(name, set()).add(figure.source.key)
            for named, _ in watch.rule.ages:
                ages.setdefault(name, []).append(named.path)
            tags |= dict.fromkeys(watch.rule.tags + watch.rule.other_tags)
        return cls(sources, ordered, ages, frozenset(tags))


def facts_of(config: Config, keeping: Keeping, old: Memory) -> Memory:
    """Facts for every subject of the config, with what ``old`` knows of them."""
    stations = {}
    for line, item in config.lines.items():
        for station in item.stations:
            place = f"station {line}/{station}"
            facts = old.station.get(f"{line}/{station}") or StationFacts(line)
            facts.windows = _windows(keeping, place, facts.windows)
            facts.smooth = {
                key: facts.smooth.get(key) or Smooth(source.size)
                for key, source in keeping.sources.get(place, {}).items()
                if source.smooth
            }
            facts.ages = {path: facts.ages.get(path) or Aged() for path in keeping.ages.get(place, ())}
            stations[f"{line}/{station}"] = facts
    targets = {name: old.target.get(name) or TargetFacts() for name in config.targets}
    for name, target in targets.items():
        target.windows = _windows(keeping, f"target {name}", target.windows)
    commitments = {name: old.commitment.get(name) or CommitmentFacts() for name in config.commitments}
    for name, commitment in commitments.items():
        commitment.windows = _windows(keeping, f"commitment {name}", commitment.windows)
    lines = {name: old.line.get(name) or LineFacts() for name in config.lines}
    for name, its in lines.items():
        its.titles = {key: station.title for key, station in config.lines[name].stations.items()}
    return Memory(
        station=stations,
        target=targets,
        commitment=commitments,
        kit={name: old.kit.get(name) or KitFacts() for name in config.kits},
        connection={name: old.connection.get(name) or ConnectionFacts() for name in config.connections},
        line=lines,
    )


def _windows(keeping: Keeping, place: str, old: dict[str, Window]) -> dict[str, Window]:
    ordered = keeping.ordered.get(place, set())
    return {
        key: _window(source, old.get(key), in_order=key in ordered)
        for key, source in keeping.sources.get(place, {}).items()
        if not source.smooth
    }


def _window(source: Source, old: Window | None, *, in_order: bool) -> Window:
    window = old or Window(source.size, source.span_ns)
    if window.sorted is not in_order:
        window.sorted = in_order
        window.order = sorted(window.values[window.head :]) if in_order else []
    return window
