"""What editors and people are told of the config, from its types: JSON Schema and the reference page."""

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from linecontrol.config.root import Config

_HEAD = """\
# Config

A plant is a folder of YAML 1.2 files. Every `*.yaml` below it is read, except rule tests (`*.test.yaml`); a top-level
key may be spread over several files. `linecontrol check DIR` says what is wrong, `linecontrol schema` prints this as
JSON Schema. Connections and signals also take the keys of their driver.

A *duration* is written as people say it (`2h35m`, `90s`, `250ms`), a *day* as `2026-07-01`, a *time* as `"08:00"` in
the plant's time zone. A *name* is made of lower case letters, digits and underscores.

This page is made from the types: `linecontrol schema --markdown`.
"""
_WORDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}


def json_schema() -> str:
    """JSON Schema of the whole config, indented, with a newline at its end."""
    schema = Config.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    del schema["required"]  # an editor sees one file of the folder at a time
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def markdown() -> str:
    """The reference page: every key with its type, default and meaning."""
    parts = [_section(model, model.__name__.removesuffix("Config")) for model in _reachable(Config)]
    return "\n".join([_HEAD, _section(Config, "Top level"), *parts])


def _section(model: type[BaseModel], title: str) -> str:
    rows = [f"## {title}\n", f"{_text(model.__doc__)}\n", "| key | type | default | meaning |", "|---|---|---|---|"]
    properties = model.model_json_schema(by_alias=True).get("properties", {})
    definitions = model.model_json_schema(by_alias=True).get("$defs", {})
    for name, info in model.model_fields.items():
        key = info.alias or name
        kind = _kind(properties[key], definitions)
        rows.append(f"| `{key}` | {kind} | {_default(info, kind)} | {_text(info.description)} |")
    return "\n".join(rows) + "\n"


def _text(text: str | None) -> str:
    return " ".join((text or "").split()).replace("``", "`").replace("|", "\\|")


def _kind(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return _kind(definitions[name], definitions) if "enum" in definitions[name] else _link(name)
    if options := schema.get("anyOf") or schema.get("allOf") or schema.get("oneOf"):
        kinds = [_kind(option, definitions) for option in options if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'], definitions)}"
    if schema.get("type") == "object":
        values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        kind = _kind(next(value for value in values if value), definitions)
        return f"({kind}) by name" if " or " in kind else f"{kind} by name"
    if schema.get("format") == "date":
        return "day"
    if "ms|min" in schema.get("pattern", ""):
        return "duration"
    if schema.get("pattern", "").startswith("^([01]"):
        return "time"
    kind = _WORDS.get(str(schema.get("type")), "any value")
    limits = [f"{word} {schema[key]}" for key, word in _LIMITS if key in schema]
    return f"{kind}, {' and '.join(limits)}" if limits else kind


_LIMITS = (
    ("exclusiveMinimum", "more than"),
    ("minimum", "at least"),
    ("maximum", "at most"),
)


def _link(name: str) -> str:
    title = name.removesuffix("Config")
    return f"[{title}](#{title.lower()})"


def _default(info: FieldInfo, kind: str) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "its defaults"
    if kind == "duration" and isinstance(value, int):
        return f"`{_duration(value)}`"
    if isinstance(value, Enum):
        value = value.value
    return f"`{json.dumps(value)}`" if not isinstance(value, str) else f"`{value}`"


def _duration(ns: int) -> str:
    for unit, size in (("d", 86_400 * 10**9), ("h", 3_600 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6)):
        if ns and ns % size == 0:
            return f"{ns // size}{unit}"
    return "0s"


def _reachable(model: type[BaseModel]) -> list[type[BaseModel]]:
    found: dict[type[BaseModel], None] = {}
    waiting = [model]
    while waiting:
        for info in waiting.pop(0).model_fields.values():
            for inner in _models(info.annotation):
                if inner not in found:
                    found[inner] = None
                    waiting.append(inner)
    return list(found)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for option in get_args(annotation):
        yield from _models(option)
