"""The subjects of a config: for each rule the ones that it is watched for, with their titles and neighbours."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from linecontrol.config import Config, Subject


class About(Struct, frozen=True):
    """A subject: its name, its line where it has one, its neighbours (``line/station``), titles for messages."""

    kind: Subject
    name: str
    titles: dict[str, str]
    line: str = ""
    station: str = ""
    upstream: str | None = None
    downstream: str | None = None

    @property
    def place(self) -> str:
        """The subject as ``fold`` calls it."""
        return f"{self.kind.value} {self.name}"

    def neighbour(self, side: str) -> str | None:
        """``line/station`` of the neighbour on that side (``upstream`` or ``downstream``), if there is one."""
        return self.upstream if side == "upstream" else self.downstream


def subjects(config: Config, each: Subject, only: list[str]) -> list[About]:
    """The subjects of a kind that match a pattern of ``only`` (all if there are none), in the config's order."""
    return [
        about for about in _ALL[each](config) if not only or any(fnmatchcase(about.name, pattern) for pattern in only)
    ]


def _stations(config: Config) -> Iterator[About]:
    for line, item in config.lines.items():
        names = list(item.stations)
        for index, station in enumerate(names):
            upstream = names[index - 1] if index else None
            downstream = names[index + 1] if index + 1 < len(names) else None
            titles = {"station": item.stations[station].title, "line": item.title}
            titles |= {"upstream": item.stations[upstream].title} if upstream else {}
            titles |= {"downstream": item.stations[downstream].title} if downstream else {}
            yield About(
                kind=Subject.STATION,
                name=f"{line}/{station}",
                titles=titles,
                line=line,
                station=station,
                upstream=f"{line}/{upstream}" if upstream else None,
                downstream=f"{line}/{downstream}" if downstream else None,
            )


def _lines(config: Config) -> Iterator[About]:
    for name, line in config.lines.items():
        yield About(kind=Subject.LINE, name=name, titles={"line": line.title}, line=name)


def _targets(config: Config) -> Iterator[About]:
    for name, target in config.targets.items():
        title = f"{config.families[target.family].title} {target.year}"
        titles = {"target": title, "line": config.lines[target.line].title}
        yield About(kind=Subject.TARGET, name=name, titles=titles, line=target.line)


def _commitments(config: Config) -> Iterator[About]:
    for name, item in config.commitments.items():
        title = f"{item.units} × {config.families[item.family].title} for {item.market}"
        lines = {target.line: None for target in config.targets.values() if target.family == item.family}
        line = next(iter(lines)) if len(lines) == 1 else ""
        titles = {"commitment": title, "market": item.market}
        yield About(kind=Subject.COMMITMENT, name=name, titles=titles, line=line)


def _kits(config: Config) -> Iterator[About]:
    for name, item in config.kits.items():
        yield About(kind=Subject.KIT, name=name, titles={"kit": item.title})


def _connections(config: Config) -> Iterator[About]:
    for name in config.connections:
        yield About(kind=Subject.CONNECTION, name=name, titles={"connection": name})


_ALL = {
    Subject.STATION: _stations,
    Subject.LINE: _lines,
    Subject.TARGET: _targets,
    Subject.COMMITMENT: _commitments,
    Subject.KIT: _kits,
    Subject.CONNECTION: _connections,
}
