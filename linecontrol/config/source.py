"""YAML text to plain values, with the place of every node. Any bytes are taken; what is wrong is listed."""

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from typing_extensions import override

MAX_BYTES = 2_000_000
"""Largest file that is read."""
MAX_NODES = 200_000
"""Most values of one file, aliases followed: a small file can stand for a huge tree."""
MAX_DEPTH = 40
"""Deepest nesting."""

Path_ = tuple[str | int, ...]

_SCALARS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "merge")
)
_GROUPS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_BROKEN = (YAMLError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    @override
    def __str__(self) -> str:
        """``file:line:column``."""
        return f"{self.file}:{self.line}:{self.column}"


_OCTAL = re.compile(r"0[0-7]+")
_PLAIN_WORDS = {
    "'\\t'": "a tab; indent with spaces",
    "mapping values are not allowed": "this ':' is not expected; is one missing in the line above, or does a text "
    "with ':' or '{' need quotes?",
    "could not find expected ':'": "a ':' is missing after the key in the line above",
    "expected <block end>": "this is not expected here; check how far it is indented, or put the text in quotes",
    "expected ',' or": "a ',' or a closing bracket is missing before this",
    "but found another document": "a second document ('---'); a file holds one",
    "found unexpected end of stream": "a quote is opened and never closed",
    "found undefined alias": "an alias (*) of an anchor (&) that there isn't; does a text with '*' need quotes?",
    "did not find expected alphabetic or numeric character": "a text that begins with '*' or '&' needs quotes",
    "cannot start any token": "a text that begins with %, @ or ` needs quotes",
}
"""What people read instead of what the parser says."""

UNREADABLE = "no valid YAML"
"""How the text of a problem begins that keeps a file from being read at all."""


@dataclass(frozen=True)
class Problem:
    """Something wrong in config: where, at which path, and what."""

    place: Place
    path: Path_
    text: str

    @override
    def __str__(self) -> str:
        """``file:line:column: path: text``."""
        return f"{self.place}: {dotted(self.path)}: {self.text}" if self.path else f"{self.place}: {self.text}"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, in the order of their places."""
    return sorted(set(problems), key=lambda problem: (problem.place, dotted(problem.path), problem.text))


def dotted(path: Path_) -> str:
    """A path as people write it: ``rules.slow.actions[0].value``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


@dataclass(frozen=True)
class Written:
    """A text that stands otherwise in its file: on several lines, or with escapes. ``raw`` is it as written."""

    raw: str
    value: str

    def at(self, place: Place, offset: int) -> Place:
        """The place of a character of the value: all that isn't blank stands in the same order as in the file."""
        spot = 0
        for char in self.value[: offset + 1]:
            if not char.isspace() and (found := self.raw.find(char, spot)) >= 0:
                spot = found + 1
        spot -= offset < len(self.value) and not self.value[offset].isspace()
        before = self.raw.rfind("\n", 0, spot)
        column = spot - before if before >= 0 else place.column + spot
        return Place(place.file, place.line + self.raw.count("\n", 0, spot), column)


class Places:
    """Where each value of the config is written."""

    def __init__(self, root: str) -> None:
        """``root`` is the folder: the place of what is written nowhere."""
        self._root = Place(root)
        self.keys: dict[Path_, Place] = {}
        self.values: dict[Path_, Place] = {}
        self.texts: dict[Path_, Written] = {}

    def of(self, path: Path_, offset: int = 0) -> Place:
        """Place of the value at ``path``, or of what it should be in; ``offset`` characters into a text."""
        for length in range(len(path), 0, -1):
            if place := self.values.get(path[:length]):
                if length < len(path):
                    return place
                written = self.texts.get(path)
                return written.at(place, offset) if written else Place(place.file, place.line, place.column + offset)
        return self._root

    def of_key(self, path: Path_) -> Place:
        """Place of the key that ends ``path``."""
        return self.keys.get(path) or self.of(path)

    def add(self, other: "Places") -> None:
        """Take up the places of another file; what is known already stays."""
        self.texts |= {path: written for path, written in other.texts.items() if path not in self.values}
        self.keys = other.keys | self.keys
        self.values = other.values | self.values

    def forget(self, path: Path_) -> None:
        """Know nothing of a value any more."""
        for table in (self.keys, self.values, self.texts):
            table.pop(path, None)

    def __call__(self, path: Path_, offset: int = 0) -> str:
        """``file:line:column`` of the value at ``path``."""
        return str(self.of(path, offset))


class Source:
    """One file being read."""

    def __init__(self, file: Path, places: Places) -> None:
        """Places are added to ``places``; ``problems`` grows as they are found."""
        self.file = str(file)
        self.places = places
        self.problems: list[Problem] = []
        self._yaml = YAML(typ="safe", pure=True)
        self._nodes = 0

    def read(self) -> dict[str, Any]:
        """The file's top-level keys and values; empty if it can't be read."""
        data = b""
        try:
            with open(self.file, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                self._say(Place(self.file), f"the file is larger than {MAX_BYTES // 1_000_000} MB")
                return {}
            root = self._yaml.compose(data.decode("utf-8-sig"))
        except OSError as error:
            self._say(Place(self.file), f"can't be read: {error.strerror}")
        except UnicodeDecodeError as error:
            self._say(Place(self.file, data.count(b"\n", 0, error.start) + 1), "the text is not UTF-8")
        except _BROKEN as error:
            self._say(self._mark_of(error), f"{UNREADABLE}: {_first_line(error)}")
        else:
            if isinstance(root, MappingNode):
                return self._value(root, (), 0)  # type: ignore[no-any-return]
            if root is not None and not (isinstance(root, ScalarNode) and root.value == ""):
                self._say(self._place(root), "a file holds keys and values at its top, such as plant:")
        return {}

    def _value(self, node: Node, path: Path_, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            if not any(problem.text.startswith(UNREADABLE) for problem in self.problems):
                self._say(self._place(node), f"{UNREADABLE}: too much or too deep; do aliases repeat one another?")
            return None
        if not isinstance(node, ScalarNode) and str(node.tag) not in _GROUPS:
            self._say(
                self._place(node),
                f"the tag {str(node.tag)[:60]} is not understood; a text that begins with ! needs quotes",
                path,
            )
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            self.places.values.setdefault(path, self._place(node))
            return [self._value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        self.places.values[path] = self._place(node)
        if isinstance(node, ScalarNode) and (raw := self._raw(node)) != node.value:
            self.places.texts[path] = Written(raw, node.value)
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path_, depth: int) -> dict[Any, Any]:
        self.places.values.setdefault(path, self._place(node))
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, path) if isinstance(key_node, ScalarNode) else None
            if not isinstance(key, str | int) or isinstance(key, bool):
                self._say(self._place(key_node), "a key is a name or a whole number", path)
                continue
            place = self._place(key_node)
            here = (*path, key)
            if key == "<<":
                self._say(self._place(key_node), "merge keys (<<) are not understood; write the keys out", path)
                continue
            if key in found:
                self._say(place, f"{key!r} is there twice, first at {self.places.of_key(here)}", path)
                continue
            if depth or here not in self.places.keys:
                self.places.keys[here] = place
                if not isinstance(value_node, ScalarNode):
                    self.places.values[here] = place
            found[key] = self._value(value_node, here, depth + 1)
            if value_node.start_mark.index == value_node.end_mark.index:  # nothing: it would be where the next begins
                self.places.values[here] = place
        return found

    def _scalar(self, node: Node, path: Path_) -> Hashable:
        if str(node.tag) not in _SCALARS:
            self._say(
                self._place(node),
                f"the tag {str(node.tag)[:60]} is not understood; a text that begins with ! needs quotes",
                path,
            )
            return None
        if str(node.tag).endswith(":merge"):
            return "<<"
        if (
            _OCTAL.fullmatch(str(node.value))
            and str(node.tag).endswith(":int")
            and int(node.value, 8) != int(node.value)
        ):
            plain = str(int(node.value))
            self._say(
                self._place(node),
                f"{node.value} is {plain} to some and {int(node.value, 8)} to others; write {plain}",
                path,
            )
            return None
        if "_" in str(node.value) and str(node.tag).endswith((":int", ":float")):
            plain = str(node.value).replace("_", "")
            self._say(self._place(node), f"{node.value} is a number to some and a text to others; write {plain}", path)
            return None
        try:
            return self._yaml.constructor.construct_object(node)  # type: ignore[no-any-return]
        except _BROKEN:
            self._say(self._place(node), f"{_short(node.value)} can't be understood as {_kind(node)}", path)
            return None

    def _place(self, node: Node) -> Place:
        mark = node.start_mark
        quoted = isinstance(node, ScalarNode) and node.style in ("'", '"')
        return Place(self.file, mark.line + 1, mark.column + 1 + quoted)

    @staticmethod
    def _raw(node: ScalarNode) -> str:
        """A value as it stands in the file, without its opening quote; what announces a block is blank."""
        start, end = node.start_mark, node.end_mark
        raw: str = start.buffer[start.index : end.index]
        if node.style in ("|", ">"):
            head = raw.partition("\n")[0]
            return " " * len(head) + raw[len(head) :]
        return raw[1:-1] if node.style in ("'", '"') else raw

    def _mark_of(self, error: Exception) -> Place:
        mark = (error.problem_mark or error.context_mark) if isinstance(error, MarkedYAMLError) else None
        return Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file)

    def _say(self, place: Place, text: str, path: Path_ = ()) -> None:
        self.problems.append(Problem(place, path, text))


def _kind(node: Node) -> str:
    kind = str(node.tag).rpartition(":")[2]
    return {"int": "a number", "float": "a number", "timestamp": "a day"}.get(kind, kind)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _first_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    text = (error.problem or error.context) if isinstance(error, MarkedYAMLError) else str(error)
    for part, plain in _PLAIN_WORDS.items():
        if part in str(text):
            return plain
    return (str(text).strip().splitlines() or ["unreadable"])[0][:200]
