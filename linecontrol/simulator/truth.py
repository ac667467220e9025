"""What the simulated plant really did, to hold against what the gateway says."""

from msgspec import Struct


class StationTruth(Struct, frozen=True, kw_only=True):
    """A station since the start. Seconds are working time; a cycle's include its breakdowns."""

    cycles: int
    """Cycles completed."""
    cycle_s: float
    """Sum of the completed cycles' working time from start to completion."""
    cycle_mean_s: float | None
    """Mean of it; None without a cycle."""
    planned_mean_s: float | None
    """Mean planned time of the completed cycles; None without a cycle."""
    down_s: float
    """Sum of the repairs within completed cycles."""
    rejects: int
    """Units found not good."""
    running: str | None
    """Unit whose cycle runs now."""


class LineTruth(Struct, frozen=True, kw_only=True):
    """A line since the start."""

    released: dict[str, int]
    """Units released, by product."""
    completed: dict[str, int]
    """Units that left the last station, by product."""
    in_progress: int
    """Units released and not completed."""
    stations: dict[str, StationTruth]
    """Its stations by name."""


class PlantTruth(Struct, frozen=True, kw_only=True):
    """The plant at ``at_ns`` (UTC)."""

    at_ns: int
    lines: dict[str, LineTruth]
    kits: dict[str, int]
    """Kits in stock, by name."""
