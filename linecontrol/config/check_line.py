"""One line: its families, buffers and planned times."""

from collections.abc import Iterator
from datetime import date

from linecontrol.config.hints import unknown
from linecontrol.config.line import Command, LineConfig
from linecontrol.config.root import Config
from linecontrol.config.source import Path_

Found = Iterator[tuple[Path_, str]]


def line_problems(config: Config, name: str, line: LineConfig) -> Found:
    """Path and text of what is wrong with a line."""
    path = ("lines", name)
    for index, family in enumerate(line.families):
        if family not in config.families:
            yield (*path, "families", index), unknown("family", family, config.families)
    if line.connection is not None and line.connection not in config.connections:
        yield (*path, "connection"), unknown("connection", line.connection, config.connections)
    yield from _codes(config, line, path)
    yield from _buffers(line, path)
    yield from _standards(config, line, path)
    yield from _release(config, line, path)


def _codes(config: Config, line: LineConfig, path: Path_) -> Found:
    codes: dict[str, str] = {}
    for product, settings in config.products.items():
        if settings.family in line.families:
            code = str(settings.code)
            if code in codes:
                text = f"{settings.code!r} is the code of {codes[code]!r} too, which {path[-1]!r} also builds"
                yield ("products", product, "code"), text
            codes.setdefault(code, product)


def _buffers(line: LineConfig, path: Path_) -> Found:
    stations = list(line.stations)
    taken: dict[str, str] = {}
    for name, buffer in line.buffers.items():
        here = (*path, "buffers", name)
        for key, station in (("after", buffer.after), ("before", buffer.before)):
            if station not in line.stations:
                yield (*here, key), unknown("station", station, stations)
        if buffer.after not in line.stations or buffer.before not in line.stations:
            continue
        index = stations.index(buffer.after) + 1
        follower = stations[index] if index < len(stations) else None
        if buffer.before != follower:
            hint = f"{follower!r} does" if follower else "it is the last station"
            yield (*here, "before"), f"{buffer.before!r} doesn't follow {buffer.after!r}: {hint}"
        elif buffer.after in taken:
            yield here, f"buffer {taken[buffer.after]!r} is between these stations already"
        taken.setdefault(buffer.after, name)


def _standards(config: Config, line: LineConfig, path: Path_) -> Found:
    built = [name for name, product in config.products.items() if product.family in line.families]
    families_known = all(family in config.families for family in line.families)
    for index, standard in enumerate(line.standards):
        here = (*path, "standards", index)
        if index and standard.start <= line.standards[index - 1].start:
            yield (*here, "start"), f"{standard.start} is not after {line.standards[index - 1].start}: oldest first"
        for station, times in standard.times.items():
            if station not in line.stations:
                yield (*here, "times", station), unknown("station", station, line.stations)
            for product, planned in times.items():
                at = (*here, "times", station, product)
                if product not in config.products:
                    yield at, unknown("product", product, config.products)
                elif families_known and product not in built and config.products[product].family in config.families:
                    yield (
                        at,
                        f"{path[-1]!r} doesn't build {product!r}: its family is {config.products[product].family!r}",
                    )
                elif planned <= 0:
                    yield at, "a planned time must be longer than 0"
    first = line.standards[0]
    for target in config.targets.values():
        opening = target.opening.day if target.opening else None
        begins = opening if opening and opening.year == target.year else date(target.year, 1, 1)
        if target.line == path[-1] and first.start > begins:
            text = f"{first.start} is after {begins}, from which on a target counts: no planned time in between"
            yield (*path, "standards", 0, "start"), text
            break
    for station in line.stations:
        missing = [product for product in built if product not in first.times.get(station, {})]
        if missing:
            known = station in first.times
            at = (*path, "standards", 0, "times", *((station,) if known else ()))
            yield at, f"no planned time at station {station!r} for {', '.join(missing)}"


def _release(config: Config, line: LineConfig, path: Path_) -> Found:
    built = [name for name, product in config.products.items() if product.family in line.families]
    for place, (name, station) in enumerate(line.stations.items()):
        if Command.NEXT_PRODUCT in station.commands:
            here = (*path, "stations", name, "commands", Command.NEXT_PRODUCT.value)
            if place:
                yield here, f"units are started at the line's first station, {next(iter(line.stations))!r}"
            texts = [product for product in built if not isinstance(config.products[product].code, int)]
            if texts:
                code = config.products[texts[0]].code
                yield here, f"it writes whole numbers, but the code of product {texts[0]!r} is {code!r}"
            if (none := next((product for product in built if config.products[product].code == 0), None)) is not None:
                yield here, f"0 means that no product is proposed, but it is the code of product {none!r}"
    for index, rule in enumerate(line.release.spacing):
        here = (*path, "release", "spacing", index)
        for place, product in enumerate(rule.products):
            if product not in built:
                yield (*here, "products", place), unknown("product of this line", product, built)
        if rule.most >= rule.within:
            yield (*here, "most"), f"{rule.most} of {rule.within} is no rule: any sequence keeps it"
