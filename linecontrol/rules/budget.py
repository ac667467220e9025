"""What the rules of a plant take, and how much they may."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from linecontrol.config import Config, RuleConfig
from linecontrol.rules.compile import Compiled, Rule, RuleProblem
from linecontrol.rules.lexer import LONGEST_TEXT
from linecontrol.rules.params import first_values, tokens_of
from linecontrol.rules.parser import DEEPEST, LARGEST_WINDOW, MOST_NODES, size
from linecontrol.rules.subjects import About
from linecontrol.rules.typed import Source
from linecontrol.rules.window import MOST_KEPT

MOST_FLAGS = 20_000
"""Rules times subjects."""
MOST_ELEMENTS = 1_000_000
"""Elements that all windows keep at the most, of all rules and subjects."""


class Most(Struct, frozen=True):
    """The largest of something: how large it is, how large it may be, and which rule has it (empty: all together)."""

    what: str
    is_: int
    limit: int
    rule: str = ""


def budget(config: Config, rules: Compiled) -> list[Most]:
    """What the rules that have no problems take. Never raises."""
    flags = sum(map(len, rules.pairs.values()))
    largest: dict[str, Most] = {}
    kept: dict[str, dict[str, int]] = {}
    for name, pairs in rules.pairs.items():
        for what, number, limit in _sizes(config.rules[name]):
            if what not in largest or number > largest[what].is_:
                largest[what] = Most(what, number, limit, name)
        for rule, about in pairs:
            for figure in rule.windows:
                source = figure.source
                kept.setdefault(about.place, {})[source.key] = _kept(source)
                if source.size > largest.get("window", Most("", 0, 0)).is_:
                    largest["window"] = Most("elements of a window", source.size, LARGEST_WINDOW, name)
    windows = sum(map(len, kept.values()))
    elements = sum(sum(its.values()) for its in kept.values())
    return [
        Most("flags (rules times subjects)", flags, MOST_FLAGS),
        Most(f"elements that {windows} windows keep at the most", elements, MOST_ELEMENTS),
        *largest.values(),
    ]


def excesses(config: Config, rules: Compiled) -> Iterator[RuleProblem]:
    """What is beyond its limit of all rules together. What one rule has too much of is told as its problem."""
    for most in budget(config, rules):
        if most.rule or most.is_ <= most.limit:
            continue
        shares = {name: _share(most, pairs) for name, pairs in rules.pairs.items()}
        name = max(shares, key=lambda each: shares[each])
        yield RuleProblem(name, "when", 0, (
            f"all rules have {most.is_:,} {most.what}, and {most.limit:,} is the limit; {shares[name]:,} are of this "
            "one: narrow it with only:, or shorten its windows"
        ))  # fmt: skip


def _share(most: Most, pairs: Sequence[tuple[Rule, About]]) -> int:
    if most.limit == MOST_FLAGS:
        return len(pairs)
    return sum(_kept(figure.source) for rule, _ in pairs for figure in rule.windows)


def _kept(source: Source) -> int:
    """Elements that a window keeps at the most."""
    return 1 if source.smooth else source.size or MOST_KEPT


def _sizes(rule: RuleConfig) -> Iterator[tuple[str, int, int]]:
    params = tokens_of(first_values(rule))
    for text in filter(None, (rule.when, rule.clear_when, rule.suppress)):
        parts, depth = size(text, params)
        yield "characters of a condition", len(text), LONGEST_TEXT
        yield "parts of a condition", parts, MOST_NODES
        yield "levels of nesting in a condition", depth, DEEPEST
