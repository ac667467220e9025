"""Carries out commands: each value once, in the data type that the server wants."""

import logging
from collections.abc import Mapping
from typing import Never

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes

from linecontrol.driver import ConnectionLost, DeviceRefused, Quality, Traffic, Value
from linecontrol_opcua import calls, kinds, node
from linecontrol_opcua.browse import locate
from linecontrol_opcua.calls import Method
from linecontrol_opcua.datatype import DataType, to_variant
from linecontrol_opcua.decode import Refusal
from linecontrol_opcua.fast import quality
from linecontrol_opcua.session import Session
from linecontrol_opcua.settings import OpcuaTag
from linecontrol_opcua.trouble import count, status_name
from linecontrol_opcua.wire import Misfit

_log = logging.getLogger(__name__)
_UNKNOWN = int(StatusCodes.BadNodeIdUnknown)


class Writer:
    """Writes nodes and calls methods for the commands of one session."""

    def __init__(self, session: Session, tags: Mapping[str, OpcuaTag], traffic: Traffic) -> None:
        self._session, self._tags, self._traffic = session, tags, traffic
        self._who = f"{session.name} ({session.url})"
        self._nodes: Mapping[str, ua.NodeId | None] = {}
        self._methods: dict[str, Method | None] = {}
        self._types: dict[str, DataType] = {}

    async def learn(self, nodes: Mapping[str, ua.NodeId | None], commands: list[str]) -> dict[str, DataType]:
        """Where the server has the signals is given; where it has the methods, and its data types, is asked for.

        The types in which commands are written come back, by signal.
        """
        self._nodes = nodes
        self._methods = await self._find([signal for signal in commands if self._tags[signal].call])
        methods = {signal: method.method for signal, method in self._methods.items() if method}
        plain = [signal for signal in commands if signal not in self._methods]
        variables = {signal: node_id for signal in plain if (node_id := nodes[signal]) is not None}
        own = await kinds.of_nodes(self._session, variables) if variables else {}
        for signal, datatype in own.items():
            if datatype is not (ours := self._tags[signal].type):
                _log.info("%s: %s is %s at the server and written so, not as %s", self._who, signal, datatype, ours)
        self._types = own | (await kinds.of_arguments(self._session, methods) if methods else {})
        return own

    async def _find(self, commands: list[str]) -> dict[str, Method | None]:
        wanted = {signal: call for signal in commands if (call := self._tags[signal].call)}
        objects = {(signal, 0): node.parse(call.object) for signal, call in wanted.items()}
        methods = {(signal, 1): node.parse(call.method) for signal, call in wanted.items()}
        found = await locate(self._session, objects | methods)
        pairs = {signal: (found[signal, 0], found[signal, 1]) for signal in wanted}
        return {signal: Method(owner, it) if owner and it else None for signal, (owner, it) in pairs.items()}

    async def write(self, values: Mapping[str, Value]) -> None:
        """Write or call each once; nothing is sent if one of the values can't be.

        Raises:
            ConnectionLost: no answer came.
            DeviceRefused: the server refused; the message names signal and status.
        """
        writes: dict[str, tuple[ua.NodeId, ua.Variant]] = {}
        requests: dict[str, bytes] = {}
        for signal, value in values.items():
            try:
                variant = to_variant(value, self._types.get(signal) or self._tags[signal].type)
            except ValueError as error:
                self._refuse(signal, str(error))
            place = self._methods[signal] if signal in self._methods else self._nodes[signal]
            if place is None:
                self._refuse(signal, status_name(_UNKNOWN))
            if isinstance(place, Method):
                requests[signal] = calls.encoded(place, variant)
            else:
                writes[signal] = place, variant
        statuses = await self._session.write(list(writes.values()))
        ends = {signal: [int(status.value)] for signal, status in zip(writes, statuses, strict=True)}
        for signal, request in requests.items():
            ends[signal] = await self._call(signal, request)
        bad = {signal: codes for signal in ends if (codes := [code for code in ends[signal] if _is_bad(code)])}
        if bad:
            names = ", ".join(status_name(code) for codes in bad.values() for code in codes)
            self._refuse(", ".join(bad), names)

    async def _call(self, signal: str, request: bytes) -> list[int]:
        try:
            return calls.outcome(await self._session.ask(calls.CALL_REQUEST, request))
        except Refusal as error:
            return [error.status]
        except Misfit as error:
            count(self._traffic, error)
            msg = f"{self._who} sent what can't be understood: {error}"
            raise ConnectionLost(msg) from error
        except DeviceRefused as error:
            msg = f"{error}; that was to {signal}"
            raise DeviceRefused(msg) from error

    def _refuse(self, signal: str, why: str) -> Never:
        msg = f"{self._who} refused the write of {signal}: {why}"
        raise DeviceRefused(msg)


def _is_bad(status: int) -> bool:
    return quality(status) is Quality.BAD
