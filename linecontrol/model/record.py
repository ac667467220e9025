"""What the journal keeps and sinks receive: one turn of the engine."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from linecontrol.model.event import AnyEvent
from linecontrol.model.observation import Observation


class Record(Struct, frozen=True, kw_only=True):
    """One turn of the engine at plant time ``now_ns``: what came in and what followed. ``seq`` counts from 1."""

    seq: int
    now_ns: int
    observations: list[Observation]
    events: list[AnyEvent]


class Delivery(Struct, frozen=True, kw_only=True):
    """What a sink did with records: points it took, points it refused for good, and why the first of these."""

    delivered: int = 0
    refused: int = 0
    trouble: str = ""


class Sink(Protocol):
    """Somewhere that events go."""

    async def deliver(self, records: Sequence[Record]) -> Delivery:
        """Store what the records' events say. Storing the same record twice changes nothing.

        Raises:
            SinkAway: not all of it could be stored now; the same records will be brought again.
        """
