"""What is wrong with what a rule does: commands, setpoints, notes."""

from collections.abc import Iterator

from linecontrol.config import Command, CommandAction, Config, RuleConfig, SetpointAction
from linecontrol.config.gateway import allowed_range
from linecontrol.duration import NS
from linecontrol.model import Andon
from linecontrol.rules.lexer import Sort, Token, token_of
from linecontrol.rules.subjects import About, subjects
from linecontrol.rules.suggest import nearest

_OF_FLAGS = ("severity", "ack", "latch", "realarm", "shelve_max", "group")

Found = Iterator[tuple[str, str]]
"""Fields of a rule with what is wrong there."""


def action_problems(rule: RuleConfig, config: Config) -> Found:
    """Actions that can't be meant or would never be carried out."""
    if rule.only_notes:
        for field in _OF_FLAGS:
            if field in rule.model_fields_set:
                yield (
                    field,
                    f"a rule that only notes raises no flag, so {field} has no meaning; add flag to its actions",
                )
    elif rule.realarm and rule.ack == "auto" and not rule.latch:
        yield "realarm", "asks again after being acknowledged, and nobody has to acknowledge it; add ack: required"
    for index, action in enumerate(rule.actions):
        field = f"actions.{index}"
        if action in rule.actions[:index]:
            yield field, "is there twice"
        if isinstance(action, CommandAction):
            yield from _command(action, field, rule, config)
        elif isinstance(action, SetpointAction):
            yield from _setpoint(action, field, rule, config)


def _command(action: CommandAction, field: str, rule: RuleConfig, config: Config) -> Found:
    if action.command is Command.NEXT_PRODUCT:
        yield f"{field}.command", "next_product follows the proposed release; a rule can't write it"
        return
    if action.command is Command.HOLD and action.on_clear is not None:
        yield f"{field}.on_clear", "a hold is released when the flag clears; it takes no colour"
    values = _values(action.value, rule)
    complaints = [_lease(value, config) if action.command is Command.HOLD else _colour(value) for value in values]
    if not values:
        wanted = "a duration such as 2min" if action.command is Command.HOLD else f"a colour ({', '.join(Andon)})"
        known = [*map(str, Andon), *rule.params] if action.command is Command.ANDON else rule.params
        yield f"{field}.value", f"{action.value!r} is neither {wanted} nor a param{nearest(str(action.value), known)}"
    elif complaint := next(filter(None, complaints), ""):
        yield f"{field}.value", complaint


def _lease(value: Token, config: Config) -> str:
    if value.sort is not Sort.LENGTH:
        return f"hold needs a duration, such as 2min: the lease that is renewed; not {value.text}"
    shortest_s = 2 * max(config.engine.resolution, config.control.spacing) / NS
    return f"a lease must be {shortest_s:g} s or longer to be renewed in time" if value.value < shortest_s else ""


def _colour(value: Token) -> str:
    known = value.sort is Sort.TEXT and value.text[1:-1] in list(Andon)
    return "" if known else f"andon needs a colour ({', '.join(Andon)}), not {value.text}"


def _setpoint(action: SetpointAction, field: str, rule: RuleConfig, config: Config) -> Found:
    for key, written in (("value", action.value), ("on_clear", action.on_clear)):
        if isinstance(written, str) and written not in rule.params:
            yield f"{field}.{key}", f"there is no param {written!r}{nearest(written, rule.params)}"
        elif written is not None:
            complaints = (_number(action, written, about.name, rule, config) for about in _about(rule, config))
            if complaint := next(filter(None, complaints), ""):
                yield f"{field}.{key}", complaint


def _number(action: SetpointAction, written: float | str, subject: str, rule: RuleConfig, config: Config) -> str:
    """What is wrong with the number that is written for a subject; nothing if it has none, which is told elsewhere."""
    value = rule.values(subject).get(written) if isinstance(written, str) else written
    if value is None:
        return ""
    token = token_of(value)
    if token.sort is not Sort.NUMBER:
        return f"a setpoint is a number; the param {written!r} is {value!r}"
    target = action.station or subject
    allowed = allowed_range(config.control.allow, target, action.setpoint)
    if allowed is None or token.value in allowed:
        return ""
    limits = f"from {allowed.min:g} to {allowed.max:g}, not {token.value:g}"
    return f"control: allow: lists {action.setpoint} of {target} {limits}"


def _about(rule: RuleConfig, config: Config) -> list[About]:
    return subjects(config, rule.each, rule.only)


def _values(written: Andon | int | str, rule: RuleConfig) -> list[Token]:
    """What is written, or all values of the param that is named; none if there is no such param."""
    if isinstance(written, int):
        return [Token(Sort.LENGTH, 0, "", written / NS)]
    if written in list(Andon):
        return [token_of(str(written))]
    return [token_of(value) for value in rule.params.get(written, {}).values()]
