"""Rules that could run and can't be meant: watched for nothing, never raised, never cleared."""

from collections.abc import Iterator, Sequence

from linecontrol.config import Config, RuleConfig
from linecontrol.rules.check import Vocabulary, check_condition, check_when
from linecontrol.rules.compile import Compiled, Rule, RuleProblem, rule_of
from linecontrol.rules.names import Kind
from linecontrol.rules.params import tokens_of
from linecontrol.rules.parser import parse_condition
from linecontrol.rules.possible import mistakes
from linecontrol.rules.spell import text_of
from linecontrol.rules.subjects import About, subjects
from linecontrol.rules.typed import Apply, Chain, Const, Figure, Load, Typed, is_share, nodes

MOST_SHARE = 10.0
"""A share is not compared with this number or a larger one, unless that is written with a percent sign."""


def doubts(config: Config, rules: Compiled) -> list[RuleProblem]:
    """What can't be meant in the rules that have no problems. Never raises."""
    words = Vocabulary.of(config)
    return [
        RuleProblem(name, field, 0, text)
        for name, pairs in rules.pairs.items()
        for field, text in _doubts(name, pairs, config, words)
    ]


def _doubts(
    name: str, pairs: Sequence[tuple[Rule, About]], config: Config, words: Vocabulary
) -> Iterator[tuple[str, str]]:
    rule = config.rules[name]
    if not pairs and (not rule.only or subjects(config, rule.each, rule.only)):
        yield _unwatched(rule, rule_of(name, rule, words))
    if rule.was == name or rule.was in config.rules:
        other = "its present name" if rule.was == name else "a rule that is still there"
        yield "was", f"{rule.was} is {other}; was: names what the rule was called before"
    if rule.latch and rule.ack == "auto" and "ack" in rule.model_fields_set:
        yield "ack", "latch: true waits for a person to acknowledge, and ack: auto needs nobody; leave one out"
    chosen = {tuple(rule.values(about.name).items()): about for _, about in reversed(pairs)}
    told: dict[tuple[str, str], str] = {}
    for about in reversed(chosen.values()):
        for found in _mistakes(rule, about, words):
            told.setdefault(found, about.name)
    for (field, text), subject in told.items():
        yield field, f"{text} (for {subject})" if rule.params else text


def _mistakes(rule: RuleConfig, about: About, words: Vocabulary) -> Iterator[tuple[str, str]]:
    params = tokens_of(rule.values(about.name))

    def condition(text: str | None) -> Typed | None:
        return None if text is None else check_condition(parse_condition(text, params), rule.each, words)

    when = check_when(parse_condition(rule.when, params), rule.each, words)
    clear, suppress = condition(rule.clear_when), condition(rule.suppress)
    trees = [("when", each) for each in (when.conditions if isinstance(when, Chain) else [when])]
    trees += [(field, tree) for field, tree in (("clear_when", clear), ("suppress", suppress)) if tree is not None]
    odd = [(field, text) for field, tree in trees for text in _odd(tree)]
    if odd:
        yield from odd
        return
    if not isinstance(when, Chain):
        yield from mistakes(when, clear, suppress)
        return
    found = []
    for number, (field, tree) in enumerate(trees, 1):
        which = "the condition after unless " if tree is when.unless else f"condition {number} of the sequence "
        found += [(field, f"{which if field == 'when' else ''}{text}") for _, text in mistakes(tree, None, None)]
    yield from found or _never_unbroken(when)


def _never_unbroken(chain: Chain) -> Iterator[tuple[str, str]]:
    """Conditions of a sequence that are true only while what breaks it is."""
    if chain.unless is None:
        return
    unbroken = Apply(Kind.BOOL, "not", (chain.unless,))
    for number, each in enumerate(chain.conditions[:-1], 1):
        if list(mistakes(Apply(Kind.BOOL, "and", (each, unbroken)), None, None)):
            yield "when", f"condition {number} of the sequence is true only while the one after unless is"
            return


def _odd(tree: Typed) -> Iterator[str]:
    """Parts of a condition whose types go together and whose meanings don't."""
    for node in nodes(tree):
        match node:
            case Figure(function="delta" | "rate", source=source) if source.size == 1:
                yield f"{text_of(node)} is never known: it takes two elements, and the window has one"
            case Apply(op="/", items=(_, Const(value=0))):
                yield f"{text_of(node)} is never known: it is divided by 0"
            case Apply(op="==" | "!=" | "<" | "<=" | ">" | ">=", items=(one, other)):
                yield from filter(None, (_odd_limit(one, other), _odd_limit(other, one)))


def _odd_limit(thing: Typed, limit: Typed) -> str:
    """What is wrong with comparing a share with a number that is none, or the other way round."""
    if not isinstance(limit, Const) or isinstance(limit.value, str):
        return ""
    value = limit.value
    if is_share(thing) and not limit.share and value >= MOST_SHARE:
        return f"{text_of(thing)} is a share, and {value:g} is {100 * value:g} %; write {value:g}%"
    if isinstance(thing, Figure) and thing.function == "count" and limit.share:
        return f"{text_of(thing)} is a number, not a share; write share(…), or a number without %"
    if isinstance(thing, Load) and limit.share and not (is_share(thing) or thing.name.path.startswith("tag.")):
        return f"{text_of(thing)} is a number, not a share; write {100 * value:g} without %"
    return ""


def _unwatched(config: RuleConfig, rule: Rule) -> tuple[str, str]:
    """Why a rule is watched for nothing."""
    needs = [f"{'an' if side == 'upstream' else 'a'} {side} neighbour" for side in sorted(rule.sides)]
    needs += [f"the telemetry tag {tag}" for tag in rule.tags]
    if not needs:
        return "each", f"there is no {config.each} in this plant: the rule would never be watched"
    return "only" if config.only else "when", f"no {config.each} that the rule is about has {' and '.join(needs)}"
