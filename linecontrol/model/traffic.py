"""What a connection has carried, and what of it went wrong."""

from msgspec import Struct


class Traffic(Struct, kw_only=True):
    """Counted by a driver in one life of its connection. A driver counts what it can; the rest stays as it is."""

    gaps: int = 0
    """Times that values were, or may have been, lost on the way."""
    refused: int = 0
    """Signals that the device refuses to serve at present."""
    late_answers: int = 0
    """Answers that came when nobody waited for them any more, and were not believed."""
    misfits: int = 0
    """Messages that were not believed: no answer to what was asked, damaged, or beyond a limit."""
    bytes_received: int = 0
    bytes_sent: int = 0
    skew_ns: int | None = None
    """How far the device's clock is ahead of ours; ``None`` if it doesn't tell."""

    def plus(self, later: "Traffic") -> "Traffic":
        """What both lives carried; ``refused`` and ``skew_ns`` are of the later one."""
        return Traffic(
            gaps=self.gaps + later.gaps,
            refused=later.refused,
            late_answers=self.late_answers + later.late_answers,
            misfits=self.misfits + later.misfits,
            bytes_received=self.bytes_received + later.bytes_received,
            bytes_sent=self.bytes_sent + later.bytes_sent,
            skew_ns=later.skew_ns,
        )
