"""What may change while the gateway runs, as data: the rules with their params, and the alarm settings."""

import json

from linecontrol.config.alarms import AlarmsConfig
from linecontrol.config.root import Config
from linecontrol.config.rule import RuleConfig
from linecontrol.config.types import ConfigModel, Name

_LIVE = {"rules", "alarms"}
_UNUSED = {"simulator"}
"""What the gateway ignores."""


class _RulesData(ConfigModel):
    rules: dict[Name, RuleConfig]
    alarms: AlarmsConfig


def rules_text(config: Config) -> str:
    """The rules and alarm settings as JSON: the same text whenever they are the same, however they are spread."""
    return _RulesData(rules=config.rules, alarms=config.alarms).model_dump_json(by_alias=True, exclude_unset=True)


def with_rules_text(config: Config, text: str) -> Config:
    """The config with the rules and alarm settings that ``rules_text`` made a text of.

    Raises:
        ValueError: it is no such text, or of another version.
    """
    data = _RulesData.model_validate_json(text)
    return config.model_copy(update={"rules": data.rules, "alarms": data.alarms})


def rest_of(config: Config) -> dict[str, str]:
    """All else that the gateway runs by, as texts by where they stand (``lines.tractor``, ``engine.resolution``)."""
    data = config.model_dump(mode="json", exclude=_LIVE | _UNUSED)
    return {
        where: json.dumps(value)
        for name, item in data.items()
        for where, value in (
            {f"{name}.{key}": each for key, each in item.items()} if isinstance(item, dict) else {name: item}
        ).items()
    }
