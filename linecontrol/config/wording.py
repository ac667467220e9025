"""What pydantic found wrong, in people's words."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from linecontrol.config.hints import nearest, shown
from linecontrol.config.source import Path_, Places, Problem

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "date": "a day; write YYYY-MM-DD",
    "model": "a group of keys",
    "dict": "a group of keys",
    "list": "a list",
    "finite": "a finite number",
}
_LOOKS = {"^[A-Z]{2}$": "a country: two capital letters, such as AZ"}
"""What texts with a pattern of their own are; all others are names."""
_MEANT = {
    **dict.fromkeys(("low", "notice"), "info"),
    **dict.fromkeys(("medium", "minor", "normal"), "warning"),
    **dict.fromkeys(("high", "error", "major", "urgent"), "critical"),
    **dict.fromkeys(("yes", "true", "manual"), "required"),
    **dict.fromkeys(("no", "false"), "auto"),
    **dict.fromkeys(("keep", "ignore"), "hold"),
    **dict.fromkeys(("machine", "cell"), "station"),
}
"""Words that people use elsewhere for one that is allowed."""


def problems_of(
    error: ValidationError, root: type[BaseModel], data: Any, places: Places, at: Path_ = ()
) -> list[Problem]:
    """One problem for each place that ``root`` refuses in ``data``, which is written at path ``at``."""
    found: dict[Path_, list[tuple[str, bool]]] = {}
    for detail in error.errors(include_url=False):
        path, skipped = _path(detail, data)
        found.setdefault(path, []).append((_text(detail, path, root), skipped))
    paths = list(found)
    problems = []
    for path, said in found.items():
        deeper = any(len(other) > len(path) and other[: len(path)] == path for other in paths)
        texts = [text for text, skipped in said if not (skipped and deeper)]
        texts = [text for text in texts if not text.endswith(_KINDS["model"])] or texts
        if texts:
            full = at + path
            is_key = texts[0].startswith(("unknown key", "the name"))
            place = places.of_key(full) if is_key else places.of(full)
            problems.append(Problem(place, full, "; or ".join(dict.fromkeys(texts))))
    return problems


def _path(detail: ErrorDetails, data: Any) -> tuple[Path_, bool]:
    path: list[str | int] = []
    here = data
    skipped = False
    for part in detail["loc"]:
        if isinstance(here, dict) and (part in here or str(part) in map(str, here)):
            part = part if part in here else next(key for key in here if str(key) == str(part))
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        elif detail["type"] == "missing" and part == detail["loc"][-1]:
            pass
        else:
            skipped = skipped or part != "[key]"
            continue
        path.append(part)
    return tuple(path), skipped


def _text(detail: ErrorDetails, path: Path_, root: type[BaseModel]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if value is None:
        return "is empty"
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        models = _models(root, path[:-1])
        allowed = sorted({name for model in models for name in _keys(model)})
        for model in models:
            if hint := getattr(model, "other_words", {}).get(str(path[-1])):
                return f"unknown key {str(path[-1])!r}; {hint}"
        return f"unknown key {str(path[-1])!r}{nearest(path[-1], allowed) or '; allowed are ' + ', '.join(allowed)}"
    if kind in ("enum", "literal_error"):
        allowed = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        meant = _MEANT.get(str(value).lower())
        hint = f"; here that is {meant!r}" if meant in allowed else nearest(value, allowed)
        return f"{shown(value)} is not allowed; allowed are {', '.join(allowed)}{hint}"
    if kind == "string_pattern_mismatch":
        if context["pattern"] in _LOOKS:
            return f"{shown(value)} is not {_LOOKS[context['pattern']]}"
        what = "the name " if "[key]" in detail["loc"] else ""
        return f"{what}{shown(value)} is not a name: lower case letters, digits and _, a letter first"
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        limit = next(iter(context.values()))
        return f"{shown(value)} must be {kind.replace('_', ' ').replace('than equal', 'than or equal to')} {limit}"
    if kind.startswith("datetime"):
        return f"{shown(value)} is no time; write YYYY-MM-DDTHH:MM"
    if kind == "string_type":
        return f"{shown(value)} is not a text; if it is meant as one, put it in quotes"
    if kind == "string_too_short":
        return "is empty"
    if kind == "too_short":
        return "is empty; give at least one"
    if kind == "list_type" and isinstance(value, str):
        return f"{shown(value)} is not a list; write [{value}]"
    if (word := kind.partition("_")[0]) in _KINDS:
        return f"{shown(value)} is not {_KINDS[word]}"
    return f"{shown(value)}: {detail['msg']}"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name


def _models(annotation: Any, path: Path_) -> list[type[BaseModel]]:
    """Config types that may stand at ``path`` below ``annotation``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            return [annotation]
        for name, info in annotation.model_fields.items():
            if path[0] in (name, info.alias):
                return _models(info.annotation, path[1:])
        return []
    origin = getattr(annotation, "__origin__", None)
    if origin in (dict, list):
        return _models(get_args(annotation)[-1], path[1:]) if path else []
    return [model for option in get_args(annotation) for model in _models(option, path)]
