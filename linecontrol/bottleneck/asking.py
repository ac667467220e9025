"""What-if questions as people write them, such as ``paint -10%`` or ``buffer paint +2``."""

import re
from collections.abc import Sequence

from linecontrol.bottleneck.columns import nearest
from linecontrol.bottleneck.whatif import Change, Mix, Places, Times, Workplaces
from linecontrol.flowline import LineLog

_SIGNED = r"(?P<name>.+?)\s*(?P<sign>[-+−])\s*(?P<number>\d+(?:[.,]\d+)?)\s*"
_TIMES = re.compile(_SIGNED + r"%")
_WORKPLACES = re.compile(_SIGNED + r"(?:operator|workplace|server|twin)s?", re.IGNORECASE)
_PLACES = re.compile(r"buffer\s+" + _SIGNED + r"(?:places?)?", re.IGNORECASE)
_MIX = re.compile(r"mix\s+(?P<weights>.+)", re.IGNORECASE)
_EXAMPLES = "'paint -10%', 'paint +1 operator', 'buffer paint +2' (places after paint) or 'mix A=2,B=1'"


def read_changes(text: str, log: LineLog) -> list[Change]:
    """The changes that a question asks about; several at once are joined by ``;``.

    Raises:
        ValueError: it can't be understood, or asks for what the line doesn't have.
    """
    return [_change(part.strip(), log) for part in text.split(";") if part.strip()] or [_change("", log)]


def station_named(name: str, stations: Sequence[str]) -> int:
    """The number of a station; upper and lower case are the same where that is clear.

    Raises:
        ValueError: there is none of that name.
    """
    if name in stations:
        return stations.index(name)
    alike = [place for place, other in enumerate(stations) if other.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    msg = f"no station {name!r}{nearest(name, stations)}; there are {', '.join(stations)}"
    raise ValueError(msg)


def _change(text: str, log: LineLog) -> Change:
    if match := _PLACES.fullmatch(text):
        return _places(match, log)
    if match := _WORKPLACES.fullmatch(text):
        station = station_named(match["name"], log.stations)
        more = _whole(match)
        if log.layout.servers[station] + more < 1:
            msg = f"{log.stations[station]} has {log.layout.servers[station]} workplaces: none would be left"
            raise ValueError(msg)
        return Workplaces(station, more)
    if match := _TIMES.fullmatch(text):
        percent = float(match["number"].replace(",", ".")) * (1 if match["sign"] == "+" else -1)
        if percent <= -100:
            msg = f"{match['name']} can't take {percent:g} % of its time: less than 100 % can be taken off"
            raise ValueError(msg)
        return Times(station_named(match["name"], log.stations), 1 + percent / 100)
    if match := _MIX.fullmatch(text):
        return Mix(_weights(match["weights"], log))
    msg = f"{text!r} is not understood; write {_EXAMPLES}"
    raise ValueError(msg)


def _places(match: re.Match[str], log: LineLog) -> Places:
    station, more = station_named(match["name"], log.stations), _whole(match)
    name = log.stations[station]
    if log.layout.following[station] < 0:
        msg = f"there is no buffer after {name}: it is the last station"
        raise ValueError(msg)
    if log.layout.places[station] + more < 0:
        msg = f"the buffer after {name} has {log.layout.places[station]} places: {-more} can't be taken away"
        raise ValueError(msg)
    return Places(station, more)


def _whole(match: re.Match[str]) -> int:
    if not match["number"].isdecimal():
        msg = f"{match['number']} is not a whole number"
        raise ValueError(msg)
    return int(match["number"]) * (1 if match["sign"] == "+" else -1)


def _weights(text: str, log: LineLog) -> dict[str, float]:
    known = sorted({product for product in log.products if product})
    if not known:
        msg = "a mix needs the column 'product', and the table has none"
        raise ValueError(msg)
    weights: dict[str, float] = {}
    for part in text.split(","):
        product, _, weight = (each.strip() for each in part.partition("="))
        if product not in known:
            msg = f"no product {product!r}{nearest(product, known)}; there are {', '.join(known)}"
            raise ValueError(msg)
        if not re.fullmatch(r"\d+(\.\d+)?", weight):
            msg = f"{part.strip()!r}: expected PRODUCT=NUMBER, such as {product}=2"
            raise ValueError(msg)
        weights[product] = float(weight)
    if not any(weights.values()):
        msg = "all products of the mix have the weight 0"
        raise ValueError(msg)
    return weights
