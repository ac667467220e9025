"""What is wrong in a table, by line."""

from msgspec import Struct

from linecontrol.flowline import Passage

ERROR, WARNING, NOTE = "error", "warning", "note"
"""The row was left out; the row was kept, but something in it was not believed; nothing is wrong, but know it."""


class Complaint(Struct, frozen=True, order=True):
    """What is missing or contradictory in a line of the file, and what was done about it.

    ``kind`` is one of a closed list of words: ``column``, ``cells``, ``empty``, ``unreadable``, ``backwards``,
    ``duplicate``, ``together``, ``two_places``, ``early``, ``order``, ``skipped``, ``unfinished``, ``product``,
    ``planned``, ``states``, ``off_shift``, ``station``, ``alone``, ``far``.
    """

    line: int
    text: str
    kind: str
    level: str = ERROR


class Row(Passage):
    """A passage that remembers in which line of the file it is written, and which time is ``missing`` there."""

    line: int = 0
    missing: str = ""

    def order(self) -> tuple[float, bool, float, int]:
        """By starts; of those that start together those first that are complete first."""
        return self.start, self.complete is None, self.complete or 0.0, self.line


def span_text(time: float, *, dates: bool) -> str:
    """A duration as people say it; a bare number where its unit isn't known."""
    if not dates:
        return f"{time:.6g}"
    if time < 60:
        return f"{time:g}s"
    minutes = round(time / 60)
    return f"{minutes // 60}h{minutes % 60:02d}m" if minutes >= 60 else f"{minutes}m"
