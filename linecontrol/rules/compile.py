"""Rules of the config as compiled rules, and everything that is wrong with them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from linecontrol.config import Config, Plain, RuleConfig
from linecontrol.model import Severity
from linecontrol.rules.actions import action_problems
from linecontrol.rules.alarm import RESERVED, Life
from linecontrol.rules.check import Vocabulary, check_condition, check_when
from linecontrol.rules.emit import Factory, moving, signal_of, value_of, wake_of
from linecontrol.rules.kleene import AS_FALSE, AS_TRUE
from linecontrol.rules.lexer import Token
from linecontrol.rules.message import Message, message
from linecontrol.rules.moves import Move, moves, moves_of, sights
from linecontrol.rules.names import SIDES, Kind, Named
from linecontrol.rules.params import first_values, fit_problems, form_problems, length_ns, tokens_of
from linecontrol.rules.parser import parse_condition
from linecontrol.rules.subjects import About, subjects
from linecontrol.rules.tree import ExpressionError
from linecontrol.rules.typed import (
    Apply,
    Chain,
    Figure,
    Leaf,
    Load,
    Passed,
    Since,
    Typed,
    comparison,
    counting,
    leaves,
    quick,
)
from linecontrol.rules.window import SORTED

_T = TypeVar("_T")


class RuleProblem(Struct, frozen=True):
    """Something wrong with a rule: ``field`` as in the file (``actions.0.value``), ``offset`` in that field's text."""

    rule: str
    field: str
    offset: int
    text: str


class Rule(Struct, frozen=True):
    """A compiled rule.

    ``when`` raises it, ``over`` clears it (``signal`` is the one that counts), ``suppress`` suppresses it;
    ``conditions`` are all that it looks at. ``moved_by`` are the events that move these, ``hastened_by`` those that
    move when time does (``wake``), ``sights`` the sides at which a station's first sight moves them. ``windows``,
    ``ages`` and ``tags`` are to be kept for its subjects, ``other_tags`` for others; of ``ordered`` windows the values
    are to be kept in order, of others it is to be counted what is beyond the limits of ``passed``. ``notes`` tells
    whether its message is an entry into what happened.
    """

    name: str
    config: RuleConfig
    severity: Severity
    life: Life
    when: Typed | Chain
    over: Typed
    suppress: Typed | None
    conditions: tuple[Typed, ...]
    signal: Factory | None
    wake: Factory | None
    message: Message
    value: Factory | None
    limit: Factory | None
    windows: tuple[Figure, ...]
    ordered: frozenset[str]
    passed: tuple[Passed, ...]
    ages: tuple[tuple[Named, Factory], ...]
    tags: tuple[str, ...]
    other_tags: tuple[str, ...]
    moved_by: frozenset[Move]
    hastened_by: frozenset[Move]
    sights: frozenset[str]
    sides: frozenset[str]
    notes: bool


class Compiled(Struct, frozen=True):
    """The rules of a config: of those without ``problems`` each subject for which it is watched, compiled for it."""

    pairs: dict[str, list[tuple[Rule, About]]]
    problems: list[RuleProblem]


def compiled(config: Config) -> Compiled:
    """The rules, and everything wrong with their conditions, messages and actions. Never raises."""
    pairs: dict[str, list[tuple[Rule, About]]] = {}
    problems: list[RuleProblem] = []
    words = Vocabulary.of(config)
    for name, rule in config.rules.items():
        found: list[RuleProblem] = []
        if name in RESERVED:
            found.append(
                RuleProblem(name, "when", 0, f"{name} is a flag of the gateway's own; call the rule otherwise")
            )
        made = _instances(name, rule, config, words, found)
        found += [RuleProblem(name, field, 0, text) for field, text in action_problems(rule, config)]
        problems += found
        if not found:
            pairs[name] = made
    return Compiled(pairs, problems)


def problems(config: Config) -> list[RuleProblem]:
    """Everything wrong with the rules' conditions, messages and actions; empty if all is well. Never raises."""
    return compiled(config).problems


def rule_of(name: str, rule: RuleConfig, words: Vocabulary) -> Rule:
    """A rule without problems, compiled with the first value of each param."""
    its = _compile(name, rule, words, tokens_of(first_values(rule)), [])
    if its is None:
        msg = f"rule {name} has problems"
        raise ValueError(msg)
    return its


def _instances(
    name: str, config: RuleConfig, plant: Config, words: Vocabulary, found: list[RuleProblem]
) -> list[tuple[Rule, About]]:
    words = msgspec.structs.replace(words, params=tuple(config.params))
    found += [RuleProblem(name, field, 0, text) for field, text in form_problems(config)]
    values = first_values(config)
    draft = _compile(name, config, words, tokens_of(values), found)
    if draft is None or found:
        return []
    left_out = not_watched(plant, draft)
    abouts = [about for about in subjects(plant, config.each, []) if about.name not in left_out]
    fits = fit_problems(config, [about.name for about in abouts], left_out)
    if wrong := [RuleProblem(name, field, 0, text) for field, text in fits]:
        found += wrong
        return []
    made = {tuple(values.items()): draft}
    pairs = []
    for about in abouts:
        values = config.values(about.name)
        key = tuple(values.items())
        if key not in made:
            odd: list[RuleProblem] = []
            rule = _compile(name, config, words, tokens_of(values), odd)
            if rule is None:
                found += [msgspec.structs.replace(it, text=f"{it.text} (for {about.name})") for it in odd]
                return []
            made[key] = rule
        pairs.append((made[key], about))
    return pairs


def not_watched(plant: Config, rule: Rule) -> dict[str, str]:
    """The subjects for which a rule is not watched, each with the reason: ``which has no upstream neighbour``."""
    taken = {about.name for about in subjects(plant, rule.config.each, rule.config.only)}
    reasons = {
        about.name: _lack(plant, rule, about) if about.name in taken else "which only: leaves out"
        for about in subjects(plant, rule.config.each, [])
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _lack(plant: Config, rule: Rule, about: About) -> str:
    """What a subject lacks that a rule looks at: a neighbour, or a telemetry tag."""
    lacking = [f"{side} neighbour" for side in sorted(rule.sides) if not about.neighbour(side)]
    if rule.tags:
        telemetry = plant.lines[about.line].stations[about.station].telemetry
        lacking += [f"telemetry tag {tag}" for tag in rule.tags if tag not in telemetry]
    return f"which has no {lacking[0]}" if lacking else ""


def _compile(
    name: str, config: RuleConfig, words: Vocabulary, params: Mapping[str, Token], found: list[RuleProblem]
) -> Rule | None:
    def attempt(field: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except ExpressionError as error:
            found.append(RuleProblem(name, field, error.offset, error.text))
            return None

    each, clear_text = config.each, config.clear_when
    when = attempt("when", lambda: check_when(parse_condition(config.when, params), each, words))
    clear: Typed | None = None
    if clear_text is not None:
        clear = attempt("clear_when", lambda: check_condition(parse_condition(clear_text, params), each, words))
    suppress_text = config.suppress
    suppress: Typed | None = None
    if suppress_text is not None:
        suppress = attempt("suppress", lambda: check_condition(parse_condition(suppress_text, params), each, words))
    text = attempt("message", lambda: message(config.message, each, words, params))
    on_delay = attempt("for", lambda: length_ns(config.hold_for, params))
    off_delay = attempt("off_delay", lambda: length_ns(config.off_delay, params))
    missing = (clear is None and clear_text is not None) or (suppress is None and suppress_text is not None)
    if when is None or missing or text is None or on_delay is None or off_delay is None:
        return None
    pair = None if isinstance(when, Chain) else comparison(when)
    over = _over(when, clear)
    if config.on_unknown != "hold":
        wrong, right = (AS_FALSE, AS_TRUE) if config.on_unknown == "clear" else (AS_TRUE, AS_FALSE)
        when = when if isinstance(when, Chain) else Apply(Kind.BOOL, wrong, (when,))
        over = Apply(Kind.BOOL, right, (over,))
    conditions = [*when.conditions, over] if isinstance(when, Chain) else [when, over]
    conditions += [suppress] if suppress is not None else []
    inputs = [leaf for tree in (*conditions, *text.trees()) for leaf in leaves(tree)]
    figures = {(leaf.source.key, leaf.function): leaf for leaf in inputs if isinstance(leaf, Figure)}
    ages = {leaf.name.path: leaf.name for leaf in inputs if isinstance(leaf, Since)}
    hurdle = None if isinstance(when, Chain) else quick(when)
    looked_at = [leaf for tree in conditions for leaf in leaves(counting(tree))]
    return Rule(
        name=name,
        config=config,
        severity=config.severity,
        life=Life(on_delay, off_delay, config.ack == "required", config.latch, config.realarm),
        when=when,
        over=over,
        suppress=suppress,
        conditions=tuple(conditions),
        signal=None if isinstance(when, Chain) else signal_of(when, over),
        wake=wake_of(conditions),
        message=text,
        value=value_of(pair[0]) if pair else None,
        limit=value_of(pair[1]) if pair else None,
        windows=tuple(figures.values()),
        ordered=frozenset(
            leaf.source.key for leaf in looked_at if isinstance(leaf, Figure) and leaf.function in SORTED
        ),
        passed=tuple(leaf for leaf in looked_at if isinstance(leaf, Passed)),
        ages=tuple((named, value_of(Load(named.kind, "", named))) for named in ages.values()),
        tags=tuple(dict.fromkeys(_tags(inputs))),
        other_tags=tuple(dict.fromkeys(_other_tags(inputs))),
        moved_by=moves(looked_at) | {move for named in ages.values() for move in moves_of(named)},
        hastened_by=moves(moving(conditions)) | moves(leaves(hurdle) if hurdle is not None else ()),
        sights=sights([*looked_at, *(leaf for leaf in inputs if isinstance(leaf, Since))]),
        sides=frozenset(leaf.side for leaf in inputs if isinstance(leaf, Load)) & frozenset(SIDES),
        notes=Plain.NOTE in config.actions,
    )


def _over(when: Typed | Chain, clear: Typed | None) -> Typed:
    """What clears a rule. A sequence clears when ``clear`` says so, or else when its last condition is over."""
    if isinstance(when, Chain):
        return clear if clear is not None else Apply(Kind.BOOL, "not", (when.stages[-1].condition,))
    not_when: Typed = Apply(Kind.BOOL, "not", (when,))
    return not_when if clear is None else Apply(Kind.BOOL, "and", (clear, not_when))


def _tags(inputs: list[Leaf]) -> list[str]:
    """The telemetry tags of the own station that are read."""
    found = []
    for leaf in inputs:
        if isinstance(leaf, Figure):
            found += _tags(list(leaves(leaf.source.item)))
        elif isinstance(leaf, Since) or (isinstance(leaf, Load) and not leaf.side):
            found += [leaf.name.path.removeprefix("tag.")] if leaf.name.path.startswith("tag.") else []
    return found


def _other_tags(inputs: list[Leaf]) -> list[str]:
    """The telemetry tags of other stations that are read."""
    paths = [leaf.name.path for leaf in inputs if isinstance(leaf, Load) and leaf.side not in ("", "cycle")]
    return [path.removeprefix("tag.") for path in paths if path.startswith("tag.")]
