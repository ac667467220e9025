"""What an expression is worth now: its tree walked node by node, every unknown taken as it comes.

Windows keep every element that ever entered, ages every value that was ever told.
"""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, fsum
from typing import Any

from msgspec import Struct

from linecontrol.model import AnyEvent, CommitmentForecast, CycleCompleted, Sampled, TargetForecast, Timing
from linecontrol.rules.tree import (
    Absent,
    Age,
    Among,
    Infix,
    Length,
    Name,
    Node,
    Number,
    Of,
    Prefix,
    Sequence,
    Text,
    Truth,
    Window,
)
from tests.unit.rules.naive.hours import S
from tests.unit.rules.naive.plant import OF_LINE, SEEN, TIMED, TOLD_BY, Plant

Worth = Callable[[], Any]
FORECASTS = (TargetForecast, CommitmentForecast)
_SPAN_STREAMS = {"cycles": "cycles", "samples": "samples", "days": "days"}


class Kept(Struct):
    """What is written down at each event told of a place: elements of a window, or values of a name."""

    place: str
    accepts: Callable[[Any], bool]
    item: Worth
    written: list[tuple[Any, int]] = []


class Subject(Struct, frozen=True):
    """What a rule is about, and its neighbours' places where there are any."""

    kind: str
    place: str
    upstream: str | None = None
    downstream: str | None = None


class Reader:
    """Makes functions out of trees, about one subject of a plant."""

    def __init__(self, plant: Plant, subject: Subject) -> None:
        self._plant = plant
        self._subject = subject
        self._cycle: CycleCompleted | None = None
        self.kept: list[Kept] = []

    def note(self, event: AnyEvent, places: list[str]) -> None:
        """Write down what an event brings, after the plant took it in."""
        worked = self._plant.hours(self._subject.place).worked(self._plant.now)
        self._cycle = event if isinstance(event, CycleCompleted) else None
        for kept in self.kept:
            if kept.place in places and kept.accepts(event):
                value = kept.item()
                if value is not None:
                    kept.written.append((value, worked))

    def worth(self, node: Node) -> Worth:
        """A function that works the tree out."""
        plant = self._plant
        match node:
            case Number(value=value) | Length(value=value) | Text(value=value) | Truth(value=value):
                return lambda: value
            case Name(path=path) if path.startswith("cycle."):
                return lambda: self._element(path)
            case Name() | Of():
                place, path = place_of(node, self._subject)
                return lambda: plant.name(place, path)
            case Prefix(op="()"):
                return self.worth(node.item)
            case Prefix():
                item = self.worth(node.item)
                return (lambda: negated(item())) if node.op == "not" else lambda: opposite(item())
            case Infix():
                left, right, operation = self.worth(node.left), self.worth(node.right), OPERATIONS[node.op]
                return lambda: operation(left(), right())
            case Among():
                item, options = self.worth(node.item), [self.worth(option) for option in node.options]
                return lambda: among(item(), [option() for option in options])
            case Absent():
                since, limit = self.worth(Name(at=0, path="since_cycle")), self.worth(node.limit)
                return lambda: OPERATIONS[">"](since(), limit())
            case Age():
                age, seconds = self._age(node), node.seconds
                return age if seconds is None else lambda: OPERATIONS["<"](age(), seconds)
            case Window():
                return self._window(node)
            case _:
                raise AssertionError(node)

    # --- windows and ages -----------------------------------------------------------------------------------

    def _element(self, path: str) -> Any:
        cycle = self._cycle
        assert cycle is not None
        match path:
            case "cycle.active":
                return cycle.active_s
            case "cycle.planned":
                return cycle.planned_s
            case "cycle.lost":
                return sum(cycle.lost_s.values())
            case _:
                return cycle.good

    def _window(self, node: Window) -> Worth:
        stream = stream_of(node)
        accepts: Callable[[Any], bool]
        if stream == "cycles":
            accepts = _is_measured
        elif stream == "days":
            accepts = self._is_first_of_day
        else:
            accepts = lambda event: isinstance(event, Sampled) and f"tag.{event.name}" == stream  # noqa: E731
        kept = Kept(self._subject.place, accepts, self.worth(node.item))
        self.kept.append(kept)
        size, span = node.span.size, round(node.span.seconds * S)
        least = 0 if node.function == "count" else 1
        least = max(
            node.least if node.least is not None else size, least, 2 if node.function in ("delta", "rate") else 0
        )

        def window() -> Any:
            worked = self._plant.hours(self._subject.place).worked(self._plant.now)
            inside = kept.written[-size:] if size else [each for each in kept.written if each[1] > worked - span]
            if len(inside) < least:
                return None
            return figure(node, inside, kept.written)

        return window

    def _is_first_of_day(self, event: Any) -> bool:
        if not isinstance(event, FORECASTS):
            return False
        place, plant = self._subject.place, self._plant
        hours = plant.hours(place)
        today = hours.working_day(plant.now)
        earlier = plant.told(place, *FORECASTS)[:-1]
        return today is not None and all(hours.working_day(told.at) != today for told in earlier)

    def _age(self, node: Age) -> Worth:
        place, path = place_of(node.item, self._subject)

        def tells(event: Any) -> bool:
            return (isinstance(event, Sampled) and f"tag.{event.name}" == path) or isinstance(event, SEEN)

        kept = Kept(place, tells, self.worth(node.item))
        self.kept.append(kept)

        def age() -> float | None:
            since = value = None
            for each, worked in kept.written:
                if each != value:
                    value, since = each, worked
            worked = self._plant.hours(place).worked(self._plant.now)
            return None if since is None else (worked - since) / S

        return age


def place_of(node: Node, subject: Subject) -> tuple[str, str]:
    """The subject and the name that a name or ``at("…").name`` means."""
    if isinstance(node, Of):
        return f"{node.kind} {node.name}", node.path
    assert isinstance(node, Name)
    side, _, rest = node.path.partition(".")
    if subject.kind == "station" and side in ("upstream", "downstream"):
        place = subject.upstream if side == "upstream" else subject.downstream
        assert place is not None
        return place, rest
    return subject.place, node.path


def stream_of(node: Window) -> str:
    """What a window looks at: cycles, days, or the samples of a tag (by its name)."""
    tags = [each.path for each in walk(node.item) if isinstance(each, Name) and each.path.startswith("tag.")]
    if node.span.stream in ("days", "cycles"):
        return node.span.stream
    return tags[0] if tags else "cycles"


def walk(node: Node) -> list[Node]:
    """A node and all that it is made of."""
    match node:
        case Prefix() | Age():
            below = [node.item]
        case Infix():
            below = [node.left, node.right]
        case Among():
            below = [node.item, *node.options]
        case Absent():
            below = [node.limit]
        case Window():
            below = [node.item]
        case Sequence():
            below = [node.first, *(step.condition for step in node.steps), *([node.unless] if node.unless else [])]
        case _:
            below = []
    return [node, *(each for item in below for each in walk(item))]


def moves_with_time(node: Node) -> bool:
    """Whether time alone can change what a tree is worth."""
    match node:
        case Name() | Of():
            return node.path.rpartition("stream.")[2] in TIMED
        case Absent() | Age():
            return True
        case Window():
            return node.span.seconds > 0
        case _:
            return any(map(moves_with_time, walk(node)[1:]))


def is_fine(node: Node) -> bool:
    """Whether time can change a tree between two steps: it does sums with what time moves."""
    return any(
        isinstance(each, Infix) and each.op in ("+", "-", "*", "/") and moves_with_time(each) for each in walk(node)
    )


def concerns(node: Node, subject: Subject) -> set[tuple[str, type, str]]:
    """The events that a condition is worked out at: the place, the kind, and of samples the tag."""
    found: set[tuple[str, type, str]] = set()
    match node:
        case Name() | Of():
            place, path = place_of(node, subject)
            kind, _, name = place.partition(" ")
            if path.startswith("tag."):
                found.add((place, Sampled, path))
            elif kind == "station" and path in OF_LINE:
                found.add((f"line {name.partition('/')[0]}", OF_LINE[path], ""))
            else:
                found |= {(place, event, "") for event in TOLD_BY[kind][path]}
        case Absent():
            found |= concerns(Name(at=0, path="since_cycle"), subject) | concerns(node.limit, subject)
        case Window():
            stream = stream_of(node)
            kinds = {"cycles": (CycleCompleted,), "days": FORECASTS}.get(stream, (Sampled,))
            found |= {(subject.place, kind, stream if kind is Sampled else "") for kind in kinds}
        case _:
            for below in walk(node)[1:]:
                if isinstance(below, Name | Of | Absent | Window) and not _inside_window(node, below):
                    found |= concerns(below, subject)
    return found


def _inside_window(root: Node, node: Node) -> bool:
    return any(
        isinstance(each, Window) and each is not node and any(below is node for below in walk(each.item))
        for each in walk(root)
    )


def _is_measured(event: Any) -> bool:
    return isinstance(event, CycleCompleted) and event.timing is Timing.MEASURED


# --- operations -------------------------------------------------------------------------------------------------


def negated(item: bool | None) -> bool | None:
    """Kleene's ``not``."""
    return {True: False, False: True, None: None}[item]


def opposite(item: float | None) -> float | None:
    """``-item``."""
    return None if item is None else -item


def among(item: Any, options: list[Any]) -> bool | None:
    """True if one is equal; else unknown if one is unknown."""
    verdicts = [OPERATIONS["=="](item, option) for option in options]
    return True if True in verdicts else None if None in verdicts else False


def _both(left: bool | None, right: bool | None) -> bool | None:
    return False if False in (left, right) else None if None in (left, right) else True


def _either(left: bool | None, right: bool | None) -> bool | None:
    return True if True in (left, right) else None if None in (left, right) else False


def _known(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda left, right: None if left is None or right is None else operation(left, right)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "and": _both,
    "or": _either,
    "+": _known(lambda left, right: left + right),
    "-": _known(lambda left, right: left - right),
    "*": _known(lambda left, right: left * right),
    "/": _known(lambda left, right: left / right if right else None),
    "==": _known(lambda left, right: left == right),
    "!=": _known(lambda left, right: left != right),
    "<": _known(lambda left, right: left < right),
    "<=": _known(lambda left, right: left <= right),
    ">": _known(lambda left, right: left > right),
    ">=": _known(lambda left, right: left >= right),
}


def figure(node: Window, inside: list[tuple[Any, int]], ever: list[tuple[Any, int]]) -> float | None:
    """The figure of a window with these elements in it; ``ever`` are all that entered."""
    values = [float(value) for value, _ in inside]
    ranked = sorted(values)
    match node.function:
        case "count":
            return float(sum(values))
        case "share" | "mean":
            return fsum(values) / len(values)
        case "median":
            return (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2
        case "quantile":
            wanted = ceil(Fraction(node.rank) * len(ranked) - Fraction(1, 10**9))
            return next(value for value in ranked if sum(other <= value for other in ranked) >= wanted)
        case "min":
            return ranked[0]
        case "max":
            return ranked[-1]
        case "delta":
            return values[-1] - values[0]
        case "rate":
            passed = inside[-1][1] - inside[0][1]
            return (values[-1] - values[0]) * 3_600 * S / passed if passed else None
        case _:
            level = float(ever[0][0])
            for value, _ in ever[1:]:
                level += (value - level) * 2 / (node.span.size + 1)
            return level
