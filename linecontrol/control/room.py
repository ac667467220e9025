"""The control room: raised flags into commands, within the allow-list, one at a time per target."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec
from msgspec import Struct, field

from linecontrol.config import Command, CommandAction, Config, RuleConfig, SetpointAction
from linecontrol.config.gateway import allowed_range
from linecontrol.config.params import Value
from linecontrol.control.channel import Channel, Demand, Open, Written, colour_code
from linecontrol.duration import NS
from linecontrol.model import (
    Andon,
    AnyEvent,
    CommandClosed,
    CommandIssued,
    CommandOutcome,
    CommandResult,
    FlagChanged,
    ReleaseProposed,
)
from linecontrol.rules.alarm import WANTING, flood_flag
from linecontrol.rules.lexer import token_of
from linecontrol.snapshot import recalled

NO_PRODUCT = 0
"""Written as ``next_product`` when what was commanded isn't proposed any more."""
_GIVE_UP = 2
"""A command without an outcome is closed as unknown after so many times ``expire_after``."""


_BEGINS = ("raised", "unshelved", "unsuppressed", "in_service")


class _Remembered(Struct):
    """All that the room remembers. ``count`` numbers the commands."""

    count: int = 0
    channels: dict[str, Channel] = field(default_factory=dict)


class ControlRoom:
    """Turns the command actions of raised flags into ``CommandIssued``, and closes each with ``CommandClosed``.

    A target (a station's andon, a station's hold) has at most one open command. Nothing is written twice because it
    failed: what failed is written again only when the flags change, or as a hold's next renewal.
    """

    def __init__(self, config: Config) -> None:
        """Nothing is raised and nothing is open."""
        self._control = config.control
        self.follow(config)
        self._memory = _Remembered()

    # --- the doors ------------------------------------------------------------------------------------------

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """What follows from a flag that now wants somebody, or no longer does."""
        if isinstance(event, ReleaseProposed):
            return self._release(event)
        if not isinstance(event, FlagChanged):
            return ()
        said: list[AnyEvent] = []
        wanting = _wants(event)
        for action in self._actions.get(event.rule, ()):
            target, name, setpoint = _target(action, event), _what(action), isinstance(action, SetpointAction)
            channel = self._memory.channels.get(f"{target}/{name}")
            if not wanting:
                if channel is not None:
                    channel.drop(event.flag, event.text)
                    said += self._write(channel, event.at_ns)
                continue
            demand = _demand(action, event, self._config.rules[event.rule])
            if (refusal := self._refusal(target, name, demand.value, setpoint=setpoint)) is not None:
                if event.transition in _BEGINS:
                    said.append(self._refuse(target, name, demand.value, event.at_ns, event.flag, refusal))
                continue
            channel = self._channel(target, name, setpoint=setpoint)
            if event.transition == "raised" or not channel.has(event.flag):
                channel.demand(demand)
            said += self._write(channel, event.at_ns)
        return said

    def _release(self, event: ReleaseProposed) -> Sequence[AnyEvent]:
        """Command the proposed product where that is allowed; when it is to wait, take back what was commanded."""
        line = self._config.lines.get(event.line)
        product = self._config.products.get(event.products[0]) if event.go and event.products else None
        code = NO_PRODUCT if product is None else product.code
        if line is None or not isinstance(code, int):
            return ()
        target = f"{event.line}/{next(iter(line.stations))}"
        name = Command.NEXT_PRODUCT.value
        if self._refusal(target, name, code) is not None:
            return ()
        if product is None and f"{target}/{name}" not in self._memory.channels:
            return ()
        channel = self._channel(target, name)
        channel.want(code, event.reason)
        return self._write(channel, event.at_ns)

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """Commands that waited, leases to renew, commands given up."""
        said: list[AnyEvent] = []
        for channel in self._memory.channels.values():
            command = channel.open
            if command is not None and at_ns >= command.issued_ns + _GIVE_UP * self._control.expire_after:
                said.append(self._close(channel, command, CommandResult.UNKNOWN, at_ns, "no outcome was reported"))
            said += self._write(channel, at_ns)
        return said

    def due_ns(self) -> int | None:
        """When ``tick`` has something to write next; ``None`` if nothing waits but for outcomes and flags."""
        due = (channel.due_ns(self._control.spacing) for channel in self._memory.channels.values())
        return min((at_ns for at_ns in due if at_ns is not None), default=None)

    def outcome(self, outcome: CommandOutcome) -> Sequence[AnyEvent]:
        """How a command ended; nothing if it isn't open (any more)."""
        for channel in self._memory.channels.values():
            if channel.open is not None and channel.open.command == outcome.command:
                known = outcome.result in list(CommandResult)
                result = CommandResult(outcome.result) if known else CommandResult.UNKNOWN
                closed = self._close(channel, channel.open, result, outcome.at_ns, outcome.text)
                return [closed, *self._write(channel, outcome.at_ns)]
        return ()

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""
        return msgspec.msgpack.encode(self._memory)

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned. Wishes of rules that are gone are dropped, as if their flags had cleared.

        Raises:
            SnapshotError: it doesn't fit.
        """
        self._memory = recalled(memory, _Remembered, "the memory of control")
        for channel in self._memory.channels.values():
            for demand in list(channel.demands):
                if channel.name not in map(_what, self._actions.get(demand.rule, ())):
                    channel.drop(demand.flag, "the rule is gone")

    # --- other rules ----------------------------------------------------------------------------------------

    def follow(self, config: Config) -> None:
        """These rules count from now on; ``settle`` is to follow."""
        self._config = config
        self._actions = {name: rule.writes for name, rule in config.rules.items()}

    def settle(self, flags: Sequence[FlagChanged], at_ns: int) -> Sequence[AnyEvent]:
        """Have written what the rules that count now say of all raised flags, as they stand, and nothing else."""
        wanted: dict[str, dict[str, Demand]] = {}
        for flag in filter(_wants, flags):
            for action in self._actions.get(flag.rule, ()):
                target, name, setpoint = _target(action, flag), _what(action), isinstance(action, SetpointAction)
                demand = _demand(action, flag, self._config.rules[flag.rule])
                if self._refusal(target, name, demand.value, setpoint=setpoint) is None:
                    self._channel(target, name, setpoint=setpoint)
                    wanted.setdefault(f"{target}/{name}", {})[flag.flag] = demand
        said: list[AnyEvent] = []
        for key, channel in self._memory.channels.items():
            channel.settle(wanted.get(key, {}), "other rules count now")
            said += self._write(channel, at_ns)
        return said

    # --- what may be written --------------------------------------------------------------------------------

    def _refusal(self, target: str, name: str, value: Written, *, setpoint: bool = False) -> str | None:
        """Why something may not be written; ``None`` if it may."""
        line, _, station = target.partition("/")
        known = self._config.lines[line].stations.get(station) if line in self._config.lines else None
        if known is None or name not in (known.setpoints if setpoint else known.commands):
            return f"{target} has no {name} that could be written"
        if setpoint:
            allowed = allowed_range(self._control.allow, target, name)
            if allowed is not None and value in allowed:
                return None
            if allowed is not None:
                return f"control.allow lists {name} of {target} from {allowed.min:g} to {allowed.max:g}, not {value:g}"
        for allow in self._control.allow:
            if name in allow.commands and any(fnmatchcase(target, pattern) for pattern in allow.stations):
                return None
        return f"control.allow does not list {name} of {target}"

    def _refuse(self, target: str, name: str, value: Written, at_ns: int, reason: str, text: str) -> CommandClosed:
        line, _, station = target.partition("/")
        return CommandClosed(
            at_ns=at_ns,
            command=self._next_id(target, name),
            line=line,
            station=station,
            name=name,
            value=value,
            result=CommandResult.REFUSED,
            issued_ns=at_ns,
            text=text,
            reason=reason,
        )

    # --- writing --------------------------------------------------------------------------------------------

    def _write(self, channel: Channel, now_ns: int) -> list[AnyEvent]:
        due_ns = channel.due_ns(self._control.spacing)
        if due_ns is None or now_ns < due_ns:
            return []
        target = f"{channel.line}/{channel.station}"
        value = channel.wanted
        if value is None:
            return []
        if (refusal := self._refusal(target, channel.name, value, setpoint=channel.setpoint)) is not None:
            channel.changed, channel.renew_ns = False, None
            return [self._refuse(target, channel.name, value, now_ns, channel.reason, refusal)]
        command = self._next_id(target, channel.name)
        lease_ns = channel.lease_ns()
        channel.open = Open(command, value, now_ns, channel.reason)
        channel.sent, channel.changed, channel.issued_ns = value, False, now_ns
        channel.renew_ns = now_ns + lease_ns // 2 if lease_ns else None
        issued = CommandIssued(
            at_ns=now_ns,
            command=command,
            line=channel.line,
            station=channel.station,
            name=channel.name,
            value=value,
            expires_ns=now_ns + self._control.expire_after,
            reason=channel.reason,
        )
        return [issued]

    def _close(self, channel: Channel, command: Open, result: CommandResult, at_ns: int, text: str) -> CommandClosed:
        channel.open = None
        if result is not CommandResult.VERIFIED:
            channel.sent = None
        return CommandClosed(
            at_ns=at_ns,
            command=command.command,
            line=channel.line,
            station=channel.station,
            name=channel.name,
            value=command.value,
            result=result,
            issued_ns=command.issued_ns,
            text=text,
            reason=command.reason,
        )

    def _channel(self, target: str, name: str, *, setpoint: bool = False) -> Channel:
        key = f"{target}/{name}"
        if key not in self._memory.channels:
            line, _, station = target.partition("/")
            self._memory.channels[key] = Channel(line, station, name, setpoint)
        return self._memory.channels[key]

    def _next_id(self, target: str, name: str) -> str:
        self._memory.count += 1
        return f"{target}/{name}/{self._memory.count}"


def _wants(flag: FlagChanged) -> bool:
    """Whether a flag has its commands written: those of one that a flood mutes stand."""
    return flag.state in WANTING or (flag.raised and flag.suppressed_by == flood_flag(flag.line))


def _target(action: CommandAction | SetpointAction, flag: FlagChanged) -> str:
    return action.station or f"{flag.line}/{flag.station}"


def _what(action: CommandAction | SetpointAction) -> str:
    return action.setpoint if isinstance(action, SetpointAction) else action.command.value


def _demand(action: CommandAction | SetpointAction, event: FlagChanged, rule: RuleConfig) -> Demand:
    values = rule.values(event.flag.partition("/")[2])
    rank, flag = event.severity.rank, event.flag
    if isinstance(action, SetpointAction):
        on_clear = None if action.on_clear is None else _number(action.on_clear, values)
        return Demand(flag, event.rule, rank, _number(action.value, values), on_clear, 0, flag)
    if action.command is Command.ANDON:
        colour = Andon(str(values.get(str(action.value), action.value)))
        return Demand(flag, event.rule, rank, colour.code, colour_code(action.on_clear), 0, flag)
    lease_ns = action.value if isinstance(action.value, int) else round(token_of(values[action.value]).value * NS)
    seconds: Written = lease_ns // NS if lease_ns % NS == 0 else lease_ns / NS
    return Demand(flag, event.rule, rank, seconds, 0, lease_ns, flag)


def _number(written: float | str, values: Mapping[str, Value]) -> float:
    return token_of(values[written]).value if isinstance(written, str) else written
