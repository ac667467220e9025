"""The browse services: what is below a node, and what a path leads to. Bounded."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from linecontrol_opcua.node import Node
from linecontrol_opcua.session import Session
from linecontrol_opcua.trouble import told

MOST_CHILDREN = 5_000
"""Nodes below one node that are looked at."""
_Key = TypeVar("_Key")
_PER_ANSWER = 500
_HIERARCHICAL = ua.NodeId(ua.Int32(ObjectIds.HierarchicalReferences))
_HAS_PROPERTY = ua.NodeId(ua.Int32(ObjectIds.HasProperty))
_OBJECTS_AND_VARIABLES = 1 | 2
_NAME_CLASS_AND_TYPE = 0x3F


class Found(NamedTuple):
    """A node that was found."""

    node: ua.NodeId
    name: str
    variable: bool


async def children(session: Session, parent: ua.NodeId) -> list[Found]:
    """Objects and variables below a node, in the server's order; properties are none."""
    wanted = ua.BrowseDescription()
    wanted.NodeId, wanted.ReferenceTypeId, wanted.IncludeSubtypes = parent, _HIERARCHICAL, True
    wanted.BrowseDirection = ua.BrowseDirection.Forward
    wanted.NodeClassMask, wanted.ResultMask = ua.UInt32(_OBJECTS_AND_VARIABLES), ua.UInt32(_NAME_CLASS_AND_TYPE)
    request = ua.BrowseRequest()
    request.Parameters.RequestedMaxReferencesPerNode = ua.UInt32(_PER_ANSWER)
    request.Parameters.NodesToBrowse = [wanted]
    results = (await session.call(request, ua.BrowseResponse)).Results
    found: list[Found] = []
    while results:
        found += [_found(reference) for reference in results[0].References or () if _is_child(reference)]
        rest = results[0].ContinuationPoint
        if not rest:
            break
        more = ua.BrowseNextRequest()
        more.Parameters.ContinuationPoints = [rest]
        more.Parameters.ReleaseContinuationPoints = len(found) >= MOST_CHILDREN
        answer = await session.call(more, ua.BrowseNextResponse)
        results = [] if len(found) >= MOST_CHILDREN else answer.Parameters.Results
    return found


def _is_child(reference: ua.ReferenceDescription) -> bool:
    node = reference.NodeId
    elsewhere = isinstance(node, ua.ExpandedNodeId) and (node.NamespaceUri or node.ServerIndex)
    return not elsewhere and reference.ReferenceTypeId != _HAS_PROPERTY


def _found(reference: ua.ReferenceDescription) -> Found:
    there = reference.NodeId
    plain = ua.NodeId(there.Identifier, there.NamespaceIndex, there.NodeIdType)
    return Found(plain, str(reference.BrowseName.Name), reference.NodeClass == ua.NodeClass.Variable)


async def properties(session: Session, nodes: Sequence[ua.NodeId], name: str) -> list[ua.NodeId | None]:
    """The property of that name of each node."""
    element: Any = ua.RelativePathElement()
    element.ReferenceTypeId, element.IncludeSubtypes, element.IsInverse = _HAS_PROPERTY, True, False
    element.TargetName = ua.QualifiedName(name, ua.UInt16(0))
    return await targets(session, [(node, [element]) for node in nodes])


async def locate(session: Session, places: Mapping[_Key, Node]) -> dict[_Key, ua.NodeId | None]:
    """Where each place is at the server, now."""
    namespaces = session.namespaces
    located = {key: place.at(namespaces) for key, place in places.items()}
    paths = {key: steps for key, place in places.items() if (steps := place.path(namespaces)) is not None}
    if paths:
        with told(session.name, session.url):
            located |= zip(paths, await follow(session, list(paths.values())), strict=True)
    return located


async def follow(session: Session, paths: Sequence[Sequence[tuple[int, str]]]) -> list[ua.NodeId | None]:
    """What each path of browse names leads to from Objects."""
    objects = ua.NodeId(ua.Int32(ObjectIds.ObjectsFolder))
    known = {number: [_step(*step) for step in path] for number, path in enumerate(paths) if path}
    found = dict(zip(known, await targets(session, [(objects, steps) for steps in known.values()]), strict=True))
    return [found.get(number) for number in range(len(paths))]


def _step(namespace: int, name: str) -> Any:
    step: Any = ua.RelativePathElement()
    step.ReferenceTypeId, step.IncludeSubtypes, step.IsInverse = _HIERARCHICAL, True, False
    step.TargetName = ua.QualifiedName(name, ua.UInt16(namespace))
    return step


async def targets(
    session: Session, paths: Sequence[tuple[ua.NodeId, list[ua.RelativePathElement]]]
) -> list[ua.NodeId | None]:
    """What each path leads to from its node; ``None`` if it leads nowhere, or to several."""
    found: list[ua.NodeId | None] = []
    most = session.most_paths
    for start in range(0, len(paths), most):
        chunk = paths[start : start + most]
        request = ua.TranslateBrowsePathsToNodeIdsRequest()
        request.Parameters.BrowsePaths = [ua.BrowsePath(node, ua.RelativePath(elements)) for node, elements in chunk]
        results = (await session.call(request, ua.TranslateBrowsePathsToNodeIdsResponse)).Results
        if len(results) != len(chunk):
            msg = f"{len(results)} results for {len(chunk)} paths"
            raise ValueError(msg)
        found += [_target(result) for result in results]
    return found


def _target(result: ua.BrowsePathResult) -> ua.NodeId | None:
    found = {str(target.TargetId): target.TargetId for target in result.Targets or ()}
    if not result.StatusCode.is_good() or len(found) != 1:
        return None
    (there,) = found.values()
    return ua.NodeId(there.Identifier, there.NamespaceIndex, there.NodeIdType)
