"""Node ids as people write them: ``nsu=urn:plant;s=ST010.Run``, ``ns=2;i=1001``, ``i=2258``."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from asyncua import ua
from asyncua.ua.uaerrors import UaError
from typing_extensions import override

OPC_UA = "http://opcfoundation.org/UA/"
"""URI of namespace 0, which every server has."""

_NODE = re.compile(r"(?:nsu=(?P<uri>[^;]+);|ns=(?P<index>\d{1,5});)?(?P<identifier>(?:[isgb]|path)=.+)", re.DOTALL)
_SEGMENT = re.compile(r"(?:(?P<index>\d{1,5}):)?(?P<name>.+)", re.DOTALL)
_PATH = "path="
_HIGHEST_INDEX = 0xFFFF
_HIGHEST_NUMBER = 0xFFFF_FFFF


class Node(NamedTuple):
    """A node id whose namespace is known by its URI, or by its number if ``uri`` is ``None``."""

    uri: str | None
    number: int
    identifier: str

    @override
    def __str__(self) -> str:
        if self.uri is not None:
            return f"nsu={self.uri};{self.identifier}"
        return f"ns={self.number};{self.identifier}" if self.number else self.identifier

    def path(self, namespaces: Sequence[str]) -> list[tuple[int, str]] | None:
        """Namespace and browse name of each step from Objects, if the node is known by its path.

        Empty if the server lacks the namespace, ``None`` if the node has an id.
        """
        if not self.identifier.startswith(_PATH):
            return None
        if self.uri is not None and self.uri not in namespaces:
            return []
        own = self.number if self.uri is None else list(namespaces).index(self.uri)
        steps = (_SEGMENT.fullmatch(step) for step in self.identifier.removeprefix(_PATH).split("/"))
        return [(own if step["index"] is None else int(step["index"]), step["name"]) for step in steps if step]

    def at(self, namespaces: Sequence[str]) -> ua.NodeId | None:
        """Id of the node at a server with these namespace URIs; ``None`` if the server lacks the namespace."""
        if self.uri is None:
            return _node_id(self.identifier, self.number)
        if self.uri not in namespaces:
            return None
        return _node_id(self.identifier, list(namespaces).index(self.uri))


def parse(text: str) -> Node:
    """The node id that a text means, in its one canonical form.

    Raises:
        ValueError: it is none.
    """
    match = _NODE.fullmatch(text)
    if match is None:
        ways = "nsu=URI;s=NAME, ns=2;s=NAME, ns=2;i=1001, i=2258 or nsu=URI;path=NAME/NAME"
        msg = f"{text!r} is not a node id; write {ways}"
        raise ValueError(msg)
    uri, number = match["uri"], int(match["index"] or 0)
    if number > _HIGHEST_INDEX:
        msg = f"{text!r}: a namespace index is at most {_HIGHEST_INDEX}"
        raise ValueError(msg)
    if match["identifier"].startswith(_PATH):
        if not all(match["identifier"].removeprefix(_PATH).split("/")):
            msg = f"{text!r}: a path is NAME/NAME/NAME, from Objects down"
            raise ValueError(msg)
        return Node(uri, number, match["identifier"])
    try:
        identifier = _node_id(match["identifier"], 0).Identifier
    except (UaError, ValueError) as error:
        msg = f"{text!r}: {match['identifier']!r} is no identifier"
        raise ValueError(msg) from error
    if isinstance(identifier, int) and not 1 <= identifier <= _HIGHEST_NUMBER:
        msg = f"{text!r}: a numeric identifier is 1 to {_HIGHEST_NUMBER}"
        raise ValueError(msg)
    canonical = f"i={identifier}" if isinstance(identifier, int) else match["identifier"]
    return Node(None, 0, canonical) if uri == OPC_UA else Node(uri, number, canonical)


def named(node_id: ua.NodeId, namespaces: Sequence[str]) -> str:
    """The node id as people write it, at a server with these namespace URIs."""
    text = node_id.to_string()
    if not node_id.NamespaceIndex:
        return text
    identifier = text.partition(";")[2]
    number = int(node_id.NamespaceIndex)
    return f"nsu={namespaces[number]};{identifier}" if number < len(namespaces) else text


def _node_id(identifier: str, namespace: int) -> ua.NodeId:
    if identifier.startswith(_PATH):
        return ua.NodeId(ua.String(identifier), ua.Int16(namespace))
    return ua.NodeId.from_string(f"ns={namespace};{identifier}")
