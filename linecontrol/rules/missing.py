"""What is said of a flag that there isn't: is it the rule, its subject, or that one isn't watched for the other?"""

from fnmatch import fnmatchcase

from linecontrol.config import Config
from linecontrol.rules.alarm import RESERVED
from linecontrol.rules.check import Vocabulary
from linecontrol.rules.compile import compiled, not_watched, rule_of
from linecontrol.rules.subjects import subjects
from linecontrol.rules.suggest import nearest, some


def watched(config: Config) -> list[str]:
    """All flags, and what is only noted: ``rule/subject``."""
    return [f"{name}/{about.name}" for name, pairs in compiled(config).pairs.items() for _, about in pairs]


def missing(flag: str, config: Config) -> str:
    """Why there is no flag (``rule/subject``, the subject may be a pattern), and what may have been meant."""
    name, _, subject = flag.partition("/")
    if name in RESERVED:
        return (
            f"there is no flag {flag}; a {name} flag is {'flood/LINE' if name == 'flood' else f'{name}/RULE/SUBJECT'}"
        )
    if name not in config.rules:
        return f"there is no rule {name}{nearest(name, config.rules)}"
    rule = config.rules[name]
    known = [about.name for about in subjects(config, rule.each, [])]
    if not subject:
        return f"{name} is a rule; its flag is {name}/{rule.each.upper()}, such as {name}/{next(iter(known), '…')}"
    left_out = not_watched(config, rule_of(name, rule, Vocabulary.of(config)))
    there = [each for each in known if each not in left_out]
    meant = [each for each in known if fnmatchcase(each, subject)]
    if not meant:
        return f"there is no {rule.each} {subject}{nearest(subject, there) or nearest(subject, known)}"
    if rule.only_notes and meant[0] in there:
        return f"rule {name} only notes: it raises no flag"
    return f"rule {name} is not watched for {some(meant)}, {left_out[meant[0]]}; it is watched for {some(there)}"
