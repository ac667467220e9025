"""What is asked: all that the rooms remember, at one moment."""

from msgspec import Struct

from linecontrol.bottleneck.memory import RecordMemory
from linecontrol.target.room import TargetMemory


class Question(Struct, frozen=True):
    """How does the plant stand at ``at_ns``? Untouched by what happens later, so that a thread may answer it.

    ``records`` by line; ``target`` is ``None`` before anything was counted.
    """

    at_ns: int
    records: dict[str, RecordMemory]
    target: TargetMemory | None
