"""Rules of the config as compiled rules, and everything that is wrong with them."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from linecontrol.config import Command, CommandAction, Config, RuleConfig, Subject
from linecontrol.model import Andon, CycleCompleted, Event, Severity
from linecontrol.rules.alarm import Life
from linecontrol.rules.check import check_condition
from linecontrol.rules.emit import Compiled, function
from linecontrol.rules.message import Message, message, sides
from linecontrol.rules.names import FORECASTS
from linecontrol.rules.parser import parse
from linecontrol.rules.suggest import nearest
from linecontrol.rules.tree import ExpressionError
from linecontrol.rules.typed import Apply, Figure, Load, Typed, comparison, leaves

_T = TypeVar("_T")


class RuleProblem(Struct, frozen=True):
    """Something wrong with a rule: ``field`` as in the file (``actions.0.value``), ``offset`` in that field's text."""

    rule: str
    field: str
    offset: int
    text: str


class WindowRule(Struct, frozen=True):
    """A window to keep for each station of a rule, and the code of what enters it."""

    figure: Figure
    item: Compiled


class Rule(Struct, frozen=True):
    """A compiled rule. ``moved_by`` maps the side that it looks at (own: empty) to the events that move it."""

    name: str
    config: RuleConfig
    severity: Severity
    life: Life
    when: Compiled
    over: Compiled
    message: Message
    value: Compiled | None
    limit: Compiled | None
    windows: tuple[WindowRule, ...]
    moved_by: dict[str, tuple[type[Event], ...]]
    sides: frozenset[str]
    timed: bool


def problems(config: Config) -> list[RuleProblem]:
    """Everything wrong with the rules' conditions, messages and actions; empty if all is well. Never raises."""
    found: list[RuleProblem] = []
    for name, rule in config.rules.items():
        _compile(name, rule, found)
        _check_actions(name, rule, config, found)
    return found


def rule_of(name: str, config: RuleConfig) -> Rule:
    """A compiled rule.

    Raises:
        ValueError: it has problems.
    """
    found: list[RuleProblem] = []
    rule = _compile(name, config, found)
    if rule is None:
        msg = "; ".join(f"{problem.field}: {problem.text}" for problem in found)
        raise ValueError(msg)
    return rule


def _compile(name: str, config: RuleConfig, found: list[RuleProblem]) -> Rule | None:
    def attempt(field: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except ExpressionError as error:
            found.append(RuleProblem(name, field, error.offset, error.text))
            return None

    each, clear_text = config.each, config.clear_when
    when = attempt("when", lambda: check_condition(parse(config.when), each))
    clear = when if clear_text is None else attempt("clear_when", lambda: check_condition(parse(clear_text), each))
    text = attempt("message", lambda: message(config.message, each))
    if when is None or clear is None or text is None:
        return None
    not_when: Typed = Apply(when.kind, "not", (when,))
    over = not_when if clear_text is None else Apply(when.kind, "and", (clear, not_when))
    pair = comparison(when)
    trees = [when, over, *text.trees()]
    figures = {leaf.key: leaf for tree in trees for leaf in leaves(tree) if isinstance(leaf, Figure)}
    return Rule(
        name=name,
        config=config,
        severity=config.severity,
        life=Life(config.hold_for, config.off_delay, config.ack == "required", config.latch),
        when=function(when),
        over=function(over),
        message=text,
        value=function(pair[0]) if pair else None,
        limit=function(pair[1]) if pair else None,
        windows=tuple(WindowRule(figure, function(figure.item)) for figure in figures.values()),
        moved_by=_moved_by([when, over]),
        sides=sides(trees),
        timed=any(isinstance(leaf, Load) and leaf.name.timed for leaf in leaves(over)),
    )


def _moved_by(trees: list[Typed]) -> dict[str, tuple[type[Event], ...]]:
    moved: dict[str, dict[type[Event], None]] = {}
    for leaf in (leaf for tree in trees for leaf in leaves(tree)):
        if isinstance(leaf, Load):
            moved.setdefault(leaf.side, {}).update(dict.fromkeys(leaf.name.moved_by))
        elif leaf.daily:
            moved.setdefault("", {}).update(dict.fromkeys(FORECASTS))
        else:
            moved.setdefault("", {})[CycleCompleted] = None
    return {side: tuple(events) for side, events in moved.items()}


def _check_actions(name: str, rule: RuleConfig, config: Config, found: list[RuleProblem]) -> None:
    for index, action in enumerate(rule.actions):
        if isinstance(action, CommandAction):
            for field, text in _action_problems(action, rule, config):
                found.append(RuleProblem(name, f"actions.{index}.{field}", 0, text))


def _action_problems(action: CommandAction, rule: RuleConfig, config: Config) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    colours = ", ".join(Andon)
    if action.command is Command.ANDON and not isinstance(action.value, Andon):
        found.append(("value", f"andon needs a colour: {colours}"))
    if action.command is Command.HOLD:
        shortest = 2 * max(config.engine.resolution, config.control.spacing)
        if isinstance(action.value, Andon):
            found.append(("value", "hold needs a duration, such as 2min: the lease that is renewed"))
        elif action.value < shortest:
            found.append(("value", f"a lease must be {shortest / 1e9:g} s or longer to be renewed in time"))
        if action.on_clear is not None:
            found.append(("on_clear", "a hold is released when the flag clears; it takes no colour"))
    if action.station is None and rule.each is not Subject.STATION:
        found.append(("station", f"a rule about a {rule.each} must say which line/station to write to"))
    if action.station is not None:
        known = [f"{line}/{station}" for line, item in config.lines.items() for station in item.stations]
        if action.station not in known:
            found.append(("station", f"unknown station {action.station}{nearest(action.station, known)}"))
    return found
