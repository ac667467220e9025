"""What the gateway says of itself."""

from msgspec import Struct


class SinkHealth(Struct, frozen=True, kw_only=True):
    """A sink of the outbox: ``backlog`` journal records wait; ``trouble`` is the last error, empty if all is well."""

    backlog: int
    delivered: int
    refused: int
    trouble: str = ""


class Health(Struct, frozen=True, kw_only=True):
    """The gateway at ``at_ns`` (plant time). ``lag_s`` is real time from receiving a reading to its being durable."""

    at_ns: int
    uptime_s: float
    readings: int
    readings_per_s: float
    events: int
    lag_s: float
    inbox: int
    journal_records: int
    connections: dict[str, bool]
    sinks: dict[str, SinkHealth]
