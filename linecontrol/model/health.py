"""What the gateway says of itself."""

from msgspec import Struct


class SinkHealth(Struct, frozen=True, kw_only=True):
    """A sink of the outbox: ``backlog`` journal records wait; ``trouble`` is the last error, empty if all is well."""

    backlog: int
    delivered: int
    refused: int
    trouble: str = ""


class ConnectionHealth(Struct, frozen=True, kw_only=True):
    """A connection since the gateway started, over all its lives; what a driver can't count stays 0.

    ``up`` is how it is now, ``lives`` how often it was tried, ``readings`` and ``batches`` what it delivered,
    ``disbelieved`` readings whose time or value could not be right, ``gaps`` times that values were or may have been
    lost, ``refused`` signals that the device refuses to serve now, ``late`` readings that came after newer ones,
    ``late_answers`` and ``misfits`` messages that were not believed. ``last_good_ns`` is when the last good value was
    received, ``skew_s`` how far the device's clock is ahead, ``warnings`` what is unsafe about it as configured.
    """

    up: bool
    lives: int = 0
    readings: int = 0
    batches: int = 0
    disbelieved: int = 0
    gaps: int = 0
    refused: int = 0
    late: int = 0
    late_answers: int = 0
    misfits: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    last_good_ns: int | None = None
    skew_s: float | None = None
    warnings: list[str] = []


class Health(Struct, frozen=True, kw_only=True):
    """The gateway at ``at_ns`` (plant time). ``lag_s`` is real time from receiving a reading to its being durable.

    ``trouble`` is what people should know of the gateway itself.
    """

    at_ns: int
    uptime_s: float
    readings: int
    readings_per_s: float
    events: int
    lag_s: float
    inbox: int
    journal_records: int
    connections: dict[str, ConnectionHealth]
    sinks: dict[str, SinkHealth]
    trouble: list[str] = []
