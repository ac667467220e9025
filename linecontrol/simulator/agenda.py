"""What will happen when: the heart of an event-driven model."""

from collections.abc import Callable
from heapq import heappop, heappush

Action = Callable[[], None]


class Agenda:
    """Actions by the moment at which they fall due; those of one moment in the order in which they were put in."""

    def __init__(self, now_ns: int) -> None:
        """Start at ``now_ns``, with nothing to do."""
        self.now_ns = now_ns
        self._heap: list[tuple[int, int, Action]] = []
        self._count = 0

    def at(self, due_ns: int, action: Action) -> None:
        """Do ``action`` at ``due_ns``, but not before now."""
        self._count += 1
        heappush(self._heap, (max(due_ns, self.now_ns), self._count, action))

    def run(self, until_ns: int) -> None:
        """Do all that falls due up to and including ``until_ns``, and stay there. Time never runs backwards."""
        while self._heap and self._heap[0][0] <= until_ns:
            self.now_ns, _, action = heappop(self._heap)
            action()
        self.now_ns = max(self.now_ns, until_ns)
