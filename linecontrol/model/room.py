"""What the rooms of the pure centre have in common: they fold events, and remember in one struct."""

from collections.abc import Sequence
from typing import Protocol

from linecontrol.model.event import AnyEvent


class Room(Protocol):
    """A pure part of the centre: told of events and of the time, it says what follows from them.

    The same calls in the same order give the same events and the same memory, byte for byte: no clock, no
    randomness, no iteration over sets.
    """

    def see(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """What follows from an event of an earlier room, or of this one, at ``event.at_ns``."""

    def tick(self, at_ns: int) -> Sequence[AnyEvent]:
        """What follows from the time alone. Called for each instant of the engine's grid, in order."""

    def memory(self) -> bytes:
        """All that the room remembers, encoded."""

    def remember(self, memory: bytes) -> None:
        """Take up what ``memory`` returned, with the same config.

        Raises:
            SnapshotError: it doesn't fit.
        """
