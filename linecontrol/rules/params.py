"""Params of a rule: what their values are, and what is wrong with them."""

from collections.abc import Iterator, Mapping, Sequence

from linecontrol.config import RuleConfig
from linecontrol.config.hints import patterns_of
from linecontrol.config.params import Param, pattern_for
from linecontrol.duration import NS
from linecontrol.rules.lexer import Sort, Token, token_of, tokens
from linecontrol.rules.message import LABELS, expressions
from linecontrol.rules.names import CYCLE, NAMES, SIDES
from linecontrol.rules.parser import FUNCTIONS, WORDS
from linecontrol.rules.suggest import nearest, some
from linecontrol.rules.tree import ExpressionError

_RESERVED = {*WORDS, *FUNCTIONS, *SIDES, "last", "cycle", "cycles", "sample", "samples", "day", "days", "tag"}
_KINDS = {Sort.NUMBER: "a number", Sort.LENGTH: "a duration", Sort.TEXT: "a text"}

Found = Iterator[tuple[str, str]]
"""Fields of a rule with what is wrong there."""


def tokens_of(values: Mapping[str, float | str]) -> dict[str, Token]:
    """For each param the token for which its name stands."""
    return {name: token_of(value) for name, value in values.items()}


def first_values(rule: RuleConfig) -> dict[str, float | str]:
    """The uppermost value of each param."""
    return {name: next(iter(param.values())) for name, param in rule.params.items()}


def length_ns(length: int | str, params: Mapping[str, Token]) -> int:
    """A delay in nanoseconds, given as such or by a param's name.

    Raises:
        ExpressionError: there is no such param, or it is no duration.
    """
    if isinstance(length, int):
        return length
    token = params.get(length)
    if token is None:
        hint = nearest(length, params) or "; write a duration such as 20min, or declare it under params:"
        raise ExpressionError(0, f"there is no param {length!r}{hint}")
    if token.sort is not Sort.LENGTH:
        raise ExpressionError(0, f"a delay is a duration such as 20min; the param {length!r} is {_KINDS[token.sort]}")
    return round(token.value * NS)


def form_problems(rule: RuleConfig) -> Found:
    """Params that can't be meant: their names are taken, their values of several types, or nothing uses them."""
    taken = _RESERVED | {path.partition(".")[0] for path in (*NAMES[rule.each], *CYCLE)} | set(LABELS[rule.each])
    used = _used(rule)
    for name, param in rule.params.items():
        field = f"params.{name}"
        sorts = {pattern: token_of(value).sort for pattern, value in param.items()}
        first = next(iter(sorts.values()))
        if name in taken:
            yield field, f"{name!r} has a meaning in conditions already; call the param otherwise, such as {name}_limit"
        elif name not in used:
            yield field, f"nothing uses the param {name!r}: no condition, delay, command or message of the rule"
        for pattern, sort in sorts.items():
            if sort is not first:
                yield (
                    f"{field}.{pattern}",
                    (
                        f"one param has values of one type; {next(iter(sorts))!r} has {_KINDS[first]}, "
                        f"{pattern!r} {_KINDS[sort]}: {param[pattern]!r}"
                    ),
                )
                break


def fit_problems(rule: RuleConfig, subjects: Sequence[str], left_out: Mapping[str, str]) -> Found:
    """Subjects that a param has no value for, and patterns that no subject is left for.

    ``left_out`` are the subjects for which the rule is not watched, with the reasons.
    """
    for name, param in rule.params.items():
        field = f"params.{name}"
        chosen = [pattern_for(param, subject) for subject in subjects]
        if without := [subject for subject, pattern in zip(subjects, chosen, strict=True) if pattern is None]:
            yield field, f"no value for {some(without)}; add a pattern that fits, or '*' at the end for all others"
        for pattern in param:
            if pattern not in chosen:
                yield f"{field}.{pattern}", _unused(param, pattern, subjects, left_out, rule)


def _unused(param: Param, pattern: str, subjects: Sequence[str], left_out: Mapping[str, str], rule: RuleConfig) -> str:
    fits = [subject for subject in subjects if pattern_for({pattern: 0}, subject)]
    if fits:
        above = pattern_for(param, fits[0])
        return f"{pattern!r} is never used: {above!r} above it fits {some(fits)} first; put the narrower one above"
    others = [subject for subject in left_out if pattern_for({pattern: 0}, subject)]
    if others:
        return f"{pattern!r} is never used: the rule is not watched for {some(others)}, {left_out[others[0]]}"
    return f"{pattern!r} fits no {rule.each}{nearest(pattern, patterns_of([*subjects, *left_out]))}"


def _used(rule: RuleConfig) -> set[str]:
    """All names in a rule's texts."""
    texts = [rule.when, rule.clear_when or "", rule.suppress or "", *expressions(rule.message)]
    names = {value for value in (rule.hold_for, rule.off_delay) if isinstance(value, str)}
    names |= {str(value) for action in rule.writes for value in (action.value, action.on_clear)}
    for text in texts:
        try:
            names |= {token.text for token in tokens(text) if token.sort is Sort.NAME}
        except ExpressionError:
            names |= set(rule.params)  # the condition's own problem is told; which names it uses isn't known
    return names
