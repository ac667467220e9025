"""Looking around in a server for commissioning: its objects as a tree, with types, values and units. Reads only."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import NamedTuple

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from pydantic import ValidationError
from typing_extensions import override

from linecontrol.driver import Finding, Probe, Traffic
from linecontrol_opcua import node
from linecontrol_opcua.browse import Found, children, properties
from linecontrol_opcua.datatype import DataType
from linecontrol_opcua.loose import Loose, localized
from linecontrol_opcua.session import Session
from linecontrol_opcua.settings import OpcuaConnection
from linecontrol_opcua.wire import Misfit, Reader

_DEEPEST, _MOST = 12, 5_000
_LIMITS = {"depth": (_DEEPEST, 64), "most": (_MOST, 100_000)}
_EU_INFORMATION = 889
_SERVER = ua.NodeId(ua.Int32(ObjectIds.Server))
_TYPES = {int(datatype.wire.variant): datatype for datatype in DataType}
_SHOWN = 80


class WallClock:
    """Real time: what a certificate is valid at."""

    speed = 1.0

    def now_ns(self) -> int:
        """UTC nanoseconds."""
        return time.clock_gettime_ns(time.CLOCK_REALTIME)

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds."""
        await asyncio.sleep(seconds)


class _Place(NamedTuple):
    found: Found
    path: tuple[str, ...]


class OpcuaProbe(Probe):
    """Browses what is under Objects, breadth by breadth, within bounds."""

    @override
    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        super().__init__(url, options)
        wanted: dict[str, object] = {"url": url}
        self._limits = {name: usual for name, (usual, _) in _LIMITS.items()}
        self._all = False
        for key, value in options.items():
            if key in _LIMITS:
                self._limits[key] = _number(key, value)
            elif key == "server":
                self._all = value == "yes"
            elif key in OpcuaConnection.model_fields and key != "url":
                wanted[key] = value
            else:
                msg = f"{key} is no option; there are depth, most, server and the settings of a connection"
                raise ValueError(msg)
        # To look once, on an engineer's word, is no standing risk.
        looking = wanted if "security" in wanted else wanted | {"allow_insecure": True}
        try:
            self._settings = OpcuaConnection.model_validate(looking)
        except ValidationError as error:
            raise ValueError("; ".join(problem["msg"] for problem in error.errors())) from error
        self._wanted = wanted

    @override
    def connection(self) -> Mapping[str, object]:
        return {"driver": "opcua", **self._wanted} | ({"allow_insecure": True} if self._settings.warnings() else {})

    @override
    async def look(self, progress: Callable[[float, str], None]) -> AsyncGenerator[Finding, None]:
        session = Session("probe", self._settings, WallClock(), Traffic())
        try:
            await session.open()
            count, known, done = 0, 1, 0
            seen: set[str] = set()
            stack = [_Place(Found(ua.NodeId(ua.Int32(ObjectIds.ObjectsFolder)), "Objects", False), ())]
            while stack:
                place = stack.pop()
                progress(done / known, "/".join(place.path))
                done += 1
                below = {
                    str(found.node): _Place(found, (*place.path, found.name))
                    for found in await children(session, place.found.node)
                    if self._all or found.node != _SERVER
                }
                new = [one for name, one in below.items() if name not in seen]
                seen |= below.keys()
                for finding in await self._findings(session, new[: self._limits["most"] - count]):
                    count += 1
                    yield finding
                if count >= self._limits["most"]:
                    yield Finding(path=place.path, note=f"more was not looked at: {count} found (option most)")
                    break
                deeper = [one for one in new if len(one.path) < self._limits["depth"]]
                known += len(deeper)
                stack += reversed(deeper)
            progress(1.0, "")
        finally:
            await session.close()

    async def _findings(self, session: Session, places: list[_Place]) -> list[Finding]:
        variables = [place for place in places if place.found.variable]
        values = await session.read_data([place.found.node for place in variables])
        levels = await session.read_data([place.found.node for place in variables], AttributeIds.UserAccessLevel)
        units = await self._units(session, variables)
        shown = {
            place.path: _finding(session.namespaces, place, value, level, unit)
            for place, value, level, unit in zip(variables, values, levels, units, strict=True)
        }
        return [shown.get(place.path) or Finding(path=place.path) for place in places]

    async def _units(self, session: Session, variables: list[_Place]) -> list[str]:
        units = [""] * len(variables)
        found = await properties(session, [place.found.node for place in variables], "EngineeringUnits")
        known = {number: node_id for number, node_id in enumerate(found) if node_id is not None}
        for number, value in zip(known, await session.read_data(list(known.values())), strict=True):
            units[number] = _unit(value)
        return units


def _finding(namespaces: list[str], place: _Place, value: Loose, level: Loose, unit: str) -> Finding:
    datatype = _TYPES.get(value.kind)
    single = not isinstance(value.value, list)
    tag: dict[str, object] = {}
    note = ""
    if datatype is not None and single:
        tag = {"node": node.named(place.found.node, namespaces), "type": str(datatype)}
    elif value.status & 0x8000_0000:
        note = f"it can't be read: 0x{value.status:08X}"
    else:
        note = "an array" if not single else "of a type that signals can't have"
    if isinstance(level.value, int) and level.value & 2:
        note = f"{note}, writable" if note else "writable"
    kind = str(datatype or f"type {value.kind}") + ("" if single else "[]")
    text = "" if value.value is None else str(value.value)
    plain = "".join(char if char.isprintable() else "?" for char in text[:_SHOWN])
    return Finding(path=place.path, tag=tag, kind=kind, value=plain, unit=unit, note=note)


def _unit(value: Loose) -> str:
    if value.number != _EU_INFORMATION:
        return ""
    reader = Reader(value.raw)
    try:
        reader.octets()
        reader.skip(4)
        return localized(reader)
    except Misfit:
        return ""


def _number(key: str, text: str) -> int:
    most = _LIMITS[key][1]
    if not text.isdecimal() or not 1 <= int(text) <= most:
        msg = f"{key}={text}: write a number from 1 to {most}"
        raise ValueError(msg)
    return int(text)
